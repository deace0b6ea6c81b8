"""The refusals that every store words alike."""

from __future__ import annotations

from lib.errors import HistoryUnavailable, TurnInProgress, TurnLost


def being_answered() -> TurnInProgress:
    """Nothing can be added while a message is being answered."""
    return TurnInProgress("This conversation has a message that is being answered.")


def interrupted() -> TurnInProgress:
    """Nothing can be added before the person decided about an interrupted message."""
    return TurnInProgress(
        "An earlier message of this conversation was interrupted and waits for your decision.",
        next_step="Retry it, keep what came, edit it or discard it, then send again.",
    )


def turn_lost() -> TurnLost:
    """A late owner may not write."""
    return TurnLost("This message was cleared, discarded or replaced while it was being answered.")


def changed_meanwhile() -> HistoryUnavailable:
    """Another service wrote again and again while messages were being imported."""
    return HistoryUnavailable(
        "Another service keeps writing to this conversation, so no messages were imported.",
        safe="Nothing was changed.",
        next_step="Import them again when it has stopped.",
    )


def checked_index(index: int) -> int:
    """A stored index. Raises ValueError below 0."""
    if index < 0:
        raise ValueError(f"not a stored index: {index}")
    return index
