"""Every metric against values worked out by hand, and the rankings against ir_measures on the exported files."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytest

from eval.metrics import answers, intervals, ranking, refusals
from eval.records import Counterfactual, Kind, Record, StatedClaim
from eval.scoring import compute_metrics, score_records, slices
from eval.storage import write_trec
from eval.summary import summary_markdown
from eval.trec import falling_scores
from tests.records import cited, record, reply


def figure(records: list[Record], metric: str, part: str = "all") -> float:
    return float(compute_metrics(records)["slices"][part]["metrics"][metric]["value"])


# -- ranking -----------------------------------------------------------------------------------------------------


def test_ranking_measures_by_hand() -> None:
    one = record("q1", gold={"b": 2, "d": 1}, ranking=["a", "b", "c", "d"])
    scores = ranking.ranking_scores([one])["q1"]
    assert scores["Success@1"] == 0
    assert scores["RR@10"] == 0.5
    assert scores["R@5"] == 1
    assert scores["AP"] == pytest.approx((1 / 2 + 2 / 4) / 2)
    gained = 2 / math.log2(3) + 1 / math.log2(5)
    assert scores["nDCG@10"] == pytest.approx(gained / (2 / math.log2(2) + 1 / math.log2(3)))


def test_what_was_not_found_or_is_not_in_the_index_counts() -> None:
    nothing = record("q1", gold={"a": 1})
    absent = replace(record("q2", gold={"a": 1, "x": 1}, ranking=["a"]))
    absent = replace(absent, gold=(absent.gold[0], replace(absent.gold[1], key="")))
    scores = ranking.ranking_scores([nothing, absent, record("q3", Kind.NONE)])
    assert set(scores) == {"q1", "q2"}
    assert set(scores["q1"].values()) == {0.0}
    assert (scores["q2"]["Success@1"], scores["q2"]["R@100"]) == (1.0, 0.5)


def test_the_exported_files_give_ir_measures_the_same_figures(tmp_path: Path) -> None:
    records = [
        record("q 1", gold={"b": 2, "d": 1}, ranking=["a", "b", "c", "d"]),
        record("q2", gold={"k7": 1}, ranking=[f"k{i}" for i in range(12)]),
        record("q3", gold={"z": 3}, ranking=["a", "b"]),
    ]
    # Equal scores must not let trec_eval's own order of ties replace ours.
    records[1] = replace(records[1], ranking=tuple(replace(item, score=0.5) for item in records[1].ranking))
    write_trec(tmp_path, records, "tag")
    qrels = list(ir_measures.read_trec_qrels(str(tmp_path / "qrels.trec")))
    run = list(ir_measures.read_trec_run(str(tmp_path / "run.trec")))
    names = [ir_measures.parse_measure(name) for name in ranking.NAMES]
    outside = ir_measures.calc_aggregate(names, qrels, run)
    for measure, value in outside.items():
        assert figure(records, str(measure)) == pytest.approx(value, abs=1e-6)
    assert ranking.ranking_scores(records)["q2"]["RR@10"] == pytest.approx(1 / 8)


def test_scores_are_made_strictly_falling() -> None:
    assert falling_scores([0.9, 0.5, 0.5, 0.5000001, 0.2]) == [0.9, 0.5, 0.499999, 0.499998, 0.2]


def test_recall_by_depth() -> None:
    curve = ranking.recall_by_depth([record(gold={"b": 1, "x": 1}, ranking=["a", "b"])])["q1"]
    assert (curve[1], curve[2], curve[100]) == (0, 0.5, 0.5)


# -- answers -----------------------------------------------------------------------------------------------------


def test_citations_against_gold_papers() -> None:
    two = record("q1", gold={"a": 1, "b": 1, "c": 1}, said=reply([cited(1, "a"), cited(2, "x"), cited(3, "a")]))
    scores = answers.citation_scores(two)
    assert scores["citation precision"] == 0.5
    assert scores["citation recall"] == pytest.approx(1 / 3)
    assert scores["citation F1"] == pytest.approx(0.4)
    assert answers.citation_counts(two) == (1, 2, 3)


def test_an_answer_without_citations_counts_as_zero_and_is_not_skipped() -> None:
    good = record("q1", gold={"a": 1}, ranking=["a"], said=reply([cited(1, "a")]))
    refused = record("q2", gold={"a": 1}, ranking=["a"], said=reply(refused=True))
    failed = replace(record("q3", gold={"a": 1}), error="UsageError: too long")
    figures = compute_metrics([good, refused, failed])["slices"]["all"]["metrics"]
    for name in ("citation precision", "citation recall", "citation F1", "answered", "Success@1"):
        assert figures[name]["n"] == 3
    assert figures["citation precision"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert figures["citation recall, micro"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert figures["citation precision, micro"]["value"] == 1.0


def test_validity_and_verbatim_quotes() -> None:
    answer = reply([cited(1, "a"), cited(2, "b", sentence=4), cited(3, "c", verbatim=False)])
    answer = replace(answer, evidence=answer.evidence[:1] + answer.evidence[2:])
    assert answers.validity_counts(record(said=answer)) == (3, 2, 2)
    metrics = compute_metrics([record(gold={"a": 1}, said=answer)])["slices"]["all"]["metrics"]
    assert (metrics["valid citations"]["value"], metrics["valid citations"]["n"]) == (0.666667, 3)


def test_key_facts_in_the_answer_and_in_its_quotes() -> None:
    nuggets = (("77 ms", "77 milliseconds"), ("ice",))
    question: dict[str, Any] = {"nuggets": nuggets, "gold": {"a": 1}, "answer": "Ice in 77 ms."}
    own = record(said=reply([cited(1, "a", "The ICE left.")], text="It took 77\nms. [1]"), **question)
    scores = answers.answer_scores(own)
    assert (scores["nuggets in answer"], scores["nuggets with quotes"]) == (0.5, 1.0)
    assert scores["all nuggets with quotes"] == 1.0
    # "in 77 ms" against "it took 77 ms": the longest common subsequence is two words of four and of four.
    assert scores["ROUGE-L"] == pytest.approx(0.5)
    refused = answers.answer_scores(record(said=reply(refused=True), **question))
    assert set(refused.values()) == {0.0}


def test_lexical_support_asks_for_every_word_and_number() -> None:
    answer = reply([cited(1, "a", "Fish stayed for 77 days.")])
    added = StatedClaim("Fish stayed for 78 days", (1,), "supported", 1.0, "")
    bent = StatedClaim("The fish stay 77 days", (1,), "supported", 1.0, "")
    answer = replace(answer, claims=(*answer.claims, added, bent))
    assert answers.support_counts(record(said=answer)) == (3, 2, 1)


def test_listing_questions() -> None:
    answer = reply([cited(1, "a"), cited(2, "b")], text="There are 2 of them. [1] [2]")
    right = record("q", Kind.META, gold={"a": 1, "b": 1}, said=answer, count=2)
    assert answers.listing_scores(right) == {"exact list": 1.0, "count stated": 1.0}
    wrong = record("q", Kind.META, gold={"a": 1, "b": 1, "c": 1}, said=answer, count=3)
    assert answers.listing_scores(wrong) == {"exact list": 0.0, "count stated": 0.0}


def test_counterfactual_answers() -> None:
    first = record(gold={"a": 1}, nuggets=(("ice",),), said=reply([cited(1, "a")]))
    assert answers.counterfactual_scores(first) == {}
    same = replace(first, counterfactual=Counterfactual(("a",), first.reply.text if first.reply else "", False, ("b",)))
    assert answers.counterfactual_scores(same) == {
        "changed without cited": 0.0, "refused without cited": 0.0, "keeps facts without cited": 1.0
    }  # fmt: skip
    gone = replace(first, counterfactual=Counterfactual(("a",), "The papers do not say.", True, ()))
    assert answers.counterfactual_scores(gone)["changed without cited"] == 1.0
    assert answers.counterfactual_scores(gone)["keeps facts without cited"] == 0.0


# -- refusals ----------------------------------------------------------------------------------------------------


def test_auroc_counts_pairs() -> None:
    scores, none = np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True])
    assert refusals.auroc(scores, none) == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert math.isnan(refusals.auroc(scores, np.array([True] * 4)))


def test_risk_coverage_shares_ties() -> None:
    scores, wrong = np.array([0.3, 0.1, 0.3, 0.9]), np.array([True, False, False, True])
    coverage, risk = refusals.risk_coverage(scores, wrong)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0, 0.25, 1 / 3, 0.5])
    assert refusals.area_under_risk_coverage(scores, wrong) == pytest.approx((0.25 + 1 / 3 + 0.5) / 4)


def test_coverage_at_refusal() -> None:
    scores = np.array([*np.arange(10) / 10, 0.05, 0.15, 0.25, 0.95])
    none = np.array([True] * 10 + [False] * 4)
    # Nine of ten are refused from 0.1 on; only 0.05 lies below.
    assert refusals.coverage_at_refusal(scores, none, 0.9) == pytest.approx(0.25)
    assert refusals.coverage_at_refusal(scores, none, 0.1) == pytest.approx(0.75)


def test_refusals_in_the_metrics() -> None:
    records = [
        record("a", gold={"k": 1}, ranking=["k"], said=reply([cited(1, "k")]), score=-0.3),
        record("b", gold={"k": 1}, ranking=["x"], said=reply([cited(1, "x")]), score=-0.2),
        record("c", Kind.NONE, subkind="near", said=reply([cited(1, "x")]), score=-0.1),
        record("d", Kind.NONE, subkind="far", said=reply(refused=True), score=0.1),
    ]
    metrics = compute_metrics(records)
    assert metrics["slices"]["none"]["metrics"]["rightly refused"]["value"] == 0.5
    assert metrics["slices"]["none: far"]["metrics"]["rightly refused"]["value"] == 1.0
    assert metrics["refusal"]["AUROC"]["value"] == 1.0
    assert metrics["refusal"]["risk-coverage"]["risk"] == [0.0, 0.5, 0.666667, 0.75]
    assert metrics["refusal"]["operating point"] == {"coverage": 0.75, "risk": pytest.approx(2 / 3)}
    assert set(metrics["slices"]) >= {"gold retrieved", "gold not retrieved"}


# -- intervals ---------------------------------------------------------------------------------------------------


def test_intervals_hold_the_mean_and_narrow_with_n() -> None:
    few, many = intervals.mean([0, 1] * 5), intervals.mean([0, 1] * 500)
    assert few.low < 0.5 < few.high
    assert many.high - many.low < few.high - few.low
    # The normal approximation: 1.96 * sqrt(.25 / 1000).
    assert many.high - 0.5 == pytest.approx(0.031, abs=0.004)
    assert intervals.mean([0.5, 0.5]) == intervals.Estimate(0.5, 0.5, 0.5, 2)
    # Where all are right the bootstrap sees no spread: exact, (.05 / 2) ** (1 / n).
    assert intervals.mean([1.0] * 4).low == pytest.approx(0.025**0.25)
    assert intervals.mean([0.0] * 100).high == pytest.approx(1 - 0.025**0.01)
    assert intervals.mean([]).n == 0


def test_micro_means_and_quantiles() -> None:
    assert intervals.ratio([1, 0], [3, 1]).value == 0.25
    # Cases without a whole say nothing, and no resample consists of them alone.
    assert intervals.ratio([2, 1, 0, 0, 0, 0], [4, 2, 0, 0, 0, 0]) == intervals.Estimate(0.5, 0.5, 0.5, 6)
    assert intervals.ratio([0, 0], [0, 0]).n == 0
    assert intervals.quantile([1, 2, 3, 4, 5], 0.5).value == 3


def test_the_paired_test_is_exact_for_few_pairs() -> None:
    assert intervals.paired_p([0] * 6, [1] * 6) == pytest.approx(2 / 2**6)
    assert intervals.paired_p([0, 0, 1, 1, 0], [1, 1, 0, 0, 0]) == 1.0
    assert intervals.paired_p([1, 0], [1, 0]) == 1.0
    assert intervals.paired_p([0], [1]) == 1.0


def test_holm() -> None:
    corrected = intervals.holm({"a": 0.04, "b": 0.01, "c": 0.03})
    assert corrected == {"a": pytest.approx(0.06), "b": pytest.approx(0.03), "c": pytest.approx(0.06)}


# -- all together ------------------------------------------------------------------------------------------------


def test_generated_questions_stand_apart() -> None:
    written = record("a", gold={"k": 1}, ranking=["k"])
    made = record("b", gold={"k": 1}, ranking=["x"], generated=True)
    parts = slices(score_records([written, made]))
    assert [item.record.question.id for item in parts["all"]] == ["a"]
    assert [item.record.question.id for item in parts["generated: fact"]] == ["b"]


def test_retrieval_alone_is_not_scored_as_answers() -> None:
    metrics = compute_metrics([record(gold={"k": 1}, ranking=["k"])])
    assert "answered" not in metrics["slices"]["fact"]["metrics"]
    assert "citation precision" not in metrics["slices"]["fact"]["metrics"]


def test_cost() -> None:
    cost = compute_metrics([record(gold={"k": 1}, said=reply([cited(1, "k")]))])["cost"]
    assert cost["first token p50, s"]["value"] == 1.2
    assert cost["reading, tokens/s"]["value"] == pytest.approx(100 / 1.0)
    assert cost["writing, tokens/s"]["value"] == pytest.approx(10 / 1.0)
    assert cost["peak memory, MiB"]["value"] == 500


def test_the_summary_tells_what_a_reader_must_know() -> None:
    records = [
        replace(record("a", gold={"k": 1}), error="UsageError: x"),
        record("b", gold={"k": 1}, ranking=["k"], generated=True),
    ]
    manifest = {
        "created": "2026", "name": "mine", "notes": ["A note."], "machine": {"cpu": "CPU"},
        "code": {"commit": "abc", "dirty": True}, "index": {"papers": 3},
        "models": {"llm": None, "embedding": {"name": "bundled"}},
    }  # fmt: skip
    text = summary_markdown(manifest, compute_metrics(records), looks=2)
    for told in ("A note.", "optimistic", "looked at 2 times", "1 questions ended in an error", "generated: fact"):
        assert told in text
