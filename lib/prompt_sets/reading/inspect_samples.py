"""Reads samples in inspect's plain format: input, target, id and metadata (inspect.aisi.org.uk/datasets.html)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lib.prompt_sets.reading.conversation import from_messages
from lib.prompt_sets.reading.drafts import Draft
from lib.prompt_sets.reading.problems import Problems
from lib.prompt_sets.reading.text import plain

KNOWN = ("input", "target", "ideal", "id", "metadata")
"""Fields that are used. "ideal" is what OpenAI's evals call the target."""


def drafts(rows: Iterable[tuple[str, Any]], problems: Problems) -> tuple[list[Draft], tuple[str, ...]]:
    """The samples, and what of them is not used, in words."""
    found, unused = [], dict[str, int]()
    for where, row in rows:
        if not isinstance(row, Mapping) or "input" not in row:
            problems.add(where, "it is no sample with an “input”")
            continue
        try:
            found.append(_draft(where, row))
        except ValueError as problem:
            problems.add(where, str(problem))
        for name in row:
            if name not in KNOWN:
                unused[str(name)] = unused.get(str(name), 0) + 1
    notes = tuple(_not_used(name, count) for name, count in unused.items())
    return found, notes


def _not_used(name: str, count: int) -> str:
    return f"“{name[:60]}” of {count:,} sample{'' if count == 1 else 's'} is not used"


def _draft(where: str, row: Mapping[str, Any]) -> Draft:
    if row.get("choices"):
        raise ValueError("it has choices, which would be missing from the prompt; write them into the input")
    metadata = row.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    given = row["input"]
    system, text = from_messages(given) if isinstance(given, list) else ("", plain(given))
    return Draft(
        where,
        text,
        plain(row.get("id")),
        system,
        _target(row.get("target", row.get("ideal"))),
        {str(name): plain(each) for name, each in metadata.items() if not isinstance(each, list | dict)},
        fills=False,
    )


def _target(target: Any) -> str:
    if isinstance(target, list):
        if len(target) > 1:
            raise ValueError(f"it has {len(target)} targets, and a prompt here has one expected answer")
        return plain(target[0]) if target else ""
    return plain(target)
