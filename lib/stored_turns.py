"""Reads the records of turns from stored JSON. Whatever is stored, the result has the types that it promises.

The record of a finished turn never fails to be read: what cannot be used counts as unknown, and the turn's note says
so. A live record is also a lock, so one that cannot be relied on is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar, cast, get_args

from lib import outside_values
from lib.chat_settings import ChatSettings
from lib.context.candidates import Summary
from lib.context.reasons import REASON_TEXT, Reason
from lib.errors import ChatError
from lib.generation import Generation
from lib.messages import Usage
from lib.recorded_requests import RecordedRequest
from lib.tokens import PROVENANCE_TEXT, Provenance
from lib.turns import LiveTurn, PlanSummary, Summarized, Turn, TurnStatus

Value = TypeVar("Value")

NAMED_AT_MOST = 6
"""Fields that a note names."""
UNREADABLE_ERROR = ChatError("It failed, and what went wrong was stored in a form that cannot be read.")


def unreadable_turn(number: int) -> Turn:
    """Stands for a record that is not even a JSON object."""
    note = f"The record of turn {number} cannot be read. The stored messages are not affected."
    return Turn("", "", "", "stopped", "", "", "", 0.0, note=note, number=number)


def read_turn(stored: Mapping[str, Any], number: int) -> Turn:
    """The turn with this number, from its stored object."""
    read = _Fields(stored)
    turn = Turn(
        id=read.get("id", outside_values.text, ""),
        prompt=read.get("prompt", outside_values.text, ""),
        reply=read.get("reply", outside_values.text, ""),
        status=read.get("status", _status, "stopped"),
        provider=read.get("provider", outside_values.word, ""),
        model=read.get("model", outside_values.word, ""),
        system_prompt=read.get("system_prompt", outside_values.text, ""),
        started_at=read.get("started_at", outside_values.moment, 0.0),
        plan=read.optional("plan", _plan),
        request=read.optional("request", outside_values.mapping) or {},
        request_sha256=read.optional("request_sha256", outside_values.word),
        usage=_usage(stored.get("usage"), read),
        stop_reason=read.optional("stop_reason", outside_values.word),
        request_id=read.optional("request_id", outside_values.word),
        first_token_ms=read.optional("first_token_ms", _duration),
        duration_ms=read.optional("duration_ms", _duration),
        replaces=read.optional("replaces", outside_values.count),
        summarized=read.optional("summarized", _summarized),
        recorded=read.optional("recorded", RecordedRequest.from_dict),
        reasoning=read.optional("reasoning", outside_values.text) or "",
        reply_id=read.optional("reply_id", outside_values.word),
        cache_diagnosis=read.optional("cache_diagnosis", outside_values.mapping) or {},
        note=(read.optional("note", outside_values.text) or "")[:2_000],
        number=number,
    )
    return replace(turn, note=" ".join(part for part in (turn.note, read.note) if part))


def read_live(stored: Mapping[str, Any], age: float = 0.0) -> LiveTurn:
    """A live turn from its stored object. Raises ValueError if its prompt, settings or times cannot be used."""
    read = _Fields(stored)
    live = LiveTurn(
        prompt=read.get("prompt", outside_values.text, ""),
        settings=read.get("settings", _settings, ChatSettings("", "", "", 0, 0, "")),
        owner=read.get("owner", outside_values.text, ""),
        started_at=read.get("started_at", outside_values.moment, 0.0),
        id=read.get("id", outside_values.word, ""),
    )
    if read.odd:
        raise ValueError(f"unusable: {', '.join(read.odd)}")
    error = stored.get("error")
    return replace(
        live,
        text=read.optional("text", outside_values.text) or "",
        plan=read.optional("plan", _plan),
        error=None if error is None else _error(error) or UNREADABLE_ERROR,
        replaces=read.optional("replaces", outside_values.count),
        over_budget_allowed=stored.get("over_budget_allowed") is True,
        first_token_ms=read.optional("first_token_ms", _duration),
        phase=read.optional("phase", outside_values.word) or "",
        summarized=read.optional("summarized", _summarized),
        fields=read.optional("fields", outside_values.mapping) or {},
        via=read.optional("via", outside_values.word) or "",
        reasoning=read.optional("reasoning", outside_values.text) or "",
        age=age,
    )


class _Fields:
    """Reads the fields of one stored object and remembers the names of those that cannot be used."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self._stored = stored
        self.odd: list[str] = []

    def get(self, name: str, check: Callable[[Any], Value | None], default: Value) -> Value:
        """A field that every record has."""
        value = self._stored.get(name)
        if value == default and isinstance(value, str):
            return default
        found = check(value)
        if found is None:
            self.odd.append(name)
        return default if found is None else found

    def optional(self, name: str, check: Callable[[Any], Value | None]) -> Value | None:
        """A field that may be missing or null."""
        value = self._stored.get(name)
        found = None if value is None or value == "" else check(value)
        if found is None and value not in (None, "", {}):
            self.odd.append(name)
        return found

    @property
    def note(self) -> str:
        """Which fields cannot be used, as a sentence; empty if all can."""
        if not self.odd:
            return ""
        named = [name.replace("_", " ") for name in self.odd[:NAMED_AT_MOST]]
        more = len(self.odd) - len(named)
        names = ", ".join(named) + (f" and {more} more" if more else "")
        return f"The record of this turn has values that cannot be used ({names}); they count as unknown."


