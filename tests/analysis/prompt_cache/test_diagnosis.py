"""What providers say about their cache is read in both vendors' shapes, and anything else is shown as it came."""

from __future__ import annotations

from typing import Any

import pytest

from lib.analysis.prompt_cache.diagnosis import Diagnosis, diagnosis_of
from lib.turns import Turn


def turn(said: dict[str, Any], **request: Any) -> Turn:
    return Turn("1", "", "", "complete", "p", "m", "", 0.0, request=request, cache_diagnosis=said)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            {"cache_miss_reason": {"type": "messages_changed", "cache_missed_input_tokens": 1180}},
            Diagnosis("missed", "messages_changed", 1180),
        ),
        (
            {"cache_miss_reason": {"type": "previous_message_not_found"}},
            Diagnosis("missed", "previous_message_not_found"),
        ),
        ({"cache_miss_reason": None}, Diagnosis("pending")),
        (
            {"type": "cache_miss", "reason": "context_compacted", "cache_missed_tokens": 9},
            Diagnosis("missed", "context_compacted", 9),
        ),
        ({"type": "cache_hit"}, Diagnosis("no difference")),
        ({"type": "comparison_response_not_found"}, Diagnosis("missed", "comparison_response_not_found")),
        (
            {"cache_miss_reason": {"type": "moon_phase", "cache_missed_input_tokens": -1}},
            Diagnosis("missed", "moon_phase"),
        ),
        ({"cache_miss_reason": ["odd"]}, Diagnosis("unknown", unknown='{"cache_miss_reason": ["odd"]}')),
        ({"value": 7}, Diagnosis("unknown", unknown='{"value": 7}')),
        ({"type": {"a": 1}}, Diagnosis("unknown", unknown='{"type": {"a": 1}}')),
    ],
)
def test_every_shape_is_read(said: dict[str, Any], read: Diagnosis) -> None:
    assert diagnosis_of(turn(said)) == read


def test_silence_means_something_only_where_it_was_asked() -> None:
    assert diagnosis_of(turn({})) is None
    assert diagnosis_of(turn({}, diagnostics={"previous_message_id": None})) == Diagnosis("remembered")
    assert diagnosis_of(turn({}, diagnostics={"previous_message_id": "msg_1"})) == Diagnosis("no difference")
    assert diagnosis_of(turn({}, prompt_cache_options={"ttl": "30m"})) is None
    assert diagnosis_of(turn({}, prompt_cache_options={"comparison_response_id": "r"})) == Diagnosis("no difference")
