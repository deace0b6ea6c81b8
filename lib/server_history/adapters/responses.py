"""A chain of responses: each turn names the one before it by `previous_response_id`.

The handle keeps the id of every turn, so that each can be deleted, and continued again (a fork). Instructions are sent
with every turn, because a chain does not carry them over. An export contains messages only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lib.errors import ConversationGone
from lib.messages import Message
from lib.providers import TextDelta
from lib.server_history import DeletedItem, Deletion, Handle, ServerTurn
from lib.server_history.adapters.responses_base import PAGE_SIZE, ResponsesAdapter
from lib.server_history.client import Deletable
from lib.server_history.http_meter import MeteredTurn
from lib.server_history.sdk_values import field, messages_in, system_messages, without_repeats


class ResponsesHistory(ResponsesAdapter):
    """A ServerHistory over `previous_response_id`."""

    approach = "responses"

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """One turn. A failed one does not join the chain: the next turn continues from the one before it."""
        metered, (link, looking_for) = MeteredTurn(), _link(handle)
        end = yield from self._stream(handle, text, link, looking_for, metered)
        after = handle if end.status == "failed" else handle.plus(*end.ids)
        yield metered.turn(after, end.usage, end.ids, status=end.status, reason=end.reason)

    def fork(self, handle: Handle, response_id: str) -> Handle:
        """The conversation as it was after this response. Sends nothing. Both handles share the turns up to there, so
        deleting one deletes them for the other. Raises ConversationGone for an id that is not in the handle."""
        ids = handle.all("response")
        if response_id not in ids:
            raise ConversationGone(f"This conversation has no response {response_id}.")
        return replace(handle, ids=tuple(("response", id_) for id_ in ids[: ids.index(response_id) + 1]))

    def export(self, handle: Handle) -> list[Message]:
        """Input and output of every turn, read from the server, oldest first.

        Some servers list the whole input of a turn, history included; others list only what was new.
        """
        transcript: list[Message] = []
        for id_ in handle.all("response"):
            with self._server.errors_translated(looking_for=f"response {id_}"):
                responses = self._server.client().responses
                listed = messages_in(without_repeats(responses.input_items.list(id_, order="asc", limit=PAGE_SIZE)))
                output = messages_in(field(responses.retrieve(id_), "output") or [])
            inputs = [message for message in listed if not message.is_system]
            known = len(transcript) if inputs[: len(transcript)] == transcript else 0
            transcript += [*inputs[known:], *output]
        return [*system_messages(handle.system_prompt), *transcript]

    def delete(self, handle: Handle) -> Deletion:
        """Delete response by response, newest first; then read each again."""
        return self._delete(list(reversed(handle.all("response"))))

    def delete_one(self, response_id: str) -> DeletedItem:
        """Delete one response of the chain, then read it again."""
        return self._delete([response_id]).items[0]

    def count(self, handle: Handle, text: str) -> int | None:
        """By `/responses/input_tokens`, the history on the server included."""
        return self._count(handle, text, *_link(handle))

    def _delete(self, ids: list[str]) -> Deletion:
        responses = self._server.client().responses
        return self._server.delete_with_proof(
            [Deletable("response", id_, responses.delete, responses.retrieve) for id_ in ids]
        )


def _link(handle: Handle) -> tuple[dict[str, str], str]:
    """The field that continues from the newest response, and what to call that response in errors; empty for a first
    turn."""
    previous = handle.last("response")
    return ({"previous_response_id": previous}, f"response {previous}") if previous else ({}, "")
