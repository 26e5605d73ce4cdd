"""Answers against questions with known answers: which paper was cited, which key facts stand there. Pure.

A question is an object with `question`, `gold` (titles of the papers that answer it; empty if none does) and
`nuggets` (key facts, each a list of alternatives, matched as substrings without case). An answer is what
`citable ask --json` prints.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.identity import normalise_title


@dataclass(frozen=True, slots=True)
class Score:
    """What one answer got right. Fields that do not apply to its question are None."""

    answered: bool
    gold_cited: bool | None
    gold_first: bool | None
    nuggets_in_answer: bool | None
    nuggets_in_evidence: bool | None
    citations: int
    invalid: int
    seconds: float
    first_token: float | None


def score(question: Mapping[str, Any], answer: Mapping[str, Any], abstracts: Mapping[str, str]) -> Score:
    """Compare one answer with its question; `abstracts` maps paper keys to the indexed text.

    A citation is invalid if it was not in the evidence shown to the model, or if its quote is not, character for
    character, at its offsets in the abstract. An answer without citations has cited no gold paper.
    """
    gold = {normalise_title(title) for title in question.get("gold", ())}
    nuggets = question.get("nuggets") or ()
    cited = [normalise_title(citation["title"]) for citation in answer["citations"]]
    quotes = " ".join(citation["quote"] for citation in answer["citations"])
    text = answer["answer"]
    shown = {(item["paper"], item["sentence"]) for item in answer["evidence"]}
    return Score(
        answered=not answer["refused"],
        gold_cited=any(title in gold for title in cited) if gold else None,
        gold_first=(normalise_title(answer["hits"][0]["title"]) in gold if answer["hits"] else False) if gold else None,
        nuggets_in_answer=has_nuggets(text, nuggets) if nuggets else None,
        nuggets_in_evidence=has_nuggets(f"{text} {quotes}", nuggets) if nuggets else None,
        citations=len(cited),
        invalid=sum(not _valid(citation, shown, abstracts) for citation in answer["citations"]),
        seconds=answer["timings"]["total"],
        first_token=answer["timings"].get("first_token"),
    )


def has_nuggets(text: str, nuggets: Sequence[Sequence[str]]) -> bool:
    """Whether each nugget stands in `text` in one of its forms."""
    text = text.casefold()
    return all(any(form.casefold() in text for form in nugget) for nugget in nuggets)


def _valid(citation: Mapping[str, Any], shown: set[tuple[str, int]], abstracts: Mapping[str, str]) -> bool:
    abstract = abstracts.get(citation["paper"], "")
    quoted = bool(citation["quote"]) and abstract[citation["start"] : citation["end"]] == citation["quote"]
    return quoted and (citation["paper"], citation["sentence"]) in shown


def share(values: Sequence[bool | None]) -> tuple[float, int]:
    """Share of true among the values that apply, and their number; (nan, 0) if none does."""
    applying = [value for value in values if value is not None]
    return (sum(applying) / len(applying) if applying else float("nan")), len(applying)
