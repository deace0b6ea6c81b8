"""An OpenAI-compatible server that types slowly, for browser tests and tests of whole turns.

It speaks real HTTP with server-sent events to the real `openai` SDK. `requests` and `bodies` hold what it received;
its other attributes set how it answers.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.servers.redis_servers import RedisServer
from tests.support.waiting import wait_until


class Typist:
    """Types `words` words, one every `seconds_per_word`. Start it with `with Typist() as typist:`."""

    def __init__(self, words: int = 40, seconds_per_word: float = 0.1) -> None:
        self.words = words
        self.seconds_per_word = seconds_per_word
        self.error: tuple[int, dict[str, Any], dict[str, str]] | None = None
        self.first_word_gate: threading.Event | None = None
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.reads: int | None = None  # prompt tokens that it reports; None for a rough count of what it received
        self.cut_off = 0  # clients that disconnected before the last word
        self._as_new = dict(vars(self))
        self._typing = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Its base URL, with /v1."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Typist:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self.first_word_gate is not None:
            self.first_word_gate.set()
        self._server.shutdown()
        self._server.server_close()

    def start_afresh(self) -> None:
        """End the replies that are being typed at once, then be as a new typist."""
        if self.first_word_gate is not None:
            self.first_word_gate.set()
        self.seconds_per_word = 0.0
        wait_until(lambda: not self._typing, "every reply was typed")
        vars(self).update(self._as_new, requests=[], bodies=[])

    def text(self) -> str:
        """The whole reply."""
        return "".join(f"word{n} " for n in range(1, self.words + 1))

    def _handler(typist) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler's own self is the inner one
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                self._json(200, {"object": "list", "data": [{"id": "typist-1", "object": "model"}]}, {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                typist.bodies.append(body)
                typist.requests.append(json.loads(body))
                if typist.error is not None:
                    self._json(*typist.error)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                with typist._lock:
                    typist._typing += 1
                try:
                    self._type()
                except OSError:
                    typist.cut_off += 1
                finally:
                    with typist._lock:
                        typist._typing -= 1
                self.close_connection = True

            def _type(self) -> None:
                if typist.first_word_gate is not None:
                    typist.first_word_gate.wait(30)
                for n in range(1, typist.words + 1):
                    self._event({"choices": [{"index": 0, "delta": {"content": f"word{n} "}, "finish_reason": None}]})
                    time.sleep(typist.seconds_per_word)
                self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
                read = typist.reads
                if read is None:
                    read = 3 + sum(4 + len(str(message["content"])) // 3 for message in typist.requests[-1]["messages"])
                usage = {"prompt_tokens": read, "completion_tokens": typist.words, "total_tokens": typist.words + read}
                self._event({"choices": [], "usage": usage})
                self.wfile.write(b"data: [DONE]\n\n")

            def _event(self, data: dict[str, Any]) -> None:
                event = {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": "typist-1", **data}
                self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
                self.wfile.flush()

            def _json(self, status: int, data: dict[str, Any], headers: dict[str, str]) -> None:
                body = json.dumps(data).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler


def choose_typist(server: RedisServer, session_id: str, **changes: Any) -> None:
    """Store settings for a session that choose the typist."""
    settings = {
        "provider": "openai",
        "model": "typist-1",
        "system_prompt": "Be brief.",
        "max_tokens": 4096,
        "reserved_for_reply": 512,
        "strategy": "oldest_first",
        **changes,
    }
    with server.client() as client:
        client.hset(f"{{chat:{session_id}}}:about", "settings", json.dumps(settings))
