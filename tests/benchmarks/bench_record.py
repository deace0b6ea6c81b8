"""What the recorder adds to the first token: the same server, asked directly and through the app's own port."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import httpx2

from tests.support.app.app_process import App
from tests.support.servers.typist import Typist

ROUNDS = 200
SIZES = {"a short request": 1, "100 messages, 50 kB": 100, "2,000 messages, 1 MB": 2_000}


def first_token(client: httpx2.Client, url: str, body: dict[str, object]) -> float:
    """Seconds until the first bytes of the answer, which is read to its end."""
    started = time.perf_counter()
    with client.stream("POST", url, json=body) as response:
        pieces = response.iter_raw()
        next(pieces)
        seconds = time.perf_counter() - started
        for _ in pieces:
            pass
    return seconds


def main() -> None:
    """Print medians, their difference and their ratio, and the difference of the slowest twentieth."""
    with tempfile.TemporaryDirectory(prefix="ws-") as folder, Typist(words=3, seconds_per_word=0.0) as typist:
        env = {"OPENAI_BASE_URL": typist.url, "WINDOWSEAT_RECORD": "1", "WINDOWSEAT_RECORD_TO": "openai"}
        (Path(folder) / "data").mkdir()
        with App(Path(folder) / "data", env) as app, httpx2.Client(timeout=60, trust_env=False) as client:
            print("\nFirst token (median ms)            direct   recorded   added   ratio   added, slowest 5 %")
            for name, count in SIZES.items():
                _row(client, name, count, typist.url, f"{app.url}/v1")


def _row(client: httpx2.Client, name: str, count: int, direct: str, recorded: str) -> None:
    times: dict[str, list[float]] = {direct: [], recorded: []}
    for number in range(ROUNDS if count < 1000 else ROUNDS // 4):
        messages = [
            {"role": ("user", "assistant")[place % 2], "content": f"{number} {place} " + "word " * 98}
            for place in range(count)
        ]
        messages.append({"role": "user", "content": f"{number}: go on"})
        for base, taken in times.items():
            taken.append(
                first_token(client, f"{base}/chat/completions", {"model": "m", "stream": True, "messages": messages})
            )
    before, after = times.values()
    one, other = statistics.median(before) * 1000, statistics.median(after) * 1000
    slow = (statistics.quantiles(after, n=20)[-1] - statistics.quantiles(before, n=20)[-1]) * 1000
    print(f"  {name:<30} {one:>8.1f} {other:>10.1f} {other - one:>7.1f} {other / one:>7.2f} {slow:>10.1f}")


if __name__ == "__main__":
    main()
