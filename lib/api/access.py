"""Who may see or change which session over HTTP: the one place that decides it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from starlette.requests import Request

from lib.access import THE_ONE, Person, Right
from lib.api.errors import no_such_session
from lib.errors import NotYours

if TYPE_CHECKING:
    from lib.access.gate import Gate
    from lib.chat.service import ChatService


class Access(Protocol):
    """Decides about one request. May block: it is called in a thread."""

    def may(self, request: Request, session_id: str, write: bool) -> None:
        """Return if the caller may read the session, or write to it. Raises Refused (404) or NotYours if not.

        It is asked before anything of the session is read, also for a session that does not exist yet. Whoever may
        write to one becomes its owner.
        """

    def chat(self, request: Request) -> ChatService:
        """The service as the caller may use it. Whatever it does not allow raises NotYours."""

    def owner(self, request: Request) -> str:
        """The id of the person whose sessions the caller begins; empty where there is one person only."""


class ByPerson:
    """The person who sent the request may use their own sessions, and what others shared."""

    def __init__(self, chat: Callable[[], ChatService], person_of: Callable[[Request], Person]) -> None:
        self._chat = chat
        self._person_of = person_of

    def may(self, request: Request, session_id: str, write: bool) -> None:
        """Ask the gate. To somebody who may not even read the session, it does not exist."""
        try:
            self._gate(request).check(session_id, Right.WRITE if write else Right.READ)
        except NotYours:
            if write:
                raise
            raise no_such_session() from None

    def chat(self, request: Request) -> ChatService:
        """The service behind the person's gate."""
        from lib.access.gated_chat import GatedChat

        gate = self._gate(request)
        return self._chat() if gate.person == THE_ONE else GatedChat(gate, self._chat())

    def owner(self, request: Request) -> str:
        """The caller's own id."""
        return self._person_of(request).id

    def _gate(self, request: Request) -> Gate:
        from lib.access.gate import Gate

        return Gate(self._person_of(request), self._chat().store)
