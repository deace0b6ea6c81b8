"""The ServerHistory protocol: a conversation kept by a server, so that a turn uploads only the new message.

`send` always ends with a ServerTurn, whose Handle is all that the next turn needs. Handles round-trip through JSON. An
adapter belongs to one endpoint and one key, holds no conversation, and may be used from any thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from lib.messages import Message, Usage
from lib.providers import TextDelta

Approach = Literal["manual", "assistants", "responses", "conversations", "claude"]
ReplyStatus = Literal["complete", "incomplete", "failed"]
Truncation = Literal["auto", "disabled"]
Ids = tuple[tuple[str, str], ...]
NOT_FOUND_STATUSES = (404, 410)
"""HTTP statuses that prove deletion."""


@dataclass(frozen=True, slots=True)
class Handle:
    """What the next turn needs. `ids` are (kind, id) pairs, oldest first; the kinds are assistant, thread,
    conversation, response and message. `own_copy` holds the messages so far, for approaches that need them on our side.

    Example: Handle("responses", "m").plus(("response", "resp_1")).last("response") -> "resp_1"
    """

    approach: Approach
    model: str
    system_prompt: str = ""
    ids: Ids = ()
    own_copy: tuple[Message, ...] = field(default=(), repr=False)

    def all(self, kind: str) -> list[str]:
        """Every id of this kind, oldest first."""
        return [id_ for id_kind, id_ in self.ids if id_kind == kind]

    def last(self, kind: str) -> str | None:
        """The newest id of this kind, or None."""
        return next((id_ for id_kind, id_ in reversed(self.ids) if id_kind == kind), None)

    def plus(self, *ids: tuple[str, str], messages: Sequence[Message] = ()) -> Handle:
        """The same handle with more ids, and more messages in our own copy."""
        return replace(self, ids=(*self.ids, *ids), own_copy=(*self.own_copy, *messages))

    def to_dict(self) -> dict[str, Any]:
        """The JSON stored with the session. It holds no key."""
        return {
            "approach": self.approach,
            "model": self.model,
            "system_prompt": self.system_prompt,
            "ids": [list(pair) for pair in self.ids],
            "copy": [message.to_dict() for message in self.own_copy],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Handle:
        """Read what `to_dict` wrote."""
        return cls(
            approach=stored["approach"],
            model=str(stored["model"]),
            system_prompt=str(stored.get("system_prompt", "")),
            ids=tuple((str(kind), str(id_)) for kind, id_ in stored.get("ids", ())),
            own_copy=tuple(Message.from_dict(message) for message in stored.get("copy", ())),
        )


@dataclass(frozen=True, slots=True)
class Wire:
    """One HTTP request, polls included. Bytes count the bodies as transmitted, without headers. `bytes_down` and
    `status` are None if unknown; without an answer there is no status."""

    method: str
    path: str
    bytes_up: int
    bytes_down: int | None
    status: int | None
    ms: float


@dataclass(frozen=True, slots=True)
class ServerTurn:
    """The end of a turn. `handle` is what the next `send` takes; `ids` are the ids this turn added, runs included.

    `reason` says in the server's words why a turn is not complete. `replayed` is True if the server had lost the
    history and we sent all of it again. `notes` are sentences about where the server did something other than
    requested.
    """

    reply: str
    handle: Handle
    usage: Usage = field(default_factory=Usage)
    wires: tuple[Wire, ...] = ()
    first_token_ms: float | None = None
    duration_ms: float = 0.0
    status: ReplyStatus = "complete"
    reason: str | None = None
    ids: Ids = ()
    replayed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def bytes_up(self) -> int:
        """Bytes uploaded by all requests of this turn."""
        return sum(wire.bytes_up for wire in self.wires)


@dataclass(frozen=True, slots=True)
class DeletedItem:
    """One object we tried to delete. `delete_status` and `read_status` are the HTTP statuses of the deletion and of
    reading the object again; None if that request was not made."""

    kind: str
    id: str
    delete_status: int | None
    read_status: int | None

    @property
    def proven(self) -> bool:
        """Whether the server confirmed the deletion and then no longer found the object. A 404 for the deletion proves
        nothing: a server without this endpoint answers the same."""
        return self.delete_status == 200 and self.read_status in NOT_FOUND_STATUSES


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was deleted, with proof. `sentence` says it for people."""

    items: tuple[DeletedItem, ...]
    sentence: str

    @property
    def proven(self) -> bool:
        """Whether every object is proven gone. False if there was nothing to delete."""
        return bool(self.items) and all(item.proven for item in self.items)

    @classmethod
    def of(cls, items: Sequence[DeletedItem]) -> Deletion:
        """A deletion whose sentence says what reading the objects again returned."""
        unproven = [item for item in items if not item.proven]
        if not items:
            return cls((), "The server was given nothing to keep, so there is nothing to delete.")
        if not unproven:
            return cls(tuple(items), _confirmed(len(items)))
        statuses = "; ".join(
            f"{item.kind} {item.id}: deleting it returned {item.delete_status}, reading it again {item.read_status}"
            for item in unproven
        )
        return cls(tuple(items), f"Not proven for {len(unproven)} of {len(items)} objects. {statuses}.")


def _confirmed(count: int) -> str:
    if count == 1:
        return "Deleted 1 object; server confirms it is gone."
    return f"Deleted {count} objects; server confirms {'both' if count == 2 else f'all {count}'} are gone."


@dataclass(frozen=True, slots=True)
class ThreadSettings:
    """Settings a person may choose. None leaves the choice to the server, and is not sent.

    `max_output_tokens` limits each reply. `store` and `truncation` apply to Responses and Conversations;
    `last_messages` (a number of messages) and `max_prompt_tokens` to Assistants. With `stream` False, Assistants runs
    are polled every `poll_seconds` unless the server names another interval, and cancelled after `deadline_seconds`.
    """

    max_output_tokens: int = 512
    store: bool = True
    truncation: Truncation | None = None
    last_messages: int | None = None
    max_prompt_tokens: int | None = None
    stream: bool = True
    poll_seconds: float = 1.0
    deadline_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement about an approach, with its source and the ISO date it was read."""

    says: str
    source: str
    read_on: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a person should know before choosing an approach."""

    name: str
    location: Fact
    retention: Fact
    who_trims: Fact
    trimming_visible: Fact
    listing: Fact
    edit: Fact
    export: Fact
    delete: Fact
    overflow: Fact
    portability: Fact
    best_for: Fact


class ServerHistory(Protocol):
    """One way of having a conversation kept. Every method raises a ChatError if the server does not do as asked."""

    @property
    def facts(self) -> Facts:
        """What a person should know about this approach."""

    @property
    def settings(self) -> ThreadSettings:
        """The settings it was created with."""

    def create(self, system_prompt: str) -> Handle:
        """Start a conversation. Objects the server needs for it are created now."""

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """Send one message: yields text as it streams, then one ServerTurn. Raises ConversationGone for unknown ids."""

    def export(self, handle: Handle) -> list[Message]:
        """The conversation, system prompt first, read from the server if it can be read there."""

    def delete(self, handle: Handle) -> Deletion:
        """Delete what the server keeps, then read it again as proof."""

    def count(self, handle: Handle, text: str) -> int | None:
        """Input tokens that sending `text` would cost, by the server's counting endpoint; None if it has none."""
