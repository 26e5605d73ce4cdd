"""Two runs of the same questions -> is the second better, by how much, how surely, and where? Pure.

Differences are of the second run less the first, question by question. p is of a paired randomisation test and is
corrected by Holm's method for the number of metrics of its slice.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval.metrics import answers, refusals
from eval.metrics.intervals import Estimate, estimate, holm, paired_p, resampled
from eval.records import Kind, Record
from eval.scoring import ANSWERABLE, LOWER_IS_BETTER, Scored, score_records, slices
from eval.storage import differences
from eval.summary import plain, short, table
from eval.trec import gold_key
from rag.errors import UsageError

_SHOWN_CHANGES = 20
_ANSWER_CHARS = 400
_SECONDS = {"seconds to the first token": "first_token", "seconds in all": "total"}


@dataclass(frozen=True)
class Row:
    """One metric over one slice. `p` is corrected; wins are questions on which the second run is better.

    A metric of a whole run, such as AUROC, has no p (nan) and no wins.
    """

    slice: str
    metric: str
    first: float
    second: float
    difference: Estimate
    p: float
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True)
class Change:
    """A question whose main score differs between the runs."""

    first: Record
    second: Record
    metric: str
    difference: float


@dataclass(frozen=True)
class Comparison:
    """What two runs have in common, how they differ, and the questions that only one of them holds."""

    rows: tuple[Row, ...]
    changes: tuple[Change, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]


def compare_records(first: Sequence[Record], second: Sequence[Record]) -> Comparison:
    """Compare two runs over the questions that both hold. Raises UsageError if there is none."""
    a, b = ({item.record.question.id: item for item in score_records(records)} for records in (first, second))
    common = [key for key in a if key in b]
    if not common:
        raise UsageError("the two runs have no question in common. Compare two runs of the same suite.")
    rows: list[Row] = []
    for name, part in slices([a[key] for key in common]).items():
        if not name.startswith("gold "):  # What was retrieved differs between the runs.
            keys = [item.record.question.id for item in part]
            rows.extend(_rows(name, [_values(a[key]) for key in keys], [_values(b[key]) for key in keys]))
    rows.extend(_refusal_rows([a[key].record for key in common], [b[key].record for key in common]))
    changes = [change for key in common if (change := _change(a[key], b[key])) is not None]
    return Comparison(
        tuple(rows),
        tuple(sorted(changes, key=lambda change: change.difference)),
        tuple(key for key in a if key not in b),
        tuple(key for key in b if key not in a),
    )


def _values(item: Scored) -> dict[str, float]:
    values = dict(item.scores)
    citations, valid, verbatim = answers.validity_counts(item.record)
    claims, supported, _ = answers.support_counts(item.record)
    if citations:
        values |= {"valid citations": valid / citations, "verbatim quotes": verbatim / citations}
    if claims:
        values["lexical support"] = supported / claims
    return values | {name: item.record.timings[key] for name, key in _SECONDS.items() if key in item.record.timings}


def _rows(name: str, first: Sequence[Mapping[str, float]], second: Sequence[Mapping[str, float]]) -> list[Row]:
    names = dict.fromkeys(metric for values in first for metric in values)
    pairs = {
        metric: [(a[metric], b[metric]) for a, b in zip(first, second, strict=True) if metric in a and metric in b]
        for metric in names
    }
    pairs = {metric: values for metric, values in pairs.items() if values}
    p_values = holm({metric: paired_p(*zip(*values, strict=True)) for metric, values in pairs.items()})
    rows = []
    for metric, values in pairs.items():
        signs = [_sign(b - a) * (-1 if lower_is_better(metric) else 1) for a, b in values]
        rows.append(
            Row(
                slice=name,
                metric=metric,
                first=sum(a for a, _ in values) / len(values),
                second=sum(b for _, b in values) / len(values),
                difference=estimate(np.mean, [b - a for a, b in values]),
                p=p_values[metric],
                wins=signs.count(1),
                ties=signs.count(0),
                losses=signs.count(-1),
            )
        )
    return rows


def _refusal_rows(first: Sequence[Record], second: Sequence[Record]) -> list[Row]:
    """AUROC and AURC of the refusal score, which belong to a run as a whole: no p, and no questions to count."""
    pairs = [
        (a, b)
        for a, b in zip(first, second, strict=True)
        if not (a.error or b.error or a.question.generated) and a.question.kind in ANSWERABLE | {Kind.NONE}
    ]
    none = np.array([a.question.kind is Kind.NONE for a, _ in pairs], dtype=float)
    if not pairs or none.all() or not none.any():
        return []
    scores = [np.array([pair[i].refusal_score for pair in pairs]) for i in (0, 1)]
    rows = [_run_row("AUROC", lambda s, n: refusals.auroc(s, n.astype(bool)), (scores[0], none), (scores[1], none))]
    if all(record.reply for pair in pairs for record in pair):
        wrong = [
            np.array([not answers.answered(pair[i]) or not answers.right(pair[i]) for pair in pairs], dtype=float)
            for i in (0, 1)
        ]
        area = lambda s, w: refusals.area_under_risk_coverage(s, w.astype(bool))  # noqa: E731
        rows.append(_run_row("AURC", area, (scores[0], wrong[0]), (scores[1], wrong[1])))
    return rows


def _run_row(metric: str, figure: Callable[..., float], first: tuple[Any, Any], second: tuple[Any, Any]) -> Row:
    difference = resampled(lambda a, b, c, d: figure(c, d) - figure(a, b), *first, *second)
    return Row("all", metric, figure(*first), figure(*second), difference, math.nan, 0, 0, 0)


def lower_is_better(metric: str) -> bool:
    """Whether less of a metric is better."""
    return metric in LOWER_IS_BETTER or metric in _SECONDS


def _sign(value: float) -> int:
    return 0 if math.isclose(value, 0.0, abs_tol=1e-9) else (1 if value > 0 else -1)


def _main(item: Scored) -> tuple[str, float]:
    """What a question is about first of all, for the list of what changed."""
    scores = item.scores
    if item.record.question.kind is Kind.NONE:
        return "rightly refused", scores.get("rightly refused", 0.0)
    if item.record.reply is None and not item.record.error:
        return "RR@10", scores.get("RR@10", 0.0)
    if "exact list" in scores:
        return "citation F1", scores["citation F1"]
    if "nuggets with quotes" in scores:
        both = (scores["nuggets with quotes"] + scores["citation F1"]) / 2
        return "nuggets with quotes and citation F1", both
    return "citation F1", scores.get("citation F1", 0.0)


def _change(a: Scored, b: Scored) -> Change | None:
    (metric, before), (other, after) = _main(a), _main(b)
    if metric != other or not _sign(after - before):
        return None
    return Change(a.record, b.record, metric, after - before)


def failed_gates(comparison: Comparison, gates: Sequence[tuple[str, str]]) -> list[str]:
    """The gates that are not met: pairs of `METRIC` or `SLICE/METRIC` and the least difference allowed.

    For a metric of which less is better, the greatest. Where the runs do not hold the same questions, no gate is met.
    Raises UsageError for an unknown metric or a limit that is no number.
    """
    rows = {f"{row.slice}/{row.metric}": row for row in comparison.rows}
    failed = []
    left = len(comparison.only_first) + len(comparison.only_second)
    if gates and left:
        failed.append(f"{left} questions are in one of the runs only")
    for name, limit in gates:
        row = rows.get(name) or rows.get(f"all/{name}") or rows.get(f"generated/{name}")
        if row is None:
            raise UsageError(f"--fail-below {name!r}: no such metric. These runs have: {', '.join(rows)}.")
        try:
            least = float(limit)
        except ValueError:
            least = math.nan
        if not math.isfinite(least):
            raise UsageError(f"--fail-below {name}={limit}: {limit!r} is no number.")
        worse = row.difference.value > least if lower_is_better(row.metric) else row.difference.value < least
        if worse:
            failed.append(f"{row.slice}/{row.metric} changed by {row.difference.value:+.4f}, allowed {least:+.4f}")
    return failed


def warnings(a: Mapping[str, Any], b: Mapping[str, Any], comparison: Comparison) -> list[str]:
    """What keeps the difference from being due to the configuration alone, and in what the configurations differ."""
    told = []
    for part, what in (("suite", "The suites"), ("index", "The indexes"), ("selection", "The chosen questions")):
        if differences(a[part], b[part]):
            told.append(f"Warning: {what} differ.")
    if left := len(comparison.only_first) + len(comparison.only_second):
        told.append(f"Warning: {left} questions are in one of the runs only and are left out.")
    if a["machine"] != b["machine"]:
        told.append("Warning: The machines differ; seconds cannot be compared.")
    for part, what in (("models", "Models"), ("prompts", "Prompts"), ("mode", "Mode"), ("packages", "Packages")):
        if changed := differences(a[part], b[part]):
            told.append(f"{what} that differ: {', '.join(changed)}.")
    if a["code"]["sha256"] != b["code"]["sha256"]:
        told.append("The code of the engine differs.")
    settings = [
        f"{key} {a['config'].get(key)!r} -> {b['config'].get(key)!r}" for key in differences(a["config"], b["config"])
    ]
    told.append(f"Settings that differ: {'; '.join(settings) or 'none'}.")
    return told


def comparison_markdown(comparison: Comparison, first: str, second: str, told: Sequence[str]) -> str:
    """The comparison as Markdown: warnings, a table of all metrics, the worst regressions and the best gains."""
    lines = [f"# {second} against {first}", "", *(f"- {line}" for line in told)]
    lines += ["- Difference with 95% bootstrap interval; p of a paired randomisation test, Holm-corrected by slice;"]
    lines[-1] += " * below .05; better/same/worse counts questions."
    rows = [
        [
            row.slice, row.metric, str(row.difference.n), short(row.first), short(row.second),
            f"{row.difference.value:+.3f} [{row.difference.low:+.3f}, {row.difference.high:+.3f}]",
            "-" if math.isnan(row.p) else f"{row.p:.3f}{'*' if row.p < 0.05 else ''}",
            f"{row.wins}/{row.ties}/{row.losses}" if row.wins + row.ties + row.losses else "-",
        ]
        for row in comparison.rows
    ]  # fmt: skip
    lines += ["", *table(["slice", "metric", "n", "A", "B", "B - A", "p", "better/same/worse"], rows)]
    worse = [change for change in comparison.changes if change.difference < 0]
    better = [change for change in reversed(comparison.changes) if change.difference > 0]
    for title, changes in (("Worst regressions", worse), ("Best gains", better)):
        lines += ["", f"## {title}: {min(len(changes), _SHOWN_CHANGES)} of {len(changes)}"]
        for change in changes[:_SHOWN_CHANGES]:
            lines += ["", *_change_lines(change)]
    return "\n".join(lines) + "\n"


def _change_lines(change: Change) -> list[str]:
    question = change.first.question
    kind = plain(f"{question.kind}: {question.subkind}" if question.subkind else question.kind)
    head = f"**{plain(question.id)}** ({kind})"
    lines = [f"{head} {plain(question.question)}", f"- {change.metric}: {change.difference:+.3f}"]
    return [*lines, *(f"- {name}: {_told(record)}" for name, record in (("A", change.first), ("B", change.second)))]


def _told(record: Record) -> str:
    place = _gold_place(record)
    if record.error:
        return f"{plain(record.error)}{place}"
    if record.reply is None:
        first = plain(record.hits[0].title) if record.hits else "nothing"
        return f"first \u201c{first}\u201d{place}"
    text = plain(record.reply.text)
    more = "\u2026" if len(text) > _ANSWER_CHARS else ""
    return f"{text[:_ANSWER_CHARS]}{more}{place}"


def _gold_place(record: Record) -> str:
    if not record.gold:
        return ""
    gold = {gold_key(item.key, item.title) for item in record.gold}
    ranks = [rank for rank, item in enumerate(record.ranking, start=1) if item.key in gold]
    return f" (gold at {ranks[0]})" if ranks else " (gold not found)"
