"""Questions that count or list the papers of a journal or conference, of some years if they say so. Pure.

"Which papers appeared in Science?", "How many Nature papers are from 1998?" A journal is meant only where some paper
of the collection is from it: "Which papers appeared in mice?" is for the search.
"""

import re
from collections.abc import Callable, Collection, Iterable

from rag.listing import Listing, asked_years
from rag.matching import column_tests
from rag.records import CatalogPaper, Filter

_LONGEST = 200  # characters of such a question
_MOST_WORDS = 16  # of the name of a journal
_TOLD = 3  # journals that are told by their names
_PAPERS = r"(?:papers|articles|publications|titles)"
_ASKS = r"(?:how many|count|number of|(?:list|show|find|name|give)(?: me)?|which|what)"
_ALL = r"(?:(?:all|every|the|my|your|of) ){0,3}"
_SAID = r"(?:published|printed|appeared|appearing|came out|presented)"
_WHERE = r"(?:the )?(?:(?:journal|conference|magazine|proceedings of) )?"
_BEGIN = rf"^(?:please )?(?:{_ASKS} )?{_ALL}"
_LINK = r"(?:(?:are|were|have been|there are|are there|that|which) ){0,3}"
_FORMS = tuple(
    (re.compile(form, re.IGNORECASE), exact)
    for form, exact in (
        (rf"{_BEGIN}{_PAPERS} {_LINK}{_SAID} (?:in|at|by) {_WHERE}(?P<venue>\S.*)$", False),
        (rf"{_BEGIN}{_PAPERS} {_LINK}(?:in|from|at) the (?:journal|conference|magazine) (?P<venue>\S.*)$", False),
        # Without a word for it, only what is written as the name of a journal is one.
        (rf"{_BEGIN}{_PAPERS} {_LINK}(?:in|from|at) (?P<venue>\S.*)$", True),
        (rf"{_BEGIN}(?P<venue>\S.*?) {_PAPERS}(?: (?:are|were) there| do you have)?$", True),
    )
)
# The years of "... in Nature since 1998" and "... Nature papers are from 1998".
_YEARS = re.compile(
    r",? (?P<years>(?:(?:that |which )?(?:are|were) )?(?:(?:published|appeared) )?"
    r"(?:in|from|since|after|before|until|up to|between) (?:the year )?\d{4}(?: ?(?:-|\u2013|and|to) ?\d{4})?)$",
    re.IGNORECASE,
)


def count_in_venue(
    question: str, papers: Callable[[], Iterable[CatalogPaper]]
) -> tuple[str, tuple[CatalogPaper, ...]] | None:
    """What was counted, in words, and the papers of the journal or conference that `question` asks for.

    None where it asks for something else, or names none that a paper is from.
    """
    question = " ".join(question.split()).rstrip(" .?!")
    if len(question) > _LONGEST:
        return None
    tail = _YEARS.search(question)
    years = asked_years(tail["years"]) if tail else None
    asked = question[: tail.start()] if tail and years else question
    named = [(found["venue"], exact) for form, exact in _FORMS if (found := form.match(asked))]
    named = [(name.strip(" \"'\u201c\u201d\u2018\u2019"), exact) for name, exact in named]
    # Before all papers are looked at: the name of a journal is not all small letters.
    named = [
        (name, exact) for name, exact in named if len(name.split()) <= _MOST_WORDS and _could_be(name, exact=exact)
    ]
    if not named:
        return None
    entries = tuple(papers())
    known = {entry.paper.venue for entry in entries if entry.paper.venue}
    for name, exact in named:
        if venues := _meant(name, known, exact=exact):
            return _counted(name, venues, years, entries)
    return None


def _could_be(name: str, *, exact: bool) -> bool:
    return not name.islower() if exact else bool(re.search(r"[^\W_]", name))


def _meant(name: str, known: Collection[str], *, exact: bool) -> set[str]:
    """The journals that `name` means: of that name, or else with its words in theirs."""
    if exact:
        return {name} & set(known)
    for names in ([name], re.split(r",? or |, ", name)):
        tests = [column_tests(Filter(venues=(one,)))["venue"] for one in names]
        whole = [{venue for venue in known if venue.casefold() == one.casefold()} for one in names]
        found = [same or {v for v in known if test(v)} for same, test in zip(whole, tests, strict=True)]
        if all(found):
            return set().union(*found)
    return set()


def _counted(
    name: str, venues: Collection[str], years: tuple[int, int] | None, entries: Iterable[CatalogPaper]
) -> tuple[str, tuple[CatalogPaper, ...]]:
    of_venue = [entry for entry in entries if entry.paper.venue in venues]
    silent = sum(entry.paper.year is None for entry in of_venue) if years else 0
    listed = tuple(
        entry
        for entry in of_venue
        if years is None or (entry.paper.year is not None and years[0] <= entry.paper.year <= years[1])
    )
    # They are told by their whole names, or one that only has the word in it would be taken for the one asked for.
    few = len(venues) <= _TOLD
    where = (
        f"in {' or '.join(sorted(venues))}"
        if few
        else f"in {len(venues)} journals or conferences for \u201c{name}\u201d"
    )
    papers = f"{len(listed) or 'No'} paper{'s' * (len(listed) != 1)} {where}"
    when = f", {Listing('year', years=years).condition}" if years else ""
    left = f" {silent} paper{'s' * (silent != 1)} there without year could not be looked at." if silent else ""
    return f"{papers}{when}.{left}", listed
