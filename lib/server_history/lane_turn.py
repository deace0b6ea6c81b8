"""LaneTurn: one finished turn of a lane, and the JSON in which it is stored with the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from lib.messages import Usage
from lib.server_history import Handle, ServerTurn, Wire

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading a stored turn raises if something else wrote it."""
Gone = Literal["", "deleted", "expired"]
"""What happened to all that the server held until then; empty if nothing did."""


@dataclass(frozen=True, slots=True)
class LaneTurn:
    """One finished turn: its prompt, and either its `result` or its `error` (ChatError.to_dict()).

    `drill` says what was done on purpose before or during it; a drill without a prompt is only a note, and `gone` says
    what it did to everything before it. `stored_items` is the number of items the server says it holds, None if it
    cannot be asked.
    """

    prompt: str
    result: ServerTurn | None = None
    error: Mapping[str, Any] | None = None
    drill: str = ""
    stored_items: int | None = None
    gone: Gone = ""

    @property
    def reply(self) -> str:
        """The reply; empty if there is none."""
        return self.result.reply if self.result is not None else ""

    def to_dict(self) -> dict[str, Any]:
        """The JSON stored with the session. It holds no handle, which the lane stores once."""
        return {
            "prompt": self.prompt,
            "result": None if self.result is None else _result_to_dict(self.result),
            "error": None if self.error is None else dict(self.error),
            "drill": self.drill,
            "stored_items": self.stored_items,
            "gone": self.gone,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], handle: Handle) -> LaneTurn:
        """Read what `to_dict` wrote. Raises one of UNREADABLE for anything else."""
        result, error, gone = stored["result"], stored["error"], stored["gone"]
        if gone not in ("", "deleted", "expired"):
            raise ValueError(gone)
        return cls(
            str(stored["prompt"]),
            None if result is None else _result_from_dict(result, handle),
            None if error is None else {str(name): value for name, value in error.items()},
            str(stored["drill"]),
            _whole(stored["stored_items"]),
            gone,
        )


def _result_to_dict(result: ServerTurn) -> dict[str, Any]:
    return {
        "reply": result.reply,
        "usage": result.usage.to_dict(),
        "wires": [asdict(wire) for wire in result.wires],
        "first_token_ms": result.first_token_ms,
        "duration_ms": result.duration_ms,
        "status": result.status,
        "reason": result.reason,
        "replayed": result.replayed,
        "notes": list(result.notes),
    }


def _result_from_dict(stored: Mapping[str, Any], handle: Handle) -> ServerTurn:
    if stored["status"] not in ("complete", "incomplete", "failed"):
        raise ValueError(stored["status"])
    return ServerTurn(
        reply=str(stored["reply"]),
        handle=handle,
        usage=Usage.from_dict({name: _whole(value) for name, value in stored["usage"].items()}),
        wires=tuple(_wire(wire) for wire in stored["wires"]),
        first_token_ms=None if stored["first_token_ms"] is None else float(stored["first_token_ms"]),
        duration_ms=float(stored["duration_ms"]),
        status=stored["status"],
        reason=None if stored["reason"] is None else str(stored["reason"]),
        replayed=bool(stored["replayed"]),
        notes=tuple(str(note) for note in stored["notes"]),
    )


def _wire(stored: Mapping[str, Any]) -> Wire:
    values = {field.name: stored[field.name] for field in fields(Wire)}
    return Wire(
        str(values["method"]),
        str(values["path"]),
        int(values["bytes_up"]),
        _whole(values["bytes_down"]),
        _whole(values["status"]),
        float(values["ms"]),
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
