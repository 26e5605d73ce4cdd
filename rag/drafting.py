"""The answer while it is made: what was written, what of it was checked, what has been cited. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rag.citations import Written, split_written
from rag.grammar import REFUSAL
from rag.records import Checked, Citation, Claim, Evidence, Verdict
from rag.straying import strays
from rag.verification import Idf, repeats, support, without_lead_in

_PARTS = re.compile(r";\s+|,?\s+(?:and|but|while|whereas)\s+")
# A quotation is added to a failed answer while it is nearly as good evidence as the best.
_QUOTE_MARGIN = 0.6


def claim_text(claim: Claim) -> str:
    """A claim as one line of the answer: a quotation in quotation marks, citations behind it."""
    text = f"\u201c{' '.join(claim.text.split())}\u201d" if claim.verdict is Verdict.QUOTED else claim.text
    return text + "".join(f" [{citation.number}]" for citation in claim.citations)


@dataclass
class Draft:
    """The answer while it is made: what was written, what of it was checked, what has been cited."""

    idf: Idf
    question: str = ""
    confidence: float = 0.0
    unmet: tuple[str, ...] = ()
    raw: str = ""
    evidence: list[Evidence] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    citations: dict[int, Citation] = field(default_factory=dict)
    prompt_tokens: int = 0
    read_tokens: int = 0
    generated_tokens: int = 0
    ended: bool = False
    dropped: int = 0
    passed_over: int = 0
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
        """Whether the sentence in work cannot be saved."""
        _, rest = split_written(self.raw, finished=False)
        return strays(re.sub(r"\[\d*\]?", "", rest), [item.sentence.text for item in self.evidence])

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
        # A model that no grammar holds may cite what was not shown.
        cited = [by_number[number] for number in written.numbers if number in by_number]
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
