"""The server adapter: a language model behind an OpenAI-compatible API, such as llama.cpp's own server, vLLM, Ollama.

What the server can do is found out when it is first asked, not configured:

- *Constraint.* A tiny grammar is sent in each way that its kind of server might know, and the way that was obeyed is
  used: `grammar` (llama.cpp), `structured_outputs` or `guided_grammar` (vLLM), or a JSON schema made of the grammar
  (Ollama and others). Where none is obeyed the model writes as it likes, and the checks of what it wrote decide alone.
- *Context.* The server's own word where it gives one; else the setting `context_tokens`, which must then not be more
  than what the server has.
- *Tokens.* Counted by the server where it can: exactly by llama.cpp's server and vLLM, without the chat template by
  llama-cpp-python's, for which an allowance is made. Else bytes are counted, of which no tokeniser makes more tokens
  than there are: in threes, and so is the context, so that budgets in tokens keep about their meaning and the prompt
  cannot overflow.
"""

import re
import unicodedata
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from threading import Event
from typing import Any

from rag.control import CONTROL
from rag.errors import ModelError, UsageError
from rag.http_api import Api, RefusedError
from rag.reach import check_url
from rag.records import Message, Reading, Sampling, Token
from rag.schema import JsonText, grammar_schema

_PROBE = 'root ::= "tea-" [0-9] [0-9] [0-9]'
_OBEYED = re.compile(r"tea-\d\d\d")
_PROBE_TOKENS = 24
_PROBE_MESSAGES = (Message("system", "Be brief."), Message("user", "Say hello."))
# What a chat template may add: to the whole, and to each message.
_TEMPLATE_TOKENS, _MESSAGE_TOKENS = 32, 16
_UNIT = 3  # bytes
_JSON_TOKENS = 8  # quotation marks and escapes around an answer that is a JSON string


class Kind(StrEnum):
    """The servers that are told apart."""

    LLAMA = "llama.cpp's server"
    LLAMA_PYTHON = "llama-cpp-python's server"
    VLLM = "vLLM"
    OLLAMA = "Ollama"
    OTHER = "an OpenAI-compatible server"


class Constraint(StrEnum):
    """How the server is told what may be written."""

    GRAMMAR = "by the grammar"
    STRUCTURED = "by the grammar, as structured output"
    GUIDED = "by the grammar, as guided decoding"
    SCHEMA = "by a JSON schema made of the grammar"
    NONE = "by nothing: the server knows no grammars, what the model writes is only checked afterwards"


_TRIED = {
    Kind.LLAMA: (Constraint.GRAMMAR,),
    Kind.LLAMA_PYTHON: (Constraint.GRAMMAR,),
    Kind.VLLM: (Constraint.STRUCTURED, Constraint.GUIDED, Constraint.SCHEMA),
    Kind.OLLAMA: (Constraint.SCHEMA,),
    Kind.OTHER: (Constraint.GRAMMAR, Constraint.SCHEMA),
}


