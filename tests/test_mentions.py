"""Questions that name the authors whose work they are about."""

import json
import time
from dataclasses import replace

import pytest

from rag.build import Engine
from rag.config import Config
from rag.embedding import SentenceEmbedder
from rag.mentions import mentions, without_names
from ui import render


@pytest.mark.parametrize(
    ("question", "names", "matter"),
    [
        ("What did Devlin show?", [("Devlin",)], "What did the authors show?"),
        ("What did Vaswani et al. propose?", [("Vaswani",)], "What did the authors propose?"),
        ("What did Bond and his colleagues measure?", [("Bond",)], "What did the authors measure?"),
        ("What did van der Maaten and Hinton do?", [("van der Maaten", "Hinton")], "What did the authors do?"),
        ("In the paper by J.-P. Serre, why?", [("J.-P. Serre",)], "why?"),
        ("According to R. W. Wilson, is it?", [("R. W. Wilson",)], "is it?"),
        ("What did O'Brien's study find?", [("O'Brien",)], "What did their study find?"),
        ("Compare Ng et al. and Radford et al.", [("Ng",), ("Radford",)], "Compare the authors and the authors"),
        ("Is the method of LeCun, Li and Ng old?", [("LeCun", "Li", "Ng")], "Is the method old?"),
    ],
)  # fmt: skip
def test_forms_that_name_authors(question: str, names: list[tuple[str, ...]], matter: str) -> None:
    found = mentions(question)
    assert [one.names for one in found] == names
    assert without_names(question, found) == matter


@pytest.mark.parametrize("question", ["How many heads in Vaswani et al. (2017)?", "How many heads in Vaswani 2017?"])
def test_the_year_belongs_to_the_name(question: str) -> None:
    (one,) = mentions(question)
    assert (one.names, one.year) == (("Vaswani",), 2017)
    assert one.filters()[0].years == ((2017, 2017),)
    assert not one.filters()[-1].years
    assert "2017" not in without_names(question, [one])


@pytest.mark.parametrize(
    "question",
    [
        "How does BERT improve on Vaswani et al.?",
        "Is it better than Devlin's model?",
        "What does Bell's theorem say?",
        "What did BERT show?",
        "What did He show?",
        "What did the authors find?",
        "What does Alzheimer's disease do?",
        "What is AlphaFold?",
        "what did they find by chance?",
        "",
    ],
)
def test_forms_that_do_not(question: str) -> None:
    assert mentions(question) == []


def test_a_long_question_takes_no_time() -> None:
    began = time.process_time()
    for text in ("What did " + "Ann Lee, " * 4000 + "do?", "Van Der " * 8000, "A.-" * 9000, "O'Neill and " * 5000):
        mentions(text)
    assert time.process_time() - began < 2


LOAM, SAND = "Mole tunnels in loam", "Mole tunnels in sand"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, embedder: SentenceEmbedder) -> Config:
    """Papers as they are found: no abstract holds the names of its authors."""
    from rag.build import index_papers

    farman, bell, quintao, ruiz = "Ida Farman", "Paul Bell", "Jo\u00e3o Quint\u00e3o", "Alice Ruiz"
    loam = "Moles dig 20 metres of tunnel a day. Their tunnels collapse in sand."
    sand = "Moles seldom dig in sand. They dig 2 metres of tunnel a day there."
    rain = "Earthworms surface after rain. Most return within an hour."
    hidden = "Bell showed that local hidden variables imply inequalities. Photons violate them."
    papers = [
        (LOAM, loam, [farman, bell], 1999),
        (SAND, sand, [farman], 2004),
        ("Earthworms after rain", rain, [quintao], 2010),
        ("Inequalities of Bell", hidden, [ruiz], 2015),
    ]
    folder = tmp_path_factory.mktemp("authors")
    file = folder / "papers.jsonl"
    rows = [{"title": t, "abstract": a, "authors": who, "year": year} for t, a, who, year in papers]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    config = replace(Config(), home=folder, embedding_model="bundled", context_tokens=1024)
    index_papers(config, [file])
    return config


@pytest.mark.parametrize(
    ("question", "cited", "searched"),
    [
        ("What did Quintao find?", {"Earthworms after rain"}, "1 of 4 papers: by Quintao"),
        ("How much do moles dig, according to Farman (2004)?", {SAND}, "1 of 4 papers: 2004, by Farman"),
        ("How many metres do moles dig in the paper by Farman and Bell?", {LOAM}, "1 of 4 papers: by Farman, by Bell"),
        # No paper by Farman is of that year.
        ("What did Farman et al. (1950) find about moles?", {LOAM, SAND}, "2 of 4 papers: by Farman"),
    ],
)
def test_the_papers_of_who_is_named_answer(library: Config, question: str, cited: set[str], searched: str) -> None:
    with Engine(library) as engine:
        answer = engine.answerer.ask(question)
    assert not answer.refused
    assert {citation.title for citation in answer.citations} <= cited
    (line,) = render.searched_lines(answer)
    assert line == f"Searched in {searched}"
    assert answer.query == question
    assert not answer.followed


def test_a_follow_up_keeps_to_the_author(library: Config) -> None:
    with Engine(library) as engine:
        first = engine.answerer.ask("What did Farman (2004) find?")
        second = engine.answerer.ask("How far do they dig?", subject=first.subject, follows=True)
    assert {citation.title for citation in second.citations} == {SAND}
    assert second.followed


def test_a_name_that_is_none_of_an_author_restricts_nothing(library: Config) -> None:
    with Engine(library) as engine:
        # Paul Bell wrote on moles; what is asked for stands in a paper by somebody else.
        answer = engine.answerer.ask("What did Bell show about hidden variables and inequalities?")
        assert {citation.title for citation in answer.citations} == {"Inequalities of Bell"}
        assert answer.scope is None
        stranger = engine.answerer.ask("What did Nobody et al. find about moles?")
        assert stranger.scope is None


def test_a_strange_question_stays_one_and_shows_whom_it_named(library: Config) -> None:
    with Engine(library) as engine:
        answer = engine.answerer.ask("Which sourdough bread recipe did Quint\u00e3o recommend?")
    assert answer.refused
    assert [hit.title for hit in answer.hits] == ["Earthworms after rain"]


def test_a_filter_that_is_typed_is_all_that_is_meant(library: Config) -> None:
    with Engine(library) as engine:
        answer = engine.answerer.ask('What did Farman find about worms? author:"Quint\u00e3o"')
    assert answer.scope is not None
    assert answer.scope.filter.authors == ("Quint\u00e3o",)
