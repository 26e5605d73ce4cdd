"""Questions that several papers answer together: each that is about as good a hit is quoted. With the real models."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from rag import build
from rag.breadth import asks_for_several, matter_of
from rag.build import Engine, index_papers
from rag.config import Config
from rag.errors import UsageError
from rag.grammar import REFUSAL, selection_grammar
from rag.records import Filter
from rag.schema import grammar_pattern
from tests.fakes import FakeModel
from ui import render

LAKES = {
    "Ice cover of forty northern lakes": "We followed forty lakes with buoys from 2001 to 2019. Lake ice now breaks up "
    "eleven days earlier than two decades ago. Small lakes lost more ice than large ones.",
    "A century of thaw dates from parish books": "Parish clerks wrote down when lake ice broke up each spring. Their "
    "books show that the ice of lakes goes nine days earlier than in 1900. Two clerks left gaps.",
    "Freezing of alpine lakes seen from space": "Satellite pictures of alpine lakes were sorted by a simple rule. The "
    "ice of alpine lakes forms six days later and breaks up four days earlier than in 1985.",
    "Lake ice in a regional climate model": "A regional model simulates the ice of lakes under warming. With two "
    "degrees of warming the ice cover of lakes shortens by three weeks.",
}
OTHERS = {
    "Bees and blossom": "Bees visit apple blossom at noon. Rain keeps the bees away for two hours.",
    "A smaller sorting network": "Sorting networks order numbers. Ours for eighteen wires needs 77 comparators.",
    "Bread without kneading": "Dough that rests for a day needs no kneading. Its crumb is as open as that of kneaded "
    "dough.",
}
BROAD = "Which studies measured how the ice cover of lakes changes, and what did they find?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("several")
    papers = [{"title": title, "abstract": text} for title, text in {**LAKES, **OTHERS}.items()]
    (home / "papers.jsonl").write_text("\n".join(map(json.dumps, papers)), encoding="utf-8")
    index_papers(Config(home=home), [home / "papers.jsonl"])
    return home


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[Engine]:
    with Engine(Config(home=folder)) as ready:
        yield ready


def test_each_paper_on_the_matter_is_quoted_and_no_other(engine: Engine) -> None:
    answer = engine.answerer.ask(BROAD)
    assert {citation.title for citation in answer.citations} == LAKES.keys()
    # "Their books show" is quoted with the sentence that tells whose.
    assert "Parish clerks wrote down" in answer.text
    assert {hit.title for hit in answer.hits} >= LAKES.keys()
    # What asks for papers is no matter of theirs.
    assert "studies" not in answer.unmet


def test_an_able_model_picks_out_of_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The bundled model is not able to: it refuses.
    model = FakeModel("[5] [1] [2] [1] [4]")
    monkeypatch.setattr(build, "load_llm", lambda config: model)
    with Engine(Config(home=folder, writing="quote")) as engine:
        answer = engine.answerer.ask(BROAD)
    shown = [answer.evidence[number - 1].sentence.text for number in (5, 1, 2, 4)]
    assert [citation.quote for citation in answer.citations] == shown
    assert len({citation.title for citation in answer.citations}) >= 3
    assert model.grammars[-1] == selection_grammar(len(answer.evidence), 2)


def test_a_question_about_one_paper_is_answered_from_it(engine: Engine) -> None:
    answer = engine.answerer.ask("How many comparators does the sorting network for eighteen wires need?")
    assert "77 comparators" in answer.text
    assert answer.citations[0].title == "A smaller sorting network"


def test_a_form_of_many_that_one_paper_answers_is_answered_like_any_other(folder: Path) -> None:
    question = "Which papers need 77 comparators for eighteen wires?"
    assert asks_for_several(question)
    told = []
    for broad in (1, 8):
        with Engine(Config(home=folder, broad_papers=broad)) as engine:
            told.append([citation.quote for citation in engine.answerer.ask(question).citations])
    assert told[0] == told[1]
    assert "77 comparators" in " ".join(told[0])


def test_a_paper_that_a_filter_leaves_but_that_says_nothing_on_the_matter_is_not_quoted(engine: Engine) -> None:
    papers = engine.catalog.search_titles()
    chosen = Filter(ids=tuple(one.key for one in papers if one.paper.title in {*list(LAKES)[:2], *OTHERS}))
    answer = engine.answerer.ask("Which papers study the ice of lakes?", filter=chosen)
    assert {citation.title for citation in answer.citations} == set(list(LAKES)[:2])


def test_what_is_wanted_of_several_papers_may_be_limited(folder: Path) -> None:
    with Engine(Config(home=folder, broad_papers=2)) as engine:
        assert len({citation.title for citation in engine.answerer.ask(BROAD).citations}) == 2


@pytest.mark.parametrize("count", [2, 3, 4])
def test_papers_that_a_filter_leaves_are_all_quoted(engine: Engine, count: int) -> None:
    # Within a few papers the scores tell which is worst, not that it is bad.
    papers = engine.catalog.search_titles()
    ids = {paper.paper.title: paper.key for paper in papers if paper.paper.title in LAKES}
    chosen = Filter(ids=tuple(list(ids.values())[:count]))
    answer = engine.answerer.ask("Compare how the ice cover of lakes changes.", filter=chosen)
    assert len({citation.title for citation in answer.citations}) == count


def test_papers_that_say_the_same_are_all_quoted(tmp_path: Path) -> None:
    same = [
        "Aspirin lowers the risk of dying after a stroke by a third.",
        "We followed 900 patients. Aspirin lowers the risk of dying after a stroke.",
        "In 40 wards, aspirin lowers the risk of dying after a stroke.",
    ]
    papers = [{"title": f"Aspirin and stroke {n}", "abstract": text} for n, text in enumerate(same)]
    papers += [{"title": title, "abstract": text} for title, text in OTHERS.items()]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, papers)), encoding="utf-8")
    config = Config(home=tmp_path / "home")
    index_papers(config, [tmp_path / "p.jsonl"])
    with Engine(config) as engine:
        answer = engine.answerer.ask("Which papers show that aspirin lowers the risk of dying after a stroke?")
    assert len({citation.title for citation in answer.citations}) == 3


def test_a_small_context_still_holds_what_several_papers_say(folder: Path) -> None:
    with Engine(replace(Config(home=folder, writing="compose"), context_tokens=512)) as engine:
        answer = engine.answerer.ask(BROAD)
        assert not answer.refused
        assert answer.prompt_tokens + answer.generated_tokens <= 512
        with pytest.raises(UsageError, match="too long"):
            engine.answerer.ask(BROAD + " ice" * 600)


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("Which papers study the ice of lakes?", True),
        ("What do we know about the ice of lakes?", True),
        ("Compare the ways in which lake ice was measured.", True),
        ("How have researchers measured the thaw of lakes?", True),
        ("What different methods are there to date the thaw?", True),
        ("Who has measured lake ice from space?", True),
        ("Give me an overview of sorting networks", True),
        ("List papers on the thaw of lakes", True),
        ("Name three papers about fairness", True),
        ("list 5 papers on sleep", True),
        ("Give me a few recent papers on sleep", True),
        ("Name three lakes", False),
        ("Does it outperform all other methods?", False),
        ("How does the accuracy compare to that of clerks?", False),
        ("Which age groups were included in the trial?", False),
        ("What other experiments did they do?", False),
        ("How do people perceive synthetic speech?", False),
        ("What was reported in the control group?", False),
        ("Where has the fish been seen?", False),
        ("What did the authors find?", False),
        ("Which two studies did they compare with?", False),
        ("Who has access to the data?", False),
        ("Has anyone measured the ice of ponds?", False),
        ("Summarise the abstract of the paper on lake ice", False),
        ("What is the state of the art BLEU score of the model?", False),
        ("Summarise the papers on lake ice", True),
        ("Where has lake ice been measured?", True),
        ("How many lakes did the study follow?", False),
        ("Which paper uses the books of clerks?", False),
        ("How did they measure the ice?", False),
        ("How much earlier does the ice break up each decade?", False),
        ("Why do small lakes lose more ice than large ones?", False),
        ("", False),
    ],
)
def test_the_form_tells_whether_several_papers_are_asked_for(question: str, several: bool) -> None:
    assert asks_for_several(question) is several


@pytest.mark.parametrize(
    ("question", "matter"),
    [
        ("Which studies deal with lake ice?", "Which deal with lake ice?"),
        ("What do we know about lake ice?", "about lake ice?"),
        ("Compare the papers", "the"),
        ("Which papers?", "Which ?"),
        ("Summarise", "Summarise"),
        ("Name three papers about fairness", "about fairness"),
        ("list 5 papers on sleep", "on sleep"),
        ("Show me the two recent papers on sleep", "on sleep"),
        ("Name three genes in papers on sleep", "Name three genes in on sleep"),
    ],
)
def test_words_that_ask_for_papers_are_not_searched_for(question: str, matter: str) -> None:
    assert matter_of(question) == matter


def test_papers_that_the_user_names_are_compared_whatever_is_asked(engine: Engine) -> None:
    papers = engine.catalog.search_titles()
    chosen = Filter(ids=tuple(one.key for one in papers if one.paper.title in LAKES))
    answer = engine.answerer.ask("Compare the results.", filter=chosen)
    assert {citation.title for citation in answer.citations} == LAKES.keys()


def test_what_cannot_be_counted_is_told(engine: Engine) -> None:
    answer = engine.answerer.ask("How many papers are about the ice of lakes?")
    assert {citation.title for citation in answer.citations} <= LAKES.keys()
    assert len(answer.citations) >= 3
    for shown in (render.sources_plain(answer), render.finished_markdown(answer, "t")):
        assert "Only what records say can be counted" in shown


@pytest.mark.parametrize(("count", "least"), [(1, 1), (1, 2), (4, 1), (4, 2), (5, 3)])
def test_a_selection_is_some_numbers(count: int, least: int) -> None:
    pattern = re.compile(grammar_pattern(selection_grammar(count, least)))
    for size in range(count + 2):
        for chosen in permutations(range(1, count + 1), min(size, count)):
            text = " ".join(f"[{number}]" for number in (*chosen, *chosen[: size - len(chosen)]))
            assert bool(pattern.fullmatch(text)) == (min(least, count) <= size <= count)
    assert pattern.fullmatch(REFUSAL)
    assert not pattern.fullmatch(f"[{count + 1}] [1]")
    with pytest.raises(ValueError, match="selection"):
        selection_grammar(0)
