"""OpenAI Conversations: an object on the server that turns are added to; the successor of Assistants threads.

No server lists conversations, so the id in the handle is the only way back. Instructions are sent with every turn and
are not part of the conversation. An export contains messages only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lib.errors import ConversationGone
from lib.messages import Message, utf8_safe
from lib.providers import TextDelta
from lib.server_history import Deletion, Handle, ServerTurn
from lib.server_history.adapters.responses_base import PAGE_SIZE, ResponsesAdapter
from lib.server_history.client import Deletable
from lib.server_history.http_meter import MeteredTurn
from lib.server_history.sdk_values import messages_in, system_messages, without_repeats

MOST_ITEMS_PER_REQUEST = 20
"""Items that one request may add, by the SDK's documentation."""


class ConversationsHistory(ResponsesAdapter):
    """A ServerHistory over `/conversations`."""

    approach = "conversations"

    def create(self, system_prompt: str) -> Handle:
        """Create an empty conversation on the server."""
        with self._server.errors_translated(protocol="Conversations"):
            id_ = self._server.id_of(self._server.client().conversations.create())
        return super().create(system_prompt).plus(("conversation", id_))

    def adopt(self, system_prompt: str, messages: Sequence[Message]) -> Handle:
        """Create a conversation that starts with these messages: texts of the user and the assistant."""
        handle = self.create(system_prompt)
        id_ = _id(handle)
        with self._server.errors_translated(looking_for=f"conversation {id_}"):
            items = self._server.client().conversations.items
            for start in range(0, len(messages), MOST_ITEMS_PER_REQUEST):
                batch = messages[start : start + MOST_ITEMS_PER_REQUEST]
                new: Any = [{"role": message.role, "content": utf8_safe(message.text)} for message in batch]
                items.create(id_, items=new)
        return handle

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """One turn, which the server adds to the conversation."""
        metered, id_ = MeteredTurn(), _id(handle)
        end = yield from self._stream(handle, text, {"conversation": id_}, f"conversation {id_}", metered)
        yield metered.turn(handle, end.usage, end.ids, status=end.status, reason=end.reason)

    def export(self, handle: Handle) -> list[Message]:
        """Every message, read page by page, oldest first."""
        return [*system_messages(handle.system_prompt), *messages_in(self._items(handle))]

    def stored_items(self, handle: Handle) -> int:
        """The number of items the server holds."""
        return sum(1 for _ in self._items(handle))

    def delete(self, handle: Handle) -> Deletion:
        """Delete the conversation with all its items, then read it again."""
        conversations = self._server.client().conversations
        return self._server.delete_with_proof(
            [Deletable("conversation", _id(handle), conversations.delete, conversations.retrieve)]
        )

    def count(self, handle: Handle, text: str) -> int | None:
        """By `/responses/input_tokens`, the conversation included."""
        id_ = _id(handle)
        return self._count(handle, text, {"conversation": id_}, f"conversation {id_}")

    def _items(self, handle: Handle) -> Iterator[Any]:
        id_ = _id(handle)
        with self._server.errors_translated(looking_for=f"conversation {id_}"):
            items = self._server.client().conversations.items
            yield from without_repeats(items.list(id_, order="asc", limit=PAGE_SIZE))


def _id(handle: Handle) -> str:
    id_ = handle.last("conversation")
    if id_ is None:
        raise ConversationGone("This conversation has no id: it was never created.")
    return id_
