"""Question -> a stream of events that ends in a checked, cited answer.

A question that counts or lists papers is answered from the catalog. Else the order of things is: search, in the papers
that the filters leave; refuse if nothing near is there; number the evidence; let a writer make of it an answer whose
every sentence is checked (the modes of writing are in `writing/`).
"""

import re
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event

from rag.breadth import asks_for_several, asks_to_compare, matter_of
from rag.clock import Clock
from rag.drafting import Draft, claim_text
from rag.errors import UsageError
from rag.evidence import rank_evidence
from rag.followup import Resolved, Search, may_lean, refers, resolve, subject_after
from rag.grammar import REFUSAL
from rag.narrowing import Asked, answer_from_record, answer_from_records, narrow, narrow_to_authors
from rag.orders import without_orders
from rag.prompting import Chosen
from rag.record_questions import parse_record_question
from rag.records import (
    Answer,
    AnswerEvent,
    Checked,
    Evidence,
    Filter,
    Finished,
    Found,
    LanguageModel,
    Library,
    Message,
    Retrieval,
    Sampling,
    Token,
)
from rag.refusal import Judge
from rag.rerank import Reranker
from rag.retrieval import Reorder, Retriever
from rag.unknown_names import unknown_names
from rag.verification import Idf
from rag.worth import one_of_each
from rag.writing.writer import Task, Writer

# A question gets one sentence a part, and two more.
_MORE_SENTENCES = 2
_MAX_SENTENCES = 5
# What several papers say takes so many times the tokens of evidence and answer.
_BROADER = 2
_SPARE = 16  # tokens that a server may add to those of the answer, where its context would otherwise be full
# Similarity (cosine) from which a question of a word or two may be about the papers that it names (eval/LOG.md).
_NEAR_TO_NAMED = 0.18
_FURTHER_PART = re.compile(
    r"\band (?:(?:by|on|in|at|for|to|with|of|under|from) )?(?:how|what|which|whom?|whose|when|where|why)\b",
    re.IGNORECASE,
)


