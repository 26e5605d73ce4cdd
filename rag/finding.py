"""A question -> the papers that it finds, and whether they answer it: one path for answers and for evaluation.

Here the search, follow-ups, authors that are named, the order of who reads papers, and the judge come together. Knows
of no writing; the language model may read papers to put them in order, no more.
"""

import re
from collections.abc import Collection, Generator
from dataclasses import replace
from threading import Event

from rag.breadth import asks_for_several, matter_of
from rag.clock import Clock
from rag.followup import Resolved, Search, may_lean, refers, resolve
from rag.judged import Finding, Judging
from rag.narrowing import (
    Asked,
    answer_from_record,
    answer_from_records,
    narrow,
    narrow_to_authors,
    narrow_to_listed,
    unclear,
)
from rag.record_questions import parse_record_question
from rag.records import Answer, Library, Ranking, Retrieval
from rag.refusal import Judge
from rag.rerank import Reranker
from rag.retrieval import Reorder, Retriever
from rag.side_by_side import side_by_side
from rag.spoken import Spoken, leaning, searched, spoken
from rag.terms import content_terms

# How a question begins that may stand for itself.
_WHOLE = re.compile(
    r"\W*(?:what|which|who|how|why|when|where|is|are|was|were|do|does|did|can|explain|describe|define)\b(?! about\b)",
    re.IGNORECASE,
)
_THOSE = re.compile(r"\b(?:these|those|them)\b", re.IGNORECASE)
_TELLING = 3  # content words


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
        self._judging = Judging(judge, library, broad_papers)
        self._reranker = reranker
        self.papers = retriever.papers
        self.broad_papers = broad_papers
        self.threshold = judge.threshold

    def from_records(
        self,
        asked: Asked,
        subject: str,
        without: Collection[int] = (),
        *,
        listing: bool = True,
        follows: bool | None = None,
    ) -> Answer | None:
        """The answer that records give: a count, a list, what one of them tells; None for what is to be searched for.

        `subject` is what the question may lean on; `follows` is whether it does, where the user has said so. Without
        `listing`, nothing that can be searched for is counted.
        """
        asked = narrow_to_listed(asked, subject, self._library, without, follows)
        answer = answer_from_records(asked, self._library, without, subject, listing=listing)
        about = parse_record_question(asked.question) if listing and not answer else None
        if not about:
            return answer
        found = self._search(without, asked.within)(about.matter) if about.matter else None
        found = found or self._found_before(asked, subject, without)
        if found:
            return answer_from_record(asked, about, found.hits, self._library, subject)
        # "Tell me more" is nothing to search for.
        return unclear(asked, subject) if about.field == "abstract" and not about.matter else None

    def _found_before(self, asked: Asked, subject: str, without: Collection[int]) -> Retrieval | None:
        """The paper that the question before was answered from, as far as its words tell, or that was listed alone."""
        matter = searched(subject, lambda typed: narrow(typed, None, self._library).question)
        if asked.scope:
            one = asked.scope.listed_for and asked.scope.papers == 1
            return self._search(without, asked.within)(asked.scope.listed_for) if one else None
        if not matter or asks_for_several(matter):
            return None
        before = self.found(narrow(matter, None, self._library), "", without)
        return before.found if before.answerable else None

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
        clock = clock or Clock()
        asked = narrow_to_listed(asked, subject, self._library, without, follows)
        of_listed = asked.scope is not None and bool(asked.scope.listed_for)
        question, subject = asked.question, "" if of_listed else leaning(subject, asked.question)
        follows = None if of_listed else follows
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
        finding = self._judging.judged(asked, resolved, several=several)
        if not (finding.answerable or several or named or finding.followed) and follows is None:
            finding = self._as_follow_up(asked, subject, without) or finding
        if named:
            finding = self._of_authors(named, finding, without)
        if finding.followed and not finding.answerable and follows is None:
            finding = self._by_itself(asked, without) or finding
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
        subject = ""
        for turn in turns:
            asked = narrow_to_listed(narrow(turn, None, self._library, without), subject, self._library, without)
            if asked.is_aside:
                continue
            if answer := answer_from_records(asked, self._library, without, subject):
                subject = answer.subject
                continue
            of_listed = asked.scope.listed_for if asked.scope else ""
            about, before = parse_record_question(asked.question), spoken(subject)
            if about and not about.matter:
                continue
            # Who asks for the record of a paper has spoken of that.
            question = about.matter if about else asked.question
            leans = "" if of_listed else leaning(subject, question)
            resolved = resolve(self._search(without), question, leans, self._judge.needed_similarity)
            follows = of_listed or resolved.query != question
            typed = turn if asked.scope and not about else ""
            subject = str(Spoken(resolved.subject, before.papers if follows else typed))
        return subject

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
        return any(name in own for name in self._judging.unknown(resolved))

    def _as_follow_up(self, asked: Asked, subject: str, without: Collection[int]) -> Finding | None:
        """A short question that nothing answers by itself, if what was spoken of before deals with all that it asks."""
        if not subject or not may_lean(asked.question):
            return None
        search = self._search(without, asked.within)
        resolved = resolve(search, asked.question, subject, self._judge.needed_similarity, follows=True)
        finding = self._judging.judged(asked, resolved, several=False)
        return finding if finding.answerable and self._judge.is_met(asked.question, resolved) else None

    def _by_itself(self, asked: Asked, without: Collection[int]) -> Finding | None:
        """What a whole question finds by itself, where it leant on what was spoken of and found no answer there.

        One about "it" has none of its own; nor have a few words. "They" may be people, and not the papers listed.
        """
        own = narrow(asked.typed, None, self._library, without)
        listed = asked.scope is not None and bool(asked.scope.listed_for)
        meant = bool(_THOSE.search(own.question)) if listed else refers(own.question) is not None
        if meant or not _WHOLE.match(own.question) or (listed and len(content_terms(own.question)) < _TELLING):
            return None
        several = asks_for_several(own.question)
        search = self._search(without, own.within, several=several)
        resolved = Resolved(own.question, own.question, search(own.question))
        finding = self._judging.judged(own, resolved, several=several)
        return finding if finding.answerable else None

    def _sided(self, asked: Asked, subject: str, without: Collection[int]) -> Finding | None:
        """What answers a comparison of what different papers are about."""
        search = self._search(without, asked.within)

        def find(words: str) -> Finding:
            return self._judging.judged(asked, Resolved(words, words, search(words)), several=False)

        return side_by_side(asked.question, subject, self.threshold, find)

    def _of_authors(self, named: Asked, finding: Finding, without: Collection[int]) -> Finding:
        """What the papers by whom a question names say to it, or `finding`, where that is what is meant."""
        theirs = self._search(without, named.within, several=finding.several)(named.matter)
        other = self._judging.judged(
            named, Resolved(named.matter, finding.resolved.subject, theirs), several=finding.several
        )
        # Bell may be a theorem: where another paper answers that speaks of Bell, or his do not, all count.
        if finding.answerable and (not other.answerable or _speaks_of(named, finding.found)):
            return finding
        return replace(other, resolved=replace(other.resolved, query=finding.query))


def _speaks_of(named: Asked, found: Retrieval) -> bool:
    """Whether the text of the best paper holds one of the names."""
    authors = named.scope.filter.authors if named.scope else ()
    return any(re.search(rf"\b{re.escape(name)}\b", found.hits[0].text) for name in authors)
