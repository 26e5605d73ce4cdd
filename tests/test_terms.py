"""One word written in two ways is one term; two words, or two numbers, never are."""

import re
from collections.abc import Sequence

import pytest

from rag.spelling import american
from rag.terms import Compound, compounds, content_terms, normalise, numbers, seams, splits, terms
from rag.verification import support


def flat(words: Sequence[str]) -> dict[str, float]:
    return dict.fromkeys(words, 1.0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"$\mu$-Transfer", "μ-Transfer"),
        ("µ-Transfer", "mu-Transfer"),  # the micro sign
        ("u-μP", "u-muP"),
        (r"u-$\mu$P", "u-\U0001d707P"),  # mathematical italic
        (r"$\mu P$", "muP"),
        (r"\textit{Fast} \textbf{nets}", "fast nets"),
        (r"$\mathcal{O}(n \log n)$", "O(n log n)"),
        (r"{\em deep} {\sc BigNet}", "deep BigNet"),
        (r"$\beta$-catenin", "beta-catenin"),
        (r"$\varepsilon$-greedy", "ϵ-greedy"),
        (r"Poincar\'e and Erd\H{o}s", "Poincaré and Erdős"),
        (r"G{\"o}del, na\"{\i}ve, {\O}rsted", "Gödel, naïve, Ørsted"),
        ("$10^{-5}$", "10⁻⁵"),
        (r"$3 \times 10^{-4}$", "3e-4"),
        ("1e-05", "10^-5"),
        (r"92\% of 18{,}736", "92% of 18,736"),
        ("18\u202f736", "18736"),
        ("1,000", "1000"),
        (r"CO$_2$ and H_{2}O", "CO₂ and H2O"),
        ("5ms, 10GB, 3µm", "5 ms, 10 GB, 3 um"),
        ("fine\u2011tuning \u2012 state\u2010space", "fine-tuning - state-space"),
        ("trans\u00adformer", "transformer"),
        ("ﬁt ｆｕｌｌ \U0001d400", "fit full A"),
        ("LLMs on GPUs", "LLM on GPU"),
        ("optimising behaviours in centres", "optimizing behaviors in centers"),
        ("modelling tumour haemoglobin", "modeling tumor hemoglobin"),
        (r"\cite{smith20} Lakes \ref{fig}", "lakes"),
    ],
)
def test_two_ways_to_write_one_thing_make_the_same_terms(one: str, other: str) -> None:
    assert terms(one) == terms(other)
    assert numbers(one) == numbers(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$10^{-5}$", "105"),
        ("10^{-5}", "10"),
        ("10^{-5}", "10^5"),
        ("10⁵", "105"),
        ("3 × 10⁵", "10⁵"),
        ("2^{10}", "210"),
        ("2^n", "2"),
        ("1½", "11"),
        ("10₂", "102"),
        ("5①", "51"),
        ("80k", "80"),
        ("1.5B", "1.5"),
        ("1.5", "15"),
        ("5 ms", "5"),
        ("-5", "5"),
        ("x^{-2}", "x^2"),
        ("10 5", "105"),
        ("1980s", "1980"),
        ("u-μP", "up"),
        ("μP", "P"),
        ("GPS", "GP"),
        ("の が", "の か"),
    ],
)
def test_other_values_and_words_stay_apart(one: str, other: str) -> None:
    evidence, claim = (f"The rate {value} trains wide nets." for value in (one, other))
    assert not support(evidence, evidence, flat).objection
    assert support(claim, evidence, flat).objection


def test_numbers_stay_whole() -> None:
    assert terms("1.5 of 10^{-5}, 3e-4, 2^{10}, 18,736.") == ["1.5", "of", "1e-5", "3e-4", "2^10", "18736"]
    assert numbers("from 10--20 to $-5$ in 5ms, 92 \\% of 80k") == {"10", "20", "-5", "5ms", "92%", "80k"}
    assert numbers("US$5 and US$10, $6 or $7") == {"5", "10", "6", "7"}


@pytest.mark.parametrize(
    ("british", "us"),
    [
        pair.split()
        for pair in re.split(
            r";\s*",
            "optimise optimize; organisation organization; characterised characterized; colour color; vapour vapor;"
            "behavioural behavioral; neighbouring neighboring; labelled labeled; fuelled fueled; centre center;"
            "centred centered; fibres fibers; kilometres kilometers; haemoglobin hemoglobin; leukaemia leukemia;"
            "ischaemic ischemic; oestrogen estrogen; paediatric pediatric; orthopaedic orthopedic; foetal fetal;"
            "analysing analyzing; catalysed catalyzed; analogues analogs; dialogue dialog; greyscale grayscale;"
            "sulphate sulfate; diarrhoea diarrhea; oedema edema; lymphoedema lymphedema; anaesthesia anesthesia;"
            "aetiology etiology; gynaecology gynecology; manoeuvre maneuver; defence defense; ageing aging;"
            "regularisers regularizers; quantised quantized; minimise minimize; hypothesise hypothesize;"
            "collectivise collectivize; archaeology archeology; programme program; gastrooesophageal gastroesophageal",
        )
    ],
)
def test_british_spelling_meets_american(british: str, us: str) -> None:
    assert american(british) == american(us)
    assert terms(british) == terms(us)


def test_words_that_only_look_british_stay_as_they_are() -> None:
    words = """
    four for hour our or your pour tour flour flow contour source course noise denoising raise rise arising advise
    promise precise concise exercise surprise enterprise comprise compromise unsupervised revise devise otherwise
    pairwise praise bruise disguise paradise franchise treatise premise demise disease increase acre massacre genre
    more here aerobic does phoenix coefficient poem shoe algae larvae vogue greyhound size prize seize maize metric
    poise tortoise anise crises basis imprecise television incise called controlled metallic literature gastroesophageal
    angioedema phytoestrogen daemon cancellous miser
    """.split()  # noqa: SIM905
    assert [american(word) for word in words] == words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("机器学习", ["机器", "器学", "学习"]),
        ("水", ["水"]),
        ("モデルが", ["モデ", "デル", "ルが"]),
        ("한국어", ["한국", "국어"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("η ενέργεια", ["eta", "ενεργεια"]),
    ],
)
def test_scripts_of_all_kinds(text: str, found: list[str]) -> None:
    assert terms(text) == content_terms(text) == found


def test_compounds_are_known_joined_and_apart() -> None:
    assert [(c.joined, c.parts) for c in compounds("fine-tuning")] == [("finetun", ("fine", "tune"))]
    assert [c.joined for c in compounds("GPT 4 of state space, 10 5")] == ["gpt4", "statespac"]
    assert Compound("finetun", ("fine", "tune")) in splits("finetuning")
    assert Compound("gpt4", ("gpt", "4")) in splits("gpt4")
    # Neither "not able" nor "the rapist", and no number in two.
    assert not [way for way in splits("notable therapist 1024") if set(way.parts) & {"not", "the", "10"}]
    assert seams("μTransfer, u-μP, muP, mutual") == ["mu", "transfer", "mu", "mu"]


def test_normalising_keeps_the_words_as_they_are_written() -> None:
    assert normalise(r"LLMs and behaviours of $\mu$P") == "llms and behaviours of mup"


def test_a_word_without_end_is_not_cut_in_all_places() -> None:
    assert splits("acgt" * 500) == []
    assert splits("overfitting")
