"""Questions that name the authors whose work they are about."""

import json
import time
from dataclasses import replace

import pytest

from rag.build import Engine
from rag.config import Config
from rag.embedding import SentenceEmbedder
from rag.mentions import is_called, mentions, without_names
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
    assert "2017" not in without_names(question, [one])


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What did He et al. (2016) propose?", ("He",)),
        ("In the paper by So, what is new?", ("So",)),
        ("What did \u00c9mile Durkheim argue?", ("\u00c9mile Durkheim",)),
        ("What did \u0141ukasz Kaiser and colleagues use?", ("\u0141ukasz Kaiser",)),
        ("What did d'Alembert prove?", ("d'Alembert",)),
        ("What did Abd al-Rahman study?", ("Abd al-Rahman",)),
        ("What did du Sautoy write?", ("du Sautoy",)),
        ("What does Garcia-Molina-Lopez say?", ("Garcia-Molina-Lopez",)),
        ("How large is it (Smith et al., 2019a)?", ("Smith",)),
        ("Papers by Yann LeCun on digits?", ("Yann LeCun",)),
        ("Did Smith not find it?", ("Smith",)),
    ],
)
def test_names_of_many_kinds(question: str, names: tuple[str, ...]) -> None:
    assert [one.names for one in mentions(question)] == [names]


@pytest.mark.parametrize(
    ("name", "author", "called"),
    [
        ("Riess", "Adam G. Riess", True),
        ("Adam", "Adam G. Riess", False),
        ("Adam Riess", "Riess, Adam", True),
        ("Adam", "Riess, Adam", False),
        ("Kingma", "Kingma DP", True),
        ("van der Maaten", "Laurens van der Maaten", True),
        ("He", "Kaiming He", True),
        ("Quintao", "Jo\u00e3o Quint\u00e3o", True),
        ("Garcia-Molina", "H\u00e9ctor Garc\u00eda-Molina", True),
        ("Plato", "Plato", True),
    ],
)
def test_an_author_is_called_by_the_family_name(name: str, author: str, called: bool) -> None:
    assert is_called(name, author) is called


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
        "Is it better than Smith et al. and Jones et al.?",
        "Is it better than Devlin et al. or Smith et al.?",
        "How does it differ from Smith (2019) and Jones (2020)?",
        "What was found in May 2017?",
        "What is shown in Table 1900?",
        "What is Dijkstra's algorithm?",
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
        ("How many metres do moles dig in the paper by Farman and Bell?", {LOAM}, "1 of 4 papers: by Farman or Bell"),
        # A preprint is a year older than its paper.
        ("What did Farman et al. (2003) observe?", {SAND}, "1 of 4 papers: 2004, by Farman"),
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


def test_the_next_author_is_not_mixed_with_the_last(library: Config) -> None:
    with Engine(library) as engine:
        first = engine.answerer.ask("What did Farman (2004) find?")
        second = engine.answerer.ask("What did Quintao find?", subject=first.subject)
        third = engine.answerer.ask("And when do they return?", subject=second.subject)
    assert not second.followed
    assert {citation.title for citation in second.citations} == {"Earthworms after rain"}
    assert {citation.title for citation in third.citations} == {"Earthworms after rain"}


def test_a_work_that_is_not_there_is_not_confirmed_by_another(library: Config) -> None:
    with Engine(library) as engine:
        answer = engine.answerer.ask("What did Quintao et al. (1950) find?")
    assert answer.refused
    assert "al" not in answer.unmet


def test_what_a_filter_leaves_holds_and_each_name_is_looked_up_once(library: Config) -> None:
    from rag.narrowing import narrow, narrow_to_authors
    from rag.records import Filter, Scope

    with Engine(library) as engine:
        asked = narrow("What did Farman find? year:1999", None, engine.catalog)
        by = narrow_to_authors(asked, asked.question, engine.catalog)
        assert by
        assert by.scope
        assert [entry.paper.title for entry in engine.catalog.search_titles(within=by.within)] == [LOAM]
        assert narrow_to_authors(asked, asked.question, engine.catalog, by.scope.ids) is None
        looked: list[Filter] = []

        class Counting:
            search_titles = staticmethod(engine.catalog.search_titles)
            years = staticmethod(engine.catalog.years)

            @staticmethod
            def scope(chosen: Filter) -> Scope | None:
                looked.append(chosen)
                return engine.catalog.scope(chosen)

        plain = narrow("q", None, engine.catalog)
        narrow_to_authors(plain, "Farman 2004 " * 40 + "What did Ann Li, Bo Li, Ann Li and Bo Li do?", Counting())
    assert len(looked) <= 4


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


@pytest.mark.parametrize(
    "question",
    [
        "What is bread in the paper by Farman?",
        "According to Farman, what is dropout?",
        "What did Farman do about bread?",
    ],
)
def test_a_name_does_not_make_a_strange_question_fair(library: Config, question: str) -> None:
    with Engine(library) as engine:
        assert engine.answerer.ask(question).refused


def test_a_filter_that_is_typed_is_all_that_is_meant(library: Config) -> None:
    with Engine(library) as engine:
        answer = engine.answerer.ask('What did Farman find about worms? author:"Quint\u00e3o"')
    assert answer.scope is not None
    assert answer.scope.filter.authors == ("Quint\u00e3o",)
