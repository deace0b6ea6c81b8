"""The places where lanes can run: the replica on this machine, or a configured endpoint. Opens their comparisons.

Keys are read here, on the page's own thread, because other threads cannot read the browser session; they stay in
memory.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from lib.errors import ChatError
from lib.messages import Usage
from lib.pricing.costs import cost
from lib.pricing.model import Model
from lib.server_history import Approach, ServerHistory, ThreadSettings
from lib.server_history.comparison import Comparison, OpenServerHistory
from lib.server_history.factory import APPROACHES_OF_KIND, open_server_history
from lib.server_history.lane import LaneState
from lib.server_history.lane_turn import LaneTurn
from lib.server_history.ledger import PriceOf
from lib.server_history.metered import metered_history
from lib.server_history.offline import LocalReplica
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.model_counters import counter_for
from lib.ui.providers import metered
from lib.ui.shell import services, session_settings
from lib.ui.shell.page import Page
from lib.ui.threads import state

REPLICA = "replica"
APPROACHES: tuple[Approach, ...] = ("manual", "conversations", "responses", "assistants", "claude")
NEWEST_ID_KIND: dict[Approach, str] = {
    "conversations": "conversation",
    "responses": "response",
    "assistants": "thread",
    "claude": "message",
}
"""The kind of id under which the server finds the newest state of a conversation."""
FORGOTTEN = LaneTurn("", drill="The replica was started anew since, and no longer holds this.", gone="expired")
NAMES: dict[Approach, str] = {
    "manual": "Sent again every turn",
    "conversations": "Conversations",
    "responses": "Chain of responses",
    "assistants": "Assistants threads",
    "claude": "Claude message threads",
}


def labels() -> dict[str, str]:
    """The label of every place, by its name."""
    endpoints = services.settings().endpoints
    configured = {name: endpoint.label for name, endpoint in endpoints.items() if endpoint.kind != "local"}
    return {REPLICA: LocalReplica.label, **configured}


def approaches_at(place: str) -> tuple[Approach, ...]:
    """The approaches to offer at this place."""
    return APPROACHES if place == REPLICA else APPROACHES_OF_KIND[services.endpoint(place).kind]


def window(place: str) -> int | None:
    """The context window of the model there, in tokens; None if unknown."""
    if place == REPLICA:
        return services.replicas()[0].window
    model = _model(place)
    return model.context_window if model is not None else None


def counter(place: str) -> TokenCounter:
    """Our own counter for the retention check: at the replica the local model's, elsewhere a tokenizer for the
    model."""
    if place == REPLICA:
        try:
            return services.asked_counter(session_settings.defaults("local"))
        except ChatError:
            return ESTIMATE
    endpoint = services.endpoint(place)
    return counter_for("anthropic" if endpoint.kind == "anthropic" else "openai", endpoint.model)


def provenance(place: str) -> str:
    """Who counted the tokens that this place reports."""
    return "counted" if place == REPLICA else "billed"


def price_of(place: str) -> PriceOf:
    """A function for the list price of a usage there, in USD; it returns None if no price is known."""
    model = None if place == REPLICA else _model(place)

    def price(usage: Usage) -> Decimal | None:
        if place == REPLICA:
            return Decimal(0)
        costs = None if model is None else cost(model, usage)
        return None if costs is None else costs.total

    return price


def comparison_of(page: Page, place: str) -> Comparison:
    """This browser session's comparison for the open chat at this place, created on first use."""
    session_id, store = page.session_id, services.chat().store
    comparison = services.sides().get(state.comparison_id(session_id, place) or "")
    if comparison is None:

        def save_handles(handles: Mapping[str, Any]) -> None:
            store.keep_handles(session_id, handles)

        comparison = Comparison(
            place,
            page.settings.system_prompt,
            _opener(place),
            save_handles,
            dict(page.about.handles),
            in_turns=place == REPLICA,  # its lanes share the one model
        )
        id_ = uuid.uuid4().hex
        services.sides()[id_] = comparison
        state.set_comparison_id(session_id, place, id_)
    return comparison


def seen(comparison: Comparison, approaches: Sequence[Approach]) -> list[LaneState]:
    """The lanes as the page shows them: where the replica no longer holds a conversation from before the page was
    opened, because it ends with the app, the lane says so."""
    return [
        replace(lane, turns=(*lane.turns[: lane.stored_before], FORGOTTEN, *lane.turns[lane.stored_before :]))
        if _forgotten(comparison, lane)
        else lane
        for lane in comparison.states(approaches)
    ]


def _forgotten(comparison: Comparison, lane: LaneState) -> bool:
    newer = lane.turns[lane.stored_before :]
    if comparison.place != REPLICA or not lane.stored_before or any(turn.result is not None for turn in newer):
        return False
    id_ = lane.handle.last(NEWEST_ID_KIND.get(lane.approach, "")) if lane.handle is not None else None
    if id_ is None or any(turn.gone for turn in lane.turns):
        return False
    try:
        return not services.replicas()[0].holds(id_)
    except ChatError:
        return False  # it does not answer now; the next turn says why


def _model(place: str) -> Model | None:
    endpoint = services.endpoint(place)
    return services.find_model(endpoint.name, endpoint.model)


def _opener(place: str) -> OpenServerHistory:
    """A function that opens adapters from any thread. The second account is always the second replica."""
    key, meter, known = services.key_for(place), None if place == REPLICA else metered.new_meter(), dict[str, int]()

    def open_history(approach: Approach, settings: ThreadSettings, second_account: bool) -> ServerHistory:
        if meter is None or second_account:
            return services.replicas()[1 if second_account else 0].history(approach, settings)
        endpoint = services.endpoint(place)
        provider = services.provider_of(session_settings.defaults(place), key)
        history = open_server_history(approach, endpoint, key, provider, settings)
        return metered_history(history, meter, endpoint.name, known)

    return open_history
