"""What the command lines have in common: settings from arguments, errors as one line, progress bars.

A package adds commands of its own through an entry point in the group `citable.commands`: its name is the command, its
value a function `main(argv, prog) -> exit code` whose docstring's first line is the help text.
"""

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from tqdm import tqdm

from rag.config import Config, load_config
from rag.errors import CitableError, UsageError
from rag.models import is_server
from rag.reach import Reach, check_url, reach, sent_to

EXIT_CODES = """exit codes: 0 done; 1 other error; 2 wrong usage (an empty or too long question, a bad setting); 3 input
missing or not readable; 4 no index yet; 5 the index was built with another embedding model or version, or its parts do
not agree; 6 a model is missing or cannot be loaded; 7 another process uses the index; 8 a gate of an evaluation was not
met; 130 interrupted"""


def add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace, Config], int | None],
    text: str,
) -> argparse.ArgumentParser:
    """The parser of a command with the options that all have; `run` gets its arguments and the configuration."""
    about = text[0].upper() + text[1:] + "."
    parser = commands.add_parser(name, help=text, description=about, parents=[_common_options()])
    parser.set_defaults(run=run)
    return parser


def _common_options() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("common options")
    group.add_argument("--index", metavar="NAME", help="name or path of the index (default: papers)")
    group.add_argument("--config", type=Path, metavar="FILE", help="TOML file with settings")
    group.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting, for instance llm=./model.gguf"
    )
    group.add_argument("--debug", action="store_true", help="show what goes on, and where errors come from")
    return common


def config_of(args: argparse.Namespace) -> Config:
    """The configuration that the common options ask for. Raises UsageError."""
    overrides = dict(key_value(item, "--set") for item in args.set)
    if args.index:
        overrides["index"] = args.index
    return load_config(args.config, overrides)


def warn_of_server(config: Config) -> None:
    """Tell on standard error if the language model is on a server outside the user's own network.

    Raises UsageError if its URL is none that a server can have.
    """
    if is_server(config.llm) and (where := reach(check_url(config.llm))) is Reach.OUTSIDE:
        print(f"citable: {sent_to(config.llm, where)}", file=sys.stderr)


def key_value(item: str, option: str) -> tuple[str, str]:
    """`KEY=VALUE` as a pair. Raises UsageError, which names `option`, for anything else."""
    key, separator, value = item.partition("=")
    if not separator or not key.strip():
        raise UsageError(f"{option} {item!r}: write it as KEY=VALUE.")
    return key.strip(), value.strip()


def run_reporting(command: Callable[[], int | None], *, debug: bool) -> int:
    """Run `command` and return its exit code; what goes wrong is told in one line on standard error."""
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR)
    try:
        return int(command() or 0)
    except CitableError as error:
        if debug:
            traceback.print_exc()
        print(f"citable: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader (`| head`) has gone; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if debug:
            traceback.print_exc()
        print(
            f"citable: {error}. Check the disk and the permissions, then run the same command again.", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        print("\ncitable: interrupted. What is done is kept; the same command goes on from there.", file=sys.stderr)
        return 130


@contextmanager
def progress_bar(doing: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A progress callback `(done, total)` that shows rate and time left on standard error."""
    bars: list[tqdm[Any]] = []

    def progress(done: int, total: int) -> None:
        if not bars:
            bars.append(tqdm(total=total, initial=done, unit=unit, desc=doing, file=sys.stderr))
        bars[0].update(done - bars[0].n)

    try:
        yield progress
    finally:
        for bar in bars:
            bar.close()


def added_commands() -> Sequence[EntryPoint]:
    """The commands that installed packages add."""
    return sorted(entry_points(group="citable.commands"), key=lambda entry: entry.name)
