"""True claims -> false ones, by rule. Each rule changes one thing and says which; what it cannot change it leaves out.

The word lists are the corruptors' own, not those of the verifier. Deterministic: the same claims give the same cases.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence

from eval.verification.claims import Case, Study
from rag.terms import STOP_WORDS, content_terms

_NUMBER = re.compile(r"(?<![\w.,^/-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w^/]|-\w|\.\d)(?! × 10)")
_UNITS = {
    "days": "weeks", "day": "week", "years": "months", "months": "years", "hours": "minutes", "seconds": "hours",
    "minutes": "seconds", "milliseconds": "seconds", "million": "billion", "billion": "million", "metres": "kilometres",
    "kilometres": "metres", "mg": "g", "micrograms": "milligrams", "grams": "milligrams", "GB": "MB", "bits": "bytes",
    "K": "°C", "GeV": "MeV", "nm": "mm", "V": "mV", "Å": "nm", "degrees": "kelvin", "points": "percent", "%": "-fold",
    "volts": "kilovolts", "weeks": "years", "terabyte": "gigabyte", "volt": "kilovolt", "kelvin": "degrees Celsius",
    "gigapascals": "megapascals", "microarcseconds": "arcseconds", "decade": "century", "steps": "epochs",
}  # fmt: skip
_OPPOSITES = [
    pair.split("/")
    for pair in """
    increased/decreased increases/decreases increase/decrease raised/lowered rose/fell grew/shrank fell/rose
    reduced/increased reduces/increases lower/higher higher/lower lowers/raises gained/lost more/less fewer/more
    faster/slower better/worse worse/better best/worst outperformed/underperformed beat/lost|to above/below
    below/above larger/smaller smaller/larger greater/smaller longer/shorter shorter/longer shortened/lengthened
    before/after after/before earlier/later first/last most/least highest/lowest always/never with/without
    without/with strong/weak weak/strong small/large large/small low/high high/low rarely/often often/rarely
    above/below same/opposite opposite/same outside/inside inward/outward accepted/rejected rejected/accepted
    favour/oppose unlikely/likely less/more toward/away|from rising/falling steeper/flatter dropped/rose
    drops/rises cuts/doubles lowers/raises positive/negative upper/lower early/late delayed/immediate
    uninfected/infected adult/infant posterior/anterior anterior/posterior monolingual/bilingual
    independent/dependent won/lost unknown/known stronger/weaker valid/invalid shallow/deep identical/different
    defeated/lost|to poor/good rare/common lack/have lags/leads oxidised/reduced intact/impaired
    """.split()  # noqa: SIM905
]
_AUXILIARIES = "is are was were has had can could did does would will may"
_HEDGES = (
    (r"\bthe authors estimate that ", ""), (r"\bIt is estimated that ", ""), (r"\bare believed to be\b", "are"),
    (r"\bis believed to be\b", "is"), (r"\bsuggests? that\b", "proves that"), (r"\bindicates? that\b", "proves that"),
    (r"\bmay\b ", "does "), (r"\bpropose (?:that )?", "prove "), (r"\bproposed\b", "proven"),
    (r"\bestimates?\b", "measured"), (r"\bestimated\b", "measured"), (r"\bargues? that\b", "proves that"),
    (r"\b(?:nearly|almost) all\b", "all"), (r"\bsuspects?\b", "proved"), (r"\bwould\b", "did"), (r"\bmight\b", "did"),
    (r"\bAccording to (?:\w+), ", ""), (r"\bcould\b", "did"), (r"\bunlikely\b", "impossible"),
    (r"\bthe authors propose (?:that )?", ""), (r"\b(?:mostly|mainly|often|generally|usually|typically) ", "always "),
)  # fmt: skip
_NAME = re.compile(
    r"(?<![.?!:] )(?<!^)\b(?:[A-Z][\w-]*\w|\w+[A-Z]\w*)(?: (?:[A-Z][\w-]*\w))*\b|\b\w*[A-Z]\w*[A-Z0-9][\w-]*"
)
_SIDES = re.compile(r"\b(?:than|against|versus|while|whereas|but|compared with|rather than|instead of|and)\b")

Rule = Callable[[Case, Study, random.Random], str | None]


def corrupted(true: Sequence[Case], studies: Sequence[Study], seed: int = 0) -> Iterator[Case]:
    """The false cases made of the true ones, rule by rule."""
    for place, case in enumerate(true):
        study = studies[case.study]
        for kind, rule in _RULES.items():
            rng = random.Random(f"{seed} {place} {kind}")  # noqa: S311  # reproducible, no secret
            text = rule(case, study, rng)
            if text and text != case.claim and text not in case.evidence:
                yield case.false(kind, text)
        yield from _moved(case, studies)
        rng = random.Random(f"{seed} {place} mixed")  # noqa: S311
        if found := _mixed(case, study, rng):
            yield found
        if text := _foreign_entity(case, studies, rng):
            yield case.false("entity of another paper", text)


def _number(case: Case, _: Study, rng: random.Random) -> str | None:
    found = list(_NUMBER.finditer(case.claim))
    if not found:
        return None
    at = rng.choice(found)
    evidence = " ".join(case.evidence)
    for __ in range(20):
        new = _other_number(at[0], rng)
        if new not in evidence and new != at[0]:
            return case.claim[: at.start()] + new + case.claim[at.end() :]
    return None


def _other_number(number: str, rng: random.Random) -> str:
    """A number of the same form: a digit changed, or two exchanged."""
    digits = [i for i, char in enumerate(number) if char.isdigit()]
    if len(digits) > 1 and rng.random() < 0.3:
        a, b = rng.sample(digits, 2)
        swapped = list(number)
        swapped[a], swapped[b] = swapped[b], swapped[a]
        if swapped[0] != "0":
            return "".join(swapped)
    at = rng.choice(digits)
    choices = [d for d in "123456789" if d != number[at]]
    return number[:at] + rng.choice(choices) + number[at + 1 :]


def _exchanged(case: Case, _: Study, rng: random.Random) -> str | None:
    """Two numbers of the claim in each other's place, unless they only stand in a list or range."""
    found = list(_NUMBER.finditer(case.claim))
    pairs = [
        (a, b)
        for i, a in enumerate(found)
        for b in found[i + 1 :]
        if a[0] != b[0] and not re.fullmatch(r"%?,? ?(?:and|to|by|or|,|%)? ?", case.claim[a.end() : b.start()])
    ]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    text = case.claim
    return text[: a.start()] + b[0] + text[a.end() : b.start()] + a[0] + text[b.end() :]


