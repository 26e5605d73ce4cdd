"""Authors whose work a question is about: "What did Devlin show?", "How large is the model of Vaswani et al.?". Pure.

Texts of papers do not hold the names of their authors, so that a search does not find them by these. Only forms that
speak of people are looked at; whether anybody in the collection is called so is for the records to tell. Work that
something is compared with ("better than Devlin et al.") is not what a question is about.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.matching import is_author
from rag.terms import STOP_WORDS

_LETTERS = [chr(code) for code in range(0x530)]  # Latin, Greek, Cyrillic
_UPPER = "".join(letter for letter in _LETTERS if letter.isupper())
_LOWER = "".join(letter for letter in _LETTERS if letter.islower())
_PARTICLE = r"(?:van|von|vom|de|der|den|des|du|di|da|della|del|dos|la|le|el|al|bin|ibn|ter|ten)"
# At least one small letter: BERT is nobody. With what may stand before a family name.
_FAMILY = (
    rf"(?:[ODdLl]['\u2019]|al-)?(?=[^\W\d_]*[{_LOWER}])[{_UPPER}][^\W\d_]+"
    r"(?:[-\u2010\u2013'\u2019](?!s\b)[^\W\d_]+){0,2}"
)
# Atomic: a name is read in one way, or many would be read in very many.
_NAME = rf"(?>(?:(?:[{_UPPER}]\.-?|[{_UPPER}][^\W\d_]*(?:-[^\W\d_]+)?|{_PARTICLE}) ?(?<=[ .-])){{0,4}}{_FAMILY}\b)"
_NAMES = rf"(?P<names>{_NAME}(?:, {_NAME}){{0,3}}(?:,? (?:and|&) {_NAME})?)"
_END = r"(?!['\u2019-]?\w)"
_YEAR = r"(?:[,;]? [(\[]?(?P<year>(?:18|19|20)\d\d)[a-z]?\b[)\]]?)"
_PEOPLE = r"(?:colleagues|co-?workers|collaborators|co-?authors|others|team)\b"
_OTHERS = rf"(?:et\.? al\b\.?|(?:and|&) (?:(?:his|her|their) )?{_PEOPLE})"
_VERB = (
    r"(?:(?:not|first|\w+ly) )?(?:find|show|say|propose|report|argue|claim|conclude|suggest|use|introduce|develop|"
    r"discover|measure|do|achieve|prove|demonstrate|design|study|describe|observe|invent|build|define|recommend|estimate|"
    r"think|mean|test|present|make|write|publish|examine|investigate|explain|learn|obtain|see|compare|train|evaluate|"
    r"anal[yi][sz]e|shown|found|proposed|reported|argued|done|written|proved)\b"
)
# Of a person alone: methods, models and algorithms are called after people.
_OWN = (
    r"(?:papers?|works?|stud(?:y|ies)|articles?|reviews?|results?|findings?|analysis|group|team|lab|arguments?|"
    r"conclusions?|estimates?|claims?|proposals?|trials?|surveys?|choices?|ideas?)"
)
_WORK = rf"(?:{_OWN}|experiments?|methods?|approach|models?|algorithms?)"
_MADE = (
    r"(?:proposed|introduced|described|shown|found|reported|written|developed|invented|published|discovered|designed|"
    r"made|done|measured|proved|built|studied|presented|argued|observed)"
)
# Each with whether it speaks of people so clearly that "He" is a name in it.
_FORMS = tuple(
    (re.compile(form), clear)
    for form, clear in (
        (rf"{_NAMES} {_OTHERS}(?:['\u2019]s?)?{_YEAR}?", True),
        (rf"{_NAMES}(?:['\u2019]s?)?{_YEAR}(?!\d)", False),
        (rf"\b(?:[Dd]id|[Dd]o|[Dd]oes|[Hh]as|[Hh]ave) {_NAMES}(?= {_VERB})", False),
        (rf"\b[Aa]ccording to {_NAMES}{_END}", False),
        (rf"(?i:\b(?:{_WORK}|{_MADE})(?: \w+)?(?: \w+)? by) {_NAMES}{_END}", True),
        (rf"\b[Tt]he {_WORK} of {_NAMES}{_END}", False),
        (rf"{_NAMES}['\u2019]s? (?={_OWN}\b)", False),
    )
)
# Also of the second of two: "than Devlin et al. or Radford et al.".
_COMPARED = re.compile(
    r"\b(?:than|over|against|unlike|like|beyond|extends?|extended|outperforms?|outperformed|beats?|cites?|cited|follows|"
    r"followed|refutes?|criticises?|"
    r"(?:differ\w*|improve\w*|compar\w+|contrast\w*|built|builds?|based|rel(?:y|ies)) (?:from|on|upon|with|to))"
    r"(?: (?:that|those|the \w+) (?:of|by))?"
    r"(?: [^?.!;]{2,60}?(?: et al\.?)?(?: \(\d{4}\))?,? (?:and|or|&))? $",
    re.IGNORECASE,
)
# What a question may begin with, or has before a year, and no name.
_NO_NAMES = STOP_WORDS | frozenset(
    ["compare", "contrast", "summarise", "summarize", "list", "explain", "describe", "show", "tell", "give", "find",
     "please", "also", "since", "based", "according", "recently", "dr", "prof", "professor", "table", "figure",
     "section", "spring", "summer", "autumn", "fall", "winter", "january", "february", "march", "april", "may", "june",
     "july", "august", "september", "october", "november", "december"]
)  # fmt: skip
_LONGEST = 600  # characters of a question that are looked at
_MOST = 3  # mentions
# Whose work is meant, and nothing of what is asked of it.
_ASIDE = re.compile(
    rf",? ?\b(?:according to|(?:in|of|from) (?:the |a |this )?(?:{_WORK} (?:by|of) )?) ?the authors\b,?", re.IGNORECASE
)
_BETWEEN = re.compile(r",? (?:and|&) |, ")


@dataclass(frozen=True, slots=True)
class Mention:
    """Authors that a question names together, with the year of their work if it is told.

    They stand in the question from `start` to `end`, with what belongs to them ("et al.", the year); `owns` tells
    whether as in "Milgram's study".
    """

    names: tuple[str, ...]
    start: int
    end: int
    owns: bool = False
    year: int | None = None


def mentions(question: str) -> list[Mention]:
    """The first few authors that `question` seems to name, in their order. Nobody needs to be called so."""
    found: list[Mention] = []
    for form, clear in _FORMS:
        for match in form.finditer(question, 0, _LONGEST):
            start, names_end = _without_head(match["names"], match.start("names"), clear=clear), match.end("names")
            names = tuple(dict.fromkeys(_BETWEEN.split(question[start:names_end])))
            end = names_end + len(question[names_end : match.end()].rstrip())
            known = any(start < other.end and other.start < end for other in found)
            if known or not all(names) or _COMPARED.search(question[:start]):
                continue
            owns = bool(re.search(r"['\u2019]s?$|['\u2019]s? ", question[names_end:end]))
            year = match.groupdict().get("year")
            found.append(Mention(names, start, end, owns, int(year) if year else None))
    return sorted(found, key=lambda mention: mention.start)[:_MOST]


def is_called(name: str, author: str) -> bool:
    """Whether `name` is that of `author` in a record and ends in the family name: Riess is Adam Riess, Adam is not."""
    last = re.split(r"[ .]", name)[-1]
    before, comma, _ = author.partition(",")
    words = author.split()
    if comma:
        family = before
    elif len(words) > 1 and re.fullmatch(r"[A-Z]{1,3}", words[-1].replace(".", "")):
        family = " ".join(words[:-1])  # Kingma DP
    else:
        family = words[-1] if words else ""
    return is_author(last, family) and is_author(name, author)


def without_names(question: str, named: Sequence[Mention]) -> str:
    """`question` with "the authors" for the authors that it names, or without any: they are nothing to search for."""
    for mention in sorted(named, key=lambda one: -one.start):
        who = "their" if mention.owns else "the authors"
        question = f"{question[: mention.start]} {who} {question[mention.end :]}"
    question = re.sub(r"(?<=\w) (?=[?.!,;])", "", " ".join(question.split()))
    rest = " ".join(_ASIDE.sub(" ", question).split())
    return rest if named and re.search(r"\w{2}", rest) else question


def _without_head(names: str, start: int, *, clear: bool) -> int:
    """Where the first name begins: "In Vaswani et al." is nobody called In; "He et al." may be."""
    words = list(re.finditer(r"\S+", names))
    for place, word in enumerate(words):
        plain = word[0].lower().strip(".,")
        initial = re.fullmatch(rf"[{_UPPER}]\.", word[0])
        if initial or plain not in _NO_NAMES or (clear and place == len(words) - 1):
            return start + word.start()
    return start + len(names)
