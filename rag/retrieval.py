"""Question -> papers, best first, each with its sentences scored. One path for chat, command line and evaluation.

Up to four rankings of papers are fused: by nearest passage, by nearest sentence, by BM25, and, over the best of these,
by late interaction of tokens. Knows nothing of language models.
"""

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from rag.catalog import Catalog
from rag.chunking import split_text
from rag.fusion import fuse
from rag.identity import link_of
from rag.ingest import STRIDE, address
from rag.lexical import LexicalIndex
from rag.records import CatalogPaper, Embedder, Hit, Retrieval, ScoredSentence, TokenVectors, Vectors
from rag.store import Kind, VectorStore
from rag.tokens import TokenStore

_WEIGHTS = {"passage": 1.0, "sentence": 1.0, "bm25": 1.0, "tokens": 2.0}


class Retriever:
    """Searches one index."""

    def __init__(
        self,
        catalog: Catalog,
        embedder: Embedder,
        store: VectorStore,
        lexical: LexicalIndex,
        tokens: TokenStore,
        *,
        rankings: Sequence[str],
        candidates: int,
        papers: int,
    ) -> None:
        self._catalog = catalog
        self._embedder = embedder
        self._store = store
        self._lexical = lexical
        self._tokens = tokens
        total = sum(_WEIGHTS[name] for name in rankings)
        self._weights = {name: _WEIGHTS[name] / total for name in rankings}
        self._candidates = candidates
        self._papers = papers

    def search(self, question: str, without: Collection[int] = ()) -> Retrieval:
        """The best papers for `question`, those with the ids `without` left out (word weights still count them).

        The confidence is the mean cosine of the nearest passage and the nearest sentence: low when the collection
        does not deal with the matter at all. It does not tell what a paper on the matter leaves unsaid.
        """
        vector, tokens = self._embed(self._lexical.spelled_out(question))
        # So many candidates more that none is missing once those of the papers left out are gone.
        hidden = self._catalog.indexed_spans(list(without)).values()
        more_passages, more_sentences = (sum(span[i] for span in hidden) for i in (0, 1))

        def seen(found: list[tuple[int, float]]) -> list[tuple[int, float]]:
            return [(part, score) for part, score in found if part // STRIDE not in without]

        passages = seen(self._store.query(Kind.PASSAGE, vector, self._candidates + more_passages))
        sentences = seen(self._store.query(Kind.SENTENCE, vector, 2 * self._candidates + more_sentences))
        rankings = {"passage": _by_paper(passages), "sentence": _by_paper(sentences)}
        if "bm25" in self._weights:
            rankings["bm25"] = _by_paper(seen(self._lexical.query(question, self._candidates + more_passages)))
        # The vectors are asked in any case: the confidence rests on them.
        rankings = {name: rankings[name] for name in self._weights if name != "tokens"}
        fused = fuse(rankings, self._weights)
        if "tokens" in self._weights:
            best = [paper_id for paper_id, _, _ in fused[: self._candidates]]
            fused = fuse({**rankings, "tokens": self._interact(tokens, best)}, self._weights)
        papers = self._catalog.papers([paper_id for paper_id, _, _ in fused[: self._papers]])
        hits = tuple(
            self._hit(paper, score, parts, vector)
            for paper, (_, score, parts) in zip(papers, fused[: self._papers], strict=True)
        )
        nearest = [found[0][1] for found in (passages, sentences) if found]
        return Retrieval(
            hits, float(np.mean(nearest)) if nearest else 0.0, tuple((paper_id, score) for paper_id, score, _ in fused)
        )

    def _embed(self, question: str) -> tuple[Vectors, TokenVectors]:
        """The question as one vector, and token by token."""
        pieces = split_text(question, self._embedder.count_tokens, self._embedder.max_tokens)
        vectors, tokens = self._embedder.encode_tokens(pieces)
        vector = vectors.mean(axis=0)
        vector = np.asarray(vector / (np.linalg.norm(vector) or 1.0), dtype=np.float32)
        ids, parts = (np.concatenate([getattr(one, name) for one in tokens]) for name in ("ids", "vectors"))
        return vector, TokenVectors(ids, parts)

    def _interact(self, question: TokenVectors, paper_ids: Sequence[int]) -> dict[int, float]:
        """MaxSim of each paper: the best cosine of each question token in it, as a mean weighted by the tokens' idf."""
        weights = self._tokens.idf(question.ids.tolist())
        if not weights.sum():
            return {}
        spans = self._catalog.indexed_spans(paper_ids)
        parts = [address(paper_id, number) for paper_id, (passages, _) in spans.items() for number in range(passages)]
        best: dict[int, Vectors] = {}
        for part, cosines in self._tokens.matches(question.vectors, parts).items():
            paper_id = part // STRIDE
            best[paper_id] = np.maximum(cosines, best.get(paper_id, cosines))
        return {paper_id: float(cosines @ weights / weights.sum()) for paper_id, cosines in best.items()}

    def _hit(self, paper: CatalogPaper, score: float, parts: dict[str, float], vector: Vectors) -> Hit:
        sentences = self._catalog.sentences(paper)
        cosines = self._store.similarities(Kind.SENTENCE, [address(paper.id, s.index) for s in sentences], vector)
        scored = [ScoredSentence(s, cosines.get(address(paper.id, s.index), 0.0)) for s in sentences]
        scored.sort(key=lambda item: -item.score)
        title = paper.paper.title or paper.key
        return Hit(paper.id, paper.key, title, link_of(paper.paper), score, parts, tuple(scored))


def _by_paper(found: Iterable[tuple[int, float]]) -> dict[int, float]:
    """The best score of each paper among the scores of its parts."""
    best: dict[int, float] = {}
    for part, score in found:
        paper_id = part // STRIDE
        best[paper_id] = max(score, best.get(paper_id, score))
    return best
