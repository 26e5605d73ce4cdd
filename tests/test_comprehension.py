"""A question and a paper, read together: answered, contradicted or not there, and in which sentence."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from eval.comprehension.examples import PAPERS, load_papers
from eval.comprehension.training import train
from rag.bundled_sample import sample_path
from rag.comprehension import PaperComprehender
from rag.comprehension_network import Outcome
from rag.embedding import SentenceEmbedder
from rag.errors import ModelError
from rag.identity import normalise_title

TITLE = "Night buses and missed shifts among hospital cleaners"
SENTENCES = (
    "Cleaners in hospitals often start before the first train.",
    "We followed 412 cleaners in three towns for a year after night buses were introduced in two of them.",
    "Missed shifts fell by 31% in the towns with night buses and did not change in the third.",
    "Wages did not rise.",
    "Women gained more than men, because fewer of them had a car.",
)


@pytest.fixture(scope="session")
def comprehender(embedder: SentenceEmbedder) -> PaperComprehender:
    return PaperComprehender(embedder)


@pytest.mark.parametrize(
    ("answered", "place", "not_there"),
    [
        ("How many cleaners were followed?", 1, "How many cleaners had a bicycle?"),
        ("By how much did missed shifts fall in the towns with night buses?", 2, "By how much did the fares rise?"),
        ("Why did women gain more than men?", 4, "Why did the third town refuse night buses?"),
    ],
)
def test_what_a_paper_answers_looks_more_answered_than_what_it_does_not_say(
    comprehender: PaperComprehender, answered: str, place: int, not_there: str
) -> None:
    (there,) = comprehender.comprehend(answered, [(TITLE, SENTENCES)])
    (absent,) = comprehender.comprehend(not_there, [(TITLE, SENTENCES)])
    assert there.answered > absent.answered
    assert max(range(len(SENTENCES)), key=there.sentences.__getitem__) == place


def test_the_wrong_way_round_looks_more_contradicted(comprehender: PaperComprehender) -> None:
    (right,) = comprehender.comprehend("Why did women gain more than men?", [(TITLE, SENTENCES)])
    (wrong,) = comprehender.comprehend("Why did men gain more than women?", [(TITLE, SENTENCES)])
    assert wrong.contradicted > right.contradicted


def test_a_long_paper_is_read_to_its_end(comprehender: PaperComprehender) -> None:
    long = ("The weather was noted every day in a book that was kept in the kitchen of the school.",) * 90
    (found,) = comprehender.comprehend("How many cleaners were followed?", [(TITLE, (*long, *SENTENCES))])
    assert len(found.sentences) == len(long) + len(SENTENCES)
    assert max(range(len(found.sentences)), key=found.sentences.__getitem__) == len(long) + 1
    assert sum(found.sentences) == pytest.approx(1)


@pytest.mark.parametrize("question", ["", "?", "word " * 3000, "\u200b\ud7ff"])
def test_any_question_and_paper_can_be_read(comprehender: PaperComprehender, question: str) -> None:
    papers = [(TITLE, SENTENCES), ("", ()), ("", ("",)), ("long " * 2000, ("long " * 2000,))]
    found = comprehender.comprehend(question, papers)
    assert [len(one.sentences) for one in found] == [len(SENTENCES), 0, 1, 1]
    assert found[1].answered == 0
    assert all(0 <= one.answered <= 1 and 0 <= one.contradicted <= 1 for one in found)


def test_it_reads_while_others_embed_with_the_same_model(
    comprehender: PaperComprehender, embedder: SentenceEmbedder
) -> None:
    question, papers = "How many cleaners were followed?", [(TITLE, SENTENCES)]
    alone = comprehender.comprehend(question, papers)
    with ThreadPoolExecutor(3) as pool:
        embedding = [pool.submit(embedder.encode_tokens, [TITLE, *SENTENCES] * 2) for _ in range(12)]
        reading = [pool.submit(comprehender.comprehend, question, papers) for _ in range(12)]
        assert all(len(one.result()[1]) == 2 * (1 + len(SENTENCES)) for one in embedding)
        assert all(one.result()[0].answered == pytest.approx(alone[0].answered, abs=1e-5) for one in reading)


def test_papers_do_not_change_each_others_reading(comprehender: PaperComprehender) -> None:
    question = "How many cleaners were followed?"
    alone = comprehender.comprehend(question, [(TITLE, SENTENCES)])
    assert comprehender.comprehend(question, [("Tea", ("Tea is a drink.",)), (TITLE, SENTENCES)])[1:] == alone


@dataclass
class Other:
    embedder: SentenceEmbedder
    digest: str = "another"

    @property
    def transformer(self) -> Any:
        return self.embedder.transformer

    @property
    def tokenizer(self) -> Any:
        return self.embedder.tokenizer


def test_weights_for_another_embedding_model_are_refused(embedder: SentenceEmbedder, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="another embedding model"):
        PaperComprehender(Other(embedder))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be loaded"):
        PaperComprehender(embedder, broken)


def silent(*_: object) -> None:
    pass


def test_training_that_was_stopped_goes_on_to_the_same_weights(embedder: SentenceEmbedder, tmp_path: Path) -> None:
    papers = [*load_papers()[:4], load_papers()[7]]
    told: list[str] = []

    def run(out: Path, progress: Any = silent) -> None:
        train(embedder, papers, out, epochs=2, preparing=silent, progress=progress, tell=told.append)

    def stop(done: int, _: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    run(tmp_path / "whole.safetensors")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped.safetensors", stop)
    assert not (tmp_path / "stopped.safetensors").exists()
    run(tmp_path / "stopped.safetensors")
    whole, stopped = (load_file(tmp_path / f"{name}.safetensors") for name in ("whole", "stopped"))
    assert whole.keys() == stopped.keys()
    assert all(torch.allclose(whole[name].float(), stopped[name].float(), atol=1e-6) for name in whole)
    assert [line.split(":")[0] for line in told] == ["epoch 1 of 2", "epoch 2 of 2"] * 2
    assert not list(tmp_path.glob("*.unfinished"))
    PaperComprehender(embedder, tmp_path / "whole.safetensors")


def test_the_papers_to_learn_from_are_sound() -> None:
    papers = load_papers()
    for paper in papers:
        assert 4 <= len(paper.sentences) <= 11
        assert any(one.sentences for one in paper.examples)
        for one in paper.examples:
            assert one.text.strip()
            assert all(0 <= place < len(paper.sentences) for place in one.sentences), one
            assert one.outcome is not Outcome.CONTRADICTED or one.sentences
    titles = Counter(normalise_title(paper.title) for paper in papers)
    assert max(titles.values()) == 1
    # What Citable is calibrated on is not among what the reader has learnt from.
    with sample_path().open(encoding="utf-8") as file:
        assert not titles.keys() & {normalise_title(json.loads(line)["title"]) for line in file}
    assert {path.suffix for path in PAPERS.iterdir()} == {".jsonl"}
