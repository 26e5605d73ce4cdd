"""The derived indexes: Chroma, BM25, sentence and token vectors."""

from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexMismatchError
from rag.lexical import LexicalIndex
from rag.records import TokenVectors, Vectors
from rag.sentence_vectors import SentenceStore
from rag.store import VectorStore
from rag.terms import content_terms, terms
from rag.tokens import TokenStore


@pytest.fixture
def store(tmp_path: Path) -> VectorStore:
    return VectorStore(tmp_path / "chroma")


@pytest.fixture
def lexical(tmp_path: Path) -> LexicalIndex:
    index = LexicalIndex(tmp_path / "lexical")
    index.replace(
        [], [(1, "Fréchet means on graphs"), (2, "Graphs of lakes"), (3, "77 ms for lakes; lakes thaw, 18,736")]
    )
    return index


def unit(*parts: float) -> Vectors:
    vector = np.array(parts, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def test_vectors_come_back_nearest_first_and_survive_reopening(tmp_path: Path, store: VectorStore) -> None:
    store.upsert([10, 20, 30], np.eye(4, dtype=np.float32)[:3])
    store.close()
    again = VectorStore(tmp_path / "chroma")
    query = unit(0.1, 0.9, 0.2, 0.0)
    found = again.query(query, 10)
    assert [i for i, _ in found] == [20, 30, 10]
    assert found[0][1] == pytest.approx(float(query[1]), abs=1e-5)
    assert again.count() == 3


def test_upsert_replaces_and_delete_ignores_what_is_absent(store: VectorStore) -> None:
    vectors = np.eye(2, dtype=np.float32)
    store.upsert([1], vectors[:1])
    store.upsert([1], vectors[1:])
    store.delete([5, 6])
    assert store.query(vectors[1], 1)[0][1] == pytest.approx(1.0, abs=1e-5)
    store.delete([1])
    assert store.query(vectors[1], 1) == []


def test_more_vectors_than_one_batch_of_chroma(store: VectorStore) -> None:
    vectors = np.random.default_rng(0).normal(size=(6000, 8)).astype(np.float32)
    store.upsert(range(6000), vectors)
    assert store.count() == 6000
    store.delete(range(6000))
    assert store.count() == 0


@pytest.mark.parametrize("allowed", [0, 1, 40, 2500])
def test_the_nearest_within_some_are_the_nearest_of_those(store: VectorStore, allowed: int) -> None:
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(3000, 8)).astype(np.float32)
    store.upsert(range(3000), vectors)
    within = generator.permutation(3000)[:allowed].tolist()
    query = unit(*generator.normal(size=8))
    cosines = vectors @ query / np.linalg.norm(vectors, axis=1)
    best = sorted(within, key=lambda i: -cosines[i])[:20]
    found = store.query(query, 20, within)
    assert len(set(best) & {i for i, _ in found}) >= 0.95 * len(best)
    assert dict(found) == pytest.approx({i: float(cosines[i]) for i, _ in found}, abs=1e-4)


def test_sentence_vectors_are_kept_by_paper(tmp_path: Path) -> None:
    store = SentenceStore(tmp_path / "sentences.db")
    none = np.empty((0, 2), dtype=np.float32)
    store.replace([(1, np.eye(2, dtype=np.float32)), (2, unit(3, 4)[None]), (3, none)])
    store.replace([(2, np.stack([unit(4, 3), unit(1, 0)]))])
    store.close()
    store = SentenceStore(tmp_path / "sentences.db")
    found = store.similarities(unit(1, 0), [1, 2, 3, 99])
    # Bytes cost less than a hundredth of a cosine.
    assert found[1].tolist() == pytest.approx([1, 0], abs=0.01)
    assert found[2].tolist() == pytest.approx([0.8, 1], abs=0.01)
    assert found[3].tolist() == []
    assert set(found) == {1, 2, 3}
    assert store.count() == 4
    store.replace([(1, none)])
    assert store.count() == 2


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


