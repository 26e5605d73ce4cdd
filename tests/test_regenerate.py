"""The page writes an answer once more with the next seed, and says which one it was."""

import json
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rag import build
from rag.build import Engine, index_papers
from rag.config import Config
from rag.records import Sampling
from tests.fakes import FakeComprehender, FakeEmbedder, FakeModel
from ui.app import ChatPage, Memory

PAPER = {
    "title": "Early thaw of northern lakes",
    "abstract": "We followed forty lakes. Ice left the lakes eleven days earlier in 2019 than in 2010.",
}
QUESTION = "How many days earlier did ice leave the lakes?"
WRITTEN = "Ice left the lakes eleven days earlier in 2019. [2]"
REQUEST: Any = SimpleNamespace(session_hash="page")


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    embedder, model = FakeEmbedder(), FakeModel(WRITTEN)
    monkeypatch.setattr(build, "load_embedder", lambda config: embedder)
    monkeypatch.setattr(build, "load_comprehender", lambda config, embedder: FakeComprehender())
    monkeypatch.setattr(build, "load_llm", lambda config: model)
    return model


def page_of(folder: Path, **settings: Any) -> Iterator[ChatPage]:
    config = replace(Config(), home=folder / "data", answer_threshold=0.01, **settings)
    file = folder / "p.jsonl"
    file.write_text(json.dumps(PAPER), encoding="utf-8")
    index_papers(config, [file])
    ready: Future[Engine] = Future()
    with Engine(config) as engine:
        ready.set_result(engine)
        yield ChatPage(ready)


def test_regenerating_takes_the_next_seed_each_time_and_tells_it(model: FakeModel, tmp_path: Path) -> None:
    for page in page_of(tmp_path):
        shown, _, memory = list(page.answer(QUESTION, [], "", Memory(), REQUEST))[-1]
        assert "seed" not in shown[-1]["content"]
        for seed in (1, 2):
            assert isinstance(memory, Memory)
            shown, _, memory = list(page.regenerate(shown, "", memory, REQUEST))[-1]
            assert model.samplings[-1] == Sampling(0.7, seed)
            assert f"seed {seed} at temperature 0.7" in shown[-1]["content"].lower()
            assert shown[-2]["role"] == "user"
        assert isinstance(memory, Memory)
        # A new question is answered as the settings say.
        shown, _, memory = list(page.answer(QUESTION, [], "", memory, REQUEST))[-1]
        assert model.samplings[-1] == Sampling(0.0, 0)
        assert list(page.about())[-1].startswith("Answers: compose")


def test_what_the_ranking_quotes_is_not_offered_anew(model: FakeModel, tmp_path: Path) -> None:
    model.parameters = 100_000_000
    for page in page_of(tmp_path):
        _, _, memory = list(page.answer(QUESTION, [], "", Memory(), REQUEST))[-1]
        assert isinstance(memory, Memory)
        assert memory.sampling is None
        assert model.asked == []
        assert "the ranking chooses" in list(page.about())[-1]


def test_several_drafts_show_the_seed_of_the_best(model: FakeModel, tmp_path: Path) -> None:
    for page in page_of(tmp_path, best_of=2, temperature=0.5, seed=8):
        updates = list(page.answer(QUESTION, [], "", Memory(), REQUEST))
        assert any("draft 2 of 2" in str(shown) for shown, _, _ in updates)
        assert "seed 8 at temperature 0.5" in updates[-1][0][-1]["content"].lower()
        assert [sampling and sampling.seed for sampling in model.samplings] == [8, 9]
