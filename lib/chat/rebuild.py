"""Rebuilds the request a turn sent, from the stored history and the turn's record, and checks it against the hash."""

from __future__ import annotations

from collections.abc import Sequence

from lib.errors import ChatError
from lib.messages import Message, system, user
from lib.providers import ChatRequest, Provider, SentBody
from lib.turns import PlanSummary, Turn

MESSAGES = {"messages", "system"}
"""The fields of a body that hold the conversation. A turn records the others."""


def messages_of(plan: PlanSummary, system_prompt: str, prompt: str, history: Sequence[Message]) -> list[Message]:
    """The messages a plan sends, taken from the stored history."""
    candidates = [*history[: plan.stored], user(prompt)]
    sent = [candidates[at] for start, stop, included, _ in plan.runs if included for at in range(start, stop)]
    preamble = [system(system_prompt)] if plan.system_tokens is not None else []
    preamble += [plan.summary.message] if plan.summary is not None else []
    return [*preamble, *sent]


def rebuild_request(turn: Turn, history: Sequence[Message]) -> ChatRequest | None:
    """Rebuild the request a turn sent from the stored history and the turn's record. None if that is not possible.

    The new message comes from the turn itself, so that a history which another service has trimmed since shows up in
    the other messages instead of hiding.
    """
    plan = turn.plan
    limit = turn.request.get("max_tokens", turn.request.get("max_completion_tokens"))
    if plan is None or not isinstance(limit, int) or plan.stored > len(history):
        return None
    messages = messages_of(plan, turn.system_prompt, turn.prompt, history)
    return ChatRequest(str(turn.request.get("model", turn.model)), tuple(messages), limit)


def rebuild_body(turn: Turn, history: Sequence[Message], provider: Provider) -> SentBody | None:
    """The body a turn sent: its messages from the stored history, every other field as the turn recorded it.

    So a setting that the app sends differently today, such as the sampling of the local model, changes nothing about
    what an older turn is shown to have sent. None if it cannot be rebuilt.
    """
    request = rebuild_request(turn, history)
    if request is None:
        return None
    today = provider.prepare(request)
    kept = {
        name: turn.request.get(name, value)
        for name, value in today.body.items()
        if name in MESSAGES | turn.request.keys()
    }
    return SentBody.of(request, {**kept, **{name: v for name, v in turn.request.items() if name not in kept}})


def matches_what_was_sent(turn: Turn, history: Sequence[Message], provider: Provider) -> bool | None:
    """Whether the rebuilt body has the recorded SHA-256; None if nothing was recorded."""
    if turn.request_sha256 is None:
        return None
    try:
        body = rebuild_body(turn, history, provider)
    except (ChatError, ValueError):
        return False
    return None if body is None else body.sha256 == turn.request_sha256
