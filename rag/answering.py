"""Question -> a stream of events that ends in a checked, cited answer.

A question that counts or lists papers is answered from the catalog. Else the order of things is: search, in the papers
that the filters leave; refuse if nothing near is there; number the evidence; let a writer make of it an answer whose
every sentence is checked (the modes of writing are in `writing/`).
"""

import re
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event

from rag.both_sides import evidence_on_sides
from rag.breadth import matter_of
from rag.clock import Clock
from rag.drafting import Draft, claim_text
from rag.errors import UsageError
from rag.evidence import rank_evidence
from rag.finding import Finder
from rag.grammar import REFUSAL
from rag.judged import Finding
from rag.last_answer import names_paper, parse_place, place_among
from rag.narrowing import Asked, answer_from_place, narrow, unclear
from rag.prompting import Chosen
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
    Sampling,
    Token,
)
from rag.spoken import spoken
from rag.verification import Idf
from rag.worth import one_of_each
from rag.writing.writer import Task, Writer

# A question gets one sentence a part, and two more.
_MORE_SENTENCES = 2
_MAX_SENTENCES = 5
# What several papers say takes so many times the tokens of evidence and answer.
_BROADER = 2
_SPARE = 16  # tokens that a server may add to those of the answer, where its context would otherwise be full
_FURTHER_PART = re.compile(
    r"\band (?:(?:by|on|in|at|for|to|with|of|under|from) )?(?:how|what|which|whom?|whose|when|where|why)\b",
    re.IGNORECASE,
)


