"""Finds the messages of a request among the stored messages of a session.

The history is append-only. So what a request holds is the stored messages that it sent again, in their order, and new
ones behind them. A message that the app wrote otherwise than before stays stored as it was: it counts as sent, and the
turn keeps what was sent in its place. That shows an app that shortens old tool results as what it is, in one session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile

from lib.context.reasons import Reason
from lib.recorder.requests import SentMessage

PlainRun = tuple[int, int, bool, Reason]


@dataclass(frozen=True, slots=True)
class Stored:
    """What is compared of a stored message: its key and its role."""

    key: bytes
    role: str


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where a request's messages are. `places` has a stored index for each of them, in rising order; from `first_new`
    on they are new, and are appended. `changed` are those that say something else than what is stored."""

    places: tuple[int, ...]
    first_new: int
    changed: tuple[int, ...]

    @property
    def newest(self) -> int:
        """The stored index of the request's last message."""
        return self.places[-1]

    def runs(self, unsent: Reason) -> tuple[PlainRun, ...]:
        """Every message up to the newest one, sent or not sent for the reason `unsent`, as runs."""
        changed, sent = set(self.changed), set(self.places)
        runs: list[PlainRun] = []
        for index in range(self.newest + 1):
            reason: Reason = unsent if index not in sent else "app_changed" if index in changed else "app_sent"
            if runs and runs[-1][3] == reason:
                runs[-1] = (runs[-1][0], index + 1, index in sent, reason)
            else:
                runs.append((index, index + 1, index in sent, reason))
        return tuple(runs)


def append_all(messages: Sequence[SentMessage], stored: int) -> Alignment:
    """All messages are new: a new session, or a server that keeps the ones before."""
    return Alignment(tuple(range(stored, stored + len(messages))), stored, ())


def align(messages: Sequence[SentMessage], history: Sequence[Stored]) -> Alignment | None:
    """The places of a request's messages in this history. None if one history cannot show it: the app put a message
    between earlier ones, changed more than it kept, or shares nothing with the history.

    Example: history u1 a1 u2 a2, request u2 a2 u3 -> places (2, 3, 4); u1 and a1 are not sent
    """
    found = _matched(messages, history)
    places, changed = list(found), set[int]()
    last = max((at for at, place in enumerate(found) if place is not None), default=-1)
    at, before = 0, 0
    while at <= last:
        place = places[at]
        if place is not None:
            before, at = place + 1, at + 1
            continue
        stop = next(later for later in range(at, last + 1) if found[later] is not None)
        end = found[stop]
        assert end is not None
        for index in range(at, stop):
            gap = (each for each in range(before, end) if history[each].role == messages[index].message.role)
            taken = next(gap, None)
            if taken is None:
                return None
            places[index], before = taken, taken + 1
            changed.add(taken)
        at = stop
    for index in _rewritten_replies(messages, history, last, before):
        places[index] = before
        changed.add(before)
        before, last = before + 1, index
    kept = sum(place is not None for place in places) - len(changed)
    if not kept or len(changed) > kept:
        return None
    new = range(len(history), len(history) + len(messages) - last - 1)
    whole = [place for place in places[: last + 1] if place is not None] + list(new)
    return Alignment(tuple(whole), len(history), tuple(sorted(changed)))


def _matched(messages: Sequence[SentMessage], history: Sequence[Stored]) -> list[int | None]:
    """For each message the stored one that says the same, in rising order.

    The newest message counts as new, even if the same text was sent before: it is asked again. Only if nothing was
    stored behind it, as after a request that failed, it is the stored one.
    """
    sent, stored = [each.key for each in messages], [each.key for each in history]
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(sent, stored, strict=False))))
    found: list[int | None] = [*range(same), *([None] * (len(sent) - same))]
    matcher = SequenceMatcher(None, sent[same:], stored[same:], autojunk=False)
    for at, place, size in matcher.get_matching_blocks():
        for step in range(size):
            found[same + at + step] = same + place + step
    if found[-1] is not None and found[-1] != len(stored) - 1:
        found[-1] = None
    return found


def _rewritten_replies(messages: Sequence[SentMessage], history: Sequence[Stored], last: int, before: int) -> list[int]:
    """The positions right behind the last known message that stand for stored replies with other words: an app that
    cleans what the model said, for instance."""
    positions: list[int] = []
    for index in range(last + 1, len(messages) - 1):
        place = before + len(positions)
        if place >= len(history) or not messages[index].message.role == history[place].role == "assistant":
            break
        positions.append(index)
    return positions if last >= 0 else []
