import json
from pathlib import Path

import pytest

from eval.__main__ import load_questions, table
from eval.answers import has_nuggets, score, share
from rag.errors import InputError

ABSTRACTS = {"k": "Ice left. Fish stayed for 77 days."}
QUESTION = {"question": "q", "gold": ["The LAKE: thaw"], "nuggets": [["77", "seventy-seven"], ["fish"]]}


def answer(**changes: object) -> dict[str, object]:
    citation = {"paper": "k", "title": "The lake, thaw", "sentence": 1, "start": 10, "end": 34}
    citation["quote"] = ABSTRACTS["k"][10:34]
    return {
        "answer": "Fish did. [1]",
        "refused": False,
        "citations": [citation],
        "evidence": [{"paper": "k", "sentence": 1}],
        "hits": [{"title": "The lake thaw"}],
        "timings": {"total": 2.0, "first_token": 1.0},
        **changes,
    }


def test_a_right_answer() -> None:
    got = score(QUESTION, answer(), ABSTRACTS)
    assert (got.answered, got.gold_cited, got.gold_first, got.invalid) == (True, True, True, 0)
    assert (got.nuggets_in_answer, got.nuggets_in_evidence) == (False, True)


def test_an_answer_without_citations_has_cited_nothing() -> None:
    got = score(QUESTION, answer(citations=[], refused=True), ABSTRACTS)
    assert (got.answered, got.gold_cited, got.nuggets_in_evidence) == (False, False, False)


@pytest.mark.parametrize(
    "change", [{"start": 9}, {"quote": "Fish swam"}, {"sentence": 0}, {"paper": "x"}, {"quote": ""}]
)
def test_a_citation_that_is_not_exact_is_invalid(change: dict[str, object]) -> None:
    good = answer()
    assert isinstance(good["citations"], list)
    good["citations"][0].update(change)
    assert score(QUESTION, good, ABSTRACTS).invalid == 1


def test_what_does_not_apply_is_left_out_of_shares() -> None:
    got = score({"question": "q", "gold": []}, answer(), ABSTRACTS)
    assert (got.gold_cited, got.nuggets_in_answer) == (None, None)
    assert share([True, False, None]) == (0.5, 2)
    assert share([None])[1] == 0
    assert has_nuggets("Seventy-Seven FISH", QUESTION["nuggets"])
    assert "gold_cited 1.000" in table({"fact": [score(QUESTION, answer(), ABSTRACTS)]})


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(json.dumps(QUESTION) + "\n{}\n")
    with pytest.raises(InputError, match=r"q\.jsonl:2"):
        load_questions(file)
    file.write_text("\n")
    with pytest.raises(InputError, match="no questions"):
        load_questions(file)
