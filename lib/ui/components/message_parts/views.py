"""What is shown of each part of a message: words, rows, a small picture, its tokens, and how often it was sent again.

Both the chat and the component of the context-window page draw these, so that a part looks and reads the same.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import streamlit as st

from lib import images
from lib.message_parts import Image, Other, Part, Reasoning, Text, ToolCall, ToolResult, as_json, parts_of
from lib.messages import Message, utf8_safe
from lib.tokens import TokenCounter
from lib.tokens.counted import NON_TEXT_PART
from lib.tokens.part_sizes import size_of
from lib.ui.format import numbers

THUMBNAIL = 240
"""Pixels of a small picture's longer side."""
ROWS, VALUE = 40, 2_000
"""Arguments of a call, and characters of each, that are shown."""
SHOWN = 4_000
"""Characters that are shown of a part of an unknown kind."""
FIRST_LINE = 100
"""Characters of a result that are visible while it is folded."""
SEALED = "Encrypted: only the provider can read it, and it is never counted as text."
ELSEWHERE = "Image at an address, not fetched"
UNREADABLE = "Image that cannot be drawn: it is no PNG, JPEG, GIF or WebP that can be read, or it is too large"

Kind = Literal["text", "reasoning", "call", "result", "image", "other"]


@dataclass(frozen=True, slots=True)
class PartView:
    """One part as it is shown. Everything is plain text; `pictures` are PNGs as base64.

    `rows` are the arguments of a call, by name. `tokens` and `again` are words, empty for a text.
    """

    kind: Kind
    title: str = ""
    text: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    pictures: tuple[str, ...] = ()
    tokens: str = ""
    again: str = ""

    @property
    def first_line(self) -> str:
        """What is visible of a text while it is folded."""
        line = next((line for line in self.text.splitlines() if line.strip()), "")
        if self.kind == "reasoning":  # summaries begin with a heading, in Markdown
            line = line.strip("*#_ ")
        return line.strip() if len(line) <= FIRST_LINE else f"{line.strip()[:FIRST_LINE]}…"


@dataclass(frozen=True, slots=True)
class Shown:
    """What parts are shown with. `again` is how often each stored message was sent again, by its index; `names` are
    those of the tools that were called, by the id of the call."""

    counter: TokenCounter
    again: Sequence[int] = ()
    names: Mapping[str, str] | None = None

    @classmethod
    def of(cls, messages: Sequence[Message], counter: TokenCounter, again: Sequence[int] = ()) -> Shown:
        """With the names of the tools that these messages call."""
        calls = [part for message in messages for part in _calls(message)]
        return cls(counter, again, {call.id: call.name for call in calls if call.id})

    def views(self, message: Message, index: int | None = None) -> list[PartView]:
        """The parts of a message, which has this stored index."""
        again = self.again[index] if index is not None and index < len(self.again) else None
        return [self._view(part, again) for part in parts_of(message)]

    def _view(self, part: Part, again: int | None) -> PartView:
        view = _plain_view(part, self.names or {})
        if isinstance(part, Text):
            return view
        is_left_out = isinstance(part, Reasoning) and not part.in_content  # the app's own requests never hold it
        return replace(view, tokens=_size(part, self.counter), again="" if is_left_out else _again(again))


def words_of(message: Message) -> str:
    """A message in a few words: its texts, and what else it has by name. Example: "Look: [image]", "calls weather"."""
    if isinstance(message.content, str) and message.content:
        return message.content
    return " ".join(filter(None, map(_words, parts_of(message))))


def _words(part: Part) -> str:
    if isinstance(part, Text):
        return part.text
    if isinstance(part, ToolCall):
        return f"calls {part.name or 'a tool'}"
    if isinstance(part, ToolResult):
        return part.text or "[result without a text]"
    return f"[{part.kind}]" if isinstance(part, Other) else "[image]" if isinstance(part, Image) else "[reasoning]"


def _calls(message: Message) -> list[ToolCall]:
    if message.role != "assistant" and not isinstance(message.content, list):
        return []
    return [part for part in parts_of(message) if isinstance(part, ToolCall)]


