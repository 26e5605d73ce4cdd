"""What speaks for a free sentence and against it, beside the text that it cites: numbers between 0 and 1. Pure.

`objections` are hard: whatever else speaks for a sentence, with one of them it is not supported. Signals are what a
small logistic model weighs (`checking.py`). Both look at words in any order, so that a paraphrase may pass; who did
what to whom is read from which words and numbers stand next to each other.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, takewhile

import numpy as np

from rag.records import TokenVectors, Vectors
from rag.terms import numbers, terms
from rag.verification import HEDGES, NEGATIONS, STOP_STEMS, Idf, aligned, is_quantity
from rag.wording import alike, canonical, groups, opposed, plain_words, poles

# Kinds of objections.
OBJECTIONS = ("number", "unit", "pairing", "negation", "direction", "name", "hedge", "sides", "scope")
WORD_SIGNALS = (
    "coverage",
    "aligned",
    "rarest",
    "missing",
    "unsaid",
    "slots",
    "foreign",
    "order",
    "binding",
    "kept",
    "gathered",
)

# A contrast parts two statements, a comma less so: in places between neighbouring words.
_CONTRAST = 12
_PAUSE = 3
_BOUNDARY = re.compile(
    r"(?P<contrast>[;:]\s|\b(?:whereas|while|against|versus|vs|compared (?:with|to)|than|but|although|though|"
    r"however)\b)"
    r"|,\s|[()]|\band\b|\bor\b|\u2014",
    re.IGNORECASE,
)
# Around what was taken over: as far as a hedge or a negation reaches.
_REACH = 4
_NEAR = 6
_BESIDE = 2
_FAR = 12
_BEHIND = 3
# Below it a number belongs to other words.
_KEPT = 0.7
# Below these, who does what to whom cannot be told from the words.
_ORDER = 0.5
_GATHERED = 0.65
_NAME = re.compile(r"[^\W_][\w'\u2019\u00b7.+-]*[\w+]|[^\W_]")


_RANGE = re.compile(r"(?<![\w.,])(\d+(?:[.,]\d+)*) (to|and|or) (\d+(?:[.,]\d+)*) ([a-z]+)")


def _stems(words: str) -> frozenset[str]:
    return frozenset(terms(words))


_COMPARING = _stems("compared comparing comparison versus vs relative unlike instead rather besides except")
_MORE_HEDGES = _stems(
    "propose argue doubt conjecture prospect hope intend plan borderline judge attribute speculate imply indicate "
    "inferred interpret accord"
)
_LIGHT_HEDGES = ((HEDGES - _COMPARING) | _MORE_HEDGES) - _stems(
    "open expected idea goal aim question rather few little hardly barely rarely appear probably likely unlikely"
)
# Nouns, too: they hedge in these phrases alone.
_HEDGING = re.compile(
    r"\b(?:estimates?|estimated|predicts?|predicted|expects?|points?|signs?|reads?) (?:that|to|at|by|of|as|the)\b|"
    r"\bappears? to\b|\bprobably\b|"
    r"(?<!more )(?<!less )\b(?:un)?likely\b|"
    r"\b(?:is|are|was|were|an?|the) (?:estimated|expected|predicted)\b|\bidea that\b|\bopen question",
    re.IGNORECASE,
)
_SCANT = _stems("few little hardly barely rarely scarcely")
# What asks or tries states nothing; a "may" does not make a finding of it.
_QUESTIONS = _stems("whether asked ask question test tested examine hypothesis hypothesise hypothesize aim goal")
_STRONG = _stems("prove demonstrate establish confirm definitely certainly significantly conclusive cause guarantee")
_WIDE = _stems("all every always never most entirely everywhere everyone universally none solely exclusively")
_ENDING = re.compile(r"(?:ly|ing|ed|s|ion|ment|ity|ness|ance|ence|al|ive|ous|ic|able)$")
_COMPARING = _COMPARING | _stems("than against outperform beat exceed surpass not trail")
_APART = _stems("unlike except besides contrary compared comparing relative versus vs")
_JOINING = _COMPARING | _stems("for from to by with into over on")


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


def _with_units(found: re.Match[str]) -> str:
    """`5 to 6 days` as `5 days to 6 days`."""
    first, between, second, unit = found.groups()
    known = terms(unit)
    return f"{first} {unit} {between} {second} {unit}" if known and is_quantity(known[0]) else found[0]


def _matches(claim: Words, evidence: Words) -> dict[int, list[int]]:
    """For each content word of the claim, where the evidence has it or what may stand for it; equal words first."""
    found: dict[int, list[int]] = {}
    for i in claim.content:
        term = claim.terms[i]
        same = [j for j, other in enumerate(evidence.terms) if other == term]
        if same or not term[0].isdigit():
            found[i] = same or [j for j in evidence.content if alike(term, evidence.terms[j])]
    return found


def word_signals(claim: Words, evidence: Words, idf: Idf) -> dict[str, float]:
    """The signals of words, by name."""
    content = claim.content
    weights = idf(list(dict.fromkeys(claim.terms[i] for i in content)))
    matches = _matches(claim, evidence)
    total = sum(weights[claim.terms[i]] for i in content) or 1.0
    lost = {i: weights[claim.terms[i]] for i in content if not matches.get(i)}
    in_order, _ = aligned([claim.terms[i] for i in content], evidence.terms, weights)
    rarest = max((weights[claim.terms[i]] for i in content), default=1.0) or 1.0
    return {
        "coverage": 1 - sum(lost.values()) / total,
        "aligned": in_order / total,
        "rarest": max(lost.values(), default=0.0) / rarest,
        "missing": min(1.0, len(lost) / 6),
        "unsaid": min(1.0, sum(claim.terms[i] in poles() for i in lost) / 2),
        "foreign": min(1.0, sum(claim.terms[i] not in plain_words() for i in lost) / 3),
        "slots": min(1.0, sum(_slots(claim, evidence, matches)) / 2),
        "order": _concordance(matches, weights, claim),
        "binding": _binding(claim, evidence, matches, weights),
        "kept": _numbers_kept(claim, evidence, matches, weights),
        "gathered": _gathered(claim, evidence, matches, weights),
    }


def _slots(claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]]) -> list[bool]:
    """For each word of the claim that the evidence lacks, whether the evidence has another word in its place."""
    content = claim.content
    taken = {j for found in matches.values() for j in found}
    found = []
    for at, i in enumerate(content):
        if matches.get(i):
            continue
        before = matches.get(content[at - 1], ()) if at else ()
        behind = matches.get(content[at + 1], ()) if at + 1 < len(content) else ()
        beside = [range(j + 1, j + 3) for j in before] + [range(j - 2, j) for j in behind]
        found.append(
            any(
                0 <= j < len(evidence.terms) and j not in taken and evidence.terms[j] not in STOP_STEMS
                for places in beside
                for j in places
            )
        )
    return found


def _gathered(
    claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]], weights: Mapping[str, float]
) -> float:
    """Whether each statement of the claim takes its words from one statement of the evidence: least share, 0..1."""
    least = 1.0
    for part in _statements(claim):
        mine = {i: weights[claim.terms[i]] for i in part if matches.get(i)}
        total = sum(mine.values())
        if len(mine) < 2 or not total:
            continue
        shares = [
            sum(weight for i, weight in mine.items() if any(j in other for j in matches[i])) / total
            for other in _statements(evidence)
        ]
        least = min(least, max(shares))
    return least


def _statements(words: Words) -> list[range]:
    """The stretches between contrasts."""
    cuts = [i + 1 for i, (a, b) in enumerate(pairwise(words.places)) if b - a > _CONTRAST]
    return [range(a, b) for a, b in pairwise([0, *cuts, len(words.terms)])]


def _concordance(matches: Mapping[int, Sequence[int]], weights: Mapping[str, float], claim: Words) -> float:
    """Share of pairs of words that stand in the evidence in the same order; 1 where there is no pair."""
    sure = [(i, places[0], weights[claim.terms[i]]) for i, places in matches.items() if len(places) == 1]
    good = bad = 0.0
    for a, (_, first, weight) in enumerate(sure):
        for _, second, other in sure[a + 1 :]:
            good += weight * other * (second > first)
            bad += weight * other * (second < first)
    return good / (good + bad) if good + bad else 1.0


def _binding(
    claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]], weights: Mapping[str, float]
) -> float:
    """Whether numbers and directions stand beside the same words in both: 1 if they do, 0 if beside each other's."""
    votes = 0.0
    cast = 0.0
    for i, places in matches.items():
        rivals = _rivals(claim.terms[i], evidence)
        if not places or not rivals:
            continue
        for other, found in matches.items():
            distance = abs(claim.places[i] - claim.places[other])
            if other == i or not found or distance > _NEAR or _rivals(claim.terms[other], evidence) & set(places):
                continue
            own = min(abs(evidence.places[a] - evidence.places[b]) for a in places for b in found)
            theirs = min(abs(evidence.places[a] - evidence.places[b]) for a in rivals for b in found)
            weight = weights[claim.terms[other]] / max(1, distance)
            votes += weight * (own < theirs) + 0.5 * weight * (own == theirs)
            cast += weight
    return votes / cast if cast else 1.0


