"""The model's text -> sentences with the numbers that they cite. Pure.

Under the grammar a sentence is "Text. [1] [2]". A model that no grammar holds also writes "text [1, 2]." and lists; the
numbers may then be any.
"""

import re
from dataclasses import dataclass

_OPEN_CITATION = re.compile(r"\s*(?:\[[\d,; ]*)?")
_SENTENCE = re.compile(
    r"\s*(?P<body>[^\[\]]*?)\s*(?P<cites>(?:\[\d+(?:\s*[,;]\s*\d+)*\]\s?)+)(?P<stop>(?<!\s)[.!?](?!\w))?"
)
_BULLET = re.compile(r"^(?:[-*\u2022#>]+\s+|\d{1,2}[.)]\s+)+")


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence as the model wrote it, without its citations, and the evidence numbers that it cites."""

    text: str
    numbers: tuple[int, ...]


def split_written(text: str, *, finished: bool) -> tuple[list[Written], str]:
    """Finished sentences of `text`, and the rest that is still being written.

    A sentence ends after its last citation. Before the text is finished that is known only once something else
    follows; when it is finished, text without citation is the rest. A stop behind the citations is put before them, and
    marks of lists are left out.
    """
    sentences: list[Written] = []
    position = 0
    for match in _SENTENCE.finditer(text):
        if not finished and _OPEN_CITATION.fullmatch(text, match.end()):
            break
        numbers = tuple(dict.fromkeys(int(n) for n in re.findall(r"\d+", match["cites"])))
        body = _BULLET.sub("", match["body"])
        sentences.append(Written(body if body.endswith((".", "!", "?")) else body + (match["stop"] or ""), numbers))
        position = match.end()
    return sentences, text[position:]
