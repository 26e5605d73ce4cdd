"""A path or name -> a suite, whatever its layout. Knows where suites are; the layouts know how they are read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from eval.loaders import beir, native, pubmedqa, smart, trec
from eval.loaders.native import PROGRESS
from eval.records import Suite
from rag.errors import InputError


class Layout(Protocol):
    """What a module of `eval.loaders` offers; it may raise InputError."""

    def looks_like(self, path: Path) -> bool:
        """Whether the file or folder has this layout."""

    def load(self, path: Path, options: Mapping[str, str]) -> Suite:
        """The suite at `path`."""


# The most telling first: a BEIR folder also holds .jsonl files, a TREC folder may hold a BEIR corpus.
_LAYOUTS: tuple[Layout, ...] = (native, beir, pubmedqa, smart, trec)
_KNOWN = (
    "Known are a questions file (JSON Lines), a folder with questions.jsonl, BEIR folders, SMART/Cranfield folders, "
    "TREC topics with qrels, and PubMedQA's ori_pqal.json"
)


def bundled_suites() -> Path:
    """The folder of the suites that come with Citable."""
    return Path(__file__).parent / "suites"


def load_suite(
    name: str | Path,
    *,
    home: Path | None = None,
    options: Mapping[str, str] | None = None,
    corpus: Sequence[str | Path] = (),
) -> Suite:
    """The suite at a path, or the bundled one or the one in `home`/suites of that name.

    `corpus` names files of papers that replace the suite's own. Raises InputError, before anything slow is done, for a
    path that is not there, an unknown layout, and whatever cannot be read, with file and line.
    """
    path = _find(name, home)
    for layout in _LAYOUTS:
        if layout.looks_like(path):
            suite = replace(layout.load(path, options or {}), path=path.resolve())
            return replace(suite, corpus=native.corpus_of_files(suite.name, corpus)) if corpus else suite
    raise InputError(f"{path}: no suite of a known layout. {_KNOWN}.")


def find_suites(home: Path | None = None) -> Iterator[Path]:
    """The bundled suites and those in `home`/suites, by name."""
    for folder in (bundled_suites(), *([home / "suites"] if home else [])):
        if folder.is_dir():
            found = (path for path in folder.iterdir() if not path.name.startswith((".", "_")))
            # The log of a locked suite lies beside it; a folder without questions is one that is still being made.
            yield from sorted(
                path for path in found if not path.name.endswith("holdout.jsonl") and not (path / PROGRESS).exists()
            )


def _find(name: str | Path, home: Path | None) -> Path:
    path = Path(name).expanduser()
    if path.exists():
        return path
    for known in find_suites(home):
        if known.name == str(name):
            return known
    names = ", ".join(known.name for known in find_suites(home)) or "none"
    raise InputError(f"{name}: no such file, folder or suite. Give a path, or one of the suites here: {names}.")
