"""The errors of providers: what a server did instead of answering."""

from __future__ import annotations

from lib.errors.base import ChatError


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
    """The provider refused the request for its shape, size, model name or `setting`: see ChatSettings.sets."""

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
