"""The derived indexes: Chroma, BM25 and token vectors."""

from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexMismatchError
from rag.lexical import LexicalIndex
from rag.records import TokenVectors
from rag.store import Kind, VectorStore
from rag.terms import content_terms, terms
from rag.tokens import TokenStore


@pytest.fixture
def store(tmp_path: Path) -> VectorStore:
    return VectorStore(tmp_path / "chroma")


@pytest.fixture
def lexical(tmp_path: Path) -> LexicalIndex:
    index = LexicalIndex(tmp_path / "lexical.db")
    index.replace(
        [], [(1, "Fréchet means on graphs"), (2, "Graphs of lakes"), (3, "77 ms for lakes; lakes thaw, 18,736")]
    )
    return index


def test_vectors_come_back_nearest_first_and_survive_reopening(tmp_path: Path, store: VectorStore) -> None:
    vectors = np.eye(4, dtype=np.float32)[:3]
    store.upsert(Kind.PASSAGE, [10, 20, 30], vectors)
    store.upsert(Kind.SENTENCE, [10], vectors[1:2])
    store.close()
    again = VectorStore(tmp_path / "chroma")
    query = np.array([0.1, 0.9, 0.2, 0.0], dtype=np.float32)
    query /= np.linalg.norm(query)
    found = again.query(Kind.PASSAGE, query, 10)
    assert [i for i, _ in found] == [20, 30, 10]
    assert found[0][1] == pytest.approx(float(query[1]), abs=1e-5)
    assert again.similarities(Kind.PASSAGE, [30, 99, 10], query) == pytest.approx(
        {30: query[2], 10: query[0]}, abs=1e-5
    )
    assert (again.count(Kind.PASSAGE), again.count(Kind.SENTENCE)) == (3, 1)


def test_upsert_replaces_and_delete_ignores_what_is_absent(store: VectorStore) -> None:
    vectors = np.eye(2, dtype=np.float32)
    store.upsert(Kind.PASSAGE, [1], vectors[:1])
    store.upsert(Kind.PASSAGE, [1], vectors[1:])
    store.delete(Kind.PASSAGE, [5, 6])
    assert store.query(Kind.PASSAGE, vectors[1], 1)[0][1] == pytest.approx(1.0, abs=1e-5)
    store.delete(Kind.PASSAGE, [1])
    assert store.query(Kind.PASSAGE, vectors[1], 1) == []
    assert store.similarities(Kind.PASSAGE, [], vectors[0]) == {}


def test_more_vectors_than_one_batch_of_chroma(store: VectorStore) -> None:
    vectors = np.random.default_rng(0).normal(size=(6000, 8)).astype(np.float32)
    store.upsert(Kind.PASSAGE, range(6000), vectors)
    assert store.count(Kind.PASSAGE) == 6000
    store.delete(Kind.PASSAGE, range(6000))
    assert store.count(Kind.PASSAGE) == 0


def test_bm25_finds_inflections_accents_and_numbers(lexical: LexicalIndex) -> None:
    assert [i for i, _ in lexical.query("What is a frechet mean?", 5)] == [1]
    assert next(i for i, _ in lexical.query("thawing lake", 5)) == 3
    assert [i for i, _ in lexical.query("18736", 5)] == [3]
    assert lexical.query("?!", 5) == []
    assert lexical.query('"; DROP TABLE passages; -- OR NEAR(', 5) == []


def test_bm25_replaces_in_one_step(lexical: LexicalIndex) -> None:
    lexical.replace([2, 99], [(4, "graphs and more graphs")])
    assert lexical.count() == 3
    assert {i for i, _ in lexical.query("graphs", 5)} == {1, 4}


def tokens(*rows: tuple[int, list[float]]) -> TokenVectors:
    vectors = np.array([vector for _, vector in rows], dtype=np.float32)
    return TokenVectors(
        np.array([i for i, _ in rows], dtype=np.int32), vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    )


def test_token_vectors_give_the_best_match_of_each_question_token(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "tokens.db")
    store.replace([], [(1, tokens((7, [1, 0, 0]), (8, [0.6, 0.8, 0]))), (2, tokens((7, [0, 0, 1])))])
    question = np.eye(3, dtype=np.float32)
    store.close()
    store = TokenStore(tmp_path / "tokens.db")
    found = store.matches(question, [1, 2, 99])
    assert set(found) == {1, 2}
    # Bytes cost less than a hundredth of a cosine.
    assert found[1].tolist() == pytest.approx([1, 0.8, 0], abs=0.01)
    assert found[2].tolist() == pytest.approx([0, 0, 1], abs=0.01)
    assert store.matches(question, []) == {}
    assert store.idf([7, 8, 9]).tolist() == pytest.approx([np.log(3 / 2.5), np.log(3 / 1.5), np.log(3 / 0.5)], rel=1e-5)


def test_token_vectors_are_replaced_with_their_frequencies(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "tokens.db")
    store.replace([], [(1, tokens((7, [1, 0]), (7, [0, 1]))), (2, tokens((8, [1, 0])))])
    store.replace([2, 50], [(1, tokens((8, [0, 1])))])
    assert store.count() == 1
    assert store.idf([7, 8]).tolist() == pytest.approx([np.log(2 / 0.5), np.log(2 / 1.5)], rel=1e-5)
    assert store.matches(np.array([[1, 0]], dtype=np.float32), [1])[1].tolist() == pytest.approx([0], abs=0.01)


def test_a_passage_without_tokens_matches_nothing(tmp_path: Path) -> None:
    """Text that the model has no tokens for must neither fail a search nor take its neighbour's place."""
    none = TokenVectors(np.empty(0, dtype=np.int32), np.empty((0, 2), dtype=np.float32))
    store = TokenStore(tmp_path / "tokens.db")
    store.replace([], [(1, none), (2, tokens((7, [1, 0]))), (3, none)])
    question = np.array([[1, 0]], dtype=np.float32)
    assert {i: best.tolist() for i, best in store.matches(question, [1, 2, 3]).items()} == {2: [1.0]}
    assert store.matches(question, [1, 3]) == {}
    assert store.count() == 3


def test_a_file_that_holds_no_token_vectors_is_told(tmp_path: Path) -> None:
    (tmp_path / "tokens.db").write_bytes(b"no database at all, only text " * 40)
    with pytest.raises(IndexMismatchError, match="citable reindex"):
        TokenStore(tmp_path / "tokens.db")


def test_rare_words_weigh_more(lexical: LexicalIndex) -> None:
    idf = lexical.idf(terms("lakes frechet unseen"))
    assert idf["lake"] < idf["frechet"] < idf["unseen"]


def test_terms_fold_case_accents_and_thousands() -> None:
    assert terms("Fréchet 18,736 ﬁts 0.5") == ["frechet", "18736", "fit", "0.5"]
    assert content_terms("How does the lake thaw, and what is a lake?") == ["lake", "thaw"]
