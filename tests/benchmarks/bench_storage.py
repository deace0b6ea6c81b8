"""Appending to and loading a history, against the source document's GET + parse + push + SETEX. Run: python -m tests.benchmarks.bench_storage

Both go round in the same run, one after the other, so that what else the machine does falls on both alike: trust the ratios.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from lib.history.connecting import connect
from lib.history.redis import RedisHistory
from lib.messages import assistant, user
from lib.turns import ChatSettings, LiveTurn, Turn
from tests.history.servers import RedisServer

SIZES = (10, 100, 1_000, 10_000)
TTL = 86_400
TEXT = ("A sentence of ordinary length, with “quotes” and é, as people write them. " * 6)[:400]
SETTINGS = ChatSettings("openai", "model", "", 8192, 1024, "none")


def main() -> None:
    """Print the tables. Takes about half a minute."""
    server = RedisServer("--appendonly", "yes", "--appendfsync", "everysec").start()
    try:
        _report(server)
    finally:
        server.close()


def _report(server: RedisServer) -> None:
    client: Any = connect(server.url)
    rows = {size: _measure(server, client, size) for size in SIZES}
    print(f"{'':>24}" + "".join(f"{size:>22,}" for size in SIZES) + "  messages of 400 characters; ms (times faster)")
    for name in (
        "append: source",
        "append: ours",
        "turn: ours",
        "load: source",
        "load: ours, cold",
        "load: ours, warm",
    ):
        source = f"{'load' if name.startswith('load') else 'append'}: source"
        cells = (f"{rows[s][name]:10.3f} ({rows[s][source] / rows[s][name]:8.1f}x)" for s in SIZES)
        print(f"{name:>24}" + "".join(cells))
    ping = _median([client.ping], 200)[0]
    small, large = rows[SIZES[0]]["append: ours"], rows[SIZES[-1]]["append: ours"]
    print(f"append at {SIZES[-1]:,} / at {SIZES[0]}: {large / small:.2f}   / PING ({ping:.3f} ms): {large / ping:.1f}")
    client.close()


def _measure(server: RedisServer, client: Any, size: int) -> dict[str, float]:
    """Medians in ms at this size, both sides taking turns."""
    messages = [{"role": ("user", "assistant")[n % 2], "content": f"{n} {TEXT}"} for n in range(size)]
    for key in ("chat:source", "chat:ours"):
        client.set(key, json.dumps(messages, ensure_ascii=False, separators=(",", ":")), ex=TTL)
    ours = RedisHistory(connect(server.url), TTL)
    ours.load("ours")
    ours_append, ours_turn = _ours(ours)
    ours_turn()
    ours.load("ours")

    def load_source() -> Any:
        return json.loads(client.get("chat:source"))

    def append_source() -> None:
        history = load_source()
        history += [{"role": "user", "content": TEXT}, {"role": "assistant", "content": TEXT}]
        client.set("chat:source", json.dumps(history, ensure_ascii=False, separators=(",", ":")), ex=TTL)

    def load_cold() -> None:
        RedisHistory(connect_once, TTL).load("ours")

    def connect_once() -> Any:
        return client

    rounds = 15 if size >= 10_000 else 60
    names = ("append: source", "append: ours", "turn: ours", "load: source", "load: ours, cold", "load: ours, warm")
    work = (append_source, ours_append, ours_turn, load_source, load_cold, lambda: ours.load("ours"))
    found = dict(zip(names, _median(work, rounds), strict=True))
    ours.close()
    return found


def _ours(store: RedisHistory) -> tuple[Callable[[], None], Callable[[], None]]:
    """One commit (its begin is not in the time), and a whole turn: begin, beat, commit and the load after it."""
    messages = [user(TEXT), assistant(TEXT)]

    def commit(live: LiveTurn) -> None:
        turn = Turn(live.id, TEXT, TEXT, "complete", "openai", "model", "", 1.0)
        store.commit("ours", live.id, messages, turn)

    def append() -> None:
        commit(waiting.pop())

    def prepare() -> None:
        live = LiveTurn(TEXT, SETTINGS, "bench", 1.0)
        store.begin("ours", live)
        waiting.append(live)

    def turn() -> None:
        live = LiveTurn(TEXT, SETTINGS, "bench", 1.0)
        store.begin("ours", live)
        store.beat("ours", live)
        commit(live)
        store.load("ours")

    waiting: list[LiveTurn] = []
    append.prepare = prepare  # type: ignore[attr-defined]
    return append, turn


def _median(work: Sequence[Callable[[], Any]], rounds: int) -> list[float]:
    """Median ms of each, taking turns; a `prepare` beside a function runs before it and is not counted."""
    took: list[list[float]] = [[] for _ in work]
    for _ in range(rounds):
        for do, times in zip(work, took, strict=True):
            getattr(do, "prepare", lambda: None)()
            started = time.perf_counter()
            do()
            times.append((time.perf_counter() - started) * 1000)
    return [statistics.median(times) for times in took]


if __name__ == "__main__":
    main()