def test_bm25_finds_within_some(lexical: LexicalIndex) -> None:
    assert [i for i, _ in lexical.query("lakes and graphs", 5, [1, 3, 99])] == [3, 1]
    assert lexical.query("lakes and graphs", 5, []) == []
    everywhere = dict(lexical.query("lakes and graphs", 5))
    assert dict(lexical.query("lakes and graphs", 5, [1])) == pytest.approx({1: everywhere[1]})


def test_bm25_survives_reopening_and_tells_a_broken_file(tmp_path: Path, lexical: LexicalIndex) -> None:
    lexical.close()
    again = LexicalIndex(tmp_path / "lexical")
    assert [i for i, _ in again.query("frechet", 5)] == [1]
    again.replace([], [(5, "frechet again")])
    again.close()
    assert LexicalIndex(tmp_path / "lexical").count() == 4
    (tmp_path / "lexical" / "meta.json").write_text("{")
    with pytest.raises(IndexMismatchError, match="citable reindex"):
        LexicalIndex(tmp_path / "lexical")


def tokens(*rows: tuple[int, list[float]]) -> TokenVectors:
    vectors = np.array([vector for _, vector in rows], dtype=np.float32)
    return TokenVectors(
        np.array([i for i, _ in rows], dtype=np.int32), vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    )


def test_token_vectors_give_the_best_match_of_each_question_token(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "tokens.db")
    store.replace([], [(1, tokens((7, [1, -1, -1]), (8, [1, 2, -3]))), (2, tokens((7, [-1, -1, 4])))])
    question = np.stack([unit(1, -1, -1), unit(1, 1, 1)])
    store.close()
    store = TokenStore(tmp_path / "tokens.db")
    found = store.matches(question, [1, 2, 99])
    assert set(found) == {1, 2}
    # Only the signs of a token count: (1, 2, -3) is (1, 1, -1).
    assert found[1].tolist() == pytest.approx([1, 1 / 3], abs=1e-6)
    assert found[2].tolist() == pytest.approx([-1 / 3, -1 / 3], abs=1e-6)
    assert store.matches(question, []) == {}
    assert store.idf([7, 8, 9]).tolist() == pytest.approx([np.log(3 / 2.5), np.log(3 / 1.5), np.log(3 / 0.5)], rel=1e-5)


def test_token_signs_rank_as_their_cosines_do(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    topics = generator.normal(size=(60, 384)).astype(np.float32)
    rows = [topic + generator.normal(size=(5, 384)).astype(np.float32) for topic in topics]
    store = TokenStore(tmp_path / "tokens.db")
    store.replace([], [(i, tokens(*((7, row.tolist()) for row in part))) for i, part in enumerate(rows)])
    for i, topic in enumerate(topics):
        found = store.matches(unit(*topic)[None], range(60))
        assert max(found, key=lambda key: float(found[key][0])) == i


def test_token_vectors_are_replaced_with_their_frequencies(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "tokens.db")
    store.replace([], [(1, tokens((7, [1, -1]), (7, [-1, 1]))), (2, tokens((8, [1, -1])))])
    store.replace([2, 50], [(1, tokens((8, [-1, 1])))])
    assert store.count() == 1
    assert store.idf([7, 8]).tolist() == pytest.approx([np.log(2 / 0.5), np.log(2 / 1.5)], rel=1e-5)
    assert store.matches(unit(1, -1)[None], [1])[1].tolist() == pytest.approx([-1])


def test_a_passage_without_tokens_matches_nothing(tmp_path: Path) -> None:
    """Text that the model has no tokens for must neither fail a search nor take its neighbour's place."""
    none = TokenVectors(np.empty(0, dtype=np.int32), np.empty((0, 2), dtype=np.float32))
    store = TokenStore(tmp_path / "tokens.db")
    store.replace([], [(1, none), (2, tokens((7, [1, -1]))), (3, none)])
    question = unit(1, -1)[None]
    assert {i: best.tolist() for i, best in store.matches(question, [1, 2, 3]).items()} == {2: pytest.approx([1.0])}
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
