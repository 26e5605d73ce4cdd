"""Questions that count or list papers by what their records say -> conditions, answered from the catalog. Pure.

"How many titles contain 'lake'?" asks for no evidence and no model: every paper is looked at. Understood are titles,
abstracts, authors and years, one of them at a time, in plain forms. Anything else must be left to the search: a wrong
"No papers" is worse than a search for what could have been counted.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rag.records import CatalogPaper
from rag.terms import normalise, terms

_PAPERS = r"(?:papers?|titles?|abstracts?|articles?|publications?)"
_START = re.compile(
    r"^(?:please )?(?:how many|count|number of|(?:list|show|name|give)(?: me)?|which|what)"
    rf"(?: all| every| the| of the| of my| my)* (?P<what>{_PAPERS})\b(?P<rest>.*)$",
    re.IGNORECASE,
)
_HAS = r"(?:contain(?:s|ing)?|mention(?:s|ing)?|includ(?:es?|ing)|ha(?:s|ve|ving)|use(?:s)?|refer(?:s|ring)? to|with)"
_VERB = rf"(?P<verb>{_HAS}|(?:begin|start|end)s? with)"
_FIELD = r"(?P<field>titles?|abstracts?)"
_VALUE = r"(?P<value>.+?)"
_END = r" ?[?.!]*$"
_TEXT_FORMS = [
    re.compile(rf"^{form}{_END}", re.IGNORECASE)
    for form in (
        rf"(?:whose|where the|in whose|of which the) {_FIELD} {_VERB} {_VALUE}",
        rf"(?:that |which )?{_HAS} {_VALUE} in (?:the|their|its) {_FIELD}",
        rf"with {_VALUE} in (?:the|their|its) {_FIELD}",
    )
]
# Those of the whole collection. "How many papers?" alone may lean on what was asked before.
_HERE = r"(?:in|of) (?:the|this|my|your|our) (?:collection|index|library|catalog(?:ue)?)"
_WHOLE = re.compile(
    rf"^(?:please )?(?:how many (?:papers|articles|publications|titles) (?:(?:are|is) there(?: {_HERE})?|are {_HERE}|"
    rf"(?:do|can) (?:you|i|we) (?:have|know|search|ask)(?: {_HERE})?)|"
    rf"(?:count|list|show)(?: me)? (?:all|every)(?: of)?(?: the| my| your)* (?:papers|articles|publications|titles)"
    rf"(?: {_HERE})?){_END}",
    re.IGNORECASE,
)
# "How many titles contain ..." names the field before the verb.
_OWN_FIELD = re.compile(rf"^(?:that |which )?{_VERB} {_VALUE}{_END}", re.IGNORECASE)
_YEAR = re.compile(
    r"^(?:are |were |was )?(?:that |which )?(?:are |were )?(?:published |appeared |came out |come )?"
    r"(?P<how>in|from|since|after|before|until|up to|between) (?:the year )?(?P<year>\d{4})"
    r"(?:\s*(?:-|\u2013|and|to)\s*(?P<last>\d{4}))?" + _END,
    re.IGNORECASE,
)
_AUTHOR = re.compile(
    r"^(?:are |were )?(?:that |which )?(?:are |were )?(?:(?:co-?)?(?:written|authored) )?by (?P<value>[^?!]+)" + _END,
    re.IGNORECASE,
)
_BY = re.compile(
    r"^(?:did|do|does|has|have|had) (?P<value>[^?!]+?) (?:co-?)?(?:writ(?:e|ten)|publish(?:ed)?|author(?:ed)?)" + _END,
    re.IGNORECASE,
)
# "What has Bell written?" and "Is there anything by Bell?" name no papers.
_WORKS_OF = re.compile(
    r"^(?:please )?(?:what (?:else )?(?P<rest>(?:did|has|have|had) .+)|"
    r"(?:(?:is|are) there|do (?:you|we|i) have|have (?:you|we|i)(?: got)?)(?: any| some)?"
    rf"(?:thing)?(?: else)? ?{_PAPERS}? (?P<by>(?:written |authored )?by .+)|"
    rf"(?:all |any |the |my )*(?:papers?|articles?|publications?) (?P<also>(?:written |authored )?by .+)|"
    r"who (?:is|was) (?P<who>.+))$",
    re.IGNORECASE,
)
# "B. Ruiz", "Li", "van der Berg", "O'Neill": capitals tell a name from "by far" and "by design".
_PARTICLE = r"(?:van|von|de|der|den|di|da|la|le|el|al|bin|ibn)"
_NAME = re.compile(rf"(?:{_PARTICLE} )*[A-Z][\w.'\u2019-]*(?: (?:{_PARTICLE}|[A-Z][\w.'\u2019-]*)){{0,3}}")
# What makes a value more than something to look for.
_LOGIC = frozenset(
    ["no", "not", "without", "but", "and", "both", "neither", "nor", "more", "less", "than", "least", "most", "about",
     "on", "in", "at", "by", "for", "from", "anything", "something", "any", "what", "which", "how", "who", "number",
     "numbers", "results"]
)  # fmt: skip
_LONGEST = 300  # characters of a listing question
_NOW = 9999
_QUOTED = re.compile(r"""(?<!\w)['"\u2018\u201c](.+?)['"\u2019\u201d](?!\w)""")
_SIGNS = {"question mark": "?", "colon": ":", "exclamation mark": "!", "dash": "-", "hyphen": "-", "slash": "/"}
_LEADING = re.compile(r"^(?:an?|the|any|some|words?|terms?|phrases?|expressions?)\s+", re.IGNORECASE)
_TRAILING = re.compile(r"\s+(?:words?|terms?|signs?|characters?)$", re.IGNORECASE)
# "papers since 2020" asks for them without a verb.
_BARE = re.compile(rf"^(?:please )?(?:(?:all|any|the|my|your) )*{_PAPERS} (?P<rest>.+)$", re.IGNORECASE)
# What a question says that asks for the papers of a filter and for nothing more: "how many papers are there by".
_ALL = re.compile(
    r"(?:please )?(?:(?:how many|count|number of|(?:list|show|find|name|give|get)(?: me)?|which|what)\b ?)?"
    r"(?:(?:are|all|every|any|the|of|my) )*"
    rf"(?:{_PAPERS}\b ?)?(?:\b(?:are|were|is|there|do|i|we|you|have|published|written|authored|that|which|whose|match|"
    r"by|from|in|of|on|with|where|the|this|collection|index) ?)*[.?!:,;]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing question: the field that is looked at, how, for which values (one of them is enough), and the years.

    Without a field every paper meets it.
    """

    field: str
    how: str = "holds"
    values: tuple[str, ...] = ()
    exact: bool = False
    years: tuple[int, int] | None = None

    def told(self, found: int, silent: int) -> str:
        """How many were found, in words; `silent` papers do not say what is looked at."""
        papers = f"{found or 'No'} paper{'s' * (found != 1)}"
        left = (
            f" {silent} paper{'s' * (silent != 1)} without {self.field} in the catalog could not be looked at."
            if silent
            else ""
        )
        return f"{papers} {self.condition}.{left}"

    @property
    def condition(self) -> str:
        """What the papers meet, in words."""
        if not self.field:
            return "in the collection"
        if self.years:
            first, last = self.years
            if first == last:
                return f"from {first}"
            return f"from {first} to {last if last < _NOW else 'now'}" if first else f"up to {last}"
        verb = {"holds": "with", "begins": "beginning with", "ends": "ending with"}[self.how]
        values = " or ".join(f"\u201c{value}\u201d" for value in self.values)
        return f"by {values}" if self.field == "authors" else f"{verb} {values} in the {self.field}"


def asks_for_all(question: str) -> bool:
    """Whether `question`, filters taken out, is nothing, or asks how many or which papers there are and no more."""
    return len(question) <= _LONGEST and bool(_ALL.fullmatch(" ".join(question.split())))


def parse_listing(question: str) -> Listing | None:
    """The listing that `question` asks for; None if it asks for something else, or for more than is understood."""
    question = " ".join(question.split())
    if len(question) > _LONGEST:
        return None
    if found := _WORKS_OF.match(question):
        return _by_authors(found["rest"] or found["by"] or found["also"] or f"by {found['who']}")
    start = _START.match(question)
    if not start:
        bare = _BARE.match(question)
        years = asked_years(bare["rest"]) if bare else None
        return Listing("year", years=years) if years else None
    if _WHOLE.match(question):
        return Listing("")
    what, rest = start["what"].lower(), start["rest"].strip(" ,:")
    rest = re.sub(r"^(?:do |does )?(?:(?:are|is) there )?", "", rest, flags=re.IGNORECASE)
    if years := asked_years(rest):
        return Listing("year", years=years)
    for form in _TEXT_FORMS:
        if found := form.match(rest):
            return _text(found["field"], found.groupdict().get("verb") or "", found["value"])
    if what[:5] in ("title", "abstr") and (found := _OWN_FIELD.match(rest)):
        return _text(what, found["verb"], found["value"])
    return _by_authors(rest)


def _by_authors(rest: str) -> Listing | None:
    """The listing of "by Bell" and "did Bell write", if that is what `rest` says."""
    found = _AUTHOR.match(rest) or _BY.match(rest)
    names = _names(found["value"]) if found else ()
    return Listing("authors", values=names) if names else None


def _names(value: str) -> tuple[str, ...]:
    """The names of authors, any of whom will do; empty if something there is no name."""
    split = re.split(r" or |, ", re.sub(r"\bet al\b\.?", "", value))
    parts = [part.strip(" ,.") for part in split if part.strip(" ,.")]
    # "I" is an initial of many.
    return tuple(parts) if all(_NAME.fullmatch(part) and re.search(r"\w{2}", part) for part in parts) else ()


def asked_years(text: str) -> tuple[int, int] | None:
    """The years, first and last, of "since 2018" and the like; None where `text` says something else."""
    found = _YEAR.match(text)
    return _years(found) if found else None


def _years(found: re.Match[str]) -> tuple[int, int]:
    year, last = int(found["year"]), int(found["last"] or 0)
    how = found["how"].lower()
    if last:
        return min(year, last), max(year, last)
    known = {"since": (year, _NOW), "after": (year + 1, _NOW), "before": (0, year - 1), "until": (0, year)}
    return {**known, "up to": (0, year)}.get(how, (year, year))


def _text(field: str, verb: str, value: str) -> Listing | None:
    how = (
        "begins"
        if re.match(r"begin|start", verb, re.IGNORECASE)
        else "ends"
        if verb.lower().startswith("end")
        else "holds"
    )
    quoted = tuple(_QUOTED.findall(value))
    if quoted:
        left = re.sub(
            r"\b(?:either|or|the|words?|terms?|phrases?|expressions?|a|an|any|of)\b|[\s,/()]",
            "",
            _QUOTED.sub("", value),
        )
        return None if left else Listing(_field(field), how, quoted, exact=True)
    values = _alternatives(value)
    return Listing(_field(field), how, values) if values else None


def _field(name: str) -> str:
    return "abstract" if name.lower().startswith("abstract") else "title"


def _alternatives(value: str) -> tuple[str, ...]:
    """The values of an unquoted list: "lakes or ponds", "principal components (PCA)", "a colon"; or none."""
    short = re.findall(r"\b[A-Z][A-Z\d]+\b", " ".join(re.findall(r"\(([^)]*)\)", value)))
    plain = []
    for part in [*re.split(r" or |, ?", re.sub(r" ?\([^)]*\)", "", value)), *short]:
        text = part.strip(" '\"")
        if address := re.search(r"\S*\w[./:@]\w\S*", text):
            text = address.group()
        while (shorter := _TRAILING.sub("", _LEADING.sub("", text))) != text:
            text = shorter
        # More than a few words are a description, not something to look for.
        if not text or len(text.split()) > 4 or _LOGIC & set(text.lower().split()):
            return ()
        plain.append(_SIGNS.get(text.lower(), text))
    return tuple(plain)


def count_papers(
    question: str, papers: Callable[[], Iterable[CatalogPaper]]
) -> tuple[str, tuple[CatalogPaper, ...]] | None:
    """What was counted, in words, and all papers that meet it; None where `question` is to be searched for.

    That is so where it is no listing, and where loosely put words meet no paper: a search may find what they meant.
    """
    listing = parse_listing(question)
    if listing is None:
        return None
    entries = list(papers())
    listed = matching(listing, entries)
    if not (listed or listing.exact or listing.years):
        return None
    return listing.told(len(listed), sum(is_silent(listing, entry) for entry in entries)), listed


def matching(listing: Listing, papers: Iterable[CatalogPaper]) -> tuple[CatalogPaper, ...]:
    """The papers that meet the listing, in their order."""
    return tuple(entry for entry in papers if _meets(listing, entry))


def is_silent(listing: Listing, entry: CatalogPaper) -> bool:
    """Whether the record of a paper lacks the field that is looked at."""
    return bool(listing.field) and not getattr(entry.paper, listing.field)


def _meets(listing: Listing, entry: CatalogPaper) -> bool:
    paper = entry.paper
    if not listing.field:
        return True
    if listing.years:
        return paper.year is not None and listing.years[0] <= paper.year <= listing.years[1]
    if listing.field == "authors":
        # "Mary Lindqvist" is "Lindqvist, Mary" too.
        return any(set(_words(value)) <= set(_words(author)) for value in listing.values for author in paper.authors)
    text = paper.title if listing.field == "title" else paper.abstract
    return any(_holds(value, text, listing) for value in listing.values)


def _holds(value: str, text: str, listing: Listing) -> bool:
    if listing.how != "holds" and not re.search(r"\w", value):
        return text.strip().startswith(value) if listing.how == "begins" else text.strip().endswith(value)
    if listing.how != "holds":
        whole, part = _words(text), _words(value)
        return bool(part) and (whole[: len(part)] if listing.how == "begins" else whole[-len(part) :]) == part
    if not re.search(r"\w", value) or re.search(r"\w[./:@]\w", value):
        # A sign or an address is looked for as it stands.
        return value.casefold() in text.casefold()
    return _holds_words(value, text, exact=listing.exact)


def _holds_words(value: str, text: str, *, exact: bool) -> bool:
    """Whether the words of `value` stand in `text` in a row: as they are, or else by their stems."""
    wanted, words = (_words(value), _words(text)) if exact else (terms(value), terms(text))
    return bool(wanted) and any(words[i : i + len(wanted)] == wanted for i in range(len(words) - len(wanted) + 1))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", normalise(text))