def _numbers_kept(
    claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]], weights: Mapping[str, float]
) -> float:
    """Whether each number stands nearer to its words than another of its form does: the least of all, 1 if sure."""
    said, told = _forms(claim), _forms(evidence)
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


def _forms(words: Words) -> dict[int, str]:
    """The numbers of a text, each with its form: per cent, a unit, a decimal, a year."""
    found = {}
    signs = iter(re.finditer(r"\d[\d.,]*\d|\d", words.text))
    percents = {sign[0].replace(",", "") for sign in signs if words.text[sign.end() : sign.end() + 1] == "%"}
    for i, term in enumerate(words.terms):
        if not term[0].isdigit():
            continue
        year = re.fullmatch(r"1[5-9]\d\d|20\d\d", term)
        form = "%" if term in percents else "year" if year else " ".join(_quantity(words.terms, i))
        found[i] = form
    return found


def _rivals(term: str, evidence: Words) -> set[int]:
    """Where the evidence has another number, or another direction of the same axis."""
    if term[0].isdigit():
        return {j for j, other in enumerate(evidence.terms) if other[0].isdigit() and other != term}
    return {j for j, other in enumerate(evidence.terms) if other in poles() and opposed(term, other)}


def objections(claim: Words, evidence: Words, raw: str, idf: Idf) -> dict[str, str]:
    """What makes a sentence unsupported whatever its words: kind -> in words. `raw` is the claim as written."""
    matches = _matches(claim, evidence)
    found = {
        "number": _number(claim, evidence),
        "unit": _unit(claim, evidence),
        "pairing": _pairing(claim, evidence, matches, idf(list(dict.fromkeys(claim.terms)))),
        "negation": _negation(claim, evidence, matches),
        "direction": _direction(claim, evidence, matches),
        "name": _name(raw, evidence),
        "hedge": _hedge(claim, evidence, matches),
        "sides": _sides(claim, evidence, matches),
        "scope": _scope(claim, evidence),
    }
    return {kind: text for kind, text in found.items() if text}


