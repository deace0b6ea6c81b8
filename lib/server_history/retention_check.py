"""Whether a server truly held the history: what it read, against what the whole conversation is.

The one rule: the server's own word does not count (servers accept any id, and echo settings they do not obey); only the input
tokens it reports do. Pure: numbers in, a verdict with one plain sentence out.

How it is told. Turn 1 has no history, so it shows how far the server's tokens are from ours (a hidden system block, another
template), and that is taken off. From turn 2 on there are two sizes to tell apart: the newest message alone, and the whole
conversation. Where they are too close the answer is "cannot tell", not a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Word = Literal["held", "lost", "trimmed", "inflated", "cannot tell"]

SMALLEST_HISTORY = 16
"""Tokens: with less history than this, chance and templates weigh as much as it does."""
HELD_FROM, INFLATED_FROM = 0.75, 1.5
"""Parts of the history that were read: tokenizers that stand in for another differ by about a quarter."""
SLACK, SLACK_TOKENS = 0.15, 50
"""How far from the newest message alone still counts as that: 15 %, and 50 tokens or a quarter of the history."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happened to the history, of the newest turn. Tokens; None where not known."""

    word: Word
    sentence: str
    seen: int | None = None
    expected: int | None = None


def check(
    seen: Sequence[int | None],
    expected: Sequence[int],
    stored_items: Sequence[int] | None = None,
    alone: Sequence[int] | None = None,
) -> Verdict:
    """Judge the newest turn of a conversation. All sequences have one entry per turn, in tokens but for `stored_items`.

    `seen`: input tokens the server reports, None where it did not. `expected`: our count of the whole transcript as input of
    that turn. `stored_items`: how many items the server says it holds. `alone`: our count of the request with the newest
    message only; without it every message is taken to be as long as the first.

    Example: check([40, 50, 50], [40, 80, 120]).word -> "lost"
    """
    turns = len(expected)
    if len(seen) != turns or turns == 0:
        return Verdict("cannot tell", "There is not one number per turn to compare.")
    last = seen[-1]
    if not last:
        return Verdict("cannot tell", "The server did not report how many tokens it read.", None, expected[-1])
    if turns == 1:
        return Verdict("cannot tell", "This is the first turn: there is no history to hold yet.", last, expected[-1])
    base = (seen[0] or expected[0]) - expected[0]
    alone = alone or [expected[0]] * turns
    words: list[Word] = ["cannot tell"]
    for turn in range(1, turns):
        words.append(_turn(seen, expected, alone, base, turn, words))
    word = words[-1]
    if word == "lost" and stored_items and stored_items[-1] > stored_items[0] and "held" in words[:-1]:
        word = "trimmed"  # the server has it all and reads next to nothing of it
    return Verdict(word, _sentence(word, last, expected[-1] + base, stored_items), last, expected[-1])


def _turn(
    seen: Sequence[int | None],
    expected: Sequence[int],
    alone: Sequence[int],
    base: int,
    turn: int,
    before: Sequence[Word],
) -> Word:
    """One turn, knowing how the turns before it were judged."""
    read = seen[turn]
    if not read:
        return "cannot tell"
    history = expected[turn] - alone[turn]
    if history < SMALLEST_HISTORY:
        return "cannot tell"
    there = (read - base - alone[turn]) / history
    if there >= INFLATED_FROM:
        return "inflated"
    missing = expected[turn] + base - read
    if there >= HELD_FROM:
        return "trimmed" if _fell(seen, expected, turn, missing) or _still(before, missing, history) else "held"
    slack = min(SLACK_TOKENS, history / 4)
    return "lost" if read - base <= alone[turn] * (1 + SLACK) + slack else "trimmed"


def _fell(seen: Sequence[int | None], expected: Sequence[int], turn: int, missing: float) -> bool:
    """Whether it stopped growing although the conversation went on: something else left as much as came."""
    previous = seen[turn - 1]
    if not previous or turn < 2:
        return False
    grew, should = (seen[turn] or 0) - previous, expected[turn] - expected[turn - 1]
    return should >= SMALLEST_HISTORY and grew < should / 4 and missing >= should / 2


def _still(before: Sequence[Word], missing: float, history: int) -> bool:
    """Whether what was trimmed in the turn before is still missing."""
    return before[-1] == "trimmed" and missing > max(SMALLEST_HISTORY, history / 10)


def _sentence(word: Word, seen: int, whole: int, stored_items: Sequence[int] | None) -> str:
    kept = f" It stores {stored_items[-1]:,} items all the same." if stored_items else ""
    sentences: dict[Word, str] = {
        "held": (
            f"The server read {seen:,} tokens, and the whole conversation is about {whole:,}: the history was there."
        ),
        "lost": (
            f"The server read {seen:,} tokens of about {whole:,}: it answered the newest message without the history."
        ),
        "trimmed": f"The server read {seen:,} tokens of about {whole:,}: it left older turns out.{kept}",
        "inflated": (
            f"The server read {seen:,} tokens, and the whole conversation is only about {whole:,}: it counts, or "
            "reads, parts of it more than once."
        ),
        "cannot tell": (
            f"The server read {seen:,} tokens; the conversation is too short to tell the history from chance."
        ),
    }
    return sentences[word]
