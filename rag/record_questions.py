"""Questions about a paper that its record answers: authors, how many, when and where it appeared, link, abstract. Pure.

Abstracts do not tell these, so the search for evidence would refuse. Who asks for more of a paper gets its abstract:
there is no more. Which paper is meant is left to a search for what the question says of it; then its words must stand
in the title or the text of that paper.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.defining import defines
from rag.identity import link_of
from rag.records import CatalogPaper, Hit, Paper
from rag.terms import content_terms

_PAPER = r"(?:paper|article|study|work|preprint|abstract|publication|letter|report|review|survey|thesis)"
_WHAT = r"(?P<what>.+?)"
# Of a drug, a symptom and a link between two things other things may be asked: then a paper has to be spoken of.
_PLAIN = r"(?:(?!(?:in|of|on|for|from|with|at|to|by|and|the|most|more|than|all|these|those)\b)[\w'\u2019-]+ )"
_HEAD = (
    rf"(?:(?:the|this|that) )?{_PLAIN}{{0,4}}?{_PAPER}(?: (?:on|about|of|by|called|titled|entitled|named|introducing|"
    r"describing|presenting|that introduced|which introduced|that introduces|which introduces)\b.+)?"
)
_WORK = rf"(?P<what>{_HEAD}|[\"\u201c\u2018].+)"
_OUT = r"(?:published|written)"
_OTHERWISE = r"(?:posted|released|submitted|printed|presented|appear|come out)"
_VENUE = r"(?:journal|conference|venue|proceedings)"
_GIVE = r"(?:(?:can|could|would|will) you (?:please )?|(?:can|may) i )?(?:(?:give|show|tell|send|read|see)(?: me)? )?"
_WHOLE = r"(?:(?:whole|full|complete|entire) )?"
_IT = rf"(?:it|this|that|(?:this|that|the) {_PAPER})"
_OF_IT = rf"(?: (?:of|about|on|for|from) {_IT})"
_MORE = r"(?:in |some |any |a (?:bit|little) )?(?:more|further)(?: (?:details?|information|info))?"
_FORMS = tuple(
    (field, re.compile(rf"^\W*(?:(?:please|and|but|so|then|also),? )*{form}\W*$", re.IGNORECASE))
    for field, form in (
        ("authors", rf"who (?:wrote|authored|co-?authored) (?!(?:about|on|of|in) (?-i:[a-z])){_WHAT}"),
        ("authors", rf"who published {_WORK}"),
        ("authors", rf"who (?:is|are|was|were) the (?:(?:first|main|lead|last|senior) )?authors? of {_WHAT}"),
        ("authors", rf"by whom (?:is|was) {_WHAT} (?:written|authored)"),
        ("year", rf"when (?:was|were) {_WHAT} {_OUT}"),
        ("year", rf"when (?:was|were|did) {_WORK} {_OTHERWISE}"),
        ("year", rf"(?:in )?(?:which|what) year (?:was|were) {_WHAT} {_OUT}"),
        ("year", rf"(?:in )?(?:which|what) year (?:was|were|did) {_WORK} {_OTHERWISE}"),
        ("venue", rf"where (?:was|were) {_WHAT} published"),
        ("venue", rf"where (?:was|were|did) {_WORK} {_OTHERWISE}"),
        ("venue", rf"(?:in |at )?(?:which|what) {_VENUE} (?:was|were) {_WHAT} {_OUT}(?: in| at)?"),
        ("venue", rf"(?:in |at )?(?:which|what) {_VENUE} (?:was|were|did) {_WORK} {_OTHERWISE}(?: in| at)?"),
        ("venue", rf"(?:which|what) {_VENUE} published {_WHAT}"),
        ("venue", rf"(?:what|which)(?:['\u2019]s| is| was) the {_VENUE} of {_WORK}"),
        ("count", rf"how many (?:co-?)?authors (?:does|do|did|has|have) {_WORK}(?: have)?"),
        ("count", rf"how many (?:co-?)?authors (?:are|were) (?:there )?(?:on|of) {_WORK}"),
        ("count", rf"how many (?:people|authors|scientists|researchers) (?:co-?)?(?:wrote|authored) {_WORK}"),
        ("link", rf"what(?:['\u2019]s| is) the (?:url|link|address) (?:of|for) {_WORK}"),
        ("doi", rf"what(?:['\u2019]s| is) the doi (?:of|for) {_WHAT}"),
        ("arXiv id", rf"what(?:['\u2019]s| is) the arxiv (?:id|number) (?:of|for) {_WHAT}"),
        ("PMID", rf"what(?:['\u2019]s| is) the pmid (?:of|for) {_WHAT}"),
        ("abstract", rf"{_GIVE}(?:the )?{_WHOLE}abstract (?:of|for) {_WHAT}"),
        ("abstract", rf"what(?:['\u2019]s| is) the {_WHOLE}abstract (?:of|for) {_WHAT}"),
        # Of the paper spoken of before.
        ("abstract", rf"{_GIVE}(?:the |its |that |this ){_WHOLE}abstract{_OF_IT}?(?: please)?(?P<what>)"),
        ("abstract", rf"what(?:['\u2019]s| is) (?:the|its) {_WHOLE}abstract(?P<what>)"),
        ("abstract", rf"{_GIVE}{_MORE}{_OF_IT}?(?: please)?(?P<what>)"),
        ("abstract", rf"(?:go on|continue|carry on|elaborate{_OF_IT}?)(?: please)?(?P<what>)"),
        ("abstract", rf"(?:what|anything) else(?: does {_IT} (?:say|tell|show|report)| is there)?{_OF_IT}?(?P<what>)"),
        ("authors", r"(?:who (?:is|are|was|were) |what about )?(?:the|its|their) (?:first )?authors?(?P<what>)"),
        (
            "authors",
            r"who (?:found|did|showed|discovered|proposed|invented|reported)(?: (?:it|this|that))(?: out)?(?P<what>)",
        ),
        ("count", r"how many (?:co-?)?authors (?:(?:does|did) (?:it|this|that) have|has (?:it|this|that))(?P<what>)"),
        ("year", r"(?:in |from )?(?:which|what) year(?: is it from| is (?:it|that)| was (?:it|that))?(?P<what>)"),
        ("year", r"when(?: (?:is|was) (?:it|this|that))?(?: from)?(?P<what>)"),
        ("venue", rf"(?:in |at )?(?:which|what) {_VENUE}(?: is it in| is (?:it|that)| was (?:it|that))?(?P<what>)"),
        ("doi", r"(?:what(?:['\u2019]s| is) )?(?:its|the) doi(?P<what>)"),
        ("link", r"(?:what(?:['\u2019]s| is) )?its (?:url|link)(?P<what>)"),
    )
)
_POINTING = re.compile(rf"(?:it|this|that|(?:(?:this|that|the|original) )*{_PAPER})", re.IGNORECASE)
# What tells one work from others: a name, a number or a quotation, if nothing says that it is a paper.
_NAMED = re.compile(r"[A-Z\d\"\u201c\u2018]")
_IS_WORK = re.compile(_HEAD, re.IGNORECASE)
_ORDINAL = re.compile(
    r"(?:first|second|third|last|next|other|same|best|new|newest|oldest|latest|most|more|all|both|many|any|some|one)\b",
    re.IGNORECASE,
)
_TWO_PARTS = re.compile(r"[?;] |\b(?:and|or),? (?:when|where|what|who|how|why|in which|which)\b", re.IGNORECASE)
_LONGEST = 300  # characters of such a question
_FRAME = re.compile(
    rf"^(?:the |this |that )?(?:original |first |famous )?(?:{_PAPER} )?(?:(?:called|titled|entitled|named|on|about|of|"
    rf"introducing|describing|presenting|(?:that|which) (?:introduced|introduces|describes|presents)) )?(?:the )?",
    re.IGNORECASE,
)
_LAST = re.compile(rf" {_PAPER}$", re.IGNORECASE)
_LACKING = {
    "abstract": "no abstract",
    "authors": "no authors",
    "count": "no authors",
    "year": "no year",
    "venue": "no journal or conference",
    "link": "no link",
    "doi": "no DOI",
    "arXiv id": "no arXiv id",
    "PMID": "no PMID",
}
_MOST_WORDS = 10
_MOST_AUTHORS = 20
_MOST_PAPERS = 5


@dataclass(frozen=True, slots=True)
class RecordQuestion:
    """Asks for a `field` of the record of the paper that `matter` describes; or of the one spoken of before."""

    field: str
    matter: str


def parse_record_question(question: str) -> RecordQuestion | None:
    """What `question` asks of a paper's record; None if it asks for something else."""
    question = " ".join(question.split())
    for field, form in _FORMS if len(question) <= _LONGEST else ():
        if found := form.match(question):
            return _asked(field, found["what"].strip(" ?.!"))
    return None


