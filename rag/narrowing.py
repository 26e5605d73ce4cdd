"""A question as it is typed -> the question itself, and the papers that it is asked of. Pure but for the `Library`.

What the records of the papers settle is answered here, without a search: a question that counts or lists papers, one
that is nothing but filters, and one whose filters leave no paper. So is small talk.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.collection import collection_told, parse_collection
from rag.filters import combine, condition, lacking_words, parse_filter
from rag.listing import asks_for_all, count_papers
from rag.mentions import Mention, is_called, mentions, without_names
from rag.record_questions import RecordQuestion, papers_meant, told
from rag.records import Answer, CatalogPaper, Filter, Hit, Library, Scope
from rag.small_talk import parse_small_talk, small_talk_answer
from rag.terms import content_terms
from rag.unseen import encodable
from rag.venues import count_in_venue

# Who names so few papers has said what he means, however vague his question is.
_TELLING = 2  # words that carry a subject
_FEW = 20
_TOO_MANY = 2_000  # papers by one name, which tells little then
_SAYING = frozenset(
    content_terms(
        "find found show say propose report argue claim conclude suggest introduce develop discover achieve "
        "demonstrate describe present contribute contribution recommend study work paper result finding conclusion "
        "main observe design build invent create make write publish measure test examine investigate learn"
    )
)
_AUTHORS = frozenset(content_terms("the authors"))
_END = re.compile(r"(?<=[?!])\s+(?=\S)")
_ASIDE = range(1, 201)  # ids of the papers that examples are made of: all would have to be read
_LITERALLY = 'To search for the words themselves, put the filter in quotation marks, as in: "year:2020".'


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was `typed`, what is left of it without its filters, and its papers; all without a `scope`.

    `matter` is what it asks of its papers, where it names them otherwise than by filters.
    """

    typed: str
    question: str
    scope: Scope | None = None
    matter: str = ""

    @property
    def within(self) -> frozenset[int] | None:
        """The ids of the papers that the question is asked of; None for all."""
        return self.scope.ids if self.scope else None

    @property
    def only_points(self) -> bool:
        """Whether the filters say which few papers are meant, and the question has no subject of its own to be near to.

        "What was found? author:Farman" is a fair question; "How do I bake bread? author:Farman" stays a strange one.
        """
        if self.matter:
            return self._few and not _told(self.matter) - _SAYING
        return self._few and len(_told(self.question)) < _TELLING

    @property
    def hardly_asks(self) -> bool:
        """Whether a question that names few papers asks too little of them to be judged, where they are near."""
        return self._few and bool(self.matter) and len(_told(self.matter)) < _TELLING

    @property
    def _few(self) -> bool:
        return self.scope is not None and self.scope.papers <= _FEW

    @property
    def is_about_papers(self) -> bool:
        """Whether there is nothing to search for: filters alone, or filters that leave no paper."""
        return self.scope is not None and (not self.scope.ids or asks_for_all(self.question))

    @property
    def is_aside(self) -> bool:
        """Whether it is small talk or about the collection: nothing that a next question could lean on."""
        return bool(parse_small_talk(self.question) or parse_collection(self.question))


def narrow(typed: str, given: Filter | None, library: Library, without: Collection[int] = ()) -> Asked:
    """Take the filters out of `typed`; those and `given` hold together. The papers `without` count as not there.

    Raises UsageError for a filter that cannot be read.
    """
    typed = encodable(typed.strip())
    question, chosen = parse_filter(typed)
    scope = library.scope(combine(chosen, given or Filter()))
    if scope:
        scope = replace(scope, ids=scope.ids.difference(without))
    return Asked(typed, question, scope)


def narrow_to_authors(asked: Asked, query: str, library: Library, without: Collection[int] = ()) -> Asked | None:
    """`asked` of the papers by the authors that `query` names, or None where no paper is by any of these.

    A filter by authors is taken for all that was meant. Authors named together are those of one paper if there is one;
    a year is that of their paper, or one beside it, as of a preprint.
    """
    given = asked.scope.filter if asked.scope else Filter()
    query = unicodedata.normalize("NFC", query)
    named = [] if given.authors else mentions(query)
    known: dict[str, dict[int, CatalogPaper]] = {}
    for name in dict.fromkeys(name for one in named for name in one.names):
        scope = library.scope(Filter(authors=(name,)))
        ids = scope.ids.difference(without) if scope else frozenset[int]()
        allowed = ids if asked.within is None else ids & asked.within
        known[name] = _called(name, library, allowed) if len(allowed) <= _TOO_MANY else {}
    meant = [(one, theirs) for one in named if (theirs := _papers_of(one, known))]
    if not meant:
        return None
    authors = tuple(dict.fromkeys(name for one, _ in meant for name in one.names if known[name]))
    papers = frozenset(paper for _, theirs in meant for paper in theirs)
    of = [entry.paper.year or 0 for entries in known.values() for i, entry in entries.items() if i in papers]
    years = ((min(of), max(of)),) if all(one.year for one, _ in meant) else ()
    scope = library.scope(combine(given, Filter(authors=authors, years=years)))
    matter = _telling_part(without_names(query, [one for one, _ in meant]))
    return replace(asked, scope=replace(scope, ids=papers), matter=matter) if scope else None


