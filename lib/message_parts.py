"""Takes a message apart into what it is made of: texts, reasoning, tool calls, tool results, images.

All the ways are read in which OpenAI, Anthropic, OpenRouter, LangChain and compatible servers write them. This is the
one place that knows which part of a message is text: what only a provider can read (encrypted reasoning, signatures)
and the data of images and files is never text. Nothing here raises, whatever is stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib import outside_values
from lib.messages import Message
from lib.tool_calls import result_ids

TEXTS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
"""Types of parts that are text, with the field that holds it."""
CALLS = {"tool_use": "input", "server_tool_use": "input", "mcp_tool_use": "input", "function_call": "arguments"}
CALLS |= {"custom_tool_call": "input"}
"""Types of parts that call a tool, with the field that holds the arguments."""
RESULTS = {"function_call_output": "output", "custom_tool_call_output": "output"}
"""Types of items that hold a tool's result, with its field. Anthropic's types end in "tool_result"."""
BESIDE = ("reasoning_content", "reasoning")
"""Fields beside the content in which servers return reasoning."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words of a person, a model or a tool."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What a model thought before it answered. `text` is what of it can be read, which may be nothing.

    `sealed` says that there is a part only the provider can read: encrypted reasoning, or a signature. `in_content` is
    False for reasoning beside the content, which most servers leave out of the prompt when it is sent again.
    """

    text: str
    sealed: bool = False
    in_content: bool = True


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool. `arguments` is a text, usually of JSON, or the JSON value itself."""

    id: str
    name: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class Image:
    """An image: its data as base64, or else where it is. `detail` is the resolution that OpenAI was asked to see."""

    data: str = ""
    address: str = ""
    detail: str = "auto"


@dataclass(frozen=True, slots=True)
class Other:
    """A part of another kind: a file, a recording, something unknown. `value` is the part as it is stored."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool returned for the call with this id."""

    call_id: str
    parts: tuple[Text | Image | Other, ...]
    failed: bool = False

    @property
    def text(self) -> str:
        """Its text, without images and the like."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))


Part = Text | Reasoning | ToolCall | ToolResult | Image | Other


def parts_of(message: Message) -> tuple[Part, ...]:
    """The parts of a message in order: reasoning beside the content, the content, then calls beside it.

    Example: an assistant message with content "Let me look." and one of tool_calls -> (Text, ToolCall)
    """
    content = tuple(content_parts(message.content))
    if message.role in ("tool", "function") and not any(isinstance(part, ToolResult) for part in content):
        call_id = next(iter(result_ids(message)), None) or ""
        content = (ToolResult(call_id, _inside(content)),)
    refusal = message.extra.get("refusal")
    said = (Text(refusal),) if isinstance(refusal, str) and refusal and not message.content else ()
    return (*_reasoning_beside(message.extra), *content, *said, *_calls_beside(message.extra))


def is_plain(message: Message) -> bool:
    """Whether the message is a text and nothing else."""
    if message.role in ("tool", "function") or not isinstance(message.content, str):
        return False
    return not message.extra or all(isinstance(part, Text) for part in parts_of(message))


def content_parts(content: Any) -> Iterator[Part]:
    """The parts of a content: of a text itself, of a list each element. Anything else is a text of its JSON."""
    if isinstance(content, list):
        yield from map(part_of, content)
    elif content is not None and content != "":
        yield Text(content if isinstance(content, str) else as_json(content))


def part_of(stored: Any) -> Part:
    """One element of a content, or one item of the Responses protocol."""
    if isinstance(stored, str):
        return Text(stored)
    if not isinstance(stored, Mapping):
        return Other("part", stored)
    kind = outside_values.word(stored.get("type")) or "part"
    if kind in TEXTS:
        return Text(as_json(stored.get(TEXTS[kind])))
    if kind in CALLS:
        name, call_id = stored.get("name"), stored.get("call_id") or stored.get("id")
        return ToolCall(_word(call_id), _word(name), stored.get(CALLS[kind]))
    if kind in RESULTS or kind.endswith("tool_result"):
        return _result(stored, RESULTS.get(kind, "content"))
    return _reasoning(kind, stored) or _image(kind, stored) or Other(kind, stored)


def as_json(value: Any) -> str:
    """A string unchanged, None as "", anything else as compact JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _result(stored: Mapping[str, Any], field: str) -> ToolResult:
    content = stored.get(field)
    inner = [part_of(content)] if isinstance(content, Mapping) else content_parts(content)
    call_id = stored.get("tool_use_id") or stored.get("call_id")
    return ToolResult(_word(call_id), _inside(inner), stored.get("is_error") is True)


