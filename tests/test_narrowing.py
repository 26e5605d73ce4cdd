"""Questions of some papers only: searched, counted, listed and refused within what the filters let through."""

from pathlib import Path
from typing import Any

import pytest

from rag.build import Engine
from rag.catalog import Catalog
from rag.errors import UsageError
from rag.export import answer_to_dict
from rag.narrowing import answer_from_records, narrow
from rag.records import Filter, Finished, Found, Paper
from rag.spoken import spoken
from ui import render


def titles(answer: Any) -> list[str]:
    return [entry.paper.title for entry in answer.listed or ()]


@pytest.fixture
def no_model(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a model was asked")

    monkeypatch.setattr(engine.llm, "stream", never)
    monkeypatch.setattr(engine.retriever, "search", never)
    return engine


def test_only_what_the_filter_lets_through_is_found_and_cited(engine: Engine) -> None:
    question = "What was observed or shown for the first time?"
    ids = engine.catalog.matching(Filter(venues=("Nature",))) or set()
    assert len(ids) == 3
    typed = engine.answerer.ask(f"venue:Nature {question}")
    assert typed.question == f"venue:Nature {question}"
    assert typed.query == question
    assert not typed.followed
    assert {paper_id for paper_id, _ in typed.ranking} == ids
    assert {hit.paper_id for hit in typed.hits} == ids
    assert {citation.paper_id for citation in typed.citations} <= ids
    given = engine.answerer.ask(question, filter=Filter(venues=("Nature",)))
    assert (given.hits, given.text, given.scope) == (typed.hits, typed.text, typed.scope)
    assert len({paper_id for paper_id, _ in engine.answerer.ask(question).ranking}) > 3


def test_the_answer_lies_in_another_paper_than_the_nearest(engine: Engine) -> None:
    question = "What does it say about attention and transformers?"
    assert engine.answerer.ask(question).hits[0].title == "Attention Is All You Need"
    (hit,) = engine.answerer.ask(f"{question} author:Devlin").hits
    assert hit.title.startswith("BERT")
    # The paper is there, but has nothing near to the question.
    other = engine.answerer.ask(f"{question} author:Kahneman")
    assert other.refused
    assert [hit.title[:8] for hit in other.hits] == ["Prospect"]
    assert render.finished_markdown(other, "t").startswith("*Searched in 1 of 12 papers: by Kahneman*")


def test_typed_and_given_filters_hold_together(engine: Engine) -> None:
    answer = engine.answerer.ask("venue:Nature year:1985 what was found?", filter=Filter(authors=("Kroto H",)))
    assert [hit.title for hit in answer.hits] == ["C60: Buckminsterfullerene"]
    assert answer.scope
    assert (answer.scope.papers, answer.scope.total) == (1, 12)
    assert render.searched_lines(answer) == ["Searched in 1 of 12 papers: 1985, by Kroto H, in Nature"]


def test_papers_left_out_are_not_let_through(engine: Engine) -> None:
    (kroto,) = engine.catalog.matching(Filter(authors=("Kroto",))) or set()
    answer = engine.answerer.ask("What was found? venue:Nature", without={kroto})
    assert kroto not in {paper_id for paper_id, _ in answer.ranking}
    assert answer.scope
    assert answer.scope.papers == 2
    assert engine.answerer.ask("What was found? author:Kroto", without={kroto}).text.startswith("No paper of")


def test_the_stream_tells_where_it_searches(engine: Engine) -> None:
    first, *_ = engine.answerer.stream("author:Kroto year:1985 what was found?")
    assert isinstance(first, Found)
    assert render.searched_lines(first) == ["Searched in 1 of 12 papers: 1985, by Kroto"]
    plain, *_ = engine.answerer.stream("What is AlphaFold?")
    assert isinstance(plain, Found)
    assert render.searched_lines(plain) == []


@pytest.mark.parametrize(
    "question", ["year:1985", "How many papers year:1985?", "list all papers from year:1985", "(year:1985)"]
)
def test_filters_alone_list_the_papers(no_model: Engine, question: str) -> None:
    answer = no_model.answerer.ask(question, subject="What is AlphaFold?")
    assert titles(answer)[0] == "C60: Buckminsterfullerene"
    assert titles(answer)[1].startswith("Large losses of total ozone")
    assert answer.text == "2 papers of 1985."
    assert not answer.refused
    assert (answer.query, spoken(answer.subject).matter) == ("", "What is AlphaFold?")
    shown = render.finished_markdown(answer, "t")
    assert "all papers" in shown
    assert "Searched in" not in shown


def test_filters_alone_without_a_question_to_search_for_are_listed_in_any_case(no_model: Engine) -> None:
    assert len(titles(no_model.answerer.ask("", filter=Filter(((1985, 1985),))))) == 2
    *_, last = no_model.answerer.stream("year:1985", listing=False)
    assert isinstance(last, Finished)
    assert len(titles(last.answer)) == 2


def test_counting_counts_within(no_model: Engine) -> None:
    answer = no_model.answerer.ask("How many titles contain a colon? year:1985-2016")
    assert len(titles(answer)) == 2
    assert answer.text == "2 papers with \u201c:\u201d in the title."
    assert len(titles(no_model.answerer.ask("How many titles contain a colon?"))) > 3
    assert "5 of 12 papers (1985 to 2016)" in render.verdict_line(answer)
    both = no_model.answerer.ask("How many papers are from 1985? author:Kroto")
    assert titles(both) == ["C60: Buckminsterfullerene"]


@pytest.mark.parametrize(
    "question",
    [
        "author:Nobody year:2020-2024 what is known?",
        "author:Nobody year:2020-2024",
        "How many papers author:Nobody year:2020-2024",
    ],
)  # fmt: skip
def test_no_matching_paper_is_refused_plainly(no_model: Engine, question: str) -> None:
    answer = no_model.answerer.ask(question)
    assert answer.refused
    assert answer.text.startswith("No paper of the collection is by Nobody and of 2020 to 2024. ")
    # What was no filter at all can still be asked.
    assert 'put the filter in quotation marks, as in: "year:2020".' in answer.text
    assert narrow('"author:Nobody" what is known?', None, no_model.catalog).scope is None
    assert "quotation" not in no_model.answerer.ask("x", filter=Filter(authors=("Nobody",))).text
    assert [*answer.hits, *answer.citations] == []
    assert answer.listed is None
    assert render.finished_markdown(answer, "t").strip("*") == answer.text.replace("-", "\\-")
    assert render.sources_plain(answer) == ""


def test_what_the_user_typed_stays_text(no_model: Engine) -> None:
    answer = no_model.answerer.ask('author:"<img src=x> *Eve*" x')
    shown = render.finished_markdown(answer, "t")
    assert "\\<img src=x\\> \\*Eve\\*" in shown


def test_papers_that_do_not_say_are_told(no_model: Engine) -> None:
    answer = no_model.answerer.ask("category:cs.LG what is known?")
    assert answer.text == (
        "No paper of the collection is of category cs.LG. "
        "12 papers without categories in the catalog could not be looked at. "
        'To search for the words themselves, put the filter in quotation marks, as in: "year:2020".'
    )


@pytest.fixture
def silent(tmp_path: Path) -> Catalog:
    """Two papers of 2020, and one that does not say of when it is."""
    catalog = Catalog(tmp_path / "catalog.db")
    catalog.add([Paper(title, "Ice.", year=year) for title, year in (("A: b", 2020), ("C", 2020), ("D: e", None))])
    return catalog


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("How many titles contain a colon? year:2020", "1 paper with \u201c:\u201d in the title."),
        ('How many titles contain "zinc"? year:2020', "No papers with \u201czinc\u201d in the title."),
        ("How many papers year:2020", "2 papers of 2020."),
    ],
)
def test_counting_within_a_filter_tells_who_does_not_say(silent: Catalog, question: str, told: str) -> None:
    answer = answer_from_records(narrow(question, None, silent), silent, (), "")
    assert answer
    assert answer.text == f"{told} 1 paper without year in the catalog could not be looked at."
    plain = answer_from_records(narrow("How many titles contain a colon?", None, silent), silent, (), "")
    assert plain
    assert plain.text == "2 papers with \u201c:\u201d in the title."


