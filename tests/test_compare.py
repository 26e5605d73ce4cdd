"""Two runs side by side: differences, significance, the questions that changed, gates and warnings."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from eval.comparing import compare_records, comparison_markdown, failed_gates, warnings
from eval.records import Kind, Record
from rag.errors import UsageError
from tests.records import cited, record, reply

MANIFEST: dict[str, Any] = {
    "suite": {"digest": "1"}, "index": {"sha256": "1"}, "selection": {"digest": "1"},
    "machine": {"cpu": "x"}, "models": {"llm": {"sha256": "1"}}, "prompts": {"a": "1"}, "mode": {"counterfactual": 0.2},
    "packages": {"chromadb": "1"}, "code": {"sha256": "1", "commit": "c"}, "config": {"papers": 5, "rankings": "bm25"},
}  # fmt: skip


def run(places: list[int], prefix: str = "q") -> list[Record]:
    """A retrieval run in which question i has its gold paper at `places[i]`."""
    return [
        record(f"{prefix}{i}", Kind.FIND, gold={"g": 1}, ranking=[*(f"x{n}" for n in range(place - 1)), "g"])
        for i, place in enumerate(places)
    ]


def test_a_clear_gain_is_significant_and_counted() -> None:
    comparison = compare_records(run([2] * 9 + [1]), run([1] * 9 + [2]))
    row = next(row for row in comparison.rows if (row.slice, row.metric) == ("find", "Success@1"))
    assert (row.first, row.second) == (0.1, 0.9)
    assert row.difference.value == pytest.approx(0.8)
    assert (row.wins, row.ties, row.losses) == (9, 0, 1)
    assert row.difference.low > 0
    # Two-sided, one or none of ten the other way: 2 * (1 + 10) / 1024, at most times the number of metrics (Holm).
    metrics = sum(row.slice == "find" for row in comparison.rows)
    assert 2 * 11 / 1024 <= row.p <= 2 * 11 / 1024 * metrics
    same = compare_records(run([1, 2]), run([1, 2]))
    assert all(row.p == 1 and row.ties == 2 for row in same.rows if row.metric != "seconds in all")


def test_changes_are_listed_worst_first_with_both_answers() -> None:
    before = [
        record("up", gold={"a": 1}, said=reply([cited(1, "x", "Nothing on it.")])),
        record("down", gold={"a": 1}, said=reply([cited(1, "a", "The ice left.")])),
        record("far", Kind.NONE, said=reply(refused=True)),
    ]
    after = [
        record("up", gold={"a": 1}, said=reply([cited(1, "a", "The ice left.")])),
        record("down", gold={"a": 1}, said=reply([cited(1, "x", "Nothing on it.")])),
        record("far", Kind.NONE, said=reply([cited(1, "x", "Something made up.")])),
    ]
    comparison = compare_records(before, after)
    assert [(change.first.question.id, change.difference) for change in comparison.changes] == [
        ("down", -1.0), ("far", -1.0), ("up", 1.0)
    ]  # fmt: skip
    text = comparison_markdown(comparison, "old", "new", ["Warning: x"])
    worse, better = text.split("## Best gains: 1 of 1")
    assert "## Worst regressions: 2 of 2" in worse
    assert "- A: The ice left. [1] (gold not found)" in worse
    assert "- B: Something made up. [1]" in worse
    assert "**up** (fact)" in better
    assert "Warning: x" in text


def test_less_is_better_for_seconds() -> None:
    slow = run([1, 1])
    fast = [replace(item, timings={"total": 0.1}) for item in slow]
    row = next(row for row in compare_records(slow, fast).rows if row.metric == "seconds in all")
    assert (row.wins, row.losses) == (2, 0)
    assert not failed_gates(compare_records(slow, fast), [("seconds in all", "0")])
    assert failed_gates(compare_records(fast, slow), [("seconds in all", "0.5")])


def test_gates() -> None:
    comparison = compare_records(run([1, 1]), run([1, 2]))
    assert failed_gates(comparison, [("Success@1", "-0.5"), ("find/R@10", "0")]) == []
    assert failed_gates(comparison, [("Success@1", "-0.1")]) == ["all/Success@1 changed by -0.5000, allowed -0.1000"]
    with pytest.raises(UsageError, match="no such metric"):
        failed_gates(comparison, [("nuggets", "0")])
    with pytest.raises(UsageError, match="no number"):
        failed_gates(comparison, [("R@10", "nan")])


def test_runs_of_other_questions_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="no question in common"):
        compare_records(run([1]), run([1], prefix="other"))
    partly = compare_records(run([1, 1]), run([1]))
    assert partly.only_first == ("q1",)
    assert failed_gates(partly, [("R@10", "-1")]) == ["1 questions are in one of the runs only"]
    assert "Warning: 1 questions are in one of the runs only" in " ".join(warnings(MANIFEST, MANIFEST, partly))


def test_warnings_when_more_than_the_settings_differ() -> None:
    comparison = compare_records(run([1]), run([1]))
    assert warnings(MANIFEST, MANIFEST, comparison) == ["Settings that differ: none."]
    other = copy.deepcopy(MANIFEST)
    other["suite"]["digest"] = other["index"]["sha256"] = other["models"]["llm"]["sha256"] = "2"
    other["machine"]["cpu"] = "y"
    other["config"]["rankings"] = "passage"
    other["code"]["sha256"] = "2"
    assert warnings(MANIFEST, other, comparison) == [
        "Warning: The suites differ.",
        "Warning: The indexes differ.",
        "Warning: The machines differ; seconds cannot be compared.",
        "Models that differ: llm.sha256.",
        "The code of the engine differs.",
        "Settings that differ: rankings 'bm25' -> 'passage'.",
    ]
