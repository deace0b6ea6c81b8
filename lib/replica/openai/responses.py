"""OpenAI's Responses: a reply, stored unless `store` is false, that later requests can continue from.

Chains by `previous_response_id` and replies in a conversation send the whole history to the model. With `truncation`
auto, whole items are dropped from the beginning until the rest fits; otherwise an overflow is refused. A chain with a
missing link is refused, never shortened. As at OpenAI, instructions of earlier responses are not carried over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lib.replica.errors import missing_parameter, not_found, openai_error, overflow
from lib.replica.http_values import FINGERPRINT, Answer, Call, Clock, Events, Json, Route
from lib.replica.model import Model
from lib.replica.openai import conversations
from lib.replica.openai.items import chat_messages, input_items, size_of
from lib.replica.openai.response_events import PendingResponse, new_response_body, response_events
from lib.replica.request_fields import metadata, number, page, refuse_unsupported, sampling_options, text
from lib.replica.store import Conversation, Store, StoredResponse
from lib.replica.truncation import longest_that_fits, without_oldest

SMALLEST_LIMIT = 16
"""The smallest `max_output_tokens` that OpenAI accepts."""


@dataclass(frozen=True, slots=True)
class Responses:
    """The endpoints below /v1/responses."""

    store: Store
    model: Model
    clock: Clock

    def routes(self) -> list[Route]:
        """Method, path and handler of each."""
        one = "/v1/responses/{response}"
        return [
            ("POST", "/v1/responses", self.create),
            ("POST", "/v1/responses/input_tokens", self.input_tokens),
            ("GET", one, self.retrieve),
            ("DELETE", one, self.delete),
            ("GET", one + "/input_items", self.input_items),
        ]

    async def create(self, call: Call) -> Answer | Events:
        """Answer, streamed or whole."""
        request = _checked(call.body)
        conversation = self._conversation(request, to_write=True)
        history, new_items = self._history(request, conversation), _new_items(request)
        limit = number(request, "max_output_tokens", at_least=SMALLEST_LIMIT)
        unlock = _lock(conversation)
        streaming = False
        try:
            pending = PendingResponse(
                body=new_response_body(request, conversation.id if conversation else None, self.clock()),
                history=history,
                new_items=new_items,
                transcript=await self._transcript([*history, *new_items], request, limit),
                limit=limit,
                options=sampling_options(request),
                save=lambda finished: self._save(finished, conversation, unlock),
                clock=self.clock,
            )
            if request.get("stream"):
                streaming = True
                return Events(response_events(pending, self.model), unlock)
            async for _ in response_events(pending, self.model):
                pass
        finally:
            if not streaming:
                unlock()
        if pending.failed is not None:
            raise pending.failed
        return Answer(pending.body)

    async def input_tokens(self, call: Call) -> Answer:
        """Tokens that the model would be sent, counted by its own server. Refuses if that server cannot count."""
        request = _checked(call.body)
        items = [*self._history(request, self._conversation(request)), *_new_items(request)]
        if request.get("truncation") == "auto" and items:
            messages = await self._transcript(items, request, None)
        else:
            messages = chat_messages(_not_empty(items), text(request, "instructions"))
        count = await self.model.count(messages)
        if not count.exact:
            raise openai_error("The model behind the replica cannot count.", status=501, kind="server_error")
        return Answer(
            {"object": "response.input_tokens", "input_tokens": count.tokens, "system_fingerprint": FINGERPRINT}
        )

    async def retrieve(self, call: Call) -> Answer:
        """A stored response."""
        if call.query.get("stream") == "true":
            raise openai_error("This replica streams a response only while it is generated.", param="stream")
        return Answer(self._stored(call).body)

    async def delete(self, call: Call) -> Answer:
        """Delete one response. Responses that continue from it can no longer be continued."""
        response = self._stored(call)
        self.store.drop(response.id)
        return Answer({"id": response.id, "object": "response", "deleted": True})

    async def input_items(self, call: Call) -> Answer:
        """A page of the response's own input."""
        return Answer(page(self._stored(call).input, call.query))

    def _stored(self, call: Call) -> StoredResponse:
        found = self.store.get(StoredResponse, call.path["response"])
        if found is None:
            raise not_found("Response", call.path["response"])
        return found

    def _conversation(self, request: Json, *, to_write: bool = False) -> Conversation | None:
        given = request.get("conversation")
        id_ = given.get("id") if isinstance(given, dict) else given
        if id_ is None:
            return None
        if request.get("previous_response_id") is not None:
            message = (
                "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only"
                " providing one of them."
            )
            raise openai_error(message, code="mutually_exclusive_parameters")
        if not isinstance(id_, str):
            raise openai_error("Invalid type for 'conversation'.", param="conversation", code="invalid_type")
        return conversations.find(self.store, id_, to_write=to_write)

    def _history(self, request: Json, conversation: Conversation | None) -> list[Json]:
        """The items that are stored already, oldest first."""
        if conversation is not None:
            return list(conversation.items)
        links: list[list[Json]] = []
        id_ = text(request, "previous_response_id")
        while id_ is not None:
            link = self.store.get(StoredResponse, id_)
            if link is None:
                message = f"Previous response with id '{id_}' not found."
                raise openai_error(message, param="previous_response_id", code="previous_response_not_found")
            links.append([*link.history, *link.input, *link.body["output"]])
            id_ = link.body["previous_response_id"]
        return [item for link in reversed(links) for item in link]

    async def _transcript(self, items: list[Json], request: Json, limit: int | None) -> list[Json]:
        """The messages for the model, trimmed if the request allows it. Refuses an overflow."""
        _not_empty(items)
        instructions, budget = text(request, "instructions"), self.model.input_budget(limit)
        trims = request.get("truncation") == "auto"

        async def fits(kept: list[Json]) -> bool:
            return (await self.model.count(chat_messages(kept, instructions))).tokens <= budget

        if trims:
            kept = await longest_that_fits(items, without_oldest, fits)
        else:
            kept = items if await fits(items) else None
        if kept is None:
            count = await self.model.count(chat_messages(items[-1:] if trims else items, instructions))
            raise overflow(count.tokens if count.exact else None, budget)
        return chat_messages(kept, instructions)

    def _save(self, finished: PendingResponse, conversation: Conversation | None, unlock: Callable[[], None]) -> None:
        """Store a finished response, and add it to its conversation."""
        added = [*finished.new_items, *finished.body["output"]]
        if conversation is not None:
            conversation.items += added
            self.store.resize(conversation, size_of(added))
        if finished.body["store"]:
            history = finished.history if conversation is not None else []
            response = StoredResponse(
                finished.body["id"], body=finished.body, input=finished.new_items, history=history
            )
            self.store.put(response, size_of(added))
        unlock()


def _checked(request: Json) -> Json:
    refuse_unsupported(request)
    metadata(request)
    if request.get("truncation") not in (None, "auto", "disabled"):
        message = f"Invalid value: '{request['truncation']}'. Supported values are: 'auto' and 'disabled'."
        raise openai_error(message, param="truncation", code="invalid_value")
    return request


def _new_items(request: Json) -> list[Json]:
    """The items of this request; none if it only continues."""
    return input_items(request["input"]) if request.get("input") is not None else []


def _not_empty(items: list[Json]) -> list[Json]:
    if not items:
        raise missing_parameter("input", "One of 'input', 'previous_response_id' or 'conversation' must be provided.")
    return items


def _lock(conversation: Conversation | None) -> Callable[[], None]:
    """Lock the conversation, if there is one. Returns a function that unlocks it once; later calls do nothing, because
    another request may hold the lock by then."""
    held = [] if conversation is None else [conversation]
    for entry in held:
        entry.busy = True

    def unlock() -> None:
        while held:
            held.pop().busy = False

    return unlock
