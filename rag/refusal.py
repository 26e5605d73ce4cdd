"""Is what a search found enough to write an answer from? Pure.

Two things are asked. Does the collection deal with the matter at all: the similarity of the nearest texts. And if it
does, do the papers found answer the question: see `answerability.py`.
"""

from rag.answerability import Weights, answerability, explained, unmet_words
from rag.evidence import Idf, unknown_share
from rag.followup import Resolved
from rag.records import Retrieval

# Similarity of question and nearest text (cosine) under which a question is about something else (eval/LOG.md).
_NEAR = 0.28
# A question most of whose words the collection never uses is likely about something else.
_FOREIGN = 0.6
_FOREIGN_MARGIN = 0.12


class Judge:
    """Decides whether a question is answered. Raising `threshold` (0..1) refuses more and answers less wrongly."""

    def __init__(self, idf: Idf, weights: Weights, threshold: float) -> None:
        self._idf = idf
        self._weights = weights
        self.threshold = threshold

    def needed_similarity(self, question: str) -> float:
        """The similarity of a search under which `question` is about something else."""
        foreign = unknown_share(question, self._idf) >= _FOREIGN
        return _NEAR + (_FOREIGN_MARGIN if foreign else 0.0)

    def is_near(self, question: str, found: Retrieval) -> bool:
        """Whether the papers found deal with the matter of `question` at all."""
        return found.similarity >= self.needed_similarity(question) or explained(question, found) > 0

    def confidence(self, question: str, found: Retrieval) -> float:
        """How likely the papers found answer `question`, 0..1.

        Where they are about something else, it is below the `threshold` in any case.
        """
        likely = answerability(question, found, self._weights)
        if self.is_near(question, found):
            return likely
        return min(likely, self.threshold) * max(0.0, found.similarity) / self.needed_similarity(question)

    def confidence_of(self, resolved: Resolved) -> float:
        """The same for a question in a conversation: its own, or with the words before it where they lead there too."""
        alone = self.confidence(resolved.query, resolved.found)
        if resolved.joined is None or not self.is_near(resolved.query, resolved.found):
            return alone
        return max(alone, self.confidence(*resolved.joined))

    def unmet(self, found: Retrieval) -> tuple[str, ...]:
        """Words of the question that no paper found deals with."""
        return unmet_words(found.words, self._weights.unmet_below)
