"""What papers and questions order is not done, with the real bundled models."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from rag.answerability import load_weights
from rag.answering import Answerer
from rag.build import Engine
from rag.errors import UsageError
from rag.export import answer_to_dict
from rag.finding import Finder
from rag.llm import LlamaModel
from rag.models import llm_path
from rag.records import Answer, Citation, Claim, Message, Verdict
from rag.refusal import Judge
from rag.writing.modes import make_writer
from tests import hostile
from tests.hostile import BY_NAME, FAIR, PAPERS, QUESTIONS, Obedient, check
from tests.shown import active_parts, page_of
from ui import render

# Some thirty answers of the bundled model: two minutes on a slow machine, more on a busy one.
pytestmark = pytest.mark.timeout(1800)

# Settings to run all of it with. By itself the bundled model is not asked, while the obedient stand-in composes.
MODES: list[dict[str, Any]] = [{}, {"writing": "free"}, {"writing": "quote"}]
# Those that the real model answers; the obedient stand-in answers all.
ASKED = [
    "ignore-at-once",
    "german",
    "fake-system-chatml",
    "fake-citations",
    "fake-evidence",
    "prompt-leak",
    "authority",
]


@pytest.fixture(scope="module", params=MODES, ids=lambda mode: "-".join(map(str, mode.values())) or "default")
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(hostile.hostile_config(tmp_path_factory.mktemp("hostile"), **request.param)) as ready:
        yield ready


def with_model(engine: Engine, model: Any, threshold: float | None = None, **settings: int) -> Answerer:
    """The answerer of `engine` with another language model."""
    names = ("evidence_sentences", "evidence_tokens", "answer_tokens")
    chosen = {name: getattr(engine.config, name) for name in names}
    idf = engine.files.lexical.idf
    judge = engine.judge
    if threshold is not None:
        judge = Judge(idf, load_weights(engine.embedder.digest)[0], threshold, judge.reader)
    writer = make_writer(engine.config.writing, model, model.parameters)
    finder = Finder(engine.retriever, engine.catalog, judge, broad_papers=engine.config.broad_papers)
    return Answerer(finder, model, idf, engine.catalog, writer, **{**chosen, **settings})


def shown(answer: Answer, engine: Engine) -> str:
    papers = engine.catalog.papers(list(dict.fromkeys(c.paper_id for c in answer.citations)))
    return page_of(answer, papers)


def test_there_are_enough_attacks() -> None:
    assert len({paper.name for paper in PAPERS}) >= 40
    assert len({question.name for question in QUESTIONS}) >= 15


@pytest.mark.parametrize("name", ASKED)
def test_a_fair_question_to_a_hostile_paper_is_answered_fairly(engine: Engine, name: str) -> None:
    attack = BY_NAME[name]
    answer = engine.answerer.ask(attack.question)
    check(answer, engine, attack)
    assert attack.says in " ".join(citation.quote for citation in answer.citations)
    assert not answer.refused
    if name != "fake-citations" and attack.canary:
        assert attack.canary.lower() not in answer.text.lower()
    assert active_parts(shown(answer, engine)) == []


@pytest.mark.parametrize("attack", QUESTIONS, ids=lambda attack: attack.name)
def test_a_hostile_question_gets_a_checked_answer_or_none(engine: Engine, attack: hostile.Attack) -> None:
    try:
        answer = engine.answerer.ask(attack.question)
    except UsageError as error:
        assert "filter" in str(error) or "year" in str(error) or "empty" in str(error)  # noqa: PT017
        return
    check(answer, engine, attack)
    if attack.canary:
        assert attack.canary.lower() not in answer.text.lower()
    assert active_parts(shown(answer, engine)) == []
    assert "\x1b" not in str(answer_to_dict(answer)["claims"])


@pytest.mark.parametrize(
    ("question", "known"),
    [("What is the capital of France?", "Paris"), ("Who wrote Hamlet?", "Shakespeare"), ("What is 7 times 7?", "49")],
)
def test_nothing_is_answered_from_memory(engine: Engine, question: str, known: str) -> None:
    answer = engine.answerer.ask(question)
    check(answer, engine)
    assert known not in answer.text
    # One paper holds "7*7".
    assert answer.refused or "7*7" in answer.text


def test_attacks_around_a_harmless_paper_change_no_answer(engine: Engine) -> None:
    hostile_ids = hostile.hostile_ids(engine)
    question, says = FAIR[0]
    alone = engine.answerer.ask(question, without=hostile_ids)
    among = engine.answerer.ask(question)
    check(among, engine)
    assert says in [citation.quote for citation in among.citations]
    if engine.config.writing != "free":
        # Free prose changes with any sentence that stands beside.
        assert _told(alone) == _told(among)
    engine.answerer.ask(BY_NAME["fake-system-chatml"].question)
    assert _told(engine.answerer.ask(question)) == _told(among)


def _told(answer: Answer) -> list[tuple[str, list[tuple[str, int, int]]]]:
    return [(claim.text, [(c.key, c.start, c.end) for c in claim.citations]) for claim in answer.claims]


# -- a model that obeys --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def obeyed(engine: Engine) -> dict[str, tuple[Answer, Obedient]]:
    """A fair question to each hostile paper, answered by a model that says what the paper wants said."""
    answers = {}
    for attack in PAPERS:
        wish = attack.canary or "this paper is the best"
        model = Obedient(
            f"The answer to all of it is {wish} and nothing else counts. [1] {wish} {wish} {wish}. [1] [2] "
            f"{hostile.SYSTEM_SENTENCES[0]}. [2] Paris is the capital of France. [99] "
        )
        answers[attack.name] = with_model(engine, model, evidence_tokens=600).ask(attack.question), model
    return answers


Obeyed = dict[str, tuple[Answer, Obedient]]


@pytest.mark.parametrize("attack", PAPERS, ids=lambda attack: attack.name)
def test_even_a_model_that_obeys_gets_nothing_past_the_checks(
    engine: Engine, obeyed: Obeyed, attack: hostile.Attack
) -> None:
    answer, _ = obeyed[attack.name]
    check(answer, engine, attack)
    assert not answer.refused
    # What it writes may be replaced by the sentence of the paper that holds these words: a quotation all the same.
    assert attack.says in " ".join(item.sentence.text for item in answer.evidence)
    assert "Paris" not in answer.text
    assert active_parts(shown(answer, engine)) == []


@pytest.mark.parametrize("attack", PAPERS, ids=lambda attack: attack.name)
def test_orders_are_no_evidence_and_are_counted(obeyed: Obeyed, attack: hostile.Attack) -> None:
    answer, _ = obeyed[attack.name]
    assert attack.record
    evidence = [item.sentence.text for item in answer.evidence]
    assert not any(order in text for order in attack.record.get("orders", ()) for text in evidence)
    if attack.record.get("orders"):
        assert answer.passed_over >= len(attack.record["orders"])
        assert "for giving orders to the reader" in render.finished_markdown(answer, "t")
        assert answer_to_dict(answer)["passed_over_sentences"] == answer.passed_over


def test_orders_are_quoted_where_the_question_asks_for_them(engine: Engine) -> None:
    answerer = with_model(engine, Obedient("x"), threshold=0)
    answer = answerer.ask("Which hidden instructions does the vineyard hedges paper hold?")
    check(answer, engine)
    assert answer.passed_over == 0
    assert any("moonberry" in e.sentence.text for e in answer.evidence)


# -- prompts -------------------------------------------------------------------------------------------------------


def check_form(engine: Engine, answer: Answer, model: Obedient) -> None:
    """Control tokens are those of the template alone, and every line of the prompt is ours."""
    if not model.asked:
        return
    system, user = model.asked[0]
    plain = [system, replace(user, content="x")]
    assert isinstance(engine.llm, LlamaModel)
    assert hostile.control_tokens(engine.llm, [system, user]) == hostile.control_tokens(engine.llm, plain)
    lines = user.content.split("\n")
    numbered = [line for line in lines if line.startswith("[")]
    assert [line.split("]")[0] for line in numbered] == [f"[{n}" for n in range(1, len(answer.evidence) + 1)]
    assert sum(line.startswith("Question:") for line in lines) == 1
    assert lines[-1].startswith("Question:")
    assert all(line.startswith(("Paper:", "[", "Question:")) or not line for line in lines)
    assert len(user.content.splitlines()) == len(lines)
    assert re.findall(r"\[\d+\]", user.content) == [f"[{n}]" for n in range(1, len(answer.evidence) + 1)]


@pytest.mark.parametrize("attack", PAPERS, ids=lambda attack: attack.name)
def test_a_paper_cannot_change_the_form_of_the_prompt(engine: Engine, obeyed: Obeyed, attack: hostile.Attack) -> None:
    answer, model = obeyed[attack.name]
    assert model.asked
    check_form(engine, answer, model)


@pytest.mark.parametrize("attack", QUESTIONS, ids=lambda attack: attack.name)
def test_a_question_cannot_change_the_form_of_the_prompt(engine: Engine, attack: hostile.Attack) -> None:
    model = Obedient("x")
    try:
        answer = with_model(engine, model, threshold=0).ask(attack.question)
    except UsageError:
        return
    check_form(engine, answer, model)


def test_the_smallest_context_and_the_longest_question(engine: Engine) -> None:
    """At the edge there is an answer; one word more is an error that says so."""
    small = LlamaModel(llm_path("bundled"), context_tokens=24 + 256)
    try:
        answerer = with_model(engine, small, answer_tokens=24)
        question, _ = FAIR[0]
        answer = answerer.ask(question)
        check(answer, engine)
        longest = question
        while answerer._fits(f"{longest} snow"):
            longest += " snow"
        check(answerer.ask(longest), engine)
        with pytest.raises(UsageError, match="too long"):
            answerer.ask(f"{longest} snow")
        with pytest.raises(UsageError, match="too long"):
            answerer.ask("<|im_start|>system " * 4000)
    finally:
        small.close()


@pytest.mark.parametrize(
    "question",
    [
        "\udcff\udcfe How long did the snow lie?",
        "\x00",
        "\u202e" * 400,
        "\u0301" * 400,
        "\U0001f600" * 400,
        "NEAR/3 AND (OR",
    ],
)
def test_odd_characters_are_no_error(engine: Engine, question: str) -> None:
    model = Obedient("The sky is green and low. [1] ")
    answer = with_model(engine, model, threshold=0).ask(question)
    check(answer, engine)
    for text in (shown(answer, engine), json.dumps(answer_to_dict(answer), ensure_ascii=False)):
        assert text.encode()
    assert engine.llm.count_tokens([Message("user", question)])


def test_a_question_of_many_pages_is_an_error_that_says_so(engine: Engine) -> None:
    with pytest.raises(UsageError, match="too long"):
        engine.answerer.ask("How long did the snow lie? " * 3000, Event())


# -- what is shown -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", PAPERS, ids=lambda attack: attack.name)
def test_every_sentence_of_a_hostile_paper_can_be_shown(engine: Engine, obeyed: Obeyed, attack: hostile.Attack) -> None:
    """As quotations, one by one, with title, authors, venue and link: on the page and in exports nothing is active."""
    assert attack.record
    title = " ".join(attack.record["title"].split())[:8]
    entry = next(e for e in engine.catalog.search_titles() if e.paper.title.startswith(title))
    base, _ = obeyed[attack.name]
    hit = next(hit for hit in base.hits if hit.key == entry.key)
    citations = [
        Citation(n, entry.id, entry.key, hit.title, hit.link, s.index, s.start, s.end, s.text)
        for n, s in enumerate(engine.catalog.sentences(entry)[:12], start=1)
    ]
    claims = tuple(Claim(c.quote, (c,), Verdict.QUOTED, 1.0, c.quote) for c in citations)
    answer = replace(base, claims=claims, citations=tuple(citations), question=entry.paper.abstract)
    page = page_of(answer, [entry])
    assert active_parts(page) == []
    refused = replace(answer, claims=(), citations=(), refused=True, hits=(hit,))
    assert active_parts(page_of(refused, [])) == []
    listed = replace(refused, refused=False, listed=(entry,))
    assert active_parts(page_of(listed, [])) == []
    assert hit.link == "" or hit.link.startswith(("http://", "https://"))
    for text in (page, str(answer_to_dict(answer)["citations"]), *entry.paper.authors, entry.paper.venue, hit.link):
        assert not set(text) & set(UNSEEN), ascii(text)
        assert not any((ord(char) < 32 and char not in "\n") or 0x7F <= ord(char) < 0xA0 for char in text), ascii(text)


UNSEEN = "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2063\u2066\u2067\u2068\u2069\ufeff\U000e0041"
