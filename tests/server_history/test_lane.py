"""Lanes, comparisons, the ledger and transfers, over a server that holds, forgets and fails on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from lib.errors import ConversationGone, HistoryUnavailable, ProviderError, ProviderUnavailable
from lib.messages import Message, assistant, user
from lib.providers import TextDelta
from lib.server_history import Approach, Handle, ServerHistory, ServerTurn, ThreadSettings
from lib.server_history.adapters.base import Adapter
from lib.server_history.comparison import Comparison
from lib.server_history.lane import Lane, LaneState
from lib.server_history.lane_turn import LaneTurn
from lib.server_history.ledger import LedgerRow, ledger, total, total_cost
from lib.server_history.transfer import MOVABLE_ROLES, adopt, prepare_transfer
from tests.support.cases.conversations import histories
from tests.support.counters import WordCounter
from tests.support.server_history.fake_server_history import WIRE_OVERHEAD, ForgetfulHistory
from tests.support.waiting import wait_until

LONG = "word " * 40
RESULT: dict[str, Any] = {
    "reply": "y",
    "usage": {},
    "wires": [],
    "first_token_ms": None,
    "duration_ms": 1.0,
    "status": "complete",
    "reason": None,
    "replayed": False,
    "notes": [],
}
ALL_THREE: tuple[Approach, ...] = ("manual", "conversations", "responses")


class HandleStore:
    """Where a session's handles are stored; it can be away."""

    def __init__(self) -> None:
        self.handles: dict[str, Any] = {}
        self.away = False

    def __call__(self, handles: Mapping[str, Any]) -> None:
        if self.away:
            raise HistoryUnavailable("The store is away.")
        self.handles = dict(handles)


def lane_on(history: ForgetfulHistory) -> Lane:
    return Lane(history.approach, lambda: history, "", lambda approach: None)


def ask(lane: Lane, *texts: str) -> LaneState:
    """Ask one after the other, and return the lane once it has answered."""
    for text in texts:
        assert lane.ask(text)
        wait_until(lambda: not lane.state.busy)
    return lane.state


def comparison_on(
    history: ForgetfulHistory, store: HandleStore, handles: Mapping[str, Any] | None = None
) -> Comparison:
    """A comparison on this server, with an empty one as the second account."""

    def open_history(approach: Approach, settings: ThreadSettings, second_account: bool) -> ServerHistory:
        return ForgetfulHistory(approach) if second_account else history

    return Comparison("replica", "", open_history, store, dict(handles or {}))


def compare(comparison: Comparison, text: str) -> LaneState:
    """Ask in the conversations lane, and return it once it has answered."""
    comparison.ask(["conversations"], text)
    wait_until(lambda: not comparison.busy)
    return comparison.states(["conversations"])[0]


def run(comparison: Comparison, approaches: Sequence[Approach], *texts: str) -> None:
    """Run a script in these lanes, and wait for its end."""
    comparison.run_script(approaches, texts)
    wait_until(lambda: not comparison.busy)


def rows_of(state: LaneState) -> list[LedgerRow]:
    return ledger(state, WordCounter(), "", lambda usage: None)


def test_a_lane_answers_turn_by_turn_and_streams() -> None:
    history = ForgetfulHistory()
    history.gate = threading.Semaphore(0)
    lane = lane_on(history)
    assert lane.ask("first")
    assert lane.state.pending_prompt == "first"
    assert not lane.ask("second")
    history.gate.release(5)
    wait_until(lambda: not lane.state.busy)
    state = ask(lane, "second")
    assert [turn.prompt for turn in state.turns] == ["first", "second"]
    assert [turn.reply for turn in state.turns] == ["reply 1 to first", "reply 3 to second"]
    assert state.transcript == [
        user("first"),
        assistant("reply 1 to first"),
        user("second"),
        assistant("reply 3 to second"),
    ]
    assert [turn.stored_items for turn in state.turns] == [2, 4]


