"""The layout of PubMedQA: one JSON file (ori_pqal.json), an object of questions by PubMed id.

A question is the title of its paper, and its long answer the conclusion of the abstract: both stay out of the index.
The short answers (yes, no, maybe) are not used.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from eval.loaders import choose, digest, unreadable, wrong
from eval.records import Corpus, Kind, Question, Suite
from rag.errors import InputError
from rag.identity import strong_keys
from rag.records import Paper, Skipped

LAYOUT = "pubmedqa"
_HEAD_CHARS = 4096


class _Entry(BaseModel):
    question: str = Field(alias="QUESTION", pattern=r"\S")
    contexts: tuple[str, ...] = Field(alias="CONTEXTS")
    answer: str = Field(alias="LONG_ANSWER", pattern=r"\S")
    year: int | None = Field(alias="YEAR", default=None)


_ENTRIES = TypeAdapter(dict[str, _Entry])


def looks_like(path: Path) -> bool:
    """Whether `path` is a .json file that begins with an object by number that has a QUESTION."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        head = file.read(_HEAD_CHARS)
    return '"QUESTION"' in head and re.match(r'\ufeff?\s*\{\s*"\d+"\s*:\s*\{', head) is not None


def load(path: Path, options: Mapping[str, str]) -> Suite:
    """The suite of all questions in the file; there are no options.

    Raises InputError for a file that is missing or wrong, for any option, and if there is no question.
    """
    choose(options, {})
    entries = _entries(path)
    if not entries:
        raise InputError(f"{path}: no questions in it. Give a file such as ori_pqal.json.")
    questions = tuple(
        Question(
            f"pubmedqa-{pmid}", Kind.FACT, entry.question.strip(), gold={_key(pmid): 1}, answer=entry.answer.strip()
        )
        for pmid, entry in entries.items()
    )
    notes = (
        f"{len(questions)} questions are asked, each about one paper.",
        "Indexed is CONTEXTS alone, the abstract without its conclusion. The title is the question and is not indexed.",
        "LONG_ANSWER, the conclusion, gives the answer away: it is not indexed, but is the answer to compare with.",
        "The short answers (yes, no, maybe) are not used.",
    )
    name, content = path.stem, digest([path])
    corpus = Corpus(name, content, lambda: _papers(path))
    return Suite(name, path, LAYOUT, content, questions, corpus, notes)


def _key(pmid: str) -> str:
    return strong_keys(Paper("", "", pmid=pmid))[0]


def _papers(path: Path) -> Iterator[Paper | Skipped]:
    for pmid, entry in _entries(path).items():
        # Parts of an abstract: a blank line ends a sentence, even where a part has no full stop at its end.
        abstract = "\n\n".join(part.strip() for part in entry.contexts if part.strip())
        if abstract:
            yield Paper(title="", abstract=abstract, year=entry.year, pmid=pmid, source=str(path))
        else:
            yield Skipped(str(path), 0, f"record {pmid!r} has no text in CONTEXTS")


def _entries(path: Path) -> dict[str, _Entry]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for name, value in pairs:
            if name in record:
                raise InputError(f"{path}: {name!r} is there a second time. Give each record an id of its own.")
            record[name] = value
        return record

    try:
        entries = _ENTRIES.validate_python(json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=unique))
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    except json.JSONDecodeError as error:
        raise wrong(path, error.lineno, f"not JSON ({error.msg}). Get the file anew.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise InputError(f"{path}: {where}: {first['msg'].lower()}. Correct it or get the file anew.") from None
    for pmid in entries:
        if not (pmid.isascii() and pmid.isdigit()):
            raise InputError(f"{path}: record {pmid!r}: not a PubMed id. Name each record by its number.")
    return entries
