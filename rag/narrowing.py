"""A question as it is typed -> the question itself, and the papers that it is asked of. Pure but for the `Library`.

What the records of the papers settle is answered here, without a search: a question that counts or lists papers, one
that is nothing but filters, and one whose filters leave no paper. So are small talk, questions for what no record
holds, and wishes for what cannot be made of an answer. A question about papers that were listed is asked of those.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.collection import collection_told, parse_collection
from rag.filters import combine, condition, lacking_words, parse_filter
from rag.last_answer import about_answer, parse_about_answer, parse_place
from rag.listing import asks_for_all, count_papers
from rag.mentions import Mention, is_called, mentions, without_names
from rag.not_held import not_held_answer, parse_not_held
from rag.record_questions import RecordQuestion, papers_meant, parse_record_question, told
from rag.records import Answer, CatalogPaper, Filter, Hit, Library, Scope
from rag.small_talk import parse_small_talk, small_talk_answer
from rag.spoken import BETWEEN, Spoken, asked_of_them, spoken
from rag.terms import content_terms
from rag.unseen import encodable
from rag.venues import count_in_venue

# Who names so few papers has said what he means, however vague his question is.
_TELLING = 2  # words that carry a subject
_FEW = 20
_TOO_MANY = 2_000  # papers by one name, which tells little then
_OF_RECORDS = re.compile(r"\W*(?:who|whose|when|where)\b", re.IGNORECASE)
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
            return self._few and not _told(self.matter) - _SAYING and not _OF_RECORDS.match(self.matter)
        return self._few and len(_told(self.question)) < _TELLING

    @property
    def hardly_asks(self) -> bool:
        """Whether a question that names few papers asks too little of them to be judged, where they are near.

        Papers that were listed were not named for what they say.
        """
        named = bool(self.matter) and not (self.scope and self.scope.listed_for)
        return self._few and named and len(_told(self.matter)) < _TELLING

    @property
    def _few(self) -> bool:
        return self.scope is not None and self.scope.papers <= _FEW

    @property
    def is_about_papers(self) -> bool:
        """Whether there is nothing to search for: filters alone, or filters that leave no paper."""
        return self.scope is not None and (not self.scope.ids or asks_for_all(self.question))

    @property
    def is_aside(self) -> bool:
        """Whether it is small talk, about the collection, or about an answer: nothing that a next one could lean on."""
        parsers = (parse_small_talk, parse_collection, parse_not_held, parse_about_answer, parse_place)
        return any(parse(self.question) for parse in parsers)


def narrow(typed: str, given: Filter | None, library: Library, without: Collection[int] = ()) -> Asked:
    """Take the filters out of `typed`; those and `given` hold together. The papers `without` count as not there.

    Raises UsageError for a filter that cannot be read.
    """
    typed = encodable(typed.replace(BETWEEN, " ").strip())
    question, chosen = parse_filter(typed)
    scope = library.scope(combine(chosen, given or Filter()))
    if scope:
        scope = replace(scope, ids=scope.ids.difference(without))
    return Asked(typed, question, scope)


def narrow_to_listed(
    asked: Asked, subject: str, library: Library, without: Collection[int], follows: bool | None = None
) -> Asked:
    """`asked` of the papers that were listed before it, if it speaks of them or is said to follow; else as it is."""
    question = spoken(subject).papers
    if not question or follows is False or (asked.scope and asked.scope.listed_for):
        return asked
    about = parse_record_question(asked.question)
    of_one = about is not None and not about.matter
    follows = follows and not spoken(subject).matter
    if not (of_one or follows or asked_of_them(asked.question, 1)):
        return asked  # Without a look at all papers.
    listed = listed_before(question, library, without)
    ids = frozenset(entry.id for entry in listed)
    if asked.within is not None:
        ids &= asked.within
    of_one = of_one and len(listed) == 1
    said = asked_of_them(asked.question, len(listed)) or (asked.question if of_one or follows else "")
    if not (ids and said):
        return asked
    scope = asked.scope or Scope(Filter(), ids, sum(library.years().values()))
    return replace(asked, question=said, scope=replace(scope, ids=ids, listed_for=question), matter=said)


def listed_before(question: str, library: Library, without: Collection[int] = ()) -> tuple[CatalogPaper, ...]:
    """The papers that `question` lists, not counting those of the whole collection; none where it lists none."""
    asked = narrow(question, None, library, without)
    answer = answer_from_records(asked, library, without, "")
    return answer.listed or () if answer and spoken(answer.subject).papers else ()


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
    if listing and not (scope and not scope.ids) and (words := _in_words(asked.question)):
        # Unlike small talk, it may have been meant for the papers.
        return replace(_answer(asked, words, (), asked.question, subject), talk=True)
    if scope and not scope.ids:
        told = _with_lacking(f"No paper of the collection is {condition(scope.filter)}.", scope)
        typed = asked.question != asked.typed
        return _answer(asked, f"{told} {_LITERALLY}" if typed else told, None, "", subject)
    if scope and asked.is_about_papers and (listing or not asked.question):
        papers = tuple(_visible(library, asked, without))
        which = " ".join(filter(None, [condition(scope.filter), _listed_for(scope)]))
        told = f"{len(papers)} paper{'s' * (len(papers) != 1)} {which}."
        after = subject if scope.listed_for else _after_listing(asked, papers, subject)
        return _answer(asked, _with_lacking(told, scope), papers, "", after)
    counts = (collection_told, count_papers, count_in_venue) if listing else ()
    for count in counts:
        if not (counted := count(asked.question, lambda: _visible(library, asked, without))):
            continue
        text, papers = counted
        # The whole collection, and its oldest papers, are no choice of what to speak of.
        chosen = not (parse_collection(asked.question) or (scope is None and asks_for_all(asked.question)))
        after = _after_listing(asked, papers, subject) if chosen else subject
        return _answer(asked, _with_lacking(text, scope) if scope else text, papers, asked.question, after)
    return None


def _in_words(question: str) -> str:
    """What can only be told in words; empty where `question` asks for something else."""
    if lacking := parse_not_held(question):
        return not_held_answer(lacking)
    wanted = parse_about_answer(question)
    return about_answer(wanted) if wanted else ""


def _after_listing(asked: Asked, papers: Collection[CatalogPaper], subject: str) -> str:
    return str(Spoken(spoken(subject).matter, asked.typed)) if papers else subject


def _listed_for(scope: Scope) -> str:
    return f"listed for \u201c{scope.listed_for}\u201d" if scope.listed_for else ""


def answer_from_place(asked: Asked, question: str, papers: Sequence[int], index: int, library: Library) -> Answer:
    """The abstract of one of the `papers` that answer `question`: "the second one". The next may lean on its title."""
    (entry,) = library.search_titles(within=[papers[index]])
    which = f"Paper {index + 1} of the {len(papers)} that answer \u201c{question}\u201d. "
    text = which + told(RecordQuestion("abstract", ""), entry)
    answer = _answer(asked, text, (entry,), asked.question, str(Spoken(entry.paper.title or entry.key, question)))
    return replace(answer, recorded=True)


def unclear(asked: Asked, subject: str) -> Answer:
    """The answer to a question about a paper that cannot be told."""
    return replace(_answer(asked, about_answer("which"), (), asked.question, subject), talk=True)


def answer_from_record(
    asked: Asked, about: RecordQuestion, hits: Sequence[Hit], library: Library, subject: str
) -> Answer | None:
    """The answer that the record of a paper among `hits` gives, or None where none of them is meant."""
    meant = papers_meant(about.matter, hits) if about.matter else {hit.paper_id: False for hit in hits[:1]}
    if not meant:
        return None
    matter = about.matter or spoken(subject).matter
    entries = {entry.id: entry for entry in library.search_titles(within=meant)}
    between = "\n\n" if about.field == "abstract" else " "
    # What was listed needs no telling that it is meant.
    sure = not about.matter and asked.scope is not None and bool(asked.scope.listed_for)
    text = between.join(
        told(about, entries[i], spoken_of="" if titled or sure or matter == entries[i].paper.title else matter)
        for i, titled in meant.items()
    )
    after = matter if about.matter else subject
    answer = _answer(asked, text, tuple(entries[i] for i in meant), asked.question, after)
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
