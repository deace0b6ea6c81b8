"""The recorded run is one that the replica gives: a run recorded now has the same form, and its sentences hold."""

from __future__ import annotations

from typing import get_args

from lib.server_history import Approach
from lib.server_history.comparison import Comparison
from lib.server_history.findings import finding
from lib.server_history.ledger import ledger
from lib.server_history.recorded import SCRIPT, SYSTEM_PROMPT, RecordedRun, record, recorded_run
from tests.support.counters import WordCounter
from tests.support.server_history.fake_server_history import ForgetfulHistory

NAMES = {approach: str(approach) for approach in get_args(Approach)}


def test_every_way_answered_the_script_with_the_same_conversation_and_tokens() -> None:
    run = recorded_run()
    assert {lane.approach for lane in run.lanes} == set(NAMES)
    manual = next(lane for lane in run.lanes if lane.approach == "manual")
    assert [turn.prompt for turn in manual.turns] == list(SCRIPT)
    for lane in run.lanes:
        assert lane.transcript == manual.transcript
        tokens = [turn.result.usage.input_tokens for turn in lane.turns if turn.result is not None]
        assert tokens == [turn.result.usage.input_tokens for turn in manual.turns if turn.result is not None]
        assert None not in tokens


def test_its_sentence_is_the_one_the_page_is_about() -> None:
    lanes = recorded_run().lanes
    ledgers = {lane.approach: ledger(lane, WordCounter(), SYSTEM_PROMPT, lambda usage: None) for lane in lanes}
    assert "not tokens" in finding(lanes, ledgers, NAMES).text


def test_a_recorded_run_survives_the_file() -> None:
    histories = {approach: ForgetfulHistory(approach) for approach in get_args(Approach)}
    comparison = Comparison("replica", "", lambda approach, *_: histories[approach], lambda handles: None)
    run = record(comparison, "words", ["a", "b"])
    again = RecordedRun.from_dict(run.to_dict())
    assert (again.model, again.recorded_on) == ("words", run.recorded_on)
    assert [[(turn.prompt, turn.reply) for turn in lane.turns] for lane in again.lanes] == [
        [(turn.prompt, turn.reply) for turn in lane.turns] for lane in run.lanes
    ]
