"""What the records do not hold, what is said of the last answer, and questions about papers that were listed."""

import json
import time
from pathlib import Path

from rag.build import Engine
from rag.export import answer_to_dict
from rag.last_answer import parse_about_answer, parse_place, place_among
from rag.not_held import not_held_answer, parse_not_held
from rag.record_questions import parse_record_question
from rag.records import Answer
from rag.spoken import Spoken, asked_of_them, spoken
from ui import render
from ui.app import Memory

SUITES = sorted((Path(__file__).resolve().parents[1] / "eval" / "suites").glob("*/questions.jsonl"))
NOT_HELD = {
    "citations": "Which paper has the most citations?|How often was the BERT paper cited?|how often was it cited?|"
    "How many citations does the paper on lake ice have?|Who cites this paper?|List the most cited papers on ponds|"
    "Which study was cited the most?|what is its citation count?|Rank the papers by citations",
    "impact factor": "What is the impact factor of Nature?|What's its impact factor?",
    "prizes": "Which of these papers won a prize?|Has this paper won an award?|Did its authors win the Nobel Prize?",
    "ranks": "Which paper is the best?|What are the most important papers in this collection?|"
    "What is the most influential paper you have?|Which paper is the most important?|is this paper any good?",
    "texts": "Give me the full text of the BERT paper|Can I download the PDF?|PDF please|can I read the whole paper?|"
    "Where can I find the full text of Why Ponds Freeze?",
    "figures": "Show me the figures of the BERT paper|What does table 3 show?|show me figure 2",
    "references": "What are the references of the paper on dropout?|What papers does it cite?",
    "reviews": "is that peer reviewed?|Was the BERT paper peer-reviewed?|Has it been retracted?",
}
FOR_THE_SEARCH = (
    "What is the h-index?|How are citations counted?|What predicts how often a paper is cited?|"
    "How often is the average paper cited?|How often are review papers cited?|Which papers deal with citations?|"
    "Which method is the best?|Which one is the best?|What is the best treatment for gout?|"
    "What are the most important papers on dropout?|What is an impact factor?|impact factor|peer review|"
    "What is the impact factor of a journal?|Who won the Nobel prize?|Which study won the most support?|"
    "Is it reliable?|Was it withdrawn?|Does peer review work?|Show me pictures of black holes|references|"
    "Which tables are used in databases?|How does full text search work?|Give me papers on full text search|"
    "What is the most important result of the BERT paper?|Which paper has the most parameters?|"
    "Which paper has the highest accuracy?|Is that paper about BERT?|Are there pictures of it?|"
    "What is a shorter proof?|explain dropout in simple terms|Where does the ozone come from?|"
    "where does it come from?|Where did that come from?|What was the source?|What is the source of it?|"
    "Give me the pdf of the normal distribution|What is the impact factor of smoking on lung cancer?|"
    "What is the source of dark matter?|how do you know that stars are old?|"
    "Which paper says that ponds freeze?|In one sentence, what is BERT?|repeat measurements|brief interventions|"
    "simple networks|What does that mean?|the second law|what is the last glacial maximum|the other side|"
    "more recent papers|more details on dropout|tell me more about BERT"
)
ABOUT_ANSWER = {
    "shorter": "shorter please|can you make it shorter?|That's too long|in one sentence|tl;dr|briefly",
    "simpler": "can you explain that simply|I don't understand|in plain English|translate that to German|"
    "explain it to me like I'm five",
    "source": "where does that answer come from?|what is the source?|how do you know that?|which paper says that?|"
    "source please|What are your sources?|where did you get that from",
    "repeat": "repeat that|Can you say that again?|what did you say?",
}


def taken(message: str) -> object:
    record = parse_record_question(message)
    abstract = record and record.field == "abstract"
    return parse_not_held(message) or parse_about_answer(message) or parse_place(message) or abstract


