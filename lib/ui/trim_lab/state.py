"""Every st.session_state key of the trim lab, behind a function.

Streamlit forgets a widget's value while its tab is closed. Choices that must survive that are kept under a second key.
`lab_key` is Lab.key, so that each conversation has its own choices.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping

import streamlit as st

from lib.lab.latency import MeasuredLatency
from lib.lab.recall.run import Probe
from lib.ui.shell import services, tried_settings


def seed_conversation(session_id: str, choices: Collection[str], default: str) -> str:
    """Key of the list of conversations, with a valid choice in it."""
    key = f"lab_session:{session_id}"
    if st.session_state.get(key) not in choices:
        st.session_state[key] = default
    return key


def picked_conversation(session_id: str) -> str:
    """What was picked in the list of conversations."""
    picked: str = st.session_state[f"lab_session:{session_id}"]
    return picked


def seed_facts(lab_key: str, suggest: Callable[[], list[int]], size: int) -> str:
    """Key of the list of facts, with the kept stored indexes below `size` in it, or at first the suggested ones."""
    kept = _kept_facts(lab_key)
    if kept not in st.session_state:
        st.session_state[kept] = suggest()
    st.session_state[_facts(lab_key)] = [index for index in st.session_state[kept] if index < size]
    return _facts(lab_key)


def keep_facts(lab_key: str) -> None:
    """Keep what was picked in the list of facts. For callbacks."""
    st.session_state[_kept_facts(lab_key)] = list(st.session_state[_facts(lab_key)])


def cliff_form(lab_key: str) -> str:
    """Name of the cliff map's settings form."""
    return f"lab_cliff:{lab_key}"


def cliff_choices(lab_key: str) -> Mapping[str, object]:
    """The strategy and options that were picked for the cliff map, by the names of ChatSettings' fields."""
    choices: Mapping[str, object] | None = st.session_state.get(f"lab_cliff:{lab_key}:kept")
    return tried_settings.in_address() if choices is None else choices


def keep_cliff_choices(lab_key: str, choices: Mapping[str, object]) -> None:
    """Keep these choices for the cliff map, also in the address. For callbacks."""
    st.session_state[f"lab_cliff:{lab_key}:kept"] = choices
    tried_settings.put_into_address(choices)


def probe(lab_key: str) -> Probe | None:
    """The conversation's recall probe, running or done."""
    return services.probes().get(st.session_state.get(f"probe:{lab_key}", ""))


def set_probe(lab_key: str, new: Probe) -> None:
    """Put a probe in place of the conversation's earlier one."""
    services.probes().pop(st.session_state.get(f"probe:{lab_key}", ""), None)
    name = uuid.uuid4().hex
    services.probes()[name] = new
    st.session_state[f"probe:{lab_key}"] = name


def latencies(lab_key: str) -> list[MeasuredLatency]:
    """The requests that were timed last."""
    results: list[MeasuredLatency] = st.session_state.get(f"timed:{lab_key}", [])
    return results


def set_latencies(lab_key: str, results: list[MeasuredLatency]) -> None:
    """Put new results in place of the earlier ones. The list may grow afterwards."""
    st.session_state[f"timed:{lab_key}"] = results


def _facts(lab_key: str) -> str:
    return f"lab_facts:{lab_key}"


def _kept_facts(lab_key: str) -> str:
    return f"lab_facts:{lab_key}:kept"
