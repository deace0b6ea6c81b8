"""Reads a prompt set: finds out what the text is, and hands it to the reader of that format."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Literal, get_args

from lib.prompt_sets import PromptSet
from lib.prompt_sets.reading import inspect_samples, promptfoo, rows
from lib.prompt_sets.reading.drafts import Draft, prompts_of
from lib.prompt_sets.reading.problems import Problems, refused
from lib.prompt_sets.reading.text import decoded, from_json, from_yaml

Format = Literal["csv", "jsonl", "json", "promptfoo", "inspect", "lines"]
FORMATS: tuple[Format, ...] = get_args(Format)
FORMAT_WORDS: dict[Format, str] = {
    "csv": "CSV with a header",
    "jsonl": "JSONL",
    "json": "JSON",
    "promptfoo": "promptfoo's configuration",
    "inspect": "inspect's samples",
    "lines": "one prompt in each line",
}
_YAML = re.compile(r"^(?:prompts|tests|providers|description|defaultTest)\s*:", re.MULTILINE)
NAME_LENGTH = 80


def read_set(name: str, raw: bytes, forced: Format | None = None) -> PromptSet:
    """Read a file or a pasted text. `forced` is the format if a person says it; otherwise it is recognised.

    Raises ImportRefused, which names every line that is wrong. Nothing else is raised, whatever the bytes are.
    """
    text = decoded(raw).replace("\r\n", "\n").replace("\r", "\n")
    name = " ".join(name.encode(errors="replace").decode().split())[-NAME_LENGTH:] or "a prompt set"
    found = forced or recognised(name, text)
    problems = Problems()
    drafts, notes = _drafts(found, text, problems)
    return PromptSet(name, FORMAT_WORDS[found], prompts_of(drafts, problems), notes)


def recognised(name: str, text: str) -> Format:
    """Which format this is. A file's ending counts where its text does not say."""
    start, ending = text.lstrip(), name.rpartition(".")[2].lower()
    if start.startswith(("{", "[")):
        return _of_json(start)
    if ending in ("yaml", "yml") or (_YAML.search(text) and ending not in ("csv", "tsv")):
        return "promptfoo"
    if ending in ("csv", "tsv") or rows.has_prompt_column(start.split("\n", 1)[0]):
        return "csv"
    return "lines" if ending not in ("json", "jsonl", "ndjson") else "jsonl"


def _of_json(text: str) -> Format:
    first = text.split("\n", 1)[0].strip()
    try:
        value, whole = from_json(first), False
    except ValueError:
        try:
            value, whole = from_json(text), True
        except ValueError:
            return "jsonl"
    if isinstance(value, dict) and "prompts" in value:
        return "promptfoo"
    sample = value[0] if isinstance(value, list) and value else value
    if isinstance(sample, dict) and _is_sample(sample):
        return "inspect"
    return "json" if whole or isinstance(value, list) else "jsonl"


def _is_sample(row: dict[str, Any]) -> bool:
    """Whether a row is one of inspect's samples, and not a row of ours that calls its prompt "input"."""
    own = {"target", "ideal", "metadata", "choices"} & set(row)
    return "input" in row and "prompt" not in row and (bool(own) or isinstance(row["input"], list))


def _drafts(found: Format, text: str, problems: Problems) -> tuple[list[Draft], tuple[str, ...]]:
    if found == "lines":
        return rows.plain_lines(text), ()
    if found == "csv":
        return rows.csv_drafts(text, problems), ()
    if found == "promptfoo":
        return promptfoo.drafts(_value(text) if text.lstrip().startswith("{") else from_yaml(text), problems)
    if found == "inspect" and not text.lstrip().startswith(("{", "[")):
        return _csv_samples(text, problems)
    listed = _rows(text, problems)
    return inspect_samples.drafts(listed, problems) if found == "inspect" else (rows.json_drafts(listed, problems), ())


def _csv_samples(text: str, problems: Problems) -> tuple[list[Draft], tuple[str, ...]]:
    """inspect's samples in a CSV file: the same columns, and nothing is filled in."""
    return [replace(each, fills=False) for each in rows.csv_drafts(text, problems)], ()


def _rows(text: str, problems: Problems) -> list[tuple[str, Any]]:
    """The objects of a JSON list, or those of JSONL, with their places."""
    if not text.lstrip().startswith("["):
        try:
            value = from_json(text)
        except ValueError:
            return list(rows.json_lines(text, problems))
        return [("Line 1", value)]
    value = _value(text)
    if len(value) > rows.MOST_READ:
        raise refused(f"There are {len(value):,} entries, and a set has at most {rows.MOST_READ // 2:,} prompts.")
    return [(f"Entry {number:,}", each) for number, each in enumerate(value, 1)]


def _value(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError as problem:
        raise refused(f"This cannot be read: {problem}.") from None
