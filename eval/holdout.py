"""Locked suites: each look at their score is written down beside them, so that a reader can see how often it was used.

The log of the folder `NAME` is `NAME/holdout.jsonl`, that of the file `NAME.jsonl` is `NAME.holdout.jsonl`. Its first
line locks the suite; each further line is a look.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.errors import InputError


def log_path(suite: Path) -> Path:
    """Where the looks at a suite are logged."""
    return suite / "holdout.jsonl" if suite.is_dir() else suite.with_suffix(".holdout.jsonl")


def is_locked(suite: Path) -> bool:
    """Whether the suite is locked."""
    return log_path(suite).is_file()


def lock(suite: Path, digest: str) -> None:
    """Lock a suite; one that is locked already stays as it is. Raises InputError if the log cannot be written."""
    if not is_locked(suite):
        _append(log_path(suite), {"event": "locked", "date": _now(), "suite": digest})


def looks(suite: Path) -> list[dict[str, Any]]:
    """The logged looks, oldest first. Raises InputError for a log that cannot be read."""
    path = log_path(suite)
    if not path.is_file():
        return []
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the log of looks cannot be read ({error}). Mend it; do not delete it.") from None
    return [dict(line) for line in lines if line.get("event") == "look"]


def look(manifest: Mapping[str, Any], doing: str, folder: Path) -> int | None:
    """Log a look at the score of the run in `folder` if its suite is locked.

    Returns the number of looks so far, this one among them; None for a suite that is not locked. A suite is locked if
    it is now or was when the run began. Raises InputError where a look cannot be logged: then there is no score. This
    counts what goes through the commands; it does not keep anybody from reading records or copying the suite.
    """
    suite = Path(manifest["suite_path"])
    if not (manifest.get("locked") or is_locked(suite)):
        return None
    if not suite.exists():
        raise InputError(
            f"{suite} is a locked suite and is not there, so that this look cannot be logged. Put it back."
        )
    line = {
        "event": "look",
        "date": _now(),
        "suite": manifest["suite"]["digest"],
        "by": doing,
        "run": folder.resolve().name,
    }
    _append(log_path(suite), line)
    return len(looks(suite))


def _append(path: Path, line: Mapping[str, object]) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(
            f"{path}: looks at a locked suite must be logged, and this cannot be written ({error.strerror}). Make the "
            "place writable."
        ) from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
