"""Question -> papers, best first, each with its sentences scored. One path for chat, command line and evaluation.

Three rankings of papers are fused: by nearest passage, by nearest sentence, and by BM25. Knows nothing of language
models.
"""

from collections.abc import Iterable

import numpy as np

from rag.catalog import Catalog
from rag.chunking import split_text
from rag.fusion import fuse
from rag.identity import link_of
from rag.ingest import STRIDE, address
from rag.lexical import LexicalIndex
from rag.records import CatalogPaper, Embedder, Hit, Retrieval, ScoredSentence, Vectors
from rag.store import Kind, VectorStore

_WEIGHTS = {"passage": 1 / 3, "sentence": 1 / 3, "bm25": 1 / 3}


class Retriever:
    """Searches one index."""

    def __init__(
        self,
        catalog: Catalog,
        embedder: Embedder,
        store: VectorStore,
        lexical: LexicalIndex,
        *,
        candidates: int,
        papers: int,
    ) -> None:
        self._catalog = catalog
        self._embedder = embedder
        self._store = store
        self._lexical = lexical
        self._candidates = candidates
        self._papers = papers

    def search(self, question: str) -> Retrieval:
        """The best papers for `question`.

        The confidence is the mean cosine of the nearest passage and the nearest sentence: low when the collection
        does not deal with the matter at all. It does not tell what a paper on the matter leaves unsaid.
        """
        vector = self._embed(question)
        passages = self._store.query(Kind.PASSAGE, vector, self._candidates)
        sentences = self._store.query(Kind.SENTENCE, vector, 2 * self._candidates)
        rankings = {
            "passage": _by_paper(passages),
            "sentence": _by_paper(sentences),
            "bm25": _by_paper(self._lexical.query(question, self._candidates)),
        }
        fused = fuse(rankings, _WEIGHTS)[: self._papers]
        papers = self._catalog.papers([paper_id for paper_id, _, _ in fused])
        hits = tuple(
            self._hit(paper, score, parts, vector) for paper, (_, score, parts) in zip(papers, fused, strict=True)
        )
        nearest = [found[0][1] for found in (passages, sentences) if found]
        return Retrieval(hits, float(np.mean(nearest)) if nearest else 0.0)

    def _embed(self, question: str) -> Vectors:
        pieces = split_text(question, self._embedder.count_tokens, self._embedder.max_tokens)
        vector = self._embedder.encode(pieces).mean(axis=0)
        return np.asarray(vector / (np.linalg.norm(vector) or 1.0), dtype=np.float32)

    def _hit(self, paper: CatalogPaper, score: float, parts: dict[str, float], vector: Vectors) -> Hit:
        sentences = self._catalog.sentences(paper)
        cosines = self._store.similarities(Kind.SENTENCE, [address(paper.id, s.index) for s in sentences], vector)
        scored = [ScoredSentence(s, cosines.get(address(paper.id, s.index), 0.0)) for s in sentences]
        scored.sort(key=lambda item: -item.score)
        return Hit(paper.id, paper.key, paper.paper.title, link_of(paper.paper), score, parts, tuple(scored))


def _by_paper(found: Iterable[tuple[int, float]]) -> dict[int, float]:
    """The best score of each paper among the scores of its parts."""
    best: dict[int, float] = {}
    for part, score in found:
        paper_id = part // STRIDE
        best[paper_id] = max(score, best.get(paper_id, score))
    return best
