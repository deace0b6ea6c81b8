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
├── InvalidLesson             the file of a lesson cannot be read as one
├── ForeignSession            the conversation is another library's; we only read it
├── SpendingCapReached        the request could cost more than a spending cap leaves, so it was not sent
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

from lib.errors.base import KEPT, ChatError, describe
from lib.errors.provider import (
    ContentRefused,
    ConversationGone,
    InvalidRequest,
    MissingKey,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    Retired,
    WrongKey,
)

__all__ = [
    "KEPT",
    "ChatError",
    "ContentRefused",
    "ContextOverflow",
    "ConversationGone",
    "CorruptHistory",
    "ForeignSession",
    "HistoryUnavailable",
    "ImportRefused",
    "InvalidLesson",
    "InvalidRequest",
    "InvalidSettings",
    "MissingKey",
    "NotYours",
    "ProviderError",
    "ProviderUnavailable",
    "RateLimited",
    "Retired",
    "RuleBroken",
    "SpendingCapReached",
    "Stopped",
    "TurnInProgress",
    "TurnLost",
    "WrongKey",
    "describe",
]


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


class InvalidLesson(ChatError):
    """The file of a lesson is not one. The message names the file, and each place in it that is wrong."""

    safe_default = "The other lessons can be given."
    next_default = "Correct the file, then open the page again."
    retryable = False


class ForeignSession(ChatError):
    """A write to a conversation that another library keeps. Nothing of it is ever changed."""

    safe_default = "Nothing was changed."
    next_default = "Fork it to go on."
    retryable = False

    def __init__(self, what: str = "This conversation belongs to another library; Windowseat only reads it.") -> None:
        super().__init__(what)


class SpendingCapReached(ChatError):
    """The request could cost more than a spending cap leaves."""

    next_default = "Raise the cap in the chat settings, choose a cheaper model, or reserve less for the reply."
    retryable = False


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
