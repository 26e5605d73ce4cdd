"""Filters typed inside a question, or given as options -> a `Filter`, and what it says in words. Pure.

`year:2020-2024 author:"Diederik Kingma" how ...`: a field, a colon, and right behind it a value. Values of one field
are alternatives, whether with commas or by naming the field again; fields hold together. Anything else with a colon,
and a field without a value right behind it, is part of the question; so is what `plausible.py` finds no filter.
`matching.py` tells when a paper meets a filter.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from typing import Any, NamedTuple

from rag.errors import UsageError
from rag.identity import normalise_arxiv_id, normalise_doi
from rag.plausible import is_initial, is_meant, whole_name
from rag.records import Filter, Scope

EXAMPLES = (
    "year:2020-2024", 'author:"Diederik Kingma"', "venue:Nature", "category:cs.LG", "source:papers.jsonl",
    "id:1706.03762",
)  # fmt: skip
_NAMES = {
    "years": ("year", "years"),
    "authors": ("author", "authors"),
    "venues": ("venue", "venues", "journal", "journals"),
    "categories": ("category", "categories"),
    "sources": ("source", "sources"),
    "ids": ("id", "ids", "doi", "dois", "arxiv", "pmid", "pmids"),
}
_FIELD_OF = {name: field for field, names in _NAMES.items() for name in names}
_QUOTE = '["\u201c\u201d\u201e\u00ab\u00bb]'
_PLAIN = _QUOTE.replace("[", "[^")
_DASH = "[-\u2010-\u2015]"
_SIGN = "(?:>=|=>|<=|=<|[<>=\u2264\u2265])"
# Another filter may follow on a semicolon or a comma without a space; `doi:` in a list of ids is part of an id.
_NEXT = rf"(?:;(?:{'|'.join(_FIELD_OF)})|,(?:{'|'.join(sorted({*_FIELD_OF} - {*_NAMES['ids']}))})):"
_ITEM = rf"(?:{_QUOTE}{_PLAIN}*{_QUOTE}|'[^']+'(?=[\s,.;:!?)\]]|$)|(?:(?!{_NEXT}){_PLAIN[:-1]}\s,])+)"
_YEAR_ITEM = rf"(?:\d{{4}}(?:\s*{_DASH}\s*|\s+to\s+)\d{{4}}(?!\w)|{_SIGN}\s+\d{{4}}|{_ITEM})"


def _list_of(item: str) -> str:
    return rf"{item}(?:(?!{_NEXT}),{item})*"


_TERM = re.compile(
    # What stands in quotation marks is said by the question, not by a filter.
    rf"(?<![^\s(\[]){_QUOTE}{_PLAIN}*{_QUOTE}"
    rf"|(?:^|(?<=[\s(\[;,]))(?P<sign>-?)(?P<name>(?P<is_year>years?\b)|{'|'.join(_FIELD_OF)}):(?!:)"
    rf"(?:(?P<value>(?(is_year){_list_of(_YEAR_ITEM)}|{_list_of(_ITEM)}))|{_QUOTE})",
    re.IGNORECASE,
)
_YEARS = re.compile(
    rf"(?P<first>\d{{4}})?\s*(?:{_DASH}|\bto\b)\s*(?P<last>\d{{4}})?|(?P<sign>{_SIGN})?\s*(?P<year>\d{{4}})",
    re.IGNORECASE,
)
_IDS: dict[str, tuple[Callable[[str], str], str]] = {
    "doi": (normalise_doi, "10.1038/nature14539"),
    "arxiv": (normalise_arxiv_id, "1706.03762"),
    "pmid": (lambda value: value if value.isdecimal() else "", "26017442"),
}
_OPEN = re.compile(f",?{_QUOTE}")
_NAME_CHARS = 100  # of the text behind an author that may be more of the name
_TOLD = 3  # values of a field that are told one by one
_TOLD_CHARS = 60
_Range = tuple[int | None, int | None]


# -- reading -------------------------------------------------------------------------------------------------------


class _Term(NamedTuple):
    start: int
    end: int
    field: str
    values: list[Any]


def parse_filter(text: str) -> tuple[str, Filter]:
    """`text` without the filters that are typed in it, and these as one; `text` as it is where there are none.

    Raises UsageError, which says the forms that are understood, for a filter whose value cannot be read.
    """
    terms = [term for found in _TERM.finditer(text) if (term := _term(found, text))]
    if not terms:
        return text, Filter()
    question, links = _without(text, terms)
    groups: list[dict[str, list[Any]]] = [{}]
    for before, link, term in zip([None, *terms], ["", *links], terms, strict=False):
        if link == "and" and before and before.field == term.field:
            groups.append({})  # by one and by the other, where a list would mean by either
        groups[-1].setdefault(term.field, []).extend(term.values)
    return question, reduce(combine, map(_filter, groups))


def filter_of(values: Mapping[str, Sequence[str]]) -> Filter:
    """The filter of options: `values` are by the names of fields as they are typed. Raises UsageError."""
    read: dict[str, list[Any]] = {}
    for name, given in values.items():
        # A name or a path may have a comma in it, and options can be repeated.
        split = name in ("year", "category", "id")
        items = [item for value in given for item in (value.split(",") if split else [value])]
        read.setdefault(_FIELD_OF[name], []).extend(_read(name, item) for item in items)
    return _filter(read)


def combine(one: Filter, other: Filter) -> Filter:
    """The filter that lets through what both let through."""
    merged: dict[str, Any] = {}
    left: dict[str, Any] = {}
    for field in _NAMES:
        mine, theirs = getattr(one, field), getattr(other, field)
        merged[field] = mine or theirs
        if mine and theirs and mine != theirs:
            left[field] = theirs
    return Filter(**merged, also=(*one.also, *other.also, *([Filter(**left)] if left else [])))


def _filter(values: Mapping[str, Iterable[Any]]) -> Filter:
    unique: dict[str, Any] = {field: tuple(dict.fromkeys(found)) for field, found in values.items()}
    if "years" in unique:
        unique["years"] = _as_range(unique["years"])
    return Filter(**unique)


def _as_range(years: tuple[_Range, ...]) -> tuple[_Range, ...]:
    """`year:>=2018 year:<=2020` is a range: as alternatives the two would let every year through."""
    if len(years) == 2:
        firsts, lasts = ([bound for bound in bounds if bound is not None] for bounds in zip(*years, strict=True))
        if len(firsts) == len(lasts) == 1 and firsts[0] <= lasts[0]:
            return ((firsts[0], lasts[0]),)
    return years


def _term(found: re.Match[str], text: str) -> _Term | None:
    name, value = found["name"], found["value"]
    if not name or (name := name.lower()) not in _FIELD_OF:  # case folding knows more letters than these
        return None
    if value is None or _OPEN.match(text, found.end()):
        raise UsageError(f'a quotation mark after {name}: is not closed. Write it as {name}:"two words".')
    items = re.findall(_YEAR_ITEM if found["is_year"] else _ITEM, value, re.IGNORECASE)
    if not _is_quoted(items[-1]):
        bare = _bare(items[-1])
        value, items = value[: len(value) - len(items[-1]) + len(bare)], [*items[:-1], bare]
    if not items[-1] or not (any(map(_is_quoted, items)) or is_meant(name, items)):
        return None
    if found["sign"] or re.search(r"\bnot\s*$", text[max(0, found.start() - 9) : found.start()], re.IGNORECASE):
        raise UsageError(f"a filter cannot leave papers out. Say with {name}: which papers are wanted.")
    end = found.start("value") + len(value)
    if _FIELD_OF[name] == "authors":
        _check_names(name, items, text[end : end + _NAME_CHARS])
    values = [_read(name, _unquoted(item)) for item in items]
    return _Term(found.start(), end, _FIELD_OF[name], values)


def _check_names(name: str, items: Sequence[str], rest: str) -> None:
    """Raise UsageError where the last of `items`, or one behind a comma, is but a part of a name."""
    whole = "" if _is_quoted(items[-1]) else whole_name(items[-1], rest)
    part = items[-1]
    for one, other in pairwise(items):
        if is_initial(other) and not (_is_quoted(one) or is_initial(one)):
            whole, part = f"{one}, {other}", one
    if whole:
        raise UsageError(
            f'{name}:{part} may be only a part of a name. Write it as {name}:"{whole}", or as {name}:"{part}" where '
            "that is all."
        )


def _bare(item: str) -> str:
    """A value without the punctuation of the sentence that it stands in."""
    surplus = {closing: item.count(closing) - item.count(opening) for opening, closing in ("()", "[]")}
    end = len(item)
    while end and (item[end - 1] in ".;:!?" or surplus.get(item[end - 1], 0) > 0):
        end -= 1
        if item[end] in surplus:
            surplus[item[end]] -= 1
    return item[:end]


def _is_quoted(item: str) -> bool:
    return len(item) > 1 and (item[0] in _QUOTE[1:-1] or item[0] == item[-1] == "'")


def _unquoted(item: str) -> str:
    return item[1:-1] if _is_quoted(item) else item


def _without(text: str, terms: Sequence[_Term]) -> tuple[str, list[str]]:
    """`text` without the terms, and the word between each two of them that follow on each other."""
    rest = text[: terms[0].start].strip()
    links = []
    for term, following in zip(terms, [*terms[1:], None], strict=True):
        between = text[term.end : following.start if following else len(text)]
        word = between.strip(" \t\n,;()[]").lower()
        if following and word == "or" and following.field != term.field:
            raise UsageError(
                "filters of different fields hold together; they cannot be alternatives. Ask once with each of them."
            )
        linked = following and word in ("", "and", "or", "&")
        links.append(word.replace("&", "and") if linked else "")
        if not linked:
            rest = _joined(rest, between)
    return rest, links


def _joined(left: str, right: str) -> str:
    """The question around a filter that was taken out of it."""
    left, right = left.rstrip(), right.strip()
    if left.endswith("(") and right.startswith(")"):
        left, right = left[:-1].rstrip(), right[1:].lstrip()
    if not left:
        return right.lstrip(" ,;:.?!")
    if not right or right[0] in ",.;:?!":
        return left.rstrip(" ,;:") + right
    return left + ("" if right[0] in ")]" else " ") + right


def _read(name: str, value: str) -> Any:
    """The value of a field, typed as `name`, as a `Filter` holds it."""
    value = " ".join(value.split())
    field = _FIELD_OF[name]
    if field == "years":
        return _years(value)
    if field == "ids":
        return _id(name, value)
    return _worded(name, value)


def _worded(name: str, value: str) -> str:
    if not re.search(r"[^\W_]", value):
        raise UsageError(f'{name}:"{value}" says nothing to look for. Filters are written so: {" ".join(EXAMPLES)}')
    return value


def _years(value: str) -> _Range:
    found = _YEARS.fullmatch(value)
    if found and found["year"]:
        year = int(found["year"])
        sign = (found["sign"] or "=").replace("\u2265", ">=").replace("\u2264", "<=")
        first = None if "<" in sign else year + (sign == ">")
        last = None if ">" in sign else year - (sign == "<")
        return first, last
    first, last = (int(found[bound]) if found and found[bound] else None for bound in ("first", "last"))
    if (first is None and last is None) or (first is not None and last is not None and first > last):
        raise UsageError(
            f"year:{value} is no year and no range from an earlier to a later one. Write year:2020, year:2020-2024, "
            "year:2020-, year:-2019, year:>=2020, year:>2019 or year:<2020."
        )
    return first, last


def _id(name: str, value: str) -> str:
    kind = name.removesuffix("s")
    if kind not in _IDS:
        return _worded(name, value)
    normalise, example = _IDS[kind]
    if not (found := normalise(value)):
        raise UsageError(f"{name}:{value} is none. Write it as {name}:{example}.")
    return f"pmid:{found}" if kind == "pmid" else found


# -- telling -------------------------------------------------------------------------------------------------------


def describe(chosen: Filter) -> str:
    """The filter in words, for the reader: "2020 to 2024, by Kingma"."""
    return ", ".join(part for one in (chosen, *chosen.also) for part in (*_told_years(one), *_told(one)))


def scope_words(scope: Scope) -> str:
    """Which papers a question was asked of, for the reader."""
    listed = f"those listed for \u201c{_short(scope.listed_for)}\u201d" if scope.listed_for else ""
    return ", ".join(filter(None, [listed, describe(scope.filter)]))


def condition(chosen: Filter) -> str:
    """The filter as what papers are: "by Kingma and of 2020 to 2024"."""
    every = (chosen, *chosen.also)
    years = [f"of {told}" for one in every for told in _told_years(one)]
    return " and ".join([*(part for one in every for part in _told(one)), *years])


def lacking_words(chosen: Filter, papers: int) -> str:
    """How many papers do not say what the filter looks at, as a sentence; empty where there are none."""
    names = {"years": "year", "authors": "authors", "venues": "venue", "categories": "categories"}
    fields = [names[field] for field in used_fields(chosen) if field in names]
    if not (papers and fields):
        return ""
    what = " or ".join(fields)
    return f"{papers} paper{'s' * (papers != 1)} without {what} in the catalog could not be looked at."


def used_fields(chosen: Filter) -> list[str]:
    """The names of the fields that have values, here or in `also`."""
    every = (chosen, *chosen.also)
    return [field for field in _NAMES if any(getattr(one, field) for one in every)]


def _told_years(one: Filter) -> list[str]:
    return [_any_of([_told_range(*bounds) for bounds in one.years])] if one.years else []


def _told_range(first: int | None, last: int | None) -> str:
    if first == last:
        return str(first)
    if first is None:
        return f"{last} or before"
    return f"{first} or later" if last is None else f"{first} to {last}"


def _told(one: Filter) -> list[str]:
    words = {
        "by": one.authors,
        "in": one.venues,
        "of category": one.categories,
        "from a file named like": one.sources,
        "known as": one.ids,
    }
    return [f"{word} {_any_of([_short(value) for value in values])}" for word, values in words.items() if values]


def _short(value: str) -> str:
    return value if len(value) <= _TOLD_CHARS else value[: _TOLD_CHARS - 1] + "\u2026"


def _any_of(values: Sequence[str]) -> str:
    more = [f"{len(values) - _TOLD} more"] if len(values) > _TOLD + 1 else []
    *first, last = [*values[: _TOLD if more else None], *more]
    return f"{', '.join(first)} or {last}" if first else last
