"""Records of evaluations made by hand."""

from collections.abc import Sequence
from typing import Any

from eval.records import (
    CitedSentence,
    Gold,
    Kind,
    Question,
    Ranked,
    Record,
    Reply,
    ShownPaper,
    ShownSentence,
    StatedClaim,
)


def cited(
    number: int, key: str, quote: str = "Ice left.", *, sentence: int = 0, verbatim: bool = True
) -> CitedSentence:
    return CitedSentence(number, key, key.upper(), sentence, quote, verbatim)


def reply(citations: Sequence[CitedSentence] = (), text: str = "", *, refused: bool = False, **more: Any) -> Reply:
    """A reply that quotes each of its citations, shown all of them as evidence."""
    claims = tuple(StatedClaim(item.quote, (item.number,), "quoted", 1.0, "") for item in citations)
    shown = tuple(ShownSentence(item.number, item.key, item.title, item.sentence, item.quote) for item in citations)
    text = text or " ".join(f"{claim.text} [{claim.citations[0]}]" for claim in claims) or "The papers do not say."
    given: dict[str, Any] = {"claims": claims, "evidence": shown, "parsed": True, **more}
    return Reply(
        text=text, refused=refused, citations=tuple(citations), raw="", ended=True, dropped=0, prompt_tokens=150,
        read_tokens=100, generated_tokens=11, **given,
    )  # fmt: skip


def record(
    name: str = "q1",
    kind: Kind = Kind.FACT,
    *,
    gold: dict[str, int] | None = None,
    ranking: Sequence[str] = (),
    said: Reply | None = None,
    score: float = -0.2,
    **question: Any,
) -> Record:
    """A record whose gold papers are keys; those not in the ranking are in the index all the same."""
    gold = gold or {}
    return Record(
        question=Question(name, kind, question.pop("question", f"What of {name}?"), gold=gold, **question),
        gold=tuple(Gold(key, key.upper(), grade) for key, grade in gold.items()),
        ranking=tuple(Ranked(key, 1.0 - 0.1 * i) for i, key in enumerate(ranking)),
        hits=tuple(ShownPaper(key, key.upper(), 1.0 - 0.1 * i, {"bm25": 2.0}) for i, key in enumerate(ranking[:5])),
        confidence=0.3 - score,
        refusal_score=score,
        reply=said,
        counterfactual=None,
        error="",
        timings={"search": 0.1, "evidence": 0.1, "first_token": 1.2, "write": 2.0, "total": 2.2, "peak_memory": 500.0},
    )