def _near_number(case: Case, _: Study, rng: random.Random) -> str | None:
    """A number of the claim replaced by another of the cited sentences, of the same form."""
    found = list(_NUMBER.finditer(case.claim))
    evidence = " ".join(case.evidence)
    told = {n[0] + ("%" if evidence[n.end() : n.end() + 1] == "%" else "") for n in _NUMBER.finditer(evidence)}
    ways = []
    for at in found:
        percent = case.claim[at.end() : at.end() + 1] == "%"
        ways += [
            (at, other.rstrip("%"))
            for other in sorted(told)
            if other.endswith("%") == percent and not any(n[0] == other.rstrip("%") for n in found)
        ]
    if not ways:
        return None
    at, new = rng.choice(ways)
    return case.claim[: at.start()] + new + case.claim[at.end() :]


def _unit(case: Case, _: Study, rng: random.Random) -> str | None:
    ways = list(re.finditer(rf"(?<=\d)( ?)({'|'.join(map(re.escape, _UNITS))})(?!\w)", case.claim))
    if not ways:
        return None
    at = rng.choice(ways)
    return case.claim[: at.start(2)] + _UNITS[at[2]] + case.claim[at.end(2) :]


def _direction(case: Case, _: Study, rng: random.Random) -> str | None:
    ways = [
        (at, new.replace("|", " "))
        for old, new in _OPPOSITES
        for at in re.finditer(rf"\b{old}\b", case.claim, re.IGNORECASE)
    ]
    if not ways:
        return None
    at, new = rng.choice(ways)
    return case.claim[: at.start()] + (new.capitalize() if at[0][0].isupper() else new) + case.claim[at.end() :]


def _negated(case: Case, _: Study, __: random.Random) -> str | None:
    at = re.search(rf"\b(?:{_AUXILIARIES.replace(' ', '|')})\b(?! not\b)", case.claim)
    if at:
        return f"{case.claim[: at.end()]} not{case.claim[at.end() :]}"
    at = re.search(r" (?=[a-z]{3,}(?:ed|s) (?:the|a|an|its|on|to|in|by|with|from|of|\d)\b)", case.claim)
    return f"{case.claim[: at.end()]}never {case.claim[at.end() :]}" if at else None


def _affirmed(case: Case, _: Study, __: random.Random) -> str | None:
    for old, new in (
        (r"\bcannot\b", "can"), (r"\bdid not\b ", "did "), (r"\bnot an?y?\b", "a"), (r"\bnever\b ", "always "),
        (r"(?<!or )\bnot\b ", ""), (r"\bno\b ", "a "), (r"\bnone\b", "all"), (r"\black\b", "have"),
        (r"\bdisputed\b", "confirmed"), (r"\bwithout\b", "with"),
    ):  # fmt: skip
        if re.search(old, case.claim):
            return re.sub(old, new, case.claim, count=1)
    return None


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(match[0] for match in _NAME.finditer(text)))


