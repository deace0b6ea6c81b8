"""The vendors' failures in our words, once.

The rule: every exception of the two SDKs leaves as a ChatError that says what the person can do, and none of them ever holds
a key. Both SDKs have the same shape of exceptions, so one translation serves both: status code first, then the provider's
code, then its words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lib.errors import (
    ChatError,
    ContentRefused,
    ContextOverflow,
    InvalidRequest,
    ProviderUnavailable,
    RateLimited,
    WrongKey,
)

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
IN_STREAM = {
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
"""The status of an error that came once the stream had begun, with the status 200."""


@contextmanager
def translated(label: str, key: str | None) -> Iterator[None]:
    """Run the body of an adapter; SDK exceptions leave as ChatError. `label` is how people call the provider."""
    try:
        yield
    except ChatError:
        raise
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise not_an_answer(label) from None
    except Exception as exc:
        # only what comes from an SDK or its HTTP client is translated; a mistake of ours stays a mistake
        if type(exc).__module__.split(".")[0] not in (
            "openai",
            "anthropic",
            "httpx2",
            "httpcore2",
            "httpx",
            "httpcore",
        ):
            raise
        raise translate(exc, label, key) from None  # the original may hold the key in its headers


def translate(exc: Exception, label: str, key: str | None) -> ChatError:
    """One SDK exception as a ChatError."""
    words = _scrubbed(_words(exc), key)
    details = _details(exc)
    code = f"{details.get('code')} {details.get('type')}"  # which of the two says it depends on the server
    status = _status(exc, details)
    if status is None:
        return _without_status(exc, label, words, details, code)
    if status not in (401, 403, 404, 429) and _is_overflow(code, words):  # a rate limit speaks of tokens, too
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
        return ProviderUnavailable(f"{label} failed on its side ({status}): {words}")
    return InvalidRequest(f"{label} refused the request ({status}): {words}")


def unfinished(label: str, *, begun: bool) -> ChatError:
    """A stream that ended without saying that the reply is complete."""
    if not begun:
        return not_an_answer(label)
    return ProviderUnavailable(f"{label} broke off in the middle of its reply.")


def not_an_answer(label: str) -> ChatError:
    """Something answered with success that does not speak the protocol: a web page, a login form, cut-off JSON."""
    return ProviderUnavailable(
        f"{label} answered, but not as a model server does.",
        next_step="Check its base URL (many servers want /v1 at its end), then retry.",
    )


def model_names(answer: Any, label: str) -> list[str]:
    """The ids in a list of models, as both vendors give it. Raises ProviderUnavailable where it is none."""
    if not isinstance(answer, Mapping) or "data" not in answer:
        raise not_an_answer(label)
    models = answer["data"] or []  # a server without models may say null
    return [str(model["id"]) for model in models if isinstance(model, Mapping) and "id" in model]


def wait_of(headers: Mapping[str, str]) -> float | None:
    """How long a rate limit asks to wait, in seconds.

    Example: wait_of({"retry-after": "12"}) -> 12.0; wait_of({"x-ratelimit-reset-requests": "1m30s"}) -> 90.0
    """
    if (milliseconds := headers.get("retry-after-ms", "")).isdigit():
        return int(milliseconds) / 1000
    asked = headers.get("retry-after", "")
    if re.fullmatch(r"\d+(\.\d+)?", asked):
        return float(asked)
    resets = [
        _span(headers[name]) for name in ("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens") if name in headers
    ]
    return max(resets) if resets else None


def _span(text: str) -> float:
    """Example: "1m30s" -> 90.0; "120ms" -> 0.12."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text))


def _rate_limited(exc: Exception, label: str, words: str, code: str) -> RateLimited:
    """Waiting helps, or only paying does."""
    if not PAYMENT_WORDS.search(f"{code} {words}"):
        return RateLimited(f"{label} asks to slow down: {words}", wait_seconds=wait_of(_headers(exc)))
    used_up = RateLimited(f"{label} says that the quota is used up: {words}")
    used_up.next_step = PAY
    return used_up


def _status(exc: Exception, details: Mapping[str, Any]) -> int | None:
    """The status of a failure; None for a connection that failed, and for words in a stream that we do not know."""
    status = getattr(exc, "status_code", None)
    if isinstance(status, int) and status >= 400:
        return status
    code = details.get("code")
    if isinstance(code, int) and 400 <= code < 600:
        return code
    return IN_STREAM.get(str(code)) or IN_STREAM.get(str(details.get("type")))


def _without_status(exc: Exception, label: str, words: str, details: Mapping[str, Any], code: str) -> ChatError:
    """Not reached, cut off, or an error inside a stream (which has no status of its own)."""
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
    """With the numbers, in the order in which each provider says them."""
    tokens, limit = details.get("n_prompt_tokens"), details.get("n_ctx")
    numbers = [
        int(number.replace(",", ""))
        for number in re.findall(r"\d[\d,]*(?= tokens| > |\)| maximum)|(?<=> )\d[\d,]*", words)
    ]
    if with_reply := re.search(r"(\d+) \+ (\d+) > (\d+)", words):  # Anthropic, when only the reply does not fit
        sent, reply, limit = map(int, with_reply.groups())
        tokens = sent + reply
    elif not isinstance(tokens, int) and len(numbers) >= 2:
        tokens, limit = max(numbers[:2]), min(numbers[:2])
    size = f"{tokens:,} tokens, and the model holds {limit:,}" if tokens and limit else "larger than the model's window"
    return ContextOverflow(f"{label} refused the request: it is {size}. ({words})", tokens=tokens, limit=limit)


def _details(exc: Exception) -> Mapping[str, Any]:
    """The provider's error object; its wrapping differs between the SDKs and servers."""
    body = getattr(exc, "body", None)
    if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping):
        inner: Mapping[str, Any] = body["error"]
        return inner
    return body if isinstance(body, Mapping) else {}


def _words(exc: Exception) -> str:
    """The provider's own words, on one line and not endless."""
    said = _details(exc).get("message") or getattr(exc, "message", None) or str(exc) or type(exc).__name__
    return " ".join(str(said).split())[:500]


def _headers(exc: Exception) -> Mapping[str, str]:
    response = getattr(exc, "response", None)
    headers: Mapping[str, str] = getattr(response, "headers", {})
    return headers


def _scrubbed(words: str, key: str | None) -> str:
    """Providers repeat keys, or parts of them, in their messages."""
    if key:
        words = words.replace(key, "(key)")
    return re.sub(r"\b(sk|pk|key)-[A-Za-z0-9_*.\-]{6,}", "(key)", words)
