"""Question -> a stream of events that ends in a checked, cited answer.

A question that counts or lists papers is answered from the catalog. Else the order of things is: search, in the papers
that the filters leave; refuse if nothing near is there; show the model numbered evidence; check each sentence that it
writes against what it cites; where one fails, stop the model and let the papers speak in their own words.
"""

import re
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from threading import Event

from rag.citations import Written, split_written
from rag.errors import UsageError
from rag.evidence import rank_evidence
from rag.followup import Resolved, Search, resolve, subject_after
from rag.grammar import REFUSAL, answer_grammar
from rag.narrowing import Asked, answer_from_records, narrow
from rag.prompting import AnswerPrompt
from rag.records import (
    Answer,
    AnswerEvent,
    Checked,
    Citation,
    Claim,
    Evidence,
    Filter,
    Finished,
    Found,
    LanguageModel,
    Library,
    Reading,
    Retrieval,
    Verdict,
)
from rag.refusal import needed_confidence
from rag.retrieval import Retriever
from rag.terms import terms
from rag.verification import Idf, repeats, support, without_lead_in

# A question gets one sentence a part, and two more.
_MORE_SENTENCES = 2
_MAX_SENTENCES = 5
_PARTS = re.compile(r";\s+|,?\s+(?:and|but|while|whereas)\s+")
# So many words twice in one sentence: small models get caught in such circles.
_CIRCLE = 4
_FURTHER_PART = re.compile(
    r"\band (?:(?:by|on|in|at|for|to|with|of|under|from) )?(?:how|what|which|whom?|whose|when|where|why)\b",
    re.IGNORECASE,
)
# Longer than any number with its exponent in LaTeX.
_LONGEST_NUMBER = 60
_BARE_NUMBER = re.compile(r"[^\w\\]*(\d[\d.,]*)")
# The last word; the words of a product such as "3 \times 10^4" are one.
_GROWING = re.compile(r"(?<!\S)\S+(?:\s{1,2}(?:[\u00d7x*\u00b7\u22c5]|\\[a-z]*)(?:\s{1,2}\S*)?)?\Z")
_FACTOR = re.compile(r"(?<!\S)[^\w\s]*(\d+(?:\.\d+)?)\s{1,2}\Z")
# A quotation is added to a failed answer while it is nearly as good evidence as the best.
_QUOTE_MARGIN = 0.6


