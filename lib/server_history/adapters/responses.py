"""A chain of responses: each turn names the one before it (`previous_response_id`).

The one rule: the handle keeps the id of every turn, so that any of them can be continued again (a fork) and each can be
deleted. Instructions are sent with every turn, since a chain does not carry them. Items that are not messages are left out
of an export.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from lib.errors import ConversationGone
from lib.messages import Message
from lib.providers import TextDelta
from lib.server_history import DeletedItem, Deletion, Facts, Handle, ServerTurn
from lib.server_history.adapters.responses_base import PAGE, Responding, said, usage_in
from lib.server_history.http_meter import MeteredTurn
from lib.server_history.reference import RESPONSES
from lib.server_history.sdk_values import field, paged, prompt_of


class ResponsesHistory(Responding):
    """A ServerHistory over `previous_response_id`."""

    @property
    def facts(self) -> Facts:
        """What to know about this approach."""
        return RESPONSES

    def create(self, system_prompt: str) -> Handle:
        """Nothing is sent: a chain begins with its first turn."""
        return Handle("responses", self._server.model, system_prompt)

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """One turn. A failed one is not part of the chain: the next turn continues from the one before it."""
        measured = MeteredTurn()
        end: dict[str, Any] = {}
        previous = handle.last("response")
        link = {"previous_response_id": previous} if previous else {}
        yield from self._respond(handle, text, link, f"response {previous}" if previous else "", measured, end)
        new = (("response", str(end["id"])),) if end.get("id") else ()
        went_on = handle if end["status"] == "failed" else handle.plus(*new)
        yield measured.turn(went_on, usage_in(end), new, status=end["status"], reason=end["reason"])

    def fork(self, handle: Handle, response_id: str) -> Handle:
        """The conversation as it was after this response. Sends nothing; both share the turns up to there, so deleting
        one takes them from the other. Raises ConversationGone for an id that is not in the handle."""
        ids = handle.all("response")
        if response_id not in ids:
            raise ConversationGone(f"This conversation has no response {response_id}.")
        return replace(handle, ids=tuple(("response", id_) for id_ in ids[: ids.index(response_id) + 1]))

    def export(self, handle: Handle) -> list[Message]:
        """Every turn's input and output, read from the server, oldest first.

        Some servers list with a turn the whole input it was given, history included, and some only what was new.
        """
        transcript: list[Message] = []
        for id_ in handle.all("response"):
            with self._server.failures(lost=f"response {id_}"):
                client = self._server.client(MeteredTurn())
                listed = said(paged(client.responses.input_items.list(id_, order="asc", limit=PAGE)))
                output = said(iter(field(client.responses.retrieve(id_), "output") or []))
            spoken = [message for message in listed if not message.is_system]
            known = len(transcript) if spoken[: len(transcript)] == transcript else 0
            transcript += [*spoken[known:], *output]
        return [*prompt_of(handle.system_prompt), *transcript]

    def delete(self, handle: Handle) -> Deletion:
        """Response by response, newest first; then each is asked for again."""
        responses = self._server.client(MeteredTurn()).responses
        ids = list(reversed(handle.all("response")))
        answers = [self._server.status_of(partial(responses.delete, id_)) for id_ in ids]
        return Deletion.of(
            [
                DeletedItem("response", id_, answered, self._server.status_of(partial(responses.retrieve, id_)))
                for id_, answered in zip(ids, answers, strict=True)
            ]
        )

    def delete_one(self, id_: str) -> DeletedItem:
        """One response of the chain; then it is asked for again."""
        responses = self._server.client(MeteredTurn()).responses
        answered = self._server.status_of(partial(responses.delete, id_))
        return DeletedItem("response", id_, answered, self._server.status_of(partial(responses.retrieve, id_)))

    def count(self, handle: Handle, text: str) -> int | None:
        """By `/responses/input_tokens`, the history on the server included."""
        previous = handle.last("response")
        link = {"previous_response_id": previous} if previous else {}
        return self._counted(handle, text, link, f"response {previous}")
