"""Generates conversations for property tests, also with broken tool calls, odd contents and several system messages."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lib.messages import Message

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    ["", "x" * 400, "😀" * 30, "a cut one \ud83d", "<|endoftext|>", "    ", "日本語" * 20]
)
contents = texts | st.none() | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": texts}), max_size=2)
IDS = ("c0", "c1", "c2", None, "")


def calling(*ids: Any) -> Message:
    """An assistant message that makes these calls."""
    calls = [{"id": i, "type": "function", "function": {"name": "f", "arguments": "{}"}} for i in ids]
    return Message("assistant", None, {"tool_calls": calls})


def result(call_id: Any, text: str = "result") -> Message:
    """A tool's result for this call."""
    return Message("tool", text, {"tool_call_id": call_id})


def calling_in_parts(*ids: Any) -> Message:
    """An assistant message that makes these calls in parts of its content, as Anthropic formats them."""
    return Message("assistant", [{"type": "tool_use", "id": i, "name": "f", "input": {}} for i in ids])


def results_in_parts(*ids: Any) -> Message:
    """A user message that holds the results of these calls, as Anthropic formats them."""
    return Message("user", [{"type": "tool_result", "tool_use_id": i, "content": "result"} for i in ids])


def _tool_exchange(count: int) -> list[Message]:
    ids = [f"c{n}" for n in range(count)]
    return [calling(*ids), *(result(i, f"result of {i}") for i in ids)]


def _tool_exchange_in_parts(count: int) -> list[Message]:
    ids = [f"c{n}" for n in range(count)]
    return [calling_in_parts(*ids), results_in_parts(*ids)]


whole_tools = st.builds(_tool_exchange, st.integers(1, 3)) | st.builds(_tool_exchange_in_parts, st.integers(1, 3))
ids = st.lists(st.sampled_from(IDS), min_size=1, max_size=3)
broken_tools = st.lists(
    st.builds(lambda i: calling(*i), ids)
    | st.builds(result, st.sampled_from(IDS))
    | st.just(Message("tool", "nobody's"))
    | st.builds(lambda i: calling_in_parts(*i), ids)
    | st.builds(lambda i: results_in_parts(*i), ids)
    | st.builds(Message, st.sampled_from(["assistant", "system", "developer", "function"]), texts),
    max_size=6,
)
"""What another service may store: missing, doubled and foreign results, calls without an id, messages in between."""


@st.composite
def exchanges(draw: st.DrawFn) -> list[Message]:
    """A user message with its replies and tool messages, up to the next user message."""
    replies = [Message("assistant", draw(contents)) for _ in range(draw(st.integers(0, 2)))]
    tools = draw(st.sampled_from([st.just([]), whole_tools, broken_tools]).flatmap(lambda kind: kind))
    reminder = (
        [Message(draw(st.sampled_from(["system", "developer"])), draw(texts))] if draw(st.integers(0, 5)) == 0 else []
    )
    return [Message("user", draw(contents)), *tools, *replies, *reminder]


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    """A stored conversation, well-formed or not."""
    preamble = [Message("system", draw(texts)) for _ in range(draw(st.integers(0, 2)))]
    greeting = [Message("assistant", "Hello, how can I help?")] if draw(st.integers(0, 4)) == 0 else []
    return [
        *preamble,
        *greeting,
        *(message for exchange in draw(st.lists(exchanges(), max_size=8)) for message in exchange),
    ]


dense = st.lists(
    st.builds(
        lambda role, size: Message(role, "x" * size),
        st.sampled_from(["user", "user", "assistant", "system"]),
        st.sampled_from([0, 4, 40, 100]),
    ),
    max_size=14,
)
"""Conversations with system messages anywhere, also inside exchanges, and with sizes that often equal the budget."""
