"""Every st.session_state key of the sessions page, and what no widget keeps of its address, behind functions."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.history import valid_session_id
from lib.history.sessions import SessionQuery
from lib.ui.sessions import tabs

TEXT, MODEL, STRATEGY, AGE, ONLY = "find", "model", "strategy", "last_used", "only"
"""Widget keys of the filters, which are also their names in the address."""
ANY, ANY_TIME = "Any", "Any time"
NO_FILTERS = {TEXT: "", MODEL: ANY, STRATEGY: ANY, AGE: ANY_TIME, ONLY: []}
"""What the filters hold when they ask for everything."""
URL_OTHER = "with"
"""The session that the open one is compared with, in the address."""
OTHER = "compare_with"
PLACES, SEEN_MODELS, DELETED = "sessions_places", "sessions_models", "sessions_deleted"
UNDO_SECONDS = 10.0
"""How long the page offers to undo a deletion. The store keeps what was deleted for a minute."""
MOST_MODELS = 100
"""Names of models that are remembered for the filter."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the list: the cursor that it begins at, and how many sessions were looked at before it."""

    cursor: str | None = None
    looked_at: int = 0


@dataclass(frozen=True, slots=True)
class Deleted:
    """A session that was just deleted. `at` is seconds by the monotonic clock."""

    session_id: str
    title: str
    receipt: str
    at: float

    @property
    def seconds_left(self) -> float:
        """Seconds for which it can be undone on the page."""
        return UNDO_SECONDS - (time.monotonic() - self.at)


def places(query: SessionQuery) -> list[Place]:
    """The pages of the list that were opened, up to the one that is shown. Another search begins with its first."""
    kept = st.session_state.get(PLACES)
    return kept[1] if kept is not None and kept[0] == query else [Place()]


def go_on(query: SessionQuery, place: Place) -> None:
    """Show the next page of the list. For callbacks."""
    st.session_state[PLACES] = (query, [*places(query), place])


def go_back(query: SessionQuery) -> None:
    """Show the page of the list before this one. For callbacks."""
    st.session_state[PLACES] = (query, places(query)[:-1] or [Place()])


def seen_models() -> tuple[str, ...]:
    """Models of the sessions that were listed in this browser session."""
    seen: tuple[str, ...] = st.session_state.get(SEEN_MODELS, ())
    return seen


def see_models(names: Iterable[str]) -> None:
    """Remember models for the filter."""
    st.session_state[SEEN_MODELS] = tuple(dict.fromkeys((*seen_models(), *names)))[:MOST_MODELS]


def chosen_model() -> str:
    """The model that the list is filtered by, also if it came with the address."""
    return str(st.session_state.get(MODEL) or st.query_params.get(MODEL, ""))


def clear_filters() -> None:
    """Look for everything again. For callbacks."""
    st.session_state.update(NO_FILTERS)


def show_tab(name: str) -> None:
    """Open a tab. For callbacks."""
    st.session_state[tabs.TAB] = name


def set_deleted(deleted: Deleted | None) -> None:
    """Remember what was just deleted, or forget it."""
    st.session_state[DELETED] = deleted


def deleted() -> Deleted | None:
    """What was deleted and can still be undone."""
    kept: Deleted | None = st.session_state.get(DELETED)
    return kept if kept is not None and kept.seconds_left > 0 else None


def other_session() -> str:
    """The session that the open one is compared with; empty if none was chosen."""
    chosen = st.query_params.get(URL_OTHER, "")
    return chosen if valid_session_id(chosen) else ""


def compare_with(session_id: str) -> None:
    """Compare the open session with this one, and open that tab. For callbacks."""
    st.query_params[URL_OTHER] = session_id
    st.session_state[OTHER] = session_id
    show_tab(tabs.COMPARE)


def put_other_into_url() -> None:
    """Keep the session that was picked to be compared with in the address. For the callback of its list."""
    st.query_params[URL_OTHER] = st.session_state[OTHER]


def replay_settings(session_id: str, stored: ChatSettings) -> ChatSettings:
    """The settings that a session would be replayed with: those that were chosen here, else its own."""
    chosen: ChatSettings = st.session_state.get(f"replay_settings:{session_id}", stored)
    return chosen


def set_replay_settings(session_id: str, settings: ChatSettings) -> None:
    """Keep the settings to replay a session with. For callbacks."""
    st.session_state[f"replay_settings:{session_id}"] = settings


def begun_replay(session_id: str) -> str:
    """The replay of this session that was begun last in this browser session; empty if there is none."""
    begun: str = st.session_state.get(f"begun_replay:{session_id}", "")
    return begun


def set_begun_replay(session_id: str, replay_id: str) -> None:
    """Remember a replay that was just begun. For callbacks."""
    st.session_state[f"begun_replay:{session_id}"] = replay_id


def text_of(key: str) -> str:
    """What was typed into a field. For callbacks."""
    return str(st.session_state.get(key) or "")
