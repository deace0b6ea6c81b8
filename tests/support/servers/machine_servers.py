"""Servers that behave as Ollama and LM Studio document it, with a model that reads words and says a code word it saw.

Both keep what fits into a context and drop the rest without a word: Ollama the oldest, LM Studio the middle. A word is
a token.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from tests.support.servers.local_server import Handler, LocalServer

TEMPLATE_TOKENS = 5
"""What both add to a request."""


class MachineServer(LocalServer):
    """The part that both share. `window` is the context of the loaded model, in tokens."""

    owner = ""
    models = ("qwen3:8b", "gemma3:4b")

    def __init__(self, window: int = 4096, *, reports_usage: bool = True) -> None:
        self.window, self.reports_usage = window, reports_usage
        self.asked: list[tuple[str, str]] = []
        self.requests: list[dict[str, Any]] = []
        self.loaded: list[str] = []
        server = self

        class Answering(Handler):
            def serve(self) -> None:
                server.asked.append((self.command, self.path))
                if self.command == "POST" and self.path == "/v1/chat/completions":
                    server.answer_chat(self, self.read_json())
                elif self.path == "/v1/models":
                    data = [{"id": name, "object": "model", "owned_by": server.owner} for name in server.models]
                    self.answer_json(200, {"object": "list", "data": data})
                else:
                    server.answer_own(self)

        super().__init__(Answering)

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    def answer_own(self, handler: Handler) -> None:
        """Answer at an address that only this kind of server has, or as it does where it has none."""
        raise NotImplementedError

    def kept(self, words: list[str]) -> list[str]:
        """What of a prompt is read."""
        raise NotImplementedError

    def answer_chat(self, handler: Handler, body: dict[str, Any]) -> None:
        """Stream a reply: the code word if it was read."""
        self.requests.append(body)
        self.loaded = [body["model"]]
        words = self.kept(" ".join(str(message["content"]) for message in body["messages"]).split())
        found = re.search(r"marigold-\d+", " ".join(words))
        reply = f"It is {found.group()}." if found else "I have not read one."
        events = [self._chunk(choices=[{"index": 0, "delta": {"role": "assistant", "content": reply}}])]
        events.append(self._chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}]))
        if self.reports_usage and (body.get("stream_options") or {}).get("include_usage"):
            read, written = len(words) + TEMPLATE_TOKENS, len(reply.split())
            usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
            events.append(self._chunk(choices=[], usage=usage))
        data = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
        handler.answer(200, data.encode(), "text/event-stream")

    def _chunk(self, **fields: Any) -> dict[str, Any]:
        created = int(time.time())
        return {"id": "c-1", "object": "chat.completion.chunk", "created": created, "model": self.loaded[0], **fields}


class OllamaServer(MachineServer):
    """Ollama: its context drops the oldest, and `/api/ps` says how large it is once a model is loaded."""

    owner = "library"

    def answer_own(self, handler: Handler) -> None:
        if handler.path == "/api/version":
            handler.answer_json(200, {"version": "0.13.1"})
        elif handler.path == "/api/ps":
            models = [{"name": name, "model": name, "context_length": self.window} for name in self.loaded]
            handler.answer_json(200, {"models": models})
        else:
            handler.answer(404, b"404 page not found", "text/plain")

    def kept(self, words: list[str]) -> list[str]:
        return words[-self.window :]


class LMStudioServer(MachineServer):
    """LM Studio: its context drops the middle, and an address that it does not have answers with status 200."""

    owner = "organization_owner"
    models = ("granite-4-micro", "text-embedding-nomic")

    def __init__(self, window: int = 4096, *, reports_usage: bool = True) -> None:
        super().__init__(window, reports_usage=reports_usage)
        self.loaded = ["granite-4-micro"]

    def answer_own(self, handler: Handler) -> None:
        if handler.path == "/api/v0/models":
            entries = [self._entry(name) for name in self.models]
            handler.answer_json(200, {"object": "list", "data": entries})
        else:
            words = f"Unexpected endpoint or method. ({handler.command} {handler.path}). Returning 200 anyway"
            handler.answer_json(200, {"error": words})

    def _entry(self, name: str) -> dict[str, Any]:
        loaded = {"loaded_context_length": self.window} if name in self.loaded else {}
        state = "loaded" if loaded else "not-loaded"
        return {"id": name, "object": "model", "type": "llm", "state": state, "max_context_length": 8192, **loaded}

    def kept(self, words: list[str]) -> list[str]:
        half = self.window // 2
        return words if len(words) <= self.window else [*words[:half], *words[-half:]]
