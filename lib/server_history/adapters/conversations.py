"""Conversations: an object on the server that turns are added to; what Assistants threads became.

The one rule: the id is the only way back, because no server lists conversations: it is kept in the handle. Instructions are
sent with every turn and are not an item of the conversation. Items that are not messages are left out of an export.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from lib.errors import ConversationGone
from lib.messages import Message, utf8_safe
from lib.providers import TextDelta
from lib.providers.sdk_errors import not_an_answer
from lib.server_history import DeletedItem, Deletion, Facts, Handle, ServerTurn
from lib.server_history.adapters.responses_base import PAGE, Responding, said, usage_in
from lib.server_history.http_meter import MeteredTurn
from lib.server_history.reference import CONVERSATIONS
from lib.server_history.sdk_values import field, paged, prompt_of

ADDED = 20
"""Items that one request may add, as the SDK's documentation has it."""


class ConversationsHistory(Responding):
    """A ServerHistory over `/conversations`."""

    @property
    def facts(self) -> Facts:
        """What to know about this approach."""
        return CONVERSATIONS

    def create(self, system_prompt: str) -> Handle:
        """An empty conversation on the server."""
        with self._server.failures(unspoken="Conversations"):
            made = self._server.client(MeteredTurn()).conversations.create()
            id_ = field(made, "id")
            if not isinstance(id_, str):
                raise not_an_answer(self._server.label)
        return Handle("conversations", self._server.model, system_prompt).plus(("conversation", id_))

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """One turn, added to the conversation by the server."""
        measured, id_ = MeteredTurn(), _id(handle)
        end: dict[str, Any] = {}
        yield from self._respond(handle, text, {"conversation": id_}, f"conversation {id_}", measured, end)
        new = (("response", str(end["id"])),) if end.get("id") else ()
        yield measured.turn(handle, usage_in(end), new, status=end["status"], reason=end["reason"])

    def export(self, handle: Handle) -> list[Message]:
        """Every item, page by page, oldest first."""
        id_ = _id(handle)
        with self._server.failures(lost=f"conversation {id_}"):
            conversations = self._server.client(MeteredTurn()).conversations
            messages = said(paged(conversations.items.list(id_, order="asc", limit=PAGE)))
        return [*prompt_of(handle.system_prompt), *messages]

    def adopt(self, system_prompt: str, messages: Sequence[Message]) -> Handle:
        """A new conversation that begins with these messages: texts of the user and the assistant, twenty at a time."""
        handle = self.create(system_prompt)
        id_ = _id(handle)
        with self._server.failures(lost=f"conversation {id_}"):
            items = self._server.client(MeteredTurn()).conversations.items
            for start in range(0, len(messages), ADDED):
                new: Any = [{"role": m.role, "content": utf8_safe(m.text)} for m in messages[start : start + ADDED]]
                items.create(id_, items=new)
        return handle

    def stored_items(self, handle: Handle) -> int:
        """How many items the server holds: what to compare with the tokens it reads."""
        id_ = _id(handle)
        with self._server.failures(lost=f"conversation {id_}"):
            conversations = self._server.client(MeteredTurn()).conversations
            return sum(1 for _ in paged(conversations.items.list(id_, order="asc", limit=PAGE)))

    def delete(self, handle: Handle) -> Deletion:
        """The conversation with all its items; then it is asked for again."""
        id_ = _id(handle)
        conversations = self._server.client(MeteredTurn()).conversations
        answered = self._server.status_of(partial(conversations.delete, id_))
        reread = self._server.status_of(partial(conversations.retrieve, id_))
        return Deletion.of([DeletedItem("conversation", id_, answered, reread)])

    def count(self, handle: Handle, text: str) -> int | None:
        """By `/responses/input_tokens`, the conversation included."""
        id_ = _id(handle)
        return self._counted(handle, text, {"conversation": id_}, f"conversation {id_}")


def _id(handle: Handle) -> str:
    id_ = handle.last("conversation")
    if id_ is None:
        raise ConversationGone("This conversation has no id: it was never created.")
    return id_
