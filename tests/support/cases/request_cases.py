"""Requests for property tests: arbitrary lists of messages, valid requests, and histories in one provider's format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hypothesis import strategies as st

from lib.messages import Message, assistant, system, user
from lib.request_rules import RuleProvider
from lib.tool_calls import call_ids, result_ids
from tests.support.cases.conversations import (
    IDS,
    broken_tools,
    calling,
    calling_in_parts,
    contents,
    dense,
    histories,
    ids,
    result,
    results_in_parts,
    texts,
    whole_tools,
)

visible_texts = texts.filter(lambda text: bool(text.strip()))
parts = st.sampled_from(
    [
        {"type": "text", "text": "t"},
        {"type": "text", "text": " "},
        {"type": "text"},
        {"type": "image_url", "image_url": {}},
        {"type": "image", "source": {}},
        {"type": "tool_use", "id": "c0", "name": "f", "input": {}},
        {"type": "tool_result", "tool_use_id": "c0"},
        {"type": "thinking"},
        {"type": "anything"},
        {},
        None,
        3,
    ]
)
extras = st.sampled_from(
    [
        {},
        {},
        {"tool_calls": []},
        {"tool_calls": None},
        {"tool_calls": [{"id": "c0"}]},
        {"tool_call_id": "c0"},
        {"refusal": "No"},
    ]
)
roles = st.sampled_from(["user", "assistant", "system", "developer", "tool", "function", ""])
arbitrary_messages = st.builds(
    Message, roles, contents | st.lists(parts, max_size=3) | st.just(3), extras, st.booleans()
)
arbitrary_requests = st.lists(
    arbitrary_messages
    | st.builds(lambda i: calling(*i), ids)
    | st.builds(lambda i: calling_in_parts(*i), ids)
    | st.builds(lambda i: results_in_parts(*i), ids)
    | st.builds(result, st.sampled_from(IDS)),
    max_size=9,
)
requests = arbitrary_requests | broken_tools | histories() | dense
"""Any list of messages, most of them unlike anything a provider ever gets."""


@st.composite
def valid_requests(draw: st.DrawFn, provider: RuleProvider) -> list[Message]:
    """A request that breaks no rule of this provider. It ends with a user message or a tool result."""
    request = [system(draw(visible_texts))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(0, 4))):
        tools = draw(st.just([]) | whole_tools)
        request += [user(draw(visible_texts)), *in_format_of(provider, tools), assistant(draw(visible_texts))]
    tools = draw(st.just([]) | whole_tools)
    return [*request, user(draw(visible_texts)), *in_format_of(provider, tools)]


def in_format_of(provider: RuleProvider, history: Sequence[Message]) -> list[Message]:
    """The history with tool calls and results in the provider's format, and unknown roles replaced by the
    assistant's."""
    return [converted for message in history for converted in _convert(provider, message)]


def _convert(provider: RuleProvider, message: Message) -> Iterator[Message]:
    if call_ids(message):
        yield calling_in_parts(*call_ids(message)) if provider == "anthropic" else calling(*call_ids(message))
    elif result_ids(message) and provider == "anthropic":
        yield results_in_parts(*result_ids(message))
    elif result_ids(message):
        yield from (result(call_id) for call_id in result_ids(message))
    else:
        yield assistant(message.text) if message.role == "function" else message
