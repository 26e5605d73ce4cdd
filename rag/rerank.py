"""The best papers of a search in a new order: how likely the question is for who looks for each of them.

Off unless asked for (`rerank_papers`): a model reads the abstracts of all these papers before there is an answer.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from threading import Event
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rag.fusion import Fused
from rag.prompting import load_template
from rag.records import CatalogPaper, Ranking

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

    def read(
        self, question: str, paper_ids: Sequence[int], cancel: Event
    ) -> Generator[Ranking, None, dict[int, float]]:
        """The mean log-probability of a token of `question` for the best of these papers, by their ids.

        Empty if there is no choice, or `cancel` was set before the end.
        """
        papers = self._papers_of(paper_ids[: self._count])
        found: dict[int, float] = {}
        for entry in papers if len(papers) > 1 else ():
            yield Ranking(len(found), len(papers))
            context = self._template.substitute(title=entry.paper.title, abstract=entry.paper.abstract)
            likelihood = self._model.likelihoods([context], f" {question}", cancel)
            if not likelihood:
                return {}
            found[entry.id] = likelihood[0]
        return found


def reordered(fused: Fused, likelihoods: Mapping[int, float]) -> Fused:
    """`fused`, best first, with the papers that were read in their new order.

    A place keeps its score, so that scores tell as much as before; the parts tell the likelihood.
    """
    read = [place for place, (paper_id, _, _) in enumerate(fused) if paper_id in likelihoods]
    if len(read) < 2:
        return fused
    values = [likelihoods[fused[place][0]] for place in read]
    both = (1 - _SHARE) * _standard([fused[place][1] for place in read]) + _SHARE * _standard(values)
    found = list(fused)
    for place, new in zip(read, np.argsort(-both, kind="stable").tolist(), strict=True):
        paper_id, _, parts = fused[read[new]]
        found[place] = (paper_id, fused[place][1], {**parts, "likelihood": values[new]})
    return found


def _standard(values: Sequence[float]) -> npt.NDArray[np.float64]:
    given = np.array(values, dtype=np.float64)
    return np.asarray((given - given.mean()) / (given.std() or 1.0))
