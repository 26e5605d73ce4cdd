"""The chat page: typed events -> Gradio components. `create_app` builds it, `serving.py` runs it.

Nothing on the page comes from elsewhere: no analytics, no fonts or scripts from the internet.
"""

import os

# Read when Gradio is imported: it would report each start, and look for a newer version of itself.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from importlib.resources import files
from threading import Event
from typing import Any

import gradio as gr

from rag.build import Engine
from rag.errors import CitableError
from rag.filters import EXAMPLES
from rag.records import Checked, Claim, Drafting, Finished, Found, Ranking, Reading, Sampling, Token
from rag.writing.modes import retry
from ui import render

_EMPTY_PANEL = '<p class="hint">The sentences that an answer cites are shown here, in their abstracts.</p>'
_WELCOME = "Ask a question about your papers. Every sentence of the answer cites the sentence it rests on."
_HINT = f"To ask only some of the papers, type in your question: `{'` `'.join(EXAMPLES)}`"
_LOADING = "loading the models"
Updates = tuple[list[dict[str, Any]], str, "Memory | dict[str, Any]"]


@dataclass(frozen=True)
class Memory:
    """What a page remembers of its last question, for follow-ups and to take it the other way.

    `subject` is what the next question may lean on, `before` what the last one could lean on, `followed` whether it was
    taken to, and `listed` whether it was answered by counting what could be searched for as well; `searched` is True
    where it was searched for instead. `sampling` is that of the answer, if another seed could give another.
    """

    question: str = ""
    subject: str = ""
    before: str = ""
    followed: bool = False
    listed: bool = False
    searched: bool = False
    sampling: Sampling | None = None

    def other_way(self) -> str:
        """The label of the button that takes the last question the other way; empty where there is none."""
        if self.listed:
            return "Search the papers for that instead"
        if not self.before:
            return ""
        return "Ask that again on its own" if self.followed else "Ask that again as a follow-up"


@dataclass(frozen=True)
class Turn:
    """One question on one page: what names its sources on the page, what stops it, and what makes it unwanted."""

    id: str = field(default_factory=lambda: secrets.token_hex(4))
    cancel: Event = field(default_factory=Event)
    dropped: Event = field(default_factory=Event)

    def drop(self) -> None:
        """Stop, and show nothing more of this turn."""
        self.dropped.set()
        self.cancel.set()


