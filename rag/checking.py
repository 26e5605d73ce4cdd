"""Is a written sentence carried by the sentences that it cites? Word for word, and nothing may object.

A sentence is supported if it stands in the evidence by the word-by-word test, however its numbers are written, and no
hard rule speaks against it. How probable it is to be true is told beside, by a logistic model over signals of words: it
orders sentences and decides nothing. Its weights lie in `verification.json`, written by `citable eval verification`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from math import exp

from rag.objections import KINDS, objections
from rag.placing import read
from rag.quantities import levelled
from rag.signals import word_signals
from rag.verification import Idf, support, without_lead_in

WEIGHTS_FILE = "verification.json"
# What the word-by-word test answers by itself, with fewer false alarms: which words numbers stand with, by their order,
# and the negations and hedges among the words that were taken over.
_ANSWERED = frozenset(["pairing", "negation", "hedge"])
_MANY = 3
_PARTS = re.compile(r";\s+|,?\s+(?:and|but|while|whereas)\s+")


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic model: probability = 1 / (1 + exp(-(bias + sum of weight x signal)))."""

    bias: float
    weights: Mapping[str, float]

    def probability(self, signals: Mapping[str, float]) -> float:
        """Of being true, 0..1."""
        return 1 / (1 + exp(-self.bias - sum(weight * signals[name] for name, weight in self.weights.items())))


@dataclass(frozen=True, slots=True)
class Check:
    """What the check of a sentence found: it is supported if the `objection` is empty.

    `carried_by` are the places of the texts that carry it; none if it is not supported.
    """

    objection: str
    carried_by: tuple[int, ...] = ()


@lru_cache(maxsize=1)
def shipped_weights() -> Weights:
    """The weights that lie beside this module."""
    data = json.loads((files("rag") / WEIGHTS_FILE).read_text(encoding="utf-8"))
    return Weights(data["bias"], data["weights"])


class Verifier:
    """Checks sentences by how rare their words are, `idf`."""

    def __init__(self, idf: Idf, weights: Weights | None = None) -> None:
        """`weights` in place of those shipped."""
        self._idf = idf
        self._weights = weights or shipped_weights()

    def check(self, written: str, texts: Sequence[str]) -> Check:
        """Whether `texts`, the cited sentences, carry a sentence: one of them alone, or each part of it one of them."""
        used, objection = self.extractive(written, texts)
        if not objection:
            found = self._objections(written, [texts[place] for place in used])
            objection = next((text for kind, text in found.items() if kind not in _ANSWERED), "")
        return Check(objection, () if objection else used)

    def extractive(self, written: str, texts: Sequence[str]) -> tuple[tuple[int, ...], str]:
        """Which of the texts hold the sentence word for word: one, or one for each part. If none do: and why not."""
        objection = "it cites nothing"
        for place, text in enumerate(texts):
            if not (objection := self._missing(written, text)):
                return (place,), ""
        parts = _PARTS.split(without_lead_in(written))
        if len(texts) > 1 and len(parts) > 1:
            # Each part must rest on one sentence: words taken across two would say what neither says.
            carried = [[not self._missing(part, text) for text in texts] for part in parts]
            if all(any(row) for row in carried):
                return tuple(place for place in range(len(texts)) if any(row[place] for row in carried)), ""
        return (), objection

    def _missing(self, written: str, text: str) -> str:
        """What keeps a sentence from standing in `text`, as both are written and with quantities written in one way."""
        objection = support(written, text, self._idf).objection
        return objection and support(levelled(written), levelled(text), self._idf).objection

    def probability(self, written: str, texts: Sequence[str]) -> float:
        """That a sentence is true if the texts together are, 0..1. It orders; whether it is supported `check` tells."""
        return self._weights.probability(self.signals(written, texts))

    def signals(self, written: str, texts: Sequence[str]) -> dict[str, float]:
        """All signals of a sentence beside the texts together, by name, each 0..1."""
        bare = without_lead_in(written)
        against = [kind for kind in self._objections(written, texts) if kind in KINDS]
        return {
            **word_signals(read(bare), read("; ".join(texts)), self._idf),
            **{kind: float(kind in against) for kind in KINDS},
            "objected": float(bool(against)),
            "objections": min(_MANY, len(against)) / _MANY,
            "supported": float(not self.check(written, texts).objection),
        }

    def _objections(self, written: str, texts: Sequence[str]) -> dict[str, str]:
        bare = without_lead_in(written)
        return objections(read(bare), read("; ".join(texts)), bare, self._idf)
