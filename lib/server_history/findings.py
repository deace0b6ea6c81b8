"""What the ledgers of several lanes show, in sentences. Every number in them is computed from the ledgers.

Tokens are compared only where the conversations are the same: a model that replies otherwise reads something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.server_history import Approach
from lib.server_history.lane import LaneState
from lib.server_history.ledger import LedgerRow, total

Ledgers = Mapping[Approach, Sequence[LedgerRow]]
LOST_WORDS = ("lost", "trimmed", "inflated")
NOT_REPORTED = "not reported"


@dataclass(frozen=True, slots=True)
class Finding:
    """Sentences about the turns that every lane has answered. `headline` is the first of them."""

    turns: int
    headline: str
    details: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of them."""
        return " ".join((self.headline, *self.details))


def finding(states: Sequence[LaneState], ledgers: Ledgers, names: Mapping[Approach, str]) -> Finding:
    """Compare uploads and tokens over the turns that every lane has answered. `ledgers` are those of the states that
    have answered a turn, at least one.

    Example: "After 6 turns, “Sent again every turn” had uploaded 6,900 B and “Conversations” 1,330 B."
    """
    turns = min(map(len, ledgers.values()))
    common = {approach: list(rows[:turns]) for approach, rows in ledgers.items()}
    uploads = {approach: sum(row.bytes_up for row in rows) for approach, rows in common.items()}
    plural = f"{turns:,} turn{'' if turns == 1 else 's'}"
    each = _and(
        [
            f"“{names[approach]}” {'had uploaded ' if index == 0 else ''}{count:,} B"
            for index, (approach, count) in enumerate(uploads.items())
        ]
    )
    same = len({_read(state, turns) for state in states if state.approach in ledgers}) == 1
    return Finding(
        turns, f"After {plural}, {each}.", (_tokens(common, names, same=same), *_lesson(common, uploads, same))
    )


def _tokens(common: Mapping[Approach, list[LedgerRow]], names: Mapping[Approach, str], *, same: bool) -> str:
    """The tokens read, and why they differ if they do."""
    read = {approach: total([row.input_tokens for row in rows]) for approach, rows in common.items()}
    known = set(read.values())
    if known == {None}:
        return "No server reported how many tokens it read."
    if len(read) == 1:
        return f"The model read {_count(next(iter(read.values())))} tokens."
    if len(known) == 1:
        return f"The model read {_count(next(iter(known)))} tokens in each of them."
    each = _and([f"{_count(count)} in “{names[approach]}”" for approach, count in read.items()])
    sentence = f"Tokens read: {each}."
    if not same:
        return f"{sentence} The conversations differ, because the replies do, so these numbers cannot be compared."
    odd = [names[approach] for approach, rows in common.items() if any(row.verdict.word in LOST_WORDS for row in rows)]
    if odd:
        return f"{sentence} The conversation is the same in all of them; {_quoted(odd)} did not read it once and whole."
    return f"{sentence} The conversation is the same in all of them: the servers' templates differ."


def _lesson(common: Mapping[Approach, list[LedgerRow]], uploads: Mapping[Approach, int], same: bool) -> tuple[str, ...]:
    """What the numbers teach about keeping a history on a server; nothing where they do not show it."""
    kept = [count for approach, count in uploads.items() if approach != "manual"]
    again = uploads.get("manual")
    reads = {total([row.input_tokens for row in rows]) for rows in common.values()}
    if again is None or not kept or min(map(len, common.values())) < 3:
        return ()
    saves_tokens_too = len(reads) != 1 or None in reads
    if max(kept) >= again:
        return ("These messages are so short that a server which keeps the history did not save upload yet.",)
    fewest, most = round(100 * (1 - max(kept) / again)), round(100 * (1 - min(kept) / again))
    share = f"{fewest} %" if fewest == most else f"{fewest} to {most} %"
    if saves_tokens_too or not same:
        return (f"Letting a server keep the history saved {share} of the upload.",)
    return (
        f"**A server that keeps the history saves upload ({share} here), not tokens:** the model reads all of it every"
        " turn, no matter who sends it.",
    )


def _read(state: LaneState, turns: int) -> tuple[tuple[str, str], ...]:
    """The messages that a lane's first answered turns had to read: all but the last reply."""
    answered = [turn for turn in state.turns if turn.result is not None][:turns]
    said = [(message.role, message.text) for message in state.earlier]
    for turn in answered:
        said += [("user", turn.prompt), ("assistant", turn.reply)]
    return tuple(said[:-1])


def _count(count: int | None) -> str:
    return NOT_REPORTED if count is None else f"{count:,}"


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _quoted(names: Sequence[str]) -> str:
    return _and([f"“{name}”" for name in names])
