"""Citable's own layout: questions as JSON Lines, alone or in a folder with `suite.toml`.

`suite.toml` may hold `name`, `notes` (a list of sentences) and `corpus`: "sample" for the bundled papers, or a list of
files and patterns relative to the folder. A file alone, and a folder without `corpus`, ask about the user's index.
"""

import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from eval.records import Corpus, Kind, Question, Suite
from rag.bundled_sample import sample_path
from rag.errors import InputError
from rag.readers import find_files, read_papers
from rag.records import Paper, Skipped

LAYOUT = "citable"
QUESTIONS = "questions.jsonl"
PROGRESS = "making.jsonl"
_ANSWERED_BY_PAPERS = frozenset(Kind) - {Kind.NONE}


class _Line(BaseModel):
    """A line of a questions file. `why` and `about` are for its human readers."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, coerce_numbers_to_str=True)

    id: str = Field(min_length=1)
    kind: Kind
    question: str = Field(min_length=1)
    subkind: str = ""
    history: tuple[str, ...] = ()
    gold: dict[str, int] = Field(default_factory=dict)
    nuggets: tuple[tuple[str, ...], ...] = ()
    answer: str = ""
    points: tuple[str, ...] = ()
    count: int | None = None
    without: tuple[str, ...] = ()
    generated: bool = False
    why: str = Field(default="", exclude=True)
    about: str = Field(default="", exclude=True)

    @field_validator("history", mode="before")
    @classmethod
    def _user_turns(cls, turns: Any) -> Any:
        if not isinstance(turns, list):
            return turns
        said = [turn for turn in turns if not isinstance(turn, dict) or turn.get("role", "user") == "user"]
        return [turn.get("content") if isinstance(turn, dict) else turn for turn in said]

    @field_validator("gold", mode="before")
    @classmethod
    def _grades(cls, gold: Any) -> Any:
        return dict.fromkeys(gold, 1) if isinstance(gold, list) else gold

    @field_validator("nuggets", mode="before")
    @classmethod
    def _alternatives(cls, nuggets: Any) -> Any:
        if not isinstance(nuggets, list):
            return nuggets
        return [[nugget] if isinstance(nugget, str) else nugget for nugget in nuggets]

    @model_validator(mode="after")
    def _consistent(self) -> "_Line":
        if self.kind is Kind.NONE and self.gold:
            raise ValueError("a question of kind 'none' has no gold paper")
        if self.kind in _ANSWERED_BY_PAPERS and not self.gold:
            raise ValueError(f"a question of kind '{self.kind}' names the papers that answer it in 'gold'")
        if any(grade < 1 for grade in self.gold.values()):
            raise ValueError("grades in 'gold' are 1 or more")
        if any(not nugget or not all(nugget) for nugget in self.nuggets):
            raise ValueError("a nugget is a list of wordings, none of them empty")
        return self


def looks_like(path: Path) -> bool:
    """A folder with `questions.jsonl`, or any other JSON Lines file."""
    return (path / QUESTIONS).is_file() or (path.is_file() and path.suffix in (".jsonl", ".ndjson"))


def load(path: Path, options: Mapping[str, str]) -> Suite:
    """The suite at `path`. Raises InputError naming file and line for what cannot be read, is double or is missing."""
    if options:
        raise InputError(f"{path}: Citable's own layout has no options ({', '.join(options)}). Leave out --option.")
    file = path / QUESTIONS if path.is_dir() else path
    questions = read_questions(file)
    settings = _settings(path / "suite.toml") if path.is_dir() else {}
    hasher = hashlib.sha256(file.read_bytes())
    return Suite(
        name=str(settings.get("name") or (path.name if path.is_dir() else path.stem)),
        path=path.resolve(),
        layout=LAYOUT,
        digest=hasher.hexdigest()[:16],
        questions=tuple(questions),
        corpus=_corpus(path, settings),
        notes=tuple(settings.get("notes", ())),
    )


def read_questions(file: Path) -> list[Question]:
    """The questions of a JSON Lines file. Raises InputError as `load` does."""
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")  # splitlines would also cut at U+2028
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read as UTF-8 text ({error}). Check the path and the file.") from None
    questions = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        question = _question(line, f"{file}:{number}")
        if question.id in seen:
            raise InputError(f"{file}:{number}: id {question.id!r} stands in line {seen[question.id]} too. Rename one.")
        seen[question.id] = number
        questions.append(question)
    if not questions:
        raise InputError(f"{file}: holds no questions. Each line is an object with id, kind, question and gold.")
    return questions


def _question(line: str, place: str) -> Question:
    try:
        return Question(**dict(_Line.model_validate(json.loads(line)).model_dump()))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        what = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            what = f"unknown field. Known are {', '.join(_Line.model_fields)}"
        raise InputError(f"{place}: {field + ': ' if field else ''}{what}. Correct the line.") from None
    except ValueError as error:
        raise InputError(f"{place}: not JSON ({error}). Each line is one object.") from None


def _settings(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: not a readable TOML file ({error}). Correct it.") from None
    if unknown := settings.keys() - {"name", "corpus", "notes"}:
        raise InputError(f"{file}: unknown setting {sorted(unknown)[0]!r}. Known are name, corpus and notes.")
    corpus = settings.get("corpus", "sample")
    if corpus != "sample" and not (_are_strings(corpus) and corpus):
        raise InputError(f'{file}: corpus is "sample" or a list of paths.')
    if not isinstance(settings.get("name", ""), str):
        raise InputError(f"{file}: name is a text.")
    if not _are_strings(settings.get("notes", [])):
        raise InputError(f"{file}: notes is a list of sentences.")
    return settings


def _are_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _corpus(path: Path, settings: Mapping[str, Any]) -> Corpus | None:
    named = settings.get("corpus")
    if named is None:
        return None
    if named == "sample":
        return corpus_of_files("sample", [sample_path()])
    return corpus_of_files(str(settings.get("name") or path.name), [path / item for item in named])


def corpus_of_files(name: str, paths: Sequence[Path | str]) -> Corpus:
    """Files of papers as a corpus. Raises InputError for a path that holds none."""
    files = sorted(source.path for source in find_files(paths))
    hasher = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            hasher.update(hashlib.file_digest(content, "sha256").digest())

    def read() -> Iterator[Paper | Skipped]:
        for file in files:
            yield from read_papers(file)

    return Corpus(name, hasher.hexdigest()[:16], read)


def count_kinds(questions: Sequence[Question]) -> Counter[str]:
    """How many questions there are of each kind."""
    return Counter(question.kind.value for question in questions)
