"""Small talk and questions about the collection: what is understood, what must be searched for, what is told."""

import json
import time
from pathlib import Path

import pytest

from rag.build import Engine
from rag.collection import collection_told, overview, parse_collection
from rag.config import Config
from rag.export import answer_to_dict
from rag.records import CatalogPaper, Paper
from rag.small_talk import parse_small_talk, small_talk_answer
from rag.venues import count_in_venue
from ui import cli, render
from ui.app import Memory

SUITES = sorted((Path(__file__).resolve().parents[1] / "eval" / "suites").glob("*/questions.jsonl"))
PAPERS = [
    CatalogPaper(1, "k1", Paper("A lake", "Ice.", ("Ada Byron",), 1998, "Nature")),
    CatalogPaper(2, "k2", Paper("B pond", "Ice.", ("B. Ruiz",), 2021, "Nature", categories=("cs.LG",))),
    CatalogPaper(3, "k3", Paper("C river", "Ice.", (), None, "Science")),
    CatalogPaper(4, "k4", Paper("D sea", "Ice.", (), 2004)),
]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("hello", "hello"),
        ("Hi there!", "hello"),
        ("good morning", "hello"),
        ("How are you?", "hello"),
        ("thanks", "thanks"),
        ("Thanks, that helps", "thanks"),
        ("ok, thank you very much!", "thanks"),
        ("ty", "thanks"),
        ("ok", "ok"),
        ("bye", "bye"),
        ("Thanks, bye!", "bye"),
        ("help", "about"),
        ("Help!", "about"),
        ("who are you and what can you do?", "about"),
        ("Hi, what can you do?", "about"),
        ("What can I ask you?", "about"),
        ("how do I use this?", "about"),
        ("what are you?", "about"),
        ("What\u2019s this tool?", "about"),
        ("How sure are you?", "sure"),
        ("are you sure about that?", "sure"),
    ],
)
def test_small_talk(message: str, kind: str) -> None:
    assert parse_small_talk(message) == kind


@pytest.mark.parametrize(
    "message",
    [
        "thanks. How many layers has BERT?",
        "help with sleep",
        "hello world programs in teaching?",
        "ok, and dropout?",
        "Hi-C",
        "Hi, how many layers has BERT?",
        "What can you do about sleep loss?",
        "What can you tell me about BERT?",
        "How sure are they?",
        "How sure are you that ponds freeze?",
        "who are the authors?",
        "What are you citing?",
        "How does it work?",
        "What is this?",
        "How do I use dropout?",
        "what is the tool for protein folding?",
        "Does greeting a stranger help?",
        "TY virus",
        "good sleep",
        "yes, and ponds?",
        "?",
        "",
    ],
)
def test_what_is_no_small_talk(message: str) -> None:
    assert parse_small_talk(message) is None
    assert parse_collection(message) is None


def test_what_may_be_asked_of_a_paper_is_about_citable_only_where_none_was_spoken_of() -> None:
    assert parse_small_talk("How does it work?", alone=True) == "about"
    assert parse_small_talk("How does dropout work?", alone=True) is None


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("what papers do you have?", "overview"),
        ("summarise this collection", "overview"),
        ("what is in this collection?", "overview"),
        ("What's in my library?", "overview"),
        ("main topics?", "overview"),
        ("What topics does this collection cover?", "overview"),
        ("what is this collection about?", "overview"),
        ("oldest paper", "oldest"),
        ("What is the earliest paper in the collection?", "oldest"),
        ("What are the newest papers?", "newest"),
        ("which paper is the most recent?", "newest"),
        ("list the papers by title", "by title"),
        ("Show me all papers sorted by year", "by year"),
    ],
)
def test_questions_about_the_collection(question: str, kind: str) -> None:
    assert parse_collection(question) == kind


@pytest.mark.parametrize(
    "question",
    [
        "what papers do you have on sleep?",
        "summarise this paper",
        "What is the oldest paper about?",
        "What is the newest paper on sleep?",
        "oldest paper on dropout",
        "What is the oldest known star?",
        "What are the main topics of the BERT paper?",
        "How are topics modelled in a collection of documents?",
        "What is in the collection of insects?",
        "Summarise what this collection says about sleep",
        "list the papers by title and tell me what they found",
    ],
)
def test_what_is_not_about_the_collection(question: str) -> None:
    assert parse_collection(question) is None
    assert parse_small_talk(question, alone=True) is None


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.parent.name)
def test_no_question_of_a_suite_is_caught(suite: Path) -> None:
    for line in suite.read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        turns = [asked["question"], *(turn["content"] for turn in asked.get("history", []))]
        for turn in turns if asked["kind"] != "meta" else ():
            assert parse_small_talk(turn, alone=True) is None, turn
            assert parse_collection(turn) is None, turn
            assert count_in_venue(turn, lambda: PAPERS) is None, turn