class Answerer:
    """Answers questions from one index with one language model."""

    def __init__(
        self,
        retriever: Retriever,
        model: LanguageModel,
        idf: Idf,
        library: Library,
        *,
        evidence_sentences: int,
        evidence_tokens: int,
        answer_tokens: int,
        answer_threshold: float,
    ) -> None:
        self._retriever = retriever
        self._model = model
        self._idf = idf
        self._library = library
        self._prompt = AnswerPrompt()
        self._evidence_sentences = evidence_sentences
        self._evidence_tokens = evidence_tokens
        self._answer_tokens = answer_tokens
        self._answer_threshold = answer_threshold

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
    ) -> Iterator[AnswerEvent]:
        """Answer `question`; setting `cancel` ends the writing soon, with what is checked by then.

        Only papers that the filters typed in `question` and `filter` let through are looked at (see `filters.py`).

        `subject` is that of the answer before: whether the question leans on it is found out, or told by `follows`.
        Without `listing`, a question that could be counted from the catalog is searched for like any other.

        The papers with the ids `without` are not found; the weights of words still count them. Raises UsageError for an
        empty question, one that leaves no room for evidence in the model's context, or a filter that cannot be read.
        """
        asked = narrow(question, filter, self._library, without)
        question = asked.question
        if not (question or asked.scope):
            raise UsageError("the question is empty. Ask something about the papers.")
        self._prompt.check(question, self._model.count_tokens, prompt_tokens=self._prompt_tokens())
        cancel = cancel or Event()
        clock = _Clock()
        if answer := answer_from_records(asked, self._library, without, subject, listing=listing):
            clock.lap("search")
            yield Finished(replace(answer, timings=clock.finish()))
            return
        if not self._fits(f"{subject} {question}"):
            subject = ""
        resolved = resolve(
            self._search(without), question, subject, self._needed, follows,
            within=self._search(without, asked.within) if asked.scope else None,
        )  # fmt: skip
        query, found = resolved.query, resolved.found
        clock.lap("search")
        yield Found(found.hits, query, asked.scope, query != question)
        draft = _Draft(self._idf)
        draft.needed = self._needed(query)
        if found.hits and (asked.only_points or found.confidence >= draft.needed):
            yield from self._write(query, found, draft, clock, cancel)
        yield Finished(self._answer(asked, resolved, draft, clock, cancel))

    def ask(
        self,
        question: str,
        cancel: Event | None = None,
        without: Collection[int] = (),
        *,
        subject: str = "",
        follows: bool | None = None,
        filter: Filter | None = None,  # noqa: A002
    ) -> Answer:
        """The finished answer, without the stream."""
        for event in self.stream(question, cancel, without, subject=subject, follows=follows, filter=filter):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a stream ends with Finished")

    def _search(self, without: Collection[int] = (), within: Collection[int] | None = None) -> Search:
        return lambda query: self._retriever.search(query, without, within)

    def _fits(self, query: str) -> bool:
        try:
            self._prompt.check(query, self._model.count_tokens, prompt_tokens=self._prompt_tokens())
        except UsageError:
            return False
        return True

    def _needed(self, query: str) -> float:
        return needed_confidence(query, self._idf, self._answer_threshold)

    def subject_after(self, turns: Sequence[str]) -> str:
        """What a question may lean on after these questions of the user, the oldest first: for `subject`."""
        asked = [narrow(turn, None, self._library) for turn in turns]
        searched = [turn.question for turn in asked if not turn.is_about_papers]
        return subject_after(self._search(), searched, self._needed)

    def _prompt_tokens(self) -> int:
        return self._model.context_tokens - self._answer_tokens

    def _write(
        self, question: str, found: Retrieval, draft: "_Draft", clock: "_Clock", cancel: Event
    ) -> Iterator[AnswerEvent]:
        draft.question = question
        chosen = rank_evidence(question, found.hits, self._idf, self._evidence_sentences)
        messages, draft.evidence = self._prompt.fit(
            question,
            chosen,
            self._model.count_tokens,
            evidence_tokens=self._evidence_tokens,
            prompt_tokens=self._prompt_tokens(),
        )
        target = min(_MAX_SENTENCES, 1 + len(_FURTHER_PART.findall(question)) + _MORE_SENTENCES)
        draft.prompt_tokens = self._model.count_tokens(messages) if messages else 0
        clock.lap("evidence")
        if not messages:
            # Not even the best sentence fits the context beside the question: it is quoted without being read.
            draft.failed = True
            yield from draft.quote(target)
            return
        written = self._model.stream(
            messages,
            grammar=answer_grammar(len(draft.evidence), target),
            max_tokens=self._answer_tokens,
            cancel=cancel,
        )
        for event in written:
            if isinstance(event, Reading):
                draft.read_tokens = event.total
                yield event
                continue
            clock.mark("first_token")
            draft.raw += event.text
            draft.generated_tokens += 1
            yield event
            yield from draft.check(finished=False)
            if draft.failed or draft.strays():
                break
        else:
            draft.ended = not cancel.is_set() and draft.generated_tokens < self._answer_tokens
        written.close()
        if cancel.is_set():
            return
        if not draft.failed:
            # A sentence that was broken off, for straying or for want of tokens, counts as failed here.
            yield from draft.check(finished=True)
        yield from draft.quote(target)
        clock.lap("write")

    def _answer(self, asked: Asked, resolved: Resolved, draft: "_Draft", clock: "_Clock", cancel: Event) -> Answer:
        found = resolved.found
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
            confidence=found.confidence,
            needed=draft.needed,
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
        )


def claim_text(claim: Claim) -> str:
    """A claim as one line of the answer: a quotation in quotation marks, citations behind it."""
    text = f"\u201c{' '.join(claim.text.split())}\u201d" if claim.verdict is Verdict.QUOTED else claim.text
    return text + "".join(f" [{citation.number}]" for citation in claim.citations)


