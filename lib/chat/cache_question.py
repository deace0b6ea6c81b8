"""Decides whether the next request asks the provider why its prompt cache missed, and which reply it names."""

from __future__ import annotations

from collections.abc import Sequence

from lib.chat_settings import ChatSettings
from lib.providers import CacheQuestion
from lib.turns import Turn

FIELD = "diagnostics"
"""The field of the request that asks."""


def cache_question(settings: ChatSettings, turns: Sequence[Turn]) -> CacheQuestion | None:
    """The question for the request after these turns; None if the setting is off.

    It names the reply of the newest turn if that turn asked the same provider too: a provider knows only requests that
    asked. Otherwise it names none, which asks the provider to remember this request.
    """
    if not settings.cache_diagnostics:
        return None
    newest = turns[-1] if turns else None
    is_known = newest is not None and newest.provider == settings.provider and FIELD in newest.request
    return CacheQuestion(newest.reply_id if newest is not None and is_known else None)
