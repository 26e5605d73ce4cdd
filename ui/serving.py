"""The chat page on this machine: opened at once, the models loaded behind it, closed in order."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any

from rag.build import Engine
from rag.errors import UsageError
from ui.app import ChatPage, create_app, look


def serve(load: Callable[[], Engine], *, heading: str, examples: Sequence[str], host: str, port: int) -> None:
    """Open the page, load the engine behind it, and serve until interrupted.

    The page is there within seconds; a question asked before the models are loaded waits for them. Raises what
    `load` raises, and UsageError if the port is taken.
    """
    # A proxy setting must not catch the server's own look at itself.
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost"]))
    engine: Future[Engine] = Future()
    app = create_app(ChatPage(engine), heading=heading, examples=examples)
    started = time.perf_counter()
    try:
        _launch(app, host, port)
    except (OSError, OverflowError) as error:
        raise UsageError(f"port {port} on {host} is taken or not allowed. Choose another: --port NUMBER") from error
    if host not in ("127.0.0.1", "localhost", "::1"):
        _say(
            f"Careful: at {host} everybody who reaches this machine can read and ask your papers; there is no password."
        )
    _say(f"Citable is at http://{host}:{port} (stop it with Ctrl+C)")
    Thread(target=_fill, args=(engine, load), name="load", daemon=True).start()
    loaded: Engine | None = None
    try:
        loaded = engine.result()
        _say(f"models ready after {time.perf_counter() - started:.0f} s")
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        _say("\nstopped")
    finally:
        # The page goes first: nobody may ask a model that is being freed.
        app.close(verbose=False)
        if loaded:
            loaded.close()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _launch(app: Any, host: str, port: int) -> None:
    app.launch(
        server_name=host,
        server_port=port,
        share=False,
        inbrowser=False,
        quiet=True,
        prevent_thread_lock=True,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        show_error=True,
        **look(),
    )


def _fill(engine: "Future[Engine]", load: Callable[[], Engine]) -> None:
    try:
        engine.set_result(load())
    except BaseException as error:
        engine.set_exception(error)
