"""Question -> papers, best first, each with its sentences scored. One path for chat, command line and evaluation.

Candidates come from two indexes, the nearest passages and the best by BM25. Over the best of these, two rankings more
are made, by nearest sentence and by late interaction of tokens, and all are fused. Knows nothing of language models.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import numpy as np

from rag.chunking import split_text
from rag.fusion import Fused, fuse
from rag.identity import byline_of, link_of
from rag.index_files import IndexFiles
from rag.ingest import STRIDE, address
from rag.records import CatalogPaper, Embedder, Hit, Retrieval, ScoredSentence, TokenVectors, Vectors, Word
from rag.terms import content_terms
from rag.words import question_words

_WEIGHTS = {"passage": 1.0, "sentence": 1.0, "bm25": 1.0}
# Of these only the best are known, and their zero has a meaning of its own.
_CUT_OFF = frozenset({"passage", "bm25"})
# Seconds that searching within some papers takes, by how it is done; measured among a million passages, the parts that
# depend on how many there are (eval/LOG.md). They are for choosing between ways, not for telling times.
_EACH_EXACT = 63e-6
_EACH_ID, _WALK = 6e-6, 1e-3
_EACH_RESULT = 12e-6
_MARGIN = 1.5  # where more results are asked for than are wanted, as many as should do, and half as many again
Reorder = Callable[[Fused], Fused]
Query = Callable[[int, Sequence[int] | None], list[tuple[int, float]]]


class Retriever:
    """Searches one index."""

    def __init__(
        self,
        files: IndexFiles,
        embedder: Embedder,
        *,
        rankings: Sequence[str],
        candidates: int,
        papers: int,
    ) -> None:
        self._embedder = embedder
        self._files = files
        weights = {**_WEIGHTS, "tokens": embedder.token_weight}
        total = sum(weights[name] for name in rankings)
        self._weights = {name: weights[name] / total for name in rankings}
        self._candidates = candidates
        self.papers = papers

    def search(
        self,
        question: str,
        without: Collection[int] = (),
        within: Collection[int] | None = None,
        *,
        papers: int | None = None,
        reorder: Reorder | None = None,
    ) -> Retrieval:
        """The best papers for `question`: not those with the ids `without`, and of those `within` if that is given.

        `papers` is how many, by itself as the retriever was told. What is found out about the words of the question
        concerns as many of the best as the retriever was told, in any case. `reorder` has the last word on the order.

        The weights of words count all papers in any case. The similarity is the mean cosine of the nearest passage and
        the nearest sentence: low when the collection does not deal with the matter at all. It does not tell what a
        paper on the matter leaves unsaid.
        """
        spelled_out = self._files.acronyms.spelled_out(question)
        vector, tokens, spans = self._embed(spelled_out)
        allowed = _Allowed(self._files, without, within, self._candidates)
        passages = allowed.best(self._candidates, lambda count, ids: self._files.store.query(vector, count, ids))
        found = {"passage": _by_paper(passages)}
        if "bm25" in self._weights:
            others = self._files.acronyms.other_forms(question)
            by_words = allowed.best(
                self._candidates, lambda count, ids: self._files.lexical.query(question, count, ids, others)
            )
            found["bm25"] = _by_paper(by_words)
        # The vectors are asked in any case: the similarity rests on them.
        first = {name: ranking for name, ranking in found.items() if name in self._weights} or found
        best = [paper_id for paper_id, _, _ in fuse(first, dict.fromkeys(first, 1.0), _CUT_OFF)[: self._candidates]]
        cosines = self._files.sentences.similarities(vector, best)
        found["sentence"] = {paper_id: float(row.max()) for paper_id, row in cosines.items() if len(row)}
        matches = self._matches(tokens, best) if "tokens" in self._weights else {}
        if matches:
            found["tokens"] = self._interact(tokens, matches)
        fused = fuse({name: found[name] for name in self._weights if name in found}, self._weights, _CUT_OFF)
        if reorder:
            fused = reorder(fused)
        shown = fused[: self.papers if papers is None else papers]
        best_papers = self._files.catalog.papers([one[0] for one in fused[: max(len(shown), self.papers)]])
        scores = {paper_id: (score, parts) for paper_id, score, parts in shown}
        hits = tuple(
            self._hit(paper, *scores[paper.id], cosines.get(paper.id)) for paper in best_papers if paper.id in scores
        )
        nearest = [max(ranking.values()) for name in ("passage", "sentence") if (ranking := found[name])]
        return Retrieval(
            hits,
            float(np.mean(nearest)) if nearest else 0.0,
            tuple((paper_id, score) for paper_id, score, _ in fused),
            self._words(spelled_out, spans, best_papers[: self.papers], matches),
        )

    def _embed(self, question: str) -> tuple[Vectors, TokenVectors, list[tuple[int, int]]]:
        """The question as one vector, token by token, and where its tokens stand."""
        pieces = split_text(question, self._embedder.count_tokens, self._embedder.max_tokens)
        vectors, tokens = self._embedder.encode_tokens(pieces)
        vector = vectors.mean(axis=0)
        vector = np.asarray(vector / (np.linalg.norm(vector) or 1.0), dtype=np.float32)
        ids, parts = (np.concatenate([getattr(one, name) for one in tokens]) for name in ("ids", "vectors"))
        spans, position = [], 0
        for piece in pieces:
            position = max(0, question.find(piece, position))
            spans += [(position + start, position + end) for start, end in self._embedder.token_spans(piece)]
        return vector, TokenVectors(ids, parts), spans if len(spans) == len(ids) else []

    def _interact(self, question: TokenVectors, matches: Mapping[int, Vectors]) -> dict[int, float]:
        """MaxSim of each paper: the best cosine of each question token in it, as a mean weighted by the tokens' idf."""
        weights = self._files.tokens.idf(question.ids.tolist())
        if not weights.sum():
            return {}
        return {paper_id: float(cosines @ weights / weights.sum()) for paper_id, cosines in matches.items()}

    def _matches(self, question: TokenVectors, paper_ids: Sequence[int]) -> dict[int, Vectors]:
        """The best cosine of each question token in each paper, shape (question tokens,)."""
        spans = self._files.catalog.indexed_spans(paper_ids)
        parts = [address(paper_id, number) for paper_id, (passages, _) in spans.items() for number in range(passages)]
        best: dict[int, Vectors] = {}
        for part, cosines in self._files.tokens.matches(question.vectors, parts).items():
            paper_id = part // STRIDE
            best[paper_id] = np.maximum(cosines, best.get(paper_id, cosines))
        return best

    def _words(
        self,
        question: str,
        spans: Sequence[tuple[int, int]],
        papers: Sequence[CatalogPaper],
        matches: Mapping[int, Vectors],
    ) -> tuple[Word, ...]:
        known = [paper for paper in papers if paper.id in matches]
        if not known or not spans:
            return ()
        held = [frozenset(content_terms(f"{one.paper.title}. {one.paper.abstract}")) for one in known]
        return question_words(question, spans, [matches[one.id] for one in known], held, self._files.lexical.idf)

    def _hit(self, paper: CatalogPaper, score: float, parts: dict[str, float], cosines: Vectors | None) -> Hit:
        sentences = self._files.catalog.sentences(paper)
        scores = [0.0] * len(sentences) if cosines is None else cosines.tolist()
        scored = [ScoredSentence(*pair) for pair in zip(sentences, scores, strict=False)]
        scored.sort(key=lambda item: -item.score)
        title, link, byline = paper.paper.title or paper.key, link_of(paper.paper), byline_of(paper.paper)
        return Hit(paper.id, paper.key, title, link, score, parts, tuple(scored), byline)


