"""Comparisons: both sides, or which one is missing. With the bundled models."""

import json
from collections.abc import Iterator

import pytest

from rag.build import Engine, index_papers
from rag.config import Config
from rag.export import answer_to_dict
from rag.sides import sides_of
from ui import render

BERT = "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding"


_NEEDED = ("BERT:", "Sentence-BERT", "AlphaFold", "Consensus", "Lasso", "Weak Ties", "plastics", "ImageNet Class")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, sample_lines: list[str]) -> Iterator[Engine]:
    config = Config(home=tmp_path_factory.mktemp("sides"))
    kept = [line for line in sample_lines if any(word in json.loads(line)["title"] for word in _NEEDED)]
    (config.home / "papers.jsonl").write_text("\n".join([*kept, *sample_lines[::9]]), encoding="utf-8")
    index_papers(config, [config.home / "papers.jsonl"])
    with Engine(config) as ready:
        yield ready


def test_both_sides_of_a_comparison_are_quoted_or_the_missing_one_is_told(sample: Engine) -> None:
    ask = sample.answerer.ask
    both = ask("What is the difference between BERT and Sentence-BERT?")
    assert both.citations[0].title.startswith("Sentence-BERT")
    assert any("Sentence-BERT (SBERT) fine-tunes BERT" in citation.quote for citation in both.citations[:2])
    assert "BERT is a Transformer encoder" in both.text
    assert not both.missing

    lacking = ask("How does BERT differ from GPT-2?", subject="What is AlphaFold?")
    assert {citation.title for citation in lacking.citations} == {BERT}
    assert not lacking.followed
    assert answer_to_dict(lacking)["missing_sides"] == ["GPT-2"]
    for shown in (render.sources_plain(lacking), render.finished_markdown(lacking, "t").replace("\\", "")):
        assert "Nothing was found on GPT-2: the answer is about the other side alone." in shown

    assert ask("What is the difference between Cassandra and MongoDB?").refused
    # One paper that compares both answers alone.
    for question in ("Is Raft better than Paxos?", "lasso vs ridge regression", "Compare weak ties and strong ties"):
        answer = ask(question)
        assert len({citation.title for citation in answer.citations}) == 1
        assert not answer.missing


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        ("Compare the TPU with the K80", ("TPU", "K80")),
        ("BERT versus GPT-2", ("BERT", "GPT-2")),
        ("Is the lasso better than ridge regression?", ("lasso", "ridge regression")),
        ("What's the difference between X1 and Y1 in speed?", ("X1", "Y1")),
        ("Which is faster, MapReduce or Spark?", ("MapReduce", "Spark")),
        ("Compare A1, B1 and C1", None),
        ("How does it differ from GPT-2?", None),
        ("Does dexamethasone lower mortality more than usual care?", None),
        ("Compare the papers and their results", None),
        ("compare " + "a " * 5000, None),
    ],
)
def test_the_form_tells_the_sides(question: str, sides: tuple[str, str] | None) -> None:
    found = sides_of(question)
    assert (found.sides if found else None) == sides
