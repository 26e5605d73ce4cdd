"""Does a sentence need the one before it to be understood? Pure, by the words that point back.

"We reexamine these approximations" says nothing to who has not read what they are. Closed lists for English: a sentence
that leans in another way is taken to stand for itself, which costs clarity, never truth.
"""

import re

# "This paper", "these results" and the like point at the paper itself, which the citation names.
_OWN = (
    r"papers?|works?|stud(?:y|ies)|articles?|reports?|reviews?|surveys?|letters?|notes?|theses|thesis|chapters?|"
    r"results?|findings?|observations?|experiments?|data|analys[ie]s|conclusions?|contributions?|trials?|investigations?"
)
_BEFORE_THIS = "|".join(
    f"[{word[0].upper()}{word[0]}]{word[1:]}"
    for word in ("of", "in", "to", "by", "with", "for", "from", "on", "at", "under")
)
_POINTS_BACK = re.compile(
    # At the beginning a bare pronoun, unless it is the "it" of "it is known that".
    r"^\W*(?:They|Their|He|She|His|Her|Its)\b|"
    r"^\W*It\b(?!(?:'s|\s+(?:is|was|has been|remains|seems|appears|becomes|turns|follows|can be|may be|could be))\b)|"
    r"^\W*(?:This|That)\s+(?:is|was|has|had|can|could|may|might|will|would|does|did|also|then|thus|leads?|allows?|enables?|"
    r"makes?|made|means?|shows?|suggests?|implies|yields?|gives?|provides?|results?|reduces?|improves?|increases?|"
    r"requires?|raises?|contrasts|holds|happens|occurs)\b|"
    # Anywhere: a noun that is pointed at, the last and the first of two.
    rf"\b(?:[Tt]hese|[Tt]hose|[Ss]uch)\s+(?!(?:{_OWN}|as|that|an?|of|who|with|in|for|which|days?|years?)\b)[a-z]+|"
    rf"(?:^\W*|\b(?:{_BEFORE_THIS}) )[Tt]his\s+(?!(?:{_OWN}|year|day|end)\b)[a-z]+|"
    r"\b(?:the|The) (?:latter|former)\b",
)


def leans_back(text: str) -> bool:
    """Whether the sentence `text` points back to something that is said before it."""
    return bool(_POINTS_BACK.search(text))
