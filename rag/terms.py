"""Text -> the terms that word matching works on: BM25, evidence choice and verification share them. Pure."""

import re
import unicodedata
from functools import lru_cache

import snowballstemmer

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
_WORD = re.compile(r"[^\W_]+(?:[.,](?=\d)\d+)*")
_STEMMER = snowballstemmer.stemmer("english")


def normalise(text: str) -> str:
    """Lower case without accents and compatibility forms, so that `Fréchet` meets `Frechet` and `ﬁt` meets `fit`."""
    # A raised digit is an exponent, no further digit of its number; "n't" is a word that must not be lost.
    text = re.sub(r"(?=[\u2070\u00b9\u00b2\u00b3\u2074-\u2079])", "^", text.casefold())
    text = re.sub(r"n['\u2019]t\b", " not", text)
    plain = unicodedata.normalize("NFKD", text)
    return "".join(char for char in plain if not unicodedata.combining(char))


@lru_cache(maxsize=1 << 17)
def _stem(word: str) -> str:
    return word if any(char.isdigit() for char in word) else str(_STEMMER.stemWord(word))


def terms(text: str) -> list[str]:
    """Stems of all words of `text`, in order; numbers stay whole, without thousands separators."""
    found = _WORD.findall(normalise(text))
    return [_stem(re.sub(r",(?=\d{3}\b)", "", word)) for word in found]


def content_terms(text: str) -> list[str]:
    """`terms` without stop words and single letters, each once, in order of appearance."""
    found = _WORD.findall(normalise(text))
    kept = [w for w in found if w not in STOP_WORDS and (len(w) > 1 or w.isdigit())]
    return list(dict.fromkeys(_stem(re.sub(r",(?=\d{3}\b)", "", word)) for word in kept))
