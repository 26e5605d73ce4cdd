"""Questions that ask what something is."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rag.build import Engine, index_papers
from rag.config import Config
from rag.defining import asked_what_it_is, defines


@pytest.mark.parametrize(
    ("question", "what"),
    [
        ("What is BERT?", "BERT"),
        ("what's the h-index", "h-index"),
        ("What are residual networks?", "residual networks"),
        ("Please explain what a tide pool is.", "tide pool"),
        ("Tell me about lake ice.", "lake ice"),
        ("What does RLHF stand for?", "RLHF"),
        ("So, how does MapReduce work?", "MapReduce"),
        ("What is meant by statistical power?", "statistical power"),
        ("Explain batch normalization to a beginner", "batch normalization"),
        ("Can you explain how the Transformer works in simple terms?", "Transformer"),
        ("BERT?", "BERT"),
        ("and lake ice?", "lake ice"),
    ],
)
def test_forms_that_ask_for_an_explanation(question: str, what: str) -> None:
    assert asked_what_it_is(question) == what


@pytest.mark.parametrize(
    "question",
    [
        "What is the effect of sleep on memory?",
        "What is used to train BERT?",
        "What are the two sizes that were tried and compared?",
        "Which papers explain BERT?",
        "What did Milgram show?",
        "What is it that we know about the ice cover of northern lakes in spring?",
        "How does it work in winter?",
        "What is ?",
        "Why?",
        "How many layers?",
        "Tell me more.",
        "what is " + "? " * 20_000 + "y",
    ],
)
def test_other_questions_ask_for_no_explanation(question: str) -> None:
    assert asked_what_it_is(question) == ""


@pytest.mark.parametrize(
    ("what", "surer", "less"),
    [
        ("BERT", "BERT is an encoder of text.", "The text used to train BERT is in English."),
        ("BERT", "We introduce a new encoder called BERT.", "BERT has two sizes."),
        ("h-index", "We propose to count with one number, the h-index.", "An author of 40 had an h-index of 12."),
        ("residual networks", "A residual network (ResNet) is one with detours.", "We tried six residual networks."),
        ("RAG", "Retrieval-augmented generation (RAG) joins two models.", "With RAG, errors fell by a fifth."),
        ("gully", "Gullies are steep ditches that rain cuts into soil.", "Two gullies were measured."),
        ("Mamba", "Mamba reads text from left to right.", "We introduce Vision Mamba for pictures."),
        ("BLEU", "BLEU compares a translation with another.", "In BLEU, the mean is taken."),
        ("Wemba", "We introduce a new sensor, Wemba, for rivers.", "We present rivers, of which Wemba knows none."),
    ],
)
def test_the_sentence_that_introduces_it_is_told_from_others(what: str, surer: str, less: str) -> None:
    if what == "gully":
        what = "gullies"
    assert defines(what, surer, 0) > defines(what, less, 2)


def test_what_begins_with_the_name_introduces_it_at_the_beginning_alone() -> None:
    places = [defines("BERT", "BERT reads text.", place) for place in range(4)]
    assert places == sorted(places, reverse=True)
    assert (places[0] > 0, places[-1]) == (True, 0)


def test_odd_text_is_looked_at_quickly() -> None:
    began = time.perf_counter()
    defines("BERT", "- " * 20_000 + "BERT", 0)
    assert time.perf_counter() - began < 2


def test_signs_in_a_name_are_no_pattern() -> None:
    assert defines("C++ (a+)*", "C++ is a language.", 0) == 0
    assert defines("(", "( is a sign.", 0) == 0


PAPERS = {
    "Wemba: reading rivers": "Rivers are long. We introduce Wemba, which reads the level of a river from sound. Wemba "
    "was right in 94% of 2,000 hours. Wemba failed in 12 hours of ice.",
    "Sorting on small machines": "Sorting networks order numbers. A network for 18 wires needs 77 comparators.",
    "Loud streets and sleep": "Noise was measured in 40 streets. Each 10 dB cost sleepers 11 minutes of sleep a night.",
}


def test_what_it_is_is_told_before_figures_of_it(tmp_path: Path) -> None:
    home = tmp_path / "wemba"
    home.mkdir()
    papers = [{"title": title, "abstract": text} for title, text in PAPERS.items()]
    (home / "papers.jsonl").write_text("\n".join(map(json.dumps, papers)), encoding="utf-8")
    config = replace(Config(), home=home)
    index_papers(config, [home / "papers.jsonl"])
    with Engine(config) as engine:
        answer = engine.answerer.ask("What is Wemba?")
        assert not answer.refused
        assert "reads the level of a river" in answer.citations[0].quote
        assert engine.answerer.ask("What is Wumbo?").refused
