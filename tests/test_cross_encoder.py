"""A cross-encoder puts the best papers of a search in another order: a real one, tiny, whose order is known."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from sentence_transformers import CrossEncoder

from eval.datasets import load_suite
from eval.running import run_suite
from eval.storage import read_manifest
from rag.build import Engine, SearchEngine, index_papers
from rag.config import Config, load_config
from rag.cross_encoder import RelevanceModel
from rag.embedding import SentenceEmbedder
from rag.errors import ModelError, UsageError
from rag.models import embedding_path, reranker_path
from rag.records import CatalogPaper, Finished, Found, Paper, Ranking
from rag.rerank import RelevanceReader
from tests.cross_encoders import save_cross_encoder
from tests.readings import finish
from ui.doctor import examine

PAPERS = {
    "Moles": "Moles dig tunnels in loam.",
    "Badgers": "Badgers dig setts, and they eat the eggs of bees in the loam.",
    "Bees": "Bees forage for nectar.",
}
QUESTION = "Which animal digs tunnels in loam?"
SEVERAL, SOMEBODY = "Which papers deal with animals in loam?", "What did Brock find on loam?"


@pytest.fixture(scope="module")
def bees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a cross-encoder that likes papers with bees in them."""
    return save_cross_encoder(tmp_path_factory.mktemp("bees"), "bees")


@pytest.fixture(scope="module")
def model(bees: Path) -> RelevanceModel:
    return RelevanceModel("bees", str(bees))


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory, embedder: SentenceEmbedder) -> Config:
    folder = tmp_path_factory.mktemp("zoo")
    file = folder / "papers.jsonl"
    lines = [json.dumps({"title": t, "abstract": a, "authors": ["Ann Brock"]}) for t, a in PAPERS.items()]
    file.write_text("\n".join(lines), encoding="utf-8")
    config = replace(Config(), home=folder, embedding_model="bundled", context_tokens=1024)
    index_papers(config, [file])
    return config


def entries(*abstracts: str, title: str = "T") -> list[CatalogPaper]:
    return [CatalogPaper(i, f"k{i}", Paper(title, abstract)) for i, abstract in enumerate(abstracts)]


def test_scores_are_what_the_model_itself_predicts(bees: Path, model: RelevanceModel) -> None:
    abstracts = ["Bees.", "Moles dig.", "Moles hear bees in the meadow.", "Bees and bees.", "Old bees hum."]
    own = CrossEncoder(str(bees), local_files_only=True)
    whole = [("Who hums?", f"T\n{abstract}") for abstract in abstracts]
    told, found = finish(RelevanceReader(model).read("Who hums?", entries(*abstracts), Event()))
    logits = own.predict(whole, activation_fn=torch.nn.Identity())
    assert list(found.values()) == pytest.approx(logits.tolist(), abs=1e-5)
    # On a scale without bounds; what the model makes of it comes in the same order.
    ordered = sorted(range(len(whole)), key=lambda i: -found[i])
    assert [one["corpus_id"] for one in own.rank("Who hums?", [text for _, text in whole])] == ordered
    assert told == [Ranking(0, 5), Ranking(4, 5)]


def test_nothing_of_a_long_abstract_or_question_is_cut_off(tmp_path: Path) -> None:
    small = RelevanceModel("small", str(save_cross_encoder(tmp_path / "small", "bees", max_tokens=64)))
    read: list[tuple[str, str]] = []
    scores = small.scores
    small.scores = lambda pairs: read.extend(pairs) or scores(pairs)  # type: ignore[func-returns-value,method-assign]
    filler = "Moles dig long tunnels in wet soil. " * 20
    unbroken = "soil " * 300
    papers = entries(f"{filler}Bees.", filler, f"{unbroken}bees", title="Holes")
    _, found = finish(RelevanceReader(small).read("What hums?", papers, Event()))
    assert found[0] > found[1] == 0
    assert found[2] > 0
    assert all(small.count_tokens(asked, [text])[0] <= 64 for asked, text in read)
    words = {word for _, text in read for word in text.split()}
    assert words == {word for entry in papers for word in f"Holes {entry.paper.abstract}".split()}
    # The best part decides, whatever surrounds it, and the title stands before each.
    assert all(text.startswith("Holes\n") for _, text in read)
    read.clear()
    question = f"{'Do moles dig in wet soil, and how? ' * 12}What of bees?"
    _, found = finish(RelevanceReader(small).read(question, entries("Moles dig.", "Bees hum."), Event()))
    assert found[1] > found[0] > 0
    assert {word for asked, _ in read for word in asked.split()} == set(question.split())
    read.clear()
    _, found = finish(
        RelevanceReader(small).read("What hums?", entries("It is.", "", title=f"{unbroken}bees"), Event())
    )
    assert min(found.values()) > 0


