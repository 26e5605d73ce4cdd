"""Every test has an empty home of its own; the real bundled models are loaded once for all that need them."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import pytest

from rag.build import Engine, index_papers
from rag.bundled_sample import sample_path
from rag.config import Config
from rag.embedding import SentenceEmbedder
from rag.llm import LlamaModel
from rag.models import embedding_path, llm_path

# The bundled models alone, also where others have been fetched.
os.environ["CITABLE_MODELS"] = str(Path(__file__).parent / "no-models")

SHARED_PAPERS = Path(__file__).resolve().parents[2] / "shared" / "papers"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CITABLE_HOME", str(home / "citable"))
    for name in list(os.environ):
        if name.startswith("CITABLE_") and name not in ("CITABLE_HOME", "CITABLE_MODELS"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def embedder() -> SentenceEmbedder:
    return SentenceEmbedder("bundled", embedding_path("bundled"))


@pytest.fixture(scope="session")
def llm() -> Iterator[LlamaModel]:
    model = LlamaModel(llm_path("bundled"), context_tokens=1024)
    yield model
    model.close()


@pytest.fixture(scope="session")
def sample_lines() -> list[str]:
    return sample_path().read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory, sample_lines: list[str]) -> Config:
    """A dozen papers of the sample, indexed with the real embedding model."""
    folder = tmp_path_factory.mktemp("indexed")
    papers = folder / "papers.jsonl"
    papers.write_text("\n".join(sample_lines[::6]) + "\n", encoding="utf-8")
    config = replace(Config(), home=folder, context_tokens=1024)
    index_papers(config, [papers])
    return config


@pytest.fixture(scope="session")
def engine(indexed: Config) -> Iterator[Engine]:
    with Engine(indexed) as ready:
        yield ready


@pytest.fixture
def shared_papers() -> list[Path]:
    files = sorted(SHARED_PAPERS.glob("*.txt"))
    if not files:
        pytest.skip(f"the two page-text files are not at {SHARED_PAPERS}")
    return files