def _asked(field: str, what: str) -> RecordQuestion | None:
    if not what or _POINTING.fullmatch(what):
        return RecordQuestion(field, "")
    if _TWO_PARTS.search(what) or not (_NAMED.search(what) or _IS_WORK.fullmatch(what)):
        return None
    matter = _LAST.sub("", _FRAME.sub("", what)).strip("\"'\u201c\u201d\u2018\u2019 ")
    # What takes more words describes a paper, and is for the search to find.
    fits = 0 < len(content_terms(matter)) <= _MOST_WORDS and not _ORDINAL.match(matter)
    return RecordQuestion(field, matter) if fits else None


def papers_meant(matter: str, hits: Sequence[Hit]) -> dict[int, bool]:
    """The ids of the papers that `matter` describes, the best first, and whether their titles say so.

    Those are meant whose titles hold all its words, and one that introduces it, or is by who is called so: to be spoken
    of in a paper is not enough.
    """
    words = set(content_terms(matter))
    titled = {hit.paper_id: words <= set(content_terms(hit.title)) for hit in hits}
    introduced = {hit.paper_id: _introduces(matter, hit) for hit in hits}
    best = max(introduced, key=lambda paper_id: introduced[paper_id], default=None)
    meant = [i for i in titled if titled[i] or (i == best and introduced[i])]
    return {paper_id: titled[paper_id] for paper_id in meant[:_MOST_PAPERS]}


