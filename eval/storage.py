"""A run's folder: `manifest.json` and `records.jsonl`, written so that a run that is killed loses one question at most.

Also the exports for trec_eval, `run.trec` and `qrels.trec`. Knows nothing of models or metrics.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from eval.records import Record
from eval.trec import falling_scores, gold_key, trec_id
from rag.errors import InputError

MANIFEST = "manifest.json"
RECORDS = "records.jsonl"
METRICS = "metrics.json"
_RECORD = TypeAdapter(Record)
_PARTS = frozenset(
    {"created", "name", "notes", "suite", "suite_path", "selection", "mode", "config", "index", "models", "prompts",
     "code", "packages", "machine"}
)  # fmt: skip


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run. Raises InputError if the folder holds none."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder}: no run of an evaluation ({error}). Give the folder that `citable eval run` named."
        ) from None
    missing = _PARTS - manifest.keys() if isinstance(manifest, dict) else _PARTS
    if missing:
        raise InputError(
            f"{folder / MANIFEST}: not a manifest of this version of Citable (without {', '.join(sorted(missing))}). "
            "Run the suite again into another folder."
        )
    return dict(manifest)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder. Give the path of a file to write.")
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def write_json(path: Path, value: object) -> None:
    """`value` as indented JSON, whole or not at all."""
    write_whole(path, json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")


def read_records(folder: Path) -> list[Record]:
    """The records of a run, in order; a last line that was torn by an interruption is left out.

    Raises InputError, naming file and line, for any other line that is no record.
    """
    path = folder / RECORDS
    if not path.is_file():
        return []
    records: list[Record] = []
    for number, line in enumerate(_whole_lines(path.read_bytes()), start=1):
        try:
            records.append(_RECORD.validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(
                f"{path}:{number}: no record of this version of Citable ({'.'.join(map(str, first['loc']))}: "
                f"{first['msg'].lower()}). Run the suite again into another folder."
            ) from None
    return records


def _whole_lines(content: bytes) -> list[bytes]:
    end = content.rfind(b"\n") + 1
    return content[:end].split(b"\n")[:-1]


class RecordsFile:
    """Appends records to a run; each is on the disk when `append` returns. A context manager."""

    def __init__(self, folder: Path) -> None:
        """Open the file and cut off a torn last line."""
        path = folder / RECORDS
        self._file = path.open("ab")
        whole = sum(len(line) + 1 for line in _whole_lines(path.read_bytes()))
        self._file.truncate(whole)

    def append(self, record: Record) -> None:
        """Write one record through to the disk."""
        self._file.write(_RECORD.dump_json(record) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> "RecordsFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def write_trec(folder: Path, records: Iterable[Record], tag: str) -> None:
    """Write `run.trec` (query Q0 paper rank score tag) and `qrels.trec` (query 0 paper grade)."""
    run: list[str] = []
    qrels: list[str] = []
    for record in records:
        query = trec_id(record.question.id)
        scores = falling_scores([ranked.score for ranked in record.ranking])
        run.extend(
            f"{query} Q0 {ranked.key} {rank} {score:.6f} {tag}"
            for rank, (ranked, score) in enumerate(zip(record.ranking, scores, strict=True), start=1)
        )
        qrels.extend(f"{query} 0 {gold_key(gold.key, gold.title)} {gold.grade}" for gold in record.gold)
    write_whole(folder / "run.trec", "".join(line + "\n" for line in run))
    write_whole(folder / "qrels.trec", "".join(line + "\n" for line in qrels))


def differences(a: Mapping[str, Any], b: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The dotted names of what differs between two JSON objects."""
    found: list[str] = []
    for key in sorted(a.keys() | b.keys()):
        here, there = a.get(key), b.get(key)
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            found.extend(differences(here, there, f"{prefix}{key}."))
        elif here != there:
            found.append(f"{prefix}{key}")
    return found
