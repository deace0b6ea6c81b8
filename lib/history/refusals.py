"""The errors that every store raises with the same words."""

from __future__ import annotations

from collections.abc import Sequence

from lib import outside_values
from lib.errors import HistoryUnavailable, ImportRefused, TurnInProgress, TurnLost
from lib.messages import Message


def being_answered() -> TurnInProgress:
    """For a write while another turn is live."""
    return TurnInProgress("This conversation has a message that is being answered.")


def interrupted() -> TurnInProgress:
    """For a write while an interrupted turn waits for a decision."""
    return TurnInProgress(
        "An earlier message of this conversation was interrupted and waits for your decision.",
        next_step="Retry it, keep what came, edit it or discard it, then send again.",
    )


def turn_lost() -> TurnLost:
    """For a write by the owner of a turn that is no longer live."""
    return TurnLost("This message was cleared, discarded or replaced while it was being answered.")


def changed_meanwhile() -> HistoryUnavailable:
    """For an import that another service's writes got in the way of several times."""
    return HistoryUnavailable(
        "Another service keeps writing to this conversation, so no messages were imported.",
        safe="Nothing was changed.",
        next_step="Import them again when it has stopped.",
    )


def occupied() -> ImportRefused:
    """For a recorded conversation that would be stored over another one."""
    return ImportRefused("This chat has messages already.", next_step="Open it in a new chat.")


def checked_messages(messages: Sequence[Message]) -> Sequence[Message]:
    """The messages themselves. Raises ImportRefused if one could not be read back, because it is nested too deeply."""
    for place, message in enumerate(messages, start=1):
        if outside_values.is_too_deep(message.to_dict()):
            raise ImportRefused(f"Message {place} is nested more than {outside_values.MOST_LEVELS} levels deep.")
    return messages


def checked_index(index: int) -> int:
    """The index itself. Raises ValueError if it is negative."""
    if index < 0:
        raise ValueError(f"not a stored index: {index}")
    return index
