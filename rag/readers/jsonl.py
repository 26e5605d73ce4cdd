"""JSON Lines: one object a line with `title` and `abstract`; other fields are read where their names are known."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator

from rag.arxiv_categories import is_arxiv_category
from rag.records import Paper, Skipped


class _Record(BaseModel):
    """The fields that are understood, under the names that common exports use. Others are ignored."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True, coerce_numbers_to_str=True)

    title: str = Field(min_length=1)
    abstract: str = Field(min_length=1, validation_alias=AliasChoices("abstract", "summary"))
    authors: tuple[str, ...] = Field(default=(), validation_alias=AliasChoices("authors", "author"))
    year: int | None = None
    venue: str = Field(default="", validation_alias=AliasChoices("venue", "journal"))
    doi: str = ""
    arxiv_id: str = Field(default="", validation_alias=AliasChoices("arxiv_id", "arxiv"))
    pmid: str = ""
    url: str = Field(default="", validation_alias=AliasChoices("url", "link"))
    categories: tuple[str, ...] = Field(
        default=(), validation_alias=AliasChoices("categories", "category", "primary_category")
    )

    @field_validator("authors", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(";" if ";" in value else ",") if name.strip())
        if isinstance(value, list):
            names = (item.get("name") if isinstance(item, dict) else item for item in value)
            return tuple(str(name) for name in names if name)
        return () if value is None else value

    @field_validator("year", mode="before")
    @classmethod
    def _year(cls, value: Any) -> Any:
        text = str(value).strip().removesuffix(".0")
        return int(text) if text.isdecimal() and len(text) <= 4 else None

    @field_validator("categories", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        items = value if isinstance(value, list) else [value]
        texts = (item.get("term") or item.get("name") if isinstance(item, dict) else item for item in items)
        parts = (part.strip() for text in texts if isinstance(text, str) for part in re.split("[,;]", text))
        return tuple(dict.fromkeys(name for part in parts if part for name in _categories(part)))

    @field_validator("venue", "doi", "arxiv_id", "pmid", "url", mode="before")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        return value if isinstance(value, str | int) else ""


def _categories(part: str) -> list[str]:
    """`hep-ph math.MP` are two categories, "Computer science" and "e-health systems" are one each."""
    words = part.split()
    apart = all(map(is_arxiv_category, words)) and any(re.search("[.-]", word) for word in words)
    return words if apart else [" ".join(words)]


def looks_like(head: str) -> bool:
    """Whether the first line that is not empty starts a JSON object."""
    return head.lstrip().startswith("{")


def read(lines: Iterable[str], source: str) -> Iterator[Paper | Skipped]:
    """One paper a line. A line that is no JSON, or lacks title or abstract, is `Skipped` with the reason."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = _Record.model_validate(json.loads(line, parse_constant=lambda _: None))
        except ValidationError as error:
            first = error.errors()[0]
            yield Skipped(source, number, f"{'.'.join(map(str, first['loc'])) or 'line'}: {first['msg'].lower()}")
        except ValueError as error:
            yield Skipped(source, number, f"not JSON ({error})")
        except RecursionError:
            yield Skipped(source, number, "nested too deeply for a paper")
        else:
            yield Paper(**record.model_dump(), source=source)
