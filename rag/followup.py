"""Is a question a follow-up, and what is then searched for? Pure but for the search that it is given.

A follow-up leans on what was asked before. It has a word that points back, or few words of its own; and alone it finds
nothing in particular, while together with the earlier question it finds one thing clearly. A question on another
subject is the other way round. So both are searched, and the paper that stands out most in the two rankings together
decides: if the question finds it first alone too, it stands for itself. So does one that nothing in the collection is
near to, or a question about something else altogether would be answered with the papers of the last one. Only a short
question about "it" is joined in any case.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.records import Retrieval
from rag.terms import content_terms

Search = Callable[[str], Retrieval]
# What may point back to something said before.
_POINTING = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|he|him|his|she|her|hers|this|these|those|ones?|there|then|such|same|"
    r"former|latter|both|neither|also|too|else|instead|more)\b",
    re.IGNORECASE,
)
# What does point back, to a thing that has no name in this question. "He" may be an author.
_REFERRING = re.compile(r"\b(?:it|they|them|he|him|she|her)\b|\b(?P<own>its|their|his)\b")
_NAMED = re.compile(r"(?<=\w )\W*(?:[A-Z]|\w+[A-Z\d])")
_FEW = 5  # content words
_TELLING = 3  # So many content words tell what a question is about: "and why?" does not.
_Ranking = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was searched for, what it found, and the subject that a next question may lean on.

    `joined` is a question that stands for itself together with the one before, and what they find, where both lead to
    the same paper: the words before may be what it leaves unsaid.
    """

    query: str
    subject: str
    found: Retrieval
    joined: tuple[str, Retrieval] | None = None


def resolve(
    search: Search,
    question: str,
    subject: str,
    needed: Callable[[str], float],
    follows: bool | None = None,
    *,
    within: Search | None = None,
) -> Resolved:
    """Search for `question`, joined with `subject`, the last question that stood for itself, if it leans on that.

    `needed` tells the similarity below which a question is refused. `follows` decides where the user has said which it
    is. What is searched for is found out over all papers, also where it is then searched for `within` some of them: of
    few papers one always stands out.
    """
    subject = subject.strip()
    find = within or search
    if not subject or follows is False or (follows is None and not may_lean(question)):
        return Resolved(question, question, find(question))
    joined = f"{subject} {question}"
    if follows or _says_too_little(question):
        return Resolved(joined, subject, find(joined))
    together, alone = search(joined), search(question)
    strange = len(content_terms(question)) >= _TELLING and alone.similarity < needed(question)
    if strange or stands_alone(alone.ranking, together.ranking):
        same = not strange and within is None and _best(alone) == _best(together)
        return Resolved(question, question, within(question) if within else alone, (joined, together) if same else None)
    return Resolved(joined, subject, within(joined) if within else together)


def may_lean(question: str) -> bool:
    """Whether the words of a question let it lean on another: one that points back, or few that say anything."""
    return bool(_POINTING.search(question)) or len(content_terms(question)) <= _FEW


def refers(question: str) -> int | None:
    """Where a question first speaks of "it" or "them", if it does."""
    found = _REFERRING.search(question)
    return found.start() if found else None


def _says_too_little(question: str) -> bool:
    """Whether a question is about "it" and says less than what it is about: "How fast is it?".

    Some paper always stands out for its common words, but cannot be the one that was meant.
    """
    referring = _REFERRING.search(question)
    if not referring or _NAMED.search(question) or len(content_terms(question)) >= _TELLING:
        return False
    # "Why do cats like their boxes?" says whose boxes are meant.
    return len(content_terms(question[: referring.start()])) < (1 if referring["own"] else 2)


def stands_alone(alone: _Ranking, together: _Ranking) -> bool:
    """Whether the best paper of both rankings together is the first of the question alone.

    Each ranking counts by how far a paper stands out in it, in standard deviations; a paper that it lacks scores 0.
    """
    if not alone:
        return False
    ids = sorted({paper_id for ranking in (alone, together) for paper_id, _ in ranking})
    total = sum(_standing(ids, ranking) for ranking in (alone, together))
    return ids[int(np.argmax(total))] == alone[0][0]


def _best(found: Retrieval) -> int | None:
    return found.ranking[0][0] if found.ranking else None


def _standing(ids: Sequence[int], ranking: _Ranking) -> npt.NDArray[np.float64]:
    known = dict(ranking)
    scores = np.array([known.get(paper_id, 0.0) for paper_id in ids], dtype=np.float64)
    return np.asarray((scores - scores.mean()) / (scores.std() or 1.0))