class ChatPage:
    """The callbacks of the page over an engine that may still be loading."""

    def __init__(self, engine: "Future[Engine]") -> None:
        self._engine = engine
        self._turns: dict[str, Turn] = {}

    def _begin(self, request: gr.Request) -> Turn:
        """A new turn of a page; an earlier one that is still written ends."""
        if earlier := self._turns.get(_page_of(request)):
            earlier.cancel.set()
        turn = self._turns[_page_of(request)] = Turn()
        return turn

    def answer(
        self, question: str, history: list[dict[str, Any]], panel: str, memory: Memory, request: gr.Request
    ) -> Iterator[Updates]:
        """Stream the answer to `question` into the history, and put its sources on top of the panel."""
        yield from self._answer(question, None, history, panel, Memory(subject=memory.subject), request)

    def again(
        self, history: list[dict[str, Any]], panel: str, memory: Memory, request: gr.Request
    ) -> Iterator[Updates]:
        """Ask the last question once more, taken the other way: on its own, as a follow-up, or not as a count."""
        follows = None if memory.listed else not memory.followed
        earlier = replace(memory, subject=memory.before, sampling=None)
        yield from self._answer(memory.question, follows, history, panel, earlier, request)

    def regenerate(
        self, history: list[dict[str, Any]], panel: str, memory: Memory, request: gr.Request
    ) -> Iterator[Updates]:
        """Ask the last question once more, taken the same way, and write the answer with the next seed."""
        if memory.sampling is None:
            yield gr.skip(), gr.skip(), gr.skip()
            return
        earlier = replace(memory, subject=memory.before, listed=memory.searched, sampling=retry(memory.sampling))
        yield from self._answer(memory.question, memory.followed, history, panel, earlier, request)

    def about(self) -> Iterator[str]:
        """What writes the answers, once the models are loaded."""
        yield f"Answers: {_LOADING} \u2026"
        while not self._engine.done():
            time.sleep(0.5)
        if self._engine.exception() is None:
            engine = self._engine.result()
            drafts = f"; best of {engine.config.best_of} drafts" if engine.config.best_of > 1 else ""
            about = f"{engine.writing}{drafts}. Language model: {engine.llm.name}"
            yield f"Answers: {render.escape_markdown(about)}"

    def _answer(
        self,
        question: str,
        follows: bool | None,
        history: list[dict[str, Any]],
        panel: str,
        memory: Memory,
        request: gr.Request,
    ) -> Iterator[Updates]:
        question = question.strip()
        if not question:
            gr.Info("Type a question first.")
            yield history, gr.skip(), gr.skip()
            return
        turn = self._begin(request)
        shown = [*history, {"role": "user", "content": render.escape_markdown(question)}]
        try:
            panel = "" if panel == _EMPTY_PANEL else panel
            for update in self._stream(question, follows, shown, panel, memory, turn):
                if turn.dropped.is_set():
                    # A new chat was begun: this answer must not come back into it.
                    yield gr.skip(), gr.skip(), gr.skip()
                    return
                yield update
        except CitableError as error:
            # The next question goes on from the last one that was answered; this one has no other way.
            kept = Memory(question, memory.subject)
            yield [*shown, _assistant(f"**{render.escape_markdown(str(error))}**")], gr.skip(), kept
        finally:
            # The page was closed or the answer is done: nothing may write on for nobody.
            turn.cancel.set()

    def _stream(
        self,
        question: str,
        follows: bool | None,
        shown: list[dict[str, Any]],
        panel: str,
        memory: Memory,
        turn: Turn,
    ) -> Iterator[Updates]:
        while not self._engine.done():
            yield [*shown, _assistant(f"*{_LOADING} \u2026*")], gr.skip(), gr.skip()
            if turn.cancel.wait(0.5):
                yield [*shown, _assistant("*Stopped.*")], gr.skip(), Memory(question, memory.subject)
                return
        engine = self._engine.result()
        claims: list[Claim] = []
        draft, status = "", "searching \u2026"
        yield [*shown, _assistant(f"*{status}*")], gr.skip(), gr.skip()
        events = engine.answerer.stream(
            question,
            turn.cancel,
            subject=memory.subject,
            follows=follows,
            listing=not memory.listed,
            sampling=memory.sampling,
        )
        for event in events:
            match event:
                case Found():
                    among = f" in {event.scope.papers} of {event.scope.total}" if event.scope else ""
                    status = f"{len(event.hits)} papers found{among}, reading \u2026"
                case Drafting():
                    draft, status = "", f"{render.progress_words(event)} \u2026"
                case Ranking() | Reading():
                    status = f"{render.progress_words(event)} \u2026"
                case Token():
                    draft, status = draft + event.text, "writing; not checked yet \u2026"
                case Checked():
                    draft, status = event.rest, ""
                    if event.claim:
                        claims.append(event.claim)
                case Finished():
                    answer = event.answer
                    papers = engine.catalog.papers(list(dict.fromkeys(c.paper_id for c in answer.citations)))
                    text = render.finished_markdown(answer, turn.id)
                    if answer.claims or (answer.refused and answer.hits):
                        panel = render.panel_html(answer, papers, turn.id) + panel
                    counted = answer.listed is not None and bool(answer.query)
                    # Where nothing was searched for, nothing can have been taken as a follow-up.
                    before = memory.subject if answer.query else ""
                    sampling = answer.sampling if engine.answerer.writer.samples and not answer.stopped else None
                    now = Memory(question, answer.subject, before, answer.followed, counted, memory.listed, sampling)
                    yield [*shown, _assistant(text or "*Stopped.*")], panel or _EMPTY_PANEL, now
                    return
            yield (
                [*shown, _assistant(render.answer_markdown(claims, turn.id, draft=draft, status=status))],
                gr.skip(),
                gr.skip(),
            )

    def server(self) -> Any:
        """What was found out about the server that writes the answers; nothing where there is none."""
        wait([self._engine], timeout=600)
        failed = not self._engine.done() or self._engine.exception()
        found = {} if failed else self._engine.result().findings()
        return gr.update(value=render.server_markdown(found), visible=bool(found))

    def stop(self, request: gr.Request) -> None:
        """Stop the answer that is being written on this page."""
        if turn := self._turns.get(_page_of(request)):
            turn.cancel.set()

    def drop(self, request: gr.Request) -> None:
        """Stop the current answer and show nothing more of it: a new chat begins, or the page was closed."""
        if turn := self._turns.pop(_page_of(request), None):
            turn.drop()


def _page_of(request: gr.Request) -> str:
    return request.session_hash or "api"


