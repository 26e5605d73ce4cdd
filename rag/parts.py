"""Does a question ask for two things, and which words has the second of its own? Pure, by its form; for English.

Only forms are split off whose answer would have to speak of what they ask for: "and who funded it?", "and how many
GPUs were used?", "and in which language?". What "when does it fail?" or "how fast is it?" asks is told in other words
as a rule, so nothing could be said from its words alone.
"""

import re
from dataclasses import dataclass

from rag.terms import content_terms

_WITH = r"(?:(?:by|on|in|at|for|to|with|of|under|from) )?"
_ASKS = r"(?:how|what|which|whom?|whose|when|where|why)\b"
# Where a further part of a question begins.
FURTHER_PART = re.compile(rf"\band {_WITH}{_ASKS}", re.IGNORECASE)
_SPLIT = re.compile(rf"(?:,|;)? and (?={_WITH}{_ASKS})", re.IGNORECASE)
_LONGEST = 400  # characters of such a question
_NO_NOUN = (
    r"(?:is|are|was|were|does|do|did|has|have|had|can|could|would|will|should|about|else|if|for|happen\w*|went|goes|"
    r"makes?|made|comes?|came|of|kinds?|one|ones|other|others|way|ways|extent)\b"
)
_TELLING = re.compile(rf"{_WITH}(?:whom?\b|whose\b|how (?:much|many)\b|(?:which|what) (?!{_NO_NOUN})\w)", re.IGNORECASE)
# Who made a thing is told by the paper that is cited; what a thing is good for, in other words.
_TOLD_ANYHOW = frozenset(
    content_terms(
        "invent develop propose introduce write wrote written publish author create make design discover find found "
        "build built conduct lead led run describe present show shown say name call thought came "
        "weakness limitation drawback advantage benefit strength problem danger flaw shortcoming result finding "
        "conclusion reason cause evidence paper study work"
    )
)


@dataclass(frozen=True, slots=True)
class Parts:
    """The `first` part of a question, the `second`, and the words that this has of its own."""

    first: str
    second: str
    own: frozenset[str]


def parts_of(question: str) -> Parts | None:
    """The two parts of `question`, the last split off; None where there is one, or nothing could be said of it."""
    question = " ".join(question[: 2 * _LONGEST].split())
    splits = list(_SPLIT.finditer(question)) if len(question) <= _LONGEST else []
    if not splits:
        return None
    split = splits[-1]
    first, second = question[: split.start()], question[split.end() :]
    known = set(content_terms(first))
    own = frozenset(word for word in re.findall(r"[^\W_]+", second) if set(content_terms(word)) - known)
    if not (own and known and _TELLING.match(second)) or set(content_terms(second)) & _TOLD_ANYHOW:
        return None
    return Parts(f"{first}?", second, own)
