"""Planning a request with every strategy at four sizes, against langchain-core's trim_messages on the same counts.

Run: python -m tests.benchmarks.bench_trimming. The peer is optional:
  uv sync --group bench
Messages are counted beforehand and the peer looks the counts up, so that only the planning is compared. Both take turns
in the same run: trust the ratios, not the microseconds.
"""
# mypy: disable-error-code="import-not-found"
# langchain-core is optional

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

from lib.context import STRATEGIES, Marks, plan_context
from lib.context.candidates import Candidates, Summary
from lib.context.plan import ContextWindow
from lib.messages import Message, assistant, user
from lib.tokens import ESTIMATE
from lib.tokens.ledger import TokenLedger

SIZES = (100, 1_000, 10_000, 100_000)
WINDOW = ContextWindow(9_000, 1_000)
TEXT = "A sentence of ordinary length, as people write them when they ask a question. " * 12
PEER = "langchain-core"


def main() -> None:
    """Print the table. Takes about half a minute."""
    peer = _peer()
    found = {size: measured(size, peer) for size in SIZES}
    print("\nPlanning, µs (how many times faster than the peer)")
    print(
        f"{'':>16}" + "".join(f"{size:>22,}" for size in SIZES) + f"  messages; budget {WINDOW.input_budget:,} tokens"
    )
    for name in found[SIZES[0]]:
        cells = []
        for size in SIZES:
            took, theirs = found[size][name], found[size].get(PEER)
            ratio = f"({theirs / took:8,.0f}x)" if theirs is not None else ""
            cells.append(f"{took:11,.1f} {ratio:>10}")
        print(f"{name:>16}" + "".join(cells))
    for name in STRATEGIES:
        print(
            f"{name:>16} at {SIZES[-1]:,}: {found[SIZES[-1]][name] / found[SIZES[0]][name]:.2f} times the same at"
            f" {SIZES[0]}"
        )
    if peer is None:
        print("langchain-core is not installed: uv sync --group bench")


def measured(size: int, peer: Any) -> dict[str, float]:
    """Median µs per planner on a history of this many messages. The first plan of each is not timed."""
    history = [message(TEXT[: 40 + 37 * n % 800]) for n in range(size // 2) for message in (user, assistant)]
    ledger = TokenLedger(ESTIMATE)
    ways: dict[str, Callable[[], object]] = {name: _ours(name, history, ledger) for name in STRATEGIES}
    if peer is not None:
        ways[PEER] = peer(history)
    took: dict[str, list[float]] = {name: [] for name in ways}
    for work in ways.values():
        work()
    gc.collect()
    for turn in range(200):
        for name, work in ways.items():
            if name == PEER and turn >= max(3, 20_000 // size):
                continue
            started = time.perf_counter()
            work()
            took[name].append((time.perf_counter() - started) * 1e6)
    return {name: statistics.median(times) for name, times in took.items()}


def _ours(strategy: str, history: list[Message], ledger: TokenLedger) -> Callable[[], object]:
    """A whole plan: gather and count the new messages, find the cut, check whether the request fits."""
    gist = Summary("gist", ((0, len(history) // 2),))

    def decide() -> bool:
        candidates = Candidates.gather("Be brief.", history, "And now?", ledger)
        return plan_context(candidates, WINDOW, strategy, Marks(summary=gist)).fits

    return decide


def _peer() -> Any:
    """A function that makes the same cut with trim_messages, for one history. None if it is not installed."""
    try:
        from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, trim_messages
    except ImportError:
        return None

    def prepared(history: list[Message]) -> Callable[[], object]:
        kinds = {"user": HumanMessage, "assistant": AIMessage}
        messages: list[Any] = [SystemMessage("Be brief.")]
        messages += [kinds[message.role](message.text) for message in history] + [HumanMessage("And now?")]
        for message in messages:
            message.additional_kwargs["tokens"] = -(-len(message.content) // 4)

        def counter(chosen: list[Any]) -> int:
            return sum(message.additional_kwargs["tokens"] for message in chosen)

        return lambda: trim_messages(
            messages,
            max_tokens=WINDOW.input_budget,
            token_counter=counter,
            strategy="last",
            include_system=True,
            start_on="human",
        )

    return prepared


if __name__ == "__main__":
    main()
