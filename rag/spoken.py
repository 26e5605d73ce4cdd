"""What was spoken of -> one line that the next question may lean on, and back. Pure.

It is the last question that stood for itself, which "it" leans on, and where papers were listed or one of several was
chosen, the question that gave these: they are what "they" and "the second one" mean. Both are kept as one string, as
whoever asks (page, terminal, API) hands it on without looking into it. Which papers a question gave is not known here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from rag.listing import asks_for_all
from rag.terms import content_terms

# Nobody types it, and who sends it has no listing behind it.
BETWEEN = "\x1f"
_PAPERS = r"(?:papers|articles|studies|publications|works)"
_THEM = re.compile(
    rf"\b(?:(?:(?:all|both|each|any|some|most|one) of )?(?:these|those|the listed)(?: \w+)? {_PAPERS}|"
    r"they|them|(?:these|those|both)(?= *\W*$)|"
    r"(?<=\bof )(?:these|those)(?= (?:is|are|was|were|do|does|did|ha[sd]|have|deals?|says?|shows?|reports?|uses?)\b))"
    r"(?!\w)",
    re.IGNORECASE,
)
_IT = re.compile(
    r"\b(?:its?|(?:this|that|the) (?:paper|article|study|work)|he|she|his|her)\b(?! (?:true|possible)\b)", re.IGNORECASE
)
# What may stand before "they" without being what they are.
_ASKING = frozenset(
    content_terms(
        "compare contrast summarise summarize explain describe list show tell say find found report conclude agree "
        "differ common paper study article result oldest newest first last number"
    )
)
_NAMING = re.compile(_PAPERS, re.IGNORECASE)
_NAMED = re.compile(r"(?<=\w )\W*(?:[A-Z]|\w*\d)")
# Who says more says what he means: "How did they make sure that nobody cheated in the trial of streptomycin?"
_FEW = 5
_VERY_FEW = 3
_HOW_MANY = re.compile(
    r"how many(?: of (?:them|these|those))?(?: (?:are|were) (?:there|they|these|those))?", re.IGNORECASE
)
_SAY = re.compile(
    r"(?:(?:and|so|then) )?what (?:do|did) (?:they|these|those|these papers|those papers) (?:all )?"
    r"(?:say|tell(?: us| me)?|show|report|find|write|conclude)(?: (?:about|on|of) (?P<matter>.+))?",
    re.IGNORECASE,
)
_END = re.compile(
    r"(?:(?:and|so|then) )?(?:(?:which|what)(?: one)?(?: (?:of|among) (?:them|these|those)(?: papers)?)? (?:is|was) )?"
    r"the (?P<end>oldest|earliest|newest|latest|most recent)(?: one| paper)?(?: (?:of|among) (?:them|these|those))?"
    r"(?: papers)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """The question that the next may lean on, and the one whose papers "they" are; empty where there is none."""

    matter: str
    papers: str = ""

    def __str__(self) -> str:
        """Both in one line."""
        return f"{self.matter}{BETWEEN}{self.papers}" if self.papers else self.matter


def spoken(subject: str) -> Spoken:
    """What `subject`, a `Spoken` as text or a question alone, tells."""
    matter, _, papers = subject.partition(BETWEEN)
    return Spoken(matter, papers)


def searched(subject: str, bare: Callable[[str], str]) -> str:
    """The last question that stood for itself, with the filters typed in it; `bare` takes these out of a question."""
    before = spoken(subject)
    return before.papers if before.papers and bare(before.papers) == before.matter else before.matter


def leaning(subject: str, question: str) -> str:
    """What `question` is joined with, where the papers it may speak of are not known: the question that gave these for
    "Compare them", else the last that stood for itself.
    """
    before = spoken(subject)
    return before.papers if before.papers and before.matter and asked_of_them(question, 2) else before.matter


def asked_of_them(question: str, papers: int) -> str:
    """`question` as it is asked of the so many papers that were listed; empty where it does not speak of them.

    One that says what "they" are, "How do cats see when they hunt?", does not.
    """
    said = " ".join(question.split()).strip(" .?!")
    if not said:
        return ""
    listed = re.sub(r"\b(?:them|these|those)\b", "papers", said)
    if _HOW_MANY.fullmatch(said) or (listed != said and asks_for_all(listed)):
        return "How many papers are there?"
    if found := _END.fullmatch(said):
        return f"{found['end']} papers".lower()
    if found := _SAY.fullmatch(said):
        if not found["matter"]:
            return "What are these papers about?"
        # Their saying is no matter to search for, nor are they (figures in eval/LOG.md).
        return f"What about {found['matter']}?"
    told = set(content_terms(question)) - _ASKING
    found = _THEM.search(question)
    if found and not told & set(content_terms(question[: found.start()])):
        explicit = bool(_NAMING.search(found.group()))
        if explicit or len(told) <= _FEW:
            return f"{question[: found.start()]}these papers{question[found.end() :]}"
    if papers == 1 and _IT.search(question) and len(told) <= _VERY_FEW and not _NAMED.search(question):
        return question
    return ""
