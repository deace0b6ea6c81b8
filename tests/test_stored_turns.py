"""Whatever is stored as a turn, it is read as a turn with the types it promises, and says what could not be used."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.chat_settings import ChatSettings
from lib.errors import ChatError, CorruptHistory
from lib.history.serialization import unpack_live, unpack_turn
from lib.messages import Usage
from lib.stored_turns import read_live, read_turn
from lib.turns import LiveTurn, PlanSummary, Turn
from lib.ui.chat.turn_line import summary

PLAN = PlanSummary(
    ((0, 3, False, "over_budget"), (3, 5, True, "fits")), 4, 2, 3, 9, 3, 99, 9, "none", "c", "counted", True
)
TURN = Turn("id-1", "p", "r", "complete", "local", "m", "sys", 1.5, PLAN, {"model": "m"}, "ab", Usage(3, 1), "end")
LIVE = LiveTurn("p", ChatSettings("local", "m", "", 512, 64, "none"), "host:1", 2.5, text="half", plan=PLAN)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
fields = st.dictionaries(st.sampled_from(sorted(TURN.to_dict())), json_values)
fields_of_a_plan = st.dictionaries(st.sampled_from(sorted(PLAN.to_dict())), json_values)
fields_of_a_usage = st.dictionaries(st.sampled_from(Usage.__slots__), json_values)


def check(turn: Turn) -> None:
    """Draw and store it, which needs every type to be right."""
    assert summary(turn)
    assert all(count is None or count >= 0 for count in turn.usage.to_dict().values())
    again = read_turn(json.loads(json.dumps(turn.to_dict(), allow_nan=False)), turn.number)
    assert (again.prompt, again.usage, again.plan, again.model) == (turn.prompt, turn.usage, turn.plan, turn.model)


@given(fields, fields_of_a_plan, fields_of_a_usage)
def test_any_values_in_a_turn_are_read(changed: Any, in_plan: Any, in_usage: Any) -> None:
    plan, usage = PLAN.to_dict() | in_plan, TURN.usage.to_dict() | in_usage
    check(read_turn(TURN.to_dict() | {"plan": plan, "usage": usage} | changed, 3))


@given(json_values)
def test_any_json_is_read_as_a_turn(value: Any) -> None:
    check(unpack_turn(json.dumps(value).encode(), 3))


@given(st.binary(max_size=30))
def test_any_bytes_are_read_as_a_turn(raw: bytes) -> None:
    turn = unpack_turn(raw, 3)
    assert turn.note
    check(turn)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"usage": {"input_tokens": "many"}}, "input tokens"),
        ({"usage": {"input_tokens": -5}}, "input tokens"),
        ({"usage": [1]}, "usage"),
        ({"model": {"a": 1}}, "model"),
        ({"prompt": 7}, "prompt"),
        ({"status": "maybe"}, "status"),
        ({"started_at": 1e300}, "started at"),
        ({"started_at": "today"}, "started at"),
        ({"plan": 7}, "plan"),
        ({"plan": PLAN.to_dict() | {"runs": [[0, 9, True, "fits"]]}}, "plan"),
        ({"plan": PLAN.to_dict() | {"runs": [[0, 2, True, "fits"], [3, 5, True, "fits"]]}}, "plan"),
        ({"plan": PLAN.to_dict() | {"runs": [[0, 5, True, "because"]]}}, "plan"),
        ({"plan": PLAN.to_dict() | {"summary": {"text": 7, "sources": []}}}, "plan"),
        ({"plan": PLAN.to_dict() | {"provenance": "guessed"}}, "plan"),
        ({"summarized": {"provider": "x"}}, "summarized"),
        ({"replaces": "x"}, "replaces"),
        ({"stop_reason": ["x"]}, "stop reason"),
        ({"duration_ms": "x"}, "duration ms"),
    ],
)
def test_the_note_names_what_cannot_be_used(change: dict[str, Any], named: str) -> None:
    turn = read_turn(TURN.to_dict() | change, 3)
    assert f"({named})" in turn.note
    assert turn.reply == "r"


def test_a_missing_field_is_named_too() -> None:
    stored = TURN.to_dict()
    del stored["prompt"], stored["model"]
    turn = read_turn(stored, 3)
    assert "(prompt, model)" in turn.note
    assert turn.plan == PLAN


def test_a_good_record_has_no_note() -> None:
    assert read_turn(json.loads(json.dumps(TURN.to_dict())), 3).note == ""


def test_a_note_that_was_stored_stays() -> None:
    stored = TURN.to_dict() | {"note": "It reported nonsense."}
    assert read_turn(stored, 3).note == "It reported nonsense."
    assert read_turn(stored | {"model": 7}, 3).note.startswith("It reported nonsense. The record")


def test_a_request_that_is_nested_too_deeply_is_left_out() -> None:
    deep: Any = {}
    for _ in range(500):
        deep = {"a": deep}
    turn = read_turn(TURN.to_dict() | {"request": deep}, 3)
    assert (turn.request, "request" in turn.note) == ({}, True)


@given(st.dictionaries(st.sampled_from(sorted(LIVE.to_dict())), json_values))
def test_a_live_record_is_read_or_is_an_error(changed: Any) -> None:
    stored = {"id": "x", "beat": 1.0} | LIVE.to_dict() | changed
    try:
        live = unpack_live(json.dumps(stored).encode(), 2.0)
    except CorruptHistory:
        return
    again = read_live(json.loads(json.dumps(live.to_dict(), allow_nan=False)))
    assert (again.prompt, again.text, again.settings, again.error) == (
        live.prompt,
        live.text,
        live.settings,
        live.error,
    )


@pytest.mark.parametrize("error", [7, {}, {"what": 7}, "it failed"])
def test_an_error_that_cannot_be_read_is_still_an_error(error: Any) -> None:
    live = read_live(LIVE.to_dict() | {"error": error})
    assert isinstance(live.error, ChatError)
    assert live.interrupted
    assert live.error.what
