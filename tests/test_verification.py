"""The checks of free sentences, and that the weights that ship are those of the claims that ship."""

import json
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest

from eval.verification.claims import digest, load_claims, load_studies
from eval.verification.corruptions import corrupted
from eval.verification.measuring import FIT, MAIN_KINDS, Measured, all_cases, measure
from eval.verification.training import sample_idf
from rag.checking import WEIGHTS_FILE, Check, Verifier, shipped_weights
from rag.quantities import levelled
from rag.verification import support
from rag.wording import alike, opposed
from tests.test_pure import EVIDENCE, TURNED


def flat(words: Sequence[str]) -> dict[str, float]:
    return dict.fromkeys(words, 1.0)


def check(written: str, *texts: str) -> Check:
    return Verifier(flat).check(written, texts)


@pytest.fixture(scope="module")
def measured() -> Measured:
    """Every third false claim of the half that is not fitted on."""
    cases = all_cases()
    left_out = {id(case) for i, case in enumerate(cases) if i % 3 and not case.true and case.half != FIT}
    return measure([case for case in cases if id(case) not in left_out])


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
    assert false[:200] == list(islice(corrupted(true, studies), 200))
    assert not {(case.claim, case.evidence) for case in false} & {(case.claim, case.evidence) for case in true}
    assert all(case.half == studies[case.study].half for case in false)


def test_the_shipped_weights_are_those_of_the_shipped_claims(measured: Measured) -> None:
    shipped = json.loads((Path(__file__).parents[1] / "rag" / WEIGHTS_FILE).read_text(encoding="utf-8"))
    assert shipped["claims"] == digest(), "run: citable eval verification --write"
    # Another processor rounds otherwise.
    assert shipped_weights().weights == pytest.approx(measured.weights.weights, abs=0.01)
    assert shipped_weights().bias == pytest.approx(measured.weights.bias, abs=0.01)


def test_true_claims_are_told_from_false_ones(measured: Measured) -> None:
    """What is reached on papers that were not fitted on; the aim for all kinds, .95, is not."""
    assert measured.auroc().value >= 0.91
    assert measured.auroc([kind for kinds in MAIN_KINDS.values() for kind in kinds], "rule").value >= 0.95
    assert measured.share(lambda one: not one.case.true).value <= 0.005


def test_objections_turn_away_no_true_claim_that_stands_in_its_evidence(measured: Measured) -> None:
    held = [one for one in measured.test if one.case.true and one.word_by_word]
    assert len(held) >= 30
    assert all(one.supported for one in held)


def test_every_sentence_of_the_sample_is_supported_by_itself() -> None:
    assert [text for study in load_studies() for text in study.sentences if check(text, text).objection] == []


def test_a_sentence_in_the_words_of_its_evidence_is_probable_and_supported() -> None:
    written = "ReduNet did not reach a speed-up of 0.5."
    assert check(written, EVIDENCE).objection == ""
    assert Verifier(flat).probability(written, [EVIDENCE]) > 0.8


def test_a_paraphrase_is_not_supported_however_probable() -> None:
    verifier = Verifier(flat)
    evidence = "A daily walk of thirty minutes lowered blood pressure in 120 older adults."
    paraphrase = "In 120 older adults, blood pressure was reduced by walking 30 minutes a day."
    assert verifier.check(paraphrase, [evidence]).objection
    assert verifier.probability(paraphrase, [evidence]) > verifier.probability(
        paraphrase.replace("120", "210"), [evidence]
    )


@pytest.mark.parametrize(("claim", "evidence"), TURNED)
def test_a_sentence_that_turns_its_evidence_round_is_not_supported(claim: str, evidence: str) -> None:
    assert check(claim, evidence).objection


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The drug cut deaths by 5% in mice.", "The drug cut deaths by five percent in mice."),
        ("Errors stayed <5% in all runs.", "Errors stayed less than 5 percent in all runs."),
        ("Losses rose by 5% to 10% in winter.", "Losses rose by 5-10% in winter."),
        ("The study followed 25 men for 3 years.", "The study followed twenty-five men for three years."),
    ],
)
def test_a_quantity_may_be_written_otherwise(claim: str, evidence: str) -> None:
    assert support(claim, evidence, flat).objection
    assert check(claim, evidence).objection == ""


@pytest.mark.parametrize(
    ("claim", "evidence", "reason"),
    [
        ("Warm water slows the growth of kelp.", "The authors argue that warm water slows the growth of kelp.", "argu"),
        ("The bridge held a load of two trains.", "The bridge held nearly a load of two trains.", "nearly"),
        ("The May index tells which lakes freeze.", "The index, which may rise, tells which lakes freeze.", "May"),
        ("Errors stayed >5% in all runs.", "Errors stayed less than 5 percent in all runs.", "5"),
    ],
)
def test_what_only_the_rules_object_to(claim: str, evidence: str, reason: str) -> None:
    assert reason in check(claim, evidence).objection


PARALLEL = "Drug A cut deaths from 29.3% to 23.1% in 40 men within 5 to 6 days, while drug B cut them by 4%."


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("Drug A cut deaths from 29.3% to 23.1% in 41 men.", "number"),
        ("Drug A cut deaths in 40 men within 5 to 6 weeks.", "unit"),
        ("Drug A did not cut deaths in 40 men within 6 days.", "negation"),
        ("Drug A raised deaths in 40 men within 6 days.", "direction"),
        ("In 40 men, Zyrtolan cut deaths within 6 days.", "name"),
        ("Drug A always cut deaths in 40 men within 6 days.", "scope"),
        ("Drug A cut deaths from 23.1% to 29.3% in 40 men within 5 to 6 days, while drug B cut them by 4%.", ""),
    ],
)
def test_signals_name_what_is_wrong(claim: str, kind: str) -> None:
    assert check(claim, PARALLEL).objection
    signals = Verifier(flat).signals(claim, [PARALLEL])
    assert not kind or signals[kind] == 1
    assert all(0 <= value <= 1 for value in signals.values())


def test_two_sentences_may_carry_one_together() -> None:
    texts = ("Ice left the lakes eleven days earlier in 2019.", "Small lakes did not refreeze in any winter.")
    written = "Ice left the lakes eleven days earlier in 2019; small lakes did not refreeze in any winter."
    assert check(written, *texts).carried_by == (0, 1)
    assert check(texts[1], *texts).carried_by == (1,)


def test_a_check_is_fast() -> None:
    studies = load_studies()
    verifier = Verifier(sample_idf(studies))
    texts = studies[0].sentences
    started = time.perf_counter()
    for text in texts:
        assert verifier.check(text, texts).objection == ""
        verifier.probability(text, texts)
    # About 10 ms each on an idle machine; this one may be busy.
    assert (time.perf_counter() - started) / len(texts) < 0.5


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
    assert levelled(one) == levelled(other)


def test_words_that_may_stand_for_each_other_and_that_may_not() -> None:
    assert alike("reduc", "lower")
    assert opposed("increas", "decreas")
    assert opposed("known", "unknown")
    assert not opposed("improv", "prove")
    assert not alike("increas", "decreas")
