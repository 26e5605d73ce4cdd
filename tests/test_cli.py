"""The command line as a user types it. Errors are one line and have their exit code."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from eval import cli as eval_cli
from rag.build import Engine
from rag.bundled_sample import sample_path
from rag.config import Config, load_config
from rag.errors import UsageError
from ui import cli

ROOT = Path(__file__).resolve().parents[1]


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = cli.main(args)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def use_index(indexed: Config, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Commands find the index of the session, and its loaded models."""
    monkeypatch.setenv("CITABLE_HOME", str(indexed.home))
    monkeypatch.setattr(engine, "close", lambda: None)
    monkeypatch.setattr("rag.build.Engine", lambda config: engine)
    return indexed


def test_ask_prints_answer_and_sources(use_index: Config, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "ask", "What is the transformer architecture?")
    assert (code, err) == (0, "")
    assert "[1]" in out
    assert "\u201c" in out


def test_a_seed_that_changes_nothing_is_told(use_index: Config, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "ask", "What is the transformer architecture?", "--seed", "3", "--json")
    assert code == 0
    assert "the ranking chooses" in err
    data = json.loads(out)
    assert (data["writing"], data["sampling"]) == ("quote", None)


def test_ask_json_is_one_object(use_index: Config, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "ask", "What is the transformer architecture?", "--json")
    assert code == 0
    (line,) = out.splitlines()
    data = json.loads(line)
    assert {"answer", "claims", "citations", "hits", "timings", "refused"} <= data.keys()


def test_a_follow_up_is_asked_after_what_came_before(use_index: Config, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "ask", "What does it take as its input?", "--after", "What is AlphaFold?")
    assert code == 0
    assert out.startswith("Taken as a follow-up, searched for: What is AlphaFold? What does it take")
    assert "] Highly accurate protein structure prediction with AlphaFold" in out


def test_papers_lists_counts_and_searches(use_index: Config, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "papers", "--count")[1] == "12\n"
    listed = run(capsys, "papers")[1].splitlines()
    assert len(listed) == 12
    word = listed[0].split()[1]
    assert any(listed[0] == line for line in run(capsys, "papers", word)[1].splitlines())
    assert run(capsys, "papers", "zzzz", "--count")[1] == "0\n"


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["ask", "x"], 4, "no index yet"),
        (["papers"], 4, "no index yet"),
        (["chat"], 4, "no index yet"),
        (["reindex"], 4, "no index yet"),
        (["ask", "  "], 2, "the question is empty"),
        (["ask", "x", "--year", "soon"], 2, "year:2020-2024"),
        (["ask", "x year:2024-2020"], 2, "year:2020-2024"),
        (["ask", "", "--author", "-"], 2, "nothing to look for"),
        (["index"], 2, "nothing to index"),
        (["index", "missing.jsonl"], 3, "no such file"),
        (["ask", "x", "--set", "colour=red"], 2, "colour"),
        (["ask", "x", "--set", "candidates=many"], 2, "candidates"),
        (["ask", "x", "--set", "nonsense"], 2, "KEY=VALUE"),
        (["ask", "x", "--config", "missing.toml"], 2, "TOML"),
    ],
)
def test_errors_are_one_line_with_their_exit_code(
    capsys: pytest.CaptureFixture[str], args: list[str], code: int, message: str
) -> None:
    got, out, err = run(capsys, *args)
    assert (got, out) == (code, "")
    assert err.startswith("citable: ")
    assert len(err.splitlines()) == 1
    assert message in err


def test_a_file_that_holds_no_papers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = tmp_path / "odd.txt"
    odd.write_text("nothing here")
    code, _, err = run(capsys, "index", str(odd))
    assert code == 3
    assert "no papers found" in err


def test_an_unknown_model_is_told(indexed: Config, engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip # noqa: E501
    monkeypatch.setenv("CITABLE_HOME", str(indexed.home))
    code, _, err = run(capsys, "ask", "x", "--set", "llm=missing.gguf")
    assert code == 6
    assert "missing.gguf" in err
    code, _, err = run(capsys, "ask", "x", "--set", "embedding_model=other")
    assert code == 5
    assert "citable reindex" in err


def test_a_question_longer_than_the_context(use_index: Config, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "ask", "What is the transformer architecture? " * 300)
    assert code == 2
    assert "too long" in err


def test_doctor_finds_everything_well(use_index: Config, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "doctor")
    assert code == 0, out
    for expected in (
        "llama-cpp-python",
        "sha256",
        "GPU offload",
        "free",
        "bundled, for new indexes",
        "12, of them indexed 12",
    ):
        assert expected in out
    assert out.endswith("All is well.\n")


def test_doctor_names_a_missing_model(use_index: Config, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "doctor", "--set", "llm=missing.gguf")
    assert code == 1
    assert "PROBLEM" in out
    assert "missing.gguf" in out


def test_index_reports_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    papers = tmp_path / "two.jsonl"
    papers.write_text("\n".join(sample_path().read_text(encoding="utf-8").splitlines()[:2]) + "\nbroken\n")
    code, out, err = run(capsys, "index", str(papers))
    assert code == 0
    assert "2 new" in out
    assert "1 skipped" in out
    assert "2 embedded by bundled; the index holds 2 papers" in out
    assert "two.jsonl:3: not JSON" in err
    code, out, _ = run(capsys, "index", str(papers))
    assert "0 embedded; the index holds 2 papers" in out


def test_settings_come_from_file_environment_and_arguments(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("papers = 3\nseed = 7\ncandidates = 11\n")
    config = load_config(file, {"candidates": "13"}, {"CITABLE_SEED": "9", "CITABLE_OTHER": "x"})
    assert (config.papers, config.seed, config.candidates) == (3, 9, 13)
    with pytest.raises(UsageError, match="nothing"):
        load_config(None, {"nothing": 1}, {})
    home = tmp_path / "home"
    (home / "config.toml").write_text("papers = 4\n")
    assert load_config(None, None, {"CITABLE_HOME": str(home)}).papers == 4


def test_an_index_can_be_a_name_or_a_path(tmp_path: Path) -> None:
    assert replace(Config(), home=tmp_path, index="x").index_dir == tmp_path / "indexes" / "x"
    assert replace(Config(), index=str(tmp_path / "y")).index_dir == tmp_path / "y"


def readme_commands() -> list[str]:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    return [line.strip().split("  #")[0] for line in lines if line.startswith("    citable ")]


@pytest.mark.parametrize("command", readme_commands())
def test_the_commands_of_the_readme_are_commands(command: str) -> None:
    words = shlex.split(command)[1:]
    parser, words = (
        (eval_cli.build_parser("citable eval"), words[1:]) if words[0] == "eval" else (cli.build_parser(), words)
    )
    assert callable(parser.parse_args(words).run)


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    evaluating = ("run", "list", "report", "compare", "score", "make-questions")
    for name in ("index", "ask", "chat", "papers", "doctor", "reindex", *(f"eval {name}" for name in evaluating)):
        assert f"citable {name}" in text


def test_other_packages_add_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """`citable eval` is in the help and runs, although `ui` knows nothing of it."""
    code, out, _ = run(capsys, "eval", "list")
    assert code == 0
    assert "sample: 34 questions" in out
    assert "measure answers" in " ".join(cli.build_parser().format_help().split())
    assert run(capsys, "eval", "run", "missing.jsonl")[0] == 3


def test_filters_as_options_and_typed(use_index: Config, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "papers", "--year", "1985", "--count")[1] == "2\n"
    assert run(capsys, "papers", "--year", "-1985", "--year", ">=2020", "--count")[1] == "7\n"
    assert run(capsys, "papers", "--venue", "nature", "--author", "Kroto H")[1] == "C60: Buckminsterfullerene (1985)\n"
    assert run(capsys, "papers", "bucky author:kroto", "--count")[1] == "0\n"
    assert run(capsys, "papers", "buckminster author:kroto", "--count")[1] == "1\n"
    assert run(capsys, "papers", "--source", "papers.jsonl", "--count")[1] == "12\n"
    assert run(capsys, "papers", "--id", "1706.03762", "--id", "10.1038/318162A0", "--count")[1] == "2\n"
    lacking = "citable: 12 papers without categories in the catalog could not be looked at.\n"
    assert run(capsys, "papers", "--category", "cs", "--count") == (0, "0\n", lacking)
    assert run(capsys, "papers", "source:sink ratio", "--count") == (0, "0\n", "")

    code, out, _ = run(capsys, "ask", "What happened to ozone? year:1985", "--author", "Farman")
    assert code == 0
    assert out.startswith("Searched in 1 of 12 papers: 1985, by Farman\n\n")
    assert "] Large losses of total ozone" in out
    assert run(capsys, "ask", "", "--author", "Farman")[1].startswith("1 paper by Farman.\n\n  - Large losses")
    assert run(capsys, "ask", "Why?", "--author", "Nobody") == (
        0,
        "No paper of the collection is by Nobody.\n",
        "",
    )
    data = json.loads(run(capsys, "ask", "year:1985", "--json")[1])
    assert (data["filter"]["words"], data["filter"]["papers"]) == ("1985", 2)