class ServerModel:
    """A model on a server. Requests can be cancelled at any time; whether they run side by side is the server's."""

    threads: int | None = None
    parameters = 0  # no server tells how large its model is

    def __init__(
        self,
        url: str,
        *,
        model: str = "",
        api_key: str = "",
        context_tokens: int,
        sampling: Sampling | None = None,
    ) -> None:
        """Find out what the server can do; `model` names one of its models, where it has several.

        `sampling` is what holds where a request brings none.

        Raises UsageError for a URL that is none, ModelError if the server cannot be reached, is none of this kind,
        refuses the key, or does not have the model.
        """
        self.url = check_url(url)
        self._sampling = sampling or Sampling()
        self._closing = Event()
        self._has_system = True
        self._api = Api(self.url, api_key)
        try:
            entry = _choose(self._api.models(), model, self.url)
            self._model = str(entry["id"])
            # Some servers call their model by the whole path of its file.
            self.name = self._model.rpartition("/")[2] if self._model.endswith(".gguf") else self._model
            self.kind, context = self._identify(entry)
            self._counted = lru_cache(maxsize=512)(self._count)
            self.constraint = self._probe()
            self.counts_bytes = self._ask_count(_PROBE_MESSAGES) is None
            # Ollama knows only of models that it has loaded, as it has by now.
            context = context or self._ollama_context() or context_tokens
            self.context_tokens = context // _UNIT if self.counts_bytes else context
        except BaseException:
            self._api.close()
            raise
        self.build = f"{self.kind} at {self.url}, model {self.name}"

    def findings(self) -> dict[str, str]:
        """What was found out about the server, by name."""
        counted = "in bytes, three to a token" if self.counts_bytes else "by the server"
        return {
            "context": f"{self.context_tokens} tokens, counted {counted}",
            "answers are held": str(self.constraint),
        }

    def plain(self, text: str) -> str:
        """`text` without what common chat templates would read as control tokens."""
        return CONTROL.sub(" ", text)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of the prompt that `messages` make: as many as there are, or more."""
        return self._counted(tuple(messages))

    def stream(
        self,
        messages: Sequence[Message],
        *,
        grammar: str,
        max_tokens: int,
        cancel: Event,
        sampling: Sampling | None = None,
        bias: Mapping[str, float] | None = None,  # noqa: ARG002
    ) -> Generator[Reading | Token, None, None]:
        """Write until the server is done, `max_tokens` are written or `cancel` is set; a Token may be a few tokens.

        Without a `grammar` the model writes as it likes. A `bias` is passed over: servers take it by number of token.

        Raises UsageError if prompt and answer do not fit the context together, ModelError if the server fails.
        """
        tokens = self.count_tokens(messages)
        if tokens + max_tokens > self.context_tokens:
            raise UsageError(
                f"the prompt has {tokens} tokens and the answer may have {max_tokens}, but the context holds "
                f"{self.context_tokens}. Ask a shorter question, or give the server more context."
            )
        yield Reading(0, tokens)
        read = False
        constraint = self.constraint if grammar else Constraint.NONE
        for text in self._write(messages, grammar, constraint, max_tokens, cancel.is_set, sampling):
            if not read:
                read = True
                yield Reading(tokens, tokens)
            yield Token(text)

    def close(self) -> None:
        """End the requests that are under way and let go of the server."""
        self._closing.set()
        self._api.close()

    # -- finding out ---------------------------------------------------------------------------------------------

    def _identify(self, entry: dict[str, Any]) -> tuple[Kind, int]:
        """The kind of server, and the context of its model in tokens, 0 where it does not say."""
        settings = self._api.ask("/props").get("default_generation_settings")
        if isinstance(settings, dict):
            return Kind.LLAMA, _number(settings.get("n_ctx"))
        if "max_model_len" in entry:
            return Kind.VLLM, _number(entry["max_model_len"])
        if "count" in self._api.ask("/extras/tokenize/count", {"input": "tea"}):
            # It ends the answer that it is writing when another request comes, even one for a count.
            self._api.one_at_a_time()
            return Kind.LLAMA_PYTHON, 0
        if "version" in self._api.ask("/api/version"):
            return Kind.OLLAMA, 0
        return Kind.OTHER, 0

    def _ollama_context(self) -> int:
        if self.kind is not Kind.OLLAMA:
            return 0
        loaded = self._api.ask("/api/ps").get("models") or []
        return next((_number(one.get("context_length")) for one in loaded if one.get("name") == self._model), 0)

    def _probe(self) -> Constraint:
        """The way in which the server obeys a grammar. Raises what the last request raised if it answers to none."""
        refused: RefusedError | None = None
        for self._has_system in (True, False):
            answered = False
            for constraint in (*_TRIED[self.kind], Constraint.NONE):
                if constraint is Constraint.NONE and answered:
                    break
                try:
                    written = self._write(_PROBE_MESSAGES, _PROBE, constraint, _PROBE_TOKENS, self._closing.is_set)
                    text = "".join(written)
                except RefusedError as error:
                    refused = error
                    continue
                answered = True
                if _OBEYED.fullmatch(text.strip()):
                    return constraint
            if answered:
                return Constraint.NONE
            # Some chat templates refuse system messages: once more without.
        raise refused or ModelError(f"{self.url} does not answer. Look at the server's log.")

    # -- asking --------------------------------------------------------------------------------------------------

    def _write(
        self,
        messages: Sequence[Message],
        grammar: str,
        constraint: Constraint,
        max_tokens: int,
        stopped: Callable[[], bool],
        sampling: Sampling | None = None,
    ) -> Iterator[str]:
        sampling = sampling or self._sampling
        body: dict[str, Any] = {
            "model": self._model,
            "messages": self._given(messages),
            "max_tokens": max_tokens + (_JSON_TOKENS if constraint is Constraint.SCHEMA else 0),
            "temperature": sampling.temperature,
            "seed": sampling.seed,
            **_sampling(self.kind),
            **_held(constraint, grammar),
        }
        pieces = self._api.chat(body, lambda: stopped() or self._closing.is_set())
        try:
            if constraint is Constraint.SCHEMA:
                json_text = JsonText()
                yield from filter(None, map(json_text.feed, pieces))
            elif constraint is Constraint.NONE:
                yield from _spoken(pieces)
            else:
                yield from pieces
        finally:
            pieces.close()

    def _given(self, messages: Sequence[Message]) -> list[dict[str, str]]:
        given = [{"role": message.role, "content": self.plain(message.content)} for message in messages]
        if self._has_system or len(given) < 2 or given[0]["role"] != "system":
            return given
        system, first, *rest = given
        return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]

    def _count(self, messages: tuple[Message, ...]) -> int:
        if not self.counts_bytes:
            counted = self._ask_count(messages)
            if counted is None:
                raise ModelError(f"the server at {self.url} counts tokens no more. Look at its log, then ask again.")
            return counted
        contents = [message["content"] for message in self._given(messages)]
        # Some tokenisers take ligatures and the like apart before they count.
        size = sum(max(len(form.encode()) for form in (c, unicodedata.normalize("NFKC", c))) for c in contents)
        return -(-(size + _allowance(len(contents))) // _UNIT)

    def _ask_count(self, messages: Sequence[Message]) -> int | None:
        """Tokens of the prompt by the server's own count; None where it has none."""
        given = self._given(messages)
        if self.kind is Kind.LLAMA:
            prompt = self._api.ask("/apply-template", {"messages": given}).get("prompt")
            body = {"content": prompt, "add_special": True, "parse_special": True}
            tokens = self._api.ask("/tokenize", body).get("tokens") if isinstance(prompt, str) else None
            return len(tokens) if isinstance(tokens, list) else None
        if self.kind is Kind.VLLM:
            return _number(self._api.ask("/tokenize", {"model": self._model, "messages": given}).get("count")) or None
        if self.kind is Kind.LLAMA_PYTHON:
            text = "\n".join(message["content"] for message in given)
            counted = self._api.ask("/extras/tokenize/count", {"model": self._model, "input": text}).get("count")
            return None if counted is None else _number(counted) + _allowance(len(given))
        return None


