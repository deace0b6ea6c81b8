"""The sentences about the prompt cache: our own reading, what was reported, and what the provider says.

Every number comes from the two requests or from the provider's answer; tests/ui/test_prompt_cache_words.py recomputes
them.
"""

from __future__ import annotations

from lib.analysis.next_cost import CACHE_SECONDS
from lib.analysis.prompt_cache.diagnosis import Diagnosis
from lib.analysis.prompt_cache.reading import CacheReading, Cause
from lib.messages import Usage
from lib.tokens import Provenance, provenance_label
from lib.ui.format import numbers
from lib.ui.format.text import as_label

ABOUT = 0.9
"""From this share of what could be reused, the server reused about all of it: caches keep whole blocks."""

REASONS = {
    "messages_changed": "a message before the newest one differs",
    "input_changed": "the input differs before its end",
    "context_compacted": "the context was compacted in between",
    "system_changed": "the system prompt differs",
    "tools_changed": "the tools differ",
    "model_changed": "the model or its speed differs",
    "prompt_cache_key_changed": "the prompt cache key differs",
    "text_format_changed": "the format asked for differs",
    "reasoning_effort_changed": "the reasoning effort differs",
    "verbosity_changed": "the verbosity differs",
    "service_tier_changed": "the service tier differs",
    "previous_message_not_found": "it does not have the request before any more, so this is no sign of a change",
    "comparison_response_not_found": "it does not have the request before any more, so this is no sign of a change",
    "unavailable": "it cannot tell",
}
"""What vendors' reasons mean (the types of the anthropic and openai SDKs, November 2026)."""
IN_THE_MESSAGES = ("messages_changed", "input_changed", "context_compacted")
EXPECTED: dict[Cause, tuple[str, ...]] = {
    "model": ("model_changed",),
    "tools": ("tools_changed",),
    "system": ("system_changed", *IN_THE_MESSAGES),
    "summary": ("system_changed", *IN_THE_MESSAGES),  # Anthropic is sent a summary as part of its system prompt
    "dropped": IN_THE_MESSAGES,
    "inserted": IN_THE_MESSAGES,
    "rewritten": IN_THE_MESSAGES,
}
"""The reasons of vendors that say the same as our reading."""


def our_reading(reading: CacheReading, before: str, sent: int, counted: Provenance) -> str:
    """What a cache could reuse and why no more. `before` names the request before, `sent` is this request's tokens.

    Example: "Message 41 is no longer sent, so a cache could reuse only what stands before it: the first 11 of 1,204
    tokens (counted)."
    """
    what = _what_changed(reading)
    if reading.cause in ("first", "server_kept"):
        return what
    if not reading.shared:
        return f"{what}, so a cache could reuse nothing: {_why_nothing(reading.cause)}.{_besides(reading, before)}"
    size = f"{reading.shared:,} of {sent:,} tokens ({provenance_label(counted)})"
    if reading.cause == "nothing":
        reply = f", and the reply after them, {reading.own_reply:,} more" if reading.own_reply else ""
        could = f"so a cache could reuse all that {before} sent: the first {size}{reply}"
    else:
        could = f"so a cache could reuse only what stands before it: the first {size}"
    return f"{what}, {could}.{_besides(reading, before)}"


def _what_changed(reading: CacheReading) -> str:
    number = 0 if reading.at is None else reading.at + 1
    return {
        "first": "There is no request before it to compare with.",
        "server_kept": "The server keeps the earlier messages, so the requests do not show what its cache could reuse.",
        "provider": "It went to another provider",
        "model": "The model changed",
        "tools": "The tools changed",
        "system": "The system prompt changed",
        "summary": "The summary changed",
        "dropped": f"Message {number} is no longer sent",
        "inserted": f"Message {number} is sent now and was not before",
        "rewritten": f"Your app wrote message {number} differently this time",
        "nothing": "Messages were only added at the end",
    }[reading.cause]


def _why_nothing(cause: Cause) -> str:
    if cause in ("provider", "model"):
        return f"each {cause} has its own"
    return "the tools stand before everything else" if cause == "tools" else "it matches from the first token on"


def _besides(reading: CacheReading, before: str) -> str:
    """What else keeps a cache from reusing it, as further sentences."""
    words = ""
    if reading.too_short:
        words += f" A cache keeps no beginning shorter than {reading.minimum:,} tokens here, so it could reuse nothing."
    if reading.idle_seconds is not None and reading.reusable:
        words += (
            f" {before[:1].upper()}{before[1:]} ended {numbers.duration(reading.idle_seconds)} earlier, and a cache is"
            f" only sure to keep it for {CACHE_SECONDS / 60:.0f} minutes."
        )
    if reading.fields and reading.reusable:
        names = numbers.listed([f"`{name}`" for name in reading.fields])
        words += f" {names} changed too, and a cache may depend on {'it' if len(reading.fields) == 1 else 'them'}."
    return words


def reported(usage: Usage | None, provenance: Provenance, reading: CacheReading) -> str:
    """What the server reported, beside our reading. Example: "0 of 1,204 tokens came from the cache (billed).".

    `usage` is None if the request has no record.
    """
    if usage is None:
        return "Nothing: another service sent this request, and there is no record of it."
    if usage.cached_tokens is None:
        return "Not reported: the provider did not say how many tokens came from its cache."
    whole = "" if usage.input_tokens is None else f" of {usage.input_tokens:,}"
    took = f"{usage.cached_tokens:,}{whole} tokens came from the cache ({provenance_label(provenance)})"
    return f"{took}{_compared(usage.cached_tokens, reading)}"


def _compared(cached: int, reading: CacheReading) -> str:
    """How the reported number fits our reading, as the end of a sentence and maybe another one."""
    if reading.cause == "server_kept" or (reading.cause == "first" and not cached):
        return "."
    if cached > reading.reusable:
        than = "" if reading.cause == "first" else ", more than the two requests share by our count"
        return f"{than}. A server can also reuse the beginning of an earlier request, and may count differently."
    if not reading.reusable:
        return ", as our reading says."
    if cached >= ABOUT * min(reading.shared, reading.reusable):
        return ", about all that could be."
    return ", less than could be. Caches keep only whole blocks, and only for a while."


def provider_says(said: Diagnosis, cause: Cause) -> str:
    """The provider's own explanation. Example: "`messages_changed`: a message before the newest one differs. About
    1,180 tokens missed. That agrees with our reading." """
    if said.kind == "remembered":
        return "It was asked to remember this request, so that it can compare the next one with it."
    if said.kind == "no difference":
        return "It was asked, and named no difference from the request before."
    if said.kind == "pending":
        return "It was still comparing the two requests when it answered."
    if said.kind == "unknown":
        return f"Something that is not known here: {as_label(said.unknown, 200)}"
    meaning = REASONS.get(said.reason)
    words = f"“{as_label(said.reason)}”" + (f": {meaning}" if meaning else "")
    missed = "" if said.missed is None else f" About {said.missed:,} tokens missed."
    agrees = " That agrees with our reading." if said.reason in EXPECTED.get(cause, ()) else ""
    return f"{words}.{missed}{agrees}"
