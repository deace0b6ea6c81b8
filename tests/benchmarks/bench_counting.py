"""Counting the tokens of a long history, against counting all of it again for every request, in the same run.

Run: python -m tests.benchmarks.bench_counting. Cold is a first request, when no text is known; warm is the next one, which
adds two messages; ledger is the same as pages do it, who hold the sums of one conversation. Trust the ratios, not the
milliseconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from lib.messages import Message, assistant, user
from lib.tokens.cache import text_counts
from lib.tokens.ledger import TokenLedger
from lib.tokens.model_counters import counter_for
from lib.tokens.vocabularies import content_tokens

SIZE = 10_000
TEXT = ("A sentence of ordinary length, with “quotes” and é, as people write them. " * 6)[:400]
MODELS = (("openai", "gpt-5.6"), ("anthropic", "claude-opus-4-6"), ("anthropic", "claude-opus-5"))


def main() -> None:
    """Print the table. Takes about a minute, most of it in Claude's cold counts."""
    print(f"{SIZE:,} messages of 400 characters, in ms")
    print(f"{'':>14}{'load':>8}{'naive':>10}{'cold':>10}{'warm':>20}{'ledger':>22}  per message")
    for kind, model in MODELS:
        report(kind, model)


def report(kind: str, model: str) -> None:
    """One tokenizer."""
    counter: Any = counter_for(kind, model)
    history = [(user, assistant)[n % 2](f"{n} {TEXT}") for n in range(SIZE)]
    text_counts.cache_clear()
    load = took(lambda: content_tokens(counter.tokenizer, "warm"))
    naive = took(lambda: [content_tokens(counter.tokenizer, message.text) for message in history])
    cold = took(lambda: counter.count_many(history))
    warm = took(lambda: counter.count_many(grown(history, "a")))
    ledger = TokenLedger(counter)
    ledger.sync(history)
    held = took(lambda: ledger.sync(grown(history, "b")))
    print(
        f"{counter.name:>14}{load:8.0f}{naive:10.1f}{cold:10.1f}{warm:10.2f} ({naive / warm:6.0f}x)"
        f"{held:10.2f} ({naive / held:8.0f}x)  {cold / SIZE * 1000:.0f} us"
    )


def grown(history: list[Message], mark: str) -> list[Message]:
    """The history with a new exchange."""
    return [*history, user(f"{mark} question {TEXT}"), assistant(f"{mark} answer {TEXT}")]


def took(work: Callable[[], Any]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