def _number(claim: Words, evidence: Words) -> str:
    pair = {"2"} if "both" in evidence.terms else set()
    if missing := sorted(numbers(claim.text) - numbers(evidence.text) - pair):
        return f"the number {missing[0]} is not in the evidence"
    said = [term for term in claim.terms if term[0].isdigit()]
    if missing := [t for t in said if t not in evidence.terms and not (t == "2" and "both" in evidence.terms)]:
        return f"the number {missing[0]} is not in the evidence"
    for amount in ("half", "third", "quarter", "twice", "doubl", "tripl", "onc"):
        if amount in claim.terms and not any(alike(amount, term) for term in evidence.terms):
            return f"{amount!r} is not in the evidence"
    counted = any(a == "one" and b not in STOP_STEMS for a, b in pairwise(claim.terms))
    if counted and not {"one", "1", "singl", "first", "onli"} & set(evidence.terms):
        return "'one' is not in the evidence"
    return ""


def _unit(claim: Words, evidence: Words) -> str:
    for i, term in enumerate(claim.terms):
        if not term[0].isdigit():
            continue
        told = [_quantity(evidence.terms, j) for j, other in enumerate(evidence.terms) if other == term]
        behind = claim.terms[i + 1 : i + _REACH]
        if any(all(unit in behind for unit in quantity) for quantity in told if quantity):
            continue
        if told and (said := _quantity(claim.terms, i)) not in told:
            return f"the number {term} is of something else ({' '.join(told[0] or said)})"
    return ""


def _pairing(claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]], weights: Mapping[str, float]) -> str:
    if _numbers_kept(claim, evidence, matches, weights) < _KEPT:
        return "a number stands with other words"
    said, told = _forms(claim), _forms(evidence)
    for i in said:
        for k, found in matches.items():
            distance = claim.places[k] - claim.places[i]
            if k in said or not found or not 0 < distance <= _BEHIND:
                continue
            beside = {
                evidence.terms[j]
                for j in told
                for at in found
                if 0 < evidence.places[at] - evidence.places[j] <= _BEHIND
            }
            if beside and claim.terms[i] not in beside:
                return f"the evidence has {min(beside)} beside {claim.terms[k]!r}"
    return ""