@dataclass
class _Draft:
    """The answer while it is made: what was written, what of it was checked, what has been cited."""

    idf: Idf
    question: str = ""
    needed: float = 0.0
    raw: str = ""
    evidence: list[Evidence] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    citations: dict[int, Citation] = field(default_factory=dict)
    prompt_tokens: int = 0
    read_tokens: int = 0
    generated_tokens: int = 0
    ended: bool = False
    dropped: int = 0
    failed: bool = False
    seen: int = 0

    def check(self, *, finished: bool) -> Iterator[Checked]:
        """Check the sentences that have been completed since the last call; at the first that fails, stop."""
        sentences, rest = split_written(self.raw, finished=finished)
        for written in sentences[self.seen :]:
            self.seen += 1
            if written.text == REFUSAL:
                continue
            claim = self._supported(written)
            yield Checked(claim, rest)
            if claim is None:
                self.dropped += 1
                self.failed = True
                return
            self.claims.append(claim)
        if finished and rest.strip() and rest.strip() != REFUSAL:
            self.dropped += 1
            self.failed = True
            yield Checked(None)

    def strays(self) -> bool:
        """Whether the sentence in work cannot be saved: it goes in circles, or states a number of no evidence."""
        _, rest = split_written(self.raw, finished=False)
        text = re.sub(r"\[\d*\]?", "", rest)
        words = terms(text)
        runs = list(zip(*(words[i:] for i in range(_CIRCLE)), strict=False))
        if len(set(runs)) < len(runs):
            return True
        known = {term for item in self.evidence for term in terms(item.sentence.text)}
        start = _unfinished(text, [item.sentence.text for item in self.evidence], known)
        if bare := _BARE_NUMBER.fullmatch(text[start:]):
            # It may still grow: "7" or "77." on its way to "77.9", "10,0" to "10,000", "10" to "10^5", which is 1e5.
            growing = bare[1].replace(",", "").rstrip(".")
            power = growing == "10" and any(re.match(r"1e-?\d", term) for term in known)
            if not power and not any(term.startswith(growing) for term in known):
                return not any(bare[1] in item.sentence.text for item in self.evidence)
        return any(word not in known for word in terms(text[:start]) if any(char.isdigit() for char in word))

    def quote(self, target: int) -> Iterator[Checked]:
        """After a failure, fill up to `target` claims with the best evidence that is not cited yet."""
        if not self.failed:
            return
        ranked = sorted(self.evidence, key=lambda item: -item.score)
        for item in ranked:
            if len(self.claims) >= target or item.score < _QUOTE_MARGIN * ranked[0].score:
                return
            if item.number in self.citations:
                continue
            claim = self._claim(item.sentence.text, [item], Verdict.QUOTED, 1.0, "")
            self.claims.append(claim)
            yield Checked(claim)

    def _supported(self, written: Written) -> Claim | None:
        """The written sentence as a claim, with its own citations or with better ones; None if nothing carries it."""
        earlier = [claim.text for claim in self.claims]
        if repeats(written.text, [self.question, *earlier]):
            return None
        by_number = {item.number: item for item in self.evidence}
        cited = [by_number[number] for number in written.numbers]
        text = without_lead_in(written.text)
        for item in (*cited, *(other for other in self.evidence if other not in cited)):
            result = support(written.text, item.sentence.text, self.idf)
            if not result.objection:
                verdict = Verdict.SUPPORTED if item in cited else Verdict.MOVED
                return self._claim(text, [item], verdict, result.score, written.text)
        parts = _PARTS.split(text)
        if len(cited) > 1 and len(parts) > 1:
            # Each part must rest on one sentence: words taken across two would say what neither says.
            carried = [[not support(part, item.sentence.text, self.idf).objection for item in cited] for part in parts]
            if all(any(row) for row in carried):
                items = [item for place, item in enumerate(cited) if any(row[place] for row in carried)]
                return self._claim(text, items, Verdict.SUPPORTED, 1.0, written.text)
        return None

    def _claim(self, text: str, items: Sequence[Evidence], verdict: Verdict, score: float, written: str) -> Claim:
        return Claim(text, tuple(self._cite(item) for item in items), verdict, score, written)

    def _cite(self, item: Evidence) -> Citation:
        if item.number not in self.citations:
            sentence = item.sentence
            self.citations[item.number] = Citation(
                number=len(self.citations) + 1,
                paper_id=sentence.paper_id,
                key=item.key,
                title=item.title,
                link=item.link,
                sentence=sentence.index,
                start=sentence.start,
                end=sentence.end,
                quote=sentence.text,
            )
        return self.citations[item.number]


def _unfinished(text: str, evidence: Sequence[str], known: Collection[str]) -> int:
    r"""Where the number begins that `text` ends in the middle of; the length of `text` if there is none.

    Half a number is another number: "10" of "10^{-5}", "5m" of "5ms". The last word with a digit is not judged, nor
    what has been copied from the evidence, sign by sign, since a number (`$3 \times 10^{-4}$`).
    """
    numbers = [word.start() for word in re.finditer(r"\S+", text) if any(char.isnumeric() for char in word[0])]
    for start in numbers:
        if len(text) - start <= _LONGEST_NUMBER and any(text[start:] in sentence for sentence in evidence):
            return start
    if (grown := _GROWING.search(text)) and any(start == grown.start() for start in numbers):
        return grown.start()
    if (factor := _FACTOR.search(text)) and any(term.startswith(f"{factor[1]}e") for term in known):
        return factor.start()
    return len(text)


class _Clock:
    """Seconds of each step."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._times: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self._times[name] = now - self._last
        self._last = now

    def mark(self, name: str) -> None:
        self._times.setdefault(name, time.perf_counter() - self._start)

    def finish(self) -> dict[str, float]:
        return {**self._times, "total": time.perf_counter() - self._start}
