"""Answers -> text for the terminal, and Markdown and HTML for the chat page. Pure.

Titles, abstracts, questions and model output are other people's text: all of it is escaped here.
"""

import html
import re
import urllib.parse
from collections.abc import Mapping, Sequence

from rag.filters import lacking_words, scope_words
from rag.identity import link_of
from rag.reach import Reach, sent_to
from rag.records import Answer, CatalogPaper, Citation, Claim, Drafting, Found, Hit, Ranking, Reading, Sentence, Verdict
from rag.unseen import without_unseen

_NEAREST = 3
_LISTED = 200  # more would make a page that nobody reads
# Of the confidence in an answer: below, what the papers lack is told beside it.
_DOUBT = 0.5
_NO_MODEL = "without the language model"
_DOT = " \u00b7 "
_COUNTS = re.compile(r"\W*how many (?:papers|articles|publications|studies)\b", re.IGNORECASE)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-!|~$&])")


def escape_markdown(text: str) -> str:
    """`text` so that Markdown shows it as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(without_unseen(text).split()))


def escape_html(text: str) -> str:
    """`text` so that HTML shows it as it is, without what cannot be seen or turns the order of what is."""
    return html.escape(without_unseen(text))


def verdict_line(answer: Answer) -> str:
    """What the checks found, in one line."""
    if answer.talk or answer.recorded:
        records = "records of the papers" if len(answer.listed or ()) > 1 else "record of the paper"
        return "Not from the papers." if answer.talk else f"Told from the {records}, {_NO_MODEL}."
    if answer.listed is not None:
        scope = answer.scope
        # Where the filter is all that was asked, every paper was looked at.
        some = scope is not None and answer.query
        papers = f"{scope.papers} of {scope.total} papers ({scope_words(scope)})" if scope and some else "all papers"
        return f"Counted over the records of {papers}, {_NO_MODEL}."
    if answer.refused:
        return _passed_over(answer).capitalize() + "." if answer.passed_over else ""
    own = sum(claim.verdict is not Verdict.QUOTED for claim in answer.claims)
    quoted = len(answer.claims) - own
    parts = []
    if own:
        parts.append(f"{own} sentence{'s' * (own > 1)} written and checked against the cited text")
    if quoted:
        parts.append(f"{quoted} quoted word for word")
    if answer.dropped:
        parts.append(f"{answer.dropped} not supported and left out")
    if answer.passed_over:
        parts.append(_passed_over(answer))
    if answer.stopped:
        parts.append("stopped before the end")
    if answer.sampling and answer.sampling.temperature > 0:
        parts.append(f"seed {answer.sampling.seed} at temperature {answer.sampling.temperature:g}")
    return "; ".join(parts).capitalize() + "." if parts else ""


def _passed_over(answer: Answer) -> str:
    count = answer.passed_over
    return f"{count} sentence{'s' * (count > 1)} of the papers found passed over for giving orders to the reader"


def progress_words(event: Drafting | Ranking | Reading) -> str:
    """How far the work on an answer has come."""
    match event:
        case Drafting():
            return f"draft {event.number} of {event.of}"
        case Ranking():
            return f"reading papers to put them in order, {event.done} of {event.total}"
    return f"reading the evidence, {event.done} of {event.total} tokens"


def searched_lines(asked: Answer | Found) -> list[str]:
    """What a follow-up was taken to ask, and in which papers it was searched for; none for a plain question."""
    lines = [f"Taken as a follow-up, searched for: {asked.query}"] if asked.followed else []
    if (scope := asked.scope) and scope.papers:
        searched = f"Searched in {scope.papers} of {scope.total} papers: {scope_words(scope)}"
        lacking = lacking_words(scope.filter, scope.lacking)
        lines.append(f"{searched}. {lacking}" if lacking else searched)
    return lines


def unmet_lines(answer: Answer) -> list[str]:
    """What is wrong with a question: the words of it that no paper found deals with, for a refusal and where an answer
    is in doubt, and the sentence that says otherwise than it takes for granted.

    Names that stand in no paper are told in any case, and the side of a comparison that is in none. Where papers on a
    matter were to be counted, that they were not.
    """
    if not answer.refused and _COUNTS.match(answer.question):
        return ["Only what records say can be counted, not what papers are about. Nearest to the question are:"]
    lines = [f"No title or abstract has the name {_either(answer.unknown)}."] if answer.unknown else []
    unmet = [word for word in answer.unmet if word not in answer.unknown]
    if unmet and (answer.refused or answer.confidence < _DOUBT):
        lines.append(f"Nothing was found on: {', '.join(unmet)}.")
    if lines and not answer.refused:
        lines.append("The answer may cover only a part of the question.")
    if answer.missing:
        rest = "" if answer.refused else ": the answer is about the other side alone"
        lines.insert(0, f"Nothing was found on {_either(answer.missing)}{rest}.")
    return [*([" ".join(lines)] if lines else []), *_otherwise_lines(answer)]


def _otherwise_lines(answer: Answer) -> list[str]:
    if not answer.otherwise:
        return []
    titles = [hit.title for hit in answer.hits if hit.paper_id == answer.otherwise.paper_id]
    said = " ".join(answer.otherwise.text.split())
    return [f"The question takes for granted what a paper seems to say otherwise: \u201c{said}\u201d ({titles[0]})"]


def _either(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


# -- terminal ------------------------------------------------------------------------------------------------------


def sources_plain(answer: Answer) -> str:
    """What follows the answer: its citations, or for a refusal the nearest papers; then what the checks found."""
    if answer.listed is not None:
        lines = [f"  - {_title_and_year(entry)}" for entry in answer.listed]
    elif answer.refused:
        lines = [*unmet_lines(answer), *(["The nearest papers:"] if answer.hits else [])]
        for hit in answer.hits[:_NEAREST]:
            lines.append(f"  - {_on_one_line(hit.title, hit.byline, hit.link)}")
            lines += [f"      \u201c{text}\u201d" for text in _nearest_sentence(hit, answer.otherwise)]
    else:
        lines = [line for text in unmet_lines(answer) for line in (text, "")]
        # What the answer quotes stands in it already.
        bylines = {hit.paper_id: hit.byline for hit in answer.hits}
        quoted = {c.number for claim in answer.claims if claim.verdict is Verdict.QUOTED for c in claim.citations}
        for paper in dict.fromkeys(citation.paper_id for citation in answer.citations):
            cited = [citation for citation in answer.citations if citation.paper_id == paper]
            numbers = "".join(f"[{citation.number}]" for citation in cited)
            lines.append(f"{numbers} {_on_one_line(cited[0].title, bylines.get(paper, ''), cited[0].link)}")
            for citation in cited:
                if citation.number not in quoted:
                    number = f"[{citation.number}] " if len(cited) > 1 else ""
                    lines.append(f"    {number}\u201c{' '.join(citation.quote.split())}\u201d")
    note = verdict_line(answer)
    return note if answer.talk else "\n".join([*lines, *(["", note] if note else [])])


def _on_one_line(title: str, byline: str, link: str) -> str:
    return title + (f" ({byline})" if byline else "") + (f"  {link}" if link else "")


# -- chat page -----------------------------------------------------------------------------------------------------


def promise(llm: str, where: Reach | None) -> str:
    """What the page says of where questions go: to the server `llm`, or None where the model is in this process."""
    if where is None:
        return "Nothing leaves it."
    if where is Reach.HERE:
        return f"Nothing leaves it. Answers are written by the model at {escape_markdown(llm)}."
    return f"**{escape_markdown(sent_to(llm, where))}**"


def server_markdown(findings: Mapping[str, str]) -> str:
    """What was found out about the server of the language model, as one small line."""
    return escape_markdown("The server: " + "; ".join(f"{name} {value}" for name, value in findings.items()))


def claim_markdown(claim: Claim, turn: str) -> str:
    """One sentence of the answer; its citations are links to the cards of the side panel."""
    text = escape_markdown(claim.text)
    body = f"\u201c{text}\u201d" if claim.verdict is Verdict.QUOTED else text
    return body + "".join(f" [\\[{c.number}\\]](#{card_id(turn, c)})" for c in claim.citations)


def answer_markdown(claims: Sequence[Claim], turn: str, *, draft: str = "", status: str = "") -> str:
    """An answer that is still being written: checked sentences, the sentence in work, and what is going on.

    Over quotations stands the title of their paper: for one who asks for a paper it is the answer. Not where other
    sentences stand between, which would seem to be that paper's too.
    """
    lines: list[str] = []
    titled = all(claim.verdict is Verdict.QUOTED for claim in claims)
    speaking = 0
    for claim in claims:
        for citation in claim.citations[:1] if titled else ():
            if citation.paper_id != speaking:
                lines.append(f"**{escape_markdown(citation.title)}**")
            speaking = citation.paper_id
        lines.append(claim_markdown(claim, turn))
    draft = re.sub(r"\s*\[\d*\]?", "", draft).strip()
    if draft:
        lines.append(f"*{escape_markdown(draft)} \u2026*")
    if status:
        lines.append(f"*{status}*")
    return "\n\n".join(lines)


def _nearest_markdown(hit: Hit, told: Sentence | None) -> str:
    quotes = "".join(f"  \n  \u201c{escape_markdown(text)}\u201d" for text in _nearest_sentence(hit, told))
    return f"- {_linked(hit)}{quotes}"


def _nearest_sentence(hit: Hit, told: Sentence | None) -> list[str]:
    """The sentence of a paper that comes nearest to the question, if it has any and it is not `told` already."""
    best = max(hit.sentences, key=lambda scored: scored.score, default=None)
    return [" ".join(best.sentence.text.split())] if best and best.sentence != told else []


def finished_markdown(answer: Answer, turn: str) -> str:
    """A finished answer with its verdict; a refusal with the nearest papers; what was searched for, and where."""
    head = "".join(f"*{escape_markdown(line)}*\n\n" for line in searched_lines(answer))
    if answer.talk:
        # Lines to try stay a list.
        text = re.sub(r"(?m)^(- )?(.+)$", lambda line: (line[1] or "") + escape_markdown(line[2]), answer.text)
        return f"{text}\n\n*{escape_markdown(verdict_line(answer))}*"
    if answer.listed is not None:
        found, *more = (escape_markdown(part) for part in answer.text.split("\n\n"))
        note = escape_markdown(verdict_line(answer))
        body = "\n\n".join([f"**{found}**", *more])
        return f"{body}\n\n{_list_markdown(answer.listed)}*{note}*"
    if answer.refused:
        unmet = "".join(f"\n\n{escape_markdown(line)}" for line in unmet_lines(answer))
        nearest = "".join(f"\n{_nearest_markdown(hit, answer.otherwise)}" for hit in answer.hits[:_NEAREST])
        body = f"**{escape_markdown(answer.text)}**{unmet}"
        body += f"\n\nThe nearest papers:\n{nearest}" if nearest else ""
    else:
        head += "".join(f"*{escape_markdown(line)}*\n\n" for line in unmet_lines(answer))
        body = answer_markdown(answer.claims, turn)
    note = verdict_line(answer)
    return head + body + (f"\n\n*{escape_markdown(note)}*" if note else "")


def _list_markdown(listed: Sequence[CatalogPaper]) -> str:
    rows = []
    for entry in listed[:_LISTED]:
        title, link = escape_markdown(_title_and_year(entry)), link_of(entry.paper)
        rows.append(f"- [{title}]({_href(link)})\n" if link else f"- {title}\n")
    if len(listed) > _LISTED:
        rows.append(f"- and {len(listed) - _LISTED} more\n")
    return "".join(rows) + "\n" if rows else ""


def _title_and_year(entry: CatalogPaper) -> str:
    title = entry.paper.title or entry.key
    return f"{title} ({entry.paper.year})" if entry.paper.year else title


def _linked(hit: Hit) -> str:
    title = escape_markdown(hit.title)
    return f"[{title}]({_href(hit.link)})" if hit.link else title


def _href(link: str) -> str:
    """A link whose characters cannot end a Markdown or HTML link early: a file of papers may hold anything."""
    return urllib.parse.quote(link, safe="/:?&=#%+,;@~.-_")


def card_id(turn: str, citation: Citation) -> str:
    """The page's anchor of a citation."""
    return f"source-{turn}-{citation.number}"


