"""The chat page in a real browser, served by a process that cannot reach anything but itself."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.bundled_sample import sample_path
from rag.config import Config

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# Every connection that leaves this machine fails, and is written down.
SERVER = """
import socket, sys
log = open(sys.argv[1], "a")
connect, connect_ex, lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
def local(address):
    return not isinstance(address, tuple) or address[0] in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "")
def refuse(what):
    print(what, file=log, flush=True)
    raise OSError(f"blocked: {what}")
socket.socket.connect = lambda self, a: connect(self, a) if local(a) else refuse(a)
socket.socket.connect_ex = lambda self, a: connect_ex(self, a) if local(a) else refuse(a)
socket.getaddrinfo = lambda host, *a, **k: lookup(host, *a, **k) if local((host or "",)) else refuse(host)
from ui.cli import main
sys.exit(main(sys.argv[2:]))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(indexed: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a running chat, and the file that lists its attempts to leave the machine."""
    folder = tmp_path_factory.mktemp("server")
    blocked, output = folder / "blocked", folder / "output"
    blocked.touch()
    port = free_port()
    # The bundled model is not asked unless it is told to compose; there would be nothing to stop or to write anew.
    env = {**os.environ, "CITABLE_HOME": str(indexed.home), "HOME": str(folder), "CITABLE_WRITING": "compose"}
    # As on a user's machine: nothing but the code itself may keep it from asking a hub.
    env.pop("HF_HUB_OFFLINE", None)
    env.pop("GRADIO_ANALYTICS_ENABLED", None)
    command = [sys.executable, "-c", SERVER, str(blocked), "chat", "--port", str(port)]
    with output.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env)
    try:
        deadline = time.monotonic() + 120
        while "models ready" not in output.read_text():
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.2)
        assert f"http://127.0.0.1:{port}" in output.read_text()
        yield f"http://127.0.0.1:{port}", blocked
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def page(server: tuple[str, Path]) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1300, "height": 850})
        page.set_default_timeout(180_000)
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(server[0])
        page.wait_for_selector("#question textarea")
        yield page
        away = [url for url in requests if not url.startswith((server[0], "data:", "blob:"))]
        browser.close()
    assert requests
    assert away == []
    assert server[1].read_text() == ""


def first_title() -> str:
    return str(json.loads(sample_path().read_text(encoding="utf-8").splitlines()[0])["title"])


LONG = "How many encoder layers does the base Transformer stack, and how many attention heads does it use?"


def ask(page: Any, question: str) -> None:
    page.fill("#question textarea", question)
    page.click("#ask")


def test_a_question_is_answered_with_citations_highlighted_in_the_panel(page: Any) -> None:
    title = first_title()
    ask(page, f"What was found in {title}?")
    page.wait_for_selector("#panel .source mark")
    assert title in page.inner_text("#panel")
    assert "quoted word for word" in page.inner_text("#chat") or "checked against" in page.inner_text("#chat")
    page.locator('#chat a[href*="#source-"]').first.click()
    page.wait_for_selector("#panel mark.chosen")
    assert page.inner_text("#panel mark.chosen + sup") == "[1]"
    abstracts = [json.loads(line)["abstract"] for line in sample_path().read_text(encoding="utf-8").splitlines()]
    assert any(page.inner_text("#panel mark.chosen") in abstract for abstract in abstracts)
    # The link chose a card and did not leave the page.
    assert len(page.context.pages) == 1
    # A second question puts its sources on top; the first ones stay for their citations.
    page.wait_for_selector("#ask:visible")
    ask(page, "How do I bake bread at home?")
    page.wait_for_function("document.querySelector('#chat').innerText.includes('The papers do not say.')")
    assert page.locator("#panel section").count() == 2
    page.click("#new")
    page.wait_for_function("!document.querySelector('#panel .source')")
    assert "bake bread" not in page.inner_text("#chat")


def test_a_follow_up_is_told_and_can_be_corrected(page: Any) -> None:
    ask(page, "What is AlphaFold?")
    page.wait_for_selector("#panel .source mark")
    page.wait_for_selector("#ask:visible")
    assert not page.is_visible("#again")
    ask(page, "What does it take as its input?")
    page.wait_for_selector("#again:visible")
    told = "Taken as a follow-up, searched for: What is AlphaFold?"
    page.wait_for_function(f"document.querySelector('#chat').innerText.includes('{told}')")
    assert page.inner_text("#again") == "Ask that again on its own"
    page.click("#again")
    page.wait_for_selector("#again:visible:has-text('as a follow-up')")
    page.wait_for_function(
        "document.querySelector('#chat').innerText.split('What does it take as its input?').length === 4"
    )
    page.click("#new")
    page.wait_for_selector("#again", state="hidden")


def test_a_count_is_given_and_can_be_searched_instead(page: Any) -> None:
    ask(page, "How many titles contain a colon?")
    page.wait_for_selector("#again:visible:has-text('Search the papers for that instead')")
    assert "in the title" in page.inner_text("#chat")
    page.click("#again")
    page.wait_for_selector("#panel section h3")
    page.wait_for_selector("#ask:visible")
    assert not page.is_visible("#again")


def test_filters_typed_in_a_question_say_where_it_was_searched(page: Any) -> None:
    assert 'author:"Diederik Kingma"' in page.inner_text("#filters")
    ask(page, "author:Kroto year:1985 What is the shape of C60?")
    page.wait_for_selector("#panel .source mark")
    page.wait_for_selector("#ask:visible")
    assert "Searched in 1 of 12 papers: 1985, by Kroto" in page.inner_text("#chat")
    assert not page.is_visible("#again")
    # Filters alone list papers: nothing is left that could be searched for instead, or be a follow-up.
    for question, told in (("year:1985", "2 papers of 1985."), ("author:Nobody why?", "is by Nobody.")):
        ask(page, question)
        page.wait_for_function(f"document.querySelector('#chat').innerText.includes('{told}')")
        page.wait_for_selector("#ask:visible")
        assert not page.is_visible("#again")
    assert page.locator("#panel section").count() == 1
    # A filter that cannot be read is told, and the subject of the conversation stays.
    ask(page, "year:abc what?")
    page.wait_for_function("document.querySelector('#chat').innerText.includes('Write year:2020, year:2020-2024')")
    page.wait_for_selector("#ask:visible")
    ask(page, "How was it found?")
    told = "Taken as a follow-up, searched for: What is the shape of C60?"
    page.wait_for_function(f"document.querySelector('#chat').innerText.includes('{told}')")


def test_examples_are_asked_with_a_click(page: Any) -> None:
    examples = page.locator("#examples button")
    assert examples.count() == 4
    text = examples.first.inner_text()
    examples.first.click()
    page.wait_for_selector("#panel section h3")
    assert text in page.inner_text("#chat")


def test_stop_stops_and_the_next_question_is_answered(page: Any) -> None:
    ask(page, LONG)
    page.wait_for_function("/reading the evidence|writing/.test(document.querySelector('#chat').innerText)")
    page.click("#stop")
    page.wait_for_selector("#ask:visible")
    stopped = page.inner_text("#chat")
    assert "Stopped" in stopped or "stopped before the end" in stopped.lower()
    ask(page, "How do I bake bread at home?")
    page.wait_for_function("document.querySelector('#chat').innerText.includes('The papers do not say.')")


def test_an_answer_is_written_anew_with_the_next_seed(page: Any) -> None:
    page.wait_for_function("document.querySelector('#about').innerText.includes('compose (as set)')")
    ask(page, f"What does {first_title()} report?")
    page.click("#regenerate")
    page.wait_for_function("/seed 1 at temperature 0.7/i.test(document.querySelector('#chat').innerText)")


def test_markup_in_a_question_is_only_text(page: Any) -> None:
    ask(page, 'Bread <img src=x onerror="window.hacked=1"> and **butter**?')
    page.wait_for_function("document.querySelector('#chat').innerText.includes('The papers do not say.')")
    assert page.evaluate("window.hacked") is None
    assert "<img src=x" in page.inner_text("#chat")
    assert "**butter**" in page.inner_text("#chat")


def test_a_new_chat_stays_new_while_an_answer_was_written(page: Any) -> None:
    ask(page, LONG)
    page.wait_for_function("/reading the evidence|writing/.test(document.querySelector('#chat').innerText)")
    assert page.is_disabled("#question textarea")
    page.click("#new")
    page.wait_for_selector("#ask:visible")
    page.wait_for_timeout(3000)
    assert first_title() not in page.inner_text("#chat")
    assert page.locator("#panel .source").count() == 0
    ask(page, "How do I bake bread at home?")
    page.wait_for_function("document.querySelector('#chat').innerText.includes('The papers do not say.')")