class _Allowed:
    """Which papers a search may find, and how to ask an index for the best of them.

    An index is given the ids of what it may find, or asked for more than is wanted, whichever should be quicker.
    """

    def __init__(
        self, files: IndexFiles, without: Collection[int], within: Collection[int] | None, wanted: int
    ) -> None:
        self._without = frozenset(without)
        self._within = None if within is None else frozenset(within) - self._without
        self._ids: list[int] | None = None
        self._share = 1.0
        if self._within is None:
            return
        few = len(self._within)
        self._share = min(1.0, max(few, 1) / max(files.lexical.count(), 1))
        by_ids = _EACH_EXACT * few if few <= files.store.exact else _EACH_ID * few + _WALK / self._share
        if by_ids < _EACH_RESULT * wanted * _MARGIN / self._share:
            passages = files.catalog.passages(sorted(self._within))
            self._ids = [address(paper_id, n) for paper_id, count in passages.items() for n in range(count)]

    def best(self, count: int, query: Query) -> list[tuple[int, float]]:
        """The `count` best parts of allowed papers, the same as if the index held no others."""
        if self._ids is not None:
            return query(count, self._ids)
        asked = count if self._within is None else int(count * _MARGIN / self._share)
        while True:
            found = query(asked, None)
            kept = [(part, score) for part, score in found if self._allows(part // STRIDE)]
            if len(kept) >= count or len(found) < asked:
                return kept[:count]
            asked *= 4

    def _allows(self, paper_id: int) -> bool:
        return paper_id not in self._without and (self._within is None or paper_id in self._within)


def _by_paper(found: Iterable[tuple[int, float]]) -> dict[int, float]:
    """The best score of each paper among the scores of its parts."""
    best: dict[int, float] = {}
    for part, score in found:
        paper_id = part // STRIDE
        best[paper_id] = max(score, best.get(paper_id, score))
    return best
