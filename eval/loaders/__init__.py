"""Test collections in local files -> suites. One module a layout; this one holds what the layouts share.

A layout module has `LAYOUT`, its name; `looks_like(path) -> bool`, which looks at names or at the start of a file; and
`load(path, options) -> Suite`, which reads and checks questions and judgements, and leaves the papers to `Corpus.read`.
Whatever is wrong with a file is an InputError. Nothing here downloads, indexes or scores.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.records import Corpus, Kind, Question, Suite
from rag.errors import InputError
from rag.identity import own_key
from rag.records import Paper, Skipped


@dataclass(frozen=True, slots=True)
class Judgements:
    """Grades (1 or more) by query and document, with an empty entry for a query that was judged in vain.

    `rejected` judgements have a grade below 1; `repeated` ones are for a query and document judged before.
    """

    relevant: Mapping[str, Mapping[str, int]]
    rejected: int
    repeated: int


def files_like(folder: Path, pattern: str) -> list[Path]:
    """Files right in `folder` whose whole name, in lower case, matches `pattern`.

    Hidden files and logs of locks are left aside.
    """
    if not folder.is_dir():
        return []
    names = (
        file
        for file in folder.iterdir()
        if not file.name.startswith(".") and file.name != "holdout.jsonl" and file.is_file()
    )
    return sorted(file for file in names if re.fullmatch(pattern, file.name.lower()))


def only_file(folder: Path, pattern: str, what: str) -> Path:
    """The one file like `pattern`. Raises InputError if there is none, or more than one."""
    found = files_like(folder, pattern)
    if len(found) != 1:
        names, advice = (", ".join(file.name for file in found), "Leave one") if found else ("none", "Add it")
        raise InputError(f"{folder}: exactly one file with {what} is needed; found: {names}. {advice}.")
    return found[0]


def choose(options: Mapping[str, str], known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """A value for each known option: the one in `options`, else the first known. Raises InputError for others."""
    for name, value in options.items():
        if name not in known:
            raise InputError(f"option {name!r} is unknown here. Known: {', '.join(known) or 'none'}.")
        if value not in known[name]:
            raise InputError(f"option {name}={value!r} is unknown. Known: {', '.join(known[name])}.")
    return {name: options.get(name, values[0]) for name, values in known.items()}


def digest(files: Iterable[Path], options: Mapping[str, str] | None = None) -> str:
    """16 hex digits over the content of `files`, in their order, and the options. Raises InputError."""
    total = hashlib.sha256(json.dumps(options or {}, sort_keys=True).encode())
    for path in files:
        try:
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise unreadable(path, error) from None
    return total.hexdigest()[:16]


def wrong(path: Path, line: int, problem: str) -> InputError:
    """The error of a line (0: of the file); `problem` says what is wrong and what to do."""
    return InputError(f"{path}:{line}: {problem}" if line else f"{path}: {problem}")


def unreadable(path: Path, error: OSError | UnicodeDecodeError) -> InputError:
    """The error of a file that cannot be opened or is not UTF-8 text."""
    if isinstance(error, UnicodeDecodeError):
        return InputError(f"{path}: not UTF-8 text (byte {error.start}). Save it as UTF-8 text and try again.")
    return InputError(f"{path}: cannot be read ({error.strerror}). Check the path and its permissions.")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, with their numbers. Raises InputError."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None


def objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON Lines file, with their line numbers. Raises InputError."""
    for number, line in lines(path):
        try:
            record = json.loads(line)
        except ValueError as error:
            raise wrong(path, number, f"not JSON ({error}). Write one object a line.") from None
        if not isinstance(record, dict):
            raise wrong(path, number, "not a JSON object. Write one object a line.")
        yield number, record


def text_of(record: Mapping[str, Any], path: Path, line: int, *names: str, needed: bool = True) -> str:
    """The first field of `names` that is there, a number as text. Raises InputError if it is no text, or missing."""
    for name in names:
        value = record.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            if needed and not str(value).strip():
                raise wrong(path, line, f"field {name!r} is empty. Give it a text.")
            return str(value).strip()
        if value is not None:
            raise wrong(path, line, f"field {name!r} is no text. Write it as a string.")
    if needed:
        raise wrong(path, line, f"field {' or '.join(map(repr, names))} is missing. Add it.")
    return ""


