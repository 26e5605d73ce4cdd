"""Twenty questions on the bundled sample through the whole path, twice: what must never break in an answer."""

import json
from pathlib import Path

import pytest

from eval.cli import main
from eval.metrics.answers import support_counts, validity_counts
from eval.running import Run
from eval.storage import read_records

# Forty answers: minutes on an idle machine, many on a busy one.
pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """The same run twice, as a user makes it."""
    folder = tmp_path_factory.mktemp("canary")
    for name in ("first", "second"):
        command = ["run", "sample", "--limit", "20", "--seed", "1", "--out", str(folder / name)]
        assert main([*command, "--set", f"home={folder}"]) == 0
    return Run(folder / "first", tuple(read_records(folder / "first"))), Run(
        folder / "second", tuple(read_records(folder / "second"))
    )


def test_citations_are_valid_and_quoted_word_for_word(runs: tuple[Run, Run]) -> None:
    counts = [validity_counts(record) for record in runs[0].records]
    citations, valid, verbatim = (sum(column) for column in zip(*counts, strict=True))
    assert citations > 20
    assert valid == verbatim == citations


def test_every_sentence_has_lexical_support(runs: tuple[Run, Run]) -> None:
    counts = [support_counts(record) for record in runs[0].records]
    assert sum(claims for claims, _, _ in counts) == sum(supported for _, supported, _ in counts) > 0


def test_answers_have_their_form(runs: tuple[Run, Run]) -> None:
    assert [record.question.id for record in runs[0].records if record.error] == []
    assert all(record.reply and record.reply.parsed for record in runs[0].records)
    assert all(
        record.reply and (record.reply.refused or record.reply.citations or record.reply.listed)
        for record in runs[0].records
    )


def test_the_same_run_twice_is_the_same(runs: tuple[Run, Run]) -> None:
    first, second = ([json.dumps({**json.loads(line), "timings": None}) for line in _lines(run.folder)] for run in runs)
    assert first == second


def test_report_and_comparison_come_of_it(runs: tuple[Run, Run], capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (str(run.folder) for run in runs)
    gates = [f"--fail-below={metric}=0" for metric in ("Success@1", "citation F1", "answered", "valid citations")]
    assert main(["compare", first, second, *gates]) == 0
    assert "Worst regressions: 0 of 0" in capsys.readouterr().out
    assert main(["report", first]) == 0
    assert any(record.counterfactual for record in runs[0].records)


def _lines(folder: Path) -> list[str]:
    return (folder / "records.jsonl").read_bytes().decode().splitlines()
