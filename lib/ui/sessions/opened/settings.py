"""The settings that the open session is stored with, and what is kept about it besides."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES
from lib.history import About
from lib.ui.components.strategy_fields import OPTIONS
from lib.ui.format import moments, numbers
from lib.ui.format.text import as_option
from lib.ui.shell import services
from lib.ui.shell.page import Page

TEXT = 400
"""Characters of a value in the table."""


def draw(page: Page) -> None:
    """A table of names and values."""
    import pandas as pd

    st.markdown(sentence(page.about))
    values = {**settings_words(page.settings), **kept_words(page.about)}
    st.dataframe(
        pd.DataFrame({"Setting": list(values), "Value": [as_option(value, TEXT) for value in values.values()]}),
        hide_index=True,
        height="content",
        key="settings_table",
        column_config={
            "Setting": st.column_config.TextColumn(width=220),
            "Value": st.column_config.TextColumn(width="large"),
        },
        alt="The settings of this chat",
    )


def sentence(about: About) -> str:
    """Where the settings come from."""
    if not about.settings:
        return "**No settings are stored**, so the chat would go on with these. They are those of a new chat."
    return "**The chat goes on with these settings**, wherever it is opened. The sidebar of the chat page changes them."


def settings_words(settings: ChatSettings) -> Mapping[str, str]:
    """The settings by what people call them."""
    known = services.is_known(settings.provider)
    provider = services.endpoint(settings.provider).label if known else settings.provider
    strategy = STRATEGIES[settings.strategy]
    options = {
        "low_mark": ("Trim down to", f"{settings.low_mark:.0%} of the budget"),
        "keep_first": ("First exchanges to keep", f"{settings.keep_first:,}"),
        "last_exchanges": ("Last exchanges to send", f"{settings.last_exchanges:,}"),
    }
    return {
        "Provider": provider,
        "Model": settings.model,
        "System prompt": settings.system_prompt or "none",
        "Context window": f"{settings.max_tokens:,} tokens",
        "Reserved for the reply": f"{settings.reply_tokens:,} tokens",
        "Generation settings": settings.generation.summary or "none, so the model uses its own",
        "Ask why the cache missed": "yes, where the protocol has a field for it"
        if settings.cache_diagnostics
        else "no",
        "When the window is full": f"{strategy.short}: {strategy.label}",
        **dict(options[name] for name in OPTIONS.get(settings.strategy, ())),
    }


def kept_words(about: About) -> Mapping[str, str]:
    """What else is kept, without what there is nothing of."""
    words = {
        "Begun": "" if about.created_at is None else moments.moment(about.created_at),
        "Pinned exchanges": f"{len(about.pinned):,}" if about.pinned else "",
        "Muted exchanges": f"{len(about.muted):,}" if about.muted else "",
        "Summaries": f"{len(about.summaries):,}" if about.summaries else "",
        "Imports": numbers.listed([f"{each.count:,} from {each.source}" for each in about.imports]),
    }
    return {name: value for name, value in words.items() if value}
