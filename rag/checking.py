"""Is a written sentence carried by the sentences it cites? The word-by-word test first, then a calibrated one.

What stands in the evidence word for word is supported. A paraphrase is supported if nothing objects and its probability
of being true, by a logistic model over the signals, reaches the threshold; weights, threshold and what they were made
from lie in `verification.json`, written by `citable eval verification --write`. Knows no model: one is handed in.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from math import exp

from rag.records import Embedder, TokenVectors, Vectors
from rag.signals import OBJECTIONS, doubts, meaning_signals, objections, read, word_signals
from rag.terms import is_unspaced
from rag.verification import Idf, support, without_lead_in

WEIGHTS_FILE = "verification.json"
# Weights for an embedding model that is none of those measured: words alone.
WORDS = "words"
_PARTS = re.compile(r";\s+|,?\s+(?:and|but|while|whereas)\s+")
_MIN_WORDS = 3


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic model: probability = 1 / (1 + exp(-(bias + sum of weight x signal)))."""

    bias: float
    weights: Mapping[str, float]
    threshold: float

    def probability(self, signals: Mapping[str, float]) -> float:
        """Of being true, 0..1."""
        return 1 / (1 + exp(-self.bias - sum(weight * signals[name] for name, weight in self.weights.items())))


@dataclass(frozen=True, slots=True)
class Check:
    """A support with which of the texts carry the sentence."""

    score: float
    objection: str
    carried_by: tuple[int, ...]


@lru_cache(maxsize=1)
def shipped_weights() -> dict[str, Weights]:
    """The weights by the digest of the embedding model that they were fitted with, and `WORDS` for none."""
    data = json.loads((files("rag") / WEIGHTS_FILE).read_text(encoding="utf-8"))
    return {name: Weights(**model) for name, model in data["models"].items()}


class Verifier:
    """Checks sentences for one answer: each text is embedded once."""

    def __init__(self, idf: Idf, embedder: Embedder | None = None, weights: Weights | None = None) -> None:
        """`weights` in place of those shipped for `embedder`; one that none are shipped for is not asked."""
        self._idf = idf
        shipped = {} if weights else shipped_weights()
        self._embedder = embedder if weights or (embedder and embedder.digest in shipped) else None
        self._weights = weights or shipped[self._embedder.digest if self._embedder else WORDS]
        self._embedded: dict[str, tuple[Vectors, TokenVectors]] = {}

    def check(self, written: str, texts: Sequence[str]) -> Check:
        """Whether `texts`, the cited sentences, carry a sentence: one of them alone, or all of them together.

        The score is the probability of being true; only without an objection is the sentence supported.
        """
        if (used := self.extractive(written, texts)) is not None:
            carrying = [texts[place] for place in used]
            return Check(self._weights.probability(self.signals(written, carrying, extractive=True)), "", used)
        bare = without_lead_in(written)
        tried = [self._free(bare, texts, (place,)) for place in range(len(texts))]
        if len(texts) > 1:
            tried.append(self._free(bare, texts, tuple(range(len(texts)))))
        return max(tried, key=lambda check: (not check.objection, check.score))

    def extractive(self, written: str, texts: Sequence[str]) -> tuple[int, ...] | None:
        """Which of the texts hold the sentence word for word: one, or one for each part; None if none do."""
        for place, text in enumerate(texts):
            if not support(written, text, self._idf).objection:
                return (place,)
        parts = _PARTS.split(without_lead_in(written))
        if len(texts) > 1 and len(parts) > 1:
            # Each part must rest on one sentence: words taken across two would say what neither says.
            carried = [[not support(part, text, self._idf).objection for text in texts] for part in parts]
            if all(any(row) for row in carried):
                return tuple(place for place in range(len(texts)) if any(row[place] for row in carried))
        return None

    def _free(self, bare: str, texts: Sequence[str], places: tuple[int, ...]) -> Check:
        cited = [texts[place] for place in places]
        claim, evidence = read(bare), read("; ".join(cited))
        if len(claim.content) < _MIN_WORDS:
            return Check(0.0, "it says too little to be checked", places)
        if is_unspaced(bare):
            # Negation and hedges are known in English alone.
            return Check(0.0, "it is in a script that cannot be checked word by word", places)
        against = objections(claim, evidence, bare, self._idf)
        doubt = "" if against else doubts(claim, evidence, word_signals(claim, evidence, self._idf))
        if objection := next(iter(against.values()), doubt):
            # What is refused anyway needs no embedding.
            return Check(0.0, objection, places)
        score = self._weights.probability(self.signals(bare, cited))
        missed = "" if score >= self._weights.threshold else "its meaning is not near enough to the evidence"
        return Check(score, missed, places)

    def signals(self, written: str, texts: Sequence[str], *, extractive: bool = False) -> dict[str, float]:
        """All signals of a sentence beside the texts together, by name, each 0..1 or a cosine."""
        bare = without_lead_in(written)
        claim, evidence = read(bare), read("; ".join(texts))
        found = word_signals(claim, evidence, self._idf)
        against = {} if extractive else objections(claim, evidence, bare, self._idf)
        if self._embedder is not None:
            vectors = self.embed([bare, *texts])
            found |= meaning_signals(vectors[0], vectors[1:])
        # With an objection the rest hardly matters: it is weighed apart.
        always = {f"any {name}": found[name] for name in ("coverage", "cosine") if name in found}
        found = {name: 0.0 if against else value for name, value in found.items()}
        kinds = {kind: float(kind in against) for kind in OBJECTIONS}
        return found | always | kinds | {"extractive": float(extractive), "objected": float(bool(against))}

    def embed(self, texts: Sequence[str]) -> list[tuple[Vectors, TokenVectors]]:
        """The vectors of texts and of their tokens; those seen before are kept."""
        assert self._embedder is not None
        if new := [text for text in dict.fromkeys(texts) if text not in self._embedded]:
            vectors, tokens = self._embedder.encode_tokens(new)
            self._embedded |= zip(new, zip(vectors, tokens, strict=True), strict=True)
        return [self._embedded[text] for text in texts]
