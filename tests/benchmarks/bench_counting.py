"""Measures how long it takes to count a long history, compared with tokenizing all of it for every request.

Run: python -m tests.benchmarks.bench_counting. "cold" is a first request, when no text is known yet. "warm" is the next
one, which adds two messages. "ledger" adds two messages as the pages do, with running sums. Compare the ratios;
milliseconds differ from machine to machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from lib.messages import Message, assistant, user
from lib.tokens.cache import shared_cache
from lib.tokens.ledger import TokenLedger
from lib.tokens.model_counters import LocalCounter, counter_for
from lib.tokens.vocabularies import content_tokens

SIZE = 10_000
TEXT = ("A sentence of ordinary length, with “quotes” and é, as people write them. " * 6)[:400]
MODELS = (("openai", "gpt-5.6"), ("anthropic", "claude-opus-4-6"), ("anthropic", "claude-opus-5"))


def main() -> None:
    """Print the table. This takes about a minute, most of it for Claude's cold counts."""
    print(f"{SIZE:,} messages of 400 characters, in ms")
    print(f"{'':>14}{'load':>8}{'naive':>10}{'cold':>10}{'warm':>20}{'ledger':>22}  per message")
    for kind, model in MODELS:
        report(kind, model)


def report(kind: str, model: str) -> None:
    """Print the row of one model's tokenizer."""
    counter = counter_for(kind, model)
    assert isinstance(counter, LocalCounter)
    history = [(user, assistant)[n % 2](f"{n} {TEXT}") for n in range(SIZE)]
    shared_cache.cache_clear()
    load = milliseconds(lambda: content_tokens(counter.tokenizer, "warm"))
    naive = milliseconds(lambda: [content_tokens(counter.tokenizer, message.text) for message in history])
    cold = milliseconds(lambda: counter.count_many(history))
    warm = milliseconds(lambda: counter.count_many(with_exchange(history, "a")))
    ledger = TokenLedger(counter)
    ledger.sync(history)
    with_ledger = milliseconds(lambda: ledger.sync(with_exchange(history, "b")))
    print(
        f"{counter.name:>14}{load:8.0f}{naive:10.1f}{cold:10.1f}{warm:10.2f} ({naive / warm:6.0f}x)"
        f"{with_ledger:10.2f} ({naive / with_ledger:8.0f}x)  {cold / SIZE * 1000:.0f} us"
    )


def with_exchange(history: list[Message], mark: str) -> list[Message]:
    """The history with one more exchange."""
    return [*history, user(f"{mark} question {TEXT}"), assistant(f"{mark} answer {TEXT}")]


def milliseconds(work: Callable[[], Any]) -> float:
    """How long the work takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
