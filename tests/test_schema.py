"""Grammars as JSON schemas: the same texts are allowed, and llama.cpp makes of the schema a grammar that works."""

import json
import re
from threading import Event

import pytest

from rag.grammar import REFUSAL, answer_grammar, question_grammar
from rag.llm import LlamaModel
from rag.records import Message, Token
from rag.schema import JsonText, grammar_pattern, grammar_schema


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        (REFUSAL, True),
        ("Ice left the lakes at 0.5 m. [1] [3]", True),
        ("Ice left the lakes. [1] It came back in May. [2]", True),
        ("Ice left the lakes. [4]", False),
        ("Ice left the lakes.", False),
        ("ice left the lakes. [1]", False),
        ('Ice left the "lakes". [1]', False),
        ("Ice left the\nlakes now. [1]", False),
    ],
)
def test_the_pattern_allows_what_the_grammar_allows(text: str, allowed: bool) -> None:
    assert bool(re.fullmatch(grammar_pattern(answer_grammar(3, 2)), text)) == allowed


def test_other_grammars_that_ship_have_patterns() -> None:
    assert re.fullmatch(grammar_pattern(question_grammar()), "What left the lakes early?")
    assert re.fullmatch(grammar_pattern(answer_grammar(1, 1)), "Ice left the lakes. [1]")


@pytest.mark.parametrize(
    "grammar", ['root ::= "a" root?', "root ::= other", 'root ::= "\\""', "x ::= [a]", 'root ::= "a" &']
)
def test_what_no_pattern_can_say_is_an_error(grammar: str) -> None:
    with pytest.raises(ValueError, match="grammar"):
        grammar_pattern(grammar)


def test_llama_cpp_holds_a_model_to_the_schema(llm: LlamaModel) -> None:
    # The conversion that llama-cpp-python ships is a port of llama.cpp's own, which its server and Ollama use.
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    given = answer_grammar(2, 2)
    grammar = json_schema_to_gbnf(json.dumps(grammar_schema(given)))
    messages = [
        Message("system", "Answer from the numbered sentences."),
        Message("user", "[1] Ice left the lakes 11 days earlier in 2019 than in 2010.\n[2] Fish stayed.\n\nWhen?"),
    ]
    pieces = [
        event.text
        for event in llm.stream(messages, grammar=grammar, max_tokens=120, cancel=Event())
        if isinstance(event, Token)
    ]
    reader = JsonText()
    text = "".join(map(reader.feed, pieces))
    assert text == json.loads("".join(pieces))
    assert re.fullmatch(grammar_pattern(given), text)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_text_is_read_from_json_as_it_comes(size: int) -> None:
    text = 'Ice \u00b5 "left"\n\\ 10\u207b\u2075 \u6df1'
    whole = f"  {json.dumps(text)} \n"
    reader = JsonText()
    assert "".join(reader.feed(whole[i : i + size]) for i in range(0, len(whole), size)) == text


def test_what_is_no_json_is_passed_on() -> None:
    reader = JsonText()
    assert "".join(map(reader.feed, [" ", "Hello", ' "you"'])) == 'Hello "you"'
    assert JsonText().feed('"\\ud83d\\ude00"') == "\ufffd\ufffd"
