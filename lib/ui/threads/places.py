"""Which servers stand behind the columns: the replica on this machine, or a configured endpoint.

The rule: keys are taken here, where the browser session can be read, and stay in memory. Nothing is asked before a person asks.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import streamlit as st

from lib.server_history import Approach, ServerHistory, ThreadSettings
from lib.server_history.comparison import Comparison
from lib.server_history.factory import OF_KIND, open_server_history
from lib.server_history.offline import LocalReplica
from lib.ui.shell import services, session_settings
from lib.ui.shell.page import Page

REPLICA = "replica"
APPROACHES: tuple[Approach, ...] = ("manual", "conversations", "responses", "assistants", "claude")
NAMES: dict[Approach, str] = {
    "manual": "Sent again every turn",
    "conversations": "Conversations",
    "responses": "Chain of responses",
    "assistants": "Assistants threads",
    "claude": "Claude message threads",
}


def places() -> dict[str, str]:
    """Where the columns may run: name -> label."""
    configured = {
        name: endpoint.label for name, endpoint in services.settings().endpoints.items() if endpoint.kind != "local"
    }
    return {REPLICA: LocalReplica.label, **configured}


def approaches(where: str) -> tuple[Approach, ...]:
    """What may be spoken there."""
    return APPROACHES if where == REPLICA else OF_KIND[services.endpoint(where).kind]


def side_of(page: Page, where: str) -> Comparison:
    """The columns of this browser session at this place; made on first use."""
    key = f"side:{page.session_id}:{where}"
    name = st.session_state.get(key)
    made = services.sides().get(name or "")
    if made is None:
        name = uuid.uuid4().hex
        store = services.chat().store
        session_id = page.session_id

        def keep(handles: Mapping[str, Any]) -> None:
            store.keep_handles(session_id, handles)

        made = Comparison(
            where, page.settings.system_prompt, _opener(where, services.key_for(where)), keep, dict(page.about.handles)
        )
        services.sides()[name] = made
        st.session_state[key] = name
    return made


def _opener(where: str, key: str | None) -> Any:
    """Opens an adapter from any thread: the key was taken where the browser session can be read."""

    def opened(approach: Approach, settings: ThreadSettings, other: bool) -> ServerHistory:
        if where == REPLICA or other:
            return services.replicas()[1 if other else 0].history(approach, settings)
        endpoint = services.endpoint(where)
        chosen = session_settings.defaults(where)
        return open_server_history(approach, endpoint, key or endpoint.key, services.provider_of(chosen, key), settings)

    return opened
