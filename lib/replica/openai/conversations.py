"""OpenAI's Conversations: items stored under one id until they are deleted.

One writer at a time: a second one is refused with `conversation_locked` and changes nothing. As at OpenAI,
conversations cannot be listed.
"""

from __future__ import annotations

from dataclasses import dataclass

from lib.replica.errors import Refused, invalid_type, not_found, openai_error
from lib.replica.http_values import FINGERPRINT, Answer, Call, Clock, Json, Route, hex_id
from lib.replica.openai.items import input_items, size_of
from lib.replica.request_fields import metadata, page
from lib.replica.store import MOST_CHARACTERS_OF_ONE, Conversation, Store

MOST_NEW_ITEMS = 20
LOCKED = "Another process is currently operating on this conversation. Please retry in a few seconds."


def find(store: Store, id_: str, *, to_write: bool = False) -> Conversation:
    """A conversation. Refuses an unknown one; to write, also one that is locked or full."""
    conversation = store.get(Conversation, id_)
    if conversation is None:
        raise not_found("Conversation", id_)
    if to_write and conversation.busy:
        raise locked()
    if to_write and conversation.characters > MOST_CHARACTERS_OF_ONE:
        raise openai_error(f"Conversation '{id_}' is full.", param="conversation")
    return conversation


def locked() -> Refused:
    """Another request is writing to the conversation."""
    return openai_error(LOCKED, param="conversation", code="conversation_locked")


@dataclass(frozen=True, slots=True)
class Conversations:
    """The endpoints below /v1/conversations."""

    store: Store
    clock: Clock

    def routes(self) -> list[Route]:
        """Method, path and handler of each."""
        one, items = "/v1/conversations/{conversation}", "/v1/conversations/{conversation}/items"
        return [
            ("POST", "/v1/conversations", self.create),
            ("GET", one, self.retrieve),
            ("POST", one, self.update),
            ("DELETE", one, self.delete),
            ("POST", items, self.add_items),
            ("GET", items, self.list_items),
            ("GET", items + "/{item}", self.retrieve_item),
            ("DELETE", items + "/{item}", self.delete_item),
        ]

    async def create(self, call: Call) -> Answer:
        """Create a conversation with up to 20 items."""
        items = _new_items(call.body) if call.body.get("items") else []
        body: Json = {
            "id": hex_id("conv"),
            "object": "conversation",
            "created_at": int(self.clock()),
            "metadata": metadata(call.body),
            "system_fingerprint": FINGERPRINT,
        }
        self.store.put(Conversation(body["id"], body=body, items=items), size_of(items))
        return Answer(body)

    async def retrieve(self, call: Call) -> Answer:
        """The conversation without its items."""
        return Answer(self._find(call).body)

    async def update(self, call: Call) -> Answer:
        """Replace the metadata."""
        conversation = self._find(call)
        conversation.body = conversation.body | {"metadata": metadata(call.body)}
        return Answer(conversation.body)

    async def delete(self, call: Call) -> Answer:
        """Delete the conversation and its items. Responses created in it stay."""
        conversation = self._find(call)
        if conversation.busy:
            raise locked()
        self.store.drop(conversation.id)
        return Answer({"id": conversation.id, "object": "conversation.deleted", "deleted": True})

    async def add_items(self, call: Call) -> Answer:
        """Append up to 20 items."""
        conversation = self._find(call, to_write=True)
        items = _new_items(call.body)
        conversation.items.extend(items)
        self.store.resize(conversation, size_of(items))
        return Answer(page(items, {"order": "asc", "limit": str(MOST_NEW_ITEMS)}))

    async def list_items(self, call: Call) -> Answer:
        """A page of items, newest first by default."""
        return Answer(page(self._find(call).items, call.query))

    async def retrieve_item(self, call: Call) -> Answer:
        """One item."""
        conversation = self._find(call)
        return Answer(conversation.items[_place(conversation, call.path["item"])])

    async def delete_item(self, call: Call) -> Answer:
        """Delete one item; returns the conversation."""
        conversation = self._find(call, to_write=True)
        removed = conversation.items.pop(_place(conversation, call.path["item"]))
        self.store.resize(conversation, -size_of([removed]))
        return Answer(conversation.body)

    def _find(self, call: Call, *, to_write: bool = False) -> Conversation:
        return find(self.store, call.path["conversation"], to_write=to_write)


def _new_items(body: Json) -> list[Json]:
    given = body.get("items")
    if isinstance(given, list) and len(given) > MOST_NEW_ITEMS:
        message = (
            f"Invalid 'items': array too long. Expected an array with maximum length {MOST_NEW_ITEMS}, but got an array"
            f" with length {len(given)} instead."
        )
        raise openai_error(message, param="items", code="array_above_max_length")
    if isinstance(given, str):
        raise invalid_type("items", "an array")
    return input_items(given, "items")


def _place(conversation: Conversation, item: str) -> int:
    for place, entry in enumerate(conversation.items):
        if entry["id"] == item:
            return place
    raise not_found("Item", item)
