"""Follow-ups: what is searched for, and when a question stands for itself."""

from pathlib import Path

import pytest

from rag.build import Engine, index_papers, rebuild_index
from rag.config import Config
from rag.embedding import SentenceEmbedder
from rag.errors import IndexMismatchError, UsageError
from rag.followup import may_lean, resolve, stands_alone
from rag.records import Retrieval


def found(*ranking: tuple[int, float], confidence: float = 0.5) -> Retrieval:
    return Retrieval((), confidence, ranking)


# Of forty papers, none stands out in the one ranking, and paper 39 does in the other.
VAGUE = found(*((i, 0.5 - 0.01 * i) for i in range(40)))
CLEAR = found((39, 0.9), *((i, 0.2 - 0.001 * i) for i in range(39)))


@pytest.mark.parametrize(
    ("alone", "together", "expected"),
    [
        (VAGUE, CLEAR, False),  # leans on the earlier question
        (CLEAR, VAGUE, True),  # another subject, which the earlier one only blurs
        (CLEAR, CLEAR, True),
        (found(), CLEAR, False),
    ],
)
def test_what_stands_out_decides(alone: Retrieval, together: Retrieval, expected: bool) -> None:
    assert stands_alone(alone.ranking, together.ranking) is expected


def search(**results: Retrieval) -> tuple[list[str], object]:
    asked: list[str] = []

    def run(query: str) -> Retrieval:
        asked.append(query)
        return results["joined" if query.startswith("Subject?") else "alone"]

    return asked, run


def test_a_follow_up_is_joined_with_the_last_subject() -> None:
    asked, run = search(alone=VAGUE, joined=CLEAR)
    got = resolve(run, "How fast is it?", "Subject?", lambda _: 0.3)  # type: ignore[arg-type]
    assert (got.query, got.subject, got.found) == ("Subject? How fast is it?", "Subject?", CLEAR)
    # The user knows better.
    got = resolve(run, "How fast is it?", "Subject?", lambda _: 0.3, follows=False)  # type: ignore[arg-type]
    assert (got.query, got.subject, got.found) == ("How fast is it?", "How fast is it?", VAGUE)
    asked.clear()
    resolve(run, "How fast is it?", "", lambda _: 0.3)  # type: ignore[arg-type]
    assert asked == ["How fast is it?"]


def test_what_no_paper_is_near_to_is_not_answered_with_the_last_paper() -> None:
    _, run = search(alone=found((1, 0.5), (2, 0.49), confidence=0.1), joined=CLEAR)
    strange = "How is it that sourdough bread stays soft longer?"
    assert resolve(run, strange, "Subject?", lambda _: 0.3).query == strange  # type: ignore[arg-type]
    # Too short to tell by itself.
    assert resolve(run, "And why?", "Subject?", lambda _: 0.3).query == "Subject? And why?"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "question", ["How fast is it?", "How accurate are they?", "Who made it?", "What is its error?"]
)
def test_a_short_question_about_it_leans_whatever_its_common_words_find(question: str) -> None:
    _, run = search(alone=CLEAR, joined=VAGUE)
    assert resolve(run, question, "Subject?", lambda _: 0.3).query == f"Subject? {question}"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "question",
    [
        "How fast is BERT?",
        "Is it true that pulsars slow down?",
        "Who made insulin?",
        "What is AlphaFold and how does it work?",
        "What does CRISPR do, and is it safe?",
        "Why do cats like their boxes?",
        "Does it rain on Titan?",
        "What did He show?",
    ],
)
def test_a_short_question_that_names_its_subject_stands_for_itself(question: str) -> None:
    _, run = search(alone=CLEAR, joined=VAGUE)
    assert resolve(run, question, "Subject?", lambda _: 0.3).query == question  # type: ignore[arg-type]


def test_a_long_question_that_points_nowhere_is_not_searched_twice() -> None:
    assert not may_lean("Which measurements document that human activity changes the natural environment?")
    assert may_lean("Which measurements document that human activity changes it in the natural environment?")
    assert may_lean("And in rats?")


def test_a_conversation_on_real_papers(engine: Engine) -> None:
    """It asks on, changes the subject, and asks on about that."""
    first = engine.answerer.ask("What is AlphaFold?")
    assert first.query == first.subject == "What is AlphaFold?"
    second = engine.answerer.ask("What does it take as its input?", subject=first.subject)
    assert second.query == "What is AlphaFold? What does it take as its input?"
    assert "AlphaFold" in second.citations[0].title
    for asking_on in ("How accurate is it?", "How fast is it?"):
        assert engine.answerer.ask(asking_on, subject=second.subject).followed
    third = engine.answerer.ask(
        "Who fired a pulsed laser at graphite, and what did they find there?", subject=second.subject
    )
    assert third.query == third.question
    assert "Buckminsterfullerene" in third.citations[0].title
    turns = [first.question, second.question, third.question]
    assert engine.answerer.subject_after(turns) == third.question
    assert engine.answerer.ask("How is sourdough bread kept fresh?", subject=third.subject).refused


def test_what_the_paper_spoken_of_does_not_deal_with_is_refused(engine: Engine) -> None:
    """The words of the question before are met in any case: its own decide."""
    answer = engine.answerer.ask("How fast is it?", subject="What is BERT?")
    assert answer.followed
    assert answer.refused
    assert answer.unmet == ("fast",)
    layers = engine.answerer.ask("How many layers does it have?", subject="What is BERT?")
    assert "BERT-base with 12 layers" in layers.text


def test_a_question_with_a_name_of_its_own_is_about_that(engine: Engine) -> None:
    question = "Who invented PageRank and how does it rank pages?"
    assert not engine.answerer.ask(question, subject="What is BERT?").followed


def test_a_short_question_that_is_nothing_by_itself_leans_where_the_paper_has_its_words(engine: Engine) -> None:
    assert engine.answerer.ask("How many parameters?").refused
    answer = engine.answerer.ask("How many parameters?", subject="What is BERT?")
    assert answer.followed
    assert "110 million parameters" in answer.text
    assert engine.answerer.ask("How many parameters?", subject="What is BERT?", follows=False).refused
    for strange in ("How many goals were scored?", "and aspirin?"):
        other = engine.answerer.ask(strange, subject="What is BERT?")
        assert other.refused
        # What was not answered has not become the subject.
        assert other.subject == "What is BERT?"


def test_late_interaction_needs_an_index_that_was_made_for_it(
    tmp_path: Path, sample_lines: list[str], monkeypatch: pytest.MonkeyPatch, embedder: SentenceEmbedder
) -> None:
    monkeypatch.setattr("rag.build.load_embedder", lambda _: embedder)
    papers = tmp_path / "papers.jsonl"
    papers.write_text("\n".join(sample_lines[:3]) + "\n", encoding="utf-8")
    plain = Config(home=tmp_path, rankings="passage,sentence,bm25")
    index_papers(plain, [papers])
    Engine(plain).close()
    with pytest.raises(IndexMismatchError, match=r"token vectors of 0 of \d+ passages.*citable reindex"):
        Engine(Config(home=tmp_path))
    rebuild_index(Config(home=tmp_path))
    with Engine(Config(home=tmp_path)) as engine:
        assert {"passage", "sentence", "tokens"} <= engine.retriever.search("self-attention").hits[0].parts.keys()
    Engine(plain).close()


def test_token_vectors_are_no_ranking_by_themselves() -> None:
    from rag.config import load_config

    with pytest.raises(UsageError, match="tokens not alone"):
        load_config(overrides={"rankings": "tokens"})