def _entity(case: Case, study: Study, rng: random.Random) -> str | None:
    """A name, or where there is none a rare word, replaced by another of the paper that the citation lacks too."""
    evidence = " ".join(case.evidence).lower()
    own = _names(case.claim)
    others = [name for text in study.sentences for name in _names(text) if name.lower() not in evidence]
    if own and others:
        return case.claim.replace(rng.choice(own), rng.choice(others))
    return None


def _term(case: Case, study: Study, rng: random.Random) -> str | None:
    """A plain word of the claim replaced by one of the paper's other sentences, of the same ending."""
    evidence = set(content_terms(" ".join(case.evidence)))
    own = [w for w in re.findall(r"\b[a-z]{5,}\b", case.claim) if w not in STOP_WORDS]
    others = [
        w
        for text in study.sentences
        for w in re.findall(r"\b[a-z]{5,}\b", text)
        if w not in STOP_WORDS and not set(content_terms(w)) & evidence
    ]
    ways = [(a, b) for a in own for b in others if a[-2:] == b[-2:]]
    if not ways:
        return None
    old, new = rng.choice(sorted(set(ways)))
    return re.sub(rf"\b{old}\b", new, case.claim)


def _roles(case: Case, _: Study, rng: random.Random) -> str | None:
    """Two names on the two sides of a comparison or contrast, each in the other's place."""
    sides = _SIDES.search(case.claim)
    if not sides or sides[0] == "and":
        return None
    evidence = " ".join(case.evidence)
    left = [n for n in _names(case.claim[: sides.start()]) if n in evidence]
    right = [n for n in _names(case.claim[sides.end() :]) if n in evidence and n not in left]
    if not left or not right:
        return None
    a, b = rng.choice(left), rng.choice(right)
    return re.sub(f"{re.escape(a)}|{re.escape(b)}", lambda found: b if found[0] == a else a, case.claim)


def _hedge(case: Case, _: Study, __: random.Random) -> str | None:
    for old, new in _HEDGES:
        if re.search(old, case.claim):
            text = re.sub(old, new, case.claim, count=1)
            return text[:1].upper() + text[1:]
    return None


def _overlap(claim: str, text: str) -> float:
    words = set(content_terms(claim))
    return len(words & set(content_terms(text))) / (len(words) or 1)


def _moved(case: Case, studies: Sequence[Study]) -> Iterator[Case]:
    """The claim cited to the sentence that has most of its words, of its paper and of another."""
    own = studies[case.study]
    rest = [text for text in own.sentences if text not in case.evidence]
    if rest:
        yield case.cited_to("similar sentence", (max(rest, key=lambda text: _overlap(case.claim, text)),))
    half = [study for study in studies if study.half == own.half and study is not own]
    others = [text for study in half for text in study.sentences]
    yield case.cited_to("another paper", (max(others, key=lambda text: _overlap(case.claim, text)),))


def _mixed(case: Case, study: Study, rng: random.Random) -> Case | None:
    """A number of the claim replaced by one of another sentence, and both sentences cited."""
    found = list(_NUMBER.finditer(case.claim))
    evidence = " ".join(case.evidence)
    ways = []
    for text in study.sentences:
        for number in _NUMBER.finditer(text):
            if text in case.evidence or number[0] in evidence:
                continue
            percent = text[number.end() : number.end() + 1] == "%"
            ways += [(at, number[0], text) for at in found if (case.claim[at.end() : at.end() + 1] == "%") == percent]
    if not ways:
        return None
    at, new, text = rng.choice(ways)
    return case.false("mixed", case.claim[: at.start()] + new + case.claim[at.end() :], (*case.evidence, text))


def _foreign_entity(case: Case, studies: Sequence[Study], rng: random.Random) -> str | None:
    own = _names(case.claim)
    evidence = " ".join(case.evidence).lower()
    half = [study for study in studies if study.half == studies[case.study].half and study is not studies[case.study]]
    others = [name for text in rng.choice(half).sentences for name in _names(text) if name.lower() not in evidence]
    return case.claim.replace(rng.choice(own), rng.choice(others)) if own and others else None


_RULES: dict[str, Rule] = {
    "number": _number,
    "numbers exchanged": _exchanged,
    "number beside": _near_number,
    "unit": _unit,
    "direction": _direction,
    "negation added": _negated,
    "negation removed": _affirmed,
    "entity of the paper": _entity,
    "term of the paper": _term,
    "roles exchanged": _roles,
    "hedge dropped": _hedge,
}
