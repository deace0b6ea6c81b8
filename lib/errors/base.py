"""The base of the error tree: what every error says, and how it is stored and read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

KEPT = "Your message is kept."


class ChatError(Exception):
    """Base of the tree. Pages catch it and show `what`, `safe` and `next_step`, in that order."""

    kind: ClassVar[str] = "ChatError"
    kinds: ClassVar[dict[str, type[ChatError]]] = {}
    """Every class of the tree by its kind, so that a stored error is read back as what it was."""
    details: ClassVar[tuple[str, ...]] = ()
    """Names of further attributes that are stored with the error: plain JSON values, None if unknown."""
    safe_default: ClassVar[str] = KEPT
    next_default: ClassVar[str] = "Try again."
    retryable: bool = True

    def __init__(self, what: str, *, safe: str | None = None, next_step: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.safe = self.safe_default if safe is None else safe
        self.next_step = self.next_default if next_step is None else next_step

    def __init_subclass__(cls) -> None:
        cls.kind = cls.__name__
        ChatError.kinds[cls.kind] = cls

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChatError) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.kind, self.what))

    def to_dict(self) -> dict[str, Any]:
        """As a live turn stores it, so that any tab can show it: kind, what, safe, next_step and the details."""
        stored = {"kind": self.kind, "what": self.what, "safe": self.safe, "next_step": self.next_step}
        return stored | {name: getattr(self, name) for name in self.details}

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> ChatError:
        """Read a stored error. A kind that this version does not know becomes a plain ChatError."""
        cls = ChatError.kinds.get(str(stored.get("kind")), ChatError)
        error = cls.__new__(cls)
        ChatError.__init__(
            error,
            str(stored.get("what", "")),
            safe=str(stored.get("safe", KEPT)),
            next_step=str(stored.get("next_step", "")),
        )
        for name in cls.details:
            setattr(error, name, stored.get(name))
        return error


def describe(stored: Mapping[str, Any]) -> tuple[str, str, str]:
    """What happened, what is safe and what to do next, from a stored error."""
    return str(stored.get("what", "")), str(stored.get("safe", KEPT)), str(stored.get("next_step", ""))
