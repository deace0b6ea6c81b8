"""Translates exceptions of both vendors' SDKs into ChatErrors that say what the person can do.

Both SDKs have exceptions of the same shape, so one translation serves both: it looks at the status code first, then
at the provider's error code, then at the message. Keys are removed from every message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lib import outside_values
from lib.errors import (
    ChatError,
    ContentRefused,
    ContextOverflow,
    InvalidRequest,
    ProviderUnavailable,
    RateLimited,
    WrongKey,
)
from lib.providers.bounded_http import AnswerNotTaken
from lib.providers.refused_settings import detail_words, setting_refused

SDK_PACKAGES = ("openai", "anthropic", "httpx2", "httpcore2", "httpx", "httpcore")
OVERFLOW_CODES = ("context_length_exceeded", "exceed_context_size_error")
OVERFLOW_WORDS = re.compile(
    r"context.{0,10}(length|window|size|limit)|prompt is too long|too many (input )?tokens|exceeds the maximum number"
    r" of tokens",
    re.IGNORECASE,
)
POLICY_WORDS = re.compile(
    r"content.?(policy|filter|management)|usage polic|safety (system|reasons|guidelines)|moderation|flagged",
    re.IGNORECASE,
)
PAYMENT_WORDS = re.compile(
    r"current quota|insufficient.(quota|credit|fund|balance)|credit"
    r" balance|spend(ing)?.limit|payment.required|billing_error",
    re.IGNORECASE,
)
PAY = "Look at the plan and the credit at the provider, or choose another provider under Settings."
STATUS_IN_STREAM = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""HTTP statuses for error types that arrive inside a stream, whose own status is 200."""


LONGEST_WAIT_SECONDS = 86_400.0
"""A longer wait after a rate limit counts as not reported."""
MOST_MODELS = 5_000
"""Names that are taken from a server's list of models."""


@contextmanager
def translated(label: str, key: str | None) -> Iterator[None]:
    """Raise ChatErrors instead of SDK exceptions in this block. `label` is the provider's name on pages."""
    try:
        yield
    except ChatError:
        raise
    except AnswerNotTaken as exc:
        raise not_taken(exc, label) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise not_an_answer(label) from None
    except Exception as exc:
        if type(exc).__module__.split(".")[0] not in SDK_PACKAGES:  # our own bugs are not translated
            raise
        cause = exc.__cause__
        if isinstance(cause, AnswerNotTaken):  # the SDK took it for a broken connection
            raise not_taken(cause, label) from None
        raise translate(exc, label, key) from None  # the original may hold the key in its headers


def translate(exc: Exception, label: str, key: str | None) -> ChatError:
    """One SDK exception as a ChatError."""
    words, details = _words(exc, key), _details(exc)
    code = f"{details.get('code')} {details.get('type')}"  # servers differ in which of the two they use
    status = _status(exc, details)
    if status is None:
        return _without_status(exc, label, words, details, code)
    if status not in (401, 403, 404, 429) and _is_overflow(code, words):  # rate limits mention tokens too
        return _overflow(label, words, details)
    if "content_filter" in code or (status in (400, 403) and POLICY_WORDS.search(f"{code} {words}")):
        return ContentRefused(f"{label} refused the content: {words}")
    if status in (401, 403):
        return WrongKey(f"{label} refused the key: {words}")
    if status == 429:
        return _rate_limited(exc, label, words, code)
    if status == 402 or PAYMENT_WORDS.search(f"{code} {words}"):
        return InvalidRequest(f"{label} asks for payment: {words}", next_step=PAY)
    if status == 404:
        return InvalidRequest(f"{label} does not know this model or address: {words}")
    if status >= 500 or status in (408, 409):
        return ProviderUnavailable(_sentence(f"{label} failed on its side ({status})", words, status))
    refused = InvalidRequest(_sentence(f"{label} refused the request ({status})", words, status))
    return setting_refused(label, words, details) or refused


def _sentence(what: str, words: str, status: int) -> str:
    """What happened, with the provider's words if it gave any: the SDKs say "Error code: 500" where it did not."""
    words = words.removeprefix(f"Error code: {status}").lstrip(" -")
    return f"{what}: {words}" if words not in ("", "{}", "None") else f"{what}."


def unfinished(label: str, *, begun: bool) -> ChatError:
    """The error for a stream that ended before the reply was complete; `begun` is False if nothing arrived."""
    if not begun:
        return not_an_answer(label)
    return ProviderUnavailable(f"{label} broke off in the middle of its reply.")


def not_taken(exc: AnswerNotTaken, label: str) -> ChatError:
    """The error for an answer that we do not read or follow (see lib/providers/bounded_http.py)."""
    return ProviderUnavailable(f"{label} {exc.what}", next_step=exc.next_step)


def not_an_answer(label: str) -> ChatError:
    """The error for a successful answer that is not in the protocol: a web page, a login form, incomplete JSON."""
    return ProviderUnavailable(
        f"{label} answered, but not as a model server does.",
        next_step="Check its base URL (many servers need /v1 at the end), then retry.",
    )


