"""Says what a prompt cache could reuse of a request, and why no more, from the request and the one before it.

A cache matches from the first token on, so all that matters is where the two requests first differ. Providers put tools
before the system prompt, and that before the messages. Sizes are tokens by one counter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lib.analysis.bills import cache_minimum
from lib.analysis.decisions import difference
from lib.analysis.next_cost import CACHE_SECONDS
from lib.analysis.replay import sent_ranges
from lib.analysis.requests import MessageSizes, RequestRecord, summary_of
from lib.analysis.runs import range_at
from lib.pricing.model import Model
from lib.turns import Turn

Cause = Literal[
    "first",
    "server_kept",
    "provider",
    "model",
    "tools",
    "system",
    "summary",
    "dropped",
    "inserted",
    "rewritten",
    "nothing",
]
"""What changed first. "nothing" means that messages were only appended; "first" that there is no request before it;
"server_kept" that the server holds the messages before, so the requests do not show what the model read."""

NOTHING_SHARED: tuple[Cause, ...] = ("first", "server_kept", "provider", "model", "tools", "system")
BESIDE_THE_PROMPT = (
    "tool_choice",
    "thinking",
    "output_config",
    "speed",
    "reasoning",
    "reasoning_effort",
    "response_format",
    "text",
    "verbosity",
    "prompt_cache_key",
    "service_tier",
)
"""Fields of a request beside tools, instructions and messages on which vendors say that their caches depend (the types
of the openai and anthropic SDKs, November 2026)."""


@dataclass(frozen=True, slots=True)
class CacheReading:
    """What a cache could reuse, in tokens.

    `shared` are the tokens at the beginning that equal the request before. `own_reply` are the tokens right after them
    that the server wrote itself when it answered that request. `reusable` is the most a cache can give back.
    """

    cause: Cause
    at: int | None = None
    """Stored index of the first message that differs."""
    shared: int = 0
    own_reply: int = 0
    reusable: int = 0
    minimum: int = 0
    """The shortest beginning that the provider's cache keeps, in tokens; 0 if there is none, or none is known."""
    idle_seconds: float | None = None
    """From the end of the answer before to this request, if a cache may not keep its beginning for so long."""
    fields: tuple[str, ...] = ()
    """Those of BESIDE_THE_PROMPT that differ too."""

    @property
    def too_short(self) -> bool:
        """Whether what the requests share is shorter than what the cache keeps."""
        return 0 < self.shared + self.own_reply < self.minimum


def read_cache(
    before: RequestRecord | None, now: RequestRecord, sizes: MessageSizes, model: Model | None
) -> CacheReading:
    """Compare a request with the one before it. `model` is the catalogue's entry for it, None if it has none."""
    if before is None:
        return CacheReading("first")
    cause = _before_the_messages(before, now)
    fields = _changed_fields(before.turn, now.turn)
    if cause in NOTHING_SHARED:
        return CacheReading(cause, fields=fields)
    changed = difference(before, now, sizes)
    at, own_reply = changed.broken_at, changed.own_reply
    shared = changed.reusable
    if cause == "summary":
        own_reply = 0
    else:
        rewritten = _rewritten(before, now, at)
        if rewritten is not None:
            at, cause = rewritten, "rewritten"
            shared, own_reply = _until(before, sizes, at), 0
        elif at is not None:
            cause = "dropped" if range_at(sent_ranges(now), at) is None else "inserted"
        else:
            own_reply = _unchanged_reply(before, now, sizes, own_reply)
    minimum = 0 if model is None else cache_minimum(model)
    whole = shared + own_reply
    return CacheReading(
        cause or "nothing",
        at if cause in ("dropped", "inserted", "rewritten") else None,
        shared,
        own_reply,
        whole if whole >= minimum else 0,
        minimum,
        _idle(before.turn, now.turn, model),
        fields,
    )


def _before_the_messages(before: RequestRecord, now: RequestRecord) -> Cause | None:
    """What differs ahead of the messages; None if nothing does."""
    old, new = before.turn, now.turn
    if any(reason == "server_kept" for _, _, _, reason in now.runs):
        return "server_kept"
    if old is not None and new is not None:
        if old.provider != new.provider:
            return "provider"
        if _model(old) != _model(new):
            return "model"
        if old.request.get("tools") != new.request.get("tools"):
            return "tools"
    if before.system_prompt != now.system_prompt:
        return "system"
    return None if summary_of(before) == summary_of(now) else "summary"


def _model(turn: Turn) -> str:
    """The model that was asked for: the reply may name a dated version of it."""
    return str(turn.request.get("model", turn.model))


def _changed_fields(old: Turn | None, new: Turn | None) -> tuple[str, ...]:
    was: Mapping[str, Any] = {} if old is None else old.request
    now: Mapping[str, Any] = {} if new is None else new.request
    known = old is not None and new is not None
    return tuple(name for name in BESIDE_THE_PROMPT if known and was.get(name) != now.get(name))


def _rewritten(before: RequestRecord, now: RequestRecord, broken_at: int | None) -> int | None:
    """The first message of both requests that an app wrote otherwise this time, ahead of any other difference."""
    recorded = now.turn.recorded if now.turn is not None else None
    end = before.at + 1 if broken_at is None else broken_at
    places = () if recorded is None else recorded.changed
    return min((at for at in places if at < end and range_at(sent_ranges(before), at) is not None), default=None)


def _unchanged_reply(before: RequestRecord, now: RequestRecord, sizes: MessageSizes, own_reply: int) -> int:
    """The tokens of the server's own reply up to where the app wrote it otherwise."""
    recorded = now.turn.recorded if now.turn is not None else None
    after = [at for at in (() if recorded is None else recorded.changed) if at > before.at]
    return min(own_reply, sizes.between(before.at + 1, min(after))) if after else own_reply


def _until(before: RequestRecord, sizes: MessageSizes, at: int) -> int:
    """Tokens of a request before the message at this stored index."""
    lead = sizes.system_prompt(before.system_prompt) + sizes.system_prompt(summary_of(before))
    inside = sum(sizes.between(start, min(stop, at)) for start, stop in sent_ranges(before) if start < at)
    return lead + inside


def _idle(old: Turn | None, new: Turn | None, model: Model | None) -> float | None:
    """Seconds between the two, if they are more than vendors promise to keep a beginning; a model on this machine
    keeps it as long as it has room."""
    if old is None or new is None or model is None or model.vendor == "local" or not old.started_at:
        return None
    seconds = new.started_at - old.started_at - (old.duration_ms or 0) / 1000
    return seconds if seconds >= CACHE_SECONDS else None
