"""The st.session_state keys of the page of endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lib.errors import ChatError
from lib.providers.connection import Connection
from lib.providers.connection.probe import Outcome

ADDED = "added_endpoints"
TESTS, PROBES = "connection_tests", "connection_probes"
NEW = "new_endpoint"
"""Form name of the fields for a new endpoint."""
FIELDS = ("server", "url", "kind", "model", "window", "key", "variable")


def added() -> list[str]:
    """Names of the endpoints that were added in this browser session, in their order."""
    names: list[str] = st.session_state.get(ADDED, [])
    return names


def add(name: str) -> None:
    """Offer an endpoint in this browser session."""
    st.session_state[ADDED] = [*(each for each in added() if each != name), name]


def remove(name: str) -> None:
    """Offer it no more, and forget what was found out about it."""
    st.session_state[ADDED] = [each for each in added() if each != name]
    for key in (TESTS, PROBES):
        st.session_state[key] = {each: value for each, value in st.session_state.get(key, {}).items() if each != name}


def test_of(name: str) -> Connection | str | None:
    """The result of the last test of an endpoint: what it is, or words for why it failed."""
    result: Connection | str | None = st.session_state.get(TESTS, {}).get(name)
    return result


def keep_test(name: str, result: Connection | str) -> None:
    """Remember the result of a test."""
    st.session_state[TESTS] = {**st.session_state.get(TESTS, {}), name: result}


def probe_of(name: str) -> Outcome | str | None:
    """The outcome of the last probe of an endpoint, or words for why it failed."""
    outcome: Outcome | str | None = st.session_state.get(PROBES, {}).get(name)
    return outcome


def keep_probe(name: str, outcome: Outcome | str) -> None:
    """Remember the outcome of a probe."""
    st.session_state[PROBES] = {**st.session_state.get(PROBES, {}), name: outcome}


def field(name: str) -> str:
    """Widget key of a field for a new endpoint."""
    return f"{NEW}:{name}"


def typed(name: str) -> Any:
    """What a field for a new endpoint holds."""
    return st.session_state.get(field(name))


def fill(values: Mapping[str, Any]) -> None:
    """Give fields for a new endpoint these values. For callbacks."""
    for name, value in values.items():
        st.session_state[field(name)] = value


def keep_problem(error: ChatError | None) -> None:
    """Remember why an endpoint could not be added; None forgets it. For callbacks."""
    st.session_state[f"{NEW}:problem"] = error


def problem() -> ChatError | None:
    """Why the last endpoint could not be added."""
    error: ChatError | None = st.session_state.get(f"{NEW}:problem")
    return error
