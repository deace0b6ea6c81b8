"""Tells whether a server really held the history, from the input tokens it reports.

What a server says about its settings proves nothing: some accept any id and echo settings they do not obey. Only the
reported input tokens count as evidence.

Turn 1 has no history, so it shows how far the server's tokens are from our count (a hidden system block, another
template); that offset is subtracted from later turns. From turn 2 on, two sizes have to be told apart: the newest
message alone, and the whole conversation. If they are too close, the verdict is "cannot tell".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

CheckedWord = Literal["held", "lost", "trimmed", "inflated", "cannot tell"]
VerdictWord = Literal[CheckedWord, "deleted", "expired"]
"""What the check finds, and what was done to a history after it was checked."""

SMALLEST_HISTORY = 16
"""Tokens. A shorter history cannot be told from chance and template differences."""
HELD_FROM, INFLATED_FROM = 0.75, 1.5
"""Shares of the history that were read. Tokenizers that stand in for another one differ by about a quarter."""
SLACK, SLACK_TOKENS = 0.15, 50
"""How far a reading may be from the newest message alone: 15 %, plus 50 tokens or a quarter of the history."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happened to the history in the newest turn. `reported` and `expected` are tokens; None if unknown."""

    word: VerdictWord
    sentence: str
    reported: int | None = None
    expected: int | None = None


def check(
    reported: Sequence[int | None],
    expected: Sequence[int],
    stored_items: Sequence[int] | None = None,
    newest_only: Sequence[int] | None = None,
) -> Verdict:
    """Judge the newest turn of a conversation. Every sequence has one entry per turn, oldest first.

    `reported`: input tokens by the server, None if it did not report them. `expected`: our count of the whole
    conversation as that turn's input, in tokens. `stored_items`: how many items the server says it holds.
    `newest_only`: our count of a request with the newest message alone, in tokens; by default every message is assumed
    to be as long as the first.

    Example: check([40, 50, 50], [40, 80, 120]).word -> "lost"
    """
    turns = len(expected)
    if len(reported) != turns or turns == 0:
        return Verdict("cannot tell", "There is not one number per turn to compare.")
    last = reported[-1]
    if not last:
        return Verdict("cannot tell", "The server did not report how many tokens it read.", None, expected[-1])
    if turns == 1:
        return Verdict("cannot tell", "This is the first turn: there is no history to hold yet.", last, expected[-1])
    offset = (reported[0] or expected[0]) - expected[0]
    newest_only = newest_only or [expected[0]] * turns
    words: list[CheckedWord] = ["cannot tell"]
    for turn in range(1, turns):
        words.append(_word(reported, expected, newest_only, offset, turn, words))
    word = words[-1]
    if word == "lost" and stored_items and stored_items[-1] > stored_items[0] and "held" in words[:-1]:
        word = "trimmed"  # the server stores everything and reads next to nothing of it
    return Verdict(word, _sentence(word, last, expected[-1] + offset, stored_items), last, expected[-1])


def _word(
    reported: Sequence[int | None],
    expected: Sequence[int],
    newest_only: Sequence[int],
    offset: int,
    turn: int,
    earlier: Sequence[CheckedWord],
) -> CheckedWord:
    """The verdict on one turn, given those on the turns before it."""
    read = reported[turn]
    if not read:
        return "cannot tell"
    history = expected[turn] - newest_only[turn]
    if history < SMALLEST_HISTORY:
        return "cannot tell"
    share = (read - offset - newest_only[turn]) / history
    if share >= INFLATED_FROM:
        return "inflated"
    missing = expected[turn] + offset - read
    if share >= HELD_FROM:
        trimmed = _stopped_growing(reported, expected, turn, missing) or _still_missing(earlier, missing, history)
        return "trimmed" if trimmed else "held"
    slack = min(SLACK_TOKENS, history / 4)
    return "lost" if read - offset <= newest_only[turn] * (1 + SLACK) + slack else "trimmed"


def _stopped_growing(reported: Sequence[int | None], expected: Sequence[int], turn: int, missing: float) -> bool:
    """Whether the input stopped growing while the conversation grew: as much was dropped as was added."""
    previous = reported[turn - 1]
    if not previous or turn < 2:
        return False
    growth, expected_growth = (reported[turn] or 0) - previous, expected[turn] - expected[turn - 1]
    return expected_growth >= SMALLEST_HISTORY and growth < expected_growth / 4 and missing >= expected_growth / 2


def _still_missing(earlier: Sequence[CheckedWord], missing: float, history: int) -> bool:
    """Whether what was trimmed in the previous turn is still missing."""
    return earlier[-1] == "trimmed" and missing > max(SMALLEST_HISTORY, history / 10)


def _sentence(word: CheckedWord, read: int, whole: int, stored_items: Sequence[int] | None) -> str:
    stored = f" It still stores {stored_items[-1]:,} items." if stored_items else ""
    sentences: dict[CheckedWord, str] = {
        "held": (
            f"The server read {read:,} tokens, and the whole conversation is about {whole:,}: the history was there."
        ),
        "lost": f"The server read {read:,} of about {whole:,} tokens: it saw the newest message without the history.",
        "trimmed": f"The server read {read:,} of about {whole:,} tokens: it dropped older turns.{stored}",
        "inflated": (
            f"The server read {read:,} tokens, but the whole conversation is only about {whole:,}: it counts or reads"
            " parts of it more than once."
        ),
        "cannot tell": (
            f"The server read {read:,} tokens; the conversation is too short to tell the history from chance."
        ),
    }
    return sentences[word]
