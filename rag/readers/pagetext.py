"""The text of a paper-listing web page, selected and copied whole: page furniture, then titles and abstracts.

Two variants occur: with blank lines between all paragraphs, and without. A page knows no markup, so a line's role
follows from its shape: an abstract is a long line of prose, and its title is the line right before it. Lines that
are neither (buttons, dates, bylines, vote counts) are furniture and are dropped; a long line without a title of
its own goes on with the abstract before it.
"""

import re
from collections.abc import Iterable, Iterator

from rag.records import Paper, Skipped

_PROSE_CHARS = 200
_SHORT_PROSE_CHARS = 80
_TITLE_CHARS = 300
# A button glued to the first title when the page is copied, with nothing between: "SubscribeSolitons near ...".
_GLUED_BUTTON = re.compile(r"^Subscribe(?=[A-Z0-9(\"“‘'$*\[])")
_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|january|february|march|april|june|july|august|september"
    r"|october|november|december)"
)
# Whole lines only, and narrow: a line taken for furniture by mistake would cost a paper its title.
_FURNITURE = re.compile(
    rf"""^(?:
        new | subscribe | (?:up)?vote | share | search | log\ ?in | sign\ ?up | menu | (?:daily|trending)?\ ?papers
        | view\ (?:pdf|abstract|paper|arxiv(?:\ page)?) | pdf | abstract | arxiv(?:\ page)? | github(?:\ [\d.,]+k?)?
        | get\ trending\ papers\ in\ your\b.* | submitted\ by\b.{{0,40}} | published\ on\b.{{0,20}}\d.{{0,10}}
        | by\ ?\S{{1,30}}\ and\ the\ research\ community
        | [-–•·|]+ | [\d.,]+\s?k? | [-–•·]?\ ?[\d.,]+\ (?:authors?|comments?|upvotes?|likes?)
        | (?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\ )?{_MONTH}\.?\ \d{{1,2}}(?:,?\ \d{{4}})?
        | \d{{1,2}}\ {_MONTH}\.?(?:\ \d{{4}})? | \d{{4}}-\d{{2}}-\d{{2}} | \d+\ (?:hour|day|week|month)s?\ ago
    )$""",
    re.IGNORECASE | re.VERBOSE,
)


# JSON, BibTeX, HTML or XML, PDF, RIS, MEDLINE, tables: other formats, whose lines must not pass for titles.
_MARKUP = re.compile(
    r"\s*(?:[\[{<]|@\w+\s*[{(]|%PDF|TY  - |PMID- |\"?\w+\"?(?:[,;\t]\"?[\w ]+\"?)*[,;\t]\"?(?:title|abstract)\b)",
    re.IGNORECASE,
)


def looks_like(head: str) -> bool:
    """Whether `head`, the start of a file, has a line of prose with a title-like line before it, and no markup."""
    if _MARKUP.match(head):
        return False
    return any(isinstance(item, Paper) for item in read(head.split("\n"), "head"))


def read(lines: Iterable[str], source: str) -> Iterator[Paper | Skipped]:
    """Papers of a copied page in order; a title-like line without an abstract is `Skipped`, with its line number."""
    title: tuple[int, str] | None = None
    abstract: list[str] = []
    for number, raw in enumerate(lines, start=1):
        line = _clean(raw)
        if not line or _FURNITURE.match(line):
            continue
        if _is_prose(line, bool(title) and not abstract):
            if title is None:
                yield Skipped(source, number, "an abstract without a title before it")
                continue
            abstract.append(line)
            continue
        if title is not None:
            yield _finish(title, abstract, source)
        title, abstract = (number, line), []
    if title is not None:
        yield _finish(title, abstract, source)


def _clean(raw: str) -> str:
    line = raw.replace("\u00a0", " ").replace("\ufeff", "").strip()
    return _GLUED_BUTTON.sub("", line)


def _is_prose(line: str, after_title: bool) -> bool:
    if len(line) >= _PROSE_CHARS:
        # A very long title has no sentence end in it.
        return len(line) >= _TITLE_CHARS or bool(re.search(r"[.!?](?:\s|$)", line))
    ends = line.endswith((".", "!", "…", ".)", '."', "。")) or "://" in line[-80:]
    return ends and len(line) >= _SHORT_PROSE_CHARS and (after_title or line.count(". ") >= 1)


def _finish(title: tuple[int, str], abstract: list[str], source: str) -> Paper | Skipped:
    number, text = title
    if not abstract:
        return Skipped(source, number, f"no abstract follows the line {text[:60]!r}")
    return Paper(title=text, abstract="\n\n".join(abstract), source=source)
