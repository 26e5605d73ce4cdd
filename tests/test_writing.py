"""The modes of writing, with a model that writes what the test says; and with the real bundled one at its edge."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from threading import Event
from typing import Any

import pytest

from rag.config import Config, load_config
from rag.drafting import Draft
from rag.errors import UsageError
from rag.grammar import MOST_CHOICES, REFUSAL, choice_grammar
from rag.llm import LlamaModel
from rag.models import llm_path
from rag.records import Checked, Claim, Drafting, Evidence, Hit, Reading, Sampling, Sentence, Token, Verdict
from rag.repetition import says_nothing_new
from rag.worth import worth_quoting
from rag.writing.compose import Compose
from rag.writing.free import Free, prose_sentences
from rag.writing.modes import ABLE, TINY, describe_writing, make_writer, mode_of, retry
from rag.writing.quote import Quote
from rag.writing.writer import Task, Writer
from tests.fakes import FakeModel

TEXTS = (
    "We followed forty lakes with buoys.",
    "Ice left the lakes eleven days earlier in 2019 than in 2010.",
    "Small lakes did not refreeze.",
    "Fish numbers increased in every lake by 14 percent.",
)
QUESTION = "How many days earlier did ice leave the lakes?"
GOOD = "Ice left the lakes eleven days earlier in 2019."


def idf(words: Sequence[str]) -> dict[str, float]:
    return dict.fromkeys(words, 1.0)


def shown(*texts: str, key: str = "k", scores: Sequence[float] = ()) -> list[Evidence]:
    return [
        Evidence(i + 1, "Lakes", key, "", Sentence(1, i, 0, len(text), text), scores[i] if scores else 2.0 - 0.1 * i)
        for i, text in enumerate(texts)
    ]


def write(writer: Writer, model: FakeModel, written: str = "", **more: Any) -> tuple[Draft, list[Any]]:
    model.text = written or model.text
    draft = Draft(idf, QUESTION, evidence=shown(*TEXTS), lengths={"k": len(TEXTS)})
    task = Task([], draft, 3, more.pop("max_tokens", 500), Sampling(0.7, more.pop("seed", 3)), Event())
    events = list(writer.write(task))
    return task.draft, events


def verdicts(draft: Draft) -> list[Verdict]:
    return [claim.verdict for claim in draft.claims]


def test_auto_goes_by_the_size_of_the_model() -> None:
    assert [mode_of("auto", n) for n in (0, TINY - 1, TINY, ABLE - 1, ABLE)] == [
        "compose", "quote", "quote", "quote", "free",
    ]  # fmt: skip
    assert mode_of("free", 1) == "free"
    assert describe_writing("auto", 134_515_008) == (
        "quote (auto: the model has 135M parameters); the ranking chooses the sentences"
    )
    assert describe_writing("compose", 134_515_008) == "compose (as set)"


def test_quoting_by_rank_asks_no_model() -> None:
    model = FakeModel("never")
    draft, events = write(make_writer("auto", model, 1), model)
    assert model.asked == []
    assert TEXTS[1] in [claim.text for claim in draft.claims]
    assert set(verdicts(draft)) == {Verdict.QUOTED}
    assert [event.claim for event in events] == draft.claims


def test_the_model_chooses_quotations_in_its_order() -> None:
    model = FakeModel()
    draft, events = write(Quote(model), model, "[4] [2]")
    assert [claim.text for claim in draft.claims] == [TEXTS[3], TEXTS[1]]
    assert [claim.citations[0].number for claim in draft.claims] == [1, 2]
    assert model.samplings == [Sampling(0.7, 3)]
    # The first quotation is shown before the second is chosen.
    first = next(i for i, event in enumerate(events) if isinstance(event, Checked))
    assert any(isinstance(event, Token) for event in events[first:])


def test_numbers_that_were_not_shown_are_passed_over() -> None:
    model = FakeModel()
    draft, _ = write(Quote(model), model, "Sentences [99], [4, 2] and [0] [2]")
    assert [claim.text for claim in draft.claims] == [TEXTS[3], TEXTS[1]]
    draft, _ = write(Quote(model), model, "[99]")
    assert TEXTS[1] in [claim.text for claim in draft.claims]


@pytest.mark.parametrize("writer", [Quote, lambda m: Compose(m, patient=True), Free])
def test_the_refusal_is_open_in_every_mode(writer: Any) -> None:
    model = FakeModel(REFUSAL)
    draft, _ = write(writer(model), model)
    assert draft.claims == []


@pytest.mark.parametrize("mode", ["compose", "free"])
def test_an_able_model_goes_on_after_a_sentence_that_fails(mode: str) -> None:
    model = FakeModel()
    cites = (" [2]", " [1]", " [4]") if mode == "compose" else ("", "", "")
    written = [GOOD, "The moon is made of green cheese.", "Fish numbers increased in every lake."]
    text = " ".join(sentence + cite for sentence, cite in zip(written, cites, strict=True))
    draft, _ = write(make_writer(mode, model, ABLE), model, text)
    assert [claim.text for claim in draft.claims] == [written[0], written[2]]
    assert set(verdicts(draft)) == {Verdict.SUPPORTED}
    assert draft.dropped == 1


@pytest.mark.parametrize("mode", ["compose", "free"])
def test_a_wrong_sentence_is_replaced_by_what_it_should_have_said(mode: str) -> None:
    model = FakeModel()
    cite = " [2]" if mode == "compose" else ""
    wrong = "Ice left the lakes twelve days earlier than in 2010."
    draft, _ = write(make_writer(mode, model, ABLE), model, wrong + cite)
    claim, *more = draft.claims
    assert (claim.text, claim.verdict, claim.written) == (TEXTS[1], Verdict.QUOTED, wrong)
    assert draft.dropped == 0
    # Nothing is the model's own: what the evidence holds besides is quoted too, or a paper that a model obeys would
    # choose the answer.
    assert {one.verdict for one in more} == {Verdict.QUOTED}
    assert len({one.text for one in draft.claims}) == len(draft.claims)


@pytest.mark.parametrize("mode", ["compose", "free"])
def test_where_nothing_can_be_kept_the_best_is_quoted(mode: str) -> None:
    model = FakeModel()
    cite = " [1]" if mode == "compose" else ""
    draft, _ = write(make_writer(mode, model, ABLE), model, "The moon is made of green cheese." + cite)
    assert set(verdicts(draft)) == {Verdict.QUOTED}
    assert draft.dropped == 1


def test_free_prose_has_no_grammar_and_is_attributed() -> None:
    model = FakeModel()
    draft, events = write(Free(model), model, f"- {GOOD} [7]\n- **Small** lakes did not refreeze [1, 2]. And then")
    assert model.grammars == [""]
    assert [claim.text for claim in draft.claims] == [GOOD, "Small lakes did not refreeze."]
    assert [claim.citations[0].quote for claim in draft.claims] == [TEXTS[1], TEXTS[2]]
    # The first is checked while the second is written.
    assert isinstance(events[-1], Checked)
    assert any(isinstance(event, Token) for event in events[[isinstance(e, Checked) for e in events].index(True) :])


def test_prose_is_split_without_its_decoration() -> None:
    assert prose_sentences("It holds. [1] So it is.\n\n1. One more [2][3].") == ["It holds.", "So it is.", "One more."]
    assert prose_sentences("") == []


def test_the_last_sentence_of_prose_that_ran_out_of_tokens_is_left_out() -> None:
    model = FakeModel()
    draft, _ = write(Free(model), model, f"{GOOD} Small lakes did", max_tokens=len(GOOD) // 4 + 3)
    assert [claim.text for claim in draft.claims] == [GOOD]
    assert draft.dropped == 1


class Drafts(FakeModel):
    """Writes another text for each seed."""

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self.texts = texts

    def stream(self, *args: Any, sampling: Sampling | None = None, **more: Any) -> Any:
        assert sampling is not None
        self.text = self.texts[sampling.seed]
        return super().stream(*args, sampling=sampling, **more)


def test_the_best_supported_of_several_drafts_is_shown() -> None:
    model = Drafts("The moon is made of green cheese. [1]", f"{GOOD} [2]", "Small lakes did not refreeze. [3]")
    draft, events = write(make_writer("compose", model, ABLE, best_of=3), model, seed=0)
    assert [claim.text for claim in draft.claims] == [GOOD]
    assert draft.sampling == Sampling(0.7, 1)
    assert [event for event in events if isinstance(event, Drafting)] == [Drafting(n, 3) for n in (1, 2, 3)]
    assert [event.claim for event in events if isinstance(event, Checked) and event.claim] == draft.claims


def test_several_drafts_need_something_to_tell_them_apart() -> None:
    with pytest.raises(UsageError, match=r"best_of.*temperature"):
        load_config(overrides={"best_of": "3"}, environ={})
    assert load_config(overrides={"best_of": "3", "temperature": "0.7"}, environ={}).best_of == 3
    with pytest.raises(UsageError, match="the ranking chooses"):
        make_writer("auto", FakeModel(), 1, best_of=3)
    for wrong in ({"writing": "verse"}, {"best_of": "0"}, {"seed": "-1"}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            load_config(overrides=wrong, environ={})


def test_writing_once_more_takes_the_next_seed_and_a_temperature_that_lets_it_count() -> None:
    assert retry(Sampling(0.0, 4)) == Sampling(0.7, 5)
    assert retry(Sampling(1.2, 4)) == Sampling(1.2, 5)


def test_near_repetition_is_caught_by_content_words() -> None:
    said = ["In 2019 the ice left the lakes eleven days earlier than it had in 2010."]
    assert says_nothing_new(TEXTS[1], said, idf)
    assert not says_nothing_new("Ice left the lakes twelve days earlier in 2018 than in 2010.", said, idf)
    assert not says_nothing_new(TEXTS[3], said, idf)
    assert not says_nothing_new(TEXTS[1], [], idf)


def test_a_quotation_that_repeats_what_was_written_is_left_out() -> None:
    double = "Ice left the lakes eleven days earlier in 2019 than it did in 2010."
    draft = Draft(idf, QUESTION, evidence=shown(TEXTS[1], double, TEXTS[3]))
    list(draft.quote(draft.evidence))
    assert [claim.text for claim in draft.claims] == [TEXTS[1], TEXTS[3]]


def test_further_quotations_of_a_paper_have_to_earn_their_place() -> None:
    scores = (1.0, 2.6, 0.9, 2.4)
    chosen = worth_quoting(QUESTION, shown(*TEXTS, scores=scores), {"k": 4}, idf, 5)
    assert [item.number for item in chosen] == [2, 4]
    other = replace(shown("Ponds thaw early as well, ten days earlier.", key="o", scores=(2.3,))[0], number=5)
    far = replace(other, number=6, key="f", score=1.0)
    chosen = worth_quoting(QUESTION, [*shown(*TEXTS, scores=scores), other, far], {"k": 4, "o": 1, "f": 1}, idf, 5)
    assert [item.number for item in chosen] == [2, 4, 5]
    assert worth_quoting(QUESTION, [], {}, idf, 5) == []


def test_the_best_evidence_is_quoted_whatever_holds_a_fact_more_likely() -> None:
    for scores in permutations((2.6, 2.5, 2.4, 1.0)):
        evidence = shown(*TEXTS, scores=scores)
        chosen = worth_quoting(QUESTION, evidence, {"k": 4}, idf, 5)
        assert max(evidence, key=lambda item: item.score) in chosen


@pytest.fixture(scope="module")
def small() -> Iterator[LlamaModel]:
    """The bundled model with the smallest context that the settings allow."""
    model = LlamaModel(llm_path("bundled"), context_tokens=Config.answer_tokens + 256)
    yield model
    model.close()


@pytest.mark.parametrize("make", [Quote, lambda m: Compose(m, patient=False), Free])
def test_no_mode_can_overflow_the_smallest_context(small: LlamaModel, make: Any) -> None:
    writer: Writer = make(small)
    prompt_tokens = small.context_tokens - Config.answer_tokens
    question = "Why do lakes thaw"
    # The longest question that is let through, word by word.
    while True:
        try:
            writer.prompt.check(question + " early", small.count_tokens, prompt_tokens=prompt_tokens)
        except UsageError:
            break
        question += " early"
    long = "Ice left the 1,234 lakes eleven days earlier, " * 40 + "in 2019."
    for asked in (question, "Why do lakes thaw early?", question.rsplit(" ", 60)[0]):
        for texts in (TEXTS, (long,), (*TEXTS, long), (long, *TEXTS), ("\u51b0\u6e56" * 300, *TEXTS)):
            chosen = [
                (Hit(1, "k", "Lakes " * 9, "", 1.0, {}, ()), Sentence(1, i, 0, len(text), text), 1.0)
                for i, text in enumerate(texts)
            ]
            messages, evidence = writer.prompt.fit(
                asked, chosen, small.count_tokens, evidence_tokens=10_000, prompt_tokens=prompt_tokens
            )
            assert evidence
            if not messages:
                continue
            assert small.count_tokens(messages) <= prompt_tokens
            draft = Draft(idf, asked, evidence=evidence, lengths={"k": len(texts)})
            cancel = Event()
            task = Task(messages, draft, 5, Config.answer_tokens, Sampling(), cancel)
            for event in writer.write(task):
                # That the model takes the prompt and an answer as long as allowed is what counts, not what it writes.
                if isinstance(event, Reading):
                    cancel.set()


@pytest.mark.parametrize("count", range(1, MOST_CHOICES + 1))
def test_a_choice_is_some_numbers_each_once(count: int, llm: LlamaModel) -> None:
    rules = choice_grammar(count, 4).splitlines()
    assert rules[0] == f'root ::= "{REFUSAL}" | after'
    assert len({rule.partition(" ")[0] for rule in rules}) == len(rules)
    for rule in rules[1:]:
        name, _, body = rule.partition(" ::= ")
        taken = name.split("-")[1:]
        assert not any(f'[{number}]"' in body for number in taken)


def test_the_real_model_chooses_under_the_grammar(llm: LlamaModel) -> None:
    writer = Quote(llm)
    hit = Hit(1, "k", "Lakes", "", 1.0, {}, ())
    chosen = [(hit, Sentence(1, i, 0, len(text), text), 1.0) for i, text in enumerate(TEXTS)]
    messages, evidence = writer.prompt.fit(QUESTION, chosen, llm.count_tokens, evidence_tokens=300, prompt_tokens=900)
    raws = []
    for seed in (1, 1, 2):
        draft = Draft(idf, QUESTION, evidence=evidence)
        list(writer.write(Task(messages, draft, 3, 100, Sampling(1.5, seed), Event())))
        numbers = draft.raw.split()
        assert draft.raw == REFUSAL or len(set(numbers)) == len(numbers) <= 4
        assert draft.ended
        raws.append(draft.raw)
    assert raws[0] == raws[1]


def test_how_likely_an_answer_must_be_for_the_model_to_choose_is_a_setting(llm: LlamaModel) -> None:
    hit = Hit(1, "k", "Lakes", "", 1.0, {}, ())
    chosen = [(hit, Sentence(1, i, 0, len(text), text), 1.0) for i, text in enumerate(TEXTS)]
    for question in (QUESTION, "Who composed the opera?"):
        refused = []
        for threshold in (0.0, 1.0):
            writer = Quote(llm, threshold)
            messages, evidence = writer.prompt.fit(
                question, chosen, llm.count_tokens, evidence_tokens=300, prompt_tokens=900
            )
            draft = Draft(idf, question, evidence=evidence)
            list(writer.write(Task(messages, draft, 3, 100, Sampling(), Event())))
            refused.append(draft.raw == REFUSAL)
            assert bool(draft.claims) is not refused[-1]
        assert refused == [False, True]


def test_choices_without_evidence_or_of_too_much_are_an_error() -> None:
    for count, most in ((0, 1), (MOST_CHOICES + 1, 1), (1, 0)):
        with pytest.raises(ValueError, match="choice"):
            choice_grammar(count, most)


def test_rank_prefers_support_then_the_words_of_the_question() -> None:
    def draft(*claims: tuple[str, Verdict], dropped: int = 0) -> Draft:
        made = [Claim(text, (), verdict, 1.0, "") for text, verdict in claims]
        return Draft(idf, QUESTION, claims=made, dropped=dropped)

    own, quoted = Verdict.SUPPORTED, Verdict.QUOTED
    best = draft((GOOD, own))
    for worse in (draft(), draft((GOOD, quoted)), draft((GOOD, own), dropped=1), draft(("Fish increased.", own))):
        assert best.rank() > worse.rank()


def test_a_number_in_digits_does_not_stray_from_one_in_words() -> None:
    draft = Draft(idf, QUESTION, evidence=shown("The study followed twenty-five men for three years."))
    draft.raw = "The study followed 25 men for 3 years"
    assert not draft.strays()
    draft.raw = "The study followed 26 men for 3 years"
    assert draft.strays()