def _plain_view(part: Part, names: Mapping[str, str]) -> PartView:
    """The view of a part without its figures."""
    if isinstance(part, Text):
        return PartView("text", text=utf8_safe(part.text))
    if isinstance(part, Reasoning):
        return PartView("reasoning", "Reasoning", utf8_safe(part.text) or SEALED)
    if isinstance(part, ToolCall):
        return PartView("call", f"Calls {utf8_safe(part.name) or 'a tool without a name'}", rows=arguments(part))
    if isinstance(part, ToolResult):
        name = utf8_safe(names.get(part.call_id, ""))
        title = f"{'Error' if part.failed else 'Result'}{f' of {name}' if name else ''}"
        inner = [_plain_view(each, names) for each in part.parts]
        texts = [each.text if each.kind == "text" else _beside(each) for each in inner]
        pictures = tuple(picture for each in inner for picture in each.pictures)
        return PartView("result", title, "\n".join(text for text in texts if text), pictures=pictures)
    if isinstance(part, Image):
        picture = small_picture(part.data)
        title = "Image" if picture else ELSEWHERE if part.address else UNREADABLE
        return PartView("image", title, utf8_safe(part.address[:SHOWN]), pictures=(picture,) if picture else ())
    return PartView("other", f"A part of type {utf8_safe(part.kind)}", _described(part.value))


def _beside(view: PartView) -> str:
    """How a part of a result that is no text stands in its text; empty for a picture, which is drawn."""
    if view.pictures:
        return ""
    return f"[{view.title}: {view.text}]" if view.kind == "image" and view.text else f"[{view.title}]"


def arguments(call: ToolCall) -> tuple[tuple[str, str], ...]:
    """The arguments of a call by name; one row without a name if they are no object."""
    value = call.arguments
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = call.arguments
    if not isinstance(value, Mapping):
        return (("", _cut(value)),) if value not in (None, "") else ()
    rows = [(utf8_safe(str(name)), _cut(each)) for name, each in list(value.items())[:ROWS]]
    more = len(value) - len(rows)
    return (*rows, *([("…", f"{more:,} more")] if more > 0 else []))


def _cut(value: Any) -> str:
    """A value as text; lists and objects laid out over several lines if they are long."""
    text = as_json(value)
    if not isinstance(value, str) and len(text) > 60:
        text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    return utf8_safe(text if len(text) <= VALUE else f"{text[:VALUE]}… ({len(text) - VALUE:,} more characters)")


@st.cache_data(max_entries=128, show_spinner=False)
def small_picture(data: str) -> str:
    """A thumbnail of the image in this base64, as a PNG in base64; empty if it cannot be drawn."""
    made = images.thumbnail(data, THUMBNAIL)
    return "" if made is None else base64.b64encode(made).decode()


def _size(part: Part, counter: TokenCounter) -> str:
    """Example: "12 tokens (counted)"; "1,024 tokens (~estimated, Anthropic's guide to images)"."""
    size = size_of(part, counter)
    if size.tokens is not None:
        words = numbers.sized(size.tokens, size.provenance)
        return words if not size.source else f"{words.removesuffix(')')}, {size.source})"
    if isinstance(part, Reasoning):
        return "its size in tokens is not known"
    return f"its size in tokens is not known; counted as {NON_TEXT_PART}, which is the least"


def _again(times: int | None) -> str:
    if times is None:
        return ""
    return "not sent again" if not times else f"sent again {numbers.plural(times, 'time')}"


def _described(value: Any) -> str:
    """A part of an unknown kind as JSON, without its long strings, which are data."""
    text = json.dumps(_short(value), ensure_ascii=False, indent=2, default=str)
    return utf8_safe(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= 200 else f"{value[:40]}… ({len(value):,} characters)"
    if isinstance(value, Mapping):
        return {str(name): _short(each) for name, each in list(value.items())[:ROWS]}
    return [_short(each) for each in value[:ROWS]] if isinstance(value, list) else value
