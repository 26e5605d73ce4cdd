"""Offline evaluation: suites of questions, resumable runs, metrics with intervals, reports and comparisons.

    from eval import compute_metrics, load_suite, run_suite

`python -m eval.example` is a small program that uses it; `citable eval --help` is the same from the command line.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eval.comparing import compare_records, comparison_markdown
    from eval.datasets import find_suites, load_suite
    from eval.making import make_suite
    from eval.report import report_html
    from eval.running import Run, run_suite
    from eval.scoring import compute_metrics
    from eval.storage import read_manifest, read_records
    from eval.summary import summary_markdown

_HOMES = {
    "Run": "running", "compare_records": "comparing", "comparison_markdown": "comparing", "compute_metrics": "scoring",
    "find_suites": "datasets", "load_suite": "datasets", "make_suite": "making", "read_manifest": "storage",
    "read_records": "storage", "report_html": "report", "run_suite": "running", "summary_markdown": "summary",
}  # fmt: skip
__all__ = [
    "Run",
    "compare_records",
    "comparison_markdown",
    "compute_metrics",
    "find_suites",
    "load_suite",
    "make_suite",
    "read_manifest",
    "read_records",
    "report_html",
    "run_suite",
    "summary_markdown",
]


def __getattr__(name: str) -> Any:
    # Looked up when used: the engine takes seconds to import, and `citable --help` needs none of it.
    if name in _HOMES:
        return getattr(import_module(f"eval.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'eval' has no attribute {name!r}")