def model_names(answer: Any, label: str) -> list[str]:
    """The ids in a list of models, in the shape of both vendors. Raises ProviderUnavailable for anything else."""
    if not isinstance(answer, Mapping) or "data" not in answer:
        raise not_an_answer(label)
    models = answer["data"] or []  # some servers without models send null
    if not isinstance(models, list):
        raise not_an_answer(label)
    names = (outside_values.word(model.get("id")) for model in models[:MOST_MODELS] if isinstance(model, Mapping))
    return [name for name in names if name is not None]


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """The seconds to wait after a rate limit; None if the headers do not say, or say more than a day.

    Example: {"retry-after": "12"} -> 12.0; {"x-ratelimit-reset-requests": "1m30s"} -> 90.0
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", headers.get(name, "")):
            return _wait(float(headers[name]) * unit)
    resets = [
        _seconds(headers[name])
        for name in ("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens")
        if name in headers
    ]
    return _wait(max(resets)) if resets else None


def _wait(seconds: float) -> float | None:
    """The seconds themselves, or None if nobody would wait that long."""
    return seconds if 0 <= seconds <= LONGEST_WAIT_SECONDS else None


def _seconds(duration: str) -> float:
    """Example: "1m30s" -> 90.0; "120ms" -> 0.12."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    found = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", duration)
    return sum(float(number) * units[unit] for number, unit in found)


def _rate_limited(exc: Exception, label: str, words: str, code: str) -> RateLimited:
    """The error for status 429: wait, or pay if the quota is used up."""
    if not PAYMENT_WORDS.search(f"{code} {words}"):
        return RateLimited(f"{label} rate limit reached: {words}", wait_seconds=retry_after_seconds(_headers(exc)))
    error = RateLimited(f"{label} says that the quota is used up: {words}")
    error.next_step = PAY
    return error


def _status(exc: Exception, details: Mapping[str, Any]) -> int | None:
    """The HTTP status of a failure; None if the connection failed, or if an error in a stream has an unknown type."""
    status = getattr(exc, "status_code", None)
    if isinstance(status, int) and status >= 400:
        return status
    code = details.get("code")
    if isinstance(code, int) and 400 <= code < 600:
        return code
    return STATUS_IN_STREAM.get(str(code)) or STATUS_IN_STREAM.get(str(details.get("type")))


def _without_status(exc: Exception, label: str, words: str, details: Mapping[str, Any], code: str) -> ChatError:
    """The error for a failed or broken connection, or for an unknown error inside a stream."""
    if _is_overflow(code, words):
        return _overflow(label, words, details)
    name = type(exc).__name__
    if "Timeout" in name:
        return ProviderUnavailable(f"{label} did not answer in time.")
    if "Connect" in name or not details:
        return ProviderUnavailable(f"{label} cannot be reached, or the connection broke: {words}")
    return ProviderUnavailable(f"{label} stopped with an error: {words}")


def _is_overflow(code: str, words: str) -> bool:
    return any(known in code for known in OVERFLOW_CODES) or bool(OVERFLOW_WORDS.search(words))


def _overflow(label: str, words: str, details: Mapping[str, Any]) -> ContextOverflow:
    """The error for a request that is too large, with the token counts that the message gives."""
    tokens, limit = (outside_values.count(details.get(name)) for name in ("n_prompt_tokens", "n_ctx"))
    numbers = [
        int(number.replace(",", ""))
        for number in re.findall(r"\d[\d,]{0,15}(?= tokens| > |\)| maximum)|(?<=> )\d[\d,]{0,15}", words)
    ]
    # Anthropic, if only the reply does not fit
    if with_reply := re.search(r"(\d{1,15}) \+ (\d{1,15}) > (\d{1,15})", words):
        request_tokens, reply_tokens, limit = map(int, with_reply.groups())
        tokens = request_tokens + reply_tokens
    elif tokens is None and len(numbers) >= 2:
        tokens, limit = max(numbers[:2]), min(numbers[:2])
    size = f"{tokens:,} tokens, and the model holds {limit:,}" if tokens and limit else "larger than the model's window"
    return ContextOverflow(f"{label} refused the request: it is {size}. ({words})", tokens=tokens, limit=limit)


def _details(exc: Exception) -> Mapping[str, Any]:
    """The provider's error object. SDKs and servers wrap it differently."""
    body = getattr(exc, "body", None)
    if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping):
        inner: Mapping[str, Any] = body["error"]
        return inner
    return body if isinstance(body, Mapping) else {}


def _words(exc: Exception, key: str | None) -> str:
    """The provider's own message without keys, on one line of at most 500 characters."""
    message = _details(exc).get("message")
    if not isinstance(message, str) or not message.strip():
        message = detail_words(_details(exc)) or getattr(exc, "message", None) or str(exc) or type(exc).__name__
    message = _without_keys(str(message)[:20_000], key)  # before it is cut: the beginning of a key would not be found
    return " ".join(message[:5000].split())[:500]


def _headers(exc: Exception) -> Mapping[str, str]:
    response = getattr(exc, "response", None)
    headers: Mapping[str, str] = getattr(response, "headers", {})
    return headers


def _without_keys(words: str, key: str | None) -> str:
    """The message without keys: providers repeat them, or parts of them."""
    if key:
        words = words.replace(key, "(key)")
    return re.sub(r"\b(sk|pk|key)-[A-Za-z0-9_*.\-]{6,}", "(key)", words)
