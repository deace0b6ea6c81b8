"""Writes a conversation as a transcript in Markdown.

What people and models wrote stands in fenced blocks, with more backticks than it has itself, so that no text can break
out of its block. Names and titles are escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from lib.messages import Message, utf8_safe
from lib.transfer.formats.draft import fields, objects


def write(title: str, messages: Sequence[Message], system_prompt: str = "") -> bytes:
    """The transcript as UTF-8. A heading for each message has its number, from 1, and its role."""
    blocks = [f"# {escaped(title) or 'Untitled'}"]
    if system_prompt.strip():
        blocks += ["## System prompt", fenced(system_prompt)]
    for number, message in enumerate(messages, 1):
        blocks.append(f"## {number} · {escaped(message.role)}")
        blocks += _body(message)
    return ("\n\n".join(blocks) + "\n").encode()


def fenced(text: str, kind: str = "text") -> str:
    """A block that shows the text as it is. Example: fenced("a `b`") -> "```text\\na `b`\\n```" """
    text = utf8_safe(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{kind}\n{text}\n{fence}"


def escaped(text: str) -> str:
    """One line without Markdown or HTML. Example: escaped("# <b>\\nHi") -> "\\\\# \\\\<b\\\\> Hi" """
    line = " ".join(utf8_safe(text).split())[:200]
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~<>$:^=&])", r"\\\1", line)


def _body(message: Message) -> list[str]:
    blocks = []
    if isinstance(message.content, str):
        blocks.append(fenced(message.content))
    for _, part in objects(message.content):
        text = fields(part).get("text")
        only_text = fields(part).get("type") == "text" and isinstance(text, str)
        blocks.append(fenced(str(text)) if only_text else _json(part))
    if message.content is not None and not isinstance(message.content, str | list):
        blocks.append(_json(message.content))
    for name, value in message.extra.items():
        blocks += [f"{escaped(name)}:", _json(value)]
    return blocks or ["(no content)"]


def _json(value: Any) -> str:
    return fenced(json.dumps(value, ensure_ascii=False, indent=2), "json")
