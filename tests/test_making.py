"""Questions made from the user's own papers."""

import json
from pathlib import Path

import pytest

from eval.datasets import load_suite
from eval.making import _Maker, make_suite
from eval.records import Kind
from eval.running import run_suite
from eval.scoring import compute_metrics
from rag.build import Engine
from rag.config import Config
from rag.errors import UsageError
from rag.terms import terms
from tests.fakes import FakeModel


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
    assert set(metrics["slices"]) == {"generated", "generated: fact", "generated: none"}
    assert metrics["refusal, generated"]["AUROC"]["n"] == len(suite.questions)
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


def test_questions_by_the_language_model_are_filtered(indexed: Config, engine: Engine, tmp_path: Path) -> None:
    """Each must be one question that keeps its answer back and takes up its sentence, whatever the model writes."""
    maker = _Maker(engine, "model", 0.0)
    (entry,) = engine.catalog.search_titles("Buckminsterfullerene")
    sentence = next(s for s in engine.catalog.sentences(entry) if "60 carbon atoms" in s.text)
    real = engine.llm
    try:
        for text, kept in (
            ("How many carbon atoms did the unexpectedly dominant cluster of the pulsed laser hold?", True),
            ("How did the cluster of 60 carbon atoms arise from graphite?", False),
            ("What is the answer to the question?", False),
            ("Graphite and a pulsed laser.", False),
        ):
            engine.llm = FakeModel(text)  # type: ignore[assignment]
            assert bool(maker.question(sentence, "60", sentence.text.index("60"))) is kept
    finally:
        engine.llm = real


def test_the_bundled_model_writes_questions(indexed: Config, tmp_path: Path) -> None:
    """Few of them pass; what it writes is a question on one line, as the grammar has it."""
    written: list[str] = []
    try:
        folder = make_suite(indexed, tmp_path / "made", papers=6, mode="model", unanswerable=0).folder
    except UsageError as error:
        told = str(error)
    else:
        told = (folder / "suite.toml").read_text()
        written = [json.loads(line)["question"] for line in (folder / "questions.jsonl").read_text().splitlines()]
    assert f"{6 - len(written)} " in told or len(written) == 6
    assert all(question.count("?") == 1 and question.endswith("?") for question in written)


def test_bad_arguments(indexed: Config, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--papers"):
        make_suite(indexed, tmp_path, papers=0)
    with pytest.raises(UsageError, match="--unanswerable"):
        make_suite(indexed, tmp_path, unanswerable=2)