def test_what_is_told_in_words_and_what_is_searched_for() -> None:
    for kind, questions in NOT_HELD.items():
        assert {one: parse_not_held(one) for one in questions.split("|")} == dict.fromkeys(questions.split("|"), kind)
        assert "They hold the title and the abstract" in not_held_answer(kind)
    for kind, messages in ABOUT_ANSWER.items():
        assert {one: parse_about_answer(one) for one in messages.split("|")} == dict.fromkeys(messages.split("|"), kind)
    assert [one for one in FOR_THE_SEARCH.split("|") if taken(one)] == []
    asked = [json.loads(line)["question"] for path in SUITES for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(asked) > 400
    assert [one for one in asked if taken(one) or asked_of_them(one, 2)] == []
    began = time.perf_counter()
    for text in (
        "which " * 33,
        "can you " * 25,
        "how often was the " + "a " * 90,
        "the most " * 22,
        "what is the " * 16,
    ):
        taken(text)
    assert time.perf_counter() - began < 1


def test_papers_by_their_place() -> None:
    places = {
        "the second one": "2", "what about the 2nd paper?": "2", "and the other paper?": "other",
        "tell me more about the first": "1", "the last one please": "last", "paper 3": "3",
        "what does the third one say?": "3",
    }  # fmt: skip
    assert {message: parse_place(message) for message in places} == places
    assert [place_among(*one) for one in [("2", 2), ("3", 2), ("last", 5), ("other", 2), ("other", 3)]] == [
        1, None, 4, 1, None,
    ]  # fmt: skip


def test_questions_about_papers_that_were_listed() -> None:
    asked = {
        "What do they say about ponds?": "What about ponds?",
        "what did they find?": "What are these papers about?",
        "Compare them": "Compare these papers",
        "which of them is about ice?": "Which of these papers is about ice?".replace("W", "w", 1),
        "How many are there?": "How many papers are there?",
        "list them": "How many papers are there?",
        "the oldest of them?": "oldest papers",
        "How do cats see when they hunt?": "",
        "How fast is it?": "",
        "Which papers are from 1998?": "",
    }
    assert {question: asked_of_them(question, 2) for question in asked} == asked
    for question in ("What does it show?", "How many layers does it have?"):
        assert asked_of_them(question, 1) == question
    assert not asked_of_them("What is BERT and how does it work?", 1)
    assert spoken(str(Spoken("What is ice?", "year:1998"))) == Spoken("What is ice?", "year:1998")
    assert str(Spoken("What is ice?")) == "What is ice?"


def talk(engine: Engine, *questions: str) -> list[Answer]:
    """The answers of a conversation, each asked after the one before."""
    answers: list[Answer] = []
    for question in questions:
        answers.append(engine.answerer.ask(question, subject=answers[-1].subject if answers else ""))
    return answers


def papers_of(answer: Answer) -> set[str]:
    return {entry.paper.title for entry in answer.listed or ()} | {citation.title for citation in answer.citations}


def test_talk_about_an_answer(engine: Engine) -> None:
    first, cited, shorter, more, layers = talk(
        engine, "What is BERT?", "how often was it cited?", "shorter please", "tell me more", "How many layers has it?"
    )
    assert cited.talk
    assert cited.text.startswith("The records do not hold how often a paper was cited")
    assert answer_to_dict(cited)["small_talk"]
    # It may have been meant for the papers: the page offers the search.
    memory = Memory("?", cited.subject, "What is BERT?", cited.followed, cited.listed is not None and bool(cited.query))
    assert memory.other_way() == "Search the papers for that instead"
    assert shorter.talk
    assert shorter.subject == first.subject
    assert papers_of(more) == papers_of(first)
    assert "predict the words" in more.text or "masks most of them" in more.text
    assert "\n\n\u201cBERT is" in render.finished_markdown(more, "t").replace("\\", "")
    assert layers.followed
    assert "12 layers" in layers.text
    # Nothing was spoken of.
    assert talk(engine, "tell me more")[0].text.startswith("It is not clear which paper is meant.")
    turns = ["What is BERT?", "how often was it cited?", "shorter please", "tell me more", "the second one"]
    assert engine.answerer.subject_after(turns) == "What is BERT?"


def test_papers_that_were_listed_are_spoken_of(engine: Engine) -> None:
    listing = "Which Nature papers are from 1985?"
    alphafold, listed, ozone, other, compared, count, input_ = talk(
        engine, "What is AlphaFold?", listing, "What do they say about ozone?", "And about bread?", "Compare them",
        "How many are there?", "What does it take as its input?",
    )  # fmt: skip
    assert len(listed.listed or ()) == 2
    assert papers_of(ozone) == {"Large losses of total ozone in Antarctica reveal seasonal ClOx/NOx interaction"}
    assert f"Searched in 2 of 12 papers: those listed for \u201c{listing}\u201d" in render.searched_lines(ozone)
    assert other.refused
    assert papers_of(compared) == papers_of(listed) == papers_of(count)
    assert not count.refused
    assert papers_of(input_) != papers_of(alphafold)  # What they say of ozone was spoken of last.
    assert engine.answerer.ask("What does it take as its input?", subject=listed.subject).followed
    # Neither what stands for itself nor what the user says is no follow-up is asked of them.
    assert papers_of(engine.answerer.ask("What is BERT?", subject=listed.subject)) == papers_of(
        talk(engine, "What is BERT?")[0]
    )
    alone = engine.answerer.ask("Compare them", subject=listed.subject, follows=False)
    assert alone.scope is None
    rebuilt = engine.answerer.subject_after(["What is AlphaFold?", listing, "How many are there?", "thanks"])
    assert rebuilt == listed.subject
    # A listing with the filter that was typed in it; of one paper "it" may be said.
    one = talk(
        engine, "author:Devlin", "What does it show?", "Who wrote it?", "tell me more", "What do they say about bread?"
    )
    assert all(papers_of(answer) == papers_of(one[0]) for answer in one[1:4])
    assert "Jacob Devlin" in one[2].text
    assert one[4].refused


def test_a_filter_stays_with_the_paper_that_it_gave(engine: Engine) -> None:
    told, more, wrote, place = talk(
        engine, "What was found? author:Farman", "tell me more", "Who wrote it?", "the first paper"
    )
    assert papers_of(told) == papers_of(more) == papers_of(wrote) == papers_of(place)
    assert "B. G. Gardiner" in wrote.text


def test_a_question_with_an_answer_of_its_own_is_not_lost_in_a_conversation(engine: Engine) -> None:
    _, place, bert, objective = talk(
        engine, "Which papers are from 1985?", "the second one", "What is BERT?", "And the second objective?"
    )
    assert place.recorded
    assert "BERT is a Transformer encoder" in bert.text
    # There may be a second of anything.
    assert papers_of(objective) == papers_of(bert)
    *_, they = talk(engine, "Which papers are from 1985?", "How do they predict the shape of a protein?")
    assert papers_of(they) == {"Highly accurate protein structure prediction with AlphaFold"}


def test_one_of_several_papers_by_its_place(engine: Engine) -> None:
    listed, second, year, first, third = talk(
        engine,
        "Which papers are from 1985?",
        "the second one",
        "When was it published?",
        "and the other one?",
        "the third",
    )
    titles = [entry.paper.title for entry in listed.listed or ()]
    assert papers_of(second) == papers_of(year) == papers_of(first) == {titles[1]}
    assert second.text.startswith(
        "Paper 2 of the 2 that answer \u201cWhich papers are from 1985?\u201d. The abstract of"
    )
    assert third.text.startswith("It is not clear which paper is meant.")
    # Of an answer that quotes several papers.
    question = "Compare year:1985 venue:Nature"
    quoted = engine.answerer.ask(question)
    several = talk(engine, "Which papers report losses or clusters?", "the second paper")
    order = list(dict.fromkeys(citation.title for citation in several[0].citations))
    assert len(quoted.citations) > 1
    assert papers_of(several[1]) == ({order[1]} if len(order) > 1 else set())
