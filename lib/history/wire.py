"""Stored bytes to values and back: JSON that a JavaScript service writes and reads too.

The rule: what is read back equals what was written, lone surrogates (cut emoji, which JavaScript stores happily) included.
orjson reads, because it is twice as fast; it refuses a whole array that holds a lone surrogate, so json reads those.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import orjson

from lib.errors import CorruptHistory
from lib.messages import Message


def dump(value: Any) -> str:
    """Compact JSON. Text stays readable unless it holds a lone surrogate: UTF-8 cannot carry one, an escape can."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def dump_messages(messages: Iterable[Message]) -> str:
    """Messages as the inside of a JSON array, without its brackets."""
    return dump([message.to_dict() for message in messages])[1:-1]


def read(raw: bytes) -> Any:
    """The value of a JSON text. Raises ValueError where it is none."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return json.loads(raw)


def read_messages(raw: bytes, first_index: int = 0) -> list[Message]:
    """A JSON array of messages. Raises CorruptHistory, saying what is wrong and where.

    `first_index` is the place of the array's first message in the whole history, for the words of the error.
    """
    try:
        value = read(raw)
    except json.JSONDecodeError as exc:
        raise CorruptHistory(
            f"The stored conversation is not JSON: {exc.msg}.", raw=raw, where=f"character {exc.pos:,}"
        ) from exc
    except UnicodeDecodeError as exc:
        raise CorruptHistory(
            "The stored conversation is not UTF-8 text.", raw=raw, where=f"byte {exc.start:,}"
        ) from exc
    except RecursionError as exc:
        raise CorruptHistory("The stored conversation is nested too deeply to read.", raw=raw) from exc
    if not isinstance(value, list):
        raise CorruptHistory(
            f"The stored conversation is not an array of messages but {_kind(value)}.", raw=raw, where="the beginning"
        )
    messages = []
    for index, item in enumerate(value, first_index):
        try:
            messages.append(Message.from_dict(item))
        except ValueError as exc:
            raise CorruptHistory(
                f"The stored conversation holds something that is not a message: {exc}.",
                raw=raw,
                where=f"element {index:,}",
            ) from exc
    return messages


def _kind(value: Any) -> str:
    names = {dict: "an object", str: "a string", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")
