"""Widgets that pick strategies and context windows to compare."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES
from lib.lab.bakeoff import MOST, Contestant
from lib.ui.components import strategy_fields
from lib.ui.trim_lab.conversation import Lab

PICKED = ("low_water", "oldest_first", "head_and_tail", "sliding_window")
"""Strategies that are picked at first."""
WINDOWS = (256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192, 16_384, 32_768, 65_536, 128_000, 200_000)
"""Context windows to choose from, in tokens."""


def pick(lab: Lab, key: str) -> list[Contestant]:
    """Let the user pick strategies and windows; returns their combinations, at most MOST. `key` tells tabs apart."""
    present = lab.settings.max_tokens
    with st.container(horizontal=True):  # beside each other where there is room
        strategies = st.pills(  # they wrap, where a multiselect would cut the names of its chips
            "Strategies",
            list(STRATEGIES),
            default=PICKED,
            selection_mode="multi",
            wrap=True,
            key=f"{key}_strategies:{lab.key}",
            format_func=lambda name: STRATEGIES[name].short,
            help=strategy_fields.NAMES_HELP,
        )
        windows = st.multiselect(
            "Windows (tokens)",
            sorted({*WINDOWS, present}),
            default=[present],
            key=f"{key}_windows:{lab.key}",
            format_func=lambda size: f"{size:,}",
            width=170,
            wrap=True,
        )
    contestants = [
        Contestant(_name(strategy, window, several_windows=len(windows) > 1), _settings(lab, strategy, window))
        for strategy in strategies
        for window in windows
    ]
    if len(contestants) > MOST:
        st.caption(f"{len(contestants)} combinations; the first {MOST} are compared.")
    return contestants[:MOST]


def _name(strategy: str, window: int, *, several_windows: bool) -> str:
    short = STRATEGIES[strategy].short
    return f"{short}, {window:,}" if several_windows else short


def _settings(lab: Lab, strategy: str, window: int) -> ChatSettings:
    """The conversation's settings with this strategy and window; at most a quarter of it is reserved for the reply."""
    reserve = min(lab.settings.reply_tokens, window // 4)
    return replace(lab.settings.in_window(window, reserve), strategy=strategy)
