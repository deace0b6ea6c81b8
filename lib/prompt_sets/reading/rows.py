"""Reads rows with one prompt each: CSV with a header, JSON objects, and plain lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lib.prompt_sets import MOST_PROMPTS, Check
from lib.prompt_sets.reading.drafts import CHECK_NAMES, Draft, check_of
from lib.prompt_sets.reading.problems import Problems, refused
from lib.prompt_sets.reading.text import from_json, plain

NAMES = {
    "prompt": "text",
    "question": "text",
    "input": "text",
    "text": "text",
    "expected": "expected",
    "expected_answer": "expected",
    "answer": "expected",
    "target": "expected",
    "ideal": "expected",
    "id": "id",
    "system": "system",
    "system_prompt": "system",
    "check": "check",
    "check_value": "check_value",
}
"""What a column or a key means, in lower case. Every other one is a variable."""
DELIMITERS = (",", ";", "\t", "|")
ASSERTED = "__expected"
"""What promptfoo's columns of assertions begin with. Their cells are such as "contains: Paris"; a text is equality."""
MOST_READ = 2 * MOST_PROMPTS
"""Rows that are read at all; more are refused anyway."""


def meaning(name: str) -> str:
    """What a column means; empty for a variable. Example: meaning(" Expected ") -> "expected" """
    return NAMES.get(name.strip().lower().replace(" ", "_"), "")


def has_prompt_column(line: str) -> bool:
    """Whether a first line names a column of prompts."""
    return any(any(meaning(name) == "text" for name in _split(line, each)) for each in DELIMITERS)


def csv_drafts(text: str, problems: Problems) -> list[Draft]:
    """The rows of a CSV file. The delimiter is the one by which the header has a column of prompts."""
    first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=lambda each: (any(meaning(name) == "text" for name in _split(first, each)), -1))
    rows = _csv_rows(text, delimiter, problems)
    header = [name.strip() for name in next(rows, ("", []))[1]]
    _check_header(header)
    drafts: list[Draft] = []
    for where, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            problems.add(where, f"it has {len(cells)} values, and the header has {len(header)}")
            continue
        values = dict(zip(header, [*cells, *[""] * (len(header) - len(cells))], strict=True))
        _add(drafts, where, values, problems)
    return drafts


def json_drafts(rows: Iterable[tuple[str, Any]], problems: Problems) -> list[Draft]:
    """Rows that are JSON objects, each with its place. A text alone is a prompt."""
    drafts: list[Draft] = []
    for where, row in rows:
        if isinstance(row, str):
            row = {"prompt": row}
        if not isinstance(row, Mapping):
            problems.add(where, "it is no object with a prompt")
            continue
        if not any(meaning(str(name)) == "text" for name in row):
            problems.add(where, "it has no “prompt”")
            continue
        try:
            _add(drafts, where, _flat(row), problems)
        except ValueError as problem:
            problems.add(where, str(problem))
    return drafts


def json_lines(text: str, problems: Problems) -> Iterator[tuple[str, Any]]:
    """The values of a JSONL text with their places. Lines that are no JSON are problems."""
    read = 0
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        read += 1
        if read > MOST_READ:
            raise refused(f"There are more than {MOST_PROMPTS:,} lines.", "Split the set.")
        try:
            yield f"Line {number:,}", from_json(line)
        except ValueError as problem:
            problems.add(f"Line {number:,}", str(problem))


def plain_lines(text: str) -> list[Draft]:
    """One prompt in each line that is not blank. Nothing is filled in."""
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return [Draft(f"Line {number:,}", line, fills=False) for number, line in lines]


def _flat(row: Mapping[Any, Any]) -> dict[str, str]:
    """The fields of an object as texts; those of "variables" and "vars" beside them."""
    values: dict[str, str] = {}
    for name, value in row.items():
        inner = value if name in ("variables", "vars") and isinstance(value, Mapping) else {name: value}
        for key, each in inner.items():
            try:
                values[str(key)] = plain(each)
            except ValueError as problem:
                raise ValueError(f"“{str(key)[:40]}” {problem}") from None
    return values


def _add(drafts: list[Draft], where: str, values: Mapping[str, str], problems: Problems) -> None:
    known: dict[str, str] = {}
    for name, value in values.items():
        known.setdefault(meaning(name), value)
    asserted = {name: value for name, value in values.items() if name.startswith(ASSERTED)}
    variables = {name: value for name, value in values.items() if not meaning(name) and name not in asserted}
    try:
        checks = _checks(known, asserted)
    except ValueError as problem:
        problems.add(where, str(problem))
        return
    drafts.append(
        Draft(
            where,
            known.get("text", ""),
            known.get("id", ""),
            known.get("system", ""),
            known.get("expected", ""),
            {name: value for name, value in variables.items() if name},
            checks,
        )
    )


def _checks(known: Mapping[str, str], asserted: Mapping[str, str]) -> tuple[Check, ...]:
    """The check of a row, and those of promptfoo's columns "__expected", such as "contains: Paris"."""
    found = []
    if known.get("check", "").strip():
        found.append(check_of(known["check"], known.get("check_value", "") or known.get("expected", "")))
    for value in filter(str.strip, asserted.values()):
        kind, colon, wanted = value.partition(":")
        known_kind = kind.strip().lower() in CHECK_NAMES
        found.append(
            check_of(kind, wanted.strip()) if known_kind and (colon or kind == "is-json") else Check("exact", value)
        )
    return tuple(found)


def _csv_rows(text: str, delimiter: str, problems: Problems) -> Iterator[tuple[str, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number, read = 1, 0
    try:
        for row in reader:
            read += 1
            if read > MOST_READ:
                raise refused(f"There are more than {MOST_PROMPTS:,} rows.", "Split the set.")
            yield f"Line {number:,}", row
            number = reader.line_num + 1
    except csv.Error as problem:
        problems.add(f"Line {max(1, reader.line_num):,}", f"it is not valid CSV ({problem})")


def _check_header(header: list[str]) -> None:
    """Raises ImportRefused without a column of prompts, and for two columns that mean the same."""
    kinds = [meaning(name) for name in header]
    if "text" not in kinds:
        names = ", ".join(f"“{name[:40]}”" for name in header[:12]) or "nothing"
        raise refused(f"Line 1: there is no column “prompt”. It has {names}.", "Name the column of prompts “prompt”.")
    for name, kind in zip(header, kinds, strict=True):
        if header.count(name) > 1 and name:
            raise refused(f"Line 1: there are two columns “{name[:40]}”.", "Rename one of them.")
        if kind and kinds.count(kind) > 1:
            same = [each for each, other in zip(header, kinds, strict=True) if other == kind]
            raise refused(f"Line 1: the columns {' and '.join(same)} mean the same.", "Rename one of them.")


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
