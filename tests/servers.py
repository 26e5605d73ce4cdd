"""Language model servers for tests: llama-cpp-python's own, started for real, and small stand-ins for the others."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rag.models import llm_path


@contextmanager
def llama_cpp_server(log: Path, context_tokens: int) -> Iterator[str]:
    """llama-cpp-python's server with the bundled model; gives its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(llm_path("bundled")), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--n_ctx", str(context_tokens), "--n_threads", "2", "--n_batch", "128"]
    # Threads that wait must not spin: another process wants the processor.
    environ = {**os.environ, "GOMP_SPINCOUNT": "0", "OMP_WAIT_POLICY": "PASSIVE"}
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environ)
    url = f"http://127.0.0.1:{port}/v1"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/models", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, log.read_text(errors="replace")[-2000:]
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(30)


Write = Callable[[dict[str, Any]], "str | tuple[int, Any]"]


@dataclass
class StandIn:
    """A server that answers what it is told to. `write` makes the answer to a chat request, or an HTTP error."""

    write: Write
    models: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "tea", "object": "model"}])
    routes: dict[str, Callable[[dict[str, Any]], Any]] = field(default_factory=dict)
    key: str = ""
    streams: bool = True
    breaks_off: bool = False
    delay: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Run it; gives its URL."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            server.server_close()


def _handler(state: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve({})

        def do_POST(self) -> None:
            self._serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _serve(self, body: dict[str, Any]) -> None:
            if state.key and self.headers.get("Authorization") != f"Bearer {state.key}":
                self._send(401, {"error": {"message": "Invalid API key"}})
            elif self.path == "/v1/models":
                self._send(200, {"object": "list", "data": state.models})
            elif self.path in state.routes:
                self._send(200, state.routes[self.path](body))
            elif self.path == "/v1/chat/completions":
                state.asked.append(body)
                self._chat(state.write(body))
            else:
                self._send(404, {"error": "not found"})

        def _send(self, status: int, content: Any) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _chat(self, answer: "str | tuple[int, Any]") -> None:
            if isinstance(answer, tuple):
                self._send(*answer)
                return
            if not state.streams:
                self._send(200, {"choices": [{"message": {"content": answer}, "finish_reason": "stop"}]})
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                for piece in re.findall(r".{1,5}", answer, re.DOTALL):
                    time.sleep(state.delay)
                    self._event({"choices": [{"delta": {"content": piece}, "finish_reason": None}]})
                if not state.breaks_off:
                    self._event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
                self.wfile.write(b"data: [DONE]\n\n")
            except OSError:
                state.left.set()
            self.close_connection = True

        def _event(self, chunk: dict[str, Any]) -> None:
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()

        def log_message(self, *args: object) -> None:
            """Silent."""

    return Handler
