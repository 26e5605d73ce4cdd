"""Text -> the terms that word matching works on: BM25, evidence choice and verification share them. Pure.

A word that can be written in several ways becomes one term: LaTeX and Unicode, Greek letters and their names, British
and American spelling, "5ms" and "5 ms". Numbers keep their value: "10^{-5}" is one term, neither "105" nor "10".

Compounds ("fine-tuning", "finetuning", "fine tuning") stay as they are written in `terms`, which verification needs
strict; `compounds` and `splits` give the other ways to write them to those who search.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer

from rag import latex
from rag.spelling import american

# Words that carry no subject: articles, pronouns, auxiliaries, question words, and the furniture of questions.
STOP_WORDS = frozenset(
    """
    a about above after again against all also am an and any are as at be because been before being below
    between both but by can cannot could did do does doing done down during each either else ever few for from
    further get give given had has have having he her here hers him his how however i if in into is it its
    itself just let like made make many may me might more most much must my neither no nor not now of off on
    once only or other our out over own per please same shall she should so some such tell than that the their
    them then there these they this those though through thus to too under until up upon us very was we were
    what when where whether which while who whom whose why will with within without would yes yet you your
    """.split()  # noqa: SIM905
)
# Stop words that begin or end a compound all the same: "overfitting", "offline", "setup".
_PARTICLES = frozenset(["down", "off", "out", "over", "through", "under", "up", "within"])

_FRACTION = r"(?:\d+\+)?\d+/\d+"
_NUMBER = r"\d+(?:[.,]\d+)*(?:e-?\d+\b|\^[-+]?[^\W_]+(?:\.\d+)?)?"
# Marks of Indic and South-East Asian scripts are letters, though no regular expression calls them so.
_LETTER = r"(?:[^\W_]|(?![\u0964\u0965\u0e3f\u0e4f\u0e5a\u0e5b])[\u0900-\u109f\u1780-\u17d3])"
_WORD = re.compile(
    rf"(?<![^\W_]){_FRACTION}\u2044|"
    rf"\d+(?:[.,]\d+)*\^[-+]?[^\W_]+(?:\.\d+)?|\d+(?:\.\d+)?e-\d+\b|{_LETTER}+(?:[.,](?=\d)\d+)*"
)
# Written without spaces: Thai to Burmese, Khmer, kana, Han, Hangul (whose particles cling to the word).
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17d3\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\U00020000-\U0003134f]+"
)
_UNITS = (
    r"(?:[mnpu]s|[nmcku]m|[kmun]g|[mudc]l|[kmgt]?hz|[kmgtp]i?b|[mk]?w|[mk]v|[kmgt]?ev|db|fps|rpm|pp[mb]|[mu]?mol|min|hrs?|"
    r"k?cal|kj|[kmg]pa|[mgtp]?flops|bits?|px|dpi|bpm|mmhg)"
)
_GLUED_UNIT = re.compile(rf"(?<![\w.,^])(\d+(?:[.,]\d+)*)(?={_UNITS}\b)")
_SIGNED_NUMBER = re.compile(
    rf"(?:(?:[<>]=?|[\u2264\u2265])\s{{0,2}}|(?<!\w)minus\s)?(?<![\w.,])[-\u2212\u2013]?"
    rf"{_NUMBER}(?:\s?(?:%|{_UNITS}\b)|-(?={_UNITS}\b){_UNITS}|[^\W_]*)"
)
# What one letter or sign alone tells from its opposite: CD4+ from CD4-, and behind a number milli from mega.
_CHARGED = re.compile(r"(?<!\w)[^\W\d_]+\d+(?:\^?\+|\^?[-\u2212](?=[\s,.;:)\]]|\Z))?(?!\w)")
_CASED_UNIT = re.compile(r"(?<=\d)[\s~-]?([mM](?:W|V|A|Hz|Pa|eV|J)?)\b")
_RAISED = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b", "0123456789+-")
_RAISED_RUN = re.compile(r"[\u207a\u207b\u2212]?[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+")
_GREEK_NAMES = {letter: name for name, letter in latex.GREEK.items()}
# Three Greek letters in a row are a word of Greek.
_GREEK_RUN = re.compile(r"(?<![\u0370-\u03ff])[\u03b1-\u03c9]{1,2}(?![\u0370-\u03ff])")
_PAIR = re.compile(r"(?=(?<![^\W_])([^\W_]+)([\s\u2010-\u2015-])\s?([^\W_]+))")
# What is longer is a sequence of amino acids or a key, and would be cut in as many ways as it has letters.
_LONGEST_COMPOUND = 40
# Where one word is put together of two, such as the letter and the P of "\u03bcP".
_SEAM = "\ue000"
# Before the s of "LLMs": the plural of an acronym is no other word.
_PLURAL = "\ue001"
_STEMMER = snowballstemmer.stemmer("english")


def normalise(text: str) -> str:
    r"""Lower case without accents, LaTeX and compatibility forms: `Poincar\'e` and `poincare`, `$\mu$P` and `muP`."""
    return _plain(text).replace(_SEAM, "").replace(_PLURAL, "").replace("\u2044", "")


def _singular(text: str) -> str:
    return _plain(text).replace(_SEAM, "").replace(f"{_PLURAL}s", "")


@lru_cache(maxsize=1 << 12)
def _plain(text: str) -> str:
    text = latex.plain(re.sub("[\u00ad\u200c\u200d\u2060\ufeff\ue000\ue001]", "", text))
    # A raised digit is an exponent, no further digit of its number; nor is a lowered one, a fraction, a circled one.
    text = _RAISED_RUN.sub(lambda run: "^" + run[0].replace("\u2212", "-").translate(_RAISED), text)
    text = re.sub(r"(?<=\d)(?=[\u2080-\u2089])", "_", text)
    text = re.sub(r"(?<=\d)(?=[\u00bc-\u00be\u2150-\u215e\u2189])", "+", text)
    # A circled digit is a label: a word of its own, not the number.
    text = re.sub(r"[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793]", _label, text)
    text = re.sub(r"(?<=\w)\*\*(?=[-+]?\d)", "^", text.replace("\u221a", " sqrt "))
    text = re.sub(r"(?<![\d.,])\d{1,3}(?:[\u2009\u202f]\d{3})+(?!\d)", _without_thin_spaces, text)
    # What only capitals tell: the plural of an acronym, and the name of a Greek letter that another word is glued to.
    text = re.sub(r"\b([A-Z][A-Z\d]+)s\b", rf"\1{_PLURAL}s", text)
    text = re.sub(rf"\b({'|'.join(latex.GREEK)})(?=[A-Z])", rf"\1{_SEAM}", text)
    # "n't" is a word that must not be lost.
    text = latex.fold(re.sub(r"n['\u2019]t\b", " not", text, flags=re.IGNORECASE))
    text = re.sub(r"\b\u03bc(?=(?:[msglvaw]|mol)\b)|(?<=\d)\u03bc(?=(?:[msglvaw]|mol)\b)", "u", text)
    text = _GREEK_RUN.sub(_greek_names, text)
    text = re.sub(
        r"(\d+(?:\.\d+)?)\s{0,3}[\u00d7x*\u00b7\u22c5\u2219]\s{0,3}10\^([-+\u2212\u2013]?\d+)(?!\w|\.\d)",
        r"\1e\2",
        text,
    )
    text = re.sub(r"(?<![\w.,^])10\^([-+\u2212\u2013]?\d+)(?!\w|\.\d)", r"1e\1", text)
    text = re.sub(r"(?<![\w.,^])(\d+(?:\.\d+)?)e([-+\u2212\u2013]?)0*(\d+)(?!\w)", _power, text)
    # A fraction is one number: ended by a sign of its own, "1/2" is told from "2019/2020".
    text = re.sub(r"(?<![\w./-])([1-9])/([2-9]|10)(?![\w/]|\.\d)", "\\1\u2044\\2", text)
    text = re.sub(r"((?<![\w.])\d+\+)?(?<!\d)(\d+)\u2044(\d+)", "\\1\\2/\\3\u2044", text)
    return _GLUED_UNIT.sub(r"\1 ", text)


def _label(found: re.Match[str]) -> str:
    return f" circled{int(unicodedata.numeric(found[0], 0))} "


def _without_thin_spaces(found: re.Match[str]) -> str:
    return re.sub(r"\D", "", found[0])


def _greek_names(run: re.Match[str]) -> str:
    before, after = run.string[: run.start()][-1:], run.string[run.end() :][:1]
    names = _SEAM.join(_GREEK_NAMES.get(letter, letter) for letter in run[0])
    return f"{_SEAM if before.isalpha() else ''}{names}{_SEAM if after.isalpha() else ''}"


def _power(found: re.Match[str]) -> str:
    return f"{found[1]}e{'-' if found[2] in ('-', chr(0x2212), chr(0x2013)) else ''}{found[3]}"


@lru_cache(maxsize=1 << 17)
def _stem(word: str) -> str:
    if any(char.isdigit() for char in word):
        return re.sub(r",(?=\d{3}\b)", "", word.rstrip("\u2044"))
    return str(_STEMMER.stemWord(american(word)))


def _words(plain: str) -> Iterator[str]:
    """The words of normalised text in order; of a script without spaces, each two neighbouring characters."""
    for word in _WORD.findall(plain):
        if not _UNSPACED.search(word):
            yield word
            continue
        end = 0
        for run in _UNSPACED.finditer(word):
            if between := word[end : run.start()]:
                yield between
            yield from (run[0][i : i + 2] for i in range(max(1, len(run[0]) - 1)))
            end = run.end()
        if rest := word[end:]:
            yield rest


def terms(text: str) -> list[str]:
    """Stems of all words of `text`, in order; numbers stay whole, without thousands separators."""
    return [_stem(word) for word in _words(_singular(text))]


def content_terms(text: str) -> list[str]:
    """`terms` without stop words and single letters, each once, in order of appearance."""
    return list(dict.fromkeys(_stem(word) for word in _content(_singular(text))))


def _content(plain: str) -> list[str]:
    return [w for w in _words(plain) if w not in STOP_WORDS and (len(w) > 1 or w.isdigit() or not w.isascii())]


def numbers(text: str) -> set[str]:
    """The numbers of `text` with sign, exponent and what makes them another quantity: `-0.5`, `92%`, `<5ms`, `80k`.

    With them names that end in a number, for their charge (`cd4+`), and units that begin with m or M.
    """
    plain = normalise(text)
    found = {re.sub(r"[,\s]|(?<=\d)-(?=[a-z])", "", match) for match in _SIGNED_NUMBER.findall(plain)}
    found = {number.replace("minus", "-").replace("<=", "\u2264").replace(">=", "\u2265") for number in found}
    names = {name.replace("^", "") for name in _CHARGED.findall(plain)}
    units = set(_CASED_UNIT.findall(latex.plain(text)))
    return {re.sub("[\u2212\u2013]", "-", number) for number in found | names} | units


def is_unspaced(text: str) -> bool:
    """Whether some of `text` is in a script that writes words without spaces between them."""
    return bool(_UNSPACED.search(normalise(text)))


@dataclass(frozen=True, slots=True)
class Compound:
    """Two words that may also be written as one, as terms."""

    joined: str
    parts: tuple[str, str]


def compounds(text: str) -> list[Compound]:
    """Neighbouring words, with a hyphen or a space between, and words put together of a Greek letter and another."""
    found = []
    for left, between, right in _PAIR.findall(_singular(text)):
        if (left[-1].isdigit() and right[0].isdigit()) or _UNSPACED.search(left + right):
            continue  # "10 5" is not 105.
        if not between.isspace() or (_is_part(left) and _is_part(right)):
            found.append(Compound(_stem(left + right), (_stem(left), _stem(right))))
    return list(dict.fromkeys(found))


def seams(text: str) -> list[str]:
    """The parts of two letters or more of the words put together of a Greek letter and another: `mu` of `\u03bcP`."""
    words = re.findall(rf"[^\W_]*(?:{_SEAM}[^\W_]*)+", _plain(text))
    return [_stem(part) for word in words for part in word.split(_SEAM) if len(part) > 1]


def splits(text: str) -> list[Compound]:
    """Every way to read a content word of `text` as two words: `fine tune` for `finetuning`, `gpt 4` for `gpt4`."""
    ways = []
    for word in dict.fromkeys(_content(_singular(text))):
        if not word.isalnum() or not word.isascii() or not 4 <= len(word) <= _LONGEST_COMPOUND:
            continue
        for i in range(1, len(word)):
            left, right = word[:i], word[i:]
            # A number is never cut. A single letter may begin a compound ("ecommerce"), if it is not the end of "it's".
            if (
                (left[-1].isdigit() and right[0].isdigit())
                or (len(right) == 1 and not right.isdigit())
                or left in "dmst"
            ):
                continue
            if _is_part(left) and _is_part(right):
                ways.append(Compound(_stem(word), (_stem(left), _stem(right))))
    return ways


def _is_part(word: str) -> bool:
    return word not in STOP_WORDS or word in _PARTICLES
