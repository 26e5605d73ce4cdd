"""Questions made from the user's own papers."""

import json
from pathlib import Path

import pytest

from eval.datasets import load_suite
from eval.making import make_suite
from eval.records import Kind
from eval.running import run_suite
from eval.scoring import compute_metrics
from rag.build import Engine
from rag.config import Config
from rag.errors import UsageError
from rag.terms import terms


def test_a_suite_is_made_and_can_be_run(indexed: Config, engine: Engine, tmp_path: Path) -> None:
    made = make_suite(indexed, tmp_path / "made", papers=12, unanswerable=1.0)
    suite = load_suite(made.folder)
    facts = [question for question in suite.questions if question.kind is Kind.FACT]
    none = [question for question in suite.questions if question.kind is Kind.NONE]
    assert len(facts) >= 8
    assert none
    keys = {entry.key: entry.paper.abstract for entry in engine.catalog.search_titles()}
    for question in facts:
        (key,) = question.gold
        ((gap,),) = question.nuggets
        assert gap in keys[key]
        assert not set(terms(gap)) & set(terms(question.question)), "the question must not give its answer away"
    # Numbers come first where a sentence has one.
    assert sum(any(char.isdigit() for char in question.nuggets[0][0]) for question in facts) >= len(facts) / 2
    assert all(question.generated for question in suite.questions)
    assert {question.subkind for question in none} == {"left out"}
    run = run_suite(suite, indexed, tmp_path / "run", retrieval_only=True)
    metrics = compute_metrics(run.records)
    assert set(metrics["slices"]) == {"generated: fact", "generated: none"}
    # The round trip kept only what is found again; what was left out is not found.
    assert metrics["slices"]["generated: fact"]["metrics"]["R@5"]["value"] == 1.0
    hidden = {key for record in run.records for key in record.question.without if key in [h.key for h in record.hits]}
    assert not hidden
    assert f"{len(facts)} questions with an answer and {len(none)} without" in made.told


def test_the_same_arguments_make_the_same_suite_interrupted_or_not(indexed: Config, tmp_path: Path) -> None:
    whole = make_suite(indexed, tmp_path / "whole", papers=6, seed=3).folder

    def stop(done: int, _: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_suite(indexed, tmp_path / "broken", papers=6, seed=3, progress=stop)
    part = tmp_path / "broken" / "making.jsonl"
    part.write_text(part.read_text() + '{"torn', encoding="utf-8")
    counted: list[int] = []
    broken = make_suite(indexed, tmp_path / "broken", papers=6, seed=3, progress=lambda done, _: counted.append(done))
    assert counted == [3, 4, 5, 6]
    assert (broken.folder / "questions.jsonl").read_bytes() == (whole / "questions.jsonl").read_bytes()
    with pytest.raises(UsageError, match="holds a suite already"):
        make_suite(indexed, whole, papers=6, seed=3)
    assert not part.exists()


def test_questions_by_the_language_model_are_filtered(indexed: Config, tmp_path: Path) -> None:
    """The bundled model writes few that pass: each must be one question, keep its answer back and be found again."""
    try:
        made = make_suite(indexed, tmp_path / "made", papers=6, mode="model", unanswerable=0)
    except UsageError as error:
        assert "no question could be made" in str(error)  # noqa: PT017
        return
    for line in (made.folder / "questions.jsonl").read_text().splitlines():
        question = json.loads(line)
        assert question["question"].count("?") == 1
        assert question["question"].endswith("?")
        assert not set(terms(question["nuggets"][0][0])) & set(terms(question["question"]))


def test_bad_arguments(indexed: Config, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--papers"):
        make_suite(indexed, tmp_path, papers=0)
    with pytest.raises(UsageError, match="--unanswerable"):
        make_suite(indexed, tmp_path, unanswerable=2)