def test_a_failed_turn_is_kept_with_its_reason_and_the_lane_goes_on() -> None:
    history = ForgetfulHistory()
    lane = lane_on(history)
    ask(lane, "first")
    history.failures = [ProviderUnavailable("It went away.")]
    state = ask(lane, "second", "third")
    assert state.turns[1].error is not None
    assert state.turns[1].error["what"] == "It went away."
    assert state.turns[2].result is not None
    history.failures = [RuntimeError("a bug")]
    state = ask(lane, "fourth")
    assert state.turns[3].error is not None
    assert "RuntimeError" in state.turns[3].error["what"]


def test_a_script_is_asked_in_order_and_ends_at_the_first_failure() -> None:
    history = ForgetfulHistory()
    comparison = comparison_on(history, HandleStore())
    run(comparison, ["conversations"], "a", "b", "c")
    (state,) = comparison.states(["conversations"])
    assert [turn.prompt for turn in state.turns] == ["a", "b", "c"]
    history.failures = [ProviderUnavailable("It went away.")]
    run(comparison, ["conversations"], "d", "e")
    (state,) = comparison.states(["conversations"])
    assert [turn.prompt for turn in state.turns] == ["a", "b", "c", "d"]


def test_lanes_that_share_a_model_take_turns_and_one_that_fails_drops_out() -> None:
    sent: list[tuple[str, str]] = []

    class Recorded(ForgetfulHistory):
        def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
            sent.append((self.approach, text))
            if (self.approach, text) == ("responses", "b"):
                raise ProviderUnavailable("It went away.")
            return super().send(handle, text)

    histories = {approach: Recorded(approach) for approach in ALL_THREE}
    comparison = Comparison("replica", "", lambda approach, *_: histories[approach], HandleStore(), in_turns=True)
    run(comparison, ALL_THREE, "a", "b", "c")
    first_two = [(approach, text) for text in "ab" for approach in ALL_THREE]
    assert sent == [*first_two, ("manual", "c"), ("conversations", "c")]
    assert not any(state.busy for state in comparison.states(ALL_THREE))


def test_a_page_opened_again_has_every_turn_and_the_same_ledger() -> None:
    history, store = ForgetfulHistory(), HandleStore()
    before = comparison_on(history, store)
    run(before, ["conversations"], f"first {LONG}", f"second {LONG}", f"third {LONG}")
    history.failures = [ProviderUnavailable("It went away.")]
    run(before, ["conversations"], "fourth")
    stored = json.loads(json.dumps(store.handles))  # as the store does
    (old,), (new,) = (each.states(["conversations"]) for each in (before, comparison_on(history, store, stored)))
    assert new.stored_before == 4
    assert rows_of(new) == rows_of(old)
    assert [row.verdict.word for row in rows_of(new)] == ["cannot tell", "held", "held"]
    assert new.transcript == old.transcript
    assert new.turns[3].error == old.turns[3].error
    assert new.handle == old.handle


ANSWERED = {"prompt": "x", "error": None, "drill": "", "stored_items": None, "gone": ""}
ODD_TURNS = (
    None,
    "turns",
    [{"prompt": "x"}],
    [{**LaneTurn("x").to_dict(), "gone": "lost"}],
    [{**ANSWERED, "result": {**RESULT, "usage": {"input_tokens": "many"}}}],
    [{**ANSWERED, "result": {**RESULT, "wires": [{"bytes_up": float("inf")}]}}],
    [{**ANSWERED, "result": {**RESULT, "status": "odd"}}],
)


@pytest.mark.parametrize("odd", [[], {}, "handle", 4, {"approach": "conversations"}])
def test_a_handle_that_cannot_be_read_leaves_an_empty_lane(odd: Any) -> None:
    history, store = ForgetfulHistory(), HandleStore()
    comparison = comparison_on(history, store, {"replica:conversations": odd})
    assert compare(comparison, "hello").turns[0].reply == "reply 1 to hello"


