"""The language model puts the best papers of a search in a better order; a cross-encoder: `test_cross_encoder.py`."""

import json
import time
from dataclasses import replace
from threading import Event, Thread

import numpy as np
import pytest
from llama_cpp import Llama

from rag.build import Engine, index_papers
from rag.config import Config, load_config
from rag.embedding import SentenceEmbedder
from rag.errors import ModelError, UsageError
from rag.fusion import Fused
from rag.llm import LlamaModel
from rag.models import llm_path
from rag.records import Finished, Message, Ranking, Sampling, Token
from rag.rerank import LikelihoodReader, Reranker, reordered
from tests.fakes import FakeModel
from tests.readings import finish

MOLES = "Title: Moles\nAbstract: Moles dig tunnels in loam.\n\nSomebody who looks for this paper asks:"
BEES = "Title: Bees\nAbstract: Bees forage for nectar and dance.\n\nSomebody who looks for this paper asks:"
DIGS = " Which animals dig tunnels?"


def test_what_a_paper_is_about_is_likelier_after_it(llm: LlamaModel) -> None:
    moles, bees = llm.likelihoods([MOLES, BEES], DIGS, Event())
    assert bees < moles < 0
    assert llm.likelihoods([BEES, MOLES], DIGS, Event()) == [bees, moles]


def test_the_likelihood_is_that_of_plain_llama_cpp(llm: LlamaModel) -> None:
    plain = Llama(str(llm_path("bundled")), n_ctx=256, logits_all=True, verbose=False)
    head, text = plain.tokenize(MOLES.encode()), plain.tokenize(DIGS.encode(), add_bos=False)
    plain.eval([*head, *text])
    logits = np.array(plain.scores[len(head) - 1 : len(head) + len(text) - 1], dtype=np.float64)
    logs = (
        logits
        - np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1, keepdims=True))
        - logits.max(1, keepdims=True)
    )
    (mean,) = llm.likelihoods([MOLES], DIGS, Event())
    assert mean == pytest.approx(logs[np.arange(len(text)), text].mean(), abs=0.02)


def test_a_long_abstract_and_a_long_question_fit(llm: LlamaModel) -> None:
    (one,) = llm.likelihoods(["Moles dig. " * 2000], DIGS * 300, Event())
    assert np.isfinite(one)
    # Of a long paper the end of the prompt is kept.
    start, cue = MOLES.split("\n\n")
    papers = [f"{start} Moles dig. {'They do. ' * times}\n\n{cue}" for times in (2000, 200)]
    long, short = llm.likelihoods(papers, DIGS, Event())
    assert long == pytest.approx(short, abs=0.5)
    assert llm.likelihoods([MOLES], "", Event()) == []


def test_writing_is_the_same_after_it(llm: LlamaModel) -> None:
    def write() -> str:
        messages = [Message("system", "Answer."), Message("user", "Say something about tea.")]
        events = llm.stream(messages, grammar="", max_tokens=12, cancel=Event(), sampling=Sampling())
        return "".join(event.text for event in events if isinstance(event, Token))

    before = write()
    llm.likelihoods([MOLES], DIGS, Event())
    assert write() == before


def test_it_can_be_stopped_while_it_reads_and_while_it_waits(llm: LlamaModel) -> None:
    stops = [Event(), Event()]
    found: dict[int, list[float]] = {}
    contexts = [MOLES * 20] * 40

    def read(number: int) -> None:
        found[number] = llm.likelihoods(contexts, DIGS, stops[number])

    readers = [Thread(target=read, args=(number,)) for number in range(2)]
    readers[0].start()
    time.sleep(1)
    readers[1].start()
    time.sleep(1)
    stops[1].set()
    readers[1].join(5)
    assert found == {1: []}
    stops[0].set()
    readers[0].join(20)
    assert found == {0: [], 1: []}