def test_it_can_be_stopped_between_two_batches(model: RelevanceModel) -> None:
    cancel = Event()
    reading = RelevanceReader(model).read("Who hums?", entries(*["Bees."] * 9), cancel)
    assert [next(reading), next(reading)] == [Ranking(0, 9), Ranking(4, 9)]
    cancel.set()
    assert finish(reading) == ([], {})


def test_answers_come_in_its_order_and_tell_that_it_was_relevance(zoo: Config, bees: Path) -> None:
    with Engine(replace(zoo, rerank_papers=2, reranker=str(bees))) as engine:
        *events, last = engine.answerer.stream(QUESTION)
        assert isinstance(last, Finished)
        answer = last.answer
        assert [event for event in events if isinstance(event, Ranking)] == [Ranking(0, 2)]
        assert ["relevance" in hit.parts for hit in answer.hits] == [True, True, False]
        assert not any("likelihood" in hit.parts for hit in answer.hits)
        assert answer.timings["rerank"] > 0
        read = {hit.title: hit.parts["relevance"] for hit in answer.hits[:2]}
        assert read["Moles"] == 0 < read["Badgers"]
        # Neither what is about something else, nor what asks for several papers or somebody's, is read for.
        for other in (
            "How is bread kept fresh?",
            "Which papers deal with animals in loam?",
            "What did Brock find on loam?",
        ):
            assert not any("relevance" in hit.parts for hit in engine.answerer.ask(other).hits), other
    with Engine(zoo) as engine:
        assert engine.reranker is None


