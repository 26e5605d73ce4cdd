"""`citable models`: what can be used here, what can be fetched and what machine it suits; `pull` fetches."""

import sys
from collections.abc import Sequence
from typing import TextIO

from rag import shelf
from rag.build import SLOW_MODEL_PAPERS
from rag.console import progress_bar
from rag.fetching import fetch
from rag.shelf import ShelfModel, Task

_BUNDLED = {
    Task.EMBEDDING: "all-MiniLM-L6-v2 (Apache-2.0)",
    Task.WRITING: "SmolLM2-135M-Instruct (98 MB, Apache-2.0)",
}
_SETTING = {Task.EMBEDDING: "embedding_model", Task.WRITING: "llm"}


def names() -> Sequence[str]:
    """The names that `pull` takes."""
    return list(shelf.SHELF)


def show(out: TextIO) -> int:
    """List the models by task: bundled, fetched, the user's own files, and those that can be fetched."""
    for task in Task:
        out.write(f"For {task} (--set {_SETTING[task]}=NAME)\n")
        out.write(f"  bundled: {_BUNDLED[task]}; here\n")
        if task is Task.WRITING:
            for path in shelf.own_files():
                out.write(f"  {path.name}: your own file, {path.stat().st_size / 1e6:.0f} MB; here ({path})\n")
        for model in shelf.SHELF.values():
            if model.task is task:
                out.write(_line(model))
    out.write(
        f"Other GGUF files: name them by path, or put them into {shelf.models_dir()}\n"
        "A model on a server: --set llm=http://127.0.0.1:8080/v1\n"
        "What is fetched is checked against SHA-256 digests that come with Citable. What machine a model suits is "
        "a rule of thumb.\n"
    )
    return 0


def _line(model: ShelfModel) -> str:
    place = shelf.fetched(model.name)
    state = f"here ({place})" if place else f"not here; fetch it: citable models pull {model.name}"
    return f"  {model.name}: {model.megabytes} MB, {model.licence}; {state}\n      {model.about} [{model.repo}]\n"


def pull(name: str) -> int:
    """Fetch the model `name` and say how it is used. Raises what `fetch` raises."""
    with progress_bar("fetching", "MB") as progress:
        folder = fetch(name, lambda line: print(line, file=sys.stderr), progress)
    if shelf.SHELF[name].task is Task.WRITING:
        print(f'{name} is here ({folder}). Use it: --set llm={name}, or llm = "{name}" in config.toml')
        return 0
    print(f"{name} is here ({folder}). New indexes of up to {SLOW_MODEL_PAPERS} papers use it by themselves.")
    print(f"For one that there is already: citable reindex --set embedding_model={name}")
    return 0
