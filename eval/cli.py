"""The commands of `citable eval`, also as `python -m eval`: list, run, score, report, compare,
train-comprehension, calibrate, make-questions, verification.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import AUTO, Config
from rag.console import EXIT_CODES, add_command, config_of, key_value, progress_bar, run_reporting, warn_of_server
from rag.errors import InputError, UsageError

if TYPE_CHECKING:
    from eval.records import Record, Suite


def main(argv: Sequence[str] | None = None, prog: str = "python -m eval") -> int:
    """Measure answers, citations, refusals and speed on questions with known answers

    Returns the exit code.
    """
    args = build_parser(prog).parse_args(argv)
    return run_reporting(lambda: args.run(args, config_of(args)), debug=args.debug)


def build_parser(prog: str) -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(prog=prog, description=main.__doc__.splitlines()[0], epilog=EXIT_CODES)  # type: ignore[union-attr]
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    command = partial(add_command, commands)

    listing = command("list", _list, "list the suites that can be run by name, or show what is in one")
    listing.add_argument("suite", nargs="?", help="path or name of a suite to look into")
    _suite_options(listing)

    run = command("run", _run, "ask the questions of a suite, write a run folder and show the score")
    run.add_argument("suite", help="questions file, suite folder, test collection, or the name of a suite")
    _suite_options(run)
    run.add_argument("--limit", type=int, metavar="N", help="only N questions, drawn at random by --seed")
    run.add_argument("--seed", type=int, default=0, metavar="S", help="seed of all that is drawn (default: 0)")
    run.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: under eval/runs in the data folder)")
    run.add_argument("--retrieval-only", action="store_true", help="search, but let nothing be written")
    run.add_argument(
        "--counterfactual", type=float, default=0.2, metavar="SHARE",
        help="share of the questions to ask again without the papers that were cited, 0 to 1 (default: 0.2)",
    )  # fmt: skip
    run.add_argument(
        "--holdout", action="store_true", help="lock the suite: each look at its score is logged from now on"
    )

    score = command("score", _score, "compute the metrics of a run again, from its records alone")
    score.add_argument("run_folder", type=Path, metavar="DIR", help="run folder")
    score.add_argument("--json", action="store_true", help="print metrics.json instead of the summary")

    report = command("report", _report, "write the report of a run: one HTML file that needs nothing else")
    report.add_argument("run_folder", type=Path, metavar="DIR", help="run folder")
    report.add_argument("--out", type=Path, metavar="FILE", help="where to (default: report.html in the run folder)")

    compare = command("compare", _compare, "tell whether the second run is better than the first, and where")
    compare.add_argument("first", type=Path, metavar="A", help="run folder")
    compare.add_argument("second", type=Path, metavar="B", help="run folder")
    compare.add_argument("--out", type=Path, metavar="FILE", help="write the comparison there too, as Markdown")
    compare.add_argument(
        "--fail-below", action="append", default=[], metavar="METRIC=DIFFERENCE",
        help="exit with 8 if B - A of a metric, or of SLICE/METRIC, is below this, for instance R@10=-0.01; repeatable",
    )  # fmt: skip

    train = command(
        "train-comprehension", _train_comprehension, "train what reads papers for questions; takes half an hour"
    )
    train.add_argument("--epochs", type=int, default=0, metavar="N", help="passes over the data (default: 4)")
    train.add_argument(
        "--out", type=Path, metavar="FILE", help="file of the weights (default: where Citable reads them)"
    )

    calibrate = command("calibrate", _calibrate, "fit what decides on refusals, for each embedding model that is here")
    calibrate.add_argument("--write", action="store_true", help="put the weights where Citable reads them")

    make = command("make-questions", _make_questions, "make a suite from the papers of the index, without labels")
    make.add_argument("--papers", type=int, default=50, metavar="N", help="papers to draw (default: 50)")
    make.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the drawing (default: 0)")
    make.add_argument(
        "--mode",
        choices=("cloze", "model"),
        default="cloze",
        help="a gap in a sentence, or a question by the language model, which must be an able one (default: cloze)",
    )
    make.add_argument(
        "--unanswerable",
        type=float,
        default=0.3,
        metavar="SHARE",
        help="share of the questions asked once more with their paper left out (default: 0.3)",
    )
    make.add_argument("--out", type=Path, metavar="DIR", help="suite folder (default: under suites in the data folder)")

    check = command("verification", _verification, "measure the check of answers on true and false claims")
    check.add_argument("--write", action="store_true", help="write the weights that the checks of answers use")
    return parser


def _suite_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--corpus", nargs="+", default=[], metavar="PATH",
        help="files of papers to ask about, in place of the suite's own or of the index",
    )  # fmt: skip
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE",
        help="of a test collection, for instance split=dev (BEIR) or grades=binary (SMART); may be repeated",
    )  # fmt: skip


def _load(args: argparse.Namespace, config: Config) -> "Suite":
    from eval.datasets import load_suite

    options = dict(key_value(item, "--option") for item in args.option)
    return load_suite(args.suite, home=config.home.expanduser(), options=options, corpus=args.corpus)


def _list(args: argparse.Namespace, config: Config) -> None:
    from eval.datasets import find_suites, load_suite
    from eval.holdout import is_locked, looks
    from eval.loaders.native import count_kinds

    home = config.home.expanduser()
    suites = [_load(args, config)] if args.suite else []
    for path in () if args.suite else find_suites(home):
        try:
            suites.append(load_suite(path, home=home))
        except InputError as error:
            print(f"citable: cannot be run: {error}", file=sys.stderr)
    for suite in suites:
        kinds = ", ".join(f"{count} {kind}" for kind, count in count_kinds(suite.questions).items())
        about = f"on {suite.corpus.name!r}" if suite.corpus else "on the index"
        locked = f"; locked, {len(looks(suite.path))} looks" if is_locked(suite.path) else ""
        print(f"{suite.name}: {len(suite.questions)} questions ({kinds}) {about}{locked}")
        if args.suite:
            print(f"  layout {suite.layout}, digest {suite.digest}, {suite.path}")
            for note in suite.notes:
                print(f"  {note}")


def _run(args: argparse.Namespace, config: Config) -> int:
    from eval.holdout import lock
    from eval.running import run_suite

    if not 0 <= args.counterfactual <= 1:
        raise UsageError(f"--counterfactual {args.counterfactual}: must lie between 0 and 1.")
    suite = _load(args, config)
    if not args.retrieval_only:
        warn_of_server(config)
    if args.holdout:
        lock(suite.path, suite.digest)
    with progress_bar("indexing", "paper") as indexing, progress_bar("asking", "question") as progress:
        run = run_suite(
            suite,
            config,
            args.out,
            limit=args.limit,
            seed=args.seed,
            retrieval_only=args.retrieval_only,
            counterfactual=0.0 if args.retrieval_only else args.counterfactual,
            indexing=indexing,
            progress=progress,
            tell=lambda text: print(text, file=sys.stderr),
        )
    _show(run.folder, "run", as_json=False)
    print(f"\nThe run lies in {run.folder}\nRead it: citable eval report {run.folder}")
    return 0


def _score(args: argparse.Namespace, _: Config) -> None:
    _show(args.run_folder, "score", as_json=args.json)


def _show(folder: Path, doing: str, *, as_json: bool) -> None:
    """Compute the metrics anew from the records, write them down, and print them."""
    from eval.scoring import compute_metrics
    from eval.storage import METRICS, write_json, write_whole
    from eval.summary import summary_markdown

    run = _look(folder, doing)
    metrics = compute_metrics(run.records)
    write_json(folder / METRICS, metrics)
    text = summary_markdown(run.manifest, metrics, run.looks)
    write_whole(folder / "summary.md", text)
    print((folder / METRICS).read_text(encoding="utf-8") if as_json else text, end="")


@dataclass(frozen=True)
class _Looked:
    """A run as it was read for its score; `looks` counts those at a locked suite."""

    manifest: dict[str, Any]
    records: "list[Record]"
    looks: int | None


def _look(folder: Path, doing: str) -> _Looked:
    """Read a run, logging the look if its suite is locked."""
    from eval.holdout import look
    from eval.storage import read_manifest, read_records

    manifest, records = read_manifest(folder), read_records(folder)
    if not records:
        raise UsageError(f"{folder}: the run has no records yet. Run it: citable eval run")
    if len(records) < manifest["selection"]["questions"]:
        asked, due = len(records), manifest["selection"]["questions"]
        print(f"citable: the run is not finished, {asked} of {due} questions are answered", file=sys.stderr)
    return _Looked(manifest, records, look(manifest, doing, folder))


def _report(args: argparse.Namespace, _: Config) -> None:
    from eval.report import report_html
    from eval.scoring import compute_metrics
    from eval.storage import write_whole

    run = _look(args.run_folder, "report")
    out = args.out or args.run_folder / "report.html"
    write_whole(out, report_html(run.manifest, run.records, compute_metrics(run.records), run.looks))
    print(f"The report is {out}")


def _compare(args: argparse.Namespace, _: Config) -> int:
    from eval.comparing import compare_records, comparison_markdown, failed_gates, warnings
    from eval.storage import write_whole

    gates = [key_value(item, "--fail-below") for item in args.fail_below]
    first, second = _look(args.first, "compare"), _look(args.second, "compare")
    comparison = compare_records(first.records, second.records)
    told = warnings(first.manifest, second.manifest, comparison)
    told += [f"Locked suite: its score has been looked at {second.looks} times."] if second.looks else []
    text = comparison_markdown(comparison, args.first.name, args.second.name, told)
    print(text, end="")
    if args.out:
        write_whole(args.out, text)
    failed = failed_gates(comparison, gates)
    for line in failed:
        print(f"citable: gate not met: {line}", file=sys.stderr)
    return 8 if failed else 0


def _train_comprehension(args: argparse.Namespace, config: Config) -> None:
    from eval.comprehension.examples import load_papers
    from eval.comprehension.training import EPOCHS, WEIGHTS, table, train
    from rag.loading import load_embedder

    if args.epochs < 0:
        raise UsageError(f"--epochs {args.epochs}: must be 1 or more.")
    embedder = load_embedder(replace(config, embedding_model="bundled"))
    out = args.out or WEIGHTS
    with progress_bar("reading", "paper") as preparing, progress_bar("training", "paper") as progress:
        figures = train(
            embedder, load_papers(), out, epochs=args.epochs or EPOCHS, preparing=preparing, progress=progress,
            tell=lambda text: print(text, file=sys.stderr),
        )  # fmt: skip
    print(f"On papers held out (AUROC, share): {table(figures)}\nThe weights lie in {out}")
    if out == WEIGHTS:
        print(
            "What is fitted on what it reads is due next: citable eval calibrate --write, python -m eval.bench.quoting"
        )


def _calibrate(args: argparse.Namespace, config: Config) -> None:
    from eval.calibrating import calibrate, table, write
    from rag import shelf

    names = ["bundled", *([shelf.MPNET.name] if shelf.fetched(shelf.MPNET.name) else [])]
    names = names if config.embedding_model == AUTO else [config.embedding_model]
    found = []
    for name in names:
        with progress_bar("indexing", "paper") as indexing, progress_bar("searching", "question") as progress:
            found.append(calibrate(replace(config, embedding_model=name), indexing, progress))
        print(table(found[-1]), end="\n\n")
    if args.write:
        print(f"The weights lie in {write(found)}")


def _make_questions(args: argparse.Namespace, config: Config) -> None:
    from eval.making import make_suite

    if args.mode == "model":
        warn_of_server(config)
    with progress_bar("making", "question") as progress:
        made = make_suite(
            config, args.out, papers=args.papers, seed=args.seed, mode=args.mode, unanswerable=args.unanswerable,
            progress=progress,
        )  # fmt: skip
    print(made.told)
    print(f"Run it: citable eval run {made.folder}")


def _verification(args: argparse.Namespace, _: Config) -> None:
    from eval.verification.measuring import all_cases, measure, summary, write_weights

    measured = measure(all_cases())
    print(summary(measured), end="")
    if args.write:
        print(f"\nThe weights are written to {write_weights(measured.weights)}")


if __name__ == "__main__":
    sys.exit(main())
