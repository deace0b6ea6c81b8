"""Any JSON array that another service stores is a history that can be drawn, counted and sent, or an error in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import CorruptHistory
from lib.history.serialization import pack_messages, unpack_messages
from lib.history.sessions.stored_about import unpack_about
from lib.history.stored_messages import StoredMessages
from lib.lab.facts import suggest_facts
from lib.messages import Message
from lib.providers import ChatRequest
from lib.providers.anthropic import AnthropicProvider
from lib.providers.openai import OpenAIProvider
from lib.request_rules import PROVIDERS, refusals
from lib.settings import Endpoint
from lib.tokens import ESTIMATE
from lib.tokens.ledger import TokenLedger
from lib.tokens.model_counters import counter_for
from lib.ui.format.text import as_label, as_markdown, cut

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
names = st.sampled_from(["role", "content", "tool_calls", "tool_call_id", "name", "refusal", "function_call", "x"])
roles = st.sampled_from(["user", "assistant", "system", "tool", "developer", "critic", ""])
messages = st.builds(lambda other, role: other | {"role": role}, st.dictionaries(names, json_values), roles)
ENDPOINT = Endpoint("it", "openai", "It", base_url="http://127.0.0.1:9/v1")


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def read(value: Any) -> StoredMessages | None:
    """The history in a stored value; None if it is refused."""
    raw = json.dumps(value).encode()
    try:
        return StoredMessages(unpack_messages(raw, raw))
    except CorruptHistory:
        return None


@given(st.lists(messages, max_size=4) | json_values)
def test_it_can_be_drawn_counted_and_sent_or_is_refused(value: Any) -> None:
    history = read(value)
    if history is not None:
        check(history, value)


@pytest.mark.parametrize("levels", [1, 50, 98])
def test_what_is_nested_deep_but_not_too_deep_is_usable(levels: int) -> None:
    deep = nested(levels)
    value = [{"role": "user", "content": deep}, {"role": "assistant", "content": deep, "tool_calls": deep}]
    history = read(value)
    assert history is not None
    check(history, value)


@pytest.mark.parametrize("levels", [100, 500, 800])
def test_what_is_nested_too_deep_is_refused(levels: int) -> None:
    assert read([{"role": "user", "content": nested(levels)}]) is None


def check(history: StoredMessages, value: Any) -> None:
    """Do with the history what the pages and a turn do."""
    assert [message.to_dict() for message in history] == value
    assert json.loads(b"[" + pack_messages(history) + b"]") == value
    for message in history:
        as_markdown(cut(message.text)[0])
        as_label(message.text)
    for counter in (ESTIMATE, counter_for("openai", "gpt-5"), counter_for("anthropic", "claude-x")):
        assert TokenLedger(counter).sync(history).sums[-1] >= 0
    request = ChatRequest("m", tuple(history), 9)
    for provider in (OpenAIProvider(ENDPOINT, "k"), AnthropicProvider(ENDPOINT, "k")):
        assert json.loads(provider.prepare(request).data)
    for name in PROVIDERS:
        refusals(name, tuple(history))
    suggest_facts(history)


ABOUT = st.sampled_from(["title", "created_at", "settings", "summaries", "handles", "import:1"])


@given(st.dictionaries(ABOUT, json_values))
def test_what_is_stored_about_a_session_is_read_or_refused(fields: dict[str, Any]) -> None:
    try:
        about = unpack_about({name.encode(): json.dumps(value).encode() for name, value in fields.items()})
    except CorruptHistory:
        return
    assert isinstance(about.title, str)
    assert about.created_at is None or 0 <= about.created_at < 1e12
    for summary in about.summaries:
        assert Message.from_dict(summary.message.to_dict()) == summary.message
