"""Questions about a paper that its record answers: its authors, how many, when and where it appeared, its link. Pure.

Abstracts do not tell these, so the search for evidence would refuse. Which paper is meant is left to a search for what
the question says of it; then its words must stand in the title or the text of that paper.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.identity import link_of
from rag.records import CatalogPaper, Hit, Paper
from rag.terms import content_terms

_PAPER = r"(?:paper|article|study|work|preprint|abstract|publication|letter|report|review|survey|thesis)"
_WHAT = r"(?P<what>.+?)"
# Of a drug, a symptom and a link between two things other things may be asked: then a paper has to be spoken of.
_WORK = rf"(?P<what>(?=.*\b{_PAPER}\b|[\"\u201c\u2018]).+?)"
_OUT = r"(?:published|written)"
_OTHERWISE = r"(?:posted|released|submitted|printed|presented|appear|come out)"
_VENUE = r"(?:journal|conference|venue|proceedings)"
_FORMS = tuple(
    (field, re.compile(rf"^\W*(?:(?:please|and|but|so|then|also),? )*{form}\W*$", re.IGNORECASE))
    for field, form in (
        ("authors", rf"who (?:wrote|authored|co-?authored) (?!about|on|that|of|in){_WHAT}"),
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
        ("link", rf"what(?:['\u2019]s| is) the (?:doi|arxiv (?:id|number)|pmid) (?:of|for) {_WHAT}"),
        ("link", rf"what(?:['\u2019]s| is) the (?:url|link|address) (?:of|for|to) {_WORK}"),
        # Of the paper spoken of before.
        ("authors", r"(?:who (?:is|are|was|were) |what about )?(?:the|its|their) (?:first )?authors?(?P<what>)"),
        ("count", r"how many (?:co-?)?authors (?:(?:does|did) (?:it|this|that) have|has (?:it|this|that))(?P<what>)"),
        ("year", r"(?:in |from )?(?:which|what) year(?: is it from| is (?:it|that)| was (?:it|that))?(?P<what>)"),
        ("venue", rf"(?:in |at )?(?:which|what) {_VENUE}(?: is it in| is (?:it|that)| was (?:it|that))?(?P<what>)"),
        ("link", r"what(?:['\u2019]s| is) its (?:doi|url|link|arxiv (?:id|number)|pmid)(?P<what>)"),
    )
)
_POINTING = re.compile(rf"(?:it|this|that|(?:this|that|the) {_PAPER})", re.IGNORECASE)
_LONGEST = 300  # characters of such a question
_FRAME = re.compile(
    rf"^(?:the |this |that )?(?:original |first |famous )?(?:{_PAPER} )?(?:(?:called|titled|entitled|named|on|about|of|"
    rf"introducing|describing|presenting|(?:that|which) (?:introduced|introduces|describes|presents)) )?(?:the )?",
    re.IGNORECASE,
)
_LAST = re.compile(rf" {_PAPER}$", re.IGNORECASE)
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
            what = found["what"].strip(" ?.!")
            if not what or _POINTING.fullmatch(what):
                return RecordQuestion(field, "")
            matter = _LAST.sub("", _FRAME.sub("", what)).strip("\"'\u201c\u201d\u2018\u2019 ")
            # What takes more words describes a paper, and is for the search to find.
            return RecordQuestion(field, matter) if 0 < len(content_terms(matter)) <= _MOST_WORDS else None
    return None


def papers_meant(matter: str, hits: Sequence[Hit]) -> dict[int, bool]:
    """The ids of the papers that `matter` describes, the best first, and whether their titles say so.

    Those are meant whose titles hold all its words, and the best one whose text does.
    """
    words = set(content_terms(matter))
    titled = {hit.paper_id: words <= set(content_terms(hit.title)) for hit in hits}
    held = next((hit.paper_id for hit in hits if words <= set(content_terms(_text(hit)))), None)
    meant = [hit.paper_id for hit in hits if titled[hit.paper_id] or hit.paper_id == held]
    return {paper_id: titled[paper_id] for paper_id in meant[:_MOST_PAPERS]}


def _text(hit: Hit) -> str:
    return ". ".join([hit.title, *(scored.sentence.text for scored in hit.sentences)])


def told(asked: RecordQuestion, entry: CatalogPaper, *, titled: bool) -> str:
    """The answer in words for one paper; where its title does not say that it is meant, that is told."""
    paper = entry.paper
    which = f"\u201c{paper.title or entry.key}\u201d"
    if asked.matter and not titled:
        which += f", the nearest paper to \u201c{asked.matter}\u201d,"
    year = f" ({paper.year})" if paper.year else ""
    match asked.field:
        case "authors" if paper.authors:
            return f"{which} is by {_names(paper)}{year}."
        case "count" if paper.authors:
            return f"{which} has {_how_many(paper)} in its record: {_names(paper)}{year}."
        case "year" if paper.year:
            return f"{which} is from {paper.year}."
        case "venue" if paper.venue:
            return f"{which} appeared in {paper.venue}{year}."
        case "link" if link := link_of(paper):
            return f"{which} is at {link}."
    lacking = {"year": "no year", "venue": "no journal or conference", "link": "no link"}
    return f"The record of {which.rstrip(',')} tells {lacking.get(asked.field, 'no authors')}."


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
