"""What a store writes when it restores a recorded conversation: the messages as bytes, the turns, and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import pairwise

from lib import outside_values
from lib.errors import CorruptHistory
from lib.history import About, Import, Recording, serialization
from lib.history.refusals import checked_messages
from lib.history.sessions import sums
from lib.messages import utf8_safe
from lib.turns import Turn


def value_of(recording: Recording) -> bytes:
    """The messages as the bytes to store.

    Raises ImportRefused for a message that is nested too deeply, ValueError if `recording.stored` holds other messages.
    """
    messages = checked_messages(recording.messages)
    if recording.stored is None:
        return b"[" + serialization.pack_messages(messages) + b"]"
    try:
        held = serialization.read_objects(serialization.unpack_messages(recording.stored, recording.stored))
    except CorruptHistory as exc:
        raise ValueError(exc.what) from exc
    if held != [message.to_dict() for message in messages]:
        raise ValueError("the stored bytes hold other messages")
    return recording.stored


def title_of(recording: Recording) -> str:
    """The title, on one line and as UTF-8 can hold it. Longer than the titles that the app makes of first prompts."""
    return utf8_safe(outside_values.word(recording.title) or "")


def numbered(turns: Sequence[Turn]) -> list[Turn]:
    """The turns with their numbers if these increase from 1 on, otherwise numbered from 1."""
    numbers = [0, *(turn.number for turn in turns)]
    if all(before < after for before, after in pairwise(numbers)):
        return list(turns)
    return [replace(turn, number=place) for place, turn in enumerate(turns, 1)]


def turn_records(recording: Recording) -> list[bytes | int]:
    """Each turn's number and its record, one after the other."""
    return [part for turn in numbered(recording.turns) for part in (turn.number, serialization.pack_turn(turn))]


def sums_of(recording: Recording, value: bytes) -> bytes:
    """The sums of the restored session as JSON. `value` is its messages as they are stored."""
    messages = recording.messages
    return serialization.to_json(
        sums.of_turns(recording.turns, messages, imported=len(messages), size=len(value)).to_dict()
    )


def about_of(recording: Recording, before: About, now: float) -> About:
    """What is kept about the restored session. `before` is what was kept about it until now."""
    kept = recording.about
    record = Import(0, len(recording.messages), recording.source, now, recording.whole)
    return replace(
        before,
        title=before.title or title_of(recording),
        created_at=before.created_at if kept.created_at is None else kept.created_at,
        settings=dict(recording.settings),
        muted=before.muted | kept.muted,
        pinned=before.pinned | kept.pinned,
        summaries=kept.summaries or before.summaries,
        imports=tuple(sorted((*kept.imports, record), key=lambda each: (each.first, each.imported_at))),
        prices=dict(kept.prices) or before.prices,
    )


def about_fields(recording: Recording) -> list[bytes | str]:
    """The same as fields of the about hash and their values, one after the other, without the record of the import."""
    kept = recording.about
    fields: dict[str, bytes | str] = {"settings": serialization.to_json(dict(recording.settings))}
    if kept.created_at is not None:
        fields["created_at"] = repr(kept.created_at)
    fields |= {f"muted:{index}": "1" for index in sorted(kept.muted)}
    fields |= {f"pinned:{index}": "1" for index in sorted(kept.pinned)}
    if kept.summaries:
        fields["summaries"] = serialization.to_json([asdict(summary) for summary in kept.summaries])
    if kept.prices:
        fields["prices"] = serialization.to_json(dict(kept.prices))
    for place, record in enumerate(kept.imports):
        time = b'{"imported_at":' + repr(record.imported_at).encode() + b","
        packed = serialization.pack_import(record.first, record.count, record.source, record.whole)
        fields[f"import:{place}"] = time + packed
    return [part for pair in fields.items() for part in pair]
