"""Conversations for property tests: plain ones, tool calls, several system messages, a greeting first, odd contents."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lib.messages import Message

texts = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=60) | st.sampled_from(
    ["", "x" * 400, "😀" * 30, "a cut one \ud83d", "<|endoftext|>", "    ", "日本語" * 20]
)
contents = texts | st.none() | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": texts}), max_size=2)


def _tool_exchange(count: int) -> list[Message]:
    calls: list[Any] = [
        {"id": f"c{n}", "type": "function", "function": {"name": "f", "arguments": "{}"}} for n in range(count)
    ]
    results = [Message("tool", f"result {n}", {"tool_call_id": f"c{n}"}) for n in range(count)]
    return [Message("assistant", None, {"tool_calls": calls}), *results]


@st.composite
def exchanges(draw: st.DrawFn) -> list[Message]:
    """A user message with everything up to the next one."""
    replies = [Message("assistant", draw(contents)) for _ in range(draw(st.integers(0, 2)))]
    tools = _tool_exchange(draw(st.integers(1, 3))) if draw(st.booleans()) else []
    reminder = (
        [Message(draw(st.sampled_from(["system", "developer"])), draw(texts))] if draw(st.integers(0, 5)) == 0 else []
    )
    return [Message("user", draw(contents)), *tools, *replies, *reminder]


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    """A stored conversation of any shape."""
    lead = [Message("system", draw(texts)) for _ in range(draw(st.integers(0, 2)))]
    greeting = [Message("assistant", "Hello, how can I help?")] if draw(st.integers(0, 4)) == 0 else []
    return [
        *lead,
        *greeting,
        *(message for exchange in draw(st.lists(exchanges(), max_size=8)) for message in exchange),
    ]
