"""The control: nobody keeps anything, and every turn uploads the whole transcript.

The one rule: it is the ordinary Provider with the ordinary body, behind the same protocol, so that the other approaches can be
compared with it. Its bytes are those of the body it hands over; what comes back is not counted here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from lib.messages import Message, user
from lib.providers import ChatRequest, Provider, TextDelta
from lib.server_history import Deletion, Facts, Handle, ServerTurn, ThreadSettings, Wire
from lib.server_history.http_meter import MeteredTurn
from lib.server_history.reference import MANUAL
from lib.server_history.sdk_values import exchange, prompt_of


class ManualHistory:
    """A ServerHistory without a server that keeps one. `path` is what the ledger shows of its requests."""

    def __init__(
        self, provider: Provider, model: str, settings: ThreadSettings | None = None, path: str = "/chat/completions"
    ) -> None:
        self.settings = settings or ThreadSettings()
        self._provider = provider
        self._model = model
        self._path = path

    @property
    def facts(self) -> Facts:
        """What to know about this approach."""
        return MANUAL

    def create(self, system_prompt: str) -> Handle:
        """Nothing is sent."""
        return Handle("manual", self._model, system_prompt)

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """One turn: everything said so far, and the new message."""
        sent, measured = self._provider.prepare(self._request(handle, text)), MeteredTurn()
        started, up = time.monotonic(), len(sent.data)
        for event in self._provider.stream(sent):
            if isinstance(event, TextDelta):
                yield measured.text(event.text)
                continue
            measured.wires.append(Wire("POST", self._path, up, None, 200, (time.monotonic() - started) * 1000))
            cut = event.stop_reason == "length"
            yield measured.turn(
                handle.plus(said=exchange(text, "".join(measured.pieces))),
                event.usage,
                status="incomplete" if cut else "complete",
                reason="max_output_tokens" if cut else None,
            )

    def export(self, handle: Handle) -> list[Message]:
        """The transcript itself."""
        return [*prompt_of(handle.system_prompt), *handle.copy]

    def delete(self, handle: Handle) -> Deletion:
        """Nothing to delete elsewhere."""
        return Deletion.of([])

    def count(self, handle: Handle, text: str) -> int | None:
        """By the provider's counting endpoint."""
        return self._provider.count(self._request(handle, text))

    def _request(self, handle: Handle, text: str) -> ChatRequest:
        messages = [*prompt_of(handle.system_prompt), *handle.copy, user(text)]
        return ChatRequest(handle.model, messages, self.settings.max_output_tokens)
