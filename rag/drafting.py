"""The answer while it is made: what was written, what of it was checked, what has been cited. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rag.checking import Verifier
from rag.citations import Written, split_written
from rag.grammar import REFUSAL
from rag.quantities import levelled
from rag.records import Checked, Citation, Claim, Evidence, Sampling, Verdict
from rag.repetition import says_nothing_new
from rag.straying import strays
from rag.terms import content_terms
from rag.verification import Idf, repeats, support, without_lead_in
from rag.worth import worth_quoting

# Quotations that take the place of an answer, at the most.
MOST_QUOTED = 5
# The share of a written sentence's words that a sentence must hold, in their order, to be quoted in its place.
_LIKE = 0.4


def claim_text(claim: Claim) -> str:
    """A claim as one line of the answer: a quotation in quotation marks, citations behind it."""
    text = f"\u201c{' '.join(claim.text.split())}\u201d" if claim.verdict is Verdict.QUOTED else claim.text
    return text + "".join(f" [{citation.number}]" for citation in claim.citations)


@dataclass
class Draft:
    """The answer while it is made. `lengths` maps papers, by key, to the number of their sentences.

    `several` tells that sentences of several papers were asked for and all evidence is worth quoting. `failed` tells
    that a sentence could not be saved; a `patient` draft goes on after it.
    """

    idf: Idf
    question: str = ""
    several: bool = False
    patient: bool = False
    sampling: Sampling | None = None
    raw: str = ""
    evidence: list[Evidence] = field(default_factory=list)
    lengths: Mapping[str, int] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    citations: dict[int, Citation] = field(default_factory=dict)
    prompt_tokens: int = 0
    read_tokens: int = 0
    generated_tokens: int = 0
    ended: bool = False
    dropped: int = 0
    failed: bool = False
    seen: int = 0

    def __post_init__(self) -> None:
        self._verifier = Verifier(self.idf)

    @property
    def most_quoted(self) -> int:
        """How many quotations may take the place of an answer."""
        return len(self.evidence) if self.several else MOST_QUOTED

    def blank(self) -> "Draft":
        """A new draft of the same answer."""
        return Draft(
            self.idf, self.question, self.several, evidence=self.evidence, lengths=self.lengths,
            prompt_tokens=self.prompt_tokens,
        )  # fmt: skip

    def check(self, *, finished: bool) -> Iterator[Checked]:
        """Check the sentences with citations that have been completed since the last call.

        At the first that nothing supports the draft has failed: no more is looked at, unless it is patient.
        """
        sentences, rest = split_written(self.raw, finished=finished)
        for written in sentences[self.seen :]:
            self.seen += 1
            yield from self.take(written, rest)
            if self.failed and not self.patient:
                return
        if finished and rest.strip() and rest.strip() != REFUSAL:
            self.dropped += 1
            self.failed = True
            yield Checked(None)

    def take(self, written: Written, rest: str = "") -> Iterator[Checked]:
        """Check one sentence: it is kept, or in a patient draft replaced by what it should have said, or left out."""
        if written.text == REFUSAL:
            return
        claim = self._supported(written)
        if claim is None:
            self.failed = True
            if self.patient:
                claim = self._replaced(written)
            self.dropped += claim is None
        if claim:
            self.claims.append(claim)
        yield Checked(claim, rest)

    def strays(self) -> bool:
        """Whether the sentence in work cannot be saved."""
        _, rest = split_written(self.raw, finished=False)
        texts = [item.sentence.text for item in self.evidence]
        # "25" may stand for the evidence's "twenty-five".
        return strays(re.sub(r"\[\d*\]?", "", rest), [*texts, *map(levelled, texts)])

    @property
    def has_own(self) -> bool:
        """Whether a sentence that the model wrote has passed; quotations in place of failed ones are none."""
        return any(claim.verdict is not Verdict.QUOTED for claim in self.claims)

    def quote_best(self) -> Iterator[Checked]:
        """Quote what of the evidence is worth it and has not been said."""
        if self.several:
            yield from self.quote(self.evidence)
            return
        most = MOST_QUOTED - len(self.claims)
        yield from self.quote(worth_quoting(self.question, self.evidence, self.lengths, self.idf, MOST_QUOTED)[:most])

    def quote(self, items: Iterable[Evidence]) -> Iterator[Checked]:
        """Quote `items` in their order, less those that are cited already or say nothing new."""
        for item in items:
            if self._is_new(item):
                claim = self._claim(item.sentence.text, [item], Verdict.QUOTED, 1.0, "")
                self.claims.append(claim)
                yield Checked(claim)

    def rank(self) -> tuple[float, float]:
        """How good the draft is, more is better: share of its sentences that stand as written, and the weighted share
        of the question's words that the claims have.
        """
        own = [claim for claim in self.claims if claim.verdict is not Verdict.QUOTED]
        weights = self.idf(content_terms(self.question))
        told = {word for claim in self.claims for word in content_terms(claim.text)}
        covered = sum(weight for word, weight in weights.items() if word in told)
        return (
            len(own) / max(1, len(self.claims) + self.dropped),
            covered / (sum(weights.values()) or 1.0),
        )

    def _is_new(self, item: Evidence) -> bool:
        if item.number in self.citations:
            return False
        quotes = self.citations.values()
        if self.several:
            # That another paper says the same is what was asked.
            same = [one.quote for one in quotes if one.key == item.key]
            return all(one.quote != item.sentence.text for one in quotes) and not says_nothing_new(
                item.sentence.text, same, self.idf
            )
        told = [claim.text for claim in self.claims] + [citation.quote for citation in quotes]
        return not says_nothing_new(item.sentence.text, told, self.idf)

    def _supported(self, written: Written) -> Claim | None:
        """The written sentence as a claim, with its own citations or with better ones; None if nothing carries it."""
        earlier = [claim.text for claim in self.claims]
        text = without_lead_in(written.text)
        if repeats(written.text, [self.question, *earlier]) or says_nothing_new(text, earlier, self.idf):
            return None
        by_number = {item.number: item for item in self.evidence}
        # A model that no grammar holds may cite what was not shown.
        cited = [by_number[number] for number in written.numbers if number in by_number]
        checked = self._verifier.check(text, [item.sentence.text for item in cited])
        if not checked.objection:
            return self._own(written, [cited[place] for place in checked.carried_by], Verdict.SUPPORTED)
        others = self._others(cited)
        carrying = [item for item in others if not self._verifier.check(text, [item.sentence.text]).objection]
        if not carrying:
            return None
        best = max(carrying, key=lambda item: self._probability(written, [item]))
        return self._own(written, [best], Verdict.MOVED if written.numbers else Verdict.SUPPORTED)

    def _replaced(self, written: Written) -> Claim | None:
        """The sentence that the written one comes nearest to, word for word: a cited one, else any. None if none is
        near, or if it has been said.
        """
        by_number = {item.number: item for item in self.evidence}
        cited = [by_number[number] for number in written.numbers if number in by_number]
        for items in (cited, self._others(cited)):
            like = [item for item in items if support(written.text, item.sentence.text, self.idf).score >= _LIKE]
            if like:
                item = max(like, key=lambda item: self._probability(written, [item]))
                if not self._is_new(item):
                    return None
                return self._claim(item.sentence.text, [item], Verdict.QUOTED, 1.0, written.text)
        return None

    def _others(self, cited: Sequence[Evidence]) -> list[Evidence]:
        return sorted((item for item in self.evidence if item not in cited), key=lambda item: -item.score)

    def _own(self, written: Written, items: Sequence[Evidence], verdict: Verdict) -> Claim:
        score = self._probability(written, items)
        return self._claim(without_lead_in(written.text), items, verdict, score, written.text)

    def _probability(self, written: Written, items: Sequence[Evidence]) -> float:
        return self._verifier.probability(written.text, [item.sentence.text for item in items])

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
