"""Suites are found and read, or refused with file and line before anything slow is done."""

import json
import shutil
from pathlib import Path

import pytest

from eval import holdout
from eval.cli import main
from eval.datasets import bundled_suites, find_suites, load_suite
from eval.loaders.native import count_kinds
from eval.records import Kind
from rag.errors import InputError
from rag.identity import normalise_title
from rag.records import Paper

GOOD = {"id": "a", "kind": "fact", "question": "How long?", "gold": ["A paper"], "nuggets": [["77", "seventy-seven"]]}


def write(folder: Path, *lines: object) -> Path:
    file = folder / "mine.jsonl"
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), "utf-8")
    return file


def test_a_questions_file(tmp_path: Path) -> None:
    follow = {
        "id": "b", "kind": "followup", "question": "And it?", "gold": {"doi:10.1/x": 2}, "why": "",
        "history": [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "That."}, "Where?"],
    }  # fmt: skip
    suite = load_suite(write(tmp_path, GOOD, "", follow))
    assert (suite.name, suite.corpus, suite.layout) == ("mine", None, "citable")
    assert suite.questions[0].gold == {"A paper": 1}
    assert suite.questions[0].nuggets == (("77", "seventy-seven"),)
    assert suite.questions[1].history == ("What?", "Where?")
    assert suite.questions[1].gold == {"doi:10.1/x": 2}
    assert suite.digest != load_suite(write(tmp_path, GOOD)).digest


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r":2: not JSON"),
        ("[]", r":2: "),
        ({**GOOD, "id": "b", "nugets": []}, r":2: nugets: unknown field. Known are id, kind"),
        ({**GOOD, "id": "b", "kind": "facts"}, r":2: kind: "),
        ({"id": "b", "kind": "fact", "gold": ["x"]}, r":2: question: "),
        ({**GOOD, "id": "b", "gold": []}, r":2: a question of kind 'fact' names the papers"),
        ({**GOOD, "id": "b", "kind": "none"}, r":2: a question of kind 'none' has no gold"),
        ({**GOOD, "id": "b", "gold": {"x": 0}}, r":2: grades"),
        ({**GOOD, "id": "b", "nuggets": [[""]]}, r":2: a nugget"),
        (GOOD, r":2: id 'a' stands in line 1 too"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_suite(write(tmp_path, GOOD, line))


def test_empty_missing_and_unknown_suites(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no questions"):
        load_suite(write(tmp_path, ""))
    with pytest.raises(InputError, match=r"no such file, folder or suite.*sample"):
        load_suite("no-such-suite")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no suite of a known layout"):
        load_suite(tmp_path / "empty")
    with pytest.raises(InputError, match="no options"):
        load_suite(write(tmp_path, GOOD), options={"split": "dev"})


def test_a_suite_folder_brings_its_papers(tmp_path: Path) -> None:
    folder = tmp_path / "suites" / "lakes"
    folder.mkdir(parents=True)
    (folder / "questions.jsonl").write_text(json.dumps(GOOD) + "\n", "utf-8")
    (folder / "papers.jsonl").write_text(
        json.dumps({"title": "A paper", "abstract": "It took 77 days."}) + "\n", "utf-8"
    )
    (folder / "suite.toml").write_text('corpus = ["papers.jsonl"]\nnotes = ["Mind this."]\n', "utf-8")
    suite = load_suite("lakes", home=tmp_path)
    assert suite.corpus is not None
    assert suite.notes == ("Mind this.",)
    assert [paper.title for paper in suite.corpus.read() if isinstance(paper, Paper)] == ["A paper"]
    (folder / "suite.toml").write_text('corpora = "sample"\n', "utf-8")
    with pytest.raises(InputError, match="unknown setting 'corpora'"):
        load_suite(folder)
    (folder / "suite.toml").write_text('corpus = ["gone.jsonl"]\n', "utf-8")
    with pytest.raises(InputError, match="no such file"):
        load_suite(folder)


def test_other_papers_can_be_asked_about(tmp_path: Path) -> None:
    papers = tmp_path / "papers.jsonl"
    papers.write_text(json.dumps({"title": "B", "abstract": "Text."}) + "\n", "utf-8")
    corpus = load_suite(bundled_suites() / "sample", corpus=[papers]).corpus
    assert corpus is not None
    assert [paper.title for paper in corpus.read() if isinstance(paper, Paper)] == ["B"]


def test_the_bundled_suite_holds_together() -> None:
    """Its gold papers are in the sample, and its key facts stand in them."""
    suite = load_suite("sample")
    assert suite.corpus is not None
    abstracts = {
        normalise_title(paper.title): paper.abstract for paper in suite.corpus.read() if isinstance(paper, Paper)
    }
    assert set(count_kinds(suite.questions)) == {kind.value for kind in Kind}
    for question in suite.questions:
        texts = [abstracts[normalise_title(title)].casefold() for title in question.gold]
        for nugget in question.nuggets:
            assert any(form.casefold() in text for form in nugget for text in texts), (question.id, nugget)
    assert bundled_suites() / "sample" in list(find_suites())


def test_looks_at_a_locked_suite_are_counted(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD)
    manifest = {"suite_path": str(file), "locked": False, "suite": {"digest": "d"}}
    assert holdout.look(manifest, "score", tmp_path) is None
    holdout.lock(file, "d")
    holdout.lock(file, "d")
    assert [holdout.look(manifest, doing, tmp_path) for doing in ("score", "report")] == [1, 2]
    assert [(line["by"], line["suite"], "date" in line) for line in holdout.looks(file)] == [
        ("score", "d", True), ("report", "d", True)
    ]  # fmt: skip
    assert load_suite(file).digest == load_suite(write(tmp_path, GOOD)).digest, "the log is no part of the suite"


def test_the_log_of_a_lock_is_no_suite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Locking leaves the suites beside it as they were: listed, and of one layout."""
    home = tmp_path / "home"
    (home / "suites").mkdir(parents=True)
    file = write(home / "suites", GOOD)
    holdout.lock(file, "d")
    (home / "suites" / "half").mkdir()
    (home / "suites" / "half" / "making.jsonl").write_text("{}")
    assert [path.name for path in find_suites(home)][-1:] == ["mine.jsonl"]
    trec = Path(shutil.copytree(Path(__file__).parent / "fixtures" / "trec", tmp_path / "trec"))
    before = load_suite(trec).digest
    holdout.lock(trec, "d")
    assert load_suite(trec).digest == before
    (home / "suites" / "broken.jsonl").write_text("{")
    assert main(["list", "--set", f"home={home}"]) == 0
    told = capsys.readouterr()
    assert "mine: 1 questions (1 fact) on the index; locked, 0 looks" in told.out
    assert "cannot be run" in told.err


def test_a_locked_suite_gives_no_score_without_a_log(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be logged"):
        holdout.look(
            {"suite_path": str(tmp_path / "gone.jsonl"), "locked": True, "suite": {"digest": "d"}}, "x", tmp_path
        )
