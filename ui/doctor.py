"""`citable doctor`: what is installed, whether the models work here, whether the parts of the index agree."""

import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TextIO

from rag import models, shelf
from rag.build import SLOW_MODEL_PAPERS, choose_embedding
from rag.config import AUTO, Config
from rag.digests import folder_digest, sha256_of
from rag.errors import REINDEX, CitableError
from rag.index_files import IndexFiles, index_exists, open_for_reading
from rag.loading import load_cross_encoder, load_server
from rag.reach import reach, sent_to
from rag.writing.modes import describe_writing

_PACKAGES = ("citable", "llama-cpp-python", "chromadb", "sentence-transformers", "torch", "gradio")


def examine(config: Config, out: TextIO) -> int:
    """Print the findings; returns 0 if everything needed works, else 1."""
    report = _Report(out)
    report.section("Versions")
    report.line("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in _PACKAGES:
        try:
            report.line(name, version(name))
        except PackageNotFoundError:
            report.wrong(name, f"not installed. Run: pip install {name}")
    report.section("Models")
    _embedding(config, report)
    _llm(config, report)
    if config.rerank_papers:
        _reranker(config, report)
    report.section("Index")
    _index(config, report)
    report.section("Disk")
    folder = config.index_dir
    while not folder.exists():
        folder = folder.parent
    report.line("free", f"{shutil.disk_usage(folder).free / 1e9:.1f} GB at {folder}")
    out.write("\n" + ("All is well.\n" if not report.problems else f"{report.problems} to mend, see above.\n"))
    return 1 if report.problems else 0


class _Report:
    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.problems = 0

    def section(self, name: str) -> None:
        self._out.write(f"{name}\n")

    def line(self, name: str, value: str) -> None:
        self._out.write(f"  {name:<24}{value}\n")
        self._out.flush()

    def wrong(self, name: str, value: str) -> None:
        self.problems += 1
        self.line(name, f"PROBLEM: {value}")


def _embedding(config: Config, report: _Report) -> None:
    # `auto` takes for an index that there is the model that it was built with.
    use = ", for new indexes" if config.embedding_model == AUTO else ""
    config = choose_embedding(config, None, papers=0)
    if use and config.embedding_model == shelf.MPNET.name:
        use += f" of up to {SLOW_MODEL_PAPERS} papers"
    try:
        path = Path(models.embedding_path(config.embedding_model))
    except CitableError as error:
        report.wrong("embedding model", str(error))
        return
    for name, model in shelf.SHELF.items():
        if model.task is shelf.Task.EMBEDDING and not shelf.fetched(name):
            report.line("not here", f"{name}. Fetch it: citable models pull {name}")
    if path.is_dir():
        report.line("embedding model", f"{config.embedding_model}{use} ({path}, sha256 {folder_digest(path)[:16]})")
    else:
        report.line("embedding model", f"{config.embedding_model}{use} (loaded by name, downloaded once)")


def _llm(config: Config, report: _Report) -> None:
    if models.is_server(config.llm):
        _server(config, report)
        return
    try:
        path = models.llm_path(config.llm)
    except CitableError as error:
        report.wrong("language model", str(error))
        return
    size = path.stat().st_size / 1e6
    report.line("language model", f"{config.llm} ({path.name}, {size:.0f} MB, sha256 {sha256_of(path)[:16]})")
    # Run apart: a build of llama.cpp made for another processor does not raise, it kills its process.
    command = [sys.executable, "-m", "rag.tryout", str(path)]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if tried.returncode == 0:
        about, _, parameters = tried.stdout.strip().partition("\n")
        report.line("llama.cpp", f"writes; {about}")
        report.line("writing", describe_writing(config.writing, int(parameters.split()[0])))
    elif tried.returncode < 0:
        report.wrong(
            "llama.cpp",
            f"dies with signal {-tried.returncode}: it was built for another processor or by a faulty compiler. "
            "Build it again: make llama",
        )
    else:
        last = (tried.stderr.strip().splitlines() or ["no message"])[-1]
        report.wrong("llama.cpp", f"cannot run the model ({last})")


def _server(config: Config, report: _Report) -> None:
    try:
        model = load_server(config)
    except CitableError as error:
        report.wrong("language model", str(error))
        return
    try:
        where = reach(config.llm)
        report.line("language model", f"{model.build} ({where})")
        if sent := sent_to(config.llm, where):
            report.line("sent away", sent)
        for name, value in model.findings().items():
            report.line(name, value)
        report.line("writing", describe_writing(config.writing, model.parameters))
    finally:
        model.close()


def _reranker(config: Config, report: _Report) -> None:
    reads = f"the best {config.rerank_papers} papers are read by"
    if not config.reranker:
        if models.is_server(config.llm):
            report.wrong(
                "reranker", "servers tell no likelihoods. Set reranker to a cross-encoder, or rerank_papers to 0"
            )
        else:
            report.line("reranker", f"{reads} the language model")
        return
    try:
        path = models.reranker_path(config.reranker)
        if not Path(path).is_dir():
            # What is not here yet would be downloaded by a look at it.
            report.line("reranker", f"{reads} {config.reranker} (loaded by name, downloaded once)")
            return
        model = load_cross_encoder(config)
    except CitableError as error:
        report.wrong("reranker", str(error))
        return
    report.line("reranker", f"{reads} {config.reranker} ({model.max_tokens} tokens, sha256 {model.digest[:16]})")


def _index(config: Config, report: _Report) -> None:
    report.line("place", str(config.index_dir))
    if not index_exists(config):
        report.line("papers", "no index yet; make one with: citable index PATH")
        return
    try:
        with open_for_reading(config) as parts:
            _agreement(config, parts, report)
    except CitableError as error:
        report.wrong("index", str(error))


def _agreement(config: Config, parts: IndexFiles, report: _Report) -> None:
    counts = parts.catalog.counts()
    report.line("papers", f"{counts.papers}, of them indexed {counts.indexed}")
    built, digest = parts.catalog.setting("embedding_model"), parts.catalog.setting("embedding_digest") or ""
    report.line("built with", f"{built or 'no embedding model yet'} {digest[:16]}")
    config = choose_embedding(config, built, counts.papers)
    path = Path(models.embedding_path(config.embedding_model))
    if built and built != config.embedding_model:
        report.wrong("embedding model", f"set is {config.embedding_model!r}. Set {built!r}, or: citable reindex")
    elif built and path.is_dir() and folder_digest(path) != digest:
        report.wrong("embedding model", f"its files have changed since. {REINDEX}")
    if counts.indexed < counts.papers:
        report.wrong("pending", f"{counts.papers - counts.indexed} papers. Run the same `citable index` again")
    elif wrong := parts.disagreements(config.rankings.split(",")):
        report.wrong("agreement", f"{'; '.join(wrong)}. {REINDEX}")
    else:
        report.line(
            "agreement",
            f"{counts.passages} passages in Chroma and BM25, {parts.tokens.count()} of them with token vectors, "
            f"{counts.sentences} sentences",
        )
