"""A server that speaks OpenAI's protocol and may keep a history: its SDK client, its errors, its deletions.

An id that the server does not know raises ConversationGone; an endpoint that it lacks raises InvalidRequest. No adapter
falls back to another way of keeping the history by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from lib.errors import ChatError, ConversationGone, InvalidRequest
from lib.providers.http_client import usable_key
from lib.providers.openai import OPENAI
from lib.providers.sdk_errors import not_an_answer, translated
from lib.server_history import NOT_FOUND_STATUSES, DeletedItem, Deletion
from lib.server_history.http_meter import Guard, MeteredTurn, metered_client
from lib.server_history.sdk_values import field
from lib.settings import Endpoint

if TYPE_CHECKING:
    from openai import OpenAI

NOT_FOUND_CODES = ("previous_response_not_found", "conversation_not_found", "thread_not_found", "response_not_found")
MODEL_CODES = ("model_not_found", "invalid_model")
UNSUPPORTED_STATUSES = (404, 405, 501)
"""HTTP statuses of a server that lacks an endpoint."""
TRY_ANOTHER = "Choose another way to keep the history, or another endpoint."


class Deletable(NamedTuple):
    """An object on the server, with the SDK's calls to delete it and to read it, both by id."""

    kind: str
    id: str
    delete: Callable[[str], Any]
    retrieve: Callable[[str], Any]


class OpenAIServer:
    """An endpoint that speaks OpenAI's protocol, or part of it, with its key. `guard` checks the host of every
    request."""

    def __init__(self, endpoint: Endpoint, key: str | None, guard: Guard | None = None) -> None:
        self.label = endpoint.label
        self._endpoint = endpoint
        self._key = key
        self._guard = guard

    @property
    def url(self) -> str:
        """Its base URL."""
        return self._endpoint.base_url or OPENAI

    def client(self, metered: MeteredTurn | None = None) -> OpenAI:
        """The SDK; every request is recorded in `metered`. Raises MissingKey or WrongKey."""
        key = usable_key(self._endpoint, self._key)
        import openai

        wires = (metered or MeteredTurn()).wires
        http_client = metered_client(self.url, wires, self._guard)
        return openai.OpenAI(api_key=key, base_url=self.url, http_client=http_client, max_retries=0)

    @contextmanager
    def errors_translated(self, *, looking_for: str = "", protocol: str = "") -> Iterator[None]:
        """Run a call; SDK exceptions leave as ChatError. `looking_for` names the object for ConversationGone,
        `protocol` the protocol for an endpoint that the server lacks."""
        with translated(self.label, self._key):
            import openai

            try:
                yield
            except openai.APIStatusError as exc:
                if looking_for and is_not_found(exc.status_code, exc.body):
                    raise ConversationGone(f"{self.label} does not know {looking_for}.") from None
                if protocol and exc.status_code in UNSUPPORTED_STATUSES and not _has_code(exc.body, MODEL_CODES):
                    what = f"{self.label} does not speak {protocol} ({exc.status_code})."
                    raise InvalidRequest(what, next_step=TRY_ANOTHER) from None
                raise
            except openai.APIConnectionError as exc:
                if isinstance(exc.__cause__, ChatError):  # from the guard; the SDK takes it for a broken connection
                    raise exc.__cause__ from None
                raise

    def id_of(self, created: Any) -> str:
        """The id of an object the server created. Raises ProviderUnavailable if it has none."""
        id_ = field(created, "id")
        if not isinstance(id_, str):
            raise not_an_answer(self.label)
        return id_

    def status_of(self, call: Callable[[str], Any], id_: str) -> int:
        """The HTTP status of a call for this id. Statuses that say the object or the endpoint is missing do not
        raise."""
        import openai

        with self.errors_translated():
            try:
                call(id_)
            except openai.APIStatusError as exc:
                if exc.status_code in (400, *UNSUPPORTED_STATUSES, *NOT_FOUND_STATUSES):
                    return int(exc.status_code)
                raise
        return 200

    def delete_with_proof(self, objects: Sequence[Deletable]) -> Deletion:
        """Delete these in order, then read each of them again."""
        deleted = [self.status_of(each.delete, each.id) for each in objects]
        read = [self.status_of(each.retrieve, each.id) for each in objects]
        return Deletion.of(
            [
                DeletedItem(each.kind, each.id, delete_status, read_status)
                for each, delete_status, read_status in zip(objects, deleted, read, strict=True)
            ]
        )


def is_not_found(status: int, body: Any) -> bool:
    """Whether an error response says that an id is unknown. A 404 about the model does not."""
    return _has_code(body, NOT_FOUND_CODES) or (status in NOT_FOUND_STATUSES and not _has_code(body, MODEL_CODES))


def _has_code(body: Any, codes: tuple[str, ...]) -> bool:
    error = field(body, "error") or body
    return field(error, "code") in codes or field(error, "details", "error_code") in codes


def is_stream(stream: Any) -> bool:
    """Whether the server streams, as requested; some answer with one JSON object instead."""
    return "json" not in str(stream.response.headers.get("content-type", ""))
