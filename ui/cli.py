"""The command line: index, ask, chat, papers, doctor, reindex, and what other packages add."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from threading import Event
from typing import TYPE_CHECKING, TextIO

from rag.config import Config
from rag.console import EXIT_CODES, add_command, added_commands, config_of, progress_bar, run_reporting, warn_of_server
from rag.drafting import claim_text
from rag.errors import UsageError
from rag.examples import example_questions
from rag.export import answer_to_dict
from rag.filters import EXAMPLES, combine, filter_of, lacking_words, parse_filter
from rag.models import is_server
from rag.reach import reach
from rag.records import Answer, Checked, Counts, Drafting, Filter, Finished, Found, Ranking, Reading, Token

if TYPE_CHECKING:
    from rag.build import Engine

_FILTERS = {
    "year": ("YEARS", "of this year or these years: 2020, 2020-2024, 2020-, -2019, '>=2020'"),
    "author": ("NAME", "by this author: words of the name, in any order; initials will do"),
    "venue": ("NAME", "of a journal or conference with these words in its name"),
    "category": ("NAME", "of this arXiv category: cs.LG, or cs for all of them"),
    "source": ("TEXT", "read from a file with this in its path"),
    "id": ("ID", "with this DOI, arXiv id, PMID or catalog key"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    for entry in added_commands():
        if argv and argv[0] == entry.name:
            return int(entry.load()(argv[1:], f"citable {entry.name}"))
    args = build_parser().parse_args(argv)
    return run_reporting(lambda: args.run(args, _config(args)), debug=args.debug)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="citable",
        description="Answers from your own paper abstracts, every sentence cited and checked, on your own machine.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"citable {version('citable')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    command = partial(add_command, commands)

    index = command("index", _index, "read papers from files and index them; what is known already is kept")
    index.add_argument("paths", nargs="*", metavar="PATH", help="files, folders or patterns (JSONL, copied page text)")
    index.add_argument("--sample", action="store_true", help="index the bundled sample, as index 'sample'")

    ask = command("ask", _ask, "answer one question with citations")
    ask.add_argument("question", help="the question, in quotation marks")
    ask.add_argument(
        "--json", action="store_true",
        help="print one JSON object: answer, refused, confidence (0 to 1) and confidence_needed, unmet_words, "
        "unknown_names, missing_sides (of a comparison), said_otherwise (a sentence against what the question takes "
        "for granted), claims with their verdicts, citations with the sentence, its offsets and its text, listed "
        "papers, from_record and small_talk (true for answers without the papers), hits with scores, timings in "
        "seconds, and how it was written",
    )  # fmt: skip
    ask.add_argument(
        "--after", action="append", default=[], metavar="QUESTION",
        help="a question asked before, which this one may lean on; repeat it for more, the oldest first",
    )  # fmt: skip
    ask.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="seed of the sampling; above temperature 0 another seed gives another text",
    )
    ask.add_argument("--sample", action="store_true", help="ask the bundled sample")
    _add_filters(ask, "search only papers that these let through; they can be typed in the question too")

    chat = command("chat", _chat, "open the chat page on this machine")
    chat.add_argument("--sample", action="store_true", help="chat with the bundled sample; indexes it if needed")
    chat.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    chat.add_argument("--port", type=int, default=7860, help="port to listen on (default: %(default)s)")

    papers = command("papers", _papers, "list the indexed papers")
    papers.add_argument(
        "search", nargs="?", default="", help="show only titles that contain this; filters can be in it"
    )
    papers.add_argument("--count", action="store_true", help="print only how many there are")
    papers.add_argument("--sample", action="store_true", help="of the bundled sample")
    _add_filters(papers, "show only papers that these let through")

    doctor = command("doctor", _doctor, "check the installation, the models and the index")
    doctor.add_argument("--sample", action="store_true", help="check the index of the bundled sample")

    reindex = command("reindex", _reindex, "rebuild vectors and lexical index from the catalog")
    reindex.add_argument("--sample", action="store_true", help="of the bundled sample")

    shelf = command("models", _models, "list the models that can be used here, or fetch one")
    shelf.add_argument(
        "action", nargs="?", choices=["pull"], help="pull: fetch the model NAME; goes on where it stopped"
    )
    shelf.add_argument("name", nargs="?", metavar="NAME")

    for entry in added_commands():
        # `main` hands these over before it parses; here they stand for the help alone.
        try:
            text = (entry.load().__doc__ or "").strip().partition("\n")[0]
        except ImportError as error:
            text = f"cannot be loaded: {error}"
        commands.add_parser(entry.name, help=text[:1].lower() + text[1:])
    return parser


def _add_filters(parser: argparse.ArgumentParser, text: str) -> None:
    about = (
        f"{text}: {' '.join(EXAMPLES)}. An option that is repeated lets through more, different options together less."
    )
    group = parser.add_argument_group("filters", about)
    for name, (value, explained) in _FILTERS.items():
        group.add_argument(f"--{name}", action="append", default=[], metavar=value, help=explained)


def _filter(args: argparse.Namespace) -> Filter:
    return filter_of({name: getattr(args, name) for name in _FILTERS})


def _config(args: argparse.Namespace) -> Config:
    if getattr(args, "seed", None) is not None:
        # As a setting, so that it is checked like one.
        args.set = [*args.set, f"seed={args.seed}"]
    config = config_of(args)
    if getattr(args, "sample", False):
        config = replace(config, index="sample")
    return config


def _index(args: argparse.Namespace, config: Config) -> int:
    from rag.build import SLOW_MODEL_PAPERS, index_papers
    from rag.bundled_sample import sample_path
    from rag.shelf import MPNET, fetched

    if not args.paths and not args.sample:
        raise UsageError("nothing to index. Give files or folders: citable index PATH... (or --sample)")
    if args.paths and args.sample:
        raise UsageError("--sample has an index of its own. Index your papers without it.")
    with progress_bar("indexing", "paper") as progress:
        report = index_papers(config, args.paths or [sample_path()], progress)
    added, counts = report.read.added, report.counts
    for skipped in report.read.skipped[:10]:
        place = f"{skipped.source}:{skipped.line}" if skipped.line else skipped.source
        print(f"skipped {place}: {skipped.reason}", file=sys.stderr)
    if len(report.read.skipped) > 10:
        print(f"skipped {len(report.read.skipped) - 10} more", file=sys.stderr)
    print(
        f"{report.read.files} file{'s' * (report.read.files != 1)} read: {added.new} new, {added.changed} changed, "
        f"{added.unchanged} unchanged, {added.duplicates} duplicate, {len(report.read.skipped)} skipped"
    )
    by = f" by {report.embedding_model}" if report.embedded else ""
    print(f"{report.embedded} embedded{by}; the index holds {counts.papers} papers ({config.index_dir})")
    if report.embedded > SLOW_MODEL_PAPERS and report.embedding_model == "bundled" and fetched(MPNET.name):
        print(
            f"So many are embedded by the faster model. {MPNET.name} finds more and takes some four times as long: "
            f"citable reindex --set embedding_model={MPNET.name}"
        )
    return 0


def _reindex(_: argparse.Namespace, config: Config) -> int:
    from rag.build import rebuild_index

    with progress_bar("indexing", "paper") as progress:
        count, model = rebuild_index(config, progress)
    print(f"{count} papers indexed anew by {model} ({config.index_dir})")
    return 0


def _ensure_sample(args: argparse.Namespace, config: Config) -> None:
    from rag.bundled_sample import ensure_sample

    if args.sample:
        with progress_bar("indexing", "paper") as progress:
            ensure_sample(config, progress)


def _ask(args: argparse.Namespace, config: Config) -> int:
    given = _filter(args)
    parse_filter(args.question)  # what cannot be read is told before the models are loaded
    if not (args.question.strip() or given):
        raise UsageError("the question is empty. Ask something about the papers.")
    from rag.build import Engine

    warn_of_server(config)
    _ensure_sample(args, config)
    with Engine(config) as engine:
        _warn_pending(engine.catalog.counts())
        if args.seed is not None:
            _warn_seed(config, engine)
        cancel = Event()
        subject = engine.answerer.subject_after(args.after)
        if args.json:
            answer = engine.answerer.ask(args.question, cancel, subject=subject, filter=given)
            print(json.dumps(answer_to_dict(answer), ensure_ascii=False))
        else:
            events = engine.answerer.stream(args.question, cancel, subject=subject, filter=given)
            _stream(events, sys.stdout, _Status(sys.stderr))
    return 0


def _warn_seed(config: Config, engine: "Engine") -> None:
    if not engine.answerer.writer.samples:
        print(
            "citable: the ranking chooses what is quoted, whatever the seed (--set writing=compose).", file=sys.stderr
        )
    elif config.temperature == 0:
        print("citable: at temperature 0 the seed changes nothing (--set temperature=0.7).", file=sys.stderr)


def _stream(events: object, out: TextIO, status: "_Status") -> Answer:
    """Print sentences as they are checked; what is not checked yet shows only in the status line."""
    from ui import render

    draft = ""
    status.show("searching")
    for event in events:  # type: ignore[attr-defined]
        match event:
            case Found():
                for line in render.searched_lines(event):
                    status.clear()
                    print(f"{line}\n", file=out, flush=True)
                status.show(f"reading {len(event.hits)} papers")
            case Drafting():
                draft = ""
                status.show(render.progress_words(event))
            case Ranking() | Reading():
                status.show(render.progress_words(event))
            case Token():
                draft += event.text
                status.show(f"writing: {draft.strip()}")
            case Checked():
                draft = event.rest
                if event.claim:
                    status.clear()
                    print(claim_text(event.claim), file=out, flush=True)
            case Finished():
                status.clear()
                if event.answer.refused or event.answer.listed is not None:
                    print(event.answer.text, file=out)
                if sources := render.sources_plain(event.answer):
                    print("\n" + sources, file=out)
                return event.answer
    raise AssertionError("a stream ends with Finished")


class _Status:
    """One line on a terminal that is written over and over; silent where there is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._on = stream.isatty()

    def show(self, text: str) -> None:
        if self._on:
            width = os.get_terminal_size(self._stream.fileno()).columns - 1
            line = text if len(text) <= width else "\u2026" + text[-(width - 1) :]
            self._stream.write(f"\r\x1b[2K\x1b[2m{line}\x1b[0m")
            self._stream.flush()

    def clear(self) -> None:
        if self._on:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()


