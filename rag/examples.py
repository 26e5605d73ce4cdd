"""Example questions made for the papers of an index. Pure and deterministic."""

import re
from collections.abc import Sequence

from rag.records import Paper

# "BrightDreamer: ..." names its subject before the colon: one word with a capital or digit that is no usual word.
_NAMED = re.compile(r"^(?P<name>[A-Z0-9][\w.+-]*): \S")
_TOPIC_SPLIT = re.compile(
    r"\s+(?:of|for|in|on|with|via|from|to|by|under|using|through|and|as|at|between|towards?)\s+|[:,?!]\s*"
)
_NOT_A_TOPIC = re.compile(r"^(?:its|their|new|novel)\s+", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:a|an|the)\s+", re.IGNORECASE)
_TOPIC_WORDS = (2, 4)


def example_questions(papers: Sequence[Paper], count: int = 4) -> list[str]:
    """At most `count` questions that `papers` answer, over papers spread through the list."""
    named = [f"What is {name}, and how well does it work?" for p in papers if (name := _name(p))]
    topics = [f"What do the papers say about {topic}?" for p in papers if (topic := _topic(p))]
    questions = _spread(named, count // 2)
    questions += _spread(topics, count - len(questions))
    if len(questions) < count:
        rest = [f"What does \u201c{paper.title}\u201d report?" for paper in papers]
        questions += _spread(rest, count - len(questions))
    return questions


def _name(paper: Paper) -> str | None:
    match = _NAMED.match(paper.title)
    # Its abstract uses a name again and again; the first word of a phrase it does not.
    if match and not match["name"][1:].islower() and paper.abstract.count(match["name"]) >= 2:
        return match["name"]
    return None


def _topic(paper: Paper) -> str | None:
    """The last short phrase of the title whose words the abstract uses too, written as there."""
    used = set(re.findall(r"[\w-]+", paper.abstract))
    for part in reversed(_TOPIC_SPLIT.split(paper.title)[1:]):
        phrase = _NOT_A_TOPIC.sub("", part.strip())
        article = _ARTICLE.match(phrase)
        words = phrase[article.end() if article else 0 :].split()
        written = [word.lower() if word.lower() in used else word for word in words]
        if _TOPIC_WORDS[0] <= len(words) <= _TOPIC_WORDS[1] and all(word in used for word in written):
            return (article.group().lower() if article else "") + " ".join(written)
    return None


def _spread(items: Sequence[str], count: int) -> list[str]:
    unique = list(dict.fromkeys(items))
    if len(unique) <= count:
        return unique
    # From the middle of each of `count` equal stretches.
    return [unique[(2 * i + 1) * len(unique) // (2 * count)] for i in range(count)]