def _called(name: str, library: Library, ids: Collection[int]) -> dict[int, CatalogPaper]:
    entries = library.search_titles(within=ids) if ids else ()
    return {entry.id: entry for entry in entries if any(is_called(name, author) for author in entry.paper.authors)}


def _papers_of(named: Mention, known: Mapping[str, Mapping[int, CatalogPaper]]) -> set[int]:
    """Papers by all of those named, or if there is none by any; where a year is told, of about that year."""
    papers = {i: entry for name in named.names for i, entry in known[name].items()}
    near = {
        i
        for i, entry in papers.items()
        if named.year is None or (entry.paper.year and abs(entry.paper.year - named.year) <= 1)
    }
    return near.intersection(*(known[name] for name in named.names)) or near


def _telling_part(matter: str) -> str:
    """The last question of `matter` with what before it tells more than whose work is meant."""
    *before, last = _END.split(matter)
    return " ".join([*(one for one in before if len(_told(one)) >= _TELLING), last])


def _told(matter: str) -> set[str]:
    return {*content_terms(matter)} - _AUTHORS


def answer_from_records(
    asked: Asked, library: Library, without: Collection[int], subject: str, *, listing: bool = True
) -> Answer | None:
    """The answer that needs no search, or None. Without `listing`, nothing that can be searched for is counted.

    `subject` is what the question could have leant on: the next one can still.
    """
    scope = asked.scope
    if listing and not scope and (kind := parse_small_talk(asked.question, alone=not subject)):
        some = [entry for entry in library.search_titles(within=_ASIDE) if entry.id not in without]
        text = small_talk_answer(kind, library.years(without), some)
        return replace(_answer(asked, text, (), "", subject), talk=True)
    if scope and not scope.ids:
        told = _with_lacking(f"No paper of the collection is {condition(scope.filter)}.", scope)
        typed = asked.question != asked.typed
        return _answer(asked, f"{told} {_LITERALLY}" if typed else told, None, "", subject)
    if scope and asked.is_about_papers and (listing or not asked.question):
        papers = tuple(_visible(library, asked, without))
        told = f"{len(papers)} paper{'s' * (len(papers) != 1)} {condition(scope.filter)}."
        return _answer(asked, _with_lacking(told, scope), papers, "", subject)
    counts = (collection_told, count_papers, count_in_venue) if listing else ()
    for count in counts:
        if not (counted := count(asked.question, lambda: _visible(library, asked, without))):
            continue
        text, papers = counted
        return _answer(asked, _with_lacking(text, scope) if scope else text, papers, asked.question, subject)
    return None


def answer_from_record(
    asked: Asked, about: RecordQuestion, hits: Sequence[Hit], library: Library, subject: str
) -> Answer | None:
    """The answer that the record of a paper among `hits` gives, or None where none of them is meant."""
    meant = papers_meant(about.matter, hits) if about.matter else {hit.paper_id: False for hit in hits[:1]}
    if not meant:
        return None
    matter = about.matter or subject
    entries = {entry.id: entry for entry in library.search_titles(within=meant)}
    text = " ".join(told(about, entries[i], spoken_of="" if titled else matter) for i, titled in meant.items())
    answer = _answer(asked, text, tuple(entries[i] for i in meant), asked.question, matter)
    return replace(answer, recorded=True)


def _visible(library: Library, asked: Asked, without: Collection[int]) -> Iterator[CatalogPaper]:
    return (entry for entry in library.search_titles(within=asked.within) if entry.id not in without)


def _with_lacking(told: str, scope: Scope) -> str:
    return " ".join(filter(None, [told, lacking_words(scope.filter, scope.lacking)]))


def _answer(asked: Asked, text: str, listed: tuple[CatalogPaper, ...] | None, query: str, subject: str) -> Answer:
    """Of papers, or with none listed a refusal."""
    sure = 0.0 if listed is None else 1.0
    return Answer(
        question=asked.typed,
        text=text,
        claims=(),
        citations=(),
        hits=(),
        refused=listed is None,
        confidence=sure,
        needed=1.0 - sure,
        dropped=0,
        stopped=False,
        query=query,
        subject=subject,
        prompt_tokens=0,
        generated_tokens=0,
        timings={},
        ranking=tuple((entry.id, 1.0) for entry in listed or ()),
        listed=listed,
        scope=asked.scope,
    )
