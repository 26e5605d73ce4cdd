"""Definitions in running text, kept with their passages, used by a search in both directions."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.acronym_store import AcronymStore
from rag.acronyms import Acronym, find_acronyms
from rag.build import SearchEngine, index_papers
from rag.config import Config
from rag.lexical import LexicalIndex


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Learning from human feedback (LHF).", [("LHF", "Learning from human feedback")]),
        ("We study large language models (LLMs) here.", [("LLM", "large language models")]),
        ("We use RAG (retrieval-augmented generation).", [("RAG", "retrieval-augmented generation")]),
        (r"The Maximal Update Parametrization ($\mu$P) aims", [("muP", "Maximal Update Parametrization")]),
        ("heat shock transcription factor (HSF; a protein)", [("HSF", "heat shock transcription factor")]),
        ("direction method of multipliers (DMM)", [("DMM", "direction method of multipliers")]),
        ("It froze. Lake ice (LI), lake ice (LI), lake ice (LI)", [("LI", "Lake ice"), ("LI", "lake ice")]),
        ("results (see Table 2), a UNet (a network), in 2019 (USA), the model (BERT)", []),
        ("(LLM) and () and (a) and ((", []),
    ],
)  # fmt: skip
def test_definitions_are_found(text: str, found: list[tuple[str, str]]) -> None:
    assert [(acronym.short, acronym.long) for acronym in find_acronyms(text)] == found


class Index:
    """The two that a search asks for words."""

    def __init__(self, folder: Path) -> None:
        self.lexical = LexicalIndex(folder / "lexical")
        self.acronyms = AcronymStore(folder / "acronyms.db")

    def replace(self, delete: list[int], add: list[tuple[int, str]]) -> None:
        self.lexical.replace(delete, add)
        self.acronyms.replace(delete, add)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    index = Index(tmp_path)
    texts = [
        "Lake ice cover (LIC) shrinks.",
        "LIC in the north.",
        "Lake ice cover in the south.",
        "Ponds thaw in April.",
        "Information theory (IT) of ponds.",
        "Legume inoculation cost (LIC) rises.",
        "Fine-tuning of ponds.",
        "Finetuning of lakes.",
    ]
    index.replace([], list(enumerate(texts, 1)))
    return index


def found(index: Index, question: str) -> list[int]:
    return [i for i, _ in index.lexical.query(question, 10, others=index.acronyms.other_forms(question))]


def test_a_definition_far_into_a_text_is_found() -> None:
    text = "(AB) " * 2500 + "We train large language models (LLMs) here."
    assert find_acronyms(text) == [Acronym("LLM", "large language models")]


def test_an_acronym_finds_its_long_form_and_is_found_by_it(index: Index) -> None:
    assert 3 in found(index, "What about LIC?")
    assert 3 in found(index, "LICs")
    assert 2 in found(index, "lake-ice cover?")
    # The word itself counts more.
    assert found(index, "LIC").index(2) < found(index, "LIC").index(3)


def test_an_acronym_is_spelled_out_for_the_embedding(index: Index) -> None:
    assert index.acronyms.spelled_out("Does LIC shrink?") == "Does LIC shrink? (Lake ice cover)"
    for question in ("Does lake ice cover (LIC) shrink?", "Does the lake ice cover shrink?", "Is it April?"):
        kept = index.acronyms.spelled_out(question)
        assert kept == question or kept.endswith("(Legume inoculation cost)")


def test_a_common_word_is_no_acronym(index: Index) -> None:
    assert 5 in found(index, "What is IT?")
    index.replace([], [(9, "Maximum a posteriori (MAP) estimates."), (10, "Lake thaw model runs (LTMR) ended.")])
    for question in ("Is it April?", "How do people map rivers?", "mapping maps"):
        assert index.acronyms.spelled_out(question) == question
    assert index.acronyms.spelled_out("Which MAP estimates?") == "Which MAP estimates? (Maximum a posteriori)"
    # No word of the language looks like this one.
    assert index.acronyms.spelled_out("ltmr?") == "ltmr? (Lake thaw model runs)"


def test_definitions_go_with_their_passages(index: Index) -> None:
    index.replace([1], [])
    assert 3 not in found(index, "LIC")
    index.replace([], [(2, "Lake ice cover (LIC) again.")])
    assert 3 in found(index, "LIC")


@pytest.mark.parametrize("question", ["fine-tuning", "finetuning", "fine tuning"])
def test_compounds_are_found_however_written(index: Index, question: str) -> None:
    assert set(found(index, question)) == {7, 8}


PAPERS = {
    "mup": ("u-μP", "The Maximal Update Parametrization (μP) keeps optimal settings over model sizes."),
    "latex": (r"Schr{\"o}dinger bridges", r"A step of $10^{-5}$ costs $\mathcal{O}(n \log n)$ with $\beta$-catenin."),
    "british": ("Tumour behaviour", "We analyse how oestrogen changes the colour of tumours in paediatric wards."),
    "american": ("Fiber optimization", "We optimize the modeling of gray optical fibers in two research centers."),
    "define": ("Feedback", "Reinforcement learning from human feedback (RLHF) aligns assistants with their users."),
    "short": ("Rewards", "RLHF suffers from over-optimisation of a learned reward."),
    "long": ("Annotators", "Reinforcement learning from human feedback depends on who answers the questions."),
    "chinese": ("湖泊冰层", "我们研究湖泊冰层的变化。"),
    "compound": ("Adapters", "Adapters make finetuning of a state-space model cheap."),
}


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    folder = tmp_path_factory.mktemp("notation")
    lines = [
        {"title": title, "abstract": abstract, "url": f"https://x.org/{key}"}
        for key, (title, abstract) in PAPERS.items()
    ]
    (folder / "p.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    config = replace(Config(), home=folder)
    index_papers(config, [folder / "p.jsonl"])
    with SearchEngine(config) as engine:
        yield engine


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (r"What does $\mu$-Transfer rest on?", {"mup"}),
        ("u-muP", {"mup"}),
        ("Schrodinger bridges", {"latex"}),
        ("Which step is 1e-5?", {"latex"}),
        ("β-catenin", {"latex"}),
        ("estrogen and pediatric tumors", {"british"}),
        ("How does one analyze color?", {"british"}),
        ("grey fibres", {"american"}),
        ("RLHF", {"define", "short", "long"}),
        ("reinforcement learning from human feedback", {"define", "short", "long"}),
        ("冰层", {"chinese"}),
        ("fine-tuning", {"compound"}),
        ("statespace", {"compound"}),
    ],
)
def test_a_paper_is_found_in_the_other_notation(searcher: SearchEngine, question: str, expected: set[str]) -> None:
    hits = searcher.retriever.search(question).hits
    by_words = {hit.link.rpartition("/")[2] for hit in hits if "bm25" in hit.parts}
    assert by_words == expected
    assert {hit.link.rpartition("/")[2] for hit in hits[: len(expected)]} == expected
