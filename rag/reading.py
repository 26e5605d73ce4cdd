"""What the papers that a search found say to its question, by who reads them: read once, then remembered.

Text is read without markup, and without the sentences that were taken out of a paper for giving orders.
"""

import re
from dataclasses import replace

from rag.latex import plain
from rag.records import Comprehender, Comprehension, Hit, Retrieval, ScoredSentence

# One question is judged in several ways, often of the same papers: of so many readings what they gave is remembered.
_REMEMBERED = 64
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")


class Reader:
    """Reads the papers found. For several threads, as far as its `comprehender` is."""

    def __init__(self, comprehender: Comprehender) -> None:
        self._comprehender = comprehender
        self._understood: dict[tuple[str, tuple[tuple[int, ...], ...]], list[Comprehension]] = {}

    def read(self, question: str, found: Retrieval) -> list[Comprehension]:
        """What each of the papers found says to the question."""
        # Sentences may have been taken out: a paper is the same as long as those that are left are.
        key = question, tuple((hit.paper_id, *(one.sentence.index for one in _in_order(hit))) for hit in found.hits)
        understood = self._understood.get(key)
        if understood is None:
            if len(self._understood) >= _REMEMBERED:
                self._understood.clear()
            # A paper that is a title alone is read as such.
            papers = [(_legible(hit.title), _texts(hit) or [_legible(hit.title)]) for hit in found.hits]
            understood = self._comprehender.comprehend(_legible(question), papers)
            self._understood[key] = understood
        return understood

    def pointed(self, question: str, found: Retrieval) -> Retrieval:
        """`found` with how likely each sentence of its paper is the one that decides on the question."""
        return replace(found, hits=tuple(map(_pointed, found.hits, self.read(question, found))))


def _in_order(hit: Hit) -> list[ScoredSentence]:
    """The sentences of a paper as they stand in it."""
    return sorted(hit.sentences, key=lambda one: one.sentence.index)


def _texts(hit: Hit) -> list[str]:
    return [_legible(one.sentence.text) for one in _in_order(hit)]


def _legible(text: str) -> str:
    """`text` without markup, from which nothing was learnt."""
    return _TAG.sub(" ", plain(text))


def _pointed(hit: Hit, understood: Comprehension) -> Hit:
    if not hit.sentences:
        return hit
    shares = zip(_in_order(hit), understood.sentences, strict=True)
    return replace(hit, sentences=tuple(replace(one, decides=share) for one, share in shares))
