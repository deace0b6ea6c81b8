"""The source document's estimate, and a ledger that counts each message once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.messages import Message, user
from lib.tokens import PROVENANCE_TEXT, CharacterEstimate, utf16_units
from lib.tokens.ledger import TokenLedger
from lib.tool_calls import result_ids
from tests.support.cases.conversations import histories
from tests.support.counters import Counting
from tests.support.slow_strategies import unpaired


@pytest.mark.parametrize(
    ("content", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("Hello", 2),
        ("😀", 1),
        ("😀😀", 1),
        ("😀😀😀", 2),
        (None, 1),
        ([{"type": "text", "text": "hi"}], 8),
    ],
)
def test_the_estimate_is_the_source_documents(content: object, tokens: int) -> None:
    assert CharacterEstimate().count(Message("user", content)) == tokens


def test_a_length_is_in_utf16_units_like_in_javascript() -> None:
    assert utf16_units("a😀ü\ud83d") == 5


def test_every_provenance_has_an_explanation() -> None:
    assert set(PROVENANCE_TEXT) == {"billed", "counted", "reconstructed", "assumed", "estimated"}


@given(st.lists(st.tuples(histories(), st.booleans()), max_size=4))
def test_a_ledger_always_equals_a_full_recount(steps: list[tuple[list[Message], bool]]) -> None:
    ledger, counter = TokenLedger(CharacterEstimate()), CharacterEstimate()
    history: list[Message] = []
    for messages, rewritten in steps:
        history = list(messages) if rewritten else [*history, *messages]
        totals = ledger.sync(history)
        assert len(totals) == len(history)
        assert totals.sums == [sum(map(counter.count, history[:n])) for n in range(len(history) + 1)]
        assert totals.user_positions == [n for n, m in enumerate(history) if m.role == "user" and not result_ids(m)]
        assert totals.system_positions == [n for n, m in enumerate(history) if m.is_system]
        optional = [m for n, m in enumerate(history) if not m.is_system and n not in unpaired(history)]
        assert totals.optional_upto(len(history)) == sum(map(counter.count, optional))


def test_each_message_is_counted_once() -> None:
    counter = Counting()
    ledger = TokenLedger(counter)
    history = [user(f"message {n}") for n in range(1000)]
    ledger.sync(history)
    history.append(user("one more"))
    ledger.sync(history)
    ledger.sync(tuple(history))
    assert counter.calls == 1001
