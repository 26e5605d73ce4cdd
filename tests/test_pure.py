"""Fusion, evidence, citations, verification, prompts, examples: pure functions."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from rag.citations import Written, split_written
from rag.evidence import rank_evidence
from rag.examples import example_questions
from rag.fusion import fuse, min_max
from rag.prompting import load_template
from rag.records import Hit, Paper, ScoredSentence, Sentence
from rag.verification import Support, repeats, support, without_lead_in


def flat(words: Sequence[str]) -> dict[str, float]:
    return dict.fromkeys(words, 1.0)


def test_min_max_scales_and_takes_ties() -> None:
    assert min_max({"a": 2.0, "b": 4.0, "c": 3.0}) == {"a": 0.0, "b": 1.0, "c": 0.5}
    assert min_max({"a": 2.0, "b": 2.0}) == {"a": 1.0, "b": 1.0}
    assert min_max({}) == {}


def test_fusion_adds_weighted_scores_and_names_the_parts() -> None:
    fused = fuse({"x": {1: 10.0, 2: 5.0, 3: 0.0}, "y": {2: 1.0, 4: 0.0}}, {"x": 0.5, "y": 0.5})
    assert [(i, round(s, 3)) for i, s, _ in fused] == [(2, 0.75), (1, 0.5), (3, 0.0), (4, 0.0)]
    assert fused[0][2] == {"x": 5.0, "y": 1.0}


def hit(paper_id: int, score: float, *sentences: tuple[str, float]) -> Hit:
    scored = tuple(ScoredSentence(Sentence(paper_id, n, 0, 1, t), s) for n, (t, s) in enumerate(sentences))
    return Hit(paper_id, f"k{paper_id}", "T", "", score, {}, scored)


def test_evidence_covers_both_parts_of_a_question() -> None:
    hits = [hit(1, 0.9, ("ice left lakes early", 0.5), ("ice left lakes soon", 0.5), ("fish multiplied", 0.4))]
    chosen = rank_evidence("When did ice leave the lakes, and how did fish multiply?", hits, flat, 2)
    assert {s.text for _, s, _ in chosen} >= {"fish multiplied"}


def test_a_sentence_that_points_back_brings_the_one_right_before_it() -> None:
    whole = hit(1, 0.9, ("Fog is thick.", 0.1), ("Ice thins.", 0.1), ("These lakes lose ice in spring.", 0.9))
    question = "When do lakes lose ice in spring?"
    assert {s.index for _, s, _ in rank_evidence(question, [whole], flat, 2)} == {1, 2}
    # What stood between them was taken out.
    torn = replace(whole, sentences=(whole.sentences[0], whole.sentences[2]))
    chosen = rank_evidence(question, [torn, hit(2, 0.9, ("Lakes lose ice in spring.", 0.9))], flat, 2)
    assert {(s.paper_id, s.index) for _, s, _ in chosen} == {(1, 2), (2, 0)}


@pytest.mark.parametrize("question", ["fine-tuning nets", "finetuning nets", "fine tuning nets"])
@pytest.mark.parametrize("sentence", ["Fine-tuning is slow.", "Finetuning is slow."])
def test_evidence_holds_compounds_however_written(question: str, sentence: str) -> None:
    hits = [hit(1, 0.9, ("Rain is slow.", 0.5), (sentence, 0.5), ("Fog is slow.", 0.5))]
    assert rank_evidence(question, hits, flat, 1)[0][1].text == sentence


def test_evidence_of_a_better_paper_comes_first() -> None:
    hits = [hit(1, 0.3, ("ice left lakes", 0.5)), hit(2, 0.9, ("ice left lakes", 0.5))]
    assert [s.paper_id for _, s, _ in rank_evidence("ice lakes", hits, flat, 5)] == [2, 1]


def test_citations_are_read_while_the_text_grows() -> None:
    text = "Ice left early. [2] Fish came at 0.5 m. [1] [3] More is com"
    sentences, rest = split_written(text, finished=False)
    assert sentences == [Written("Ice left early.", (2,)), Written("Fish came at 0.5 m.", (1, 3))]
    assert rest == "More is com"
    # After the last bracket another citation may follow: not finished yet.
    assert split_written("Ice left early. [2]", finished=False) == ([], "Ice left early. [2]")
    for growing in ("Ice left early. [2] ", "Ice left early. [2] [", "Ice left early. [2] [1"):
        assert split_written(growing, finished=False) == ([], growing)
    assert split_written("Ice left early. [2]", finished=True)[0] == [Written("Ice left early.", (2,))]
    assert split_written("The papers do not say.", finished=True) == ([], "The papers do not say.")


def test_citations_are_read_from_a_model_that_no_grammar_holds() -> None:
    text = "- Ice left early [2, 12].\n- Fish came at 0.5 m.[1][3]\n2) It grew [4]! Nothing cited. More [1]"
    assert split_written(text, finished=True) == (
        [
            Written("Ice left early.", (2, 12)),
            Written("Fish came at 0.5 m.", (1, 3)),
            Written("It grew!", (4,)),
            Written("Nothing cited. More", (1,)),
        ],
        "",
    )
    for growing in ("Ice left early [2", "Ice left early [2,", "Ice left early [2, 1", "Ice left early [2]."):
        assert split_written(growing, finished=False) == ([], growing)
    # A number behind a citation begins the next sentence.
    assert split_written("Ice left [1] .5 m deep. [2]", finished=True)[0] == [
        Written("Ice left", (1,)),
        Written(".5 m deep.", (2,)),
    ]


EVIDENCE = (
    "With 18,736 samples, ReduNet did not reach a speed-up of 0.5 over the larger baseline, but memory decreased."
)


@pytest.mark.parametrize(
    "sentence",
    [
        "ReduNet did not reach a speed-up of 0.5 over the larger baseline.",
        "The answer is: ReduNet did not reach a speed-up of 0.5.",
        "The paper shows that ReduNet did not reach a speed-up of 0.5, but memory decreased.",
    ],
)
def test_what_stands_in_the_evidence_is_supported(sentence: str) -> None:
    result = support(sentence, EVIDENCE, flat)
    assert (result.score, result.objection) == (1.0, "")


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("ReduNet reached a speed-up of 0.5 over the larger baseline.", "negation"),
        ("ReduNet did not reach a speed-up of 0.6 over the larger baseline.", "0.6"),
        ("ReduNet did not reach a speed-up of 0.5 over the smaller baseline.", "small"),
        ("With 18,736 samples, memory increased.", ""),
        ("The larger baseline did not reach a speed-up of 0.5 over ReduNet.", ""),
        ("BigNet did not lose ten wires in the baseline.", ""),
        ("77.", "too little"),
    ],
)
def test_what_differs_is_not_supported(sentence: str, reason: str) -> None:
    result = support(sentence, EVIDENCE, flat)
    assert result.objection
    assert reason in result.objection


TURNED = [
    ("Transformers are more accurate than networks.", "Transformers are less accurate than networks."),
    ("Relapse occurred before surgery in mice.", "Relapse occurred after surgery in mice."),
    ("We use four diffusion steps on images.", "We use two diffusion steps on images."),
    ("Ice left the lakes twelve days earlier.", "Ice left the lakes eleven days earlier."),
    ("People with diabetes have low risk of stroke.", "People with diabetes have high risk of stroke."),
    ("The model reaches 92 percent on CIFAR.", "The model reaches 85 percent on CIFAR and 92 percent on MNIST."),
    ("Treatment decreased survival and relapse.", "Treatment increased survival and decreased relapse."),
    ("Vitamin D reduces falls in older adults.", "We test whether vitamin D reduces falls in older adults."),
    (
        "Vitamin D reduces falls in adults.",
        "No significant evidence suggests that vitamin D reduces falls in adults.",
    ),
    ("The method improves accuracy on inputs.", "The method doesn't improve accuracy on inputs."),
    ("There is evidence that tea improves sleep.", "There is little evidence that tea improves sleep."),
    ("BERT outperforms human experts at reading.", "Unlike BERT, ours outperforms human experts at reading."),
    ("We counted 105 live cells in water.", "We counted 10\u2075 live cells in water."),
    ("The air fell to 5 degrees at night.", "The air fell to -5 degrees at night."),
    ("A rate of 105 trains the net.", "A rate of $10^{-5}$ trains the net."),
    ("A rate of 10 trains the net.", "A rate of $10^{-5}$ trains the net."),
    ("A rate of 10^{-5} trains the net.", "A rate of $3 \\times 10^{-5}$ trains the net."),
    ("A rate of 10^5 trains the net.", "A rate of 1e-5 trains the net."),
    ("Training takes 5 for each step.", "Training takes 5ms for each step."),
    ("Training takes 5 for each step.", "Training takes 5 ms for each step."),
    ("It learns from 80 labelled images.", "It learns from 80k labelled images."),
    ("Loss falls by 5 on images.", "Loss falls by 5\\% on images."),
    ("Tuning moves the scale up in training.", "Tuning moves the scale u-μP in training."),
    ("Tuning transfers with P in training.", "Tuning transfers with μP in training."),
    ("In mice, the 机器 学习 works.", "In mice, the 机器 没有 学习 works."),
    ("The study refutes that coffee causes cancer.", "This study shows that coffee causes cancer."),
    ("Coffee causes cancer in mice.", "This study refutes that coffee causes cancer in mice."),
    ("Aspirin reduces stroke risk.", "The study fails to show that aspirin reduces stroke risk."),
    (
        "It shows strong translation accuracy on French news articles.",
        "It shows strong translation accuracy on German news articles.",
    ),
    (
        "Vitamin D causes bone fractures in elderly women with low calcium intake.",
        "Vitamin D prevents bone fractures in elderly women with low calcium intake.",
    ),
    (
        "Dropout doubles the speed of training.",
        "Compared with dropout, normalisation doubles the speed of training.",
    ),
    ("Dropout improves image accuracy.", "The idea that dropout improves image accuracy does not hold."),
    ("Vitamin C shortens common colds.", "The belief that vitamin C shortens common colds was not confirmed."),
    ("Dropout improves image accuracy.", "Dropout possibly improves image accuracy."),
    ("Accuracy rises by 5% on images.", "Accuracy rises by 5 points on images."),
]


@pytest.mark.parametrize(("claim", "evidence"), TURNED)
def test_a_sentence_that_turns_its_evidence_round_is_not_supported(claim: str, evidence: str) -> None:
    assert support(evidence, evidence, flat) == Support(1.0, "")
    result = support(claim, evidence, flat)
    assert result.objection


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("We optimise tumour models in 5ms.", r"We optimize tumor models in 5 ms."),
        ("A rate of 1e-5 trains u-muP nets.", r"A rate of $10^{-5}$ trains u-$\mu$P nets."),
        ("It reaches 92% on 18,736 LLMs.", r"It reaches 92\% on 18{,}736 LLMs."),
    ],
)
def test_another_notation_of_the_evidence_is_supported(claim: str, evidence: str) -> None:
    assert support(claim, evidence, flat) == Support(1.0, "")


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("105", r"10\textsuperscript{5}"),
        ("12", r"\nicefrac{1}{2}"),
        ("12", r"$\sfrac{1}{2}$"),
        ("12", r"\cfrac{1}{2}"),
        ("12", r"\frac{\mathbf{1}}{2}"),
        ("1", r"\frac12"),
        ("52", r"$\binom{5}{2}$"),
        ("52", "5{2}"),
        ("$T$", r"$\sqrt{T}$"),
        (r"$\sqrt{T}$", "$T$"),
        (r"\sqrt{5}", "5"),
        ("1", "1½"),
        ("2", "½"),
        ("4", "¾"),
        ("3", "¾"),
        ("3", "3¾"),
        ("1", "①"),
        ("②", "①"),
        ("7", "7 billion"),
        ("3", "3 thousand"),
        ("3", "3 percent"),
        ("3", "3 per cent"),
        ("3", "3%"),
        ("3", "3-fold"),
        ("3", "3 k"),
        ("3", "3 times 10^4"),
        ("10", "10**5"),
        ("5", "5 seconds"),
        ("5", "5-mg"),
        ("5 m", "5 m/s"),
        ("5 mg", "5 mg/kg"),
        ("5 A", "5 mA"),
        ("5 mW", "5 MW"),
        ("5 MW", r"5\,\mathrm{mW}"),
        ("CD4+", "CD4-"),
        ("CD4", "CD4$^+$"),
        ("> 0.05", "< 0.05"),
        ("0.05", "<0.05"),
        (r"$\leq 0.05$", r"$\geq 0.05$"),
        ("5", "minus 5"),
    ],
)
def test_another_quantity_is_not_supported(claim: str, evidence: str) -> None:
    for frame in ("The regret grows as {} parameters of the net.", "Wide nets reach {}."):
        assert support(frame.format(evidence), frame.format(evidence), flat) == Support(1.0, "")
        assert support(frame.format(claim), frame.format(evidence), flat).objection


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("10^5", r"10\textsuperscript{5}"),
        ("1/2", "½"),
        (r"\frac{1}{2}", "1/2"),
        ("√T", r"$\sqrt{T}$"),
        ("-5", "minus 5"),
        ("≤ 0.05", r"$\leq0.05$"),
        ("5 MW", r"5\,\mathrm{MW}"),
        ("5 mg/kg", "5-mg/kg"),
        ("5 layers", "5 mg and 5 layers"),
    ],
)
def test_the_same_quantity_is_supported(claim: str, evidence: str) -> None:
    frame = "The regret grows as {} in wide nets."
    assert support(frame.format(claim), frame.format(evidence), flat) == Support(1.0, "")


def test_only_what_claims_nothing_is_taken_off_the_front() -> None:
    assert without_lead_in("The answer is: the answer to this question is that ice left.") == "Ice left."
    for sentence in ("The study refutes that coffee is bad.", "The study fails to show that tea is good."):
        assert without_lead_in(sentence) == sentence


def test_repeating_the_question_or_itself_is_seen() -> None:
    assert repeats("A 3D object can be generated from text.", ["How fast can a 3D object be generated from text?"])
    assert not repeats("A 3D object is generated from text in 77 ms.", ["How fast is a 3D object generated from text?"])


def test_a_template_with_a_wrong_placeholder_fails_at_load() -> None:
    with pytest.raises(ValueError, match="evidence"):
        load_template("answer_user", frozenset({"question"}))


def test_examples_are_questions_about_the_papers() -> None:
    papers = [
        Paper("LakeNet: a model of ice", "LakeNet models ice. LakeNet is fast."),
        Paper("Notes: on ice", "No name here. Notes."),
        Paper("An analysis of Vector Symbolic Architectures", "Of vector symbolic architectures."),
        Paper("How fast is ReLU?", "Text."),
        Paper("On DNA repair in yeast cells", "In yeast cells, DNA repair is fast."),
    ]
    questions = example_questions(papers)
    assert questions[0] == "What is LakeNet, and how well does it work?"
    assert "What do the papers say about vector symbolic architectures?" in questions
    assert "What do the papers say about yeast cells?" in questions
    assert len(questions) == len(set(questions)) == 4
    assert all(re.search(r"\?$", q) for q in questions)
    assert example_questions([]) == []
