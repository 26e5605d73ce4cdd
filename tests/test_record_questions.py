"""Questions about a paper that its record answers, which no abstract does."""

import time
from dataclasses import replace

import pytest

from rag.build import Engine
from rag.export import answer_to_dict
from rag.record_questions import RecordQuestion, parse_record_question, told
from rag.records import CatalogPaper, Paper
from ui import render


@pytest.mark.parametrize(
    ("question", "field", "matter"),
    [
        ("Who wrote the BERT paper?", "authors", "BERT"),
        ("who are the authors of the paper on lake ice", "authors", "lake ice"),
        ("Who is the first author of \u201cWhy ponds freeze\u201d?", "authors", "Why ponds freeze"),
        ("When was the study that introduced MapReduce published?", "year", "MapReduce"),
        ("In which year did the paper on thaw come out?", "year", "thaw"),
        ("Where was BLEU published?", "venue", "BLEU"),
        ("Which journal published the obedience study?", "venue", "obedience"),
        ("In what conference did the residual networks paper appear?", "venue", "residual networks"),
        ("What's the DOI of the h-index paper?", "doi", "h-index"),
        ("What is the arXiv id of BERT?", "arXiv id", "BERT"),
        ("Who wrote In Search of Lost Ice?", "authors", "In Search of Lost Ice"),
        ("who wrote the original paper", "authors", ""),
        ("Who found this out?", "authors", ""),
        ("And when?", "year", ""),
        ("What is the journal of the CRISPR paper?", "venue", "CRISPR"),
        ("How many authors does the Higgs paper have?", "count", "Higgs"),
        ("How many people wrote the paper on lake ice?", "count", "lake ice"),
        ("How many authors does it have?", "count", ""),
        ("And who wrote it?", "authors", ""),
        ("When was this paper published?", "year", ""),
        ("Who are its authors?", "authors", ""),
        ("And the authors?", "authors", ""),
        ("Which year?", "year", ""),
        ("What is its DOI?", "doi", ""),
    ],
)
def test_forms_that_a_record_answers(question: str, field: str, matter: str) -> None:
    assert parse_record_question(question) == RecordQuestion(field, matter)


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote about caching?",
        "Who showed that ponds freeze first?",
        "When was C60 discovered?",
        "When did symptoms appear?",
        "When was the drug released?",
        "Where did it appear?",
        "Where was the survey of nurses conducted?",
        "What is the link between sleep and memory?",
        "What is the link to cancer?",
        "Who published numbers on sleep?",
        "Who wrote?",
        "What did the authors of the BERT paper find?",
        "What is its accuracy?",
        "Who wrote the code?",
        "Who wrote most papers?",
        "Who wrote the last paper?",
        "Who wrote the second paper?",
        "Who wrote letters to the patients?",
        "Where was the data published?",
        "When was this model published?",
        "When was the diary written?",
        "When was the drug in the study released?",
        "Where did the patient in the case report appear?",
        "What is the link to depression in the study?",
        "In which year was the law published?",
        "Which journal published the most papers?",
        "Who wrote the BERT paper and when was it published?",
        "In which year did it snow?",
        "How many authors does the field have?",
        "How many people wrote letters home?",
        "How many layers does the BERT paper have?",
        "What is the journal of record?",
    ],
)
def test_other_questions_are_left_to_the_search(question: str) -> None:
    assert parse_record_question(question) is None


def test_a_pasted_text_is_looked_at_quickly() -> None:
    began = time.perf_counter()
    parse_record_question("who wrote the paper on " + "the paper on a " * 3000)
    assert time.perf_counter() - began < 1


def test_what_a_record_lacks_is_told() -> None:
    bare = CatalogPaper(1, "k", Paper("Why ponds freeze", "They do."))
    for field, lacking in (
        ("authors", "no authors"),
        ("count", "no authors"),
        ("year", "no year"),
        ("venue", "no journal"),
        ("link", "no link"),
    ):
        assert f"tells {lacking}" in told(RecordQuestion(field, "ponds"), bare)


def test_many_authors_are_counted() -> None:
    many = CatalogPaper(1, "k", Paper("Big", "Big.", tuple(f"A{n} Bell" for n in range(3000)), 2012))
    text = told(RecordQuestion("authors", "Big"), many)
    assert text.endswith("A19 Bell and 2980 more (2012).")
    assert "has 3000 authors in its record: A0 Bell" in told(RecordQuestion("count", "Big"), many)
    some = CatalogPaper(1, "k", Paper("Big", "Big.", ("Ada Bell", "et al.")))
    assert told(RecordQuestion("count", "Big"), some) == (
        "\u201cBig\u201d has more than 1 author in its record: Ada Bell et al."
    )


def test_the_record_answers_and_a_follow_up_keeps_to_the_paper(engine: Engine) -> None:
    answer = engine.answerer.ask("Who wrote the BERT paper?")
    assert answer.text.startswith("\u201cBERT: Pre-training")
    assert "Jacob Devlin, Ming-Wei Chang, Kenton Lee and Kristina Toutanova (2019)" in answer.text
    count = engine.answerer.ask("How many authors does the BERT paper have?")
    assert "has 4 authors in its record: Jacob Devlin, " in count.text
    assert not answer.refused
    assert answer_to_dict(answer)["from_record"]
    shown = render.finished_markdown(answer, "t")
    assert "Told from the record of the paper" in shown
    two = replace(answer, listed=2 * (answer.listed or ()))
    assert "Told from the records of the papers" in render.finished_markdown(two, "t")
    assert render.escape_markdown((answer.listed or ())[0].paper.title) in shown
    year = engine.answerer.ask("And when was it published?", subject=answer.subject)
    assert "is from 2019" in year.text
    layers = engine.answerer.ask("How many layers does it have?", subject=year.subject)
    assert {citation.title for citation in layers.citations} == {(answer.listed or ())[0].paper.title}


def test_a_paper_that_its_title_does_not_name_is_told_as_found(engine: Engine) -> None:
    answer = engine.answerer.ask("When was the Transformer paper published?")
    assert answer.text.startswith(
        "\u201cAttention Is All You Need\u201d, the paper found for \u201cTransformer\u201d, is from 2017."
    )


@pytest.mark.parametrize("question", ["Who wrote Moby Dick?", "Who wrote GPT?", "When was WMT 2014 published?"])
def test_to_be_spoken_of_in_a_paper_is_not_to_be_meant(engine: Engine, question: str) -> None:
    assert engine.answerer.ask(question).listed is None


def test_it_is_the_paper_that_answered_before(engine: Engine) -> None:
    subject = "What did Devlin show about language?"
    before = engine.answerer.ask(subject)
    assert {citation.title for citation in before.citations} == {before.hits[0].title}
    assert before.hits[0].title in engine.answerer.ask("Who wrote it?", subject=before.subject).text
    # Nothing was spoken of, or several papers were, or those of a filter.
    assert engine.answerer.ask("Who wrote it?").listed is None
    for nothing in ("How do I bake rye bread?", "Which papers are about language?"):
        assert engine.answerer.ask("Who wrote it?", subject=nothing).listed is None
    assert engine.finder.subject_after(["What is BERT?", "When was it published?"]) == "What is BERT?"
    assert engine.finder.subject_after(["Who wrote the BERT paper?"]) == "BERT"