def _quantity(words: Sequence[str], place: int) -> list[str]:
    """The words behind a number that belong to it."""
    return list(takewhile(is_quantity, words[place + 1 : place + 1 + _REACH]))


def _negation(claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]]) -> str:
    taken = {j for found in matches.values() for j in found}
    said = [i for i, term in enumerate(claim.terms) if term in NEGATIONS]
    told = [j for j, term in enumerate(evidence.terms) if term in NEGATIONS]
    # What denies words that the claim leaves out does not concern it.
    words = {claim.terms[i] for i in said}
    told = [j for j in told if evidence.terms[j] in words or set(_denied(evidence, j)) & taken]
    if bool(said) != bool(told):
        return "a negation differs"
    for i in said:
        places = [j for k in _denied(claim, i) for j in matches.get(k, ())]
        if not any(abs(evidence.places[j] - evidence.places[t]) <= _NEAR for j in places or taken for t in told):
            return "a negation is of something else"
    kept = {j for i in said for k in _denied(claim, i, _NEAR) for j in matches.get(k, ())}
    if any(set(_denied(evidence, j)) & taken and kept and not kept & set(_denied(evidence, j, _NEAR)) for j in told):
        return "a negation is of something else"
    return _turned_down(claim, evidence, taken)


def _turned_down(claim: Words, evidence: Words, taken: Collection[int]) -> str:
    """Whether the claim states B where the evidence says "A rather than B"."""
    if "rather" in claim.terms:
        return ""
    for j, (first, second) in enumerate(pairwise(evidence.terms)):
        if (first, second) == ("rather", "than"):
            before, behind = _beside(evidence, j)
            if set(behind) & set(taken) and not set(before) & set(taken):
                return "the evidence turns it down (rather than)"
    return ""


def _denied(words: Words, at: int, reach: int = _REACH) -> list[int]:
    """The content words that a negation at `at` denies: those behind it, or where it ends a statement, before it."""
    content = [i for i in words.content if words.terms[i] not in NEGATIONS]
    behind = [i for i in content if 0 < words.places[i] - words.places[at] <= reach and i > at]
    return behind[:3] or [i for i in content if 0 <= words.places[at] - words.places[i] <= reach][-2:]


def _direction(claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]]) -> str:
    for i, places in matches.items():
        term = claim.terms[i]
        if term not in poles() or places:
            continue
        for other in evidence.terms:
            if other in poles() and opposed(term, other):
                return f"{term!r} against {other!r} of the evidence"
    return _turned_beside(claim, evidence, matches)


def _turned_beside(claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]]) -> str:
    """Whether a direction stands beside a word that has the opposite beside it in the evidence: "less distant"."""
    for i in matches:
        term = claim.terms[i]
        if term not in poles():
            continue
        for k, found in matches.items():
            if k == i or abs(claim.places[k] - claim.places[i]) > _BESIDE:
                continue
            beside = [
                evidence.terms[j]
                for at in found
                for j in evidence.content
                if j != at and abs(evidence.places[at] - evidence.places[j]) <= _BESIDE
            ]
            against = [other for other in beside if opposed(term, other)]
            if against and not any(alike(term, other) for other in beside):
                return f"{term!r} against {against[0]!r} beside {claim.terms[k]!r}"
    return ""


def _name(raw: str, evidence: Words) -> str:
    known = set(evidence.terms)
    for found in _NAME.finditer(raw):
        word = found[0].strip(".'-")
        starts = not raw[: found.start()].strip("\"'\u201c( ") or raw[: found.start()].rstrip()[-1:] in ".:?!"
        capitals = sum(char.isupper() for char in word)
        plain = starts and capitals == 1 and not any(char.isdigit() for char in word)
        if not capitals or (plain and _common(word)):
            continue
        for term in terms(canonical(word)):
            if term not in known and term not in STOP_STEMS and not any(_short_for(term, other) for other in known):
                return f"{word!r} is not in the evidence"
    return ""


def _common(word: str) -> bool:
    """Whether a word that begins a sentence may be no name: by its ending, or because it can stand for others."""
    known = (groups().keys(), plain_words(), STOP_STEMS, NEGATIONS)
    return bool(_ENDING.search(word)) or any(term in words for term in terms(word) for words in known)


