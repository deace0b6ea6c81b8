"""Turns the bytes of a file into text, and JSON and YAML in it into values that are all plain."""

from __future__ import annotations

import codecs
import json
from typing import Any, NoReturn

from lib.messages import utf8_safe
from lib.outside_values import is_too_deep
from lib.prompt_sets import MOST_BYTES
from lib.prompt_sets.reading.problems import refused

MOST_YAML_BYTES = 2 * 2**20
"""Bytes of a YAML file; reading YAML takes twenty times as long as reading JSON."""
UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
BINARY = {
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"\x1f\x8b": "a gzip file",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"\x89PNG": "a picture",
}


def decoded(raw: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 with a byte order mark. Raises ImportRefused."""
    if len(raw) > MOST_BYTES:
        raise refused(f"The file has more than {MOST_BYTES // 2**20} MB.", "Split it into smaller sets.")
    kind = next((words for start, words in BINARY.items() if raw.startswith(start)), None)
    if kind is not None:
        raise refused(f"This is {kind}, not text.", "Save it as CSV or JSONL.")
    if raw.startswith(UTF_32):
        raise refused("The text is UTF-32.", "Save it as UTF-8.")
    encoding = "utf-16" if raw.startswith(UTF_16) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        name = "UTF-16" if encoding == "utf-16" else "UTF-8"
        raise refused(f"Line {line:,} is not valid {name}.", "Save the file as UTF-8.") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise refused(f"Line {line:,} holds a zero byte, so this is no text.", "Save the file as UTF-8.")
    if not text.strip():
        raise refused("There is nothing in it.")
    return text


def from_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError, which says what is wrong, for what is not strictly JSON."""
    try:
        value = json.loads(text, parse_constant=_constant)
    except json.JSONDecodeError as problem:
        raise ValueError(f"it is not valid JSON ({problem.msg}, column {problem.colno})") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as problem:
        raise ValueError(str(problem)[:200]) from None
    if is_too_deep(value):
        raise ValueError("it is nested too deeply")
    return value


def from_yaml(text: str) -> Any:
    """The value of a YAML text, in which every scalar is a text. Aliases are refused: a few of them can stand for
    billions of values. Raises ImportRefused."""
    import yaml

    if len(text) > MOST_YAML_BYTES:
        raise refused(f"The YAML has more than {MOST_YAML_BYTES // 2**20} MB.", "Save it as JSON.")
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        levels = 0
        for event in yaml.parse(text, Loader=loader):
            levels += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent):
                raise refused(f"{_line(event)} has a YAML alias (*), which is not read.", "Write the value out.")
            if levels > 60:
                raise refused(f"{_line(event)} is nested too deeply.")
        return yaml.load(text, Loader=loader)  # noqa: S506 - a BaseLoader, which makes nothing but texts, lists and dicts
    except yaml.MarkedYAMLError as problem:
        raise refused(f"{_line(problem)} is not valid YAML: {problem.problem or 'it cannot be read'}.") from None
    except (yaml.YAMLError, ValueError, OverflowError, TypeError, RecursionError) as problem:
        raise refused(f"This is not valid YAML: {' '.join(str(problem).split())[:200]}.") from None


def plain(value: Any) -> str:
    """A scalar as text. Example: plain(4) -> "4"; plain(True) -> "true"; plain(None) -> "".

    Raises ValueError for a list or an object.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return utf8_safe(value)
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise ValueError(f"is {'a list' if isinstance(value, list) else 'an object'}, where a text is expected")


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _line(marked: Any) -> str:
    mark = getattr(marked, "start_mark", None) or getattr(marked, "problem_mark", None)
    return "A line" if mark is None else f"Line {mark.line + 1:,}"
