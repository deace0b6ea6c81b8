"""What the recorder adds to the first token: the same server, asked directly and through the app's own port."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import httpx2

from tests.support.app.app_process import App
from tests.support.servers.typist import Typist

ROUNDS = 40
SIZES = {"a short request": 0, "100 messages, 50 kB": 100, "2,000 messages, 1 MB": 2_000}
PAUSES = {"one at a time": 0.8, "back to back": 0.0}
"""Seconds after each request. Without a pause, the request before is still being recorded."""


def first_token(client: httpx2.Client, base: str, messages: list[dict[str, str]]) -> float:
    """Seconds until the first bytes of the answer, which is read to its end."""
    body = {"model": "m", "stream": True, "messages": messages}
    started = time.perf_counter()
    with client.stream("POST", f"{base}/chat/completions", json=body) as response:
        pieces = response.iter_raw()
        next(pieces)
        seconds = time.perf_counter() - started
        for _ in pieces:
            pass
    return seconds


def main() -> None:
    """Print medians, their difference and their ratio, and the difference of the slowest tenth."""
    with tempfile.TemporaryDirectory(prefix="ws-") as folder, Typist(words=3, seconds_per_word=0.0) as typist:
        env = {"OPENAI_BASE_URL": typist.url, "WINDOWSEAT_RECORD": "1", "WINDOWSEAT_RECORD_TO": "openai"}
        (Path(folder) / "data").mkdir()
        with App(Path(folder) / "data", env) as app, httpx2.Client(timeout=60, trust_env=False) as client:
            print(f"\n{'First token (median ms)':<40}   direct   recorded   added   ratio   added, slowest tenth")
            for how, pause in PAUSES.items():
                for size, count in SIZES.items():
                    _row(client, f"{size}, {how}", count, (typist.url, f"{app.url}/v1"), pause)


def _row(client: httpx2.Client, name: str, count: int, bases: tuple[str, str], pause: float) -> None:
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(-2, ROUNDS):
        messages = [
            {"role": ("user", "assistant")[place % 2], "content": f"{number} {place} " + "word " * 98}
            for place in range(count)
        ]
        messages.append({"role": "user", "content": f"{number}: go on"})
        for base, taken in zip(bases, times, strict=True):
            seconds = first_token(client, base, messages)
            taken += [seconds] if number >= 0 else []  # the first ones open connections and import
        time.sleep(pause)
    direct, recorded = (statistics.median(taken) * 1000 for taken in times)
    slow_direct, slow_recorded = (statistics.quantiles(taken, n=10)[-1] * 1000 for taken in times)
    print(
        f"  {name:<38} {direct:>8.1f} {recorded:>10.1f} {recorded - direct:>7.1f} {recorded / direct:>7.2f}"
        f" {slow_recorded - slow_direct:>12.1f}"
    )


if __name__ == "__main__":
    main()