@pytest.mark.parametrize("odd", ODD_TURNS)
def test_turns_that_cannot_be_read_are_left_out_and_read_from_the_server(odd: Any) -> None:
    history, store = ForgetfulHistory(), HandleStore()
    compare(comparison_on(history, store), "I am Ada")
    store.handles["replica:conversations"]["turns"] = odd
    comparison = comparison_on(history, store, store.handles)
    comparison.lane("conversations").read_back()
    (state,) = comparison.states(["conversations"])
    assert state.turns == ()
    assert state.earlier == (user("I am Ada"), assistant("reply 1 to I am Ada"))


def test_what_a_deletion_proved_stays_in_the_lane_and_nothing_is_called_held_any_more() -> None:
    history, store = ForgetfulHistory(), HandleStore()
    comparison = comparison_on(history, store)
    run(comparison, ["conversations"], f"first {LONG}", f"second {LONG}")
    lane = comparison.lane("conversations")
    assert [row.verdict.word for row in rows_of(lane.state)] == ["cannot tell", "held"]
    lane.delete()
    assert [row.verdict.word for row in rows_of(lane.state)] == ["deleted", "deleted"]
    assert "server confirms it is gone" in rows_of(lane.state)[1].verdict.sentence
    ask(lane, "and now?")
    lane.ask("again?", "A drill.")
    wait_until(lambda: not lane.state.busy)
    assert any("server confirms it is gone" in turn.drill for turn in lane.state.turns)
    again = comparison_on(history, store, store.handles).lane("conversations").state
    assert [row.verdict.word for row in rows_of(again)] == ["deleted", "deleted"]


def test_a_deletion_without_proof_changes_no_verdict() -> None:
    history = ForgetfulHistory()
    lane = lane_on(history)
    ask(lane, f"first {LONG}", f"second {LONG}")
    history.held.clear()  # so that deleting it returns 404, which proves nothing
    deletion = lane.delete()
    assert deletion is not None
    assert not deletion.proven
    assert [row.verdict.word for row in rows_of(lane.state)] == ["cannot tell", "held"]


def test_two_writers_start_from_the_same_handle() -> None:
    history = ForgetfulHistory()
    lane = lane_on(history)
    ask(lane, "first")
    assert lane.ask_twice(("x", "y"), "Two writers at once.")
    wait_until(lambda: not lane.state.busy)
    assert {turn.prompt for turn in lane.state.turns[1:]} == {"x", "y"}
    assert {turn.drill for turn in lane.state.turns[1:]} == {"Two writers at once."}
    assert len(history.held["conv_1"]) == 6


def test_a_deletion_is_proven_and_the_next_turn_finds_nothing() -> None:
    lane = lane_on(ForgetfulHistory())
    assert lane.delete() is None
    ask(lane, "first")
    deletion = lane.delete()
    assert deletion is not None
    assert deletion.proven
    state = ask(lane, "second")
    assert state.turns[-1].error is not None
    assert state.turns[-1].error["kind"] == "ConversationGone"


def test_an_unknown_id_is_an_error_of_its_lane_alone() -> None:
    lane = lane_on(ForgetfulHistory())
    lane.resume(Handle("conversations", "m").plus(("conversation", "conv_99")), [])
    state = ask(lane, "hello")
    assert state.turns[0].error is not None
    assert state.turns[0].error["kind"] == ConversationGone.kind
    assert state.turns[0].result is None


def test_handles_are_stored_at_once_and_a_later_page_goes_on_from_a_handle_alone() -> None:
    history, store = ForgetfulHistory(), HandleStore()
    compare(comparison_on(history, store), "I am Ada")
    assert Handle.from_dict(store.handles["replica:conversations"]).last("conversation") == "conv_1"
    store.handles["replica:conversations"] = Handle.from_dict(store.handles["replica:conversations"]).to_dict()
    state = compare(comparison_on(history, store, store.handles), "Who am I?")
    assert state.earlier == (user("I am Ada"), assistant("reply 1 to I am Ada"))
    assert [row.verdict.word for row in rows_of(state)] == ["cannot tell"]
    assert len(history.held["conv_1"]) == 4


