"""The checks of free sentences, and that the weights that ship are those of the claims that ship."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from eval.verification.claims import digest, load_claims, load_studies
from eval.verification.corruptions import corrupted
from eval.verification.measuring import MAIN_KINDS, Measured, measure
from eval.verification.training import sample_idf
from rag.checking import WEIGHTS_FILE, WORDS, Check, Verifier, shipped_weights
from rag.embedding import SentenceEmbedder
from rag.wording import alike, canonical, opposed
from tests.test_pure import EVIDENCE, TURNED


def check(written: str, *texts: str, embedder: SentenceEmbedder | None = None) -> Check:
    return Verifier(lambda words: dict.fromkeys(words, 1.0), embedder).check(written, texts)


@pytest.fixture(scope="module")
def measured(embedder: SentenceEmbedder) -> Measured:
    return measure(embedder)


def test_the_claims_are_of_most_papers_and_cite_their_sentences() -> None:
    studies = load_studies()
    claims = load_claims(studies)
    true = [claim for claim in claims if claim.true]
    assert len(true) >= 150
    assert len({claim.study for claim in true}) >= 60
    assert sum(claim.kind != "extract" for claim in true) >= len(true) / 2
    assert sum(not claim.true for claim in claims) >= 40
    assert all(set(claim.evidence) <= set(studies[claim.study].sentences) for claim in claims)


def test_false_claims_are_the_same_each_time_and_differ_from_the_true_ones() -> None:
    studies = load_studies()
    true = [claim for claim in load_claims(studies) if claim.true]
    false = list(corrupted(true, studies))
    assert false == list(corrupted(true, studies))
    assert not {(case.claim, case.evidence) for case in false} & {(case.claim, case.evidence) for case in true}
    assert all(case.half == studies[case.study].half for case in false)


def test_the_shipped_weights_are_those_of_the_shipped_claims(embedder: SentenceEmbedder, measured: Measured) -> None:
    shipped = json.loads((Path(__file__).parents[1] / "rag" / WEIGHTS_FILE).read_text(encoding="utf-8"))
    assert shipped["claims"] == digest(), "run: citable eval verification --write"
    assert set(shipped["models"]) == {embedder.digest, WORDS}
    weights = shipped_weights()[embedder.digest]
    assert weights.weights.keys() == measured.weights.weights.keys()
    # Another processor rounds otherwise.
    assert weights.threshold == pytest.approx(measured.weights.threshold, abs=0.02)
    assert weights.weights == pytest.approx(measured.weights.weights, abs=0.05)


def test_true_claims_are_told_from_false_ones(measured: Measured) -> None:
    """What is reached on the unseen half; the aims, .95 for all and .85 for the worst kind, are not."""
    assert measured.auroc().value >= 0.88
    assert measured.auroc([kind for kinds in MAIN_KINDS.values() for kind in kinds], "rule").value >= 0.92
    assert measured.share(lambda one: not one.case.true).value <= 0.025
    assert measured.share(lambda one: one.case.true).value >= 0.5


def test_what_stands_in_the_evidence_word_for_word_is_supported() -> None:
    checked = check("ReduNet did not reach a speed-up of 0.5.", EVIDENCE)
    assert checked.objection == ""
    assert checked.score > 0.8


@pytest.mark.parametrize(("claim", "evidence"), TURNED)
def test_a_free_sentence_that_turns_its_evidence_round_is_not_supported(
    claim: str, evidence: str, embedder: SentenceEmbedder
) -> None:
    assert check(claim, evidence).objection
    assert check(claim, evidence, embedder=embedder).objection


PARALLEL = "Drug A cut deaths from 29.3% to 23.1% in 40 men within 5 to 6 days, while drug B cut them by 4%."


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("Drug A cut deaths from 29.3% to 23.1% in 41 men.", "41"),
        ("Drug A cut deaths in 40 men within 5 to 6 weeks.", "something else"),
        ("Drug A did not cut deaths in 40 men within 6 days.", "negation"),
        ("Drug A raised deaths in 40 men within 6 days.", "rais"),
        ("Drug C cut deaths in 40 men within 6 days.", ""),
        ("In 40 men, Zyrtolan cut deaths within 6 days.", "Zyrtolan"),
        ("Drug A always cut deaths in 40 men within 6 days.", "alway"),
    ],
)
def test_objections_name_what_is_wrong(claim: str, reason: str) -> None:
    objection = check(claim, PARALLEL).objection
    assert objection
    assert reason in objection


def test_two_sentences_may_carry_one_together() -> None:
    texts = ("Ice left the lakes eleven days earlier in 2019.", "Small lakes did not refreeze in any winter.")
    written = "Ice left the lakes eleven days earlier in 2019; small lakes did not refreeze in any winter."
    assert check(written, *texts).carried_by == (0, 1)
    assert check(texts[1], *texts).carried_by == (1,)


def test_each_sentence_is_embedded_once_and_a_check_is_fast(embedder: SentenceEmbedder) -> None:
    studies = load_studies()
    verifier = Verifier(sample_idf(studies), embedder)
    texts = studies[0].sentences
    asked: list[str] = []

    def encode_tokens(batch: Sequence[str]):  # type: ignore[no-untyped-def]
        asked.extend(batch)
        return SentenceEmbedder.encode_tokens(embedder, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedder, "encode_tokens", encode_tokens)
        started = time.perf_counter()
        for text in texts:
            assert verifier.check(text, texts).objection == ""
        taken = time.perf_counter() - started
    assert len(asked) == len(set(asked))
    # About 30 ms each on an idle machine; this one may be busy.
    assert taken / len(texts) < 0.5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("five percent", "5%"),
        ("5 per cent", "5%"),
        ("less than 0.05", "<0.05"),
        ("5-10%", "5% to 10%"),
        ("5 ms", "5 milliseconds"),
        ("twenty-five men", "25 men"),
        ("15 to 30-fold", "15-fold to 30-fold"),
    ],
)
def test_notations_of_one_quantity_are_the_same(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


def test_words_that_may_stand_for_each_other_and_that_may_not() -> None:
    assert alike("reduc", "lower")
    assert opposed("increas", "decreas")
    assert opposed("known", "unknown")
    assert not opposed("improv", "prove")
    assert not alike("increas", "decreas")
