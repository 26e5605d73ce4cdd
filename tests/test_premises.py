"""What a question takes for granted and a paper says otherwise: told, not answered."""

import json
import time

import pytest

from eval.datasets import load_suite
from rag.build import Engine
from rag.bundled_sample import sample_path
from rag.export import answer_to_dict
from rag.identity import normalise_title
from rag.premises import objecting
from rag.sentences import split_sentences
from ui.render import finished_markdown, sources_plain

TEA = (
    "Green tea shortened the time to fall asleep by 12 minutes, black tea by 3 minutes.",
    "Existing studies did not measure how long sleepers stayed asleep.",
    "The sleepers of the tea group woke up earlier than those of the water group, with no loss of deep sleep.",
    "Caffeine was removed with water rather than solvents.",
    "The mean score was 25.7 points for green tea and 20.8 points for black tea.",
)


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("Why did green tea lengthen the time to fall asleep?", 0),
        ("Green tea lengthened the time to fall asleep. Which compound did that?", 0),
        ("What explains the mean score of 25.7 points for black tea?", 4),
        ("What explains the mean score of 25.7 points for green tea?", None),
        ("Why did the water group wake up earlier than the tea group?", 2),
        ("How large was the loss of deep sleep of the sleepers of the tea group?", 2),
        ("Which solvents did they use when caffeine was removed?", 3),
        # What the paper says, what it is asked for, and what it says of others.
        ("Why did green tea shorten the time to fall asleep?", None),
        ("Did green tea lengthen the time to fall asleep?", None),
        ("Green tea and sleep: did it lengthen the time to fall asleep?", None),
        ("Which tea lengthened the time to fall asleep?", None),
        ("Why did the tea group wake up earlier than the water group?", None),
        ("How was deep sleep kept without loss in the sleepers of the tea group?", None),
        ("How long did sleepers stay asleep and how did studies measure it?", None),
        ("How was caffeine removed with water?", None),
        ("How did green tea affect the loss of deep sleep?", None),
        ("Why did the water group wake up later than the tea group?", None),
        ("How well did the tea group sleep when deep sleep was lacking?", None),
        ("Lengthen?", None),
        ("", None),
    ],
)
def test_a_sentence_that_says_otherwise_objects(question: str, place: int | None) -> None:
    assert objecting(question, "Tea and sleep", TEA) == place


def test_a_long_question_takes_no_time() -> None:
    began = time.perf_counter()
    for text in ("-" * 8000, "why when " * 60, "not " * 140, "How, " * 110):
        objecting(f"Why did green tea help? {text}", "Tea", TEA)
    assert time.perf_counter() - began < 5


def test_fair_questions_are_not_objected_to() -> None:
    lines = sample_path().read_text(encoding="utf-8").splitlines()
    papers = {normalise_title(paper["title"]): paper["abstract"] for paper in map(json.loads, lines)}
    objected = []
    for asked in [asked for suite in ("sample", "calibration") for asked in load_suite(suite).questions]:
        for title in asked.gold if asked.kind in ("fact", "find") else ():
            text = papers[normalise_title(title)]
            sentences = [text[start:end] for start, end in split_sentences(text)]
            if objecting(asked.question, title, sentences) is not None:
                objected.append(asked.question)
    assert objected == []


def test_what_a_paper_says_otherwise_is_shown_instead_of_an_answer(engine: Engine) -> None:
    answer = engine.answerer.ask("Why did mean October ozone over Halley Bay rise to about 200 Dobson units in 1984?")
    said = "Mean October ozone over Halley Bay fell from roughly 300 Dobson units"
    assert answer.refused
    assert said in sources_plain(answer)
    assert said in answer_to_dict(answer)["said_otherwise"]
    assert "seems to say otherwise" in finished_markdown(answer, "t")
    fair = engine.answerer.ask("Did the mean October ozone over Halley Bay rise or fall to about 200 Dobson units?")
    assert fair.otherwise is None
    assert said in fair.text
