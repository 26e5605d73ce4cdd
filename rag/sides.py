"""Does a question compare two things, and which? Pure, by its form; closed lists, for English.

"How does BERT differ from GPT-2?" has the sides "BERT" and "GPT-2". Sides are short noun phrases: where one is longer
or a pronoun, or there are three, the question is one like any other. What is in the papers is not known here.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.terms import content_terms

_LONGEST = 200  # characters of such a question
_MOST_WORDS = 4
_MIXED = re.compile(r"[^\W_][A-Z]|[A-Za-z].*\d|\d.*[A-Za-z]")
_VERSION = re.compile(r"(?<=[^\W\d_])[\W_]?v?\d[\d.]*\Z")
_SIDE = r"[^\s,;:?!()]+(?: [^\s,;:?!()]+){0,4}?"
_A, _B = rf"(?P<a>{_SIDE})", rf"(?P<b>{_SIDE})"
_BEFORE = r"(?:(?:please|so|and|but|ok|okay|can you|could you|now),? )*"
_MATTER = (
    r"(?:,? (?:in terms of|with respect to|with regard to|when it comes to|regarding|concerning|in|on|at|for) "
    r"(?P<matter>[^?!;:]+?))?"
)
_HOW = r"(?P<how>(?:(?:any|much|really|actually|significantly) )?(?:better|worse|[a-z]+er|(?:more|less) [a-z-]+))"
_IS = r"(?:is|are|was|were)"
_DO = r"(?:do|does|did)"
_DIFFERENCE = r"(?:(?:main|key|biggest|essential|exact) )?(?:difference|distinction|comparison)s?"
_ASKS = r"(?:(?:what(?:['\u2019]s| is| are| was| were)|explain|tell me|describe) )?"
_GOOD = r"(?:advantage|benefit|improvement|gain|drawback|disadvantage)s?"
_BEATS = r"(?:outperform|beat|surpass|(?:work|perform|do) (?P<how>better|worse|faster) than)"
_FORMS = tuple(
    re.compile(rf"^\W*{_BEFORE}{form}{_MATTER}[?.! ]*$", re.IGNORECASE)
    for form in (
        rf"(?:compare|contrast) {_A} (?:and|with|to|vs\.?|versus|against) {_B}",
        rf"{_ASKS}(?:(?:the|a) )?{_DIFFERENCE} (?:between|of) {_A} (?:and|vs\.?|versus) {_B}",
        rf"how {_DO} {_A} (?:differ|compare) (?:from|to|with|against) {_B}",
        rf"how {_DO} {_A} and {_B} (?:differ|compare)",
        rf"how {_IS} {_A} (?:any )?different (?:from|to|than) {_B}",
        rf"how {_IS} {_A} and {_B} different",
        rf"(?:what|how) (?:distinguishes|sets) {_A} (?:apart )?from {_B}",
        rf"(?:why )?{_IS} {_A} {_HOW} than {_B}",
        rf"how (?:much|far) {_HOW} {_IS} {_A} than {_B}",
        rf"(?:which|what)(?: one)? {_IS} {_HOW}(?:,|:)? {_A} or {_B}",
        rf"{_IS} {_A} or {_B} {_HOW}",
        rf"{_DO} {_A} {_BEATS} {_B}",
        rf"should (?:i|we|one) (?:rather )?(?:use|choose|take|pick) {_A} or {_B}",
        rf"what {_IS} the {_GOOD} of {_A} (?:over|against|(?:as )?compared (?:to|with)) {_B}",
        rf"{_A} (?:vs\.?|versus) {_B}",
    )
)
# What no side has: words that relate things, point back, or ask.
_NO_SIDE = re.compile(
    r"\b(?:about|after|against|all|among|and|any|are|as|at|because|before|between|both|but|by|compared?|did|does|do|"
    r"during|each|every|for|from|had|has|have|he|her|his|how|i|if|in|into|is|it|its|like|me|more|most|my|not|on|one|ones|"
    r"or|other|others|our|over|same|she|should|some|such|than|that|their|them|then|these|they|this|those|to|two|three|"
    r"under|used|using|versus|via|vs|was|we|were|what|when|where|whether|which|who|whose|why|with|without|you|your|"
    r"papers?|works?|stud(?:y|ies)|articles?|authors?|results?|findings?|methods?|approach(?:es)?)\b",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^(?:the|an?) ", re.IGNORECASE)
# "Better" says no more than that two things are compared.
_ANYHOW = re.compile(r"^(?:(?:any|much|really|actually|significantly) )?(?:better|worse|other|rather|older|newer)$")


@dataclass(frozen=True, slots=True)
class Comparison:
    """The two things that a question compares, and the matter in which it does, empty where it tells none."""

    sides: tuple[str, str]
    matter: str


def sides_of(question: str) -> Comparison | None:
    """What `question` compares with what; None where it has another form."""
    question = " ".join(question[: 2 * _LONGEST].split())
    for form in _FORMS if len(question) <= _LONGEST else ():
        if not (found := form.match(question)):
            continue
        first, second = _side(found["a"]), _side(found["b"])
        if first and second and first.casefold() != second.casefold():
            parts = found.groupdict()
            how = "" if _ANYHOW.match((parts.get("how") or "better").lower()) else parts["how"]
            matter = " ".join(filter(None, [how, parts["matter"]]))
            return Comparison((first, second), matter)
    return None


def _side(text: str) -> str:
    side = _ARTICLE.sub("", text.strip("\"'\u201c\u201d\u2018\u2019.")).strip()
    fits = len(side.split()) <= _MOST_WORDS and content_terms(side) and not _NO_SIDE.search(side)
    return side if fits else ""


def is_named(side: str, question: str) -> bool:
    """Whether `side` is written as a name in `question`: with capitals or digits, not only at the beginning of it."""
    first = question.lstrip().startswith(side) and side[:1].isupper() and side[1:].islower()
    return bool(_MIXED.search(side)) or (any(char.isupper() for char in side) and not first)


def without_version(side: str) -> str:
    """`side` without the number at its end: "AlphaFold" of "AlphaFold 2"."""
    return _VERSION.sub("", side)


def speaks_of(side: str, text: str) -> bool:
    """Whether a sentence has `side`: the words as they stand, or where it has several, all of them anywhere."""
    if _pattern(side).search(text):
        return True
    words = set(content_terms(side))
    return len(words) > 1 and not _MIXED.search(side) and words <= set(content_terms(text))


def is_name_in(side: str, text: str) -> bool:
    """Whether a sentence writes `side` as a name."""
    return any(is_named(found[0], text) for found in _pattern(side).finditer(text))


@lru_cache(maxsize=256)
def _pattern(side: str) -> re.Pattern[str]:
    """`side` with any signs between its words, singular or plural; not as the end of a compound, which is another
    thing ("BERT" in "Sentence-BERT").
    """
    words = r"[\W_]{0,3}".join(re.escape(word) for word in re.findall(r"[^\W_]+", side))
    return re.compile(rf"(?<![\w-]){words}(?:s|es)?(?!\w)", re.IGNORECASE)
