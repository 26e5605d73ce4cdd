"""A text as words with places, and which words of a claim stand where in its evidence. Pure.

Words may stand in any order; who did what to whom is read from which words and numbers stand next to each other.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from rag.quantities import levelled
from rag.terms import terms
from rag.verification import STOP_STEMS, is_quantity
from rag.wording import alike

# A contrast parts two statements, a comma less so: in places between neighbouring words.
_CONTRAST = 12
_PAUSE = 3
_BOUNDARY = re.compile(
    r"(?P<contrast>[;:]\s|\b(?:whereas|while|against|versus|vs|compared (?:with|to)|than|but|although|though|"
    r"however)\b)"
    r"|,\s|[()]|\band\b|\bor\b|\u2014",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(?<![\w.,])(\d+(?:[.,]\d+)*) (to|and|or) (\d+(?:[.,]\d+)*) ([a-z]+)")
# How far a number reaches to the words that it belongs to, and to its unit.
_FAR = 12
_UNIT = 4


@dataclass(frozen=True)
class Words:
    """A text as terms, with the place of each: neighbours are 1 apart, statements more."""

    text: str
    terms: tuple[str, ...]
    places: tuple[int, ...]

    @property
    def content(self) -> list[int]:
        """Where the words stand that carry something."""
        return [i for i, term in enumerate(self.terms) if term not in STOP_STEMS]


@lru_cache(maxsize=256)
def read(text: str) -> Words:
    """The words of a text, written in one way."""
    plain = _RANGE.sub(_with_units, canonical(text))
    found: list[tuple[str, int]] = []
    place = end = 0
    for boundary in [*_BOUNDARY.finditer(plain), None]:
        part = plain[end : boundary.start() if boundary else len(plain)]
        for term in terms(part):
            found.append((term, place := place + 1))
        if boundary:
            place += _CONTRAST if boundary["contrast"] else _PAUSE
            found += [(term, place) for term in terms(boundary[0])]
            end = boundary.end()
    return Words(plain, tuple(term for term, _ in found), tuple(at for _, at in found))


def canonical(text: str) -> str:
    """The text with quantities, negations and contrasts that can be written in several ways written in one."""
    # "A, not B" and "A instead of B" say what "A rather than B" does.
    text = re.sub(r"(?:, (?:and |but )?not\b|\binstead of\b)", " rather than", text)
    text = re.sub(r"\bnot (known|clear|likely|equal|able)\b", r"un\1", text)
    text = re.sub(r"(?:plus or minus|give or take|\u00b1)", "uncertainty", text)
    return levelled(re.sub(r"(?<=\w)['\u2019]s\b", "", text))


def _with_units(found: re.Match[str]) -> str:
    """`5 to 6 days` as `5 days to 6 days`."""
    first, between, second, unit = found.groups()
    known = terms(unit)
    return f"{first} {unit} {between} {second} {unit}" if known and is_quantity(known[0]) else found[0]


def matched(claim: Words, evidence: Words) -> dict[int, list[int]]:
    """For each content word of the claim, where the evidence has it or what may stand for it; equal words first."""
    found: dict[int, list[int]] = {}
    for i in claim.content:
        term = claim.terms[i]
        same = [j for j, other in enumerate(evidence.terms) if other == term]
        if same or not term[0].isdigit():
            found[i] = same or [j for j in evidence.content if alike(term, evidence.terms[j])]
    return found


def numbers_kept(
    claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]], weights: Mapping[str, float]
) -> float:
    """Whether each number stands nearer to its words than another of its form does: the least of all, 1 if sure."""
    said, told = forms(claim), forms(evidence)
    least = 1.0
    for i, form in said.items():
        if not (own := [j for j in matches.get(i, ()) if j in told]):
            continue
        rivals = {evidence.terms[j] for j, other in told.items() if other == form} - {claim.terms[i]}
        around = [
            (k, weights[claim.terms[k]] / (1 + abs(claim.places[i] - claim.places[k])))
            for k, found in matches.items()
            if found and k not in said and abs(claim.places[i] - claim.places[k]) <= _FAR
        ]
        if not rivals or not around:
            continue
        mine = _pull(around, matches, own, evidence)
        best = max(
            _pull(around, matches, [j for j in told if evidence.terms[j] == rival], evidence) for rival in rivals
        )
        least = min(least, mine / (mine + best))
    return min(1.0, 2 * least)


def _pull(
    around: Sequence[tuple[int, float]], matches: Mapping[int, Sequence[int]], at: Sequence[int], evidence: Words
) -> float:
    """How near the words of `around` stand to the places `at`, by weight."""
    places = evidence.places
    return sum(weight / (1 + min(abs(places[a] - places[b]) for a in matches[k] for b in at)) for k, weight in around)


def forms(words: Words) -> dict[int, str]:
    """The numbers of a text, each with its form: per cent, a unit, a decimal, a year."""
    found = {}
    signs = iter(re.finditer(r"\d[\d.,]*\d|\d", words.text))
    percents = {sign[0].replace(",", "") for sign in signs if words.text[sign.end() : sign.end() + 1] == "%"}
    for i, term in enumerate(words.terms):
        if not term[0].isdigit():
            continue
        year = re.fullmatch(r"1[5-9]\d\d|20\d\d", term)
        form = "%" if term in percents else "year" if year else " ".join(quantity(words.terms, i))
        found[i] = form
    return found


def quantity(words: Sequence[str], place: int) -> list[str]:
    """The words behind a number that belong to it."""
    return list(takewhile(is_quantity, words[place + 1 : place + 1 + _UNIT]))
