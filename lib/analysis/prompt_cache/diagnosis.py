"""Reads what a provider said about its prompt cache, where it was asked.

Anthropic's shape is that of `diagnostics` in its Messages protocol, OpenAI's that of `prompt_cache_diagnostics` in the
Responses protocol (anthropic 2.14, openai 3.57). Anything else is kept and shown as it came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib import outside_values
from lib.turns import Turn

SHOWN = 200
"""Characters of an answer that is not understood."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a provider said. Without a `reason`, `kind` and `unknown` say what came instead."""

    kind: str
    """"missed", "no difference", "pending", "remembered" (it was asked to remember this request), or "unknown"."""
    reason: str = ""
    """The provider's own word. Example: "messages_changed"."""
    missed: int | None = None
    """Tokens that it could not reuse, as the provider estimates; None if it gives no number."""
    unknown: str = ""
    """The beginning of an answer that is not understood, as JSON."""


def diagnosis_of(turn: Turn) -> Diagnosis | None:
    """What the provider said about this turn's request; None if it was not asked and said nothing."""
    if turn.cache_diagnosis:
        return _read(turn.cache_diagnosis)
    asked, previous = _asked(turn.request)
    if not asked:
        return None
    return Diagnosis("no difference" if previous else "remembered")


def _asked(request: Mapping[str, Any]) -> tuple[bool, Any]:
    """Whether a request asks, and the reply that it names."""
    for field, name in (("diagnostics", "previous_message_id"), ("prompt_cache_options", "comparison_response_id")):
        value = request.get(field)
        if isinstance(value, Mapping) and name in value:
            return True, value[name]
    return False, None


def _read(said: Mapping[str, Any]) -> Diagnosis:
    if set(said) == {"cache_miss_reason"}:
        inner = said["cache_miss_reason"]
        if inner is None:
            return Diagnosis("pending")
        named = inner if isinstance(inner, Mapping) else {}
        reason, tokens = named.get("type"), named.get("cache_missed_input_tokens")
    else:
        kind = said.get("type")
        if kind == "cache_hit":
            return Diagnosis("no difference")
        reason, tokens = said.get("reason") if kind == "cache_miss" else kind, said.get("cache_missed_tokens")
    word = outside_values.word(reason)
    if word is None:
        return Diagnosis("unknown", unknown=json.dumps(dict(said), ensure_ascii=False)[:SHOWN])
    return Diagnosis("missed", word, outside_values.count(tokens))