def test_a_search_within_a_filter_tells_who_does_not_say(silent: Catalog) -> None:
    asked = narrow("What is ice? year:2020", None, silent)
    assert render.searched_lines(Found((), asked.question, asked.scope, False)) == [
        "Searched in 2 of 3 papers: 2020. 1 paper without year in the catalog could not be looked at."
    ]


def test_a_filter_that_leaves_few_papers_says_what_is_asked_about(engine: Engine, silent: Catalog) -> None:
    assert engine.answerer.ask("What was found?").refused
    told = engine.answerer.ask("What was found? author:Kroto")
    assert {citation.title for citation in told.citations} == {"C60: Buckminsterfullerene"}
    assert engine.answerer.ask("How do I bake rye bread? author:Kroto").refused
    silent.add([Paper(f"Paper {number}", "Ice.", year=2020) for number in range(21)])
    assert not narrow("What was found? year:2020", None, silent).only_points


def test_a_follow_up_is_resolved_without_filters_and_keeps_none(engine: Engine) -> None:
    first = engine.answerer.ask("author:Jumper What is AlphaFold?")
    assert spoken(first.subject).matter == "What is AlphaFold?"
    second = engine.answerer.ask("What does it take as its input?", subject=first.subject)
    assert second.followed
    assert second.query == "What is AlphaFold? What does it take as its input?"
    assert second.scope is None
    third = engine.answerer.ask("What does it take as its input? venue:Nature", subject=first.subject)
    assert third.query == second.query
    assert third.scope
    assert third.scope.papers == 3
    lines = render.searched_lines(third)
    assert lines[0].startswith("Taken as a follow-up, searched for: What is AlphaFold?")
    assert lines[1] == "Searched in 3 of 12 papers: in Nature"