def _short_for(term: str, other: str) -> bool:
    return len(term) > 4 and (other.startswith(term) or term.startswith(other)) and len(other) > 4


def _hedge(claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]]) -> str:
    said = set(claim.terms)
    taken = {evidence.places[j] for found in matches.values() for j in found}
    # What hedges stands before its words, seldom behind them.
    told = {
        term
        for term, place in zip(evidence.terms, evidence.places, strict=True)
        if any(-_BEHIND <= other - place <= _NEAR for other in taken)
    }
    close = {
        term
        for term, place in zip(evidence.terms, evidence.places, strict=True)
        if any(0 < other - place <= _BESIDE for other in taken)
    }
    if strong := sorted(word for word in said & _STRONG if not any(alike(word, other) for other in evidence.terms)):
        return f"the evidence does not say {strong[0]!r}"
    if "whether" in told and not said & _QUESTIONS:
        return "the evidence asks (whether)"
    if (apart := sorted(told & _APART)) and not said & _APART:
        return f"the evidence sets apart ({apart[0]})"
    if scant := sorted(word for word in close & _SCANT if not any(alike(word, other) for other in said)):
        return f"the evidence says {scant[0]!r}"
    hedged = bool(said & _LIGHT_HEDGES or _HEDGING.search(claim.text))
    phrases = [found[0] for found in _HEDGING.finditer(evidence.text) if set(terms(found[0])) & told]
    if (hedges := [*sorted(told & _LIGHT_HEDGES), *phrases]) and not hedged:
        return f"the evidence hedges ({hedges[0]})"
    return ""


def _sides(claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]]) -> str:
    """Whether what a word joins or compares has changed sides: `A beats B` of `B beats A`, `A for B` of `B for A`."""
    for i, term in enumerate(claim.terms):
        if term not in _JOINING:
            continue
        left, right = _beside(claim, i)
        for j, other in enumerate(evidence.terms):
            if other != term and not (term in _COMPARING and other in _COMPARING):
                continue
            before, behind = (set(side) for side in _beside(evidence, j))
            kept = any(set(matches.get(k, ())) & before for k in left) or any(
                set(matches.get(k, ())) & behind for k in right
            )
            turned = any(set(matches.get(k, ())) & behind for k in left) and any(
                set(matches.get(k, ())) & before for k in right
            )
            if turned and not kept:
                return f"what stands around {term!r} has changed sides"
    return ""


def _beside(words: Words, at: int) -> tuple[list[int], list[int]]:
    """The content words next to a place, before and behind it."""
    content = [k for k in words.content if words.terms[k] not in _JOINING]
    return [k for k in content if k < at][-_BESIDE:], [k for k in content if k > at][:_BESIDE]


def _scope(claim: Words, evidence: Words) -> str:
    known = set(evidence.terms)
    wide = sorted(term for term in set(claim.terms) & _WIDE if not any(alike(term, other) for other in known))
    return f"the evidence does not say {wide[0]!r}" if wide else ""


def meaning_signals(
    claim: tuple[Vectors, TokenVectors], evidence: Sequence[tuple[Vectors, TokenVectors]]
) -> dict[str, float]:
    """Cosine of claim and nearest sentence; mean and least over the claim's tokens of the nearest token."""
    vector, tokens = claim
    cosine = max(float(vector @ other) for other, _ in evidence)
    known = np.concatenate([other.vectors for _, other in evidence])
    if not len(tokens.vectors) or not len(known):
        return {"cosine": cosine, "late": 0.0, "late_min": 0.0}
    best = (tokens.vectors @ known.T).max(axis=1)
    return {"cosine": cosine, "late": float(best.mean()), "late_min": float(np.sort(best)[:2].mean())}


def doubts(claim: Words, evidence: Words, signals: Mapping[str, float]) -> str:
    """What no rule can vouch for, though nothing objects to it; empty if nothing.

    That is a word of a subject, or of a direction, that the evidence lacks, any word in the place of another, and words
    in quite another order or from several statements.
    """
    if signals["order"] < _ORDER or signals["gathered"] < _GATHERED:
        return "its words stand together otherwise in the evidence"
    matches = _matches(claim, evidence)
    for i in claim.content:
        if not matches.get(i) and (claim.terms[i] not in plain_words() or claim.terms[i] in poles()):
            return f"{claim.terms[i]!r} is not in the evidence"
    return "it has other words in the place of the evidence's" if any(_slots(claim, evidence, matches)) else ""
