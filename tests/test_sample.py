"""The bundled sample: the first thing that people see."""

import json
from collections import Counter

from rag.examples import example_questions
from rag.identity import normalise_title, strong_keys
from rag.readers import jsonl
from rag.records import Paper
from rag.sentences import split_sentences


def test_the_sample_is_whole(sample_lines: list[str]) -> None:
    papers = [p for p in jsonl.read(sample_lines, "sample") if isinstance(p, Paper)]
    assert len(papers) == len(sample_lines) >= 60
    assert len({normalise_title(p.title) for p in papers}) == len(papers)
    keys = [key for p in papers for key in strong_keys(p)]
    assert len(keys) == len(set(keys))
    for paper in papers:
        assert 80 <= len(paper.abstract.split()) <= 200, paper.title
        assert paper.authors, paper.title
        assert paper.year, paper.title
        assert len(split_sentences(paper.abstract)) >= 4, paper.title


def test_it_spans_many_fields(sample_lines: list[str]) -> None:
    fields = Counter(json.loads(line)["field"].lower() for line in sample_lines)
    assert len(fields) >= 10
    assert max(fields.values()) <= 8


def test_its_examples_read_well(sample_lines: list[str]) -> None:
    papers = [p for p in jsonl.read(sample_lines, "sample") if isinstance(p, Paper)]
    questions = example_questions(papers)
    assert len(questions) == 4
    assert all(len(q) < 110 for q in questions)
