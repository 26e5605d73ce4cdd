"""A question -> the papers that it finds, and whether they answer it: one path for answers and for evaluation.

Here the search, follow-ups, authors that are named, the order of who reads papers, and the judge come together. Knows
of no writing; the language model may read papers to put them in order, no more.
"""

import re
from collections.abc import Collection, Generator
from dataclasses import dataclass, replace
from threading import Event

from rag.both_sides import Side, is_written_as_name, paper_on, speaks_of_both
from rag.breadth import asks_for_several, asks_to_compare, matter_of
from rag.clock import Clock
from rag.followup import Resolved, Search, may_lean, refers, resolve, subject_after
from rag.narrowing import Asked, answer_from_record, answer_from_records, narrow, narrow_to_authors
from rag.orders import without_orders
from rag.record_questions import parse_record_question
from rag.records import Answer, Library, Ranking, Retrieval
from rag.refusal import Judge
from rag.rerank import Reranker
from rag.retrieval import Reorder, Retriever
from rag.sides import is_named, sides_of, without_version
from rag.terms import content_terms, normalise
from rag.unknown_names import unknown_names

# Similarity (cosine) from which a question of a word or two may be about the papers that it names (eval/LOG.md).
_NEAR_TO_NAMED = 0.18
_NOWHERE = 0.9999  # rarity of a word that the collection lacks, but for rounding


