import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from eval import plots
from eval.metrics import intervals
from eval.records import (
    CitedSentence,
    Counterfactual,
    Gold,
    Kind,
    Question,
    Ranked,
    Record,
    Reply,
    ShownPaper,
    ShownSentence,
    StatedClaim,
)
from eval.report import GROUPS, report_html
from eval.scoring import compute_metrics

EVIL = "<script>window.hacked=1</script></script></title><img src=x onerror=window.hacked=1>\"'&"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def manifest(*, retrieval_only: bool = False, questions: int = 0) -> dict[str, Any]:
    return {
        "created": "2026-01-02T03:04:05+00:00",
        "name": "tiny",
        "notes": ["Grades are made up."],
        "suite": {"digest": "1"},
        "selection": {"questions": questions},
        "mode": {"retrieval_only": retrieval_only, "counterfactual": 0.0},
        "index": {"papers": 3},
        "models": {"llm": None if retrieval_only else {"name": "tiny-llm"}, "embedding": {"name": "tiny-embedding"}},
        "code": {"commit": "0123456789abcdef", "dirty": False},
        "machine": {"cpu": "a </pre><script>processor</script>"},
    }


def reply(*, text: str = "Fish stayed.", refused: bool = False, **changes: Any) -> Reply:
    if refused:
        return Reply("The papers do not say.", True, (), (), (), "", False, True, 0, 0, 0, 0)
    good = Reply(
        text=f"{text} [1]",
        refused=False,
        claims=(StatedClaim(text, (1,), "supported", 0.9, text),),
        citations=(CitedSentence(1, "id:lake", "The lake", 1, "Fish stayed for 77 days.", verbatim=True),),
        evidence=(ShownSentence(1, "id:lake", "The lake", 1, "Fish stayed for 77 days."),),
        raw=f"{text} [1]",
        ended=True,
        parsed=True,
        dropped=0,
        prompt_tokens=30,
        read_tokens=100,
        generated_tokens=5,
    )
    return replace(good, **changes)


def record(name: str, kind: Kind = Kind.FACT, answer: Reply | None = None, **changes: Any) -> Record:
    question = Question(name, kind, changes.pop("question", f"What of {name}?"), **changes.pop("about", {}))
    gold = () if kind is Kind.NONE else (Gold("id:lake", "The lake", 1),)
    timings = {"search": 0.1, "total": 0.5} | ({"evidence": 0.01, "first_token": 0.3, "write": 0.4} if answer else {})
    hits = (ShownPaper("id:ice", "The ice", 0.9, {"passage": 0.8}), ShownPaper("id:lake", "The lake", 0.7, {"bm25": 3}))
    good = Record(
        question, gold, (Ranked("id:ice", 0.9), Ranked("id:lake", 0.7)), hits, 0.6, -0.2, answer, None, "", timings
    )
    return replace(good, **changes)


def run() -> list[Record]:
    """One question of each sort: right, wrong twice, refused rightly and wrongly, an error, generated, not in index."""
    about = {"nuggets": (("77", "seventy-seven"), ("fish",), ("whales",)), "answer": "For 77 days.", "points": ("ice",)}
    bad = CitedSentence(1, "id:ice", "The ice", 0, "Ice lft.", verbatim=False)
    wrong = reply(text="Ice left.", citations=(bad,), raw="Ice left. [1", parsed=False)
    again = Counterfactual(("id:lake",), "Ice left. [1]", False, ("id:ice",))
    return [
        record("q-right", answer=reply(), about=about | {"history": ("And the lake?",)}, counterfactual=again),
        record("q-wrong", Kind.FIND, wrong),
        record("q-far", Kind.FIND, wrong, hits=(), ranking=(Ranked("id:ice", 0.9),), refusal_score=-0.1),
        record("q-none", Kind.NONE, reply(refused=True), about={"subkind": "near"}, refusal_score=0.2, confidence=0.1),
        record("q-refused", Kind.MULTI, reply(refused=True), gold=(Gold("", "The lost", 2),), refusal_score=0.1),
        record("q-error", answer=None, hits=(), ranking=(), error="ModelError: it died", timings={}),
        record("q-made", answer=reply(), about={"generated": True}),
    ]


