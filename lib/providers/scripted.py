"""ScriptedProvider, the test double: it plays scripted replies in order and records the requests.

A request without a script raises AssertionError.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lib.messages import Usage
from lib.providers import ChatRequest, ReasoningDelta, Reply, SentBody, StreamEvent, TextDelta
from lib.providers.export import Address
from lib.providers.wire_format import utf8_safe_value
from lib.request_rules import RuleProvider
from lib.tokens import TokenCounter


@dataclass(slots=True)
class Script:
    """One reply: its pieces, an error to raise after them, and a semaphore to acquire before each piece and the end."""

    pieces: Sequence[str]
    error: Exception | None = None
    gate: threading.Semaphore | None = None
    usage: Usage = field(default_factory=Usage)
    stop_reason: str | None = "end"
    reasoning: Sequence[str] = ()
    """Pieces of reasoning before the reply."""


class ScriptedProvider:
    """A Provider that plays scripts in order.

    `requests` and `bodies` hold what was sent; `closed` counts the streams that were closed early.
    """

    name = "scripted"
    rules: RuleProvider | None = None

    def __init__(self, *scripts: Script) -> None:
        self._scripts = deque(scripts)
        self.requests: list[ChatRequest] = []
        self.bodies: list[bytes] = []
        self.closed = 0
        self.own_counter: TokenCounter | None = None

    def enqueue(self, script: Script) -> None:
        """Add one more script."""
        self._scripts.append(script)

    def prepare(self, request: ChatRequest) -> SentBody:
        """A body in the shape of Chat Completions, with every stored field of each message."""
        messages = [message.to_dict() for message in request.messages]
        body = {"model": request.model, "messages": messages, "max_tokens": request.max_output_tokens}
        return SentBody.of(request, utf8_safe_value(body))

    def address(self) -> Address:
        """An address where no server listens."""
        return Address("http://127.0.0.1:9/v1/chat/completions", "Authorization: Bearer ", "SCRIPTED_KEY")

    def stream(self, sent: SentBody) -> Iterator[StreamEvent]:
        """Play the next script."""
        self.requests.append(sent.request)
        self.bodies.append(sent.data)
        if not self._scripts:
            raise AssertionError(f"request number {len(self.requests)} has no script")
        script = self._scripts.popleft()
        try:
            yield from map(ReasoningDelta, script.reasoning)
            for piece in script.pieces:
                if script.gate is not None:
                    script.gate.acquire(timeout=30)
                yield TextDelta(piece)
            if script.gate is not None:
                script.gate.acquire(timeout=30)
        except GeneratorExit:
            self.closed += 1
            raise
        if script.error is not None:
            raise script.error
        yield Reply(
            "".join(script.pieces),
            script.usage,
            sent.request.model,
            script.stop_reason,
            "scripted-1",
            reasoning="".join(script.reasoning),
        )

    def models(self) -> list[str]:
        """The one model name it lists."""
        return ["scripted-1"]

    def count(self, request: ChatRequest) -> int | None:
        """None: it has no counting endpoint."""
        return None

    def counter(self) -> TokenCounter | None:
        """The counter that the test set, or None."""
        return self.own_counter
