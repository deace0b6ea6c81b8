"""Appending to and loading a history, against the source document's GET + parse + push + SETEX, both here in Python.

Run: python -m tests.benchmarks.bench_storage. Both take turns in the same run, on histories of the same size that are set
afresh in every round, so that what else the machine does falls on both alike: trust the ratios, not the milliseconds.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from lib.chat_settings import ChatSettings
from lib.history.client import connect
from lib.history.redis import RedisHistory
from lib.messages import assistant, user
from lib.turns import LiveTurn, Turn
from tests.support.redis_servers import RedisServer

SIZES = (10, 100, 1_000, 10_000)
TTL = 86_400
TEXT = ("A sentence of ordinary length, with “quotes” and é, as people write them. " * 6)[:400]
SETTINGS = ChatSettings("openai", "model", "", 8192, 1024, "none")
COMPARED = {
    "append: source": "append: source",
    "append: ours": "append: source",
    "load: source": "load: source",
    "load: ours, cold": "load: source",
    "load: ours, warm": "load: source",
    "request: source": "request: source",
    "request: ours": "request: source",
}
"""Each row, and the row it is compared with. A request is all a message costs: load and append; for ours load, begin, one
heartbeat and commit, which is more than the source does."""


def main() -> None:
    """Print the table. Takes about ten seconds."""
    server = RedisServer("--appendonly", "yes", "--appendfsync", "everysec").start()
    try:
        report({size: Round(server, size).medians(12 if size >= 10_000 else 60) for size in SIZES})
    finally:
        server.close()


def report(found: dict[int, dict[str, float]]) -> None:
    """Medians in ms, and how many times faster than the source's way."""
    print(f"{'':>18}" + "".join(f"{size:>22,}" for size in SIZES) + "  messages of 400 characters")
    for name, against in COMPARED.items():
        cells = (f"{found[s][name]:9.3f} ms ({found[s][against] / found[s][name]:6.1f}x)" for s in SIZES)
        print(f"{name:>18}" + "".join(cells))
    small, large = found[SIZES[0]], found[SIZES[-1]]
    for name in ("append: ours", "load: ours, warm", "request: ours"):
        growth, pings = large[name] / small[name], large[name] / large["ping"]
        print(f"{name} at {SIZES[-1]:,}: {growth:.2f} times the same at {SIZES[0]}, {pings:.1f} times a PING")


class Round:
    """One size; `medians` repeats what is measured."""

    def __init__(self, server: RedisServer, size: int) -> None:
        messages = [{"role": ("user", "assistant")[n % 2], "content": f"{n} {TEXT}"} for n in range(size)]
        self.value = json.dumps(messages, ensure_ascii=False, separators=(",", ":"))
        self.client: Any = connect(server.url)
        self.ours = RedisHistory(connect(server.url), TTL)
        self.took: dict[str, list[float]] = defaultdict(list)

    def medians(self, rounds: int) -> dict[str, float]:
        for _ in range(rounds):
            self.play()
        self.ours.close()
        self.client.close()
        return {name: statistics.median(times) for name, times in self.took.items()}

    def play(self) -> None:
        self.ours.clear("ours")
        for key in ("chat:source", "chat:ours"):
            self.client.set(key, self.value, ex=TTL)
        live = self.begun()
        self.ours.load("ours")
        self.time("ping", self.client.ping)
        self.time("append: source", self.append_source)
        self.time("append: ours", lambda: self.commit(live))
        self.time("load: source", self.load_source)
        self.time("load: ours, warm", lambda: self.ours.load("ours"))
        cold = RedisHistory(self.client, TTL)
        self.time("load: ours, cold", lambda: cold.load("ours"))
        self.time("request: source", self.append_source)
        self.time("request: ours", self.request)

    def time(self, name: str, work: Callable[[], Any]) -> None:
        started = time.perf_counter()
        work()
        self.took[name].append((time.perf_counter() - started) * 1000)

    def load_source(self) -> Any:
        return json.loads(self.client.get("chat:source"))

    def append_source(self) -> None:
        history = self.load_source()
        history += [{"role": "user", "content": TEXT}, {"role": "assistant", "content": TEXT}]
        self.client.set("chat:source", json.dumps(history, ensure_ascii=False, separators=(",", ":")), ex=TTL)

    def begun(self) -> LiveTurn:
        live = LiveTurn(TEXT, SETTINGS, "bench", 1.0)
        self.ours.begin("ours", live)
        return live

    def commit(self, live: LiveTurn) -> None:
        turn = Turn(live.id, TEXT, TEXT, "complete", "openai", "model", "", 1.0)
        self.ours.commit("ours", live.id, [user(TEXT), assistant(TEXT)], turn)

    def request(self) -> None:
        live = self.begun()
        self.ours.load("ours")
        self.ours.heartbeat("ours", live)
        self.commit(live)


if __name__ == "__main__":
    main()
