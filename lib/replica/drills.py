"""Looking at what the replica holds, and making it forget: what no vendor's server offers.

What for: the page shows what is really on the server, and lets a session expire without waiting for it. The rule: looking
counts as no use and changes nothing; expiring is what the vendor's own clock would do. It leaves out other drills: deleting a
response in the middle of a chain, or writing twice at once, are ordinary requests.
"""

from __future__ import annotations

from collections.abc import Callable

from lib.replica.http_values import LABEL, Answer, Call, Json, Route, refuse
from lib.replica.model import Model
from lib.replica.openai.assistants import message_text
from lib.replica.openai.items import item_text
from lib.replica.openai.run_worker import ACTIVE
from lib.replica.store import Assistant, Conversation, Held, Store, Stored, Thread


class Drills:
    """The endpoints below /replica."""

    def __init__(self, store: Store, model: Model, clock: Callable[[], float]) -> None:
        self._store = store
        self._model = model
        self._clock = clock

    def routes(self) -> list[Route]:
        """Method, path and handler of each."""
        return [
            ("GET", "/replica/contents", self.contents),
            ("POST", "/replica/expire", self.expire),
            ("GET", "/v1/models", self.models),
        ]

    async def contents(self, call: Call) -> Answer:
        """Everything that is held, oldest use first, as `{role, text}` lists; the window in tokens."""
        return Answer(
            {
                "object": "replica.contents",
                "label": LABEL,
                "window": self._model.window,
                "conversations": [
                    {"id": held.id, "locked": held.busy, "messages": _said(held.items)}
                    for held in self._store.all(Conversation)
                ],
                "responses": [_response(held) for held in self._store.all(Stored)],
                "assistants": [held.body for held in self._store.all(Assistant)],
                "threads": [_thread(held) for held in self._store.all(Thread)],
                "message_threads": [self._held(held) for held in self._store.all(Held)],
            }
        )

    async def expire(self, call: Call) -> Answer:
        """Forget what is held under `id`, as if its time were over. A run that is active expires."""
        identifier = call.body.get("id")
        if not isinstance(identifier, str):
            raise refuse("Missing required parameter: 'id'.", param="id", code="missing_required_parameter")
        if not self._expire_run(identifier):
            gone = self._store.drop(identifier)
            if gone is None:
                raise refuse(f"Nothing is held under the id '{identifier}'.", status=404)
            for run in gone.runs.values() if isinstance(gone, Thread) else ():
                if run.task is not None:
                    run.task.cancel()
        return Answer({"object": "replica.expired", "id": identifier, "expired": True})

    async def models(self, call: Call) -> Answer:
        """The one model that answers, whatever name is asked for."""
        model = {"id": await self._model.name(), "object": "model", "created": 0, "owned_by": "windowseat-replica"}
        return Answer({"object": "list", "data": [model]})

    def _expire_run(self, identifier: str) -> bool:
        for thread in self._store.all(Thread):
            run = thread.runs.get(identifier)
            if run is not None and run.task is not None and run.body["status"] in ACTIVE:
                run.end = "expired"
                run.task.cancel()
                return True
        return False

    def _held(self, held: Held) -> Json:
        left = round(held.expires_at - self._clock(), 1)
        return {
            "id": held.id,
            "expires_in_seconds": max(0.0, left),
            "expired": left <= 0,
            "continued": held.continued,
            "system": held.system,
            "messages": [{"role": message["role"], "text": message["content"]} for message in held.messages],
        }


def _said(items: list[Json]) -> list[Json]:
    return [{"id": item["id"], "role": item["role"], "text": item_text(item)} for item in items]


def _response(held: Stored) -> Json:
    names = ("id", "status", "previous_response_id", "conversation", "usage")
    return {name: held.body[name] for name in names} | {"messages": _said([*held.input, *held.body["output"]])}


def _thread(held: Thread) -> Json:
    return {
        "id": held.id,
        "active_run": held.active,
        "messages": [
            {"id": message["id"], "role": message["role"], "text": message_text(message)} for message in held.messages
        ],
        "runs": [{name: run.body[name] for name in ("id", "status", "usage")} for run in held.runs.values()],
    }
