"""The refusals that every store words alike."""

from __future__ import annotations

from lib.errors import TurnInProgress, TurnLost


def being_answered() -> TurnInProgress:
    """Refusal of a second message."""
    return TurnInProgress("This conversation has a message that is being answered.")


def waits_for_a_decision() -> TurnInProgress:
    """Refusal of a message after an interrupted one."""
    return TurnInProgress(
        "An earlier message of this conversation was interrupted and waits for your decision.",
        next_step="Retry it, keep what came, edit it or discard it, then send again.",
    )


def turn_lost() -> TurnLost:
    """Refusal of a late owner."""
    return TurnLost("This message was cleared, discarded or replaced while it was being answered.")


def checked_index(index: int) -> int:
    """A stored index. Raises ValueError below 0."""
    if index < 0:
        raise ValueError(f"not a stored index: {index}")
    return index
