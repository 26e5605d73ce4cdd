"""Is a written sentence supported by the sentences that it cites? Deterministic and pure: words and their order.

The test is extractive on purpose. Word overlap alone cannot tell a true sentence from one with its parts
exchanged, so the words must stand in the evidence in the written order and close together (a longest common
subsequence, weighted by how rare each word is), all of them, numbers and words of direction too. Negation must agree;
what the evidence only hedges or asks may not be claimed. It errs towards refusing: what fails is
quoted instead.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from rag.terms import STOP_WORDS, content_terms, is_unspaced, numbers, terms

Idf = Callable[[Sequence[str]], dict[str, float]]


def _stems(words: str) -> frozenset[str]:
    return frozenset(terms(words))


NEGATIONS = _stems("no not never none nor neither without cannot fail fails failed lack lacks unable refute reject")
# What turns a statement into a question, a plan or its opposite where it stands in the evidence before the words.
HEDGES = _stems(
    "whether if may might could would hypothesise hypothesize hypothesis aim aims goal little few hardly barely rarely "
    "unlike instead rather unclear unknown open question suspect assume assuming suppose claimed contrary unlikely "
    "possibly perhaps potentially potential probably likely seem seems appear appears suggest suggests should believe "
    "belief expect expected idea myth compared comparing comparison versus vs relative except besides attempt try"
)
# Words without a subject that still turn a statement round: they count like content words.
_TURNING = _stems(
    "more most few some all each every both only once further same before after above below over under against during "
    "up down"
)
STOP_STEMS = frozenset(t for word in STOP_WORDS for t in terms(word)) - NEGATIONS - _TURNING
# What makes of the number before it another quantity.
_QUANTITIES = _stems(
    "hundred thousand million billion trillion dozen k percent per cent times fold x second millisecond microsecond "
    "minute hour day week month year decade degree kelvin celsius metre kilometre gram kilogram litre watt volt byte "
    "s h g l v w a j c m ma ms us ns ps nm um mm cm km kg mg ug ng ml ul dl hz khz mhz ghz thz kb mb gb tb pb kib mib "
    "gib mw kw gw mv kv ev kev mev gev db fps rpm ppm ppb mol mmol umol min hr kcal cal kj pa kpa mpa gpa flop gflop "
    "tflop pflop bit px dpi bpm mmhg"
) - _stems("a")
# What makes another quantity of what stands behind it.
_FUNCTIONS = _stems("sqrt log ln exp binom")
# Ways to begin that claim nothing. Closed lists: "the study refutes that" is no such way.
_LEAD_IN = re.compile(
    r"^(?:the answer(?: to (?:this|the|your) question)? is(?: that)?\s*:?|yes,|no,|"
    r"(?:the|this) (?:paper|study|abstract|text) (?:shows?|finds?|reports?|states?|says?) that|"
    r"(?:the|these) (?:papers|authors|studies) (?:show|find|report|state|say) that|"
    r"according to the (?:paper|papers|study|authors|text),?|in (?:the|this) (?:paper|study|work),?)\s+",
    re.IGNORECASE,
)
# A bare number or name can be found in any text; who reads it alone cannot know what it means.
_MIN_WORDS = 3
# Terms between two neighbours of the claim that the evidence may have more.
_GAP = 8
_REACH = 4


@dataclass(frozen=True, slots=True)
class Support:
    """How far evidence carries a sentence: `score` in 0..1, and what speaks against it, in words, if anything."""

    score: float
    objection: str = ""


def support(written: str, evidence: str, idf: Idf) -> Support:
    """Compare a written sentence with the text that it cites.

    The score is the idf-weighted share of its content words that stand in `evidence` in the same order. Without an
    objection (a word, number or negation that differs, a hedge left out, words from distant places) it is
    1, and only then is the sentence supported.
    """
    words = terms(without_lead_in(written))
    claim = [t for t in words if t not in STOP_STEMS]
    source = terms(evidence)
    if len(claim) < _MIN_WORDS:
        return Support(0.0, "it says too little to be checked")
    weights = idf(list(dict.fromkeys(claim)))
    weight, pairs = aligned(claim, source, weights)
    score = weight / (sum(weights[t] for t in claim) or 1.0)
    missing = sorted(numbers(without_lead_in(written)) - numbers(evidence))
    if missing:
        return Support(score, f"the number {missing[0]} is not in the evidence")
    if is_unspaced(written) and terms(written) != source:
        # Negation and hedges are known in English alone; elsewhere two words more or less could turn a sentence round.
        return Support(score, "it is in a script that cannot be checked word by word")
    objection = _objection(claim, source, pairs, set(terms(written)))
    return Support(score, objection or _quantity_objection(words, source, pairs))


def without_lead_in(written: str) -> str:
    """A sentence without "The answer is:" and the like, which claim nothing."""
    bare = written.strip()
    while (shorter := _LEAD_IN.sub("", bare)) != bare:
        bare = shorter
    return bare[:1].upper() + bare[1:]


def repeats(written: str, earlier: Sequence[str]) -> bool:
    """Whether nearly all content words of a sentence stand in one of the `earlier` texts."""
    words = set(content_terms(without_lead_in(written)))
    return any(len(words & set(content_terms(text))) >= 0.9 * len(words) for text in earlier)


def _objection(claim: Sequence[str], source: Sequence[str], pairs: Sequence[tuple[int, int]], words: set[str]) -> str:
    taken = {i for i, _ in pairs}
    places = [j for _, j in pairs]
    for i, term in enumerate(claim):
        if i not in taken:
            return f"{term!r} is not in the evidence in this place"
    if any(b - a > _GAP for a, b in pairwise(places)):
        return "its words come from distant places"
    # A negation or a hedge concerns the claim if it stands among the words that the claim took over, or not far off.
    wide = range(max(0, places[0] - 2 * _REACH), places[-1] + 2 * _REACH + 1) if places else range(0)
    told = {source[j] for j in wide if j < len(source)}
    if bool(words & NEGATIONS) != bool(told & NEGATIONS):
        return "a negation differs"
    if hedge := sorted((told & HEDGES) - words):
        return f"the evidence hedges ({hedge[0]})"
    return ""


def _quantity_objection(words: Sequence[str], source: Sequence[str], pairs: Sequence[tuple[int, int]]) -> str:
    """Whether a number has lost or gained the unit or factor behind it: `5 mg` of `5 mg/kg`, `7` of `7 billion`."""
    claimed = [i for i, term in enumerate(words) if term not in STOP_STEMS]
    bounds = [-1, *(j for _, j in pairs), len(source)]
    for place, (i, j) in enumerate(pairs):
        term = words[claimed[i]]
        function = source[j - 1] if j else ""
        if function in _FUNCTIONS and function not in words[max(0, claimed[i] - 1) : claimed[i]]:
            return f"the evidence says {function} {term}"
        if not term[0].isdigit():
            continue
        # The number may stand there twice between its neighbours: one of the two is meant.
        between = range(bounds[place] + 1, bounds[place + 2])
        told = [_quantity(source, at) for at in between if source[at] == term]
        if (said := _quantity(words, claimed[i])) not in told:
            return f"the number {term} is of something else ({' '.join(told[0] or said)})"
    return ""


def _quantity(words: Sequence[str], place: int) -> list[str]:
    """The words behind the number at `place` that belong to it."""
    return list(takewhile(is_quantity, words[place + 1 : place + 1 + _REACH]))


def is_quantity(term: str) -> bool:
    """Whether a word makes another quantity of the number before it: a unit, a factor, a power."""
    return term in _QUANTITIES or re.fullmatch(r"\d[\d.]*(?:e-?\d+|\^.+)", term) is not None


def aligned(
    claim: Sequence[str], source: Sequence[str], weights: dict[str, float]
) -> tuple[float, list[tuple[int, int]]]:
    """Weight of the heaviest common subsequence, and its pairs of places in `claim` and `source`."""
    rows, columns = len(claim), len(source)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            skip = max(best[i + 1][j], best[i][j + 1])
            match = weights[claim[i]] + best[i + 1][j + 1] if claim[i] == source[j] else 0.0
            best[i][j] = max(skip, match)
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < rows and j < columns:
        if claim[i] == source[j] and best[i][j] == weights[claim[i]] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return best[0][0], pairs
