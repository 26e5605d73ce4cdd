"""Acronyms and their long forms, as the text itself defines them. Pure.

The algorithm is that of Schwartz & Hearst, "A simple algorithm for identifying abbreviation definitions in biomedical
text", Pacific Symposium on Biocomputing 2003: in "long form (ABC)" and "ABC (long form)" the letters of the short form
are looked for in the long one from right to left, and its first letter has to begin a word there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag import latex

_LONGEST_SHORT = 10  # characters, as in the paper
# More than the 15 words that a short form of 10 characters can stand for, so that none of them is cut in two.
_LONGEST_PHRASE = 600
_PARENTHESIS = re.compile(r"\(([^()]{2,200})\)")
_SHORT = re.compile(r"[^\W_](?:[\w./+-]|\s(?=\S))*")
# No long form reaches beyond the end of a sentence, a list or another parenthesis.
_BREAK = re.compile(r"[.!?;:]\s|[()\[\]]|,\s")
_GREEK_NAMES = {letter: name for name, letter in latex.GREEK.items()}


@dataclass(frozen=True, slots=True)
class Acronym:
    """A short form and what it stands for, both as written; the short form in the singular."""

    short: str
    long: str


def find_acronyms(text: str) -> list[Acronym]:
    """The definitions in `text`, each once, in order."""
    return list(dict.fromkeys(_definitions(" ".join(latex.plain(text).replace("\u00b5", "\u03bc").split()))))


def _definitions(text: str) -> Iterator[Acronym]:
    for found in _PARENTHESIS.finditer(text):
        inside = re.split(r"[;,]\s|\s(?:or|i\.e\.|e\.g\.)\s", found[1])[0].strip(" \"'\u2018\u2019\u201c\u201d")
        before = text[max(0, found.start() - _LONGEST_PHRASE) : found.start()].rstrip()
        start = max((end.end() for end in _BREAK.finditer(before)), default=0)
        phrase = before[start:]
        if _is_short(inside):
            short = _singular(inside)
            words = phrase.split()[-min(len(short) + 5, 2 * len(short)) :]
            if long := long_form(short, " ".join(words)):
                yield Acronym(short, long)
        elif phrase and _is_short(last := phrase.split()[-1]) and long_form(short := _singular(last), inside) == inside:
            yield Acronym(short, inside)


def _is_short(text: str) -> bool:
    capitals = sum(char.isupper() or char in _GREEK_NAMES for char in text)
    return (
        2 <= len(text) <= _LONGEST_SHORT
        and len(text.split()) <= 2
        and capitals > 0
        and (capitals > 1 or len(text) <= 5)
        and _SHORT.fullmatch(text) is not None
    )


def _singular(short: str) -> str:
    return short[:-1] if len(short) > 2 and short[-1] == "s" and short[-2].isupper() else short


def long_form(short: str, phrase: str) -> str:
    """The shortest end of `phrase` that `short` can stand for; empty if there is none."""
    letters = [c for c in "".join(_GREEK_NAMES.get(char, char) for char in short).casefold() if c.isalnum()]
    lower = phrase.casefold()
    if len(lower) != len(phrase) or not letters:
        return ""
    place = len(lower)
    for number, letter in reversed(list(enumerate(letters))):
        place -= 1
        while place >= 0 and (lower[place] != letter or (number == 0 and place > 0 and lower[place - 1].isalnum())):
            place -= 1
        if place < 0:
            return ""
    # A compound is taken whole: "long-term memory" for TM would begin in its middle.
    start = lower.rfind(" ", 0, place) + 1
    long = phrase[start:].strip(" ,;:\"'\u2018\u2019\u201c\u201d")
    words = [word.casefold() for word in re.findall(r"\w+", long)]
    if len(long) <= len(short) or short.casefold() in words or len(words) > min(len(short) + 5, 2 * len(short)):
        return ""
    # A single word is shortened to a part of it too often by chance ("model (Mo)").
    return long if len(words) > 1 or len(letters) > 2 else ""
