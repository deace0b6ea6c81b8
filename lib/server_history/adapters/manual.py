"""The manual approach: no server keeps anything, and every turn uploads the whole conversation.

It sends the ordinary body through the ordinary Provider, so that the other approaches can be compared with it. Bytes up
are those of that body; bytes down are not counted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from lib.messages import user
from lib.providers import ChatRequest, Provider, Reply, TextDelta
from lib.server_history import Deletion, Handle, ServerTurn, ThreadSettings, Wire
from lib.server_history.adapters.base import Adapter
from lib.server_history.http_meter import MeteredTurn
from lib.server_history.sdk_values import exchange


class ManualHistory(Adapter):
    """A ServerHistory whose history is our own copy. `path` is the path the ledger shows for its requests."""

    approach = "manual"

    def __init__(
        self, provider: Provider, model: str, settings: ThreadSettings | None = None, path: str = "/chat/completions"
    ) -> None:
        super().__init__(model, settings)
        self._provider = provider
        self._path = path

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """One turn: the conversation so far and the new message."""
        sent, metered = self._provider.prepare(self._request(handle, text)), MeteredTurn()
        started, bytes_up = time.monotonic(), len(sent.data)
        for event in self._provider.stream(sent):
            if isinstance(event, TextDelta):
                yield metered.text(event.text)
            if not isinstance(event, Reply):
                continue
            metered.wires.append(Wire("POST", self._path, bytes_up, None, 200, (time.monotonic() - started) * 1000))
            cut_off = event.stop_reason == "length"
            yield metered.turn(
                handle.plus(messages=exchange(text, "".join(metered.pieces))),
                event.usage,
                status="incomplete" if cut_off else "complete",
                reason="max_output_tokens" if cut_off else None,
            )

    def delete(self, handle: Handle) -> Deletion:
        """There is nothing to delete on a server."""
        return Deletion.of([])

    def count(self, handle: Handle, text: str) -> int | None:
        """By the provider's counting endpoint."""
        return self._provider.count(self._request(handle, text))

    def _request(self, handle: Handle, text: str) -> ChatRequest:
        return ChatRequest(handle.model, [*self.export(handle), user(text)], self.settings.max_output_tokens)