class Answerer:
    """Answers questions from one index with one language model, in one mode of writing."""

    def __init__(
        self,
        retriever: Retriever,
        model: LanguageModel,
        idf: Idf,
        library: Library,
        writer: Writer,
        *,
        sampling: Sampling | None = None,
        evidence_sentences: int,
        evidence_tokens: int,
        answer_tokens: int,
        broad_papers: int,
        judge: Judge,
        reranker: Reranker | None = None,
    ) -> None:
        self._retriever = retriever
        self._model = model
        self._idf = idf
        self._library = library
        self.writer = writer
        self.sampling = sampling or Sampling()
        self._evidence_sentences = evidence_sentences
        self._evidence_tokens = evidence_tokens
        self._answer_tokens = answer_tokens
        self._broad_papers = broad_papers
        self._judge = judge
        self._reranker = reranker

    def stream(
        self,
        question: str,
        cancel: Event | None = None,
        without: Collection[int] = (),
        *,
        subject: str = "",
        follows: bool | None = None,
        listing: bool = True,
        filter: Filter | None = None,  # noqa: A002
        sampling: Sampling | None = None,
    ) -> Iterator[AnswerEvent]:
        """Answer `question`; setting `cancel` ends the writing soon, with what is checked by then.

        Only papers that the filters typed in `question` and `filter` let through are looked at (see `filters.py`).

        `subject` is that of the answer before: whether the question leans on it is found out, or told by `follows`.
        Without `listing`, a question that could be counted from the catalog is searched for like any other. `sampling`
        is for this answer alone.

        The papers with the ids `without` are not found; the weights of words still count them. Raises UsageError for an
        empty question, one that leaves no room for evidence in the model's context, or a filter that cannot be read.
        """
        asked = narrow(question, filter, self._library, without)
        question = asked.question
        if not (question or asked.scope):
            raise UsageError("the question is empty. Ask something about the papers.")
        self.writer.prompt.check(question, self._model.count_tokens, prompt_tokens=self._prompt_tokens())
        cancel = cancel or Event()
        clock = Clock()
        answer = answer_from_records(asked, self._library, without, subject, listing=listing)
        if answer is None and listing:
            answer = self._from_record(asked, subject, without)
        if answer:
            clock.lap("search")
            yield Finished(replace(answer, timings=clock.finish()))
            return
        if not self._fits(f"{subject} {question}"):
            subject = ""
        several = asks_for_several(question)
        # Whoever names authors anew has left those before.
        named = narrow_to_authors(asked, question, self._library, without)
        if named and not follows and not refers(named.matter):
            subject = ""
        resolved = resolve(
            self._search(without, several=several), question, subject, self._judge.needed_similarity, follows,
            within=self._search(without, asked.within, several=several) if asked.scope else None,
        )  # fmt: skip
        query = resolved.query
        if query != question:
            named = narrow_to_authors(asked, query, self._library, without)
        clock.lap("search")
        if self._reranker and not (several or named):
            resolved = yield from self._reranked(self._reranker, asked, resolved, without, cancel)
            clock.lap("rerank")
        judged = self._judged(asked, resolved, several)
        if not (judged.answerable or several or named or resolved.query != question) and follows is None:
            judged = self._as_follow_up(asked, question, subject, without) or judged
        if named:
            theirs = self._search(without, named.within, several=several)(named.matter)
            other = self._judged(named, Resolved(named.matter, resolved.subject, theirs), several)
            # Bell may be a theorem: where another paper answers that speaks of Bell, or his do not, all count.
            if not judged.answerable or (other.answerable and not _speaks_of(named, judged.resolved.found)):
                asked, judged = named, replace(other, resolved=replace(other.resolved, query=query))
        clock.lap("search")
        found = judged.resolved.found
        yield Found(found.hits, query, asked.scope, query != question)
        draft = Draft(self._idf)
        if judged.answerable:
            job = _Job(query, found, several, self._chosen(asked, several), sampling or self.sampling, cancel)
            draft = yield from self._write(job, clock)
        yield Finished(self._answer(asked, judged, draft, clock, cancel))

    def ask(
        self,
        question: str,
        cancel: Event | None = None,
        without: Collection[int] = (),
        *,
        subject: str = "",
        follows: bool | None = None,
        filter: Filter | None = None,  # noqa: A002
        sampling: Sampling | None = None,
    ) -> Answer:
        """The finished answer, without the stream."""
        for event in self.stream(
            question, cancel, without, subject=subject, follows=follows, filter=filter, sampling=sampling
        ):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a stream ends with Finished")

    def _from_record(self, asked: Asked, subject: str, without: Collection[int]) -> Answer | None:
        """The answer to a question that the record of one paper answers; None to any other."""
        about = parse_record_question(asked.question)
        matter = (about.matter or subject) if about else ""
        if not about or not matter:
            return None
        found = self._search(without, asked.within)(matter)
        if not about.matter and not self._judge.is_near(matter, found):
            return None
        return answer_from_record(asked, about, found.hits, self._library, subject)

    def _search(
        self, without: Collection[int] = (), within: Collection[int] | None = None, *, several: bool = False
    ) -> Search:
        if not several:
            return lambda query: self._retriever.search(query, without, within)
        papers = max(self._broad_papers, self._retriever.papers)
        return lambda query: self._retriever.search(matter_of(query), without, within, papers=papers)

    def _as_follow_up(self, asked: Asked, question: str, subject: str, without: Collection[int]) -> "_Judged | None":
        """A short question that nothing answers by itself, if what was spoken of before deals with all that it asks."""
        if not subject or not may_lean(question):
            return None
        search = self._search(without, asked.within)
        resolved = resolve(search, question, subject, self._judge.needed_similarity, follows=True)
        judged = self._judged(asked, resolved, several=False)
        return judged if judged.answerable and self._judge.is_met(question, resolved) else None

    def _judged(self, asked: Asked, resolved: Resolved, several: bool) -> "_Judged":
        found, passed_over = without_orders(resolved.query, resolved.found)
        resolved = replace(resolved, found=found)
        confidence = self._judge.confidence_of(resolved)
        near_enough = self._judge.is_near(resolved.query, found)
        pointed = asked.only_points or (asked.hardly_asks and found.similarity >= _NEAR_TO_NAMED)
        pointed = pointed or (self._chosen(asked, several) and asks_to_compare(asked.question))
        confidence, missed = self._judge.as_follow_up(asked.question, resolved, confidence)
        likely = near_enough and confidence >= self._judge.threshold
        answerable = bool(found.hits) and (pointed or likely)
        # "What did Devlin show?" is about no matter that could be missed.
        unmet = () if asked.only_points else tuple(dict.fromkeys([*self._judge.unmet(found), *missed]))
        unknown = () if asked.only_points else unknown_names(resolved.query, found)
        return _Judged(resolved, confidence, unmet, unknown, passed_over, answerable)

    def _reranked(
        self, reranker: Reranker, asked: Asked, resolved: Resolved, without: Collection[int], cancel: Event
    ) -> Generator[AnswerEvent, None, Resolved]:
        """`resolved` with its papers in the order of who reads them, unless it is refused in any case."""

        def search(reorder: Reorder) -> Retrieval:
            return self._retriever.search(resolved.query, without, asked.within, reorder=reorder)

        return (yield from reranker.reranked(resolved, search, self._judge.needed_similarity, cancel))

    def _chosen(self, asked: Asked, several: bool) -> bool:
        """Whether several papers are asked for, and so few are left that the user has chosen each."""
        return several and asked.scope is not None and asked.scope.papers <= self._broad_papers

    def _fits(self, query: str) -> bool:
        try:
            self.writer.prompt.check(query, self._model.count_tokens, prompt_tokens=self._prompt_tokens())
        except UsageError:
            return False
        return True

    def subject_after(self, turns: Sequence[str]) -> str:
        """What a question may lean on after these questions of the user, the oldest first: for `subject`."""
        asked = [narrow(turn, None, self._library) for turn in turns]
        searched = [turn.question for turn in asked if not turn.is_about_papers]
        return subject_after(self._search(), searched, self._judge.needed_similarity)

    def _prompt_tokens(self) -> int:
        return self._model.context_tokens - self._answer_tokens

    def _write(self, job: "_Job", clock: "Clock") -> Generator[AnswerEvent, None, Draft]:
        question, hits = job.question, job.found.hits
        several, messages, evidence = self._several(job) if job.several else (False, [], [])
        if not several:
            hits = hits[: self._retriever.papers]
            most = min(self._evidence_sentences, self.writer.most_evidence)
            messages, evidence = self._fit(question, rank_evidence(question, hits, self._idf, most))
        lengths = {hit.key: len(hit.sentences) for hit in hits}
        draft = Draft(self._idf, question, several, evidence=evidence, lengths=lengths)
        clock.lap("evidence")
        if not messages:
            # Not even the best sentence fits the context beside the question: it is quoted without being read.
            yield from draft.quote_best()
            return draft
        sentences = min(_MAX_SENTENCES, 1 + len(_FURTHER_PART.findall(question)) + _MORE_SENTENCES)
        if several:
            sentences = max(sentences, len({item.key for item in evidence}))
        prompt, answer_tokens = self._model.count_tokens(messages), self._answer_tokens
        if several:
            room = self._model.context_tokens - prompt - _SPARE
            answer_tokens = max(answer_tokens, min(_BROADER * answer_tokens, room))
        task = Task(messages, draft, sentences, answer_tokens, job.sampling, job.cancel)
        for event in self.writer.write(task):
            if isinstance(event, Token | Checked):
                clock.mark("first_token")
            yield event
        draft = task.draft
        draft.prompt_tokens = prompt if draft.sampling else 0
        clock.lap("write")
        return draft

    def _several(self, job: "_Job") -> tuple[bool, list[Message], list[Evidence]]:
        """A sentence of each of several papers, and whether there is more than one that is good enough and fits."""
        hits = job.found.hits[: self._broad_papers]
        # What no model reads costs nothing, and the context bounds it in any case.
        times = _BROADER if self.writer.samples else self._broad_papers
        chosen = one_of_each(matter_of(job.question), hits, self._idf, every=job.every)
        messages, evidence = self._fit(job.question, chosen, times)
        return len({item.key for item in evidence}) > 1, messages, evidence

    def _fit(self, question: str, chosen: Sequence[Chosen], times: int = 1) -> tuple[list[Message], list[Evidence]]:
        return self.writer.prompt.fit(
            question,
            chosen,
            self._model.count_tokens,
            evidence_tokens=times * self._evidence_tokens,
            prompt_tokens=self._prompt_tokens(),
        )

    def _answer(self, asked: Asked, judged: "_Judged", draft: Draft, clock: "Clock", cancel: Event) -> Answer:
        resolved, found = judged.resolved, judged.resolved.found
        stopped = cancel.is_set()
        refused = not draft.claims and not stopped
        text = REFUSAL if refused else " ".join(claim_text(claim) for claim in draft.claims)
        return Answer(
            question=asked.typed,
            text=text,
            claims=tuple(draft.claims),
            citations=tuple(draft.citations.values()),
            hits=found.hits,
            refused=refused,
            confidence=judged.confidence,
            needed=self._judge.threshold,
            unmet=judged.unmet,
            unknown=judged.unknown,
            dropped=draft.dropped,
            stopped=stopped,
            query=resolved.query,
            subject=resolved.subject,
            prompt_tokens=draft.prompt_tokens,
            generated_tokens=draft.generated_tokens,
            timings=clock.finish(),
            read_tokens=draft.read_tokens,
            ended=draft.ended,
            raw=draft.raw,
            evidence=tuple(draft.evidence),
            ranking=found.ranking,
            scope=asked.scope,
            followed=resolved.query != asked.question,
            passed_over=judged.passed_over,
            writing=self.writer.name,
            sampling=draft.sampling,
        )


def _speaks_of(named: Asked, found: Retrieval) -> bool:
    """Whether the text of the best paper holds one of the names."""
    best = found.hits[0]
    text = ". ".join([best.title, *(scored.sentence.text for scored in best.sentences)])
    authors = named.scope.filter.authors if named.scope else ()
    return any(re.search(rf"\b{re.escape(name)}\b", text) for name in authors)


@dataclass(frozen=True, slots=True)
class _Job:
    """What an answer is written from.

    `several` tells that a sentence from each of several papers is asked for, and `every` that all related ones count.
    """

    question: str
    found: Retrieval
    several: bool
    every: bool
    sampling: Sampling
    cancel: Event


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was searched for and found, and whether that is enough to answer."""

    resolved: Resolved
    confidence: float
    unmet: tuple[str, ...]
    unknown: tuple[str, ...]
    passed_over: int
    answerable: bool