def html_of(records: list[Record], looks: int | None = None, **mode: Any) -> str:
    return report_html(manifest(**mode), records, compute_metrics(records), looks)


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module", autouse=True)
def few_resamples() -> Iterator[None]:
    """Intervals are not what is tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "_RESAMPLES", 20)
        yield


@pytest.fixture(scope="module")
def full(few_resamples: None) -> str:
    return html_of(run(), looks=3)


def text_of(html: str) -> str:
    """What is left without script, style and tags, in single spaces."""
    html = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def entry(html: str, name: str) -> str:
    return next(part for part in html.split('<details class="question"') if f">{name}</span>" in part)


def test_all_sections_are_there_in_order(full: str) -> None:
    heads = re.findall(r"<h2>(.*?)</h2>", full)
    assert heads == ["Summary", "Failures of retrieval, failures of generation", "Plots", "Questions", "Manifest"]
    text = text_of(full)
    for expected in (
        "tiny 7 questions", "commit 0123456789, tiny-llm, embedding tiny-embedding, 3 papers", "Grades are made up.",
        "Locked suite: its score has been looked at 3 times.", "1 questions ended in an error",
        "Generated questions: optimistic", "7 of 7 questions",
    ):  # fmt: skip
        assert expected in text
    assert full.startswith("<!doctype html>")
    assert '<html lang="en">' in full
    assert "<title>tiny: report of an evaluation</title>" in full


def test_an_unfinished_run_is_told() -> None:
    assert "The run is not finished: 1 of 9 questions are answered." in text_of(html_of([record("a")], questions=9))


def test_every_metric_has_a_column_and_a_meaning(full: str) -> None:
    metrics = compute_metrics(run())
    present = {name for part in metrics["slices"].values() for name in part["metrics"]}
    assert present <= {name for group in GROUPS.values() for name in group}
    heads = {unescape(name).removesuffix(" ↓") for name in re.findall(r'<th scope="col" title=[^>]*>(.*?)</th>', full)}
    assert heads == present
    assert "keeps facts without cited ↓" in full


def test_failures_are_told_apart(full: str) -> None:
    table = full[full.index('<table class="failures">') :].partition("</table>")[0]
    rows = [text_of(row) for row in table.split("<tr>")[2:]]
    assert rows == [
        "Gold retrieved 1 20% 1 20% 0 0% 2 40%",
        "Gold not retrieved 0 0% 2 40% 1 20% 2 40%",
        "Ended in an error 0 0% 1 20% 1 20%",
    ]


def test_what_is_wrong_with_an_answer_is_marked(full: str) -> None:
    right, wrong = entry(full, "q-right"), text_of(entry(full, "q-wrong"))
    assert "not word for word in the paper was not shown as evidence" in wrong
    assert "Breaks the form of an answer" in wrong
    assert '<strong class="bad">' not in right
    text = text_of(right)
    for expected in (
        "right answered gold at 2 What of q-right?", "Asked before And the lake?",
        "Fish stayed. [1] as the model wrote and cited it",
        "[1] The lake , sentence 2 Fish stayed for 77 days.", "Expected For 77 days. ice",
        "in quotes only key fact: 77 / seventy-seven in answer key fact: fish missing key fact: whales",
        "rank 2 The lake", "1 The ice .900 .800 – 2 The lake gold .700 – 3.000", "Hidden: The lake", "Success@1 .000;",
        "first token 0.30 s",
    ):  # fmt: skip
        assert expected in text
    assert "gold not in the first 1" in text_of(entry(full, "q-far"))
    assert "not in the index The lost , grade 2" in text_of(entry(full, "q-refused"))
    assert "Error ModelError: it died" in text_of(entry(full, "q-error"))
    assert "right refused What of" in text_of(entry(full, "q-none"))


def test_text_of_others_is_only_text() -> None:
    quote = CitedSentence(1, EVIL, EVIL, 0, EVIL, verbatim=False)
    shown = ShownSentence(1, EVIL, EVIL, 0, EVIL)
    claim = StatedClaim(EVIL, (1, 2), EVIL, 0.0, EVIL + EVIL)
    answer = reply(text=EVIL, claims=(claim,), citations=(quote,), evidence=(shown,), raw=EVIL)
    about = {
        "subkind": EVIL, "history": (EVIL,), "nuggets": ((EVIL,),), "answer": EVIL, "points": (EVIL,),
        "without": (EVIL,),
    }  # fmt: skip
    evil = record(
        EVIL, answer=answer, question=EVIL, about=about, gold=(Gold(EVIL, EVIL, 1),), error=EVIL, timings={EVIL: 1.0},
        hits=(ShownPaper(EVIL, EVIL, 1.0, {EVIL: 1.0}),), ranking=(Ranked(EVIL, 1.0),),
        counterfactual=Counterfactual((EVIL,), EVIL, False, (EVIL,)),
    )  # fmt: skip
    full = html_of([evil])
    tags = _Page(full).tags
    assert [tag for tag, _ in tags].count("script") == 1
    assert not any(tag == "img" or "onerror" in attrs for tag, attrs in tags)
    assert full.count("window.hacked=1") > 20


def test_nothing_is_loaded_from_anywhere(full: str) -> None:
    for tag, attrs in _Page(full).tags:
        assert tag not in {"link", "iframe", "img", "object", "embed", "base"}
        for name in ("src", "href", "xlink:href", "action", "srcset", "poster"):
            assert (attrs.get(name) or "#").startswith("#"), (tag, attrs)
    assert not re.findall(r"url\((?!#)|@import", full)
    assert set(re.findall(r'https?://[^"\s<]*', full)) == {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}


def test_ids_are_unique_and_all_that_is_referred_to_is_there(full: str) -> None:
    tags = _Page(full).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    used = {(attrs.get(name) or "")[1:] for _, attrs in tags for name in ("href", "xlink:href") if name in attrs}
    assert used | set(re.findall(r"url\(#([^)]*)\)", full)) <= set(ids)


def test_the_same_run_makes_the_same_report(full: str) -> None:
    assert html_of(run(), looks=3) == full
    assert full.count("<svg") == 4


def test_plots_take_their_colours_from_the_page() -> None:
    svg = plots.calibration([{"confidence": 0.4, "answerable": 0.5, "n": 4}])
    assert svg.startswith("<svg")
    assert not re.findall(r"#(?:000\d\d\d|fff\w*)\b", svg)
    assert "var(--plot-1, #0b62a8)" in svg
    assert "mean confidence of the bin</text>" in svg


def test_retrieval_alone_shows_only_retrieval() -> None:
    records = [record("a"), record("b", Kind.FIND, hits=()), record("c", Kind.NONE, confidence=0.1, refusal_score=0.2)]
    full = html_of(records, retrieval_only=True)
    text = text_of(full)
    for expected in (
        "3 questions, retrieval alone", "Nothing was cited in this run.", "2 questions that papers answer. A number",
        "Gold retrieved 1 50%", "Gold not retrieved 1 50%", "Risk and coverage: left out. No answers were written",
    ):  # fmt: skip
        assert expected in text
    assert full.count("<svg") == 3
    assert 'name="outcome"' not in full
    assert 'name="state"' not in full
    assert not re.findall(r"What the model wrote|>(right|wrong)<", full)


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ([record("a", answer=reply())], "There are no questions without an answer in this run."),
        ([record("a", Kind.NONE, reply())], "There are no questions with an answer in this run."),
        ([record("a", Kind.NONE, reply(), timings={})], "Latency: left out. The records of this run hold no times."),
        ([record("a", Kind.NONE, reply())], "Recall by depth: left out. No question has gold papers."),
        ([record("a", Kind.NONE, reply())], "No question of this run has gold papers to find."),
        (
            [record("a", answer=reply(), about={"generated": True})],
            "There are no questions without an answer in this run.",
        ),
        ([record("a", error="E: e", hits=(), timings={})], "Nothing was cited in this run."),
    ],
)
def test_what_is_missing_is_told(records: list[Record], sentence: str) -> None:
    assert sentence in text_of(html_of(records))


@pytest.fixture(scope="module")
def page(few_resamples: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    path = tmp_path_factory.mktemp("report") / "report.html"
    evil = record("q-evil", answer=reply(text=EVIL, raw=EVIL), question=EVIL, about={"answer": EVIL})
    path.write_text(html_of([*run(), evil]), encoding="utf-8")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        context = browser.new_context(offline=True)
        page = context.new_page()
        page.set_default_timeout(20_000)
        told: list[str] = []
        page.on("request", lambda request: told.append(request.url))
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(path.as_uri())
        yield page
        browser.close()
    # What the page did not allow is told too: one test tries.
    assert {line for line in told if "Content Security Policy" not in line} == {path.as_uri()}


def counted(page: Any, count: int) -> bool:
    """Wait until the page says that it shows so many questions."""
    page.get_by_text(f"{count} of 8 questions", exact=True).wait_for()
    return len(shown(page)) == count


def shown(page: Any) -> list[str]:
    return [str(name) for name in page.locator(".question:not(.out) .id").all_text_contents()]


def test_questions_are_searched_and_filtered_in_the_page(page: Any) -> None:
    assert counted(page, 8)
    page.select_option("[name=outcome]", "wrong")
    assert shown(page) == ["q-wrong", "q-far", "q-refused", "q-error"]
    page.select_option("[name=gold]", "not retrieved")
    page.select_option("[name=state]", "refused")
    assert shown(page) == ["q-refused"]
    assert counted(page, 1)
    page.click("#filter button")
    assert counted(page, 8)
    # Words may stand apart, in any case; titles count, other text does not.
    page.fill("[name=words]", "LOST q-ref")
    assert counted(page, 1)
    page.fill("[name=words]", "tokens read")
    assert counted(page, 0)
    # A number of the table shows its questions.
    page.locator(".failures a").first.click()
    assert shown(page) == ["q-right", "q-evil"]
    page.select_option("[name=kind]", "none: near")
    page.select_option("[name=outcome]", "")
    page.select_option("[name=gold]", "")
    assert shown(page) == ["q-none"]


def test_no_script_of_a_record_runs(page: Any) -> None:
    page.reload()
    page.fill("[name=words]", "q-evil")
    assert counted(page, 1)
    page.locator(".question:not(.out) summary").click()
    assert EVIL in page.inner_text(".question:not(.out)")
    # Nor does one that found its way into the page all the same.
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'hacked = 2'}))")
    assert page.evaluate("window.hacked") is None


def test_the_papers_of_a_listing_are_named() -> None:
    listed = replace(reply(), claims=(), citations=(), evidence=(), text="1 paper with that.", listed=("id:lake",))
    assert "Listed: id:lake" in html_of([record("a", Kind.META, listed)])
