"""One session as a JSON object of a capsule, and back.

`messages` is a text: the stored value of the session, byte for byte. `turns` are the records of its turns with their
numbers, each with its plan. The rest is what the session has beside them: title, time of creation, settings, pins,
mutes, summaries, imports, prices, and the counters that counted. `sha256` has a hash for each of the three, so that a
file that was changed can say where.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from lib import outside_values
from lib.chat_settings import ChatSettings
from lib.context.candidates import Summary
from lib.errors import CorruptHistory
from lib.generation import Generation
from lib.history import About, Import, Recording
from lib.history.serialization import from_json, read_objects, to_json, unpack_messages
from lib.history.sessions.restoring import kept_title, numbered
from lib.messages import Message
from lib.stored_turns import read_turn
from lib.transfer.capsule import prices
from lib.turns import Turn

SETTINGS = [field.name for field in fields(ChatSettings)]
HASHES = "sha256"


def to_object(recording: Recording) -> dict[str, Any]:
    """A session as a JSON object. `recording` must be as `settled` returns it, with its stored bytes."""
    about = recording.about
    assert recording.stored is not None
    session: dict[str, Any] = {
        "title": kept_title(recording.title),
        "created_at": about.created_at,
        "settings": _settings(recording.settings),
        "pinned": sorted(about.pinned),
        "muted": sorted(about.muted),
        "summaries": [asdict(summary) for summary in about.summaries],
        "imports": [_import_object(each) for each in about.imports if not each.whole],
        "prices": prices.checked(about.prices),
        "counters": _counters(recording.turns),
        "turns": [{"number": turn.number, **turn.to_dict()} for turn in recording.turns],
        "messages": recording.stored.decode(),
    }
    session = from_json(to_json(session))
    return session | {HASHES: hashes(session)}


def settled(recording: Recording) -> Recording:
    """The recording as it is after it was stored and read, so that storing and reading it again changes nothing."""
    turns = [_read_again(_read_again(turn)) for turn in numbered(recording.turns)]
    summaries = tuple(Summary.from_dict(asdict(summary)) for summary in recording.about.summaries)
    return replace(recording, turns=turns, about=replace(recording.about, summaries=summaries))


def _read_again(turn: Turn) -> Turn:
    """The turn as it is read when it is stored. Reading may add to its note, and the second time cuts a long one."""
    return read_turn(from_json(to_json(turn.to_dict())), turn.number)


def hashes(session: Mapping[str, Any]) -> dict[str, str]:
    """The SHA-256 of the messages' bytes, of the turns, and of the rest, each as compact JSON."""
    rest = {name: value for name, value in session.items() if name not in ("messages", "turns", HASHES)}
    messages = session.get("messages")
    parts = {
        "messages": messages.encode(errors="surrogatepass") if isinstance(messages, str) else to_json(messages),
        "turns": to_json(session.get("turns")),
        "rest": to_json(rest),
    }
    return {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()}


def from_object(session: Mapping[str, Any], source: str) -> Recording:
    """A session from a JSON object. Raises ValueError, which says what cannot be used."""
    stored = session.get("messages")
    if not isinstance(stored, str):
        raise ValueError("its messages are no text")
    messages = _messages(stored)
    turns = session.get("turns")
    if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
        raise ValueError("its turns are no list of objects")
    return Recording(
        title=kept_title(outside_values.text(session.get("title")) or ""),
        messages=messages,
        turns=[read_turn(turn, outside_values.count(turn.get("number")) or 0) for turn in turns],
        settings=_settings(session.get("settings")),
        source=source,
        about=_about(session, len(messages)),
        whole=True,
        stored=stored.encode(),
    )


def _messages(stored: str) -> list[Message]:
    try:
        raw = stored.encode()
        messages = [Message.from_dict(each) for each in read_objects(unpack_messages(raw, raw))]
    except CorruptHistory as exc:
        raise ValueError(exc.what.rstrip(".")) from exc
    if not messages:
        raise ValueError("no messages in it")
    return messages


def _about(session: Mapping[str, Any], messages: int) -> About:
    try:
        summaries = tuple(Summary.from_dict(each) for each in session.get("summaries") or ())
        imports = tuple(_import(each) for each in session.get("imports") or ())
        marks = [
            frozenset(index for each in session.get(name) or () if (index := outside_values.count(each)) is not None)
            for name in ("muted", "pinned")
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise ValueError("its marks, summaries or imports cannot be read") from exc
    if any(index >= messages for indexes in marks for index in indexes):
        raise ValueError("it has a mark on a message that it does not hold")
    return About(
        created_at=outside_values.moment(session.get("created_at")),
        muted=marks[0],
        pinned=marks[1],
        summaries=summaries,
        imports=imports,
        prices=prices.checked(session.get("prices")),
    )


def _settings(stored: Any) -> dict[str, Any]:
    """The chat settings that are known, and nothing else: no field of another kind leaves or enters."""
    known = stored if isinstance(stored, Mapping) else {}
    plain = {name: known[name] for name in SETTINGS if isinstance(known.get(name), str | int | float)}
    generation = known.get("generation")
    return plain if generation is None else plain | {"generation": Generation.read(generation).to_dict()}


def _import_object(record: Import) -> dict[str, Any]:
    return {"first": record.first, "count": record.count, "source": record.source, "imported_at": record.imported_at}


def _import(stored: Mapping[str, Any]) -> Import:
    first, count = outside_values.count(stored["first"]), outside_values.count(stored["count"])
    source, at = outside_values.text(stored["source"]), outside_values.number(stored["imported_at"])
    if first is None or count is None or source is None or at is None:
        raise ValueError("not an import")
    return Import(first, count, source, at)


def _counters(turns: Any) -> list[list[str]]:
    """Each counter that counted, with how its numbers were obtained."""
    return [list(pair) for pair in sorted({(t.plan.counter, t.plan.provenance) for t in turns if t.plan is not None})]
