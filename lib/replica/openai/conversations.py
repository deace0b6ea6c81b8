"""OpenAI's Conversations: items kept under one id until they are deleted.

What for: the conversation that a response appends to. The rule: one writer at a time; a second one is told
`conversation_locked` and changes nothing. It leaves out listing conversations, which OpenAI has not got either.
"""

from __future__ import annotations

from collections.abc import Callable

from lib.replica.http_values import (
    FINGERPRINT,
    Answer,
    Call,
    Json,
    Refused,
    Route,
    hex_id,
    metadata,
    missing,
    page,
    refuse,
)
from lib.replica.openai.items import characters, input_items
from lib.replica.store import MOST_OF_ONE, Conversation, Store

MOST_NEW_ITEMS = 20
LOCKED = "Another process is currently operating on this conversation. Please retry in a few seconds."


def find(store: Store, identifier: str, *, to_write: bool = False) -> Conversation:
    """A conversation. Refuses an unknown one, and one to write to while somebody else does."""
    found = store.get(Conversation, identifier)
    if found is None:
        raise missing("Conversation", identifier)
    if to_write and found.busy:
        raise locked()
    if to_write and found.characters > MOST_OF_ONE:
        raise refuse(f"Conversation '{identifier}' is full.", param="conversation")
    return found


def locked() -> Refused:
    """Somebody else is writing."""
    return refuse(LOCKED, param="conversation", code="conversation_locked")


class Conversations:
    """The endpoints below /v1/conversations."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def routes(self) -> list[Route]:
        """Method, path and handler of each."""
        one, items = "/v1/conversations/{conversation}", "/v1/conversations/{conversation}/items"
        return [
            ("POST", "/v1/conversations", self.create),
            ("GET", one, self.retrieve),
            ("POST", one, self.update),
            ("DELETE", one, self.delete),
            ("POST", items, self.add),
            ("GET", items, self.listing),
            ("GET", items + "/{item}", self.item),
            ("DELETE", items + "/{item}", self.remove),
        ]

    async def create(self, call: Call) -> Answer:
        """A new one, with up to 20 items."""
        items = _new_items(call.body) if call.body.get("items") else []
        body: Json = {
            "id": hex_id("conv"),
            "object": "conversation",
            "created_at": int(self._clock()),
            "metadata": metadata(call.body),
            "system_fingerprint": FINGERPRINT,
        }
        self._store.put(Conversation(body["id"], body=body, items=items), characters(items))
        return Answer(body)

    async def retrieve(self, call: Call) -> Answer:
        """The conversation without its items."""
        return Answer(find(self._store, call.path["conversation"]).body)

    async def update(self, call: Call) -> Answer:
        """Other metadata."""
        found = find(self._store, call.path["conversation"])
        found.body = found.body | {"metadata": metadata(call.body)}
        return Answer(found.body)

    async def delete(self, call: Call) -> Answer:
        """Forget it and its items. Responses that were made in it stay."""
        found = find(self._store, call.path["conversation"])
        if found.busy:
            raise locked()
        self._store.drop(found.id)
        return Answer({"id": found.id, "object": "conversation.deleted", "deleted": True})

    async def add(self, call: Call) -> Answer:
        """Append up to 20 items."""
        found = find(self._store, call.path["conversation"], to_write=True)
        items = _new_items(call.body)
        found.items.extend(items)
        self._store.grow(found, characters(items))
        return Answer(page(items, {"order": "asc", "limit": str(MOST_NEW_ITEMS)}))

    async def listing(self, call: Call) -> Answer:
        """A page of items, newest first unless asked otherwise."""
        return Answer(page(find(self._store, call.path["conversation"]).items, call.query))

    async def item(self, call: Call) -> Answer:
        """One item."""
        found = find(self._store, call.path["conversation"])
        return Answer(found.items[_place(found, call.path["item"])])

    async def remove(self, call: Call) -> Answer:
        """Forget one item; answers with the conversation."""
        found = find(self._store, call.path["conversation"], to_write=True)
        gone = found.items.pop(_place(found, call.path["item"]))
        self._store.grow(found, -characters([gone]))
        return Answer(found.body)


def _new_items(body: Json) -> list[Json]:
    given = body.get("items")
    if isinstance(given, list) and len(given) > MOST_NEW_ITEMS:
        what = (
            f"Invalid 'items': array too long. Expected an array with maximum length {MOST_NEW_ITEMS}, but got an array"
            f" with length {len(given)} instead."
        )
        raise refuse(what, param="items", code="array_above_max_length")
    if isinstance(given, str):
        raise refuse("Invalid type for 'items': expected an array.", param="items", code="invalid_type")
    return input_items(given, "items")


def _place(conversation: Conversation, item: str) -> int:
    for place, entry in enumerate(conversation.items):
        if entry["id"] == item:
            return place
    raise missing("Item", item)
