"""OpenAI's Responses: one answer, kept unless `store` is false, that a later request can continue from.

What for: chains by `previous_response_id`, and answers in a conversation. The rule: the whole history goes to the model; with
`truncation` auto whole items are left out from the beginning until the rest fits, else an overflow is refused. A link that is
gone ends the chain with a refusal, never with a shorter history. It leaves out background responses and instructions of
earlier responses, which are not carried over by OpenAI either.
"""

from __future__ import annotations

from collections.abc import Callable

from lib.replica.http_values import (
    FINGERPRINT,
    Answer,
    Call,
    Events,
    Json,
    Route,
    metadata,
    missing,
    number,
    only_text,
    overflow,
    page,
    refuse,
    text,
)
from lib.replica.model import Model
from lib.replica.openai import conversations
from lib.replica.openai.items import characters, chat_messages, input_items
from lib.replica.openai.response_events import Making, blank, response_events
from lib.replica.store import Conversation, Store, Stored
from lib.replica.truncation import fitted, without_oldest

SMALLEST_LIMIT = 16
"""Tokens; what OpenAI accepts as `max_output_tokens`."""


class Responses:
    """The endpoints below /v1/responses."""

    def __init__(self, store: Store, model: Model, clock: Callable[[], float]) -> None:
        self._store = store
        self._model = model
        self._clock = clock

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
        before, own = self._before(request, conversation), _given(request)
        limit = number(request, "max_output_tokens", at_least=SMALLEST_LIMIT)
        free = at_end = _occupied(conversation)
        try:
            making = Making(
                body=blank(request, conversation.id if conversation else None, self._clock()),
                before=before,
                own=own,
                transcript=await self._transcript([*before, *own], request, limit),
                limit=limit,
                options={name: request[name] for name in ("temperature", "top_p") if request.get(name) is not None},
                keep=lambda made: self._keep(made, conversation, free),
                clock=self._clock,
            )
            if request.get("stream"):
                at_end = _nothing
                return Events(response_events(making, self._model), free)
            async for _ in response_events(making, self._model):
                pass
        finally:
            at_end()
        if making.failed is not None:
            raise making.failed
        return Answer(making.body)

    async def input_tokens(self, call: Call) -> Answer:
        """What the model would be sent, counted by its own server. Refuses where that cannot count."""
        request = _checked(call.body)
        items = [*self._before(request, self._conversation(request)), *_given(request)]
        if request.get("truncation") == "auto" and items:
            messages = await self._transcript(items, request, None)
        else:
            messages = chat_messages(_something(items), text(request, "instructions"))
        count = await self._model.count(messages)
        if not count.exact:
            raise refuse("The model behind the replica cannot count.", status=501, kind="server_error")
        return Answer(
            {"object": "response.input_tokens", "input_tokens": count.tokens, "system_fingerprint": FINGERPRINT}
        )

    async def retrieve(self, call: Call) -> Answer:
        """A stored response."""
        if call.query.get("stream") == "true":
            raise refuse("This replica streams a response only while it is made.", param="stream")
        return Answer(self._stored(call).body)

    async def delete(self, call: Call) -> Answer:
        """Forget one response: what was continued from it cannot be continued further."""
        found = self._stored(call)
        self._store.drop(found.id)
        return Answer({"id": found.id, "object": "response", "deleted": True})

    async def input_items(self, call: Call) -> Answer:
        """A page of the response's own input."""
        return Answer(page(self._stored(call).input, call.query))

    def _stored(self, call: Call) -> Stored:
        found = self._store.get(Stored, call.path["response"])
        if found is None:
            raise missing("Response", call.path["response"])
        return found

    def _conversation(self, request: Json, *, to_write: bool = False) -> Conversation | None:
        given = request.get("conversation")
        identifier = given.get("id") if isinstance(given, dict) else given
        if identifier is None:
            return None
        if request.get("previous_response_id") is not None:
            what = (
                "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only"
                " providing one of them."
            )
            raise refuse(what, code="mutually_exclusive_parameters")
        if not isinstance(identifier, str):
            raise refuse("Invalid type for 'conversation'.", param="conversation", code="invalid_type")
        return conversations.find(self._store, identifier, to_write=to_write)

    def _before(self, request: Json, conversation: Conversation | None) -> list[Json]:
        """The items that are kept already, oldest first."""
        if conversation is not None:
            return list(conversation.items)
        links: list[list[Json]] = []
        identifier = text(request, "previous_response_id")
        while identifier is not None:
            link = self._store.get(Stored, identifier)
            if link is None:
                what = f"Previous response with id '{identifier}' not found."
                raise refuse(what, param="previous_response_id", code="previous_response_not_found")
            links.append([*link.before, *link.input, *link.body["output"]])
            identifier = link.body["previous_response_id"]
        return [item for link in reversed(links) for item in link]

    async def _transcript(self, items: list[Json], request: Json, limit: int | None) -> list[Json]:
        """The messages to send, trimmed if that is asked for. Refuses an overflow."""
        _something(items)
        instructions, budget = text(request, "instructions"), self._model.budget(limit)

        async def fits(kept: list[Json]) -> bool:
            return (await self._model.count(chat_messages(kept, instructions))).tokens <= budget

        if request.get("truncation") == "auto":
            kept = await fitted(items, without_oldest, fits)
        else:
            kept = items if await fits(items) else None
        if kept is None:
            least = items[-1:] if request.get("truncation") == "auto" else items
            count = await self._model.count(chat_messages(least, instructions))
            raise overflow(count.tokens if count.exact else None, budget)
        return chat_messages(kept, instructions)

    def _keep(self, made: Making, conversation: Conversation | None, free: Callable[[], None]) -> None:
        output = made.body["output"]
        if conversation is not None:
            conversation.items += [*made.own, *output]
            self._store.grow(conversation, characters([*made.own, *output]))
        if made.body["store"]:
            before = made.before if conversation is not None else []
            stored = Stored(made.body["id"], body=made.body, input=made.own, before=before)
            self._store.put(stored, characters([*made.own, *output]))
        free()


def _checked(request: Json) -> Json:
    only_text(request)
    metadata(request)
    if request.get("truncation") not in (None, "auto", "disabled"):
        what = f"Invalid value: '{request['truncation']}'. Supported values are: 'auto' and 'disabled'."
        raise refuse(what, param="truncation", code="invalid_value")
    return request


def _given(request: Json) -> list[Json]:
    """The items of this request; none where it only goes on."""
    return input_items(request["input"]) if request.get("input") is not None else []


def _something(items: list[Json]) -> list[Json]:
    if not items:
        what = "One of 'input', 'previous_response_id' or 'conversation' must be provided."
        raise refuse(what, param="input", code="missing_required_parameter")
    return items


def _occupied(conversation: Conversation | None) -> Callable[[], None]:
    """Lock the conversation; how to unlock it, which works once."""
    if conversation is None:
        return _nothing
    conversation.busy = True
    held = [conversation]

    def free() -> None:
        while held:
            held.pop().busy = False

    return free


def _nothing() -> None:
    pass