def test_a_store_that_is_away_causes_a_warning_and_the_turn_goes_on() -> None:
    store = HandleStore()
    store.away = True
    comparison = comparison_on(ForgetfulHistory(), store)
    state = compare(comparison, "hello")
    assert "are not being stored" in comparison.storage_warning
    assert state.turns[0].result is not None
    store.away = False
    comparison.restart(["conversations"])
    assert comparison.storage_warning == ""
    assert comparison.states(["conversations"])[0].turns == ()


def test_the_second_account_does_not_know_the_ids_of_the_first() -> None:
    comparison = comparison_on(ForgetfulHistory(), HandleStore())
    compare(comparison, "hello")
    comparison.switch_account("conversations")
    error = compare(comparison, "again").turns[-1].error
    assert error is not None
    assert error["kind"] == "ConversationGone"
    comparison.switch_account("conversations")
    assert compare(comparison, "and again").turns[-1].result is not None


def test_store_can_be_turned_off_for_every_lane() -> None:
    comparison = comparison_on(ForgetfulHistory(), HandleStore())
    comparison.set_store(False)
    assert comparison.settings == replace(ThreadSettings(max_output_tokens=256), store=False)


def test_the_ledger_adds_up_and_tells_held_from_lost() -> None:
    history = ForgetfulHistory()
    lane = lane_on(history)
    prompts = [f"{word} {LONG}" for word in ("first", "second", "third")]
    state = ask(lane, *prompts)
    rows = ledger(state, WordCounter(), "", lambda usage: Decimal(usage.input_tokens or 0) / 1000)
    assert [row.verdict.word for row in rows] == ["cannot tell", "held", "held"]
    assert [row.input_tokens for row in rows] == [row.expected for row in rows]
    assert total_cost(rows) == Decimal(sum(row.input_tokens or 0 for row in rows)) / 1000
    assert [row.bytes_up for row in rows] == [len(prompt) + WIRE_OVERHEAD for prompt in prompts]
    history.held["conv_1"] = []
    assert rows_of(ask(lane, f"fourth {LONG}"))[-1].verdict.word == "lost"


def test_what_is_not_reported_is_unknown_in_every_sum() -> None:
    history = ForgetfulHistory()
    history.reports_usage = False
    rows = rows_of(ask(lane_on(history), "a", "b"))
    assert [row.input_tokens for row in rows] == [None, None]
    assert total([row.input_tokens for row in rows]) is None
    assert total_cost(rows) is None
    assert {row.verdict.word for row in rows} == {"cannot tell"}
    assert total([]) is None
    assert total([1, 2]) == 3


@given(histories())
def test_nothing_is_left_behind_without_a_sentence(history: list[Message]) -> None:
    transfer = prepare_transfer(history)
    assert all(message.role in MOVABLE_ROLES and message.text for message in transfer.messages)
    plain = [m for m in history if m.role in MOVABLE_ROLES and isinstance(m.content, str) and m.content and not m.extra]
    assert [message for message in transfer.messages if message in plain] or not plain
    if len(transfer.messages) < len(history) or any(not isinstance(m.content, str) or m.extra for m in history):
        assert transfer.left_behind
    else:
        assert transfer.left_behind == ()


class ManualStandIn(Adapter):
    """The manual approach without a provider."""

    approach = "manual"


class ChainStandIn(Adapter):
    """A chain of responses without a server."""

    approach = "responses"


def test_a_conversation_is_moved_if_the_approach_can_start_from_messages() -> None:
    history = ForgetfulHistory()
    messages = [user("I am Ada"), assistant("Hello")]
    handle = adopt(history, "", messages)
    assert history.export(handle) == messages
    manual: Any = ManualStandIn("m")
    assert adopt(manual, "", messages).own_copy == tuple(messages)
    chain: Any = ChainStandIn("m")
    with pytest.raises(ProviderError, match="cannot start from existing messages"):
        adopt(chain, "", messages)
