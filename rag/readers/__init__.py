"""Source files -> papers. One module a format; this one finds the files and the format.

A format module has `looks_like(head) -> bool`, which sees the start of a file, and `read(lines, source)`, which
yields `Paper` and `Skipped` records in the order of the file. To add a format, write the module and name it in
`_FORMATS`; the order matters only where a file could pass for two formats.
"""

import glob
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from rag.errors import InputError
from rag.readers import jsonl, pagetext
from rag.records import Paper, Skipped
from rag.unseen import without_unseen

_FORMATS = (jsonl, pagetext)
_SUFFIXES = (".jsonl", ".ndjson", ".txt")
_HEAD_CHARS = 20_000
# Longer than any abstract; a book in one line must not become one.
_MAX_ABSTRACT = 50_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read; `named` if the user gave its own path, not a folder or pattern that holds it."""

    path: Path
    named: bool


def find_files(paths: Iterable[str | Path]) -> list[SourceFile]:
    """Files named by `paths`: files, folders (searched for .jsonl, .ndjson and .txt) and patterns such as `*.txt`.

    Raises InputError for a path that does not exist or holds no such file, and for a named file of no known format.
    """
    files: dict[Path, SourceFile] = {}
    for given in paths:
        path = Path(given).expanduser()
        named = path.is_file()
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file())
        elif path.exists():
            found = [path]
        else:
            found = sorted(Path(name) for name in glob.glob(str(path), recursive=True) if Path(name).is_file())  # noqa: PTH207
        if not found:
            what = "no .jsonl, .ndjson or .txt file in this folder" if path.is_dir() else "no such file"
            raise InputError(f"{given}: {what}. Give the path of a file or folder with paper abstracts.")
        for file in found:
            if named:
                _format(file)
            files.setdefault(file.resolve(), SourceFile(file.resolve(), named))
    return list(files.values())


def read_papers(path: Path) -> Iterator[Paper | Skipped]:
    """Papers and skipped pieces of one file, in order.

    Raises InputError if the file cannot be read, is not text, is of no known format, or holds no paper at all.
    """
    module = _format(path)
    papers = 0
    first: Skipped | None = None
    try:
        with path.open(encoding="utf-8-sig") as file:
            for record in module.read(file, str(path)):
                record = checked(record)
                papers += isinstance(record, Paper)
                first = first or (record if isinstance(record, Skipped) else None)
                yield record
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    if not papers:
        reason = f" Line {first.line}: {first.reason}." if first else ""
        raise InputError(f"{path}: no papers found in it.{reason} {_KNOWN}")


_KNOWN = "Known are JSONL with title and abstract, and the copied text of a page that lists titles and abstracts."


def _format(path: Path) -> ModuleType:
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = file.read(_HEAD_CHARS)
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    for module in _FORMATS:
        if module.looks_like(head):
            return module
    raise InputError(f"{path}: no papers found in it. {_KNOWN}")


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> InputError:
    if isinstance(error, UnicodeDecodeError):
        return InputError(f"{path}: not UTF-8 text (byte {error.start}). Save it as UTF-8 text and try again.")
    return InputError(f"{path}: cannot be read ({error.strerror}). Check the path and its permissions.")


def checked(record: Paper | Skipped) -> Paper | Skipped:
    """The paper without characters that a terminal would obey or that cannot be seen; none if its abstract is none."""
    if isinstance(record, Skipped):
        return replace(record, reason=_clean(record.reason))
    if len(record.abstract) > _MAX_ABSTRACT:
        reason = f"an abstract of {len(record.abstract)} characters is none ({_clean(record.title[:60])!r})"
        return Skipped(record.source, 0, reason)
    title, abstract = _one_line(record.title), _clean(re.sub(r"\r\n?", "\n", record.abstract))
    for name, given, seen in (("title", record.title, title), ("abstract", record.abstract, abstract)):
        if given.strip() and not seen.strip():
            return Skipped(record.source, 0, f"nothing of the {name} can be seen ({title[:60]!r})")
    return replace(
        record,
        title=title,
        abstract=abstract,
        authors=tuple(filter(None, map(_one_line, record.authors))),
        categories=tuple(filter(None, map(_one_line, record.categories))),
        venue=_one_line(record.venue),
        doi=_one_line(record.doi),
        arxiv_id=_one_line(record.arxiv_id),
        pmid=_one_line(record.pmid),
        url=_one_line(record.url),
    )


def _clean(text: str) -> str:
    return without_unseen(_CONTROL.sub(" ", text))


def _one_line(text: str) -> str:
    return " ".join(_clean(text).split())
