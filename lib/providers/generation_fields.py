"""What the generation settings are called in each protocol. The names are those of the vendors' SDKs, openai 3 and
anthropic 2.

The longest reply is not here: every request has one, and the provider writes it. A request ends with these fields, so
that a turn's record, which keeps fields in their order, can be written as the same bytes again.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from lib.generation import Generation
from lib.messages import utf8_safe
from lib.providers import CacheQuestion

ANTHROPIC_VERSION = "2026-10-21"
"""The version of Anthropic's API that the installed SDK asks for."""


def chat_fields(generation: Generation, url: str | None = None) -> dict[str, Any]:
    """Fields of a Chat Completions request to the server with this base URL.

    Example: chat_fields(Generation(seed=7)) -> {"seed": 7}; for Mistral {"random_seed": 7}
    """
    seed = "random_seed" if is_mistral(url) else "seed"
    return _present(
        temperature=generation.temperature,
        top_p=generation.top_p,
        **{seed: generation.seed},
        reasoning_effort=generation.reasoning_effort,
        stop=_texts(generation),
    )


def messages_unsent(url: str | None) -> tuple[str, ...]:
    """Settings that are not sent in Anthropic's protocol to the server with this base URL; None is Anthropic's own.

    The protocol has no seed. Its version 2026-10-21 has no temperature and no top-p either: Anthropic answers both with
    status 400. Other servers may still take them.
    """
    own = f".{urlsplit(url or 'https://api.anthropic.com').hostname}".endswith(".anthropic.com")
    return ("temperature", "top_p", "seed") if own else ("seed",)


def messages_fields(generation: Generation, url: str | None = None) -> dict[str, Any]:
    """Fields of a request in Anthropic's protocol."""
    effort, unsent = generation.reasoning_effort, messages_unsent(url)
    return _present(
        temperature=None if "temperature" in unsent else generation.temperature,
        top_p=None if "top_p" in unsent else generation.top_p,
        output_config=None if effort is None else {"effort": effort},
        stop_sequences=_texts(generation),
    )


def diagnostics_field(question: CacheQuestion | None) -> dict[str, Any]:
    """The field of Anthropic's protocol that asks why its prompt cache missed.

    Anthropic compares with requests that had the field themselves, so the first one has it with null. Chat Completions
    has no such field: of OpenAI's protocols only Responses has one.
    """
    return {} if question is None else {"diagnostics": {"previous_message_id": question.previous_reply}}


def is_mistral(url: str | None) -> bool:
    """Whether this base URL is Mistral's, which has another name for the seed and refuses fields it does not know."""
    return f".{urlsplit(url or '').hostname}".endswith(".mistral.ai")


def _texts(generation: Generation) -> list[str] | None:
    return [utf8_safe(text) for text in generation.stop] or None


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
