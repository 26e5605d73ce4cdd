"""Imports point one way; only adapters import their vendors; only build wires adapters."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ADAPTERS = {
    "embedding",
    "store",
    "lexical",
    "acronym_store",
    "sentence_vectors",
    "tokens",
    "catalog",
    "cross_encoder",
    "comprehension",
    "llm",
    "llm_server",
}
VENDORS = {
    "chromadb": {"rag/store.py"},
    "tantivy": {"rag/lexical.py", "eval/bench/lexical.py"},
    "llama_cpp": {"rag/llm.py"},
    "sentence_transformers": {"rag/embedding.py", "rag/cross_encoder.py"},
    "torch": {
        "rag/embedding.py",
        "rag/cross_encoder.py",
        "rag/comprehension.py",
        "rag/comprehension_network.py",
        "eval/comprehension/training.py",
    },
    "safetensors": {"rag/comprehension.py"},
    "httpx": {"rag/fetching.py", "rag/http_api.py"},
    "sqlite3": {"rag/catalog.py", "rag/sqlite.py", "eval/bench/lexical.py"},
    "gradio": {"ui/app.py"},
    "ir_measures": {"eval/metrics/ranking.py"},
    "scipy": {"eval/metrics/intervals.py", "eval/metrics/refusals.py"},
    "rouge_score": {"eval/metrics/answers.py"},
    "sklearn": {"eval/calibrating.py"},
    "matplotlib": {"eval/plots.py"},
    "jinja2": {"eval/report.py"},
}
# What stages above the adapters may know by name; `tryout` and the benchmarks look at an adapter alone.
WIRING = {
    "rag/build.py",
    "rag/loading.py",
    "rag/bundled_sample.py",
    "rag/index_files.py",
    "rag/tryout.py",
    "eval/bench/llm.py",
    "eval/comprehension/training.py",
}
TYPED_BY = {"rag/ingest.py": {"catalog"}, "rag/retrieval.py": {"catalog"}, "eval/bench/scale.py": {"catalog"}}
PURE = {
    "records", "errors", "identity", "terms", "latex", "spelling", "acronyms", "sentences", "chunking", "fusion",
    "evidence", "grammar", "citations", "verification", "refusal", "followup", "listing", "prompting", "export",
    "examples", "straying", "drafting", "words", "leaning", "breadth", "orders", "unseen", "answerability", "filters",
    "matching", "mentions", "narrowing", "arxiv_categories", "plausible", "schema", "control", "repetition", "worth",
    "checking", "signals", "reading", "objections", "premises", "placing", "quantities", "wording",
    "defining", "unknown_names", "record_questions", "small_talk", "collection", "venues",
    "not_held", "last_answer", "spoken",
    "sides", "both_sides", "side_by_side", "judged",
}  # fmt: skip


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", sources("rag"), ids=name)
def test_the_engine_knows_neither_ui_nor_eval(path: Path) -> None:
    assert not {i.split(".")[0] for i in imports(path)} & {"ui", "eval", "tests"}


@pytest.mark.parametrize("path", sources("ui", "eval"), ids=name)
def test_ui_and_eval_do_not_know_each_other(path: Path) -> None:
    other = "eval" if name(path).startswith("ui/") else "ui"
    assert other not in {i.split(".")[0] for i in imports(path)}


@pytest.mark.parametrize("path", sources("rag", "ui", "eval"), ids=name)
def test_vendors_are_imported_by_their_adapter_only(path: Path) -> None:
    for vendor, allowed in VENDORS.items():
        if vendor in {i.split(".")[0] for i in imports(path)}:
            assert name(path) in allowed, f"{name(path)} imports {vendor}"


@pytest.mark.parametrize("path", sources("rag", "ui", "eval"), ids=name)
def test_adapters_are_wired_in_build_only(path: Path) -> None:
    if name(path) in WIRING:
        return
    used = {i.split(".")[1] for i in imports(path) if i.startswith("rag.")} & ADAPTERS
    assert used - {path.stem} <= TYPED_BY.get(name(path), set())


@pytest.mark.parametrize("path", [ROOT / "rag" / f"{stem}.py" for stem in sorted(PURE)], ids=name)
def test_pure_modules_build_on_pure_modules_only(path: Path) -> None:
    used = {i.split(".")[1] for i in imports(path) if i.startswith("rag.")}
    assert used <= PURE