def _warn_pending(counts: Counts) -> None:
    if counts.indexed < counts.papers:
        print(
            f"citable: {counts.papers - counts.indexed} of {counts.papers} papers are not indexed yet and cannot be "
            "found. Run the same `citable index` again to finish.",
            file=sys.stderr,
        )


def _chat(args: argparse.Namespace, config: Config) -> int:
    from rag.build import Engine
    from rag.index_files import require_papers

    warn_of_server(config)
    _ensure_sample(args, config)
    catalog = require_papers(config)
    try:
        _warn_pending(catalog.counts())
        papers = [entry.paper for entry in catalog.search_titles()]
    finally:
        catalog.close()
    from ui.render import promise
    from ui.serving import serve

    examples = example_questions(papers)
    where = reach(config.llm) if is_server(config.llm) else None
    heading = f"{len(papers):,} papers on this machine. {promise(config.llm, where)}"
    serve(lambda: Engine(config), heading=heading, examples=examples, host=args.host, port=args.port)
    return 0


def _papers(args: argparse.Namespace, config: Config) -> int:
    from rag.index_files import require_papers

    catalog = require_papers(config)
    try:
        search, typed = parse_filter(args.search)
        scope = catalog.scope(combine(typed, _filter(args)))
        found = list(catalog.search_titles(search, within=scope.ids if scope else None))
    finally:
        catalog.close()
    if args.count:
        print(len(found))
    else:
        for entry in found:
            print(entry.paper.title + (f" ({entry.paper.year})" if entry.paper.year else ""))
    if scope and (lacking := lacking_words(scope.filter, scope.lacking)):
        # Beside the list, not in it: what is printed may be read by another program.
        print(f"citable: {lacking}", file=sys.stderr)
    return 0


def _models(args: argparse.Namespace, _: Config) -> int:
    from ui import shelf

    if args.action:
        if not args.name:
            raise UsageError(f"pull which model? There are: {', '.join(shelf.names())}.")
        return shelf.pull(args.name)
    return shelf.show(sys.stdout)


def _doctor(_: argparse.Namespace, config: Config) -> int:
    from ui.doctor import examine

    return examine(config, sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
