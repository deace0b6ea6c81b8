"""A server whose answers a test writes down, address by address; it keeps what it was asked."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """One answer. `body` is JSON, or text as it is."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def events(*named: tuple[str, Any]) -> Answer:
    """Server-sent events, as (name, data)."""
    text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in named)
    return Answer(text, headers={"Content-Type": "text/event-stream"})


def responded(*deltas: str, id_: str = "resp_1", status: str = "completed", **fields: Any) -> Answer:
    """A streamed response."""
    response = {"id": id_, "object": "response", "status": status, "output": [], **fields}
    pieces = [
        ("response.output_text.delta", {"type": "response.output_text.delta", "delta": delta, "item_id": "msg_1"})
        for delta in deltas
    ]
    created = {"type": "response.created", "response": {**response, "status": "in_progress"}}
    end = {"type": f"response.{status}", "response": response}
    return events(("response.created", created), *pieces, (f"response.{status}", end))


class Routes:
    """`routes["GET /v1/threads/t"] = [Answer(...), ...]`: in order, the last one again and again."""

    def __init__(self) -> None:
        self.routes: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Routes:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def on(self, address: str, *answers: Any) -> None:
        """What an address answers: Answers, or JSON."""
        self.routes[address] = [answer if isinstance(answer, Answer) else Answer(answer) for answer in answers]

    def bodies(self, address: str) -> list[Any]:
        """What was sent to an address."""
        return [body for asked, body in self.asked if asked.partition("?")[0] == address]

    def _handler(routes) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler's own self is the inner one
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def _serve(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                routes.headers.append({name.lower(): value for name, value in self.headers.items()})
                routes.asked.append((f"{self.command} {self.path}", json.loads(raw) if raw else None))
                known = routes.routes.get(f"{self.command} {self.path.partition('?')[0]}")
                if not known:
                    self._answer(Answer({"error": {"message": f"Unknown request URL: {self.path}"}}, 404))
                else:
                    self._answer(known.pop(0) if len(known) > 1 else known[0])

            do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the names the base class calls

            def _answer(self, answer: Answer) -> None:
                body = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler
