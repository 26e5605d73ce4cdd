"""Runs of an evaluation with the real bundled models: resumable, comparable, and honest about what is missing."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.cli import main
from eval.datasets import load_suite
from eval.holdout import looks
from eval.running import choose, parses, run_suite
from eval.storage import RecordsFile, read_manifest, read_records
from rag.config import Config
from rag.errors import IndexBusyError, InputError, UsageError
from tests.records import cited, record, reply

QUESTIONS: list[dict[str, Any]] = [
    {"id": "q1", "kind": "fact", "question": "How many carbon atoms did the dominant cluster have?",
     "gold": ["C60: Buckminsterfullerene"], "nuggets": [["60"]]},
    {"id": "q2", "kind": "find", "question": "Which work recorded ripples of space from two colliding black holes?",
     "gold": ["Observation of Gravitational Waves from a Binary Black Hole Merger"]},
    {"id": "q3", "kind": "none", "subkind": "far", "question": "How is sourdough bread kept from going stale?"},
    {"id": "q4", "kind": "fact", "question": "Which two functions does a programmer write for MapReduce?",
     "gold": ["MapReduce: Simplified Data Processing on Large Clusters", "A paper that is not there"],
     "nuggets": [["map"], ["reduce"]]},
    {"id": "q5", "kind": "followup", "history": ["What is AlphaFold?"], "question": "What does it take as its input?",
     "gold": ["Highly accurate protein structure prediction with AlphaFold"]},
]  # fmt: skip


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("suite") / "five.jsonl"
    file.write_text("".join(json.dumps(question) + "\n" for question in QUESTIONS), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def whole(questions: Path, indexed: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    told: list[str] = []
    run_suite(load_suite(questions), indexed, folder, counterfactual=1.0, tell=told.append)
    assert told == ["1 gold papers are not in the index; they count as not found:", "  q4: A paper that is not there"]
    return folder


def without_timings(folder: Path) -> list[str]:
    lines = (folder / "records.jsonl").read_bytes().decode().splitlines()
    return [json.dumps({**json.loads(line), "timings": None}) for line in lines]


def test_a_run_records_all_that_the_metrics_need(whole: Path) -> None:
    records = {item.question.id: item for item in read_records(whole)}
    assert list(records) == ["q1", "q2", "q3", "q4", "q5"]
    first = records["q1"]
    assert first.reply is not None
    assert not first.reply.refused
    assert first.ranking[0].key == first.gold[0].key == first.hits[0].key
    assert len(first.ranking) == 12
    assert first.reply.parsed
    assert all(citation.verbatim for citation in first.reply.citations)
    assert {"search", "first_token", "total", "peak_memory"} <= first.timings.keys()
    assert first.counterfactual is not None
    assert first.gold[0].key in first.counterfactual.without
    assert first.gold[0].key not in first.counterfactual.cited
    far = records["q3"]
    assert far.reply is not None
    assert far.reply.refused
    assert far.refusal_score > 0 > first.refusal_score
    assert [bool(gold.key) for gold in records["q4"].gold] == [True, False]
    assert records["q5"].query == "What is AlphaFold? What does it take as its input?"
    assert records["q1"].query == records["q1"].question.question


def test_a_manifest_names_what_the_answers_depend_on(whole: Path) -> None:
    manifest = read_manifest(whole)
    assert manifest["models"]["llm"]["sha256"]
    assert manifest["models"]["embedding"]["sha256"]
    assert manifest["models"]["embedding"]["name"] == manifest["config"]["embedding_model"] == "bundled"  # not "auto"
    assert manifest["index"]["papers"] == 12
    assert "answer_user.txt" in manifest["prompts"]
    assert manifest["packages"]["llama-cpp-python"]
    assert manifest["config"]["answer_threshold"] == Config.answer_threshold
    assert manifest["machine"]["llm_threads"] >= 1


def test_the_score_comes_from_the_records_alone(
    whole: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("manifest.json", "records.jsonl"):
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    assert main(["score", str(tmp_path)]) == 0
    assert "| fact" in capsys.readouterr().out
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["gold_not_in_index"] == 1
    assert metrics["slices"]["all"]["metrics"]["valid citations"]["value"] == 1.0
    assert metrics["slices"]["none: far"]["metrics"]["rightly refused"]["value"] == 1.0
    assert metrics["slices"]["fact"]["metrics"]["R@100"]["value"] == 0.75
    # A gate that is not met has an exit code of its own.
    assert main(["compare", str(whole), str(tmp_path), "--fail-below", "R@10=-0.01"]) == 0
    assert main(["compare", str(whole), str(tmp_path), "--fail-below", "find/R@10=0.5"]) == 8
    assert "gate not met: find/R@10 changed by +0.0000" in capsys.readouterr().err
    assert main(["compare", str(whole), str(tmp_path), "--fail-below", "nonsense=0"]) == 2
    assert main(["report", str(tmp_path)]) == 0
    assert "<html" in (tmp_path / "report.html").read_text()


def test_a_killed_run_goes_on_and_equals_an_uninterrupted_one(
    questions: Path, indexed: Config, whole: Path, tmp_path: Path
) -> None:
    """SIGKILL before the first answer, after two and after four; the last one leaves a torn line."""
    out = tmp_path / "run"
    for answers in (0, 2, 4):
        process = subprocess.Popen(
            [sys.executable, "-m", "eval", "run", str(questions), "--out", str(out), "--index", str(indexed.index_dir),
             "--set", "context_tokens=1024", "--counterfactual", "1"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=Path(__file__).parents[1],
            env={**os.environ, "CITABLE_HOME": str(indexed.home)},
        )  # fmt: skip
        deadline = time.monotonic() + 200
        while not (out / "manifest.json").is_file() or _lines(out) < answers:
            assert process.poll() is None, process.communicate()[0].decode()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert answers <= _lines(out) < 5
    with (out / "records.jsonl").open("ab") as file:
        file.write(b'{"question": {"id": "q5", "kind": "foll')
    counted: list[tuple[int, int]] = []
    kept = _lines(out)
    run = run_suite(
        load_suite(questions),
        indexed,
        out,
        counterfactual=1.0,
        progress=lambda done, total: counted.append((done, total)),
    )
    assert counted == [(done, 5) for done in range(kept, 6)]
    assert without_timings(out) == without_timings(whole)
    assert [item.question.id for item in run.records] == ["q1", "q2", "q3", "q4", "q5"]
    for name in ("run.trec", "qrels.trec"):
        assert (out / name).read_text().split("citable-")[0] == (whole / name).read_text().split("citable-")[0]


def _lines(out: Path) -> int:
    return (out / "records.jsonl").read_bytes().count(b"\n") if (out / "records.jsonl").is_file() else 0


def test_a_full_disk_loses_nothing(
    questions: Path,
    indexed: Config,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = [
        "run",
        str(questions),
        "--out",
        str(tmp_path / "run"),
        "--retrieval-only",
        "--index",
        str(indexed.index_dir),
    ]
    synced: list[int] = []
    real = os.fsync

    def fsync(file: int) -> None:
        synced.append(file)
        if len(synced) == 4:  # The manifest and two records are through.
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file)

    monkeypatch.setattr("os.fsync", fsync)
    assert main(command) == 1
    assert "No space left on device. Check the disk" in capsys.readouterr().err
    assert [item.question.id for item in read_records(tmp_path / "run")][:2] == ["q1", "q2"]
    assert main(command) == 0
    assert [item.question.id for item in read_records(tmp_path / "run")] == ["q1", "q2", "q3", "q4", "q5"]


def test_each_look_at_a_locked_suite_is_logged(
    questions: Path,
    indexed: Config,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    suite = tmp_path / "locked.jsonl"
    suite.write_bytes(questions.read_bytes())
    monkeypatch.chdir(tmp_path)
    run = ["run", "locked.jsonl", "--holdout", "--retrieval-only", "--index", str(indexed.index_dir)]
    assert main([*run, "--out", "a"]) == 0
    assert "looked at 1 time." in capsys.readouterr().out
    assert main([*run, "--out", "b", "--set", "rankings=bm25"]) == 0
    monkeypatch.chdir(tmp_path / "b")
    assert main(["report", "."]) == 0
    assert main(["compare", "../a", "."]) == 0
    assert "looked at 5 times" in capsys.readouterr().out
    assert [look["by"] for look in looks(suite)] == ["run", "run", "report", "compare", "compare"]
    assert [look["run"] for look in looks(suite)] == ["a", "b", "b", "a", "b"]
    assert "looked at 3 times" in (tmp_path / "b" / "report.html").read_text()


def test_another_run_is_not_mixed_in(questions: Path, indexed: Config, whole: Path) -> None:
    before = (whole / "records.jsonl").read_bytes()
    with pytest.raises(UsageError, match=r"config\.papers"):
        run_suite(load_suite(questions), replace(indexed, papers=3), whole, counterfactual=1.0)
    with pytest.raises(UsageError, match=r"selection\.digest"):
        run_suite(load_suite(questions), indexed, whole, counterfactual=1.0, limit=2)
    assert (whole / "records.jsonl").read_bytes() == before


def test_retrieval_alone_needs_no_language_model(questions: Path, indexed: Config, tmp_path: Path) -> None:
    config = replace(indexed, llm=str(tmp_path / "missing.gguf"), rankings="bm25")
    first = run_suite(load_suite(questions), config, retrieval_only=True, limit=4, seed=1)
    again = run_suite(load_suite(questions), config, retrieval_only=True, limit=4, seed=1)
    assert first.folder == again.folder
    assert len(first.records) == 4
    assert first.records[0].reply is None
    assert set(first.records[0].hits[0].parts) == {"bm25"}
    with pytest.raises(UsageError, match="rerank_papers"):
        run_suite(load_suite(questions), replace(config, rerank_papers=5), retrieval_only=True)


def test_one_process_works_on_a_run(questions: Path, indexed: Config, tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / "run.lock"), pytest.raises(IndexBusyError, match="another process"):
        run_suite(load_suite(questions), indexed, tmp_path, retrieval_only=True)


def test_a_paper_left_out_is_as_if_it_were_not_there(indexed: Config, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    line = {**QUESTIONS[0], "kind": "none", "gold": [], "nuggets": [], "without": ["C60: Buckminsterfullerene"]}
    file.write_text(json.dumps(line) + "\n", encoding="utf-8")
    told: list[str] = []
    (left,) = run_suite(load_suite(file), indexed, tmp_path / "run", retrieval_only=True, tell=told.append).records
    assert len(left.ranking) == 11
    assert "C60" not in " ".join(hit.title for hit in left.hits)
    assert told == []


def test_a_question_that_cannot_be_asked_is_recorded(indexed: Config, tmp_path: Path) -> None:
    file = tmp_path / "long.jsonl"
    line = {
        "id": "long",
        "kind": "fact",
        "question": "Why is it " + "so very long " * 700 + "?",
        "gold": ["C60: Buckminsterfullerene"],
    }
    file.write_text(json.dumps(line) + "\n", encoding="utf-8")
    (failed,) = run_suite(load_suite(file), indexed, tmp_path / "run").records
    assert failed.error.startswith("UsageError: the question is too long")
    assert failed.reply is None


def test_test_collections_are_indexed_for_themselves(indexed: Config, tmp_path: Path) -> None:
    home = tmp_path / "home2"
    suite = load_suite(Path(__file__).parent / "fixtures" / "smart")
    run_suite(suite, replace(Config(), home=home, rankings="bm25"), retrieval_only=True)
    run = run_suite(suite, replace(Config(), home=home), retrieval_only=True)
    assert {item.key.split(":")[0] for record in run.records for item in record.ranking} == {"id"}
    assert any(gold.key for record in run.records for gold in record.gold)
    manifest = read_manifest(run.folder)
    assert manifest["notes"] == list(suite.notes)
    assert any("-1" in note for note in suite.notes)


def test_a_limit_draws_at_random_and_keeps_the_order() -> None:
    everything = [item.question for item in (record(f"q{i}", gold={"a": 1}) for i in range(50))]
    drawn = choose(everything, 10, 3)
    assert drawn == choose(everything, 10, 3) != choose(everything, 10, 4)
    assert [everything.index(question) for question in drawn] == sorted(
        everything.index(question) for question in drawn
    )
    assert choose(everything, 99, 0) == everything
    with pytest.raises(UsageError, match="at least 1"):
        choose(everything, 0, 0)


def test_a_torn_line_is_dropped_and_a_broken_one_is_named(tmp_path: Path) -> None:
    one = record("q1", gold={"a": 1}, ranking=["a"], said=reply([cited(1, "a")]))
    with RecordsFile(tmp_path) as file:
        file.append(one)
    with (tmp_path / "records.jsonl").open("ab") as torn:
        torn.write(b'{"question"')
    assert read_records(tmp_path) == [one]
    with RecordsFile(tmp_path) as file:
        file.append(replace(one, error="x"))
    assert [item.error for item in read_records(tmp_path)] == ["", "x"]
    with (tmp_path / "records.jsonl").open("ab") as broken:
        broken.write(b"{}\n")
    with pytest.raises(InputError, match=r"records\.jsonl:3"):
        read_records(tmp_path)


@pytest.mark.parametrize(
    ("raw", "ended", "right"),
    [
        ("It is so. [1] And so. [2] [1]", True, True),
        ("It is so. [1] And so", False, True),
        ("It is so. [1", False, True),
        ("The papers do not say.", True, True),
        ("", True, True),
        ("Nothing cited at all.", True, False),
        ("It is so. [1] And so", True, False),
        ("It is so. [3] More", False, False),
        ("It is so. [0]", True, False),
        ("It [is [ so ]] x", False, False),
        ("[1] [2]", True, False),
    ],
)
def test_the_form_of_an_answer(raw: str, ended: bool, right: bool) -> None:
    assert parses(raw, 2, ended=ended) is right


@pytest.mark.parametrize(
    ("raw", "ended", "right"),
    [
        ("[2] [1]", True, True),
        ("[2] [", False, True),
        ("[2] [2]", True, False),
        ("[3]", True, False),
        ("So.", True, False),
    ],
)
def test_the_form_of_a_choice(raw: str, ended: bool, right: bool) -> None:
    assert parses(raw, 2, ended=ended, writing="quote") is right
    assert parses(raw, 2, ended=ended, writing="free")


def test_bad_usage_is_told_before_models_are_loaded(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: Any) -> None:
        raise AssertionError("a model is loaded")

    monkeypatch.setattr("rag.build.load_embedder", none)
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id": "a"}\n')
    assert main(["run", str(bad)]) == 3
    assert "bad.jsonl:1: kind" in capsys.readouterr().err
    assert main(["run", "sample", "--counterfactual", "2"]) == 2
    assert main(["run", "sample", "--option", "x"]) == 2
    assert main(["score", str(tmp_path)]) == 3
    (tmp_path / "manifest.json").write_text("[]")
    assert main(["score", str(tmp_path)]) == 3
    assert main(["list"]) == 0
    assert "sample: 34 questions" in capsys.readouterr().out


def test_the_example_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from eval import example

    monkeypatch.setenv("CITABLE_HOME", str(tmp_path))
    example.main()
    out = capsys.readouterr().out
    assert "find, gold paper first: " in out
    assert "without BM25, Success@1: " in out
