"""An OpenAI-compatible API over HTTP: requests that can be cancelled at any time, and errors that say what to do next.

All requests run on one thread of their own with an event loop: only so does a request end at once while the server is
still silent. Knows of messages and models nothing but where their text stands in an answer. Proxies set in the
environment are not used: they are not who the user has named.
"""

import asyncio
import json
import queue
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

import httpx

from rag.errors import CitableError, ModelError, UsageError

KEY_VARIABLE = "CITABLE_LLM_API_KEY"
_POLL = 0.1  # seconds between two looks at the stop button
# A server may load its model at the first request, and be silent while it reads a long prompt.
_PATIENT = httpx.Timeout(10, read=600)
_QUICK = httpx.Timeout(10, read=60)
_MANY = 1_000
T = TypeVar("T")


class RefusedError(ModelError):
    """The server does not accept a request as it is (HTTP 400, 422 or 5xx); another one might do."""


class Api:
    """The server at one URL. Requests of several threads run side by side unless `one_at_a_time()` was called."""

    def __init__(self, url: str, api_key: str = "") -> None:
        self.url = url
        self._has_key = bool(api_key)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="llm-server", daemon=True)
        self._thread.start()
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(headers=headers, timeout=_PATIENT, trust_env=False)
        self._turns = asyncio.Semaphore(_MANY)

    def one_at_a_time(self) -> None:
        """From here on, send a request only when the one before is done or cancelled."""
        self._turns = asyncio.Semaphore(1)

    def models(self) -> list[dict[str, Any]]:
        """What the server says of its models. Raises ModelError."""
        found = self._run(self._json("GET", f"{self.url}/models", None))
        if not isinstance(found, dict) or not isinstance(found.get("data"), list):
            raise ModelError(f"{self.url} answers, but not as an OpenAI-compatible server. {self._path_hint()}")
        return [entry for entry in found["data"] if isinstance(entry, dict) and entry.get("id")]

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object at `path` (not under /v1), got or, with a `body`, posted to; empty where there is none.

        Raises ModelError if the server cannot be reached.
        """
        root = self.url.removesuffix("/v1")
        try:
            found = self._run(self._json("GET" if body is None else "POST", root + path, body))
        except (RefusedError, _NotThereError):
            return {}
        return found if isinstance(found, dict) else {}

    def chat(self, body: dict[str, Any], stopped: Callable[[], bool]) -> Generator[str, None, None]:
        """Pieces of the answer to a chat request, until it is whole or `stopped()`.

        Raises RefusedError, ModelError, and UsageError where the server finds the prompt too long.
        """
        output: queue.Queue[str | BaseException | None] = queue.Queue()
        future = asyncio.run_coroutine_threadsafe(self._chat(body, output.put), self._loop)
        try:
            while not stopped():
                try:
                    item = output.get(timeout=_POLL)
                except queue.Empty:
                    continue
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            # Closes the connection: that is how a server learns that nobody listens any more.
            future.cancel()

    def close(self) -> None:
        """End what is under way and let go of the connections."""
        if self._thread.is_alive():
            self._run(self._shut())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    # -- on the loop's thread ------------------------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _shut(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.aclose()

    async def _json(self, method: str, url: str, body: dict[str, Any] | None) -> Any:
        try:
            async with self._turns:
                response = await self._client.request(method, url, json=body, timeout=_QUICK)
            if response.is_error:
                raise self._failure(response)
            return response.json()
        except ValueError:
            return None
        except httpx.HTTPError as error:
            raise self._broken(error) from error

    async def _chat(self, body: dict[str, Any], put: Callable[[str | BaseException | None], None]) -> None:
        try:
            request = self._client.stream("POST", f"{self.url}/chat/completions", json={**body, "stream": True})
            async with self._turns, request as response:
                if response.is_error:
                    await response.aread()
                    raise self._failure(response)
                if "event-stream" in response.headers.get("content-type", ""):
                    await self._events(response, put)
                else:
                    # It does not stream: its whole answer is one piece.
                    put(_text(json.loads(await response.aread()), "message"))
            put(None)
        except httpx.HTTPError as error:
            put(self._broken(error))
        except CitableError as error:
            put(error)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            put(ModelError(f"{self.url} does not answer as an OpenAI-compatible server ({error}). {self._path_hint()}"))

    async def _events(self, response: httpx.Response, put: Callable[[str], None]) -> None:
        finished = False
        async for line in response.aiter_lines():
            data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
            if not data or data == "[DONE]":
                continue
            chunk = json.loads(data)
            if chunk.get("error"):
                raise self._complaint(500, _message(chunk))
            if not chunk.get("choices"):
                continue
            finished = finished or bool(chunk["choices"][0].get("finish_reason"))
            if text := _text(chunk, "delta"):
                put(text)
        if not finished:
            raise ModelError(
                f"the server at {self.url} broke off its answer. Ask again; if it serves one request at a time, let "
                "nobody else use it meanwhile; if its context is smaller than context_tokens, set that to what it has."
            )

    # -- what went wrong -----------------------------------------------------------------------------------------

    def _broken(self, error: httpx.HTTPError) -> ModelError:
        what = str(error) or type(error).__name__
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return ModelError(
                f"no language model server answers at {self.url} ({what}). Start it, correct the setting llm, or use "
                "the model that needs no server: --set llm=bundled"
            )
        if isinstance(error, httpx.TimeoutException):
            return ModelError(
                f"the server at {self.url} keeps silent. Look whether it is still at work, then ask again."
            )
        return ModelError(
            f"the connection to {self.url} broke off ({what}). Look at the server's log, then ask again; if its "
            "context is smaller than context_tokens, set that to what it has."
        )

    def _failure(self, response: httpx.Response) -> CitableError:
        try:
            message = _message(response.json())
        except ValueError:
            message = ""
        return self._complaint(response.status_code, message)

    def _complaint(self, status: int, message: str) -> CitableError:
        said = f"HTTP {status}{f': {message}' if message else ''}"
        if status in (401, 403):
            which = "does not accept the key in" if self._has_key else "wants a key: put it into"
            return ModelError(f"{self.url} {which} the environment variable {KEY_VARIABLE} ({said}).")
        if status in (404, 405):
            return _NotThereError(f"{self.url} has no such model or path ({said}). {self._path_hint()}")
        if status in (429, 503):
            return ModelError(f"{self.url} is busy or still loads its model ({said}). Try again in a moment.")
        if "context" in message.lower() and any(word in message.lower() for word in ("exceed", "length", "too l")):
            return UsageError(
                f"the server finds the question and its evidence too long ({said}). Set context_tokens to the context "
                "that the server was started with, or ask a shorter question."
            )
        return RefusedError(f"{self.url} refuses the request ({said}). Look at the server's log.")

    def _path_hint(self) -> str:
        if self.url.endswith("/v1"):
            return "Choose one of its models with llm_model, and look whether the URL is right."
        return f"Most servers have it under /v1: --set llm={self.url}/v1"


class _NotThereError(ModelError):
    """HTTP 404: there is no such path or model."""


def _text(answer: dict[str, Any], part: str) -> str:
    return answer["choices"][0].get(part, {}).get("content") or ""


def _message(answer: Any) -> str:
    """The server's own words in one short line: they are shown to the user, and are somebody else's text."""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or ""
    return " ".join(str(error).split())[:200]
