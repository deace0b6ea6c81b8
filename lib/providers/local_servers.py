"""Looks for model servers on this machine: Ollama, LM Studio, llama.cpp, vLLM.

Each is asked for its list of models, in a thread of its own and within a second, so that no page waits. What answers is
offered as a provider. Nothing is sent but `GET /v1/models`, without a key, and never through a proxy.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from lib.settings import Endpoint

DEADLINE_SECONDS = 1.0
"""How long a server may take to answer."""
AGE_SECONDS = 10.0
"""How long an answer is good for before the servers are asked again."""
MOST_BYTES, MOST_MODELS, LONGEST_NAME = 1_000_000, 200, 200
"""Limits of what is read from a server, which may be anything that listens on the port."""


class LocalServers:
    """The servers that were found on this machine. One per app process; safe to share between threads."""

    def __init__(self, endpoints: Iterable[Endpoint], clock: Callable[[], float] = time.monotonic) -> None:
        self._endpoints = tuple(endpoints)
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at: float | None = None
        self._looking: threading.Thread | None = None
        self._models: Mapping[str, tuple[str, ...]] = {}

    def models(self) -> Mapping[str, tuple[str, ...]]:
        """The models of each server that answered the last time, by the endpoint's name. Does not wait; looks again in
        the background if that is a while ago."""
        with self._lock:
            old = self._looked_at is None or self._clock() - self._looked_at > AGE_SECONDS
            if old and self._looking is None and self._endpoints:
                self._begin()
            return self._models

    def look(self) -> Mapping[str, tuple[str, ...]]:
        """The same after a new look, which takes up to about DEADLINE_SECONDS."""
        with self._lock:
            looking = self._looking or self._begin()
        looking.join()
        return self._models

    def _begin(self) -> threading.Thread:
        self._looking = threading.Thread(target=self._look, daemon=True, name="local-servers")
        self._looking.start()
        return self._looking

    def _look(self) -> None:
        found: dict[str, tuple[str, ...]] = {}

        def ask(endpoint: Endpoint) -> None:
            models = models_at(endpoint.base_url or "")
            if models:
                found[endpoint.name] = models

        threads = [threading.Thread(target=ask, args=(endpoint,), daemon=True) for endpoint in self._endpoints]
        for thread in threads:
            thread.start()
        ends = time.monotonic() + DEADLINE_SECONDS
        for thread in threads:
            thread.join(max(0.0, ends - time.monotonic()))
        with self._lock:
            answered = dict(found)  # one that is late may still be adding itself
            names = [endpoint.name for endpoint in self._endpoints if endpoint.name in answered]
            self._models = {name: answered[name] for name in names}
            self._looked_at, self._looking = self._clock(), None


def models_at(url: str) -> tuple[str, ...]:
    """The chat models that the server with this base URL lists; none if it does not answer like a model server."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=DEADLINE_SECONDS)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/models", headers={"Accept": "application/json"})
        response = connection.getresponse()
        body, ends = b"", time.monotonic() + DEADLINE_SECONDS
        while len(body) <= MOST_BYTES and time.monotonic() < ends and (piece := response.read1(65_536)):
            body += piece
        if response.status != 200 or len(body) > MOST_BYTES:
            return ()
        return tuple(_names(json.loads(body)))[:MOST_MODELS]
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return ()
    finally:
        connection.close()


def _names(answer: Any) -> dict[str, None]:
    """The usable names in a list of models, in its order. Models that make embeddings cannot chat."""
    entries = answer.get("data") if isinstance(answer, dict) else None
    names = [entry.get("id") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return dict.fromkeys(
        name
        for name in names
        if isinstance(name, str)
        and 0 < len(name) <= LONGEST_NAME
        and name.isprintable()
        and "embed" not in name.lower()
    )
