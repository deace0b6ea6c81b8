"""Makes the record of a turn of a request that an app sent: where its messages are, what was sent, what came back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lib.chat_settings import ChatSettings
from lib.context.reasons import Reason
from lib.messages import Message, system
from lib.recorded_requests import STRATEGY, RecordedRequest, prompt_of
from lib.recorder.alignment import Alignment
from lib.recorder.rebuild import body_of, values_sha256, writing_of
from lib.recorder.replies.answer import Answer
from lib.recorder.requests import AppRequest
from lib.recorder.tape import Ended, Tape
from lib.tokens import TokenCounter
from lib.turns import PlanSummary, Turn

WHY: dict[str, str] = {
    "complete": "The answer ended before the server said that it is complete.",
    "left": "The app closed the connection before the answer was complete.",
    "broken": "The server broke off.",
    "unreachable": "The server was not reached.",
    "stopped": "It was stopped on a page, and the app's connection was closed.",
}
CHANGED_KEY = (
    "A key stood in the body. It was passed on and is not stored, so the body cannot be written again exactly."
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A request with its place in a session. `as_sent` is what held before, by stored index."""

    request: AppRequest
    alignment: Alignment
    history: Sequence[Message]
    as_sent: dict[int, tuple[Any, ...]]
    parent: str = ""
    parent_messages: int = 0
    cleaned: bool = False
    """A key was taken out of it."""

    @property
    def new(self) -> list[Message]:
        """The messages that are appended."""
        pairs = zip(self.alignment.places, self.request.messages, strict=True)
        return [each.message for place, each in pairs if place >= self.alignment.first_new]


def turn_of(
    tape: Tape,
    placed: Placed,
    answer: Answer,
    ended: Ended,
    status: int | None,
    settings: ChatSettings,
    plan: PlanSummary,
) -> Turn:
    """The whole record."""
    request = placed.request
    complete = ended.how == "complete" and answer.complete
    notes = [answer.note]
    if not complete and not (status or 0) >= 300:
        notes.insert(0, f"{WHY[ended.how]} {ended.what}".strip())
    if tape.overrun:
        notes.append("The answer came faster than it could be read, so its end is not recorded.")
    if placed.cleaned:
        notes.append(CHANGED_KEY)
    return Turn(
        tape.id,
        prompt_of(request.messages[-1].message),
        answer.text,
        "complete" if complete else "stopped",
        settings.provider,
        request.model or answer.model,
        request.system_prompt or "",
        tape.started_at,
        plan,
        dict(request.rest),
        hashlib.sha256(tape.data).hexdigest(),
        answer.usage,
        answer.stop_reason or (None if complete else ended.how),
        answer.response_id or None,
        tape.first_token_ms,
        tape.duration_ms,
        note=" ".join(note for note in notes if note),
        recorded=_recorded(tape, placed, answer, status),
        reasoning=answer.reasoning,
        reply_id=answer.response_id or None,
        cache_diagnosis=answer.cache_diagnosis,
    )


def _recorded(tape: Tape, placed: Placed, answer: Answer, status: int | None) -> RecordedRequest:
    request, alignment = placed.request, placed.alignment
    as_sent = _as_sent(placed)
    known = {**placed.as_sent, **as_sent}
    recorded = RecordedRequest(
        request.path,
        tape.url,
        status,
        tuple(request.body),
        alignment.first_new,
        len(answer.messages),
        request.lead,
        as_sent,
        alignment.changed,
        response_id=answer.response_id,
        parent=placed.parent,
        parent_messages=placed.parent_messages,
    )
    if placed.cleaned:
        return recorded
    elements = [{"role": "system", "content": request.system_prompt} if each is None else each for each in request.lead]
    for place, each in zip(alignment.places, request.messages, strict=True):
        elements += known.get(place) or (_stored(placed, place, each.message).to_dict(),)
    body = body_of(recorded, request.rest, request.system_prompt or "", elements)
    return replace(recorded, writing=writing_of(body, tape.data), values_sha256=values_sha256(request.body))


def _stored(placed: Placed, place: int, message: Message) -> Message:
    """The stored message at this place, which may be about to be appended."""
    return placed.history[place] if place < placed.alignment.first_new else message


def _as_sent(placed: Placed) -> dict[int, tuple[Any, ...] | None]:
    """What differs from what held before this request."""
    differs: dict[int, tuple[Any, ...] | None] = {}
    for place, each in zip(placed.alignment.places, placed.request.messages, strict=True):
        stored = (_stored(placed, place, each.message).to_dict(),)
        now = None if _json(each.elements) == _json(stored) else each.elements
        before = placed.as_sent.get(place)
        if (now is None) != (before is None) or (now is not None and _json(now) != _json(before)):
            differs[place] = now
    return differs


def _json(value: Any) -> str:
    return json.dumps(value)


def plan_of(placed: Placed, settings: ChatSettings, counter: TokenCounter) -> PlanSummary:
    """What was sent and what was not, with sizes by this counter. Raises ProviderError if a server is asked and
    fails."""
    request, alignment = placed.request, placed.alignment
    unsent: Reason = "server_kept" if request.previous_id is not None else "app_dropped"
    instructions = [system(request.system_prompt)] if request.system_prompt is not None else []
    sizes = counter.count_many(instructions)
    sizes += counter.count_many([each.message for each in request.messages])
    template = counter.template(bool(instructions) or request.messages[0].message.is_system)
    sent = len(request.messages)
    return PlanSummary(
        alignment.runs(unsent),
        alignment.newest,
        sent + len(instructions),
        alignment.newest + 1 - sent,
        sum(sizes) + template,
        sizes[0] if instructions else None,
        settings.max_tokens,
        request.max_output_tokens,
        STRATEGY,
        counter.name,
        counter.provenance,
        sum(sizes) + template + request.max_output_tokens <= settings.max_tokens,
        template,
    )
