"""Each sentence about the ledgers is recomputed from them, for ledgers of any numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from lib.messages import Usage
from lib.server_history import Approach, Handle, ServerTurn, Wire
from lib.server_history.findings import Finding, finding
from lib.server_history.lane import LaneState
from lib.server_history.lane_turn import LaneTurn
from lib.server_history.ledger import LedgerRow, ledger
from tests.support.counters import WordCounter

NAMES: dict[Approach, str] = {
    "manual": "Manual",
    "conversations": "Kept",
    "responses": "Chain",
    "assistants": "Threads",
    "claude": "Claude",
}
TURNS = st.tuples(st.integers(0, 5000), st.none() | st.integers(1, 4000), st.sampled_from(["yes", "no"]))
"""Bytes uploaded, tokens read, reply."""
LANES = st.dictionaries(st.sampled_from(sorted(NAMES)), st.lists(TURNS, min_size=1, max_size=6), min_size=1)


def lane(approach: Approach, turns: Sequence[tuple[int, int | None, str]]) -> LaneState:
    handle = Handle(approach, "m")
    answered = [
        LaneTurn(
            f"question {number}",
            ServerTurn(reply, handle, Usage(input_tokens=read), (Wire("POST", "/x", bytes_up, None, 200, 1.0),)),
        )
        for number, (bytes_up, read, reply) in enumerate(turns)
    ]
    return LaneState(approach, tuple(answered), None, "", handle)


def of(*states: LaneState) -> tuple[Finding, dict[Approach, list[LedgerRow]]]:
    ledgers = {state.approach: ledger(state, WordCounter(), "", lambda usage: None) for state in states}
    return finding(states, ledgers, NAMES), ledgers


def number(text: str) -> int:
    return int(text.replace(",", ""))


@given(LANES)
def test_every_sentence_is_true_of_the_ledgers_it_was_computed_from(
    lanes: dict[Approach, list[tuple[int, int | None, str]]],
) -> None:
    found, _ = of(*(lane(approach, turns) for approach, turns in lanes.items()))
    turns = min(map(len, lanes.values()))
    assert number(re.findall(r"After ([\d,]+) turns?,", found.headline)[0]) == found.turns == turns
    uploads = {approach: sum(up for up, _, _ in each[:turns]) for approach, each in lanes.items()}
    stated = re.findall(r"“(\w+)” (?:had uploaded )?([\d,]+) B", found.headline)
    assert {name: number(count) for name, count in stated} == {NAMES[a]: count for a, count in uploads.items()}
    counts = {approach: [read for _, read, _ in each[:turns]] for approach, each in lanes.items()}
    reads = {approach: None if None in each else sum(map(int, each)) for approach, each in counts.items()}  # type: ignore[arg-type]  # None was checked
    same = len({tuple(reply for _, _, reply in each[: turns - 1]) for each in lanes.values()}) == 1
    text = found.text
    assert ("not tokens" in text) <= (len(set(reads.values())) == 1 and None not in reads.values() and same)
    assert ("cannot be compared" in text) <= (not same and len(set(reads.values())) > 1)
    assert ("the same in all of them" in text) <= same
    if match := re.search(r"read ([\d,]+) tokens in each", text):
        assert set(reads.values()) == {number(match[1])}
    for count, name in re.findall(r"([\d,]+|not reported) in “(\w+)”", text):
        read = reads[next(approach for approach in NAMES if NAMES[approach] == name)]
        assert count == ("not reported" if read is None else f"{read:,}")
    if match := re.search(r"(\d+)(?: to (\d+))? % (?:here|of the upload)", text):
        kept = [count for approach, count in uploads.items() if approach != "manual"]
        shares = sorted(100 - 100 * count / uploads["manual"] for count in kept)
        assert abs(int(match[1]) - shares[0]) <= 0.5
        assert abs(int(match[2] or match[1]) - shares[-1]) <= 0.5
    if "did not save upload" in text:
        assert max(count for approach, count in uploads.items() if approach != "manual") >= uploads["manual"]


def test_equal_conversations_teach_that_upload_is_saved_and_tokens_are_not() -> None:
    again = [(400 * turn, 100 * turn, "yes") for turn in range(1, 5)]
    kept = [(200, 100 * turn, "yes") for turn in range(1, 5)]
    found, _ = of(lane("manual", again), lane("conversations", kept))
    assert found.headline == "After 4 turns, “Manual” had uploaded 4,000 B and “Kept” 800 B."
    assert found.details[0] == "The model read 1,000 tokens in each of them."
    assert "saves upload (80 % here), not tokens" in found.details[1]


def test_replies_that_differ_are_not_compared() -> None:
    again = [(400 * turn, 100 * turn, "yes") for turn in range(1, 5)]
    kept = [(200, 40 * turn, "no") for turn in range(1, 5)]
    found, _ = of(lane("manual", again), lane("conversations", kept))
    assert "1,000 in “Manual” and 400 in “Kept”" in found.text
    assert "cannot be compared" in found.text
    assert "not tokens" not in found.text


def test_a_last_reply_that_differs_was_read_by_nobody_and_does_not_count() -> None:
    again, kept = [(9, 5, "yes"), (9, 6, "yes"), (30, 7, "yes")], [(4, 5, "yes"), (4, 6, "yes"), (4, 7, "no")]
    found, _ = of(lane("manual", again), lane("conversations", kept))
    assert "not tokens" in found.text


def test_a_server_that_lost_the_history_is_named() -> None:
    def turns(read: Sequence[int]) -> list[tuple[int, int | None, str]]:
        return [(100, count, "word " * 40) for count in read]

    found, ledgers = of(lane("manual", turns([4, 48, 92])), lane("conversations", turns([4, 48, 4])))
    assert ledgers["conversations"][-1].verdict.word == "lost"
    assert "“Kept” did not read it once and whole" in found.text
