"""What the columns' servers and settings do differently with the context: window, counter, roles, cache, reasoning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from lib.analysis.bills import cache_minimum
from lib.chat_settings import ChatSettings
from lib.pricing.model import Model
from lib.request_rules import rule
from lib.ui.compare import names, state
from lib.ui.format import numbers
from lib.ui.shell import services

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = "not known"
Fact = Callable[[ChatSettings], str]


def draw(settings: Sequence[ChatSettings]) -> None:
    """One sentence, and in a panel the table with everything that differs first."""
    panel = st.expander("How each treats the context", icon=":material/rule:", key=state.RULES, on_change="rerun")
    if not panel.open:
        return
    with panel:
        rows = [(name, [fact(each) for each in settings]) for name, fact in FACTS.items()]
        differing = [name for name, values in rows if len(set(values)) > 1]
        st.markdown(sentence(differing, len(rows)))
        st.dataframe(
            frame(rows),
            hide_index=True,
            key="compare_rules_table",
            alt="How each column treats the context, what differs first",
        )


def sentence(differing: Sequence[str], facts: int) -> str:
    """Markdown. Example: "**They differ in 2 of 13 points**: context window and prompt cache." """
    if not differing:
        return f"**They are the same in all {facts} points.**"
    listed = numbers.listed([name[0].lower() + name[1:] for name in differing])
    return f"**They differ in {len(differing)} of {facts} points**: {listed}."


def frame(rows: Sequence[tuple[str, Sequence[str]]]) -> pd.DataFrame:
    """One row per fact, one column per letter; the facts that differ come first."""
    import pandas as pd

    ordered = sorted(rows, key=lambda row: len(set(row[1])) == 1)
    letters = names.LETTERS[: len(rows[0][1])]
    return pd.DataFrame(
        [("≠" if len(set(values)) > 1 else "", name, *values) for name, values in ordered],
        columns=["", "What", *letters],
    )


def _known(settings: ChatSettings) -> Model | None:
    return services.find_model(settings.provider, settings.model)


def _own_window(settings: ChatSettings) -> str:
    model = _known(settings)
    return UNKNOWN if model is None or model.context_window is None else f"{model.context_window:,} tokens"


def _longest_reply(settings: ChatSettings) -> str:
    model = _known(settings)
    limit = f" of at most {model.max_output:,}" if model is not None and model.max_output else ""
    return f"{settings.reply_tokens:,} tokens{limit}"


def _instructions(settings: ChatSettings) -> str:
    if not settings.system_prompt.strip():
        return "none"
    anthropic = services.endpoint(settings.provider).kind == "anthropic"
    return "in a field of their own, system" if anthropic else "as the first message, role system"


def _roles(settings: ChatSettings) -> str:
    """Whether user and assistant must take turns."""
    rules = services.provider_of(settings, None).rules
    if rules is None:
        return "depends on the model's chat template"
    return "must take turns" if rule(rules, "alternation").refused else "need not take turns"


def _cache(settings: ChatSettings) -> str:
    model = _known(settings)
    if model is None:
        return UNKNOWN
    if model.vendor == "local":
        return "what the last request began with, of any length"
    return f"beginnings of at least {cache_minimum(model):,} tokens"


FACTS: dict[str, Fact] = {
    "Model": lambda settings: settings.model,
    "Server": lambda settings: services.endpoint(settings.provider).label,
    "Context window used": lambda settings: f"{settings.max_tokens:,} tokens",
    "The model's own window": _own_window,
    "Longest reply": _longest_reply,
    "When the window is full": names.strategy_name,
    "Who counts the tokens beforehand": lambda settings: numbers.by(services.counter_of(settings)),
    "Instructions": _instructions,
    "User and assistant": _roles,
    "Prompt cache": _cache,
    "Reasoning effort": lambda settings: settings.generation.reasoning_effort or "not sent",
    "Generation settings": lambda settings: settings.generation.summary or "none are sent",
    "System prompt": lambda settings: settings.system_prompt,
}
"""What is compared, and where it comes from."""
