from itertools import pairwise
from pathlib import Path

import pytest

from rag.chunking import sentence_texts, split_passages
from rag.embedding import SentenceEmbedder
from rag.readers import read_papers
from rag.records import Paper, Passage, Sentence
from rag.sentences import split_sentences
from tests.fakes import FakeEmbedder

FAKE = FakeEmbedder(max_tokens=30)


def passages_of(title: str, abstract: str, embedder: FakeEmbedder | SentenceEmbedder = FAKE) -> list[Passage]:
    spans = split_sentences(abstract)
    sentences = [Sentence(7, n, a, b, abstract[a:b]) for n, (a, b) in enumerate(spans)]
    return split_passages(7, title, abstract, sentences, embedder.count_tokens, embedder.max_tokens)


def assert_whole(title: str, abstract: str, embedder: FakeEmbedder | SentenceEmbedder) -> None:
    passages = passages_of(title, abstract, embedder)
    assert max(embedder.count_tokens([p.embed_text for p in passages])) <= embedder.max_tokens
    covered = {i for p in passages for i in range(p.start, p.end)}
    assert all(abstract[i].isspace() for i in range(len(abstract)) if i not in covered)
    assert [p.index for p in passages] == list(range(len(passages)))
    for p in passages:
        assert p.embed_text.endswith(abstract[p.start : p.end])


def test_a_short_abstract_is_one_passage_with_its_title() -> None:
    (passage,) = passages_of("Lakes", "Ice leaves. Fish stay.")
    assert passage.embed_text == "Lakes\nIce leaves. Fish stay."
    assert (passage.start, passage.end) == (0, 22)


def test_a_long_abstract_makes_overlapping_passages_that_fit() -> None:
    abstract = " ".join(f"Sentence number {n} tells about lake {n} and its ice." for n in range(12))
    passages = passages_of("Lakes of the north", abstract)
    assert_whole("Lakes of the north", abstract, FAKE)
    assert len(passages) > 2
    assert all(a.end > b.start for a, b in pairwise(passages))


@pytest.mark.parametrize(
    ("title", "abstract"),
    [
        ("Lakes", "word " * 200 + "end."),
        ("A very long title that goes on " * 10, "Short abstract. With two sentences."),
        ("A very long title that goes on " * 10 + "to its end", ""),
        ("Lakes", ""),
        ("x" * 400, "y" * 400),
    ],
)
def test_odd_shapes_still_fit_and_lose_nothing(title: str, abstract: str) -> None:
    passages = passages_of(title, abstract)
    assert max(FAKE.count_tokens([p.embed_text for p in passages])) <= FAKE.max_tokens
    held = " ".join(p.embed_text for p in passages)
    for word in set((title + " " + abstract).split()):
        assert word in held


def test_sentences_are_embedded_with_their_title_where_both_fit() -> None:
    title = "t " * 20
    pairs = [("Lakes", "Ice leaves."), (title, "Ice " * 15 + "leaves."), ("Lakes", "word " * 60)]
    texts = sentence_texts(pairs, FAKE.count_tokens, FAKE.max_tokens)
    assert texts[0] == "Lakes\nIce leaves."
    assert texts[1] == pairs[1][1]
    assert pairs[2][1].startswith(texts[2])
    assert max(FAKE.count_tokens(texts)) <= FAKE.max_tokens


def test_the_real_model_sees_all_of_the_longest_abstracts(
    embedder: SentenceEmbedder, shared_papers: list[Path]
) -> None:
    papers = [p for f in shared_papers for p in read_papers(f) if isinstance(p, Paper)]
    longest = sorted(papers, key=lambda p: -len(p.abstract))[:5]
    assert max(embedder.count_tokens([p.abstract for p in longest])) > embedder.max_tokens
    for paper in longest:
        assert_whole(paper.title, paper.abstract, embedder)


def test_the_real_model_sees_all_of_a_made_up_long_abstract(embedder: SentenceEmbedder) -> None:
    abstract = " ".join(
        f"In the year {1900 + n} the antiferromagnetic exchange anisotropy of sample {n} was measured at {n} K."
        for n in range(60)
    )
    assert_whole("Exchange anisotropy over sixty years", abstract, embedder)


def test_encode_keeps_order_and_unit_length(embedder: SentenceEmbedder) -> None:
    texts = ["ice on lakes", "a sorting network is a small circuit " * 10, "lake ice"]
    vectors = embedder.encode(texts)
    assert vectors.shape == (3, embedder.dimensions)
    assert abs(float(vectors[1] @ vectors[1]) - 1) < 1e-5
    assert float(vectors[0] @ vectors[2]) > 0.7 > float(vectors[0] @ vectors[1])
    assert embedder.encode([]).shape == (0, embedder.dimensions)
