"""The best papers of a search in a new order: how likely the question is for who looks for each of them.

Off unless asked for (`rerank_papers`): a model reads the abstracts of all these papers before there is an answer.
"""

from collections.abc import Callable, Sequence
from threading import Event
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rag.fusion import Fused
from rag.prompting import load_template
from rag.records import CatalogPaper

# Of the two, as standard scores among the papers read (eval/LOG.md).
_SHARE = 0.5


class LikelihoodModel(Protocol):
    """A language model that tells how likely a text is."""

    def likelihoods(self, contexts: Sequence[str], text: str, cancel: Event) -> list[float]:
        """The mean log-probability of a token of `text` after each of `contexts`; empty if `cancel` was set."""


class Reranker:
    """Reads papers with a language model that tells how likely a text is."""

    def __init__(
        self, model: LikelihoodModel, papers_of: Callable[[Sequence[int]], Sequence[CatalogPaper]], count: int
    ) -> None:
        """`count` is how many of the best papers are read, and `papers_of` looks them up by their ids."""
        self._model = model
        self._papers_of = papers_of
        self._count = count
        self._template = load_template("likelihood", frozenset({"title", "abstract"}))

    def reorder(self, question: str, fused: Fused, cancel: Event) -> Fused:
        """`fused`, best first, with its best papers in the new order, as far as they are read before `cancel` is set.

        A place keeps its score, so that scores tell as much as before; the parts tell the likelihood.
        """
        best, rest = fused[: self._count], fused[self._count :]
        papers = self._papers_of([one[0] for one in best])
        if len(best) < 2 or len(papers) < len(best):
            return fused
        texts = [{"title": entry.paper.title, "abstract": entry.paper.abstract} for entry in papers]
        found = self._model.likelihoods([self._template.substitute(text) for text in texts], f" {question}", cancel)
        if not found:
            return fused
        both = (1 - _SHARE) * _standard([score for _, score, _ in best]) + _SHARE * _standard(found)
        order = np.argsort(-both, kind="stable")
        return [
            (best[new][0], best[place][1], {**best[new][2], "likelihood": found[new]})
            for place, new in enumerate(int(one) for one in order)
        ] + rest


def _standard(values: Sequence[float]) -> npt.NDArray[np.float64]:
    given = np.array(values, dtype=np.float64)
    return np.asarray((given - given.mean()) / (given.std() or 1.0))