def _inside(parts: Any) -> tuple[Text | Image | Other, ...]:
    """The parts of a result. Results, calls and reasoning inside another result have no meaning of their own."""
    return tuple(part if isinstance(part, Text | Image | Other) else Other("part", part) for part in parts)


def _reasoning(kind: str, stored: Mapping[str, Any]) -> Reasoning | None:
    """Reasoning of Anthropic, of the Responses protocol, and of OpenRouter."""
    if kind == "thinking":
        return Reasoning(_text(stored.get("thinking")), bool(stored.get("signature")))
    if kind in ("redacted_thinking", "reasoning.encrypted"):
        return Reasoning("", sealed=True)
    if kind in ("reasoning.text", "reasoning.summary"):
        text = _text(stored.get("text")) or _text(stored.get("summary"))
        return Reasoning(text, bool(stored.get("signature")), in_content=False)
    if kind == "reasoning":  # its summary is for people: the model is sent the encrypted part, or what the server keeps
        summary = [*_list(stored.get("summary")), *_list(stored.get("content"))]
        texts = [_text(each.get("text")) for each in summary if isinstance(each, Mapping)]
        sealed = bool(stored.get("encrypted_content"))
        return Reasoning("\n\n".join(text for text in texts if text), sealed, in_content=False)
    return None


def _reasoning_beside(extra: Mapping[str, Any]) -> tuple[Reasoning, ...]:
    """The reasoning in fields beside the content. Servers that fill several write the same into each."""
    found = [extra[name] for name in BESIDE if isinstance(extra.get(name), str) and extra[name]]
    details = [part_of(each) for each in _list(extra.get("reasoning_details"))]
    detailed = [part for part in details if isinstance(part, Reasoning)]
    sealed = any(part.sealed for part in detailed)
    text = found[0] if found else "".join(part.text for part in detailed)
    return (Reasoning(text, sealed, in_content=False),) if text or sealed else ()


def _calls_beside(extra: Mapping[str, Any]) -> Iterator[ToolCall]:
    """The calls in OpenAI's `tool_calls`, and in the older `function_call`."""
    for call in _list(extra.get("tool_calls")):
        holder = call if isinstance(call, Mapping) else {}
        function = holder.get("function", holder.get("custom"))
        if isinstance(function, Mapping):
            arguments = function.get("arguments", function.get("input"))
            yield ToolCall(_word(holder.get("id")), _word(function.get("name")), arguments)
        else:
            yield ToolCall(_word(holder.get("id")), "", call)
    if isinstance(extra.get("function_call"), Mapping):
        yield ToolCall("", _word(extra["function_call"].get("name")), extra["function_call"].get("arguments"))


def _image(kind: str, stored: Mapping[str, Any]) -> Image | None:
    """An image of OpenAI (two protocols), Anthropic or LangChain."""
    detail = outside_values.word(stored.get("detail")) or "auto"
    if kind in ("image_url", "input_image", "computer_screenshot"):
        place = stored.get("image_url")
        if isinstance(place, Mapping):
            detail, place = outside_values.word(place.get("detail")) or detail, place.get("url")
        return _placed(_text(place) or _text(stored.get("file_id")), detail)
    if kind == "image_generation_call":
        return Image(_text(stored.get("result")))
    if kind == "image":
        source = stored.get("source")
        holder = source if isinstance(source, Mapping) else stored
        data = next((_text(holder[name]) for name in ("data", "base64") if isinstance(holder.get(name), str)), "")
        return Image(data) if data else _placed(_text(holder.get("url")) or _text(holder.get("file_id")), detail)
    return None


def _placed(place: str, detail: str) -> Image:
    """An image by its address, which may hold the data itself."""
    head, comma, data = place.partition(",")
    if head[:5].lower() == "data:" and comma:
        return Image(data if head.endswith(";base64") else "", "", detail)
    return Image("", place, detail)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _word(value: Any) -> str:
    return outside_values.word(value) or ""