def test_a_pasted_text_is_looked_at_quickly() -> None:
    began = time.perf_counter()
    for text in ("hello " * 5000, "hi there " * 8, "what papers " * 5000, "the papers of the " * 5, " " * 9999):
        parse_small_talk(text)
        parse_collection(text)
    assert time.perf_counter() - began < 1


def test_the_collection_is_told_from_the_records() -> None:
    assert overview(PAPERS) == (
        "4 papers, from 1998 to 2021. 1 of them tells no year. Its journals and conferences: Nature (2), Science (1). "
        "Its arXiv categories: cs.LG (1)."
    )
    assert overview([]) == "No papers."
    many = [CatalogPaper(n, f"k{n}", Paper(f"T{n}", "A.", venue=f"J{n}")) for n in range(9)]
    assert "from 9 journals and conferences, one from each" in overview(many)
    told, listed = collection_told("What are the newest papers?", lambda: PAPERS) or ("", ())
    assert [entry.id for entry in listed] == [2, 4, 1]
    assert told == (
        "The 3 newest of 4 papers, the newest first. 1 paper without year in the catalog could not be looked at."
    )
    assert collection_told("oldest paper", lambda: PAPERS[2:3]) == ("No paper of the collection tells its year.", ())
    _, listed = collection_told("list the papers by year", lambda: PAPERS) or ("", ())
    assert [entry.id for entry in listed] == [1, 4, 2, 3]


def test_examples_are_made_of_the_papers() -> None:
    text = small_talk_answer("about", {1998: 1, 2021: 1, None: 1}, PAPERS)
    assert "There are 3 papers, from 1998 to 2021." in text
    assert "- Which papers did Ada Byron write?" in text
    assert "- year:2017-2021 " in text
    assert "There is 1 paper. For instance" in small_talk_answer("hello", {None: 1}, [])
    assert "There are 0 papers. For instance" in small_talk_answer("hello", {}, [])


def test_small_talk_is_answered_without_papers_and_keeps_the_subject(engine: Engine) -> None:
    answer = engine.answerer.ask("who are you and what can you do?", subject="What is BERT?")
    assert not answer.refused
    assert answer.talk
    assert (answer.listed, answer.query, answer.subject) == ((), "", "What is BERT?")
    assert "There are 12 papers, from 1952 to 2021." in answer.text
    assert engine.answerer.ask("thanks", subject="What is BERT?").subject == "What is BERT?"
    # The page offers no search for it.
    assert not Memory("hello", answer.subject, "", answer.followed, bool(answer.query)).other_way()
    shown, plain = render.finished_markdown(answer, "t"), render.sources_plain(answer)
    assert shown.endswith("\n\n*Not from the papers.*")
    assert "\n- Which papers did " in shown
    assert plain == "Not from the papers."
    data = answer_to_dict(answer)
    assert data["small_talk"]
    assert data["listed"] == []


def test_every_example_that_is_shown_is_answered(engine: Engine) -> None:
    text = engine.answerer.ask("What can I ask you?").text
    tries = [line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")]
    assert len(tries) == 4
    for question in tries:
        assert not engine.answerer.ask(question).refused, question


def test_the_collection_is_listed_and_keeps_the_subject(engine: Engine) -> None:
    answer = engine.answerer.ask("what is in this collection?", subject="What is BERT?")
    assert answer.subject == "What is BERT?"
    assert answer.text.startswith("12 papers, from 1952 to 2021. The commonest of ")
    assert len(answer.listed or ()) == 12
    assert "Counted over the records of all papers" in render.finished_markdown(answer, "t")
    oldest = engine.answerer.ask("oldest paper")
    assert [entry.paper.year for entry in oldest.listed or ()] == [1952, 1958, 1979, 1985, 1985]
    assert "(1952)" in render.sources_plain(oldest)
    some = engine.answerer.ask("main topics? year:2015-")
    assert len(some.listed or ()) < 12
    assert "2015" in render.verdict_line(some)


def test_hidden_papers_are_not_told(engine: Engine) -> None:
    papers = list(engine.catalog.search_titles())
    hidden = {entry.id for entry in papers if entry.paper.year != 2019}
    assert "There is 1 paper, from 2019." in engine.answerer.ask("hello", without=hidden).text
    assert len(engine.answerer.ask("oldest paper", without=hidden).listed or ()) == 1
    text = engine.answerer.ask("help", without={entry.id for entry in papers}).text
    assert not any(author in text for entry in papers for author in entry.paper.authors)


def test_a_question_after_small_talk_leans_on_the_one_before_it(engine: Engine) -> None:
    turns = ["What is BERT?", "thanks", "what is this collection about?"]
    assert engine.answerer.subject_after(turns) == engine.answerer.subject_after(turns[:1]) == "What is BERT?"


def test_the_terminal_shows_small_talk(
    indexed: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITABLE_HOME", str(indexed.home))
    assert cli.main(["ask", "thanks"]) == 0
    assert capsys.readouterr().out == "You are welcome. Ask on whenever you like.\n\nNot from the papers.\n"