def _choose(entries: Sequence[dict[str, Any]], wanted: str, url: str) -> dict[str, Any]:
    names = [str(entry["id"]) for entry in entries]
    shown = ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")
    if wanted:
        # Ollama's `qwen3` is its `qwen3:latest`.
        for entry, name in zip(entries, names, strict=True):
            if name in (wanted, f"{wanted}:latest"):
                return entry
        raise ModelError(f"the server at {url} has no model {wanted!r}. It has: {shown or 'none'}.")
    if len(entries) != 1:
        raise ModelError(
            f"the server at {url} has {len(entries)} models. Choose one with llm_model: {shown or 'none'}."
        )
    return entries[0]


def _sampling(kind: Kind) -> dict[str, Any]:
    """What the model in this process samples with. Servers have defaults of their own, a penalty of repetition too."""
    if kind in (Kind.LLAMA, Kind.LLAMA_PYTHON):
        return {"top_k": 40, "top_p": 0.95, "min_p": 0.05, "repeat_penalty": 1.0}
    if kind is Kind.VLLM:
        return {"top_k": 40, "top_p": 0.95, "min_p": 0.05, "repetition_penalty": 1.0}
    return {"top_p": 0.95}


def _held(constraint: Constraint, grammar: str) -> dict[str, Any]:
    match constraint:
        case Constraint.GRAMMAR:
            return {"grammar": grammar}
        case Constraint.STRUCTURED:
            return {"structured_outputs": {"grammar": grammar}}
        case Constraint.GUIDED:
            return {"guided_grammar": grammar}
        case Constraint.SCHEMA:
            try:
                schema = {"name": "answer", "strict": True, "schema": grammar_schema(grammar)}
            except ValueError:
                # No grammar that ships; what the model then writes in plain text is checked all the same.
                return {}
            return {"response_format": {"type": "json_schema", "json_schema": schema}}
        case Constraint.NONE:
            return {}


def _spoken(pieces: Iterator[str]) -> Iterator[str]:
    """The answer without what a model thinks aloud before it, between <think> and </think>."""
    held, spoken = "", False
    for piece in pieces:
        if spoken:
            yield piece
            continue
        held = (held + piece).lstrip()
        if held.startswith("<think>"):
            _, ended, held_after = held.partition("</think>")
            if not ended:
                continue
            held = held_after.lstrip()
        if held and not "<think>".startswith(held):
            spoken = True
            yield held
    if not spoken and not held.startswith("<think>") and held:
        yield held


def _allowance(messages: int) -> int:
    return _TEMPLATE_TOKENS + messages * _MESSAGE_TOKENS


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and value > 0 else 0
