"""Is what a search found enough to write an answer from? Pure, but for who reads the papers.

Two things are asked. Does the collection deal with the matter at all: the similarity of the nearest texts. And if it
does, do the papers found answer the question: see `answerability.py`.
"""

from collections.abc import Collection

from rag.answerability import Read, Weights, answerability, explained, unmet_words, words_from
from rag.evidence import Idf, unknown_share
from rag.followup import Resolved
from rag.premises import objecting
from rag.reading import Reader
from rag.records import Retrieval, Sentence, Word

# Similarity of question and nearest text (cosine) under which a question is about something else (eval/LOG.md).
_NEAR = 0.28
# A question most of whose words the collection never uses is likely about something else.
_FOREIGN = 0.6
_FOREIGN_MARGIN = 0.12
# A question that is mostly about names which stand nowhere, by the share of their weight, is answered with this part of
# the probability that it seems to have (eval/LOG.md).
_MOSTLY, _OF_NAMES = 1 / 3, 2 / 3
# What is left of the confidence where a paper says otherwise than the question takes for granted: none of the fair
# questions of the suites is among these (eval/LOG.md).
_SAID_OTHERWISE = 0.1
# Of a follow-up, words rarer than the one must be met by the other at the least, where they do not stand in the paper:
# the words before it are met in any case. Chosen by eye on 38 follow-ups and both models (eval/LOG.md).
_TELLING = 0.3
_MET = 0.43


class Judge:
    """Decides whether a question is answered. Raising `threshold` (0..1) refuses more and answers less wrongly."""

    def __init__(self, idf: Idf, weights: Weights, threshold: float, reader: Reader) -> None:
        self._idf = idf
        self._weights = weights
        self.threshold = threshold
        self.reader = reader

    def needed_similarity(self, question: str) -> float:
        """The similarity of a search under which `question` is about something else."""
        foreign = unknown_share(question, self._idf) >= _FOREIGN
        return _NEAR + (_FOREIGN_MARGIN if foreign else 0.0)

    def is_near(self, question: str, found: Retrieval) -> bool:
        """Whether the papers found deal with the matter of `question` at all."""
        return found.similarity >= self.needed_similarity(question) or explained(question, found) > 0

    def confidence(self, question: str, found: Retrieval, read: Read | None = None) -> float:
        """How likely the papers found answer `question`, 0..1; `read` takes the place of the reader.

        Where they are about something else, it is below the `threshold` in any case.
        """
        likely = answerability(question, found, self._weights, read or self.reader.read)
        if self.is_near(question, found):
            return likely
        return min(likely, self.threshold) * max(0.0, found.similarity) / self.needed_similarity(question)

    def confidence_of(self, resolved: Resolved) -> float:
        """The same for a question in a conversation: its own, or with the words before it where they lead there too."""
        alone = self.confidence(resolved.query, resolved.found)
        if resolved.joined is None or not self.is_near(resolved.query, resolved.found):
            return alone
        # Its papers are read for the question alone: the one before may be answered, and this one not.
        return max(alone, self.confidence(*resolved.joined, lambda _, found: self.reader.read(resolved.query, found)))

    def without_names(self, confidence: float, found: Retrieval, unknown: Collection[str]) -> float:
        """The `confidence` in what was found, less where the question is mostly about the `unknown` names."""
        share = sum(word.rarity for word in found.words if word.text in unknown)
        return confidence * _OF_NAMES if share >= _MOSTLY * sum(word.rarity for word in found.words) > 0 else confidence

    def as_follow_up(self, question: str, resolved: Resolved, confidence: float) -> tuple[float, tuple[str, ...]]:
        """The `confidence` in what `resolved` found for the follow-up `question`, and the words that are missed there.

        The words of the question before are met in any case. Where the paper spoken of deals with none of the telling
        words of this one, its answer is in doubt; where nothing there is even like them, it is refused.
        """
        own = self._own(question, resolved)
        if not own or any(word.stands or word.match >= _MET for word in own):
            return confidence, ()
        likeness = max(word.match for word in own) / (self._weights.unmet_below or 1.0)
        return min(confidence, self.threshold * min(1.0, likeness)), tuple(word.text for word in own)

    def otherwise(self, question: str, found: Retrieval) -> Sentence | None:
        """The sentence of the best paper that says otherwise than `question` takes for granted, if one does."""
        if not found.hits:
            return None
        best = found.hits[0]
        sentences = sorted((scored.sentence for scored in best.sentences), key=lambda sentence: sentence.index)
        place = objecting(question, best.title, [sentence.text for sentence in sentences])
        return None if place is None else sentences[place]

    def said_otherwise(self, confidence: float) -> float:
        """The `confidence` in an answer to a question that the papers object to."""
        return min(confidence, _SAID_OTHERWISE)

    def is_met(self, question: str, resolved: Resolved) -> bool:
        """Whether the paper that `resolved` found has all telling words of the follow-up `question`."""
        own = self._own(question, resolved)
        return bool(own) and all(word.stands for word in own)

    def _own(self, question: str, resolved: Resolved) -> list[Word]:
        start = len(resolved.query) - len(question)
        if start <= 0 or not resolved.query.endswith(question):
            return []
        return [word for word in words_from(start, resolved.query, resolved.found.words) if word.rarity > _TELLING]

    def unmet(self, found: Retrieval) -> tuple[str, ...]:
        """Words of the question that no paper found deals with."""
        return unmet_words(found.words, self._weights.unmet_below)
