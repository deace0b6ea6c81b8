"""An endpoint that may keep a history: its SDK client, and its failures in our words.

The one rule: a conversation the server does not know is ConversationGone, an address it does not know is said to be missing,
and no adapter ever falls back to something else by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lib.errors import ChatError, ConversationGone, InvalidRequest
from lib.providers.http_client import usable_key
from lib.providers.openai import OPENAI
from lib.providers.sdk_errors import translated
from lib.server_history.http_meter import Guard, MeteredTurn, metered_client
from lib.server_history.sdk_values import field
from lib.settings import Endpoint

if TYPE_CHECKING:
    from openai import OpenAI

GONE_CODES = ("previous_response_not_found", "conversation_not_found", "thread_not_found", "response_not_found")
MODEL_CODES = ("model_not_found", "invalid_model")
NO_SUCH_ADDRESS = (404, 405, 501)
ELSEWHERE = "Choose another way to keep the history, or another endpoint."


class OpenAIServer:
    """An endpoint that speaks (some of) OpenAI's protocol, and a key. `guard` sees the host of every request."""

    def __init__(self, endpoint: Endpoint, key: str | None, guard: Guard | None = None) -> None:
        self.label = endpoint.label
        self._endpoint = endpoint
        self._key = key
        self._guard = guard

    @property
    def url(self) -> str:
        """Its base URL."""
        return self._endpoint.base_url or OPENAI

    @property
    def model(self) -> str:
        """The model of new conversations."""
        return self._endpoint.model

    def client(self, measured: MeteredTurn) -> OpenAI:
        """The SDK, with every request noted in `measured`."""
        key = usable_key(self._endpoint, self._key)
        import openai

        shared_client = metered_client(self.url, measured.wires, self._guard)
        return openai.OpenAI(api_key=key, base_url=self.url, http_client=shared_client, max_retries=0)

    @contextmanager
    def failures(self, *, lost: str = "", unspoken: str = "") -> Iterator[None]:
        """Run a call. `lost` is what to say of an id the server does not know; `unspoken` what to say of an address."""
        with translated(self.label, self._key):
            import openai

            try:
                yield
            except openai.APIStatusError as exc:
                if lost and is_gone(exc.status_code, exc.body):
                    raise ConversationGone(f"{self.label} does not know {lost}.") from None
                if unspoken and exc.status_code in NO_SUCH_ADDRESS and not _speaks_of(exc.body, MODEL_CODES):
                    said = f"{self.label} does not speak {unspoken} ({exc.status_code})."
                    raise InvalidRequest(said, next_step=ELSEWHERE) from None
                raise
            except openai.APIConnectionError as exc:
                if isinstance(exc.__cause__, ChatError):  # the guard's own word, which the SDK took for a broken line
                    raise exc.__cause__ from None
                raise

    def status_of(self, call: Callable[[], Any]) -> int:
        """The status a deletion, or asking again, was answered with. That there is nothing is no failure here."""
        import openai

        with self.failures():
            try:
                call()
            except openai.APIStatusError as exc:
                if exc.status_code in (*NO_SUCH_ADDRESS, 400, 410):
                    return int(exc.status_code)
                raise
        return 200


def is_gone(status: int, body: Any) -> bool:
    """Whether a refusal says that an id is not known. A 404 that speaks of the model does not."""
    return _speaks_of(body, GONE_CODES) or (status in (404, 410) and not _speaks_of(body, MODEL_CODES))


def _speaks_of(body: Any, codes: tuple[str, ...]) -> bool:
    details = field(body, "error") or body
    return field(details, "code") in codes or field(details, "details", "error_code") in codes


def is_stream(stream: Any) -> bool:
    """Whether the server streams, as it was asked to; some answer with one JSON object all the same."""
    return "json" not in str(stream.response.headers.get("content-type", ""))
