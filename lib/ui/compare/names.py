"""What the columns are called: their letter, their model, and what tells them apart where the model is the same."""

from __future__ import annotations

from collections.abc import Sequence

from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES
from lib.ui.format import numbers

LETTERS = "ABCD"
LONGEST_PROMPT = 40
"""Characters of a system prompt in a name."""


def names(columns: Sequence[ChatSettings]) -> list[str]:
    """A name for each column, without its letter.

    Example: the same model with two strategies -> ["SmolLM2-135M, Batch", "SmolLM2-135M, Last N (1)"]
    """
    parts = [_parts(each) for each in columns]
    told_apart = [
        place for place in range(1, len(parts[0]) if parts else 0) if len({each[place] for each in parts}) > 1
    ]
    return [", ".join(filter(None, (each[0], *(each[place] for place in told_apart)))) for each in parts]


def described(settings: ChatSettings) -> str:
    """What is set, besides the model. Example: "Last N (1), window 2,048 tokens, replies up to 64, temperature 0.2"."""
    return ", ".join(filter(None, _parts(settings)[1:5]))


def whole_name(settings: ChatSettings) -> str:
    """The name under which votes are counted: the endpoint, the model and what is set."""
    return f"{settings.provider}: {settings.model}, {described(settings)}"


def strategy_name(settings: ChatSettings) -> str:
    """Example: "Last N (1)"."""
    known = STRATEGIES.get(settings.strategy)
    short = known.short if known is not None else settings.strategy
    options = {
        "sliding_window": f"{settings.last_exchanges}",
        "head_and_tail": f"first {settings.keep_first}",
        "low_water": f"down to {numbers.percent(settings.low_mark, 1)}",
        "summarize": f"down to {numbers.percent(settings.low_mark, 1)}",
    }
    return f"{short} ({options[settings.strategy]})" if settings.strategy in options else short


def _parts(settings: ChatSettings) -> list[str]:
    """The model, then everything that can tell two columns of the same model apart."""
    prompt = " ".join(settings.system_prompt.split())
    cut = prompt if len(prompt) <= LONGEST_PROMPT else prompt[: LONGEST_PROMPT - 1] + "…"
    return [
        settings.model,
        strategy_name(settings),
        f"window {settings.max_tokens:,} tokens",
        f"replies up to {settings.reply_tokens:,}",
        settings.generation.without("max_reply_tokens").summary,
        f"at {settings.provider}",
        f"“{cut}”" if cut else "no system prompt",
        f"summaries by {settings.summary_model}" if settings.summary_provider else "",
    ]
