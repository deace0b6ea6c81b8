"""Finds out from a provider's refusal whether it was a setting of the chat that it does not take."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lib.chat_settings import CACHE_DIAGNOSTICS
from lib.errors import InvalidRequest
from lib.generation import WORDS

SETTING_OF = {
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "random_seed": "seed",
    "max_tokens": "max_reply_tokens",
    "max_completion_tokens": "max_reply_tokens",
    "reasoning_effort": "reasoning_effort",
    "reasoning.effort": "reasoning_effort",
    "output_config": "reasoning_effort",
    "output_config.effort": "reasoning_effort",
    "stop": "stop",
    "stop_sequences": "stop",
    "diagnostics": CACHE_DIAGNOSTICS,
    "diagnostics.previous_message_id": CACHE_DIAGNOSTICS,
}
"""Fields of requests, and the setting that each one carries."""
SETTING_WORDS = {**WORDS, CACHE_DIAGNOSTICS: "cache diagnostics"}
"""What people call each setting that can be refused."""
ALSO_WORDS = ("stop", "seed", "diagnostics")
"""Fields whose names are words of everyday English: they count only where they are marked as names."""
MOST_ENTRIES = 5
"""Refused fields that are told, and parts of the name of one."""
_NAMES = "|".join(sorted(map(re.escape, SETTING_OF), key=len, reverse=True))
_MARKED = re.compile(rf"""[`'"]({_NAMES})[`'"]|^({_NAMES}):""")
_NAMED = re.compile(rf"\b({'|'.join(name for name in SETTING_OF if name not in ALSO_WORDS)})\b")


def setting_refused(label: str, words: str, details: Mapping[str, Any]) -> InvalidRequest | None:
    """The error for a refusal that names a generation setting; None if it names none.

    `details` is the provider's error object and `words` its message.
    Example: "`temperature` is deprecated for this model." -> its setting is "temperature"
    """
    param = details.get("param")
    found = _MARKED.search(words) or _NAMED.search(words)
    field = next(filter(None, found.groups()), "") if found is not None else ""
    setting = SETTING_OF.get(param) if isinstance(param, str) else None
    setting = setting or SETTING_OF.get(field)
    if setting is None:
        return None
    other = "" if setting == CACHE_DIAGNOSTICS else " or set another value"
    error = InvalidRequest(
        f"{label} refused the {SETTING_WORDS[setting]}: {words}", next_step=f"Turn it off{other}, then retry."
    )
    error.setting = setting
    return error


def refuse_unsent(provider: str, unsent: Sequence[str]) -> None:
    """Raise InvalidRequest if a generation setting is on that the protocol has no field for: it would have no effect.

    `unsent` are the names in a SentBody.
    """
    if not unsent:
        return
    error = InvalidRequest(
        f"The protocol of “{provider}” has no field for the {WORDS[unsent[0]]}, so nothing was sent.",
        next_step="Turn it off, then retry.",
    )
    error.setting = unsent[0]
    raise error


def detail_words(details: Mapping[str, Any]) -> str:
    """What a server says that lists the fields it refused, as FastAPI and Mistral do; empty if it does not.

    Example: {"detail": [{"loc": ["body", "seed"], "msg": "Not permitted"}]} -> "seed: Not permitted"
    """
    message = details.get("message")
    listed = (message if isinstance(message, Mapping) else details).get("detail")
    if isinstance(listed, str):
        return listed
    entries = [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    return "; ".join(f"{_place(entry.get('loc'))}: {entry.get('msg')}" for entry in entries[:MOST_ENTRIES])


def _place(loc: Any) -> str:
    names = [str(part) for part in loc[:MOST_ENTRIES]] if isinstance(loc, list) else []
    return ".".join(names[1:] if names[:1] == ["body"] else names) or "request"
