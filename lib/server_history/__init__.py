"""ServerHistory: a conversation that a server keeps, so that a turn uploads only what is new.

The one rule: the last event of `send` is always a ServerTurn, and everything needed to go on is in its Handle, which
round-trips through JSON. An adapter is built for one endpoint and one key, holds no conversation, and is used from any thread.

Left out: where handles are stored, what a turn costs, and whether the server truly held the history (lib/server_history/retention_check.py).
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
"""What a server answers about something it does not have."""


@dataclass(frozen=True, slots=True)
class Handle:
    """What the next turn needs. `ids` are (kind, id) pairs, oldest first; kinds are assistant, thread, conversation,
    response and message. `copy` is our own copy of what was said, where the approach needs one.

    Example: Handle("responses", "m").plus(("response", "resp_1")).last("response") -> "resp_1"
    """

    approach: Approach
    model: str
    system_prompt: str = ""
    ids: Ids = ()
    copy: tuple[Message, ...] = field(default=(), repr=False)

    def all(self, kind: str) -> list[str]:
        """Every id of this kind, oldest first."""
        return [id_ for known, id_ in self.ids if known == kind]

    def last(self, kind: str) -> str | None:
        """The newest id of this kind."""
        return next((id_ for known, id_ in reversed(self.ids) if known == kind), None)

    def plus(self, *ids: tuple[str, str], said: Sequence[Message] = ()) -> Handle:
        """With further ids, and further messages in our copy."""
        return replace(self, ids=(*self.ids, *ids), copy=(*self.copy, *said))

    def to_dict(self) -> dict[str, Any]:
        """As it is kept with the session. Holds no key."""
        return {
            "approach": self.approach,
            "model": self.model,
            "system_prompt": self.system_prompt,
            "ids": [list(pair) for pair in self.ids],
            "copy": [message.to_dict() for message in self.copy],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Handle:
        """Read what `to_dict` wrote."""
        return cls(
            approach=stored["approach"],
            model=str(stored["model"]),
            system_prompt=str(stored.get("system_prompt", "")),
            ids=tuple((str(kind), str(id_)) for kind, id_ in stored.get("ids", ())),
            copy=tuple(Message.from_dict(message) for message in stored.get("copy", ())),
        )


@dataclass(frozen=True, slots=True)
class Wire:
    """One HTTP request, polls included. Bytes are those of the bodies as they travel, without headers; `bytes_down` and
    `status` are None where they are not known (`status` also when there was no answer)."""

    method: str
    path: str
    bytes_up: int
    bytes_down: int | None
    status: int | None
    ms: float


@dataclass(frozen=True, slots=True)
class ServerTurn:
    """The end of a turn. `handle` is what the next `send` takes; `ids` are the new ones of this turn, runs included.

    `reason` says why a turn is not complete, in the server's words. `replayed` is True when the server had lost the
    history and all of it was sent again. `notes` are sentences about what the server did other than asked.
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
        """Everything this turn uploaded, all requests together."""
        return sum(wire.bytes_up for wire in self.wires)


@dataclass(frozen=True, slots=True)
class DeletedItem:
    """One thing that was to be deleted. `answered` is the status of the deletion, `reread` what asking for it again gave;
    None where nothing was asked."""

    kind: str
    id: str
    answered: int | None
    reread: int | None

    @property
    def proven(self) -> bool:
        """Whether the server deleted it and says, asked again, that it does not have it. What it never knew proves nothing:
        a server without the address answers the same."""
        return self.answered == 200 and self.reread in NOT_FOUND_STATUSES


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was deleted, with the proof. `words` says it plainly."""

    things: tuple[DeletedItem, ...]
    words: str

    @property
    def proven(self) -> bool:
        """Whether everything is proven gone. False where nothing could be deleted."""
        return bool(self.things) and all(gone.proven for gone in self.things)

    @classmethod
    def of(cls, things: Sequence[DeletedItem]) -> Deletion:
        """With a sentence that says what asking again gave."""
        left = [gone for gone in things if not gone.proven]
        if not things:
            return cls((), "The server was given nothing to keep, so there is nothing to delete.")
        if not left:
            return cls(
                tuple(things), f"Deleted {len(things)} of {len(things)}: asked again, the server has none of them."
            )
        found = "; ".join(
            f"{gone.kind} {gone.id}: the deletion was answered with {gone.answered}, asking again with {gone.reread}"
            for gone in left
        )
        return cls(tuple(things), f"Not proven for {len(left)} of {len(things)}. {found}.")


@dataclass(frozen=True, slots=True)
class ThreadSettings:
    """What a person may choose. None leaves the choice to the server, and is not sent.

    `max_output_tokens` per reply. `store` and `truncation`: Responses and Conversations. `last_messages` (a count) and
    `max_prompt_tokens`: Assistants. `stream` False polls for Assistants. Seconds: `poll_seconds` between polls where the
    server does not say, `deadline_seconds` until a run is given up.
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
    """One statement about an approach, with its source and the day it was read (ISO date)."""

    says: str
    source: str
    read_on: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a person should know before choosing an approach."""

    name: str
    lives: Fact
    retention: Fact
    who_trims: Fact
    can_you_see_it: Fact
    list_: Fact
    edit: Fact
    export: Fact
    delete: Fact
    overflow: Fact
    portability: Fact
    best_for: Fact


class ServerHistory(Protocol):
    """One way of having a conversation kept. Every call raises a ChatError when the server does not do as asked."""

    @property
    def facts(self) -> Facts:
        """What to know about this approach."""

    @property
    def settings(self) -> ThreadSettings:
        """How it was set up."""

    def create(self, system_prompt: str) -> Handle:
        """A new conversation; where the server has something to create, it is created now."""

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """One turn: text as it comes, then one ServerTurn. Raises ConversationGone for ids the server does not know."""

    def export(self, handle: Handle) -> list[Message]:
        """What was said, the system prompt first, read from the server where it has it."""

    def delete(self, handle: Handle) -> Deletion:
        """Delete what the server keeps, and ask for it again as the proof."""

    def count(self, handle: Handle, text: str) -> int | None:
        """Input tokens that `text` would cost as the next turn, by the server's counting endpoint; None if it has none."""