class Answerer:
    """Answers questions from one index with one language model, in one mode of writing."""

    def __init__(
        self,
        finder: Finder,
        model: LanguageModel,
        idf: Idf,
        library: Library,
        writer: Writer,
        *,
        sampling: Sampling | None = None,
        evidence_sentences: int,
        evidence_tokens: int,
        answer_tokens: int,
    ) -> None:
        self._finder = finder
        self._model = model
        self._idf = idf
        self._library = library
        self.writer = writer
        self.sampling = sampling or Sampling()
        self._evidence_sentences = evidence_sentences
        self._evidence_tokens = evidence_tokens
        self._answer_tokens = answer_tokens

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
        of_place = self._of_place(asked, parse_place(question), subject, without) if listing else None
        if of_place:
            clock.lap("search")
            yield Finished(replace(of_place, timings=clock.finish()))
            return
        if answer := self._finder.from_records(asked, subject, without, listing=listing, follows=follows):
            clock.lap("search")
            yield Finished(replace(answer, timings=clock.finish()))
            return
        before = spoken(subject)
        if not self._fits(f"{before.matter} {question}"):
            subject = str(replace(before, matter=""))
        finding = yield from self._finder.find(asked, subject, without, follows=follows, cancel=cancel, clock=clock)
        yield Found(finding.found.hits, finding.query, finding.asked.scope, finding.followed)
        draft = Draft(self._idf)
        if finding.answerable:
            draft = yield from self._write(_Job(finding, sampling or self.sampling, cancel), clock)
        answer = self._answer(finding, subject, draft, clock, cancel)
        # What was not answered has not become the subject.
        yield Finished(replace(answer, subject=subject) if answer.refused and subject else answer)

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

    def _fits(self, query: str) -> bool:
        try:
            self.writer.prompt.check(query, self._model.count_tokens, prompt_tokens=self._prompt_tokens())
        except UsageError:
            return False
        return True

    def subject_after(self, turns: Sequence[str]) -> str:
        """What a question may lean on after these questions of the user, the oldest first: for `subject`."""
        return self._finder.subject_after(turns)

    def _prompt_tokens(self) -> int:
        return self._model.context_tokens - self._answer_tokens

    def _of_place(self, asked: Asked, place: str, subject: str, without: Collection[int]) -> Answer | None:
        """What "the second one" means, of the papers that were listed, or that the question before is answered from.

        None where nothing tells that a paper is meant: there may be a second of anything.
        """
        if not place:
            return None
        before = spoken(subject)
        question = before.papers or before.matter
        papers = self._answering(question, without) if question else ()
        index = place_among(place, len(papers))
        if index is not None and (len(papers) > 1 or names_paper(asked.question)):
            return answer_from_place(asked, question, papers, index, self._library)
        return unclear(asked, subject) if not question or len(papers) > 1 or names_paper(asked.question) else None

    def _answering(self, question: str, without: Collection[int]) -> tuple[int, ...]:
        """The papers that `question` lists, or that are quoted for it where no language model has a say, in order."""
        asked = narrow(question, None, self._library, without)
        if answer := self._finder.from_records(asked, "", without):
            return tuple(entry.id for entry in answer.listed or ())
        finding = self._finder.found(asked, "", without)
        if not finding.answerable:
            return ()
        draft, _ = self._begun(finding)
        for _ in draft.quote_best():
            pass
        return tuple(dict.fromkeys(citation.paper_id for citation in draft.citations.values()))

    def _begun(self, finding: Finding) -> tuple[Draft, list[Message]]:
        """A draft with its evidence, and the messages that show it; none where nothing fits beside the question."""
        question, hits = finding.query, finding.found.hits
        several, messages, evidence = self._several(finding)
        if not several:
            hits = hits[: self._finder.papers]
            most = min(self._evidence_sentences, self.writer.most_evidence)
            messages, evidence = self._fit(question, rank_evidence(question, hits, self._idf, most))
        lengths = {hit.key: len(hit.sentences) for hit in hits}
        return Draft(self._idf, question, several, evidence=evidence, lengths=lengths), messages

    def _write(self, job: "_Job", clock: Clock) -> Generator[AnswerEvent, None, Draft]:
        draft, messages = self._begun(job.finding)
        question, several, evidence = job.finding.query, draft.several, draft.evidence
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

    def _several(self, finding: Finding) -> tuple[bool, list[Message], list[Evidence]]:
        """A sentence of each of several papers, and whether there is more than one that is good enough and fits.

        Of a comparison, those on its sides.
        """
        if finding.sides:
            chosen = evidence_on_sides(finding.query, finding.found.hits, finding.sides, self._idf)
            return True, *self._fit(finding.query, chosen, _BROADER)
        if not finding.several:
            return False, [], []
        hits = finding.found.hits[: self._finder.broad_papers]
        # What no model reads costs nothing, and the context bounds it in any case.
        times = _BROADER if self.writer.samples else self._finder.broad_papers
        chosen = one_of_each(matter_of(finding.query), hits, self._idf, every=finding.every)
        messages, evidence = self._fit(finding.query, chosen, times)
        return len({item.key for item in evidence}) > 1, messages, evidence

    def _fit(self, question: str, chosen: Sequence[Chosen], times: int = 1) -> tuple[list[Message], list[Evidence]]:
        return self.writer.prompt.fit(
            question,
            chosen,
            self._model.count_tokens,
            evidence_tokens=times * self._evidence_tokens,
            prompt_tokens=self._prompt_tokens(),
        )

    def _answer(self, finding: Finding, subject: str, draft: Draft, clock: Clock, cancel: Event) -> Answer:
        asked, found = finding.asked, finding.found
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
            confidence=finding.confidence,
            needed=self._finder.threshold,
            unmet=finding.unmet,
            unknown=finding.unknown,
            otherwise=finding.otherwise,
            missing=finding.missing,
            dropped=draft.dropped,
            stopped=stopped,
            query=finding.query,
            subject=finding.after(subject),
            prompt_tokens=draft.prompt_tokens,
            generated_tokens=draft.generated_tokens,
            timings=clock.finish(),
            read_tokens=draft.read_tokens,
            ended=draft.ended,
            raw=draft.raw,
            evidence=tuple(draft.evidence),
            ranking=found.ranking,
            scope=asked.scope,
            followed=finding.followed,
            passed_over=finding.passed_over,
            writing=self.writer.name,
            sampling=draft.sampling,
        )


@dataclass(frozen=True, slots=True)
class _Job:
    """What an answer is written from, and how."""

    finding: Finding
    sampling: Sampling
    cancel: Event
