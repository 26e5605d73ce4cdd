"""Records -> `metrics.json`: every figure with its 95% interval and n, by kind and by what retrieval found. Pure.

Needs the records alone, neither index nor models.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from eval.metrics import answers, ranking, refusals
from eval.metrics.intervals import Estimate, mean, quantile, ratio, resampled
from eval.records import Kind, Record

# Metrics where less is better.
LOWER_IS_BETTER = frozenset({"keeps facts without cited", "AURC"})
ANSWERABLE = frozenset({Kind.FACT, Kind.FIND, Kind.MULTI, Kind.FOLLOWUP})


@dataclass(frozen=True)
class Scored:
    """A record with its own scores, by metric."""

    record: Record
    scores: Mapping[str, float]


def score_records(records: Sequence[Record]) -> list[Scored]:
    """The scores of each record: only metrics that its question asks for, an error counting as 0 in all of them."""
    ranked = ranking.ranking_scores(records)
    return [Scored(record, _scores(record, ranked.get(record.question.id, {}))) for record in records]


def _scores(record: Record, ranked: Mapping[str, float]) -> dict[str, float]:
    scores = dict(ranked)
    if record.reply is None and not record.error:
        return scores
    none = record.question.kind is Kind.NONE
    # For a question without answer, refusing is right; the name says which way is up.
    scores["rightly refused" if none else "answered"] = float(answers.answered(record) != none and not record.error)
    scores |= answers.citation_scores(record)
    scores |= answers.answer_scores(record)
    scores |= answers.listing_scores(record)
    scores |= answers.counterfactual_scores(record)
    return scores


def slices(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """The parts that figures are given for. Generated questions stand apart from written ones, and are in no other."""
    parts: dict[str, list[Scored]] = {}
    for item in scored:
        for name in _slices_of(item.record):
            parts.setdefault(name, []).append(item)
    order = {name: rank for rank, name in enumerate(["all", *Kind])}
    return dict(sorted(parts.items(), key=lambda part: (order.get(part[0].partition(":")[0], 99), part[0])))


def _slices_of(record: Record) -> Iterable[str]:
    question = record.question
    if question.generated:
        yield "generated"
        yield f"generated: {question.kind}"
        return
    yield "all"
    yield question.kind.value
    if question.subkind:
        yield f"{question.kind}: {question.subkind}"
    if record.gold and question.kind in ANSWERABLE:
        yield "gold retrieved" if gold_retrieved(record) else "gold not retrieved"


def gold_retrieved(record: Record) -> bool:
    """Whether a gold paper is among those that the answer could draw on."""
    return bool({hit.key for hit in record.hits} & {gold.key for gold in record.gold if gold.key})


def compute_metrics(records: Sequence[Record]) -> dict[str, Any]:
    """All figures of a run, as plain data for JSON; a figure that has no cases is left out."""
    scored = score_records(records)
    parts = slices(scored)
    return {
        "questions": len(records),
        "errors": sum(bool(record.error) for record in records),
        "unparsed": sum(record.reply is not None and not record.reply.parsed for record in records),
        "gold_not_in_index": sum(not gold.key for record in records for gold in record.gold),
        "slices": {
            name: {
                "n": len(part),
                "metrics": {key: _plain(value) for key, value in _slice(part).items() if _known(value)},
            }
            for name, part in parts.items()
        },
        "refusal": _refusal([record for record in records if not record.question.generated]),
        "refusal, generated": _refusal([record for record in records if record.question.generated]),
        "recall_by_depth": {
            name: _recall_curve(part) for name, part in parts.items() if any(item.record.gold for item in part)
        },
        "cost": {key: _plain(value) for key, value in _cost(records).items() if _known(value)},
        "latency": {
            "first_token": [r.timings["first_token"] for r in records if "first_token" in r.timings],
            "total": [r.timings["total"] for r in records if "total" in r.timings],
        },
    }


def _slice(part: Sequence[Scored]) -> dict[str, Estimate]:
    names = dict.fromkeys(name for item in part for name in item.scores)
    figures = {name: mean([item.scores[name] for item in part if name in item.scores]) for name in names}
    records = [item.record for item in part]
    judged = [record for record in records if record.gold and (record.reply or record.error)]
    hits, cited, gold = _columns([answers.citation_counts(record) for record in judged])
    figures["citation precision, micro"] = ratio(hits, cited)
    figures["citation recall, micro"] = ratio(hits, gold)
    figures["citation F1, micro"] = ratio([2 * hit for hit in hits], [c + g for c, g in zip(cited, gold, strict=True)])
    citations, valid, verbatim = _columns([answers.validity_counts(record) for record in records])
    figures["valid citations"] = ratio(valid, citations)
    figures["verbatim quotes"] = ratio(verbatim, citations)
    claims, supported, quoted = _columns([answers.support_counts(record) for record in records])
    figures["lexical support"] = ratio(supported, claims)
    figures["quoted sentences"] = ratio(quoted, claims)
    return figures


def _columns(rows: Sequence[tuple[int, int, int]]) -> tuple[list[int], list[int], list[int]]:
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def _recall_curve(part: Sequence[Scored]) -> list[dict[str, float | None]]:
    curves = ranking.recall_by_depth([item.record for item in part]).values()
    return [{"k": depth, **_plain(mean([curve[depth] for curve in curves]))} for depth in ranking.RECALL_DEPTHS]


def _refusal(records: Sequence[Record]) -> dict[str, Any]:
    """How well the refusal score tells questions without answer from the others, and what a threshold on it buys.

    Listing questions are left out, as they ask for papers by other things than what they say, and so are errors. In the
    risk-coverage curve a refused question counts as one that would have been answered wrongly: nobody knows better.
    """
    kept = [r for r in records if not r.error and (r.question.kind in ANSWERABLE or r.question.kind is Kind.NONE)]
    scores = np.array([record.refusal_score for record in kept])
    none = np.array([record.question.kind is Kind.NONE for record in kept])
    if not none.any() or none.all():
        return {}
    figures: dict[str, Any] = {
        "AUROC": _plain(resampled(lambda s, n: refusals.auroc(s, n.astype(bool)), scores, none)),
        "coverage at 90% refusal": _plain(
            resampled(lambda s, n: refusals.coverage_at_refusal(s, n.astype(bool)), scores, none)
        ),
        "AUROC by subkind": {
            subkind: _plain(_auroc_of(kept, scores, none, subkind))
            for subkind in dict.fromkeys(r.question.subkind for r in kept if r.question.kind is Kind.NONE)
        },
        "calibration": [asdict(one) for one in refusals.calibration(np.array([r.confidence for r in kept]), none)],
    }
    if all(record.reply for record in kept):
        wrong = np.array([not answers.answered(r) or not answers.right(r) for r in kept])
        coverage, risk = refusals.risk_coverage(scores, wrong)
        figures["AURC"] = _plain(
            resampled(lambda s, w: refusals.area_under_risk_coverage(s, w.astype(bool)), scores, wrong)
        )
        figures["risk-coverage"] = {
            "coverage": [round(float(c), 6) for c in coverage], "risk": [round(float(r), 6) for r in risk]
        }  # fmt: skip
        chosen = [answers.answered(record) for record in kept]
        figures["operating point"] = {
            "coverage": sum(chosen) / len(kept),
            "risk": float(wrong[chosen].mean()) if any(chosen) else 0.0,
        }
    return figures


def _auroc_of(kept: Sequence[Record], scores: Any, none: Any, subkind: str) -> Estimate:
    mask = np.array([not n or r.question.subkind == subkind for r, n in zip(kept, none, strict=True)])
    return resampled(lambda s, n: refusals.auroc(s, n.astype(bool)), scores[mask], none[mask])


def _cost(records: Sequence[Record]) -> dict[str, Estimate]:
    """Seconds as quantiles; tokens and tokens a second as means over the questions that were written for."""
    figures: dict[str, Estimate] = {}
    for name, key in (("retrieval", "search"), ("first token", "first_token"), ("total", "total")):
        values = [record.timings[key] for record in records if key in record.timings]
        for share in (0.5, 0.95):
            figures[f"{name} p{share * 100:.0f}, s"] = quantile(values, share)
    written = [record for record in records if record.reply and "first_token" in record.timings]
    figures["prompt tokens"] = mean([record.reply.prompt_tokens for record in written if record.reply])
    figures["generated tokens"] = mean([record.reply.generated_tokens for record in written if record.reply])
    figures["reading, tokens/s"] = mean(_rates(written, _reading))
    figures["writing, tokens/s"] = mean(_rates(written, _writing))
    peaks = [record.timings["peak_memory"] for record in records if "peak_memory" in record.timings]
    figures["peak memory, MiB"] = Estimate(max(peaks), max(peaks), max(peaks), len(peaks)) if peaks else mean([])
    return figures


def _rates(records: Sequence[Record], measure: Callable[[Record], tuple[float, float]]) -> list[float]:
    pairs = [measure(record) for record in records]
    return [tokens / seconds for tokens, seconds in pairs if tokens > 0 and seconds > 0]


def _reading(record: Record) -> tuple[float, float]:
    """Tokens of the prompt that were new to the model, and the seconds from the evidence to the first one written."""
    assert record.reply
    return record.reply.read_tokens, record.timings["first_token"] - _before_reading(record)


def _writing(record: Record) -> tuple[float, float]:
    assert record.reply
    reading = record.timings["first_token"] - _before_reading(record)
    return record.reply.generated_tokens - 1, record.timings.get("write", 0.0) - reading


def _before_reading(record: Record) -> float:
    return sum(record.timings.get(step, 0.0) for step in ("search", "rerank", "evidence"))


def _known(value: Estimate) -> bool:
    return value.n > 0 and math.isfinite(value.value)


def _plain(value: Estimate) -> dict[str, float | None]:
    """An estimate for JSON, which knows no nan."""
    return {
        key: (round(number, 6) if math.isfinite(number) else None) if isinstance(number, float) else number
        for key, number in asdict(value).items()
    }
