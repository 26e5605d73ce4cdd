"""`python -m eval.example`: is BM25 worth having? Compares two configurations on the bundled sample in a minute."""

from dataclasses import replace

from eval import compare_records, compute_metrics, load_suite, run_suite
from rag.config import load_config


def main() -> None:
    """Run the sample suite with and without BM25, searching only, and print what differs."""
    config = load_config()
    suite = load_suite("sample")
    hybrid = run_suite(suite, config, retrieval_only=True)
    dense = run_suite(suite, replace(config, rankings="passage,sentence"), retrieval_only=True)

    found = compute_metrics(hybrid.records)["slices"]["find"]["metrics"]["Success@1"]
    print(f"find, gold paper first: {found['value']:.2f} [{found['low']:.2f}, {found['high']:.2f}] of {found['n']}")
    for row in compare_records(hybrid.records, dense.records).rows:
        if row.slice == "all" and row.metric in ("Success@1", "R@10"):
            print(f"without BM25, {row.metric}: {row.difference.value:+.3f} (p {row.p:.2f})")


if __name__ == "__main__":
    main()