def test_what_it_finds_more_relevant_comes_first(zoo: Config, tmp_path: Path) -> None:
    config = replace(zoo, rerank_papers=3, reranker=str(save_cross_encoder(tmp_path / "moles", "tunnels")))
    question = "Which animals dig in loam?"
    with SearchEngine(config) as searching:
        assert searching.retriever.search(question).hits[0].title == "Badgers"
    with Engine(config) as engine:
        (found,) = [event for event in engine.answerer.stream(question) if isinstance(event, Found)]
    assert found.hits[0].title == "Moles"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file = tmp_path / "three.jsonl"
    asked = [QUESTION, SEVERAL, SOMEBODY]
    lines = [{"id": f"q{n}", "kind": "find", "question": one, "gold": ["Moles"]} for n, one in enumerate(asked)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def test_retrieval_alone_reads_as_an_answer_does(zoo: Config, bees: Path, suite: Path, tmp_path: Path) -> None:
    config = replace(zoo, rerank_papers=3, reranker=str(bees))
    alone = run_suite(load_suite(suite), replace(config, llm="missing.gguf"), tmp_path / "alone", retrieval_only=True)
    whole = run_suite(load_suite(suite), config, tmp_path / "whole")
    assert [["relevance" in hit.parts for hit in record.hits] for record in alone.records] == [
        [True] * 3, [False] * 3, [False] * 3,
    ]  # fmt: skip
    assert alone.records[0].hits == whole.records[0].hits
    assert alone.records[0].ranking == whole.records[0].ranking
    assert alone.records[0].confidence == whole.records[0].confidence
    assert alone.records[0].timings["rerank"] > 0


def test_a_run_is_bound_to_the_files_of_the_cross_encoder(zoo: Config, suite: Path, tmp_path: Path) -> None:
    config = replace(zoo, rerank_papers=2, reranker=str(save_cross_encoder(tmp_path / "model", "bees")))

    def run() -> dict[str, Any]:
        run_suite(load_suite(suite), config, tmp_path / "run", retrieval_only=True)
        return dict(read_manifest(tmp_path / "run")["models"]["reranker"])

    first = run()
    assert first == run()
    assert first["name"] == config.reranker
    assert len(first["sha256"]) == 64
    save_cross_encoder(tmp_path / "model", "eggs")
    with pytest.raises(UsageError, match=r"models\.reranker\.sha256"):
        run()


def test_a_model_loaded_by_name_is_told_by_its_weights(bees: Path, tmp_path: Path) -> None:
    found = []
    for path in (bees, bees, save_cross_encoder(tmp_path / "eggs", "eggs")):
        one = RelevanceModel("one", str(path))
        one._folder = None  # as where only the library knows where the files lie
        found.append(one.digest)
    assert found[0] == found[1] != found[2]
    assert len(found[0]) == 64


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("embedding", "no cross-encoder"),
        ("three", "3 outputs"),
        ("empty", "cannot be loaded"),
        ("nobody/no-such-model", "cannot be loaded"),
    ],
)
def test_what_is_no_cross_encoder_with_one_output_is_refused(kind: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    save_cross_encoder(tmp_path / "three", "bees", outputs=3)
    path = embedding_path("bundled") if kind == "embedding" else str(tmp_path / kind) if "/" not in kind else kind
    with pytest.raises(ModelError, match=rf"{told}.*Set reranker to"):
        RelevanceModel(kind, path)


def test_models_that_are_here_for_something_else_are_refused_before_they_are_loaded() -> None:
    for name in ("bundled", "all-mpnet-base-v2", "qwen2.5-1.5b-instruct"):
        with pytest.raises(ModelError, match="no cross-encoder"):
            reranker_path(name)


def test_output_that_is_no_number_is_an_error(tmp_path: Path) -> None:
    model = RelevanceModel("bees", str(save_cross_encoder(tmp_path / "bees", "bees")))
    with torch.no_grad():
        model._model.model.classifier.bias.fill_(float("nan"))
    with pytest.raises(ModelError, match=r"cannot order papers.*rerank_papers"):
        model.scores([("q", "bees")])


def test_a_cross_encoder_that_would_read_nothing_is_refused(bees: Path) -> None:
    with pytest.raises(UsageError, match="rerank_papers is 0"):
        load_config(overrides={"reranker": str(bees)})
    assert load_config(overrides={"reranker": str(bees), "rerank_papers": 10}).reranker == str(bees)


def test_a_search_without_a_cross_encoder_has_nothing_that_reads(zoo: Config) -> None:
    with SearchEngine(replace(zoo, rerank_papers=2)) as engine, pytest.raises(UsageError, match="cross-encoder"):
        engine.reranker  # noqa: B018


def doctor(config: Config) -> str:
    out = StringIO()
    examine(config, out)
    return next((line for line in out.getvalue().splitlines() if line.strip().startswith("reranker")), "")


def test_doctor_tells_who_reads(zoo: Config, bees: Path, tmp_path: Path, model: RelevanceModel) -> None:
    config = replace(zoo, llm=str(tmp_path / "missing.gguf"))  # The language model is not what is looked at here.
    assert doctor(config) == ""
    assert "best 5 papers are read by the language model" in doctor(replace(config, rerank_papers=5))
    with_model = replace(config, rerank_papers=5, reranker=str(bees))
    assert model.digest[:16] in doctor(with_model)
    assert "PROBLEM" not in doctor(with_model)
    assert "downloaded once" in doctor(replace(with_model, reranker="cross-encoder/some"))
    assert "PROBLEM" in doctor(replace(with_model, reranker=embedding_path("bundled")))
