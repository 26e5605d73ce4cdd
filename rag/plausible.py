"""Is a word with a colon, typed in a question, meant as a filter, and is its value whole? Pure.

"The source:sink ratio" is no filter by source, and `author:van der Maaten` is not one by "van". Values in quotation
marks and options of the command line are beyond doubt and are not looked at here.
"""

import re

from rag.arxiv_categories import is_arxiv_category

# Those of an id say what it is by themselves, so a value without a digit is a word: "arxiv:pdf".
_ID_WORDS = {"doi", "dois", "arxiv", "pmid", "pmids"}
_ID = re.compile(
    r"\d+|(?:https?://|(?:doi|arxiv|pmid|id|title):)\S+|10\.\d{4,9}/\S+"
    r"|(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d+)?"
)
_FILE = re.compile(r"\S\.\w|[/\\]")
_PARTICLES = r"(?:van|von|vom|de|der|den|di|da|del|della|dos|la|le|el|al|ter|bin|ibn)"
_PARTICLE = re.compile(_PARTICLES, re.IGNORECASE)
_INITIALS = re.compile(r"[^\W\d_](?:\.-?[^\W\d_])*\.?")
_DOTTED = r"[^\W\d_]\.(?:[ -]?[^\W\d_]\.)*"
_WORD = r"[^\W\d_][\w'\u2019-]*(?![\w'\u2019-]|:\S)"  # not the field of a further filter
_AFTER_COMMA = re.compile(rf",\s*(?:{_DOTTED}|[B-HJ-Z](?=[\s.,;:?!)]|$))")  # "A" and "I" are words
_AFTER_SPACE = re.compile(rf"\s+{_DOTTED}(?=\s*(?P<next>{_WORD})?)")
_NAME = re.compile(rf"\.?\s+(?:{_PARTICLES}\s+)*(?P<next>{_WORD})", re.IGNORECASE)
_SURNAME = re.compile(rf"(?:\s+{_PARTICLES})+\s+(?P<next>{_WORD})", re.IGNORECASE)
# What a question goes on with behind a name that is whole.
_ASKING_WORDS = """
    about and are at been but by can could did do does find for from had has have how in is list may might of on or
    should show tell that the their this to was were what when where whether which who whom whose why will with would
"""
_ASKING = frozenset(_ASKING_WORDS.split())


def is_meant(name: str, values: list[str]) -> bool:
    """Whether `name:` before these values, none of which is quoted, is a filter and not a part of the question.

    One value that looks like one of the field is enough.
    """
    return any(_looks_like_one(name, value) for value in values)


def _looks_like_one(name: str, value: str) -> bool:
    if name in ("source", "sources"):
        return bool(_FILE.search(value))
    if name in ("category", "categories"):
        return is_arxiv_category(value.rstrip("."))
    if name in ("journal", "journals"):
        return any(char.isupper() for char in value)
    if name in _ID_WORDS:
        return any(char.isdecimal() for char in value)
    return name not in ("id", "ids") or bool(_ID.fullmatch(value.lower()))


def whole_name(value: str, rest: str) -> str:
    """The name that the author `value` seems to be a part of, by the text behind it; empty where it seems whole."""
    found = _AFTER_COMMA.match(rest) or _AFTER_SPACE.match(rest)
    if found and found.group().isupper() and (found.group()[0] == "," or _ends_name(found["next"])):
        return _one_line(value + found.group())
    if (found := _SURNAME.match(rest)) and found["next"][0].isupper() and not _ends_name(found["next"]):
        return _one_line(value + found.group())
    if (_PARTICLE.fullmatch(value) or is_initial(value)) and (found := _NAME.match(rest)):
        # "Le" and "D" may be all of a name: then the question goes on with a word of its own.
        part = (value.islower() or found["next"][0].isupper()) and not _ends_name(found["next"])
        return _one_line(value + found.group()) if part else ""
    return ""


def is_initial(value: str) -> bool:
    """Whether `value` is a Latin initial and no name."""
    return value.isascii() and bool(_INITIALS.fullmatch(value))


def _ends_name(word: str | None) -> bool:
    """Whether a name ends before `word`: there is none, or it is one that a question goes on with."""
    return word is None or word.casefold() in _ASKING


def _one_line(text: str) -> str:
    return " ".join(text.split())
