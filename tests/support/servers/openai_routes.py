"""A server whose answers a test sets endpoint by endpoint; it records what it was asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.support.servers.local_server import Handler, LocalServer


@dataclass
class Answer:
    """One response. `body` is JSON, or a string to send as it is."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def events(*named: tuple[str, Any]) -> Answer:
    """Server-sent events from (name, data) pairs."""
    text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in named)
    return Answer(text, headers={"Content-Type": "text/event-stream"})


def streamed_response(*deltas: str, id_: str = "resp_1", status: str = "completed", **fields: Any) -> Answer:
    """A streamed response of the Responses API with these pieces of text."""
    response = {"id": id_, "object": "response", "status": status, "output": [], **fields}
    pieces = [
        ("response.output_text.delta", {"type": "response.output_text.delta", "delta": delta, "item_id": "msg_1"})
        for delta in deltas
    ]
    created = {"type": "response.created", "response": {**response, "status": "in_progress"}}
    end = {"type": f"response.{status}", "response": response}
    return events(("response.created", created), *pieces, (f"response.{status}", end))


class Routes(LocalServer):
    """Answers the routes set by `on`; anything else is 404. `requests` are (method and path, JSON body) pairs."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        """The base URL for the openai SDK."""
        return f"{self.origin}/v1"

    @property
    def paths(self) -> list[str]:
        """Method and path of every request, in order."""
        return [path for path, _ in self.requests]

    def on(self, route: str, *answers: Any) -> None:
        """Set the answers of a route such as "GET /v1/threads/t": Answers or JSON, in order, the last one
        repeatedly."""
        self.answers[route] = [answer if isinstance(answer, Answer) else Answer(answer) for answer in answers]

    def bodies(self, route: str) -> list[Any]:
        """The bodies sent to a route."""
        return [body for path, body in self.requests if path.partition("?")[0] == route]

    def _handler(self) -> type[Handler]:
        routes = self

        class RoutesHandler(Handler):
            def serve(self) -> None:
                routes.headers.append({name.lower(): value for name, value in self.headers.items()})
                routes.requests.append((f"{self.command} {self.path}", self.read_json()))
                answers = routes.answers.get(f"{self.command} {self.path.partition('?')[0]}")
                if not answers:
                    self.answer_json(404, {"error": {"message": f"Unknown request URL: {self.path}"}})
                    return
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                body = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
                self.answer(answer.status, body, headers=answer.headers)

        return RoutesHandler
