"""What makes a sentence unsupported whatever its words: a number, name, negation, direction or hedge that differs.

Pure. The word lists are closed and of English; they err towards objecting.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from rag.placing import Words, canonical, forms, matched, numbers_kept, quantity
from rag.terms import STOP_WORDS, numbers, terms
from rag.verification import HEDGES, NEGATIONS, STOP_STEMS, Idf
from rag.wording import alike, groups, opposed, plain_words, poles

# Kinds that are weighed; of "reported" there are too few true and false claims to weigh it.
KINDS = ("number", "unit", "pairing", "negation", "direction", "name", "hedge", "sides", "scope")

# In places: beside, behind, and as far as a hedge or a negation reaches.
_BESIDE = 2
_BEHIND = 3
_REACH = 4
_NEAR = 6
_FAR = 12
# Below it a number belongs to other words.
_KEPT = 0.7
_NAME = re.compile(r"[^\W_][\w'\u2019\u00b7.+-]*[\w+]|[^\W_]")


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
_REPORTING = _stems("propose argue conjecture speculate doubt hope contend postulate")
_NEARLY = _stems("nearly almost")
_NEARLY_WORD = re.compile(r"\b(?:nearly|almost)\b", re.IGNORECASE)  # "near" has the stem of "nearly"
_WIDE = _stems("all every always never most entirely everywhere everyone universally none solely exclusively")
_ENDING = re.compile(r"(?:ly|ing|ed|s|ion|ment|ity|ness|ance|ence|al|ive|ous|ic|able)$")
_COMPARING = _COMPARING | _stems("than against outperform beat exceed surpass not trail")
_APART = _stems("unlike except besides contrary compared comparing relative versus vs")
_JOINING = _COMPARING | _stems("for from to by with into over on")


def objections(claim: Words, evidence: Words, raw: str, idf: Idf) -> dict[str, str]:
    """What makes a sentence unsupported whatever its words: kind -> in words. `raw` is the claim as written."""
    matches = matched(claim, evidence)
    found = {
        "number": _number(claim, evidence),
        "unit": _unit(claim, evidence),
        "pairing": pairing(claim, evidence, matches, idf(list(dict.fromkeys(claim.terms)))),
        "negation": _negation(claim, evidence, matches),
        "direction": _direction(claim, evidence, matches),
        "name": _name(raw, evidence),
        "hedge": _hedge(claim, evidence, matches),
        "reported": _reported(claim, evidence, matches),
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
        told = [quantity(evidence.terms, j) for j, other in enumerate(evidence.terms) if other == term]
        behind = claim.terms[i + 1 : i + _REACH]
        if any(all(unit in behind for unit in quantity) for quantity in told if quantity):
            continue
        if told and (said := quantity(claim.terms, i)) not in told:
            return f"the number {term} is of something else ({' '.join(told[0] or said)})"
    return ""


def pairing(claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]], weights: Mapping[str, float]) -> str:
    """Whether a number of the claim stands with other words than in the evidence: in words, empty for no."""
    if numbers_kept(claim, evidence, matches, weights) < _KEPT:
        return "a number stands with other words"
    said, told = forms(claim), forms(evidence)
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


def _negation(claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]]) -> str:
    taken = {j for found in matches.values() for j in found}
    said = [i for i, term in enumerate(claim.terms) if term in NEGATIONS]
    told = [j for j, term in enumerate(evidence.terms) if term in NEGATIONS]
    # What denies words that the claim leaves out does not concern it.
    words = {claim.terms[i] for i in said}
    told = [j for j in told if evidence.terms[j] in words or set(denied(evidence, j)) & taken]
    if bool(said) != bool(told):
        return "a negation differs"
    for i in said:
        places = [j for k in denied(claim, i) for j in matches.get(k, ())]
        if not any(abs(evidence.places[j] - evidence.places[t]) <= _NEAR for j in places or taken for t in told):
            return "a negation is of something else"
    kept = {j for i in said for k in denied(claim, i, _NEAR) for j in matches.get(k, ())}
    if any(set(denied(evidence, j)) & taken and kept and not kept & set(denied(evidence, j, _NEAR)) for j in told):
        return "a negation is of something else"
    return _turned_down(claim, evidence, taken)


def _turned_down(claim: Words, evidence: Words, taken: Collection[int]) -> str:
    """Whether the claim states B where the evidence says "A rather than B"."""
    if "rather" in claim.terms:
        return ""
    for j, (first, second) in enumerate(pairwise(evidence.terms)):
        if (first, second) == ("rather", "than"):
            before, behind = beside(evidence, j)
            if set(behind) & set(taken) and not set(before) & set(taken):
                return "the evidence turns it down (rather than)"
    return ""


def denied(words: Words, at: int, reach: int = _REACH) -> list[int]:
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
    as_written = {found[0].strip(".'-") for found in _NAME.finditer(evidence.text)}
    for found in _NAME.finditer(raw):
        word = found[0].strip(".'-")
        if word in as_written:
            continue
        starts = not raw[: found.start()].strip("\"'\u201c( ") or raw[: found.start()].rstrip()[-1:] in ".:?!"
        capitals = sum(char.isupper() for char in word)
        plain = starts and capitals == 1 and not any(char.isdigit() for char in word)
        if not capitals or (plain and _common(word)):
            continue
        if not starts and capitals and len(word) > 1 and word.lower() in STOP_WORDS:
            # "The May score": no auxiliary, though it is written like one.
            return f"{word!r} is not in the evidence"
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


def _reported(claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]]) -> str:
    """Whether the claim states what the evidence says that somebody proposes, or says whole what is nearly so."""
    taken = {evidence.places[j] for found in matches.values() for j in found}
    said = set(claim.terms)
    for (one, place), (other, _) in pairwise(zip(evidence.terms, evidence.places, strict=True)):
        behind = [at - place for at in taken if at > place]
        near = min(behind, default=_FAR) <= _BESIDE and _NEARLY_WORD.search(evidence.text)
        if one in _REPORTING and other == "that" and not said & _LIGHT_HEDGES and min(behind, default=_FAR) <= _REACH:
            return f"the evidence reports ({one} that)"
        if one in _NEARLY and near and not any(alike(one, word) for word in said):
            return "the evidence says that it is nearly so"
    return ""


def _sides(claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]]) -> str:
    """Whether what a word joins or compares has changed sides: `A beats B` of `B beats A`, `A for B` of `B for A`."""
    for i, term in enumerate(claim.terms):
        if term not in _JOINING:
            continue
        left, right = beside(claim, i)
        for j, other in enumerate(evidence.terms):
            if other != term and not (term in _COMPARING and other in _COMPARING):
                continue
            before, behind = (set(side) for side in beside(evidence, j))
            kept = any(set(matches.get(k, ())) & before for k in left) or any(
                set(matches.get(k, ())) & behind for k in right
            )
            turned = any(set(matches.get(k, ())) & behind for k in left) and any(
                set(matches.get(k, ())) & before for k in right
            )
            if turned and not kept:
                return f"what stands around {term!r} has changed sides"
    return ""


def beside(words: Words, at: int) -> tuple[list[int], list[int]]:
    """The content words next to a place, before and behind it."""
    content = [k for k in words.content if words.terms[k] not in _JOINING]
    return [k for k in content if k < at][-_BESIDE:], [k for k in content if k > at][:_BESIDE]


def _scope(claim: Words, evidence: Words) -> str:
    known = set(evidence.terms)
    wide = sorted(term for term in set(claim.terms) & _WIDE if not any(alike(term, other) for other in known))
    return f"the evidence does not say {wide[0]!r}" if wide else ""
