"""Names in a question that no paper of the collection has: who asks about them should be told. Pure."""

import re

from rag.identity import normalise_title
from rag.records import Retrieval

_NOWHERE = 0.9999  # rarity of a word that the collection lacks, but for rounding
_BEGINS = re.compile(r"(?:^|[.?!:;]\s+)\W*(\w)")
_MIXED = re.compile(r"[^\W\d_][A-Z]|[A-Za-z].*\d|\d.*[A-Za-z]")
# "1970s", "2nd", "3D", "5ms" are no names.
_COUNTED = re.compile(r"\d+[A-Za-z]{1,3}")


def unknown_names(question: str, found: Retrieval) -> tuple[str, ...]:
    """Words of `question` that look like names and stand in no paper, each once, in order.

    A name begins with a capital where no sentence does, or has capitals or digits inside. It may be written apart in a
    paper ("AlphaFold 2"), or be that of an author.
    """
    beginnings = {match.start(1) for match in _BEGINS.finditer(question)}
    told = " ".join(f"{hit.text} {hit.byline}" for hit in found.hits)
    squeezed = normalise_title(told).replace(" ", "")
    # IN CAPITALS or In Title Case a capital tells nothing.
    capitals = 2 * sum(word.text[0].isupper() for word in found.words) > len(found.words) > 2
    names, position = [], 0
    for word in found.words:
        # What is not there was put in for an acronym.
        if (place := question.find(word.text, position)) < 0:
            continue
        position = place + len(word.text)
        written = not capitals and (word.text[0].isupper() and place not in beginnings)
        is_name = written or (_MIXED.search(word.text) and not (capitals and word.text.isupper()))
        if (
            is_name
            and not _COUNTED.fullmatch(word.text)
            and word.rarity >= _NOWHERE
            and normalise_title(word.text).replace(" ", "") not in squeezed
        ):
            names.append(word.text)
    return tuple(dict.fromkeys(names))
