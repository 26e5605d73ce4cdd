"""Twenty questions on the bundled sample through the whole path, twice: what must never break in an answer."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from eval.datasets import load_suite
from eval.metrics.answers import support_counts, validity_counts
from eval.running import Run, run_suite
from rag.config import Config


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    folder = tmp_path_factory.mktemp("canary")
    config = replace(Config(), home=folder)
    suite = load_suite("sample")
    return (
        run_suite(suite, config, folder / "first", limit=20, seed=1),
        run_suite(suite, config, folder / "second", limit=20, seed=1),
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
    assert all(record.reply and (record.reply.refused or record.reply.citations) for record in runs[0].records)


def test_the_same_run_twice_is_the_same(runs: tuple[Run, Run]) -> None:
    first, second = ([json.dumps({**json.loads(line), "timings": None}) for line in _lines(run.folder)] for run in runs)
    assert first == second


def _lines(folder: Path) -> list[str]:
    return (folder / "records.jsonl").read_bytes().decode().splitlines()
