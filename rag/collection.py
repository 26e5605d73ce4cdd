"""Questions about the whole collection: what is in it, its oldest and newest papers -> told from the records. Pure.

Only whole questions of a closed list are understood. No record tells what a paper is about: for "main topics?" there
are journals, categories of arXiv, and titles.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from rag.records import CatalogPaper
from rag.small_talk import years_told

_LONGEST = 100  # characters of such a question
_SHOWN = 5  # oldest or newest papers, journals, categories
_PAPERS = r"(?:papers|articles|publications|abstracts|titles|documents)"
_ANY = r"(?:papers?|articles?|publications?|abstracts|titles|documents)"
_WHOSE = r"(?:the|this|my|your|our)"
_HERE = rf"(?:{_WHOSE} (?:paper )?(?:collection|index|library|catalog|catalogue|database)(?: of papers)?)"
_IN = rf"(?: (?:in|of|here in) {_HERE}| here| (?:that )?(?:do )?you have| there are| indexed(?: here)?)?"
_TOPICS = r"(?:(?:main|major|key|common|general|most common) )?(?:topics|subjects|themes|subject areas)"
_ENDS = r"(?P<end>oldest|earliest|newest|latest|most recent)"
_ORDER = r"(?:by|in order of|sorted by|ordered by|alphabetically by)"
_KEY = r"(?P<key>title|titles|name|year|years|date)"
_GIVE = r"(?:list|show|give|show me|give me|name)"
_OVERVIEW = (
    rf"(?:what|which) {_PAPERS} (?:do you have|have you(?: got)?|do you know|are there|are here|are indexed(?: here)?)",
    rf"(?:what|which) {_PAPERS} (?:are|can i find) (?:in|part of) {_HERE}",
    rf"(?:what|which) {_PAPERS} does {_HERE} (?:have|hold|contain|include)",
    rf"(?:please |can you |could you )?(?:summari[sz]e|describe|give (?:me )?an? (?:overview|summary) of) {_HERE}",
    rf"(?:an? )?(?:overview|summary) of {_HERE}",
    rf"what is (?:in|inside) {_HERE}(?: about)?",
    rf"what is {_HERE}(?: about| on)?",
    rf"what (?:does|do) {_HERE} (?:contain|cover|hold|have|include)",
    rf"what (?:are|is) (?:all )?(?:the |my |your |our )?{_PAPERS} (?:in|of) {_HERE} about",
    rf"what are (?:my|your|our) {_PAPERS} about",
    rf"(?:what are )?(?:the |your )?{_TOPICS}(?: (?:in|of|covered (?:in|by)) {_HERE})?",
    rf"(?:what|which) {_TOPICS} (?:are covered(?: here| (?:in|by) {_HERE})?|do you cover|does {_HERE} cover)",
    rf"(?:what|which) {_TOPICS} are (?:there|in {_HERE})",
)
_EXTREMES = (
    rf"(?:(?:what|which) (?:is|are|was|were) |(?:please )?{_GIVE} )?(?:{_WHOSE} )?(?:(?:five|5) )?{_ENDS} {_ANY}{_IN}",
    rf"(?:what|which) {_ANY}{_IN} (?:is|are) (?:the )?{_ENDS}",
)
_SORTED = (
    rf"(?:please )?(?:{_GIVE}|sort|order) (?:all )?(?:of )?(?:{_WHOSE} )?{_PAPERS}{_IN} {_ORDER} {_KEY}",
    rf"(?:please )?(?:{_GIVE}|sort|order) (?:all )?(?:{_WHOSE} )?{_PAPERS} (?P<key>alphabetically|chronologically)",
    rf"(?:please )?{_GIVE} (?:{_WHOSE} )?{_PAPERS} in {_HERE}",
    rf"(?:please )?{_GIVE} (?:my |your |our )?{_PAPERS}",
)


def _compiled(forms: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(form) for form in forms)


_FORMS = {"overview": _compiled(_OVERVIEW), "extremes": _compiled(_EXTREMES), "sorted": _compiled(_SORTED)}
_BY_YEAR = ("year", "years", "date", "chronologically")


def parse_collection(question: str) -> str | None:
    """What is asked of the collection: overview, oldest, newest, by title or by year; None for anything else."""
    if len(question) > _LONGEST:
        return None
    said = re.sub(r"(?<=what)['\u2019]s\b", " is", " ".join(question.casefold().split()))
    said = re.sub(r",", "", said).strip(" .?!")
    for kind, forms in _FORMS.items():
        if found := next(filter(None, (form.fullmatch(said) for form in forms)), None):
            if kind == "extremes":
                return "oldest" if found["end"] in ("oldest", "earliest") else "newest"
            if kind == "sorted":
                return "by year" if found.groupdict().get("key") in _BY_YEAR else "by title"
            return kind
    return None


def collection_told(
    question: str, papers: Callable[[], Iterable[CatalogPaper]]
) -> tuple[str, tuple[CatalogPaper, ...]] | None:
    """What the records tell of the collection, in words, and its papers; of the oldest and newest at most five.

    None where `question` asks for something else. `papers` come by title.
    """
    kind = parse_collection(question)
    if kind is None:
        return None
    entries = tuple(papers())
    if kind in ("oldest", "newest"):
        return _extremes(kind, entries)
    listed, told = entries, overview(entries)
    if kind == "overview" and entries:
        told += " What each is about, its title tells."
    if kind == "by year":
        # The order of titles stays within a year; those without stand last.
        listed = tuple(sorted(entries, key=lambda entry: (entry.paper.year is None, entry.paper.year or 0)))
    return told, listed


def overview(papers: Sequence[CatalogPaper]) -> str:
    """How many papers there are, from when, and where most of them appeared, in a few sentences."""
    known = [entry.paper.year for entry in papers if entry.paper.year is not None]
    count = len(papers)
    told = [f"{count or 'No'} paper{'s' * (count != 1)}{years_told(known)}.", _without_year(count - len(known))]
    told.append(_commonest("journals and conferences", Counter(e.paper.venue for e in papers if e.paper.venue)))
    of_arxiv = Counter(category for entry in papers for category in entry.paper.categories)
    told.append(_commonest("arXiv categories", of_arxiv))
    return " ".join(filter(None, told))


def _commonest(what: str, counted: Counter[str]) -> str:
    if not counted:
        return ""
    # By name where equally many are in them, or the order of the papers would tell.
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) > _SHOWN and ordered[0][1] == 1:
        return f"They are from {len(ordered)} {what}, one from each."
    first = ", ".join(f"{name} ({times})" for name, times in ordered[:_SHOWN])
    return f"The commonest of {len(ordered)} {what}: {first}." if len(ordered) > _SHOWN else f"Its {what}: {first}."


def _without_year(silent: int) -> str:
    return f"{silent} of them {'tells' if silent == 1 else 'tell'} no year." if silent else ""


def _extremes(kind: str, papers: Sequence[CatalogPaper]) -> tuple[str, tuple[CatalogPaper, ...]]:
    known = [entry for entry in papers if entry.paper.year is not None]
    sign = 1 if kind == "oldest" else -1
    listed = tuple(sorted(known, key=lambda entry: sign * (entry.paper.year or 0))[:_SHOWN])
    if not listed:
        return "No paper of the collection tells its year.", ()
    count, silent = len(papers), len(papers) - len(known)
    which = f"The {len(listed)} {kind} of {count} papers" if len(listed) > 1 else f"The {kind} of {count} papers"
    lacking = f" {silent} paper{'s' * (silent != 1)} without year in the catalog could not be looked at."
    return f"{which}, the {kind} first." + (lacking if silent else ""), listed
