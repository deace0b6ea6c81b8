"""Every error a person can meet, as one tree.

ChatError                     says what happened, what is safe and what to do next
├── InvalidSettings           an environment variable or secrets.toml holds a value we cannot use
├── NotYours                  the session belongs to somebody else, who did not share it in this way
├── HistoryUnavailable        the history store does not answer
├── CorruptHistory            the stored value is not an array of messages; we show it and never overwrite it
├── TurnInProgress            a turn of this session is being answered, or waits for a decision
├── Stopped                   a person stopped the turn before its first word came
├── TurnLost                  the turn was cleared or discarded somewhere else, and stays so
├── RuleBroken                the provider would refuse the request for its shape, so it was not sent
├── ImportRefused             a file or text cannot be imported; nothing of it was taken
├── ForeignSession            the conversation is another library's; we only read it
├── ContextOverflow           the request is larger than the context window (ours or the provider's)
└── ProviderError             the provider failed; `retryable` says whether the same request may work later
    ├── MissingKey            we have no API key for it
    ├── WrongKey              it refused the key
    ├── RateLimited           too many requests or tokens
    ├── ProviderUnavailable   it was not reached, or it failed on its side
    ├── InvalidRequest        it refused the request for its shape, size or model name
    ├── ContentRefused        its policy refused the content
    ├── Retired               the vendor switched this off for good; nothing is sent
    └── ConversationGone      the server has no such conversation: deleted, expired or never stored

Adapters translate errors of redis-py, openai and anthropic once, with `raise ... from exc`. Messages never hold a key.
"""

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


class InvalidSettings(ChatError):
    """A setting of the installation cannot be used. The message names it and says what is expected."""

    safe_default = "Nothing was started or changed."
    next_default = "Correct it where it is set, then start the app again."
    retryable = False


class NotYours(ChatError):
    """The session belongs to somebody else, who did not allow this. Nothing about the session is said."""

    safe_default = "Nothing of it was shown or changed."
    next_default = "Begin a new chat, or ask its owner to share it."
    retryable = False

    def __init__(self, what: str = "This chat belongs to someone else.", **words: str | None) -> None:
        super().__init__(what, **words)


class HistoryUnavailable(ChatError):
    """The history store does not answer (not started, not reachable, or it refused us)."""

    safe_default = "Nothing was changed; what you typed is still in the box."
    next_default = "The page keeps trying and goes on by itself when the store answers."


class CorruptHistory(ChatError):
    """The stored value is not a JSON array of messages. `raw` is the value, `where` says in words where it breaks."""

    safe_default = "The value is left exactly as it is."
    next_default = "Start a new chat, or repair the value with the service that wrote it."
    retryable = False
    raw: bytes = b""
    where: str = ""

    def __init__(self, what: str, *, raw: bytes = b"", where: str = "") -> None:
        super().__init__(what)
        self.raw, self.where = raw, where


class TurnInProgress(ChatError):
    """Another turn of this session is being answered, or was interrupted and waits for a decision."""

    safe_default = "Your text is still in the box."
    next_default = "Wait for the reply or stop it, then send again."


class Stopped(ChatError):
    """A person stopped the turn before its first word came, so there is no reply to store."""

    next_default = "Retry, edit or discard it."


class TurnLost(ChatError):
    """The live record was cleared, discarded or replaced. Nothing of this turn may be written."""

    safe_default = "What was cleared stays cleared."
    next_default = "Nothing needs to be done."
    retryable = False


class ImportRefused(ChatError):
    """A file or text cannot be imported. The message says what is wrong, and where."""

    safe_default = "Nothing was imported or changed."
    next_default = "Choose another file, or export it once more."
    retryable = False


class ForeignSession(ChatError):
    """A write to a conversation that another library keeps. Nothing of it is ever changed."""

    safe_default = "Nothing was changed."
    next_default = "Fork it to go on."
    retryable = False

    def __init__(self, what: str = "This conversation belongs to another library; Windowseat only reads it.") -> None:
        super().__init__(what)


class ContextOverflow(ChatError):
    """The request does not fit. `tokens` and `limit` are in tokens, None if the provider did not say."""

    details = ("tokens", "limit")
    next_default = "Drop older messages, make the window larger, or shorten the message."
    retryable = False

    def __init__(self, what: str, *, tokens: int | None = None, limit: int | None = None) -> None:
        super().__init__(what)
        self.tokens, self.limit = tokens, limit


class RuleBroken(ChatError):
    """The provider would refuse the request for its shape, so it was not sent. `provider` is a key of PROVIDERS."""

    details = ("provider",)
    next_default = "Drop whole exchanges instead, or send it anyway and see what the provider says."
    retryable = False

    def __init__(self, what: str, *, provider: str | None = None) -> None:
        super().__init__(what)
        self.provider = provider


class ProviderError(ChatError):
    """The provider did not answer the request."""

    retryable = True


class MissingKey(ProviderError):
    """No API key is known for this provider."""

    next_default = "Type a key in the chat settings (it stays in this browser session), or set it in the environment."
    retryable = False


class WrongKey(ProviderError):
    """The provider refused the key."""

    next_default = "Check the key in the chat settings, then retry."
    retryable = False


class RateLimited(ProviderError):
    """Too many requests or tokens. `wait_seconds` is None if the provider did not say how long."""

    details = ("wait_seconds",)

    def __init__(self, what: str, *, wait_seconds: float | None = None) -> None:
        wait = f"Wait {wait_seconds:.0f} s, then retry." if wait_seconds else "Wait a little, then retry."
        super().__init__(what, next_step=wait)
        self.wait_seconds = wait_seconds


class ProviderUnavailable(ProviderError):
    """Not reached, timed out, or failed on the provider's side."""

    next_default = "Retry. If it keeps failing, choose another provider in the chat settings."


class InvalidRequest(ProviderError):
    """The provider refused the request for its shape, size, model name or `setting`, a field of Generation."""

    details = ("setting",)
    setting: str | None = None
    next_default = "Read the provider's message above, change the settings or your message, then retry."
    retryable = False


class ContentRefused(ProviderError):
    """The provider refused the content by its policy."""

    next_default = "Edit the message, then send it again."
    retryable = False


class Retired(ProviderError):
    """The provider switched this off for good. We know without asking, so nothing is sent."""

    safe_default = "Nothing was sent."
    next_default = "Choose another way to keep the history."
    retryable = False


class ConversationGone(ProviderError):
    """The server does not have this history: deleted, expired, never stored, or owned by another account."""

    safe_default = "What you typed is kept; only the server's copy is missing."
    next_default = "Start again on the server, or send the history from your own copy."
    retryable = False


def describe(stored: Mapping[str, Any]) -> tuple[str, str, str]:
    """What happened, what is safe and what to do next, from a stored error."""
    return str(stored.get("what", "")), str(stored.get("safe", KEPT)), str(stored.get("next_step", ""))