@dataclass(frozen=True, slots=True)
class Finding:
    """What was searched for and found, and whether that is enough to answer.

    `asked` is the question, of the papers by whom it names where these answer it. `several` tells that it asks for
    several papers, and `every` that all related ones count. `sides` are those of a comparison that are answered each
    by itself. `unmet`, `unknown`, `missing` and `passed_over` are as in an Answer.
    """

    asked: Asked
    resolved: Resolved
    several: bool
    every: bool
    confidence: float
    unmet: tuple[str, ...]
    unknown: tuple[str, ...]
    passed_over: int
    answerable: bool
    sides: tuple[Side, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        """What was searched for."""
        return self.resolved.query

    @property
    def found(self) -> Retrieval:
        """What the search found."""
        return self.resolved.found

    @property
    def followed(self) -> bool:
        """Whether the question was taken to lean on the one before."""
        return self.query != self.asked.question


class Finder:
    """Finds papers in one index."""

    def __init__(
        self,
        retriever: Retriever,
        library: Library,
        judge: Judge,
        *,
        broad_papers: int,
        reranker: Reranker | None = None,
    ) -> None:
        """`broad_papers` is how many a question retrieves that asks for several."""
        self._retriever = retriever
        self._library = library
        self._judge = judge
        self._reranker = reranker
        self.papers = retriever.papers
        self.broad_papers = broad_papers
        self.threshold = judge.threshold

    def from_records(
        self, asked: Asked, subject: str, without: Collection[int] = (), *, listing: bool = True
    ) -> Answer | None:
        """The answer that records give: a count, a list, what one of them tells; None for what is to be searched for.

        `subject` is what the question may lean on. Without `listing`, nothing that can be searched for is counted.
        """
        answer = answer_from_records(asked, self._library, without, subject, listing=listing)
        about = parse_record_question(asked.question) if listing and not answer else None
        if not about:
            return answer
        if about.matter:
            found = self._search(without, asked.within)(about.matter)
        elif not subject or asked.scope or asks_for_several(subject):
            return None
        else:
            # The paper that the question before was answered from, as far as its words tell.
            before = self.found(narrow(subject, None, self._library), "", without)
            if not before.answerable:
                return None
            found = before.found
        return answer_from_record(asked, about, found.hits, self._library, subject)

    def find(
        self,
        asked: Asked,
        subject: str,
        without: Collection[int] = (),
        *,
        follows: bool | None = None,
        cancel: Event | None = None,
        clock: Clock | None = None,
    ) -> Generator[Ranking, None, Finding]:
        """What `asked` finds; it may lean on `subject`, which is found out or told by `follows`.

        The papers with the ids `without` are not found. `cancel` ends the reading of papers.
        """
        clock, question = clock or Clock(), asked.question
        several = asks_for_several(question)
        # Whoever names authors anew has left those before.
        named = narrow_to_authors(asked, question, self._library, without)
        if named and not follows and refers(named.matter) is None:
            subject = ""
        if not (follows or named) and (sided := self._sided(asked, subject, without)):
            clock.lap("search")
            return sided
        search = self._search(without, several=several)
        within = self._search(without, asked.within, several=several) if asked.scope else None
        needed = self._judge.needed_similarity
        resolved = resolve(search, question, subject, needed, follows, within=within)
        if follows is None and resolved.query != question and self._has_its_own(question, resolved):
            resolved = resolve(search, question, "", needed, within=within)
        if resolved.query != question:
            named = narrow_to_authors(asked, resolved.query, self._library, without)
        clock.lap("search")
        if self._reranker and not (several or named):
            resolved = yield from self._reranked(self._reranker, asked, resolved, without, cancel or Event())
            clock.lap("rerank")
        finding = self._judged(asked, resolved, several)
        if not (finding.answerable or several or named or finding.followed) and follows is None:
            finding = self._as_follow_up(asked, subject, without) or finding
        if named:
            finding = self._of_authors(named, finding, without)
        clock.lap("search")
        return finding

    def found(self, asked: Asked, subject: str, without: Collection[int] = (), clock: Clock | None = None) -> Finding:
        """`find` without its progress."""
        steps = self.find(asked, subject, without, clock=clock)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                finding: Finding = end.value
                return finding

    def subject_after(self, turns: Collection[str], without: Collection[int] = ()) -> str:
        """What a question may lean on after these questions of the user, the oldest first: for `subject`."""
        asked = [narrow(turn, None, self._library) for turn in turns]
        about = [parse_record_question(turn.question) for turn in asked]
        # Who asks for the record of a paper has spoken of that, or of none anew.
        searched = [
            record.matter if record else turn.question
            for turn, record in zip(asked, about, strict=True)
            if not (turn.is_about_papers or turn.is_aside or (record and not record.matter))
        ]
        return subject_after(self._search(without), searched, self._judge.needed_similarity)

    def _search(
        self, without: Collection[int] = (), within: Collection[int] | None = None, *, several: bool = False
    ) -> Search:
        if not several:
            return lambda query: self._retriever.search(query, without, within)
        papers = max(self.broad_papers, self.papers)
        return lambda query: self._retriever.search(matter_of(query), without, within, papers=papers)

    def _reranked(
        self, reranker: Reranker, asked: Asked, resolved: Resolved, without: Collection[int], cancel: Event
    ) -> Generator[Ranking, None, Resolved]:
        """`resolved` with its papers in the order of who reads them, unless it is refused in any case."""

        def search(reorder: Reorder) -> Retrieval:
            return self._retriever.search(resolved.query, without, asked.within, reorder=reorder)

        return (yield from reranker.reranked(resolved, search, self._judge.needed_similarity, cancel))

    def _has_its_own(self, question: str, resolved: Resolved) -> bool:
        """Whether a question that was joined with the one before names what "it" is, or speaks of a thing that no paper
        has: "Who invented PageRank, and how does it rank pages?"
        """
        points = refers(question)
        own = question if points is None else question[:points]
        return any(name in own for name in self._unknown(resolved))

    def _as_follow_up(self, asked: Asked, subject: str, without: Collection[int]) -> Finding | None:
        """A short question that nothing answers by itself, if what was spoken of before deals with all that it asks."""
        if not subject or not may_lean(asked.question):
            return None
        search = self._search(without, asked.within)
        resolved = resolve(search, asked.question, subject, self._judge.needed_similarity, follows=True)
        finding = self._judged(asked, resolved, several=False)
        return finding if finding.answerable and self._judge.is_met(asked.question, resolved) else None

    def _sided(self, asked: Asked, subject: str, without: Collection[int]) -> Finding | None:
        """What answers a comparison of two things that different papers are about, or of which one is in no paper.

        None for any other question: one paper that is about both is found by the question as a whole.
        """
        compared = sides_of(asked.question)
        if not compared:
            return None
        named = {side: is_named(side, asked.question) for side in compared.sides}
        if subject and not all(named.values()):
            return None  # "Compare accuracy and speed" may lean on what was spoken of.
        search = self._search(without, asked.within)
        whole = self._judged(asked, Resolved(asked.question, asked.question, search(matter_of(asked.question))), False)
        alone = {side: self._judged(asked, self._one_side(search, side, compared.matter), False) for side in named}
        sides = {side: paper_on(side, one.query, one.found.hits, named=named[side]) for side, one in alone.items()}
        missing = tuple(side for side in sides if not sides[side] and self._is_nowhere(side, named[side], alone[side]))
        told = tuple(side for side in sides.values() if side)
        if len(told) + len(missing) < len(sides) or not any(side.own for side in told):
            return None
        if not missing and self._is_of_one_paper(told, whole):
            return None
        likely = min(alone[side].confidence for side in sides if side not in missing)
        likely = max(likely, whole.confidence) if not missing else likely
        if compared.matter and likely < self._judge.threshold:
            return None
        hits = {hit.paper_id: hit for hit in (*(side.hit for side in told), *whole.found.hits)}
        order = dict(whole.found.ranking)
        first = {side.hit.paper_id: max(order.values(), default=1.0) for side in told}
        ranking = tuple({**first, **{i: score for i, score in order.items() if i not in first}}.items())
        return replace(
            whole,
            resolved=replace(whole.resolved, found=replace(whole.found, hits=tuple(hits.values()), ranking=ranking)),
            # That a paper is about a side is told by its words.
            confidence=max(likely, self._judge.threshold),
            unmet=tuple(word for word in whole.unmet if word in compared.matter.split()),
            unknown=tuple(word for word in whole.unknown if not any(word in side for side in sides)),
            answerable=True,
            sides=told,
            missing=missing,
        )

    def _one_side(self, search: Search, side: str, matter: str) -> Resolved:
        query = f"{side} {matter}".strip()
        return Resolved(query, query, search(query))

    def _is_of_one_paper(self, sides: Collection[Side], whole: Finding) -> bool:
        """Whether one paper is about all `sides`, or has them all as no more than words that others use too."""
        if len({side.hit.paper_id for side in sides}) < len(sides):
            return True
        best = whole.found.hits[:1]
        return any(speaks_of_both(hit, [*sides]) for hit in best) and not all(
            side.own and is_written_as_name(side) for side in sides
        )

    def _is_nowhere(self, side: str, named: bool, alone: Finding) -> bool:
        """Whether no paper has a side: its name stands nowhere, or a word of it that does so is near to nothing."""
        if set(content_terms(side)) <= set(content_terms(" ".join(hit.byline for hit in alone.found.hits))):
            return False  # an author
        words = set(re.findall(r"[^\W_]+", side))
        if named and (words & set(alone.unknown) or without_version(side) != side):
            return True
        rare = words & {word.text for word in alone.found.words if word.rarity >= _NOWHERE}
        return bool(rare) and ((len(words) == 1 and not alone.answerable) or bool(rare & set(alone.unmet)))

    def _of_authors(self, named: Asked, finding: Finding, without: Collection[int]) -> Finding:
        """What the papers by whom a question names say to it, or `finding`, where that is what is meant."""
        theirs = self._search(without, named.within, several=finding.several)(named.matter)
        other = self._judged(named, Resolved(named.matter, finding.resolved.subject, theirs), finding.several)
        # Bell may be a theorem: where another paper answers that speaks of Bell, or his do not, all count.
        if finding.answerable and (not other.answerable or _speaks_of(named, finding.found)):
            return finding
        return replace(other, resolved=replace(other.resolved, query=finding.query))

    def _judged(self, asked: Asked, resolved: Resolved, several: bool) -> Finding:
        found, passed_over = without_orders(resolved.query, resolved.found)
        resolved = replace(resolved, found=found)
        confidence = self._judge.confidence_of(resolved)
        near_enough = self._judge.is_near(resolved.query, found)
        every = several and asked.scope is not None and asked.scope.papers <= self.broad_papers
        pointed = asked.only_points or (asked.hardly_asks and found.similarity >= _NEAR_TO_NAMED)
        pointed = pointed or (every and asks_to_compare(asked.question))
        # "What did Devlin show?" is about no matter that could be missed.
        tells = not asked.only_points
        unknown = self._unknown(resolved) if tells else ()
        confidence = self._judge.without_names(confidence, found, unknown)
        confidence, missed = self._judge.as_follow_up(asked.question, resolved, confidence)
        likely = near_enough and confidence >= self._judge.threshold
        return Finding(
            asked,
            resolved,
            several,
            every,
            confidence,
            unmet=tuple(dict.fromkeys([*self._judge.unmet(found), *missed])) if tells else (),
            unknown=unknown,
            passed_over=passed_over,
            answerable=bool(found.hits) and (pointed or likely),
        )

    def _unknown(self, resolved: Resolved) -> tuple[str, ...]:
        """Names in a question that stand nowhere, but for those of authors and journals of the papers found."""
        names = unknown_names(resolved.query, resolved.found)
        if not names:
            return ()
        entries = self._library.search_titles(within=[hit.paper_id for hit in resolved.found.hits])
        known = normalise(" ".join(" ".join([*entry.paper.authors, entry.paper.venue]) for entry in entries))
        return tuple(name for name in names if normalise(name) not in known)


def _speaks_of(named: Asked, found: Retrieval) -> bool:
    """Whether the text of the best paper holds one of the names."""
    authors = named.scope.filter.authors if named.scope else ()
    return any(re.search(rf"\b{re.escape(name)}\b", found.hits[0].text) for name in authors)