def _usage(stored: Any, read: _Fields) -> Usage:
    if stored is not None and not isinstance(stored, Mapping):
        read.odd.append("usage")
    if not isinstance(stored, Mapping):
        return Usage()
    read.odd += [
        name for name in Usage.__slots__ if stored.get(name) is not None and outside_values.count(stored[name]) is None
    ]
    return Usage.from_dict(stored)


def _plan(stored: Any) -> PlanSummary | None:
    """A plan, if all of it can be used: half a plan would show messages as sent that were not."""
    if not isinstance(stored, Mapping):
        return None
    read = _Fields(stored)
    size = read.get("stored", outside_values.count, 0)
    plan = PlanSummary(
        runs=read.get("runs", lambda runs: _runs(runs, size + 1), ()),
        stored=size,
        sent=read.get("sent", outside_values.count, 0),
        left_out=read.get("left_out", outside_values.count, 0),
        input_tokens=read.get("input_tokens", outside_values.count, 0),
        system_tokens=read.optional("system_tokens", outside_values.count),
        max_tokens=read.get("max_tokens", outside_values.count, 0),
        reserved_for_reply=read.get("reserved_for_reply", outside_values.count, 0),
        strategy=read.get("strategy", outside_values.word, ""),
        counter=read.get("counter", outside_values.word, ""),
        provenance=read.get("provenance", _provenance, "estimated"),
        fits=stored.get("fits") is not False,
        template_tokens=read.optional("template_tokens", outside_values.count) or 0,
        fallback=read.optional("fallback", outside_values.text),
        summary=read.optional("summary", _summary),
        summary_tokens=read.optional("summary_tokens", outside_values.count) or 0,
        pinned=read.optional("pinned", _indexes) or (),
        batch_target=read.optional("batch_target", outside_values.count),
    )
    return None if set(read.odd) - {"pinned", "fallback", "batch_target"} else plan


def _runs(stored: Any, end: int) -> tuple[tuple[int, int, bool, Reason], ...] | None:
    """Runs that cover 0 up to `end` without a gap, each with a reason that we know."""
    if not isinstance(stored, list | tuple):
        return None
    runs = []
    at: int | None = 0
    for run in stored:
        if not isinstance(run, list | tuple) or len(run) != 4 or outside_values.count(run[0]) != at:
            return None
        start, at = at, outside_values.count(run[1])
        if start is None or at is None or at < start or not isinstance(run[3], str) or run[3] not in REASON_TEXT:
            return None
        runs.append((start, at, run[2] is True, run[3]))
    return tuple(runs) if at == end else None


def _summary(stored: Any) -> Summary | None:
    try:
        return Summary.from_dict(stored)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _summarized(stored: Any) -> Summarized | None:
    if not isinstance(stored, Mapping):
        return None
    read = _Fields(stored)
    made = Summarized(
        provider=read.get("provider", outside_values.word, ""),
        model=read.get("model", outside_values.word, ""),
        usage=_usage(stored.get("usage"), read),
        duration_ms=read.get("duration_ms", _duration, 0.0),
        requests=read.optional("requests", outside_values.count) or 1,
    )
    return None if read.odd else made


def _settings(stored: Any) -> ChatSettings | None:
    """Settings in which every known field has its type. Fields of a later version are left out."""
    if not isinstance(stored, Mapping):
        return None
    checks: dict[str, Callable[[Any], Any]] = {
        "str": outside_values.text,
        "int": outside_values.count,
        "float": outside_values.number,
        "bool": lambda value: value if isinstance(value, bool) else None,
        "Generation": Generation.read,
    }
    known = {f.name: checks[str(f.type)](stored[f.name]) for f in fields(ChatSettings) if f.name in stored}
    try:
        return None if None in known.values() else ChatSettings(**known)
    except TypeError:  # one is missing
        return None


def _error(stored: Any) -> ChatError | None:
    if not isinstance(stored, Mapping) or not isinstance(stored.get("what"), str):
        return None
    error = ChatError.from_dict(stored)
    for name in error.details:
        value = getattr(error, name)
        usable = outside_values.number(value) is not None or outside_values.word(value) is not None
        setattr(error, name, value if usable else None)
    return error


def _status(value: Any) -> TurnStatus | None:
    return cast("TurnStatus", value) if isinstance(value, str) and value in get_args(TurnStatus) else None


def _provenance(value: Any) -> Provenance | None:
    return value if isinstance(value, str) and value in PROVENANCE_TEXT else None


def _duration(value: Any) -> float | None:
    """Milliseconds, fewer than in a few centuries."""
    return outside_values.moment(value)


def _indexes(value: Any) -> tuple[int, ...] | None:
    if not isinstance(value, list | tuple):
        return None
    indexes = [outside_values.count(each) for each in value]
    return None if None in indexes else tuple(index for index in indexes if index is not None)
