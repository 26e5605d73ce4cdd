"""What a run was made with: enough to know whether two runs can be compared, and to make one again."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from eval.holdout import is_locked
from eval.records import Question, Suite
from rag import models
from rag.build import Engine, SearchEngine
from rag.config import Config
from rag.digests import sha256_of

_PACKAGES = (
    "citable", "llama-cpp-python", "chromadb", "sentence-transformers", "transformers", "torch", "numpy",
    "snowballstemmer", "tantivy", "ir-measures", "pytrec-eval-terrier", "scipy", "rouge-score",
)  # fmt: skip
# What must be the same for a run to be gone on with; the rest is told for the reader.
_BINDING = ("suite", "selection", "mode", "config", "index", "models", "prompts", "code", "packages")


def make_manifest(
    suite: Suite,
    questions: Sequence[Question],
    config: Config,
    engine: SearchEngine,
    *,
    seed: int,
    limit: int | None,
    mode: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest of a run about to begin."""
    settings = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(config).items()}
    for place in ("home", "index"):
        # Where an index lies does not matter, what is in it does: its digest stands below.
        settings.pop(place)
    llm: dict[str, Any] | None = None
    if isinstance(engine, Engine) and models.is_server(config.llm):
        llm = {"name": engine.llm.name, "sha256": None, "bytes": None, "server": dict(engine.findings())}
    elif not mode["retrieval_only"]:
        path = models.llm_path(config.llm)
        llm = {"name": path.name, "sha256": sha256_of(path), "bytes": path.stat().st_size}
        if isinstance(engine, Engine):
            llm |= {"parameters": engine.llm.parameters, "writing": engine.writing}
    reranker = engine.cross_encoder
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "name": suite.name,
        "notes": list(suite.notes),
        "suite": {"layout": suite.layout, "digest": suite.digest},
        "suite_path": str(suite.path),
        "locked": is_locked(suite.path),
        "selection": {
            "limit": limit,
            "seed": seed,
            "questions": len(questions),
            "digest": sha256("\n".join(question.id for question in questions).encode()).hexdigest()[:16],
        },
        "mode": dict(mode),
        "config": settings,
        "index": {"papers": engine.catalog.counts().indexed, "sha256": engine.catalog.digest()},
        "index_path": str(config.index_dir),
        "models": {
            "llm": llm,
            "embedding": {"name": config.embedding_model, "sha256": engine.embedder.digest},
            # None where the language model puts papers in order, or none does.
            "reranker": {"name": reranker.name, "sha256": reranker.digest} if reranker else None,
        },
        "prompts": {
            file.name: sha256_of(file) for file in sorted((Path(models.__file__).parents[1] / "prompts").glob("*.txt"))
        },
        "code": _code(),
        "llama_cpp": engine.llm.build if isinstance(engine, Engine) else None,
        "packages": {name: _version(name) for name in _PACKAGES},
        "machine": _machine(engine),
    }


def binding(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a manifest that must not change between the beginning and the end of a run."""
    bound = {name: manifest.get(name) for name in _BINDING}
    # The commit is for the reader: one that leaves the engine and the prompts alone changes no answer.
    bound["code"] = (manifest.get("code") or {}).get("sha256")
    # Another processor rounds differently.
    return {**bound, "cpu": (manifest.get("machine") or {}).get("cpu"), "llama_cpp": manifest.get("llama_cpp")}


def fingerprint(manifest: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits over the binding part."""
    return sha256(repr(sorted(binding(manifest).items())).encode()).hexdigest()[:8]


def _code() -> dict[str, Any]:
    """Commit of this source tree and whether files differ from it; a digest of sources, prompts and weights decides."""
    root = Path(models.__file__).parents[1]
    sources = sorted(path for folder in ("rag", "prompts") for path in (root / folder).rglob("*") if path.is_file())
    hasher = sha256()
    for path in sources:
        if path.suffix in (".py", ".txt", ".json", ".safetensors"):
            hasher.update(path.read_bytes())
    commit = _git(root, "rev-parse", "HEAD")
    dirty = bool(_git(root, "status", "--porcelain", "--untracked-files=no")) if commit else None
    return {"commit": commit or None, "dirty": dirty, "sha256": hasher.hexdigest()}


def _git(root: Path, *arguments: str) -> str:
    if not (root / ".git").exists():
        return ""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30)  # noqa: S603, S607
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _machine(engine: SearchEngine) -> dict[str, Any]:
    llm = engine.llm if isinstance(engine, Engine) else None
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cpu": _cpu(),
        "logical_cores": os.cpu_count(),
        "llm_threads": llm.threads if llm else None,
    }


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
