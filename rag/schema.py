"""A grammar (GBNF) as a JSON schema, for servers that know no grammars but schemas, and the text back from the JSON.

The schema is that of one JSON string with a pattern. Our grammars do not recurse, so that a pattern says all that they
say, but for quotation marks and backslashes, which would have to be escaped inside the string: they are left out. The
pattern keeps to what llama.cpp makes of patterns: groups, classes, alternatives, counts. Pure.
"""

import re
from typing import Any

_RULE = re.compile(r"^[ \t]*([A-Za-z][\w-]*)[ \t]*::=", re.MULTILINE)
_TOKEN = re.compile(
    r"""\s*(?:(?P<literal>"(?:[^"\\]|\\.)*")|(?P<chars>\[(?:[^\]\\]|\\.)*\])|(?P<count>\{\d*(?:,\d*)?\}|[*+?])"""
    r"""|(?P<mark>[()|])|(?P<name>[A-Za-z][\w-]*))"""
)
_SPECIAL = re.compile(r"[\[\]()|{}*+?]")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def grammar_schema(grammar: str) -> dict[str, Any]:
    """The JSON schema of a string that `grammar` allows.

    Raises ValueError for a grammar that a pattern cannot express: one that recurses, or has quotation marks or
    backslashes in a literal.
    """
    # In a group: llama.cpp would take the quotation marks of the string into its first and last alternative.
    return {"type": "string", "pattern": f"^({grammar_pattern(grammar)})$"}


def grammar_pattern(grammar: str) -> str:
    """The regular expression that matches what `grammar` allows. Raises ValueError as `grammar_schema` does."""
    heads = list(_RULE.finditer(grammar))
    ends = [head.start() for head in heads[1:]] + [len(grammar)]
    rules = {head[1]: grammar[head.end() : end] for head, end in zip(heads, ends, strict=True)}
    return _expand("root", rules, ())


def _expand(name: str, rules: dict[str, str], within: tuple[str, ...]) -> str:
    if name in within or name not in rules:
        raise ValueError(f"the rule {name!r} of the grammar recurses or does not exist")
    body, out, position = rules[name].rstrip(), [], 0
    while position < len(body):
        token = _TOKEN.match(body, position)
        if token is None:
            raise ValueError(f"the grammar cannot be read at {body[position : position + 20]!r}")
        position = token.end()
        if token["literal"]:
            out.append(_literal(token["literal"][1:-1]))
        elif token["chars"]:
            out.append(_chars(token["chars"]))
        elif token["name"]:
            out.append(f"({_expand(token['name'], rules, (*within, name))})")
        else:
            out.append(token["count"] or token["mark"])
    return "".join(out)


def _literal(text: str) -> str:
    if "\\" in text or "^" in text:
        raise ValueError("a literal of the grammar has a quotation mark, backslash or circumflex")
    # A group, so that a count behind it counts all of it.
    # llama.cpp knows no backslash before a full stop or a dollar sign; classes of one it knows.
    escaped = re.sub(r"[.$]", r"[\g<0>]", _SPECIAL.sub(r"\\\g<0>", text))
    return f"({escaped})" if len(text) > 1 else escaped


def _chars(text: str) -> str:
    return text[:-1] + '"\\\\]' if text.startswith("[^") else text


class JsonText:
    """The text inside a JSON string that comes in pieces. What is no JSON string is passed on as it is."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "before"

    def feed(self, piece: str) -> str:
        """The text that `piece` adds."""
        self._held += piece
        if self._state == "before":
            begun = self._held.lstrip()
            if not begun:
                return ""
            self._state = "inside" if begun[0] == '"' else "plain"
            self._held = begun[1:] if begun[0] == '"' else begun
        if self._state == "after":
            self._held = ""
        text, self._held = (self._held, "") if self._state == "plain" else (self._unescaped(), self._held)
        return text

    def _unescaped(self) -> str:
        out, position = [], 0
        while self._state == "inside" and position < len(self._held):
            char = self._held[position]
            if char == '"':
                self._state = "after"
            if char != "\\":
                position += 1
                out.append("" if char == '"' else char)
                continue
            length = 6 if self._held[position + 1 : position + 2] == "u" else 2
            escape = self._held[position + 1 : position + length]
            if len(escape) < length - 1:
                # The rest of the escape is still to come.
                break
            position += length
            code = re.fullmatch("u([0-9a-fA-F]{4})", escape)
            out.append(_char(int(code[1], 16)) if code else _ESCAPES.get(escape, escape))
        self._held = self._held[position:]
        return "".join(out)


def _char(code: int) -> str:
    # Half of a pair is no character: what needs two escapes stands in no paper that we know of.
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else chr(code)
