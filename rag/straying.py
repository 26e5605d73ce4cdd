"""Can the sentence that the model is writing still be saved? Pure.

A small model gets caught in circles, or states a number that no evidence holds: it is stopped at once, not at the end
of its sentence.
"""

import re
from collections.abc import Collection, Sequence

from rag.terms import terms

# So many words twice in one sentence: small models get caught in such circles.
_CIRCLE = 4
# Longer than any number with its exponent in LaTeX.
_LONGEST_NUMBER = 60
_BARE_NUMBER = re.compile(r"[^\w\\]*(\d[\d.,]*)")
# The last word; the words of a product such as "3 \times 10^4" are one.
_GROWING = re.compile(r"(?<!\S)\S+(?:\s{1,2}(?:[\u00d7x*\u00b7\u22c5]|\\[a-z]*)(?:\s{1,2}\S*)?)?\Z")
_FACTOR = re.compile(r"(?<!\S)[^\w\s]*(\d+(?:\.\d+)?)\s{1,2}\Z")


def strays(text: str, evidence: Sequence[str]) -> bool:
    """Whether a sentence that is being written goes in circles, or states a number of none of the `evidence`."""
    words = terms(text)
    runs = list(zip(*(words[i:] for i in range(_CIRCLE)), strict=False))
    if len(set(runs)) < len(runs):
        return True
    known = {term for sentence in evidence for term in terms(sentence)}
    start = _unfinished(text, evidence, known)
    if bare := _BARE_NUMBER.fullmatch(text[start:]):
        # It may still grow: "7" or "77." on its way to "77.9", "10,0" to "10,000", "10" to "10^5", which is 1e5.
        growing = bare[1].replace(",", "").rstrip(".")
        power = growing == "10" and any(re.match(r"1e-?\d", term) for term in known)
        if not power and not any(term.startswith(growing) for term in known):
            return not any(bare[1] in sentence for sentence in evidence)
    return any(word not in known for word in terms(text[:start]) if any(char.isdigit() for char in word))


def _unfinished(text: str, evidence: Sequence[str], known: Collection[str]) -> int:
    r"""Where the number begins that `text` ends in the middle of; the length of `text` if there is none.

    Half a number is another number: "10" of "10^{-5}", "5m" of "5ms". The last word with a digit is not judged, nor
    what has been copied from the evidence, sign by sign, since a number (`$3 \times 10^{-4}$`).
    """
    numbers = [word.start() for word in re.finditer(r"\S+", text) if any(char.isnumeric() for char in word[0])]
    for start in numbers:
        if len(text) - start <= _LONGEST_NUMBER and any(text[start:] in sentence for sentence in evidence):
            return start
    if (grown := _GROWING.search(text)) and any(start == grown.start() for start in numbers):
        return grown.start()
    if (factor := _FACTOR.search(text)) and any(term.startswith(f"{factor[1]}e") for term in known):
        return factor.start()
    return len(text)
