"""What an app asked about the provider's cache, and what was answered, is kept with its turn in both protocols."""

from __future__ import annotations

from typing import Any

import pytest

from lib.analysis.prompt_cache.diagnosis import Diagnosis, diagnosis_of
from tests.support.servers.record_server import RecordServer, client
from tests.support.servers.replay_server import message_events
from tests.support.servers.upstream import Answer, claude, response, streamed, whole

ASKED = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]} | {
    "diagnostics": {"previous_message_id": "msg-0"}
}
RESPONSES = {"model": "m", "input": "Hi", "prompt_cache_options": {"comparison_response_id": "resp-0"}}
SAID = {"cache_miss_reason": {"type": "tools_changed", "cache_missed_input_tokens": 80}}
TEXT = {"type": "text", "text": "Yo"}


def claude_stream(diagnostics: Any) -> Answer:
    events = message_events("Yo")
    events[0]["message"]["diagnostics"] = diagnostics
    return streamed(*events, named=True)


@pytest.mark.parametrize(
    ("path", "body", "answer", "reply_id", "said"),
    [
        ("/v1/messages", ASKED, whole({**claude(TEXT), "diagnostics": SAID}), "msg-1", ("tools_changed", 80)),
        ("/v1/messages", {**ASKED, "stream": True}, claude_stream(SAID), "msg-1", ("tools_changed", 80)),
        (
            "/v1/responses",
            RESPONSES,
            whole(
                response(
                    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yo"}]},
                    prompt_cache_diagnostics={
                        "type": "cache_miss",
                        "reason": "context_compacted",
                        "cache_missed_tokens": 9,
                    },
                )
            ),
            "resp-1",
            ("context_compacted", 9),
        ),
    ],
)
def test_the_answer_is_kept(
    served: RecordServer, path: str, body: dict[str, Any], answer: Answer, reply_id: str, said: tuple[str, int]
) -> None:
    served.upstream.then(answer)
    with client(served) as http:
        http.post(path, json=body)
    turn = served.turns(1)[0]
    assert turn.reply_id == reply_id
    assert diagnosis_of(turn) == Diagnosis("missed", *said)
