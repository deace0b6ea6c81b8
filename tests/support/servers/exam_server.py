"""ExamServer: an OpenAI-compatible server that answers each prompt as a test says, and refuses as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

from tests.support.servers.local_server import Handler, LocalServer

Reply = Callable[[str, str], str]
"""The reply to a prompt, by the model's name and the newest message."""
Refusal = tuple[int, dict[str, str]]
"""The status and the headers of an answer that refuses."""


class ExamServer(LocalServer):
    """Start it with `with`. It counts words as tokens."""

    def __init__(
        self, reply: Reply = lambda model, prompt: f"{model} says {prompt}", models: Iterable[str] = ()
    ) -> None:
        self.reply = reply
        self.models = list(models)
        self.refusals: dict[str, list[Refusal]] = {}
        """By prompt: what its next requests are refused with. The key "*" is for every prompt."""
        self.gate: threading.Event | None = None  # replies wait for it before their first word
        self.asked: list[dict[str, Any]] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        """The base URL, ending in /v1."""
        return f"{self.origin}/v1"

    @property
    def prompts(self) -> list[str]:
        """The newest message of every request, in order."""
        return [body["messages"][-1]["content"] for body in self.asked]

    def __exit__(self, *exc: object) -> None:
        if self.gate is not None:
            self.gate.set()
        super().__exit__(*exc)

    def _handler(self) -> type[Handler]:
        exam = self

        class ExamHandler(Handler):
            def serve(self) -> None:
                if self.command == "GET":
                    self.answer_json(200, {"object": "list", "data": [{"id": name} for name in exam.models]})
                    return
                body = self.read_json()
                prompt = body["messages"][-1]["content"]
                with exam._lock:
                    exam.asked.append(body)
                    refusals = exam.refusals.get(prompt) or exam.refusals.get("*")
                    refusal = refusals.pop(0) if refusals else None
                    exam._at_once += 1
                    exam.most_at_once = max(exam.most_at_once, exam._at_once)
                try:
                    self._answer(body, prompt, refusal)
                finally:
                    with exam._lock:
                        exam._at_once -= 1

            def _answer(self, body: dict[str, Any], prompt: str, refusal: Refusal | None) -> None:
                if refusal is not None:
                    status, headers = refusal
                    self.answer(status, json.dumps({"error": {"message": "not now"}}).encode(), headers=headers)
                    return
                if exam.gate is not None:
                    exam.gate.wait(30)
                text = exam.reply(body["model"], prompt)
                read = sum(len(message["content"].split()) for message in body["messages"])
                usage = {"prompt_tokens": read, "completion_tokens": len(text.split()), "total_tokens": 0}
                events: list[dict[str, Any]] = [
                    {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]},
                    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
                    {"choices": [], "usage": usage},
                ]
                head = {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
                lines = "".join(f"data: {json.dumps({**head, **event})}\n\n" for event in events)
                self.answer(200, f"{lines}data: [DONE]\n\n".encode(), "text/event-stream")

        return ExamHandler