def panel_html(answer: Answer, papers: Sequence[CatalogPaper], turn: str) -> str:
    """The side panel of one answer: a card a paper, each cited sentence highlighted and numbered in its abstract."""
    if answer.refused:
        heading, cards = "Nearest papers", "".join(_nearest_card(hit) for hit in answer.hits[:_NEAREST])
    else:
        heading = "Sources"
        cards = "".join(_card([c for c in answer.citations if c.paper_id == p.id], p, turn) for p in papers)
    question = escape_html(answer.question)
    return f'<section class="sources"><h3>{heading}</h3><p class="asked">{question}</p>{cards}</section>'


def _card(citations: Sequence[Citation], entry: CatalogPaper, turn: str) -> str:
    abstract = entry.paper.abstract
    body, position = "", 0
    for citation in sorted(citations, key=lambda c: c.start):
        body += escape_html(abstract[position : citation.start])
        quote = escape_html(abstract[citation.start : citation.end])
        body += f'<mark id="{card_id(turn, citation)}">{quote}</mark><sup class="number">[{citation.number}]</sup>'
        position = citation.end
    body += escape_html(abstract[position:])
    title = _title_html(entry.paper.title, citations[0].link if citations else "")
    return f'<article class="source"><h4>{title}</h4>{_byline(entry)}<p>{body}</p></article>'


def _title_html(title: str, link: str) -> str:
    if not link:
        return escape_html(title)
    href = escape_html(_href(link))
    return f'<a href="{href}" target="_blank" rel="noreferrer noopener">{escape_html(title)}</a>'


def _byline(entry: CatalogPaper) -> str:
    paper = entry.paper
    names = ", ".join(paper.authors[:3]) + (" et al." if len(paper.authors) > 3 else "")
    facts = [escape_html(fact) for fact in (names, paper.venue, str(paper.year or ""), *paper.categories[:3]) if fact]
    return f'<p class="byline">{_DOT.join(facts)}</p>' if facts else ""


def _nearest_card(hit: Hit) -> str:
    best = hit.sentences[0].sentence.text if hit.sentences else ""
    byline = f'<p class="byline">{escape_html(hit.byline)}</p>' if hit.byline else ""
    title = _title_html(hit.title, hit.link)
    return f'<article class="source"><h4>{title}</h4>{byline}<p>{escape_html(best)}</p></article>'
