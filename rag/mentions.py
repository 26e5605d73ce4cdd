"""Authors whose work a question is about: "What did Devlin show?", "How large is the model of Vaswani et al.?". Pure.

Texts of papers do not hold the names of their authors, so that a search does not find them by these. Only forms that
speak of people are looked at; whether anybody in the collection is called so is for the records to tell. Work that
something is compared with ("better than Devlin et al.") is not what a question is about.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.records import Filter
from rag.terms import STOP_WORDS

_PARTICLE = r"(?:van|von|de|der|den|di|da|del|la|le|el|al|bin|ibn)"
# At least one small letter: BERT is nobody. With what may stand before a family name.
_FAMILY = r"(?:[OD]['\u2019])?(?=[^\W\d_]*[a-z])[A-Z][^\W\d_]+(?:-[^\W\d_]+)?"
# Atomic: a name is read in one way, or many would be read in very many.
_NAME = rf"(?>(?:(?:[A-Z]\.-?|[A-Z][^\W\d_]*(?:-[^\W\d_]+)?|{_PARTICLE}) ?(?<=[ .-])){{0,4}}{_FAMILY}\b)"
_NAMES = rf"(?P<names>{_NAME}(?:, {_NAME})*(?:,? (?:and|&) {_NAME})?)"
_YEAR = r"(?P<year>(?:18|19|20)\d\d)"
_PEOPLE = r"(?:colleagues|co-?workers|collaborators|co-?authors|others|team)\b"
_OTHERS = rf"(?:et al\b\.?|(?:and|&) (?:(?:his|her|their) )?{_PEOPLE})"
_VERB = (
    r"(?:(?:first|\w+ly) )?(?:find|show|say|propose|report|argue|claim|conclude|suggest|use|introduce|develop|discover|"
    r"measure|do|achieve|prove|demonstrate|design|study|describe|observe|invent|build|define|recommend|estimate|think|"
    r"mean|test|present|make|write|publish|examine|investigate|explain|learn|obtain|see|compare|train|evaluate|anal[yi][sz]e)\b"
)
_WORK = (
    r"(?:papers?|works?|stud(?:y|ies)|articles?|reviews?|results?|findings?|experiments?|methods?|approach|analysis|group|"
    r"team|lab|arguments?|conclusions?|estimates?|claims?|proposals?|trials?|surveys?|models?|algorithms?|choices?|ideas?)"
)
_MADE = (
    r"(?:proposed|introduced|described|shown|found|reported|written|developed|invented|published|discovered|designed|"
    r"made|done|measured|proved|built|studied|presented|argued|observed)"
)
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_NAMES} {_OTHERS}(?:['\u2019]s?)?(?:,? \(?{_YEAR}\)?)?",
        rf"{_NAMES}(?:,? \(?{_YEAR}\)?)(?!\d)",
        rf"\b(?:[Dd]id|[Dd]o|[Dd]oes|[Hh]as|[Hh]ave) {_NAMES}(?= {_VERB})",
        rf"\b[Aa]ccording to {_NAMES}",
        rf"\b(?:{_WORK}|{_MADE})(?: \w+)?(?: \w+)? by {_NAMES}",
        rf"\b[Tt]he {_WORK} of {_NAMES}",
        rf"{_NAMES}['\u2019]s? (?={_WORK}\b)",
    )
)
_COMPARED = re.compile(
    r"\b(?:than|over|against|unlike|like|beyond|on|with|(?<!ccording )to|from|after|since|before|extends?|extended|"
    r"outperforms?|outperformed|beats?|cites?|cited|follows?|followed|refutes?|criticises?)"
    r"(?: (?:that|those|the \w+) (?:of|by))? $",
    re.IGNORECASE,
)
# What a question may begin with, and no name.
_HEADS = frozenset(
    ["compare", "contrast", "summarise", "summarize", "list", "explain", "describe", "show", "tell", "give", "find",
     "please", "also"]
)  # fmt: skip
_LONGEST = 600  # characters of a question that are looked at
# Whose work is meant, and nothing of what is asked of it.
_ASIDE = re.compile(
    rf",? ?\b(?:according to|(?:in|of|from) (?:the |a |this )?(?:{_WORK} (?:by|of) )?) ?the authors\b,?", re.IGNORECASE
)
_BETWEEN = re.compile(r",? (?:and|&) |, ")


@dataclass(frozen=True, slots=True)
class Mention:
    """Authors that are named together, with the year of their work if it is told.

    They stand in the question from `start` to `end`, with what belongs to them ("et al.", the year); `owns` tells
    whether as in "Milgram's study".
    """

    names: tuple[str, ...]
    start: int
    end: int
    owns: bool = False
    year: int | None = None

    def filters(self) -> list[Filter]:
        """What their papers meet, the strictest first: by all of them and of that year, by all, by any of them."""
        alone = [Filter(authors=(name,)) for name in self.names]
        together = Filter(authors=self.names[:1], also=tuple(alone[1:]))
        loose = [together, Filter(authors=self.names)] if alone[1:] else [together]
        if self.year is None:
            return loose
        years = ((self.year, self.year),)
        return [Filter(years=years, authors=one.authors, also=one.also) for one in loose] + loose


def mentions(question: str) -> list[Mention]:
    """The authors that `question` seems to name, in their order. Nobody needs to be called so."""
    found: list[Mention] = []
    for form in _FORMS:
        for match in form.finditer(question, 0, _LONGEST):
            start, names_end = _without_head(match["names"], match.start("names")), match.end("names")
            names = tuple(_BETWEEN.split(question[start:names_end]))
            end = names_end + len(question[names_end : match.end()].rstrip())
            known = any(start < other.end and other.start < end for other in found)
            if known or not all(names) or _COMPARED.search(question[:start]):
                continue
            owns = bool(re.search(r"['\u2019]s?\b|['\u2019]$", question[names_end:end]))
            year = match.groupdict().get("year")
            found.append(Mention(names, start, end, owns, int(year) if year else None))
    return sorted(found, key=lambda mention: mention.start)


def without_names(question: str, named: Sequence[Mention]) -> str:
    """`question` with "the authors" for the authors that it names, or without any: they are nothing to search for."""
    for mention in sorted(named, key=lambda one: -one.start):
        who = "their" if mention.owns else "the authors"
        question = question[: mention.start] + who + question[mention.end :]
    rest = " ".join(_ASIDE.sub(" ", question).split())
    return rest if named and re.search(r"\w{2}", rest) else question


def _without_head(names: str, start: int) -> int:
    """Where the first name begins: "In Vaswani et al." is nobody called In."""
    for word in re.finditer(r"\S+", names):
        if word[0].lower().strip(".") not in STOP_WORDS | _HEADS or re.fullmatch(r"[A-Z]\.", word[0]):
            return start + word.start()
    return start + len(names)
