"""Computes a bake-off once per input and keeps it for the browser session."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from lib.analysis.replay import sent_ranges
from lib.analysis.requests import RequestParts
from lib.lab.bakeoff import BakeOff, Contestant, bake_off, replay_all
from lib.lab.report.report import history_sha256
from lib.ui.shell import services
from lib.ui.trim_lab.conversation import Lab

KEPT = 4
"""Comparisons that a browser session keeps."""


@dataclass(frozen=True, slots=True)
class DetailedBakeOff:
    """A bake-off with what every request held, per contestant and turn: ranges of stored indexes, and its parts."""

    result: BakeOff
    held: tuple[tuple[tuple[tuple[int, int], ...], ...], ...]
    parts: tuple[tuple[RequestParts, ...], ...]


def compare(lab: Lab, contestants: Sequence[Contestant], facts: Sequence[int]) -> DetailedBakeOff:
    """The bake-off of these contestants, from the cache if the conversation and the choices are the same."""
    return _compare(_fingerprint(lab, contestants, facts), lab, contestants, facts)


@st.cache_resource(scope="session", max_entries=KEPT, show_spinner="Replaying the conversation")
def _compare(fingerprint: str, _lab: Lab, _contestants: Sequence[Contestant], _facts: Sequence[int]) -> DetailedBakeOff:
    """Streamlit does not hash the arguments with an underscore: `fingerprint` stands for all of them."""
    replays = replay_all(_lab.history, _contestants, _lab.sizes_for, _lab.marks)
    parts = tuple(tuple(map(replayed.sizes.parts, replayed.requests)) for replayed in replays)
    held = tuple(tuple(tuple(sent_ranges(request)) for request in replayed.requests) for replayed in replays)
    return DetailedBakeOff(bake_off(replays, services.find_model, _facts), held, parts)


def _fingerprint(lab: Lab, contestants: Sequence[Contestant], facts: Sequence[int]) -> str:
    """SHA-256 of everything that a comparison depends on."""
    counters = [services.counter_of(contestant.settings) for contestant in contestants]
    content = {
        "history": history_sha256(lab.history),
        "muted": sorted(lab.marks.muted),
        "pinned": sorted(lab.marks.pinned),
        "contestants": [asdict(contestant) for contestant in contestants],
        "counters": [(counter.name, counter.provenance) for counter in (lab.sizes.counter, *counters)],
        "facts": list(facts),
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
