"""The best papers of a search in a new order, after a model has read them together with the question.

Two kinds of models can: a language model tells how likely the question is for who looks for a paper, a cross-encoder
how relevant a paper is to the question. Off unless asked for (`rerank_papers`): the abstracts of all these papers are
read before there is an answer.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from threading import Event
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rag.chunking import embed_text, split_passages, split_text
from rag.followup import Resolved
from rag.fusion import Fused
from rag.prompting import load_template
from rag.records import CatalogPaper, Ranking, Retrieval, Sentence
from rag.sentences import split_sentences

# Of the two, as standard scores among the papers read (eval/LOG.md). Chosen for language models, and not measured for
# cross-encoders.
_SHARE = 0.5
# A question longer than this part of what a cross-encoder reads at once is read in pieces.
_QUESTION = 1 / 4
Reading = Generator[Ranking, None, dict[int, float]]


class LikelihoodModel(Protocol):
    """A language model that tells how likely a text is."""

    def likelihoods(self, contexts: Sequence[str], text: str, cancel: Event) -> list[float]:
        """The mean log-probability of a token of `text` after each of `contexts`; empty if `cancel` was set."""


class PairModel(Protocol):
    """A cross-encoder: reads a question and a text together."""

    max_tokens: int
    batch: int

    def count_tokens(self, question: str, texts: Sequence[str]) -> list[int]:
        """Tokens of `question` together with each of `texts`."""

    def scores(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """How relevant the text of each (question, text) is; each must fit `max_tokens`."""


class PaperReader(Protocol):
    """Reads papers for a question. `part` is what its scores are called among the parts of a hit's score."""

    @property
    def part(self) -> str:
        """One word."""

    def read(self, question: str, papers: Sequence[CatalogPaper], cancel: Event) -> Reading:
        """A score for each of `papers` by its id, more is better; empty if `cancel` was set before the end."""


class LikelihoodReader:
    """Scores are the mean log-probability of a token of the question after the paper, by a language model."""

    part = "likelihood"

    def __init__(self, model: LikelihoodModel) -> None:
        self._model = model
        self._template = load_template("likelihood", frozenset({"title", "abstract"}))

    def read(self, question: str, papers: Sequence[CatalogPaper], cancel: Event) -> Reading:
        """One paper at a time."""
        found: dict[int, float] = {}
        for entry in papers:
            yield Ranking(len(found), len(papers))
            context = self._template.substitute(title=entry.paper.title, abstract=entry.paper.abstract)
            likelihood = self._model.likelihoods([context], f" {question}", cancel)
            if not likelihood:
                return {}
            found[entry.id] = likelihood[0]
        return found


class RelevanceReader:
    """Scores are the output of a cross-encoder for the question and the paper."""

    part = "relevance"

    def __init__(self, model: PairModel) -> None:
        self._model = model

    def read(self, question: str, papers: Sequence[CatalogPaper], cancel: Event) -> Reading:
        """A batch at a time. A paper that is too long to be read at once has the score of its best part.

        So has a question, but for the mean of its parts: as with its vector, all of it counts.
        """
        yield Ranking(0, len(papers))
        limit = int(self._model.max_tokens * _QUESTION)
        asked = split_text(question, lambda texts: self._model.count_tokens("", texts), limit)
        pairs = [
            (place, piece, text)
            for place, entry in enumerate(papers)
            for piece in asked
            for text in self._parts(piece, entry)
        ]
        best = [dict.fromkeys(asked, -np.inf) for _ in papers]
        for start in range(0, len(pairs), self._model.batch):
            batch = pairs[start : start + self._model.batch]
            if start:
                yield Ranking(batch[0][0], len(papers))
            if cancel.is_set():
                return {}
            scores = self._model.scores([(piece, text) for _, piece, text in batch])
            for (place, piece, _), score in zip(batch, scores, strict=True):
                best[place][piece] = max(best[place][piece], score)
        return {entry.id: float(np.mean(list(one.values()))) for entry, one in zip(papers, best, strict=True)}

    def _parts(self, question: str, entry: CatalogPaper) -> list[str]:
        """Title and abstract, or where they are too long the title with each stretch of sentences that fits."""
        title, abstract = entry.paper.title, entry.paper.abstract
        whole, most = embed_text(title, abstract), self._model.max_tokens
        if self._model.count_tokens(question, [whole])[0] <= most:
            return [whole]
        spans = split_sentences(abstract)
        sentences = [Sentence(entry.id, n, start, end, abstract[start:end]) for n, (start, end) in enumerate(spans)]
        passages = split_passages(
            entry.id, title, abstract, sentences, lambda texts: self._model.count_tokens(question, texts), most
        )
        return [passage.embed_text for passage in passages]


class Reranker:
    """Puts the best papers of a search in a new order."""

    def __init__(
        self, reader: PaperReader, papers_of: Callable[[Sequence[int]], Sequence[CatalogPaper]], count: int
    ) -> None:
        """`count` is how many of the best papers are read, and `papers_of` looks them up by their ids."""
        self._reader = reader
        self._papers_of = papers_of
        self._count = count

    def reranked(
        self,
        resolved: Resolved,
        search: Callable[[Callable[[Fused], Fused]], Retrieval],
        needed: Callable[[str], float],
        cancel: Event,
    ) -> Generator[Ranking, None, Resolved]:
        """`resolved` with its papers in the new order; as it is if it is refused in any case, or `cancel` was set.

        `search` finds what `resolved` has found, in the order that it is given, and `needed` tells the similarity below
        which a question is refused.
        """
        found = resolved.found
        if found.similarity < needed(resolved.query):
            return resolved
        scores = yield from self.read(resolved.query, [paper_id for paper_id, _ in found.ranking], cancel)
        if not scores:
            return resolved
        new = search(lambda fused: reordered(fused, scores, self._reader.part))
        # What the words before led to speaks for that paper alone.
        joined = resolved.joined if new.ranking[0][0] == found.ranking[0][0] else None
        return replace(resolved, found=new, joined=joined)

    def read(self, question: str, paper_ids: Sequence[int], cancel: Event) -> Reading:
        """The scores of the best of these papers, by their ids.

        Empty if there is no choice, or `cancel` was set before the end.
        """
        papers = self._papers_of(paper_ids[: self._count])
        if len(papers) < 2:
            return {}
        return (yield from self._reader.read(question, papers, cancel))


def reordered(fused: Fused, scores: Mapping[int, float], part: str) -> Fused:
    """`fused`, best first, with the papers that were read in their new order.

    A place keeps its score, so that scores tell as much as before; the parts tell the score of who read, as `part`.
    """
    read = [place for place, (paper_id, _, _) in enumerate(fused) if paper_id in scores]
    if len(read) < 2:
        return fused
    values = [scores[fused[place][0]] for place in read]
    both = (1 - _SHARE) * _standard([fused[place][1] for place in read]) + _SHARE * _standard(values)
    found = list(fused)
    for place, new in zip(read, np.argsort(-both, kind="stable").tolist(), strict=True):
        paper_id, _, parts = fused[read[new]]
        found[place] = (paper_id, fused[place][1], {**parts, part: values[new]})
    return found


def _standard(values: Sequence[float]) -> npt.NDArray[np.float64]:
    given = np.array(values, dtype=np.float64)
    return np.asarray((given - given.mean()) / (given.std() or 1.0))
