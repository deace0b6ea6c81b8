"""Endpoints that no vendor offers: list what the replica holds, and make it forget.

The page uses them to show what is really on the server, and to expire a conversation without waiting. Listing changes
nothing and does not count as a use; expiring does what the vendor's own clock would do.
"""

from __future__ import annotations

from dataclasses import dataclass

from lib.replica.errors import missing_parameter, openai_error
from lib.replica.http_values import LABEL, Answer, Call, Clock, Json, Route
from lib.replica.model import Model
from lib.replica.openai.assistants import message_text
from lib.replica.openai.items import item_text
from lib.replica.openai.run_worker import ACTIVE_STATUSES
from lib.replica.store import Assistant, Conversation, MessageThread, Store, StoredResponse, Thread


@dataclass(frozen=True, slots=True)
class Drills:
    """The endpoints below /replica, and the list of models."""

    store: Store
    model: Model
    clock: Clock

    def routes(self) -> list[Route]:
        """Method, path and handler of each."""
        return [
            ("GET", "/replica/contents", self.contents),
            ("POST", "/replica/expire", self.expire),
            ("GET", "/v1/models", self.models),
        ]

    async def contents(self, call: Call) -> Answer:
        """All entries, the last used one last, with `{id, role, text}` messages; the window in tokens."""
        return Answer(
            {
                "object": "replica.contents",
                "label": LABEL,
                "window": self.model.window,
                "conversations": [
                    {"id": entry.id, "locked": entry.busy, "messages": _item_messages(entry.items)}
                    for entry in self.store.all(Conversation)
                ],
                "responses": [_response(entry) for entry in self.store.all(StoredResponse)],
                "assistants": [entry.body for entry in self.store.all(Assistant)],
                "threads": [_thread(entry) for entry in self.store.all(Thread)],
                "message_threads": [self._message_thread(entry) for entry in self.store.all(MessageThread)],
            }
        )

    async def expire(self, call: Call) -> Answer:
        """Forget the entry with this `id`, as if its time were over. An active run with this id expires."""
        id_ = call.body.get("id")
        if not isinstance(id_, str):
            raise missing_parameter("id")
        if not self._expire_run(id_):
            dropped = self.store.drop(id_)
            if dropped is None:
                raise openai_error(f"Nothing is held under the id '{id_}'.", status=404)
            if isinstance(dropped, Thread):
                dropped.cancel_runs()
        return Answer({"object": "replica.expired", "id": id_, "expired": True})

    async def models(self, call: Call) -> Answer:
        """The one model that answers, whatever name a request uses."""
        model = {"id": await self.model.name(), "object": "model", "created": 0, "owned_by": "windowseat-replica"}
        return Answer({"object": "list", "data": [model]})

    def _expire_run(self, id_: str) -> bool:
        for thread in self.store.all(Thread):
            run = thread.runs.get(id_)
            if run is not None and run.task is not None and run.body["status"] in ACTIVE_STATUSES:
                run.end_status = "expired"
                run.task.cancel()
                return True
        return False

    def _message_thread(self, entry: MessageThread) -> Json:
        seconds_left = round(entry.expires_at - self.clock(), 1)
        return {
            "id": entry.id,
            "expires_in_seconds": max(0.0, seconds_left),
            "expired": seconds_left <= 0,
            "continued": entry.continued,
            "system": entry.system,
            "messages": [{"role": message["role"], "text": message["content"]} for message in entry.messages],
        }


def _item_messages(items: list[Json]) -> list[Json]:
    return [{"id": item["id"], "role": item["role"], "text": item_text(item)} for item in items]


def _response(entry: StoredResponse) -> Json:
    names = ("id", "status", "previous_response_id", "conversation", "usage")
    messages = _item_messages([*entry.input, *entry.body["output"]])
    return {name: entry.body[name] for name in names} | {"messages": messages}


def _thread(entry: Thread) -> Json:
    return {
        "id": entry.id,
        "active_run": entry.active_run,
        "messages": [
            {"id": message["id"], "role": message["role"], "text": message_text(message)} for message in entry.messages
        ],
        "runs": [{name: run.body[name] for name in ("id", "status", "usage")} for run in entry.runs.values()],
    }
