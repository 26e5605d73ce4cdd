"""When does a paper meet a filter? Pure functions over what its record says.

Authors, venues and categories are compared without case, accents and punctuation. An author is met by whole words in
any order, and by initials; a venue by whole words in a row; `cs` is every category `cs.XX`.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

from rag.identity import normalise_arxiv_id, normalise_doi, own_key
from rag.records import Filter

_INNER = re.compile("(?<=\\w)['\u2019\u2010-](?=\\w)")
_CACHED = 1 << 14  # papers share venues and categories
Test = Callable[[str], bool]


def id_keys(value: str) -> list[str]:
    """The keys that `value` may mean: a DOI, an arXiv id, a PMID, the paper's own id, or a key as it stands."""
    keys = [value, own_key(value)]
    doi, arxiv_id = normalise_doi(value), normalise_arxiv_id(value)
    if doi and not doi.startswith("10.48550/arxiv."):
        return [*keys, "doi:" + doi]
    return [*keys, *(["arxiv:" + arxiv_id] if arxiv_id else []), *(["pmid:" + value] if value.isdigit() else [])]


def is_source(value: str, source: str) -> bool:
    """Whether the path of a file, `source`, holds `value`, without case and accents."""
    return _folded(value) in _folded(source)


def column_tests(chosen: Filter) -> dict[str, Test]:
    """Tests of what the catalog keeps of a paper in the columns `authors` (JSON), `venue`, and `categories` (JSON).

    They are made once for many papers. `also` is not looked at.
    """
    tests: dict[str, Test] = {}
    if chosen.authors:
        tests["authors"] = _author_test(chosen.authors)
    if chosen.venues:
        tests["venue"] = _venue_test(chosen.venues)
    if chosen.categories:
        tests["categories"] = _category_test(chosen.categories)
    return tests


def _venue_test(values: Sequence[str]) -> Test:
    wanted = [f" {' '.join(_words(value))} " for value in values]

    @lru_cache(_CACHED)
    def test(venue: str) -> bool:
        words = f" {' '.join(_words(venue))} "
        return any(value in words for value in wanted)

    return test


def _category_test(values: Sequence[str]) -> Test:
    wanted = tuple(value.casefold().rstrip(".") for value in values)
    above = tuple(f"{value}." for value in wanted)

    @lru_cache(_CACHED)
    def test(text: str) -> bool:
        return any(name in wanted or name.startswith(above) for name in json.loads(text.lower()))

    return test


def _author_test(values: Sequence[str]) -> Test:
    forms = [form for value in values for form in _spellings(value)]
    # Most papers can be told apart without taking their names to pieces: one word must stand there in full.
    telling = {word for form in forms for word in form if len(word) > 1}
    initials = any(max(map(len, form)) == 1 for form in forms)

    def perhaps(text: str) -> bool:
        plain = _folded(text).replace("'", "").replace("-", "").replace("\u2019", "").replace("\u2010", "")
        return initials or any(word in plain for word in telling)

    def test(text: str) -> bool:
        names = json.loads(text) if "\\u" in text else None
        if not perhaps(" ".join(names) if names else text):
            return False
        likely = filter(perhaps, names or json.loads(text))
        return any(_is_named(form, name) for given in likely for name in _spellings(given) for form in forms)

    return test


def is_author(value: str, name: str) -> bool:
    """Whether `value` names the author `name`: its words are all there, in any order; initials stand for words."""
    return any(_is_named(one, other) for one in _spellings(value) for other in _spellings(name))


def _is_named(wanted: Sequence[str], name: Sequence[str]) -> bool:
    """Whether each word of `wanted` is one of `name`, or one of the two is the other's initial.

    One word must be there in full, or "Ann Lee" would be "A. L. Gray"; initials alone are met by initials.
    """
    left, rest, whole = list(name), [], False
    for word in wanted:
        if word in left:
            left.remove(word)
            whole = whole or len(word) > 1
        else:
            rest.append(word)
    if not whole and any(len(word) > 1 for word in wanted):
        return False
    for word in rest:
        other = next((one for one in left if one[0] == word[0] and 1 in (len(one), len(word))), None)
        if other is None:
            return False
        left.remove(other)
    return True


@lru_cache(_CACHED)
def _spellings(name: str) -> frozenset[tuple[str, ...]]:
    """The words of a name in the ways it may be written: O'Brien is OBrien too, Kingma DP is Kingma D. P."""
    apart = tuple(_words(re.sub(r"\b[A-Z]{2,3}\b", lambda found: " ".join(found.group()), name)))
    forms = frozenset([tuple(_words(name)), tuple(_words(_INNER.sub("", name)))])
    # Capitals alone are a name written large, not initials.
    return forms | {apart} if any(len(word) > 1 for word in apart) else forms


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", _folded(text))


def _folded(text: str) -> str:
    """`text` in lower case and without accents."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)


class _Folds(dict[int, str]):
    """What becomes of each character; worked out when it is first met."""

    # Letters that Unicode does not take apart into a plain one and an accent.
    _whole = str.maketrans(
        {
            "\u00f8": "o", "\u0142": "l", "\u0111": "d", "\u0131": "i", "\u00f0": "d", "\u00e6": "ae",
            "\u0153": "oe", "\u00fe": "th",
        }
    )  # fmt: skip

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKD", chr(code).casefold().translate(self._whole))
        self[code] = "".join(char for char in plain if not unicodedata.combining(char))
        return self[code]


_FOLDED = _Folds()