def queries_of(path: Path, rows: Iterable[tuple[int, str, str]]) -> dict[str, str]:
    """Query texts by id from rows `(line, id, text)`, in order. Raises InputError for an id that comes twice."""
    queries: dict[str, str] = {}
    for line, query, text in rows:
        if query in queries:
            raise wrong(path, line, f"query {query!r} is there a second time. Give each query an id of its own.")
        queries[query] = text
    return queries


def integer(path: Path, line: int, text: str, what: str) -> int:
    """`text` as an integer. Raises InputError."""
    if not re.fullmatch(r"[+-]?\d+(\.0+)?", text):
        raise wrong(path, line, f"{what} {text!r} is no whole number. Correct it.")
    return int(text.partition(".")[0])


def judge(path: Path, rows: Iterable[tuple[int, str, str, int]], queries: Mapping[str, str], hint: str) -> Judgements:
    """Judgements from rows `(line, query, document, grade)`; of repeated ones the highest grade counts.

    Raises InputError, with `hint`, for a judgement of a query that is not in `queries`.
    """
    relevant: dict[str, dict[str, int]] = {}
    seen: set[tuple[str, str]] = set()
    rejected = repeated = 0
    for line, query, document, grade in rows:
        if query not in queries:
            raise wrong(path, line, f"query {query!r} is judged, but it is not among the queries. {hint}")
        grades = relevant.setdefault(query, {})
        repeated += (query, document) in seen
        seen.add((query, document))
        if grade < 1:
            rejected += 1
        else:
            grades[document] = max(grade, grades.get(document, 0))
    return Judgements(relevant, rejected, repeated)


def papers(path: Path, documents: Iterable[tuple[int, str, str, str]]) -> Iterator[Paper | Skipped]:
    """A paper for each document `(line, id, title, text)`; one without text has its title quoted in place of it.

    Raises InputError for an id that comes twice. Holds the ids in memory, never the texts.
    """
    seen: set[str] = set()
    for line, document, title, text in documents:
        if document in seen:
            raise wrong(path, line, f"document {document!r} is there a second time. Give each document its own id.")
        seen.add(document)
        if text:
            yield Paper(title=title, abstract=text, source=str(path), own_id=document)
        elif title:
            yield Paper(title="", abstract=title, source=str(path), own_id=document)
        else:
            yield Skipped(str(path), line, f"document {document!r} has neither title nor text")


def jsonl_corpus(name: str, path: Path, ids: Sequence[str] = ("_id",), texts: Sequence[str] = ("text",)) -> Corpus:
    """The papers of a JSON Lines file with an id, an optional title and a text in each line. Raises InputError."""

    def documents() -> Iterator[tuple[int, str, str, str]]:
        for line, record in objects(path):
            document, title = text_of(record, path, line, *ids), text_of(record, path, line, "title", needed=False)
            if not any(text in record for text in texts):
                raise wrong(path, line, f"field {' or '.join(map(repr, texts))} is missing. Add it.")
            yield line, document, title, text_of(record, path, line, *texts, needed=False)

    return Corpus(name, digest([path]), lambda: papers(path, documents()))


def find_suite(
    path: Path,
    layout: str,
    options: Mapping[str, str],
    files: Iterable[Path],
    corpus: Corpus,
    queries: Mapping[str, str],
    judged: Judgements,
    notes: Sequence[str],
) -> Suite:
    """The suite of a retrieval collection, with what was left out added to `notes`; `files` are all that were read.

    Raises InputError if no query has a relevant document.
    """
    questions = tuple(
        Question(query, Kind.FIND, text, gold={own_key(key): grade for key, grade in judged.relevant[query].items()})
        for query, text in queries.items()
        if judged.relevant.get(query)
    )
    if not questions:
        raise InputError(f"{path}: no question is left: none has a relevant document. Check that the files fit.")
    unjudged = len(queries) - len(judged.relevant)
    in_vain = len(judged.relevant) - len(questions)
    notes = [f"{len(questions)} of {len(queries)} queries are asked.", *notes]
    if unjudged or in_vain:
        notes.append(f"Queries left out: {unjudged} without any judgement, {in_vain} without a relevant document.")
    if judged.repeated:
        notes.append(f"Documents judged again for the same query: {judged.repeated}. The highest grade counts.")
    name = path.resolve().name
    return Suite(name, path, layout, digest(files, options), questions, corpus, tuple(notes))