def _assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def create_app(page: ChatPage, *, heading: str, examples: Sequence[str]) -> gr.Blocks:
    """The page's layout, wired to the callbacks of `page`."""
    with gr.Blocks(title="Citable", fill_height=True) as app:
        with gr.Row(elem_id="top"):
            gr.Markdown(f"## Citable\n{heading}", elem_id="heading")
            new = gr.Button("New chat", elem_id="new", size="sm", scale=0, min_width=110)
        with gr.Row(elem_id="main", equal_height=False):
            with gr.Column(scale=3, min_width=360):
                chat = gr.Chatbot(
                    elem_id="chat",
                    height="62vh",
                    show_label=False,
                    placeholder=_WELCOME,
                    buttons=["copy"],
                    allow_tags=False,
                    feedback_options=None,
                    latex_delimiters=[],
                )
                with gr.Row(elem_id="ask-row"):
                    box = gr.Textbox(
                        elem_id="question",
                        placeholder="Your question",
                        show_label=False,
                        container=False,
                        scale=6,
                        lines=1,
                        max_lines=6,
                        autofocus=True,
                    )
                    ask = gr.Button("Ask", elem_id="ask", variant="primary", scale=0, min_width=80)
                    stop = gr.Button("Stop", elem_id="stop", variant="stop", scale=0, min_width=80, visible=False)
                with gr.Row():
                    again = gr.Button("", elem_id="again", size="sm", visible=False)
                    retried = gr.Button("Regenerate", elem_id="regenerate", size="sm", visible=False)
                gr.Markdown(_HINT, elem_id="filters")
                server = gr.Markdown("", elem_id="server", visible=False)
                about = gr.Markdown("", elem_id="about")
                gr.Markdown("For instance:", elem_id="instance")
                with gr.Row(elem_id="examples"):
                    buttons = [gr.Button(text, size="sm", elem_classes="example", min_width=200) for text in examples]
            with gr.Column(scale=2, min_width=300):
                panel = gr.HTML(_EMPTY_PANEL, elem_id="panel")

        question = gr.State("")
        memory = gr.State(Memory())

        # While an answer is written nothing else can be asked on this page: a second stream would tear the first.
        def begin(text: str) -> list[Any]:
            locked = [gr.update(interactive=False)] * len(buttons)
            return [
                gr.update(value="", interactive=False),
                text,
                gr.update(visible=False),
                gr.update(visible=True),
                gr.update(visible=False),
                gr.update(visible=False),
                *locked,
            ]

        def end(memory: Memory) -> list[Any]:
            free = [gr.update(interactive=True)] * len(buttons)
            # What was read wrongly can be asked the other way; without an earlier question there is no other way.
            corrected = gr.update(value=memory.other_way(), visible=bool(memory.other_way()))
            other = gr.update(visible=memory.sampling is not None)
            return [
                gr.update(interactive=True), gr.update(visible=True), gr.update(visible=False), corrected, other, *free
            ]  # fmt: skip

        def run(start: Any, callback: Any = page.answer, asked: Sequence[Any] = (question,)) -> None:
            answered = start.then(
                callback,
                [*asked, chat, panel, memory],
                [chat, panel, memory],
                show_progress="hidden",
                concurrency_limit=4,
            )
            answered.then(end, memory, [box, ask, stop, again, retried, *buttons], show_progress="hidden", queue=False)

        outputs = [box, question, ask, stop, again, retried, *buttons]
        run(box.submit(begin, box, outputs, show_progress="hidden", queue=False))
        run(ask.click(begin, box, outputs, show_progress="hidden", queue=False))
        for button in buttons:
            run(button.click(begin, button, outputs, show_progress="hidden", queue=False))
        run(again.click(lambda: begin(""), None, outputs, show_progress="hidden", queue=False), page.again, ())
        run(retried.click(lambda: begin(""), None, outputs, show_progress="hidden", queue=False), page.regenerate, ())
        stop.click(page.stop, None, None, queue=False, show_progress="hidden")
        new.click(page.drop, None, None, queue=False, show_progress="hidden").then(
            lambda: ([], _EMPTY_PANEL, "", Memory(), gr.update(visible=False), gr.update(visible=False)),
            None,
            [chat, panel, box, memory, again, retried],
            show_progress="hidden",
            queue=False,
        )
        app.load(page.about, None, about, show_progress="hidden", concurrency_limit=None)
        app.unload(page.drop)
        app.load(page.server, None, server, show_progress="hidden", concurrency_limit=None)
    app.queue(api_open=False)
    return app


def look() -> dict[str, Any]:
    """Theme, styles and script of the page, as Gradio's `launch` takes them."""
    return {
        "theme": gr.themes.Soft(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        "css": (files("ui") / "page.css").read_text(encoding="utf-8"),
        "js": (files("ui") / "page.js").read_text(encoding="utf-8"),
    }
