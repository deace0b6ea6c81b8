"""The list of sessions with 100,000 of them, in PINGs: pages, filters, search, one person's list, and the short list.

Run: python -m tests.benchmarks.bench_sessions. A PING is one round trip and the least that anything can take. All rows
take turns in the same run, so that other work on the machine slows all of them: trust the ratios. A second server with
1,000 sessions shows what grows.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lib.history import Recording
from lib.history.client import connect
from lib.history.redis import RedisHistory
from lib.history.sessions import SessionPage, SessionQuery
from lib.messages import Message, Usage, assistant, user
from lib.turns import PlanSummary, Turn
from tests.support.servers.redis_servers import SETTINGS, RedisServer

SIZES = (1_000, 100_000)
TTL = 7 * 86_400
TEXT = ("A sentence of ordinary length, with “quotes” and é, as people write them. " * 4)[:280]
OWN = 200
"""Sessions of one person among all the others."""
RARE = 5_000
"""One session in so many has another model, and a word that the others do not have."""
ROUNDS = 30
PING, FIRST, SECOND, DEEP = "PING", "first page of 50", "second page", "a page at the end"
OWNED, AGED, MODEL = "first page of one person", "first page of those older than a day", "filter: a rare model"
FOUND, MISSING = "search: a word of every session", "search: a rare word, until it stops"
ONE, PINNED, GONE, SHORT = "one row", "pinned sessions", "gone", "the sidebar's eight"
ROWS = (PING, FIRST, SECOND, DEEP, OWNED, AGED, MODEL, FOUND, MISSING, ONE, PINNED, GONE, SHORT)


def main() -> None:
    """Print the table. Takes about two minutes, most of them to store the sessions."""
    servers = {size: RedisServer("--appendonly", "yes", "--appendfsync", "everysec").start() for size in SIZES}
    try:
        benches = {size: Bench(server, size) for size, server in servers.items()}
        for _ in range(ROUNDS):
            for bench in benches.values():
                bench.round()
        report(benches)
        for bench in benches.values():
            bench.close()
    finally:
        for server in servers.values():
            server.close()


def report(benches: dict[int, Bench]) -> None:
    """Medians in µs and in PINGs of the same rounds."""
    print(f"{'':>38}" + "".join(f"{size:>28,}" for size in SIZES) + "  sessions")
    for row in ROWS:
        cells = []
        for bench in benches.values():
            middle, ping = (statistics.median(bench.times[name]) for name in (row, PING))
            cells.append(f"{middle:13,.0f} µs {middle / ping:7,.1f} PING")
        print(f"{row:>38}" + "".join(cells))
    large = benches[SIZES[-1]]
    searched = large.pages[MISSING]
    print(f"A search that finds nothing stops after {searched.looked_at:,} of {searched.total:,} sessions.")
    deep, first = (statistics.median(large.times[name]) for name in (DEEP, FIRST))
    print(f"The page at the end takes {deep / first:.2f} times as long as the first. Storing: {large.stored:.0f} s.")


class Bench:
    """A server with so many sessions."""

    def __init__(self, server: RedisServer, size: int) -> None:
        self.client: Any = connect(server.url)
        self.store = RedisHistory(connect(server.url), TTL)
        self.size = size
        self.times: dict[str, list[float]] = defaultdict(list)
        self.pages: dict[str, SessionPage] = {}
        started = time.perf_counter()
        for number in range(size):
            self.add(number)
        self.stored = time.perf_counter() - started
        first = self.store.find(SessionQuery())
        self.second, self.deep = first.next_cursor, self.last_cursor()

    def add(self, number: int) -> None:
        """Store a session of two turns."""
        rare, name = number % RARE == RARE // 2, f"{number:06d}"
        turns = [turn(place, "rare-model" if rare else "model") for place in (1, 2)]
        words: list[Message] = [user(f"{number} {TEXT}"), assistant("a zyzzyva" if rare else TEXT)] * 2
        if number % (self.size // OWN) == 0:
            self.store.claim(name, "me")
        else:
            self.store.claim(name, f"person-{number % 997}")
        self.store.restore(name, Recording(f"Session {number}", words, turns, SETTINGS.to_dict(), "the benchmark"))
        if number % (self.size // 10) == 1:
            self.store.pin_session(name, True)

    def last_cursor(self) -> str:
        """The cursor behind which the last page stands."""
        cursor, seen = None, 0
        while seen < self.size - 50:
            page = self.store.find(SessionQuery(), cursor, min(1_000, self.size - 50 - seen))
            cursor, seen = page.next_cursor, seen + len(page.rows)
            assert cursor is not None
        assert cursor is not None
        return cursor

    def round(self) -> None:
        find = self.store.find
        self.time(PING, self.client.ping)
        self.page(FIRST, lambda: find(SessionQuery()), 50)
        self.page(SECOND, lambda: find(SessionQuery(), self.second), 50)
        self.page(DEEP, lambda: find(SessionQuery(), self.deep), 50)
        self.page(OWNED, lambda: find(SessionQuery(owner="me")), 50)
        self.page(AGED, lambda: find(SessionQuery(older_than=0.1)), 50)
        self.page(FOUND, lambda: find(SessionQuery(text="ordinary LENGTH")), 50)
        if len(self.times[MODEL]) < 5:
            self.page(MODEL, lambda: find(SessionQuery(model="rare-model")))
            self.page(MISSING, lambda: find(SessionQuery(text="nowhere to be found")), 0)
        self.time(ONE, lambda: self.store.row("000042"))
        self.time(PINNED, self.store.pinned_sessions)
        self.time(GONE, lambda: self.store.gone("never"))
        self.time(SHORT, lambda: self.store.sessions(8))

    def page(self, row: str, find: Callable[[], SessionPage], expected: int | None = None) -> None:
        self.pages[row] = self.time(row, find)
        assert expected is None or len(self.pages[row].rows) == expected, (row, len(self.pages[row].rows))

    def time(self, row: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        found = work()
        self.times[row].append((time.perf_counter() - started) * 1e6)
        return found

    def close(self) -> None:
        self.store.close()
        self.client.close()


def turn(number: int, model: str) -> Turn:
    """A turn with a plan and reported usage."""
    plan = PlanSummary(((0, 1, True, "fits"),), 0, 1, 0, 90, 3, 8192, 1024, "none", "characters / 4", "estimated", True)
    usage = Usage(input_tokens=90, cached_tokens=30, output_tokens=60)
    done = Turn(f"{number}", TEXT, TEXT, "complete", "openai", model, "", 1.0, plan, usage=usage)
    return replace(done, request={"model": model, "stream": True})


if __name__ == "__main__":
    main()