def test_an_error_is_told_and_the_model_writes_on(llm: LlamaModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> list[float]:
        raise RuntimeError("llama_decode returned 1")

    with monkeypatch.context() as patch:
        patch.setattr("rag.llm.mean_log_likelihoods", fail)
        with pytest.raises(ModelError, match=r"llama_decode.*rerank_papers"):
            llm.likelihoods([MOLES], DIGS, Event())
    assert len(llm.likelihoods([MOLES], DIGS, Event())) == 1


def test_a_closed_model_says_so() -> None:
    model = LlamaModel(llm_path("bundled"), context_tokens=512)
    model.close()
    with pytest.raises(ModelError, match="closed"):
        model.likelihoods([MOLES], DIGS, Event())


class Reader(FakeModel):
    def __init__(self, *found: float) -> None:
        super().__init__()
        self.found = list(found)

    def likelihoods(self, contexts: list[str], text: str, cancel: Event) -> list[float]:
        self.contexts = contexts
        return self.found[: len(contexts)]


def entries(ids: list[int]) -> list[object]:
    from rag.records import CatalogPaper, Paper

    return [CatalogPaper(i, f"k{i}", Paper(f"T{i}", "A.")) for i in ids]


def test_both_scores_decide_among_the_papers_read_and_places_keep_their_scores() -> None:
    fused: Fused = [(1, 0.9, {"bm25": 1.0}), (2, 0.8, {}), (3, 0.7, {}), (4, 0.1, {})]
    found = reordered(fused, {1: -3.0, 2: -1.0, 3: -2.9}, "likelihood")
    assert [(i, score) for i, score, _ in found] == [(2, 0.9), (1, 0.8), (3, 0.7), (4, 0.1)]
    assert found[1][2] == {"bm25": 1.0, "likelihood": -3.0}
    assert reordered(fused, {}, "likelihood") == reordered(fused, {1: -1.0}, "likelihood") == fused


def read(reader: Reader, ids: list[int]) -> tuple[list[Ranking], dict[int, float]]:
    reading = Reranker(LikelihoodReader(reader), entries, 3).read("q?", ids, Event())  # type: ignore[arg-type]
    return finish(reading)


def test_the_best_papers_are_read_one_by_one_and_each_is_told() -> None:
    reader = Reader(-1.5)
    told, found = read(reader, [5, 6, 7, 8])
    assert told == [Ranking(0, 3), Ranking(1, 3), Ranking(2, 3)]
    assert found == {5: -1.5, 6: -1.5, 7: -1.5}
    assert "Title: T7\nAbstract: A." in reader.contexts[0]


def test_nothing_is_known_where_reading_was_stopped_or_there_is_no_choice() -> None:
    assert read(Reader(), [1, 2]) == ([Ranking(0, 2)], {})
    assert read(Reader(-1.0), [1]) == ([], {})


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory, embedder: SentenceEmbedder) -> Config:
    folder = tmp_path_factory.mktemp("zoo")
    papers = [("Moles", "Moles dig tunnels in loam."), ("Badgers", "Badgers dig setts."), ("Bees", "Bees forage.")]
    file = folder / "papers.jsonl"
    file.write_text("\n".join(json.dumps({"title": t, "abstract": a}) for t, a in papers), encoding="utf-8")
    config = replace(Config(), home=folder, embedding_model="bundled", context_tokens=1024)
    index_papers(config, [file])
    return config


def test_answers_tell_what_was_read_and_how_long_it_took(zoo: Config) -> None:
    with Engine(replace(zoo, rerank_papers=2)) as engine:
        *events, last = engine.answerer.stream("Which animal digs tunnels in loam?")
        assert [event for event in events if isinstance(event, Ranking)] == [Ranking(0, 2), Ranking(1, 2)]
        assert isinstance(last, Finished)
        answer = last.answer
        assert ["likelihood" in hit.parts for hit in answer.hits] == [True, True, False]
        assert answer.hits[0].title == "Moles"
        assert answer.timings["rerank"] > 0
        assert answer.timings["search"] > 0
        # What is about something else is not read for.
        strange = engine.answerer.ask("How is sourdough bread kept fresh?")
        assert not any("likelihood" in hit.parts for hit in strange.hits)
    with Engine(zoo) as engine:
        plain = engine.answerer.ask("Which animal digs tunnels in loam?")
    assert not any("likelihood" in hit.parts for hit in plain.hits)
    assert "rerank" not in plain.timings


@pytest.mark.parametrize("count", [-1, 1])
def test_a_number_that_orders_nothing_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match="rerank_papers"):
        load_config(overrides={"rerank_papers": count})
