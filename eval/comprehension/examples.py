"""The made-up papers and what is asked of them -> examples to train and to test the reader on. Pure, but for reading.

Each line of `papers/*.jsonl` is a paper with `title` and `sentences`, and lists of what is asked and claimed of it:
`fair` and `find` questions are answered by it, `near` ones are not; `false` ones take something for granted that the
sentences `s` contradict, or that stands nowhere; `true` claims hold, `wrong` ones do not. Papers, questions and claims
are made up, so none is one that Citable is measured on.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.comprehension_network import Outcome

PAPERS = Path(__file__).parent / "papers"
# Every eighth paper of a file is for testing alone.
_HELD_OUT = 8
_ALIKE = 6  # papers from which a paper is asked questions that are not its own
_FOREIGN = 6  # such questions of each


@dataclass(frozen=True, slots=True)
class Example:
    """A question, or a claim, to a paper. `kind` is the list that it stands in; `sentences` decide the outcome."""

    text: str
    kind: str
    outcome: Outcome
    sentences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """A made-up paper with all that is asked of it."""

    title: str
    sentences: tuple[str, ...]
    examples: tuple[Example, ...]
    held_out: bool


def load_papers(folder: Path = PAPERS) -> list[Paper]:
    """All papers of a folder, each with questions that belong to papers like it besides its own."""
    rows = [(place, row) for path in sorted(folder.glob("*.jsonl")) for place, row in enumerate(_lines(path))]
    papers = [
        Paper(row["title"], tuple(row["sentences"]), tuple(_examples(row)), place % _HELD_OUT == _HELD_OUT - 1)
        for place, row in rows
    ]
    return _with_foreign(papers)


def as_claim(text: str) -> str:
    """A claim as the reader is given it."""
    return f"Claim: {text}"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())


def _examples(row: dict[str, Any]) -> Iterator[Example]:
    for kind in ("fair", "find"):
        for item in row[kind]:
            yield Example(item["q"], kind, Outcome.ANSWERED, tuple(item.get("s", ())))
    for item in row["near"]:
        yield Example(item["q"], "near", Outcome.ABSENT, ())
    for item in row["false"]:
        yield Example(item["q"], "false" if item["s"] else "made up", _wrong(item), tuple(item["s"]))
    for item in row["true"]:
        yield Example(as_claim(item["c"]), "true", Outcome.ANSWERED, tuple(item["s"]))
    for item in row["wrong"]:
        kind = "wrong" if item["s"] else "unfounded"
        yield Example(as_claim(item["c"]), kind, _wrong(item), tuple(item["s"]))


def _wrong(item: dict[str, Any]) -> Outcome:
    return Outcome.CONTRADICTED if item["s"] else Outcome.ABSENT


def _with_foreign(papers: Sequence[Paper]) -> list[Paper]:
    """Questions to other papers, which share many words with a paper, are not answered by it."""
    words = [frozenset(" ".join([paper.title, *paper.sentences]).lower().split()) for paper in papers]
    draw = random.Random(1)  # noqa: S311  no secret
    found = []
    for place, paper in enumerate(papers):

        def unlike(other: int, place: int = place) -> float:
            return -len(words[place] & words[other]) / len(words[place] | words[other])

        others = (i for i, other in enumerate(papers) if i != place and other.held_out == paper.held_out)
        nearest = sorted(others, key=unlike)[:_ALIKE]
        asked = [
            one for other in nearest for one in papers[other].examples if one.kind in ("fair", "find", "false", "true")
        ]
        foreign = [
            Example(one.text, "foreign claim" if one.kind == "true" else "foreign", Outcome.ABSENT, ())
            for one in draw.sample(asked, min(_FOREIGN, len(asked)))
        ]
        found.append(Paper(paper.title, paper.sentences, (*paper.examples, *foreign), paper.held_out))
    return found