def test_filters_in_earlier_turns_are_no_part_of_the_subject(engine: Engine) -> None:
    turns = [
        "author:Jumper What is AlphaFold?",
        "year:1985",
        "author:Nobody How fast is it?",
        "How many papers year:2020?",
    ]
    assert spoken(engine.answerer.subject_after(turns)).matter == "What is AlphaFold?"


@pytest.mark.parametrize("question", ["", "  ", "year:2024-2020 what?", "year:abc"])
def test_what_cannot_be_asked(engine: Engine, question: str) -> None:
    with pytest.raises(UsageError):
        engine.answerer.ask(question)


def test_many_ids_do_not_use_up_the_room_for_the_question(engine: Engine) -> None:
    ids = ",".join(f"10.1000/{i}" for i in range(500))
    answer = engine.answerer.ask(f"What is AlphaFold? id:{ids},10.1038/s41586-021-03819-2")
    assert [hit.title[-9:] for hit in answer.hits] == ["AlphaFold"]
    assert len(render.searched_lines(answer)[0]) < 200


def test_json_has_the_filter(no_model: Engine) -> None:
    data = answer_to_dict(no_model.answerer.ask("author:Kroto and author:Heath year:1985-"))
    assert data["filter"] == {
        "words": "1985 or later, by Kroto, by Heath",
        "years": [[1985, None]],
        "authors": ["Kroto"],
        "venues": [],
        "categories": [],
        "sources": [],
        "ids": [],
        "also": [
            {"years": [], "authors": ["Heath"], "venues": [], "categories": [], "sources": [], "ids": [], "also": []}
        ],
        "papers": 1,
        "of": 12,
        "papers_lacking_a_field": 0,
    }
    (listed,) = data["listed"]
    assert (listed["authors"][0], listed["venue"], listed["categories"]) == ("H. W. Kroto", "Nature", [])
    assert answer_to_dict(no_model.answerer.ask("How many papers are from 1985?"))["filter"] is None


def test_the_question_itself_is_left_as_it_is(engine: Engine) -> None:
    asked = narrow("  Is the ratio 3:1,  as in id: x?  ", None, engine.catalog)
    assert (asked.question, asked.scope, asked.within) == ("Is the ratio 3:1,  as in id: x?", None, None)
