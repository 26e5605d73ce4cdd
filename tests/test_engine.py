"""The whole path with the real bundled models on a dozen papers of the sample."""

import pytest

from rag.build import Engine
from rag.export import answer_to_dict
from rag.grammar import REFUSAL
from rag.identity import normalise_title


@pytest.fixture(scope="module")
def titles(engine: Engine) -> list[str]:
    return [entry.paper.title for entry in engine.catalog.search_titles()]


def test_a_title_finds_its_paper(engine: Engine, titles: list[str]) -> None:
    assert len(titles) == 12
    for title in titles:
        hits = engine.retriever.search(title).hits
        assert normalise_title(hits[0].title) == normalise_title(title)


def test_answers_cite_real_sentences_and_are_the_same_twice(engine: Engine, titles: list[str]) -> None:
    abstracts = {entry.key: entry.paper.abstract for entry in engine.catalog.search_titles()}
    question = f"What was found in {titles[3]}?"
    first = engine.answerer.ask(question)
    assert not first.refused
    assert first.claims
    assert all(claim.citations for claim in first.claims)
    for citation in first.citations:
        assert abstracts[citation.key][citation.start : citation.end] == citation.quote
    shown = {(e.key, e.sentence.index) for e in first.evidence}
    assert {(c.key, c.sentence) for c in first.citations} <= shown
    assert titles[3] in {c.title for c in first.citations}
    again = answer_to_dict(engine.answerer.ask(question))
    assert {**again, "timings": None} == {**answer_to_dict(first), "timings": None}


@pytest.mark.parametrize(
    "question", ["How do I make a sourdough starter?", "What is the best pizza in Naples?", "asdf qwer zxcv"]
)
def test_what_no_paper_is_about_is_refused_with_the_nearest(engine: Engine, question: str) -> None:
    answer = engine.answerer.ask(question)
    assert answer.refused
    assert answer.text == REFUSAL
    assert answer.hits
    assert answer.citations == ()


def test_a_very_long_question_still_finds_its_paper(engine: Engine, titles: list[str]) -> None:
    question = "Please tell me, at length and in detail, what was found. " * 12 + titles[5]
    hits = engine.retriever.search(question).hits
    assert titles[5] in [hit.title for hit in hits]