def _introduces(matter: str, hit: Hit) -> float:
    by = set(content_terms(matter)) <= set(content_terms(hit.byline))
    return (
        1.0
        if by
        else max((defines(matter, one.sentence.text, one.sentence.index) for one in hit.sentences), default=0.0)
    )


def told(asked: RecordQuestion, entry: CatalogPaper, *, spoken_of: str = "") -> str:
    """The answer in words for one paper; `spoken_of` is what it was found for, if its title does not say that."""
    paper = entry.paper
    which = f"\u201c{paper.title or entry.key}\u201d"
    if spoken_of:
        which += f", the paper found for \u201c{spoken_of}\u201d,"
    year = f" ({paper.year})" if paper.year else ""
    match asked.field:
        case "authors" if paper.authors:
            return _ended(f"{which} is by {_names(paper)}{year}")
        case "count" if paper.authors:
            return _ended(f"{which} has {_how_many(paper)} in its record: {_names(paper)}{year}")
        case "abstract" if paper.abstract:
            # All that is held of it, in a paragraph of its own.
            return f"The abstract of {which.rstrip(',')}{year}:\n\n\u201c{' '.join(paper.abstract.split())}\u201d"
        case "year" if paper.year:
            return f"{which} is from {paper.year}."
        case "venue" if paper.venue:
            return f"{which} appeared in {paper.venue}{year}."
        case "link" if link := link_of(paper):
            return f"{which} is at {link}."
        case "doi" | "arXiv id" | "PMID" if value := _ids(paper)[asked.field]:
            return f"{which} has the {asked.field.replace('doi', 'DOI')} {value}."
    return f"The record of {which.rstrip(',')} tells {_LACKING[asked.field]}."


def _ended(sentence: str) -> str:
    """With one full stop: "et al." has its own."""
    return f"{sentence.rstrip('.')}."


def _ids(paper: Paper) -> dict[str, str]:
    return {"doi": paper.doi, "arXiv id": paper.arxiv_id, "PMID": paper.pmid}


def _how_many(paper: Paper) -> str:
    count = len(paper.authors)
    if paper.authors[-1].lower().startswith("et al"):
        return f"more than {count - 1} author{'s' * (count != 2)}"
    return f"{count} author{'s' * (count != 1)}"


def _names(paper: Paper) -> str:
    *names, last = paper.authors
    if last.lower().startswith("et al"):
        return f"{', '.join(names)} {last}".strip()
    if len(paper.authors) > _MOST_AUTHORS:
        more = len(paper.authors) - _MOST_AUTHORS
        return f"{', '.join(paper.authors[:_MOST_AUTHORS])} and {more} more"
    return f"{', '.join(names)} and {last}" if names else last
