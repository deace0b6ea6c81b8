"""RecordingModel: the embedded model behind a server under test, made to answer briefly.

It records what it was asked to read, so that a server that reports no usage, or a wrong one, can still be checked.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from lib.providers.llama.process import LocalModel
from tests.support.servers.local_server import Handler, LocalServer

SHORT_REPLY = {"temperature": 0, "repeat_penalty": 1.1, "max_tokens": 16}


class RecordingModel(LocalServer):
    """Forwards Chat Completions to the model. `tokens_read` holds the tokens of every request, by the model's own
    count."""

    def __init__(self, model: LocalModel) -> None:
        self.tokens_read: list[int] = []
        self._address = model.ensure()
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        """The base URL, ending in /v1."""
        return f"{self.origin}/v1"

    def forward(self, path: str, body: dict[str, Any] | None) -> tuple[int, str, bytes]:
        """The model's response to a POST of `body`, else to a GET: status, content type, body."""
        headers = {"Authorization": f"Bearer {self._address.key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._address.url}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return response.status, response.headers["Content-Type"], response.read()
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, exc.headers["Content-Type"], exc.read()

    def count(self, messages: list[dict[str, Any]]) -> int:
        """Tokens of these messages by the model's own tokenizer and template."""
        _, _, answer = self.forward("/v1/chat/completions/input_tokens", {"messages": messages})
        return int(json.loads(answer)["input_tokens"])

    def _handler(self) -> type[Handler]:
        model = self

        class ForwardingHandler(Handler):
            def serve(self) -> None:
                request = self.read_json()
                if self.path.endswith("/chat/completions"):
                    model.tokens_read.append(model.count(request["messages"]))
                sent = None if request is None else {**request, **SHORT_REPLY}
                status, content_type, body = model.forward(self.path, sent)
                self.answer(status, body, content_type)

        return ForwardingHandler
