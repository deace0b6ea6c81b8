"""Storing a turn and loading a history, in PINGs: against one Lua append, a plain LIST, openai-agents and the source
document.

Run: python -m tests.benchmarks.bench_storage. The peer is optional; without it its row says so:
  uv sync --group bench
A PING is one round trip and the least that anything can take. All rows take turns in the same run, on histories of the
same size, so that other work on the machine slows all of them: trust the ratios, not the microseconds. The server
writes an append-only file, as the one that the app starts.
"""

from __future__ import annotations

import asyncio
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
from tests.support.servers.redis_servers import RedisServer

SIZES = (10, 10_000)
TTL = 86_400
TEXT = ("A sentence of ordinary length, with “quotes” and é, as people write them. " * 6)[:400]
EXCHANGE = [{"role": "user", "content": TEXT}, {"role": "assistant", "content": TEXT}]
SETTINGS = ChatSettings("openai", "model", "", 8192, 1024, "none")
APPEND = """
redis.call('SETRANGE', KEYS[1], redis.call('STRLEN', KEYS[1]) - 1, ',' .. ARGV[1] .. ']')
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""
PING, COLD, PARSE = "PING", "cold load, ours", "json.loads of the same bytes"
TURN, WARM, PEER = "turn, ours: begin + commit", "warm load after it, ours", "turn, openai-agents' RedisSession"
SCRIPT, LIST, SOURCE = "append, one Lua script", "append, LIST: RPUSH + EXPIRE", "turn, source: GET, parse, SETEX"
ROWS = (PING, SCRIPT, LIST, TURN, PEER, SOURCE, WARM, COLD, PARSE)


def main() -> None:
    """Print the table. Takes about twenty seconds."""
    servers = {size: RedisServer("--appendonly", "yes", "--appendfsync", "everysec").start() for size in SIZES}
    try:
        report(asyncio.run(medians(servers)))
    finally:
        for server in servers.values():
            server.close()


def report(found: dict[int, dict[str, float]]) -> None:
    """Medians in µs and in PINGs of the same rounds."""
    print(f"{'':>36}" + "".join(f"{size:>26,}" for size in SIZES) + "  messages of 400 characters")
    for row in ROWS:
        if row in found[SIZES[0]]:
            cells = (f"{found[s][row]:11,.1f} µs {found[s][row] / found[s][PING]:7,.2f} PING" for s in SIZES)
            print(f"{row:>36}" + "".join(cells))
        else:
            print(f"{row:>36}   not installed: uv sync --group bench")
    small, large = found[SIZES[0]], found[SIZES[-1]]
    print(f"A turn of ours at {SIZES[-1]:,} takes {large[TURN] / small[TURN]:.2f} times as long as one at {SIZES[0]}.")
    print(f"A cold load of {SIZES[-1]:,} takes {large[COLD] / large[PARSE]:.2f} times json.loads of the same bytes.")


async def medians(servers: dict[int, RedisServer]) -> dict[int, dict[str, float]]:
    """Median µs of every row by size. The sizes take turns, each on its own server, so both see the same machine."""
    benches = {size: Bench(server, size) for size, server in servers.items()}
    for _ in range(30):
        for bench in benches.values():
            await bench.prepare()
        for _ in range(10):
            for bench in benches.values():
                await bench.append()
    for _ in range(30):
        for bench in benches.values():
            bench.read_whole()
    for bench in benches.values():
        await bench.close()
    return {
        size: {row: statistics.median(times) for row, times in bench.times.items()} for size, bench in benches.items()
    }


class Bench:
    """One size. Every key holds a history of this size when `prepare` returns."""

    def __init__(self, server: RedisServer, size: int) -> None:
        self.messages = [{**EXCHANGE[number % 2], "content": f"{number} {TEXT}"} for number in range(size)]
        self.value = json.dumps(self.messages, ensure_ascii=False, separators=(",", ":"))
        self.added = json.dumps(EXCHANGE, ensure_ascii=False, separators=(",", ":"))[1:-1]
        self.items = [json.dumps(message, ensure_ascii=False) for message in EXCHANGE]
        self.client: Any = connect(server.url)
        self.append_script = self.client.script_load(APPEND)
        self.ours = RedisHistory(connect(server.url), TTL)
        self.peer = peer_session(server.url)
        self.times: dict[str, list[float]] = defaultdict(list)

    async def prepare(self) -> None:
        self.client.flushdb()
        for key in ("chat:source", "chat:script", "chat:ours"):
            self.client.set(key, self.value, ex=TTL)
        self.client.rpush("list", *(json.dumps(message) for message in self.messages))
        if self.peer is not None:
            await self.peer.add_items(self.messages)
        self.turn(LiveTurn(TEXT, SETTINGS, "bench", 1.0))
        self.ours.load("ours")

    async def append(self) -> None:
        self.time(PING, self.client.ping)
        self.time(SCRIPT, lambda: self.client.evalsha(self.append_script, 1, "chat:script", self.added, TTL))
        self.time(LIST, self.push)
        live = LiveTurn(TEXT, SETTINGS, "bench", 1.0)
        self.time(TURN, lambda: self.turn(live))
        self.time(WARM, lambda: self.ours.load("ours"))
        if self.peer is not None:
            started = time.perf_counter()
            await self.peer.add_items(EXCHANGE)
            self.times[PEER].append((time.perf_counter() - started) * 1e6)

    def read_whole(self) -> None:
        self.time(SOURCE, self.source_turn)
        value = self.client.get("chat:ours")
        self.time(PARSE, lambda: json.loads(value))
        self.time(COLD, lambda: RedisHistory(self.client, TTL).load("ours"))

    def time(self, row: str, work: Callable[[], Any]) -> None:
        started = time.perf_counter()
        found = work()
        self.times[row].append((time.perf_counter() - started) * 1e6)
        del found  # freed after the clock, whatever its size

    def push(self) -> None:
        pipe = self.client.pipeline(transaction=False)
        pipe.rpush("list", *self.items)
        pipe.expire("list", TTL)
        pipe.execute()

    def source_turn(self) -> None:
        history = json.loads(self.client.get("chat:source")) + EXCHANGE
        self.client.set("chat:source", json.dumps(history, ensure_ascii=False, separators=(",", ":")), ex=TTL)

    def turn(self, live: LiveTurn) -> None:
        self.ours.begin("ours", live)
        turn = Turn(live.id, TEXT, TEXT, "complete", "openai", "model", "", 1.0)
        self.ours.commit("ours", live.id, [user(TEXT), assistant(TEXT)], turn)

    async def close(self) -> None:
        self.ours.close()
        self.client.close()
        if self.peer is not None:
            await self.peer.close()


def peer_session(url: str) -> Any:
    """openai-agents' own store, None where it is not installed."""
    try:
        from agents.extensions.memory import RedisSession
    except ImportError:
        return None
    return RedisSession.from_url("bench", url=url, ttl=TTL)


if __name__ == "__main__":
    main()
