"""Without any endpoint and without a key, the model on this machine answers all three protocols."""

from __future__ import annotations

import anthropic
import openai
import pytest

from lib.providers.llama.process import LocalModel
from tests.support.servers.record_server import RecordServer

pytestmark = pytest.mark.model


def test_both_sdks_talk_to_the_model_on_this_machine(served: RecordServer, model: LocalModel) -> None:
    served.recorder.targets.clear()
    served.local = model
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as client:
        assert [each.id for each in client.models.list()] == [model.name]
        asked = client.chat.completions.create(
            model=model.name, max_tokens=8, messages=[{"role": "user", "content": "Name a fruit."}], stream=True
        )
        text = "".join(part.choices[0].delta.content or "" for part in asked if part.choices)
        answer = client.responses.create(model=model.name, max_output_tokens=16, input="Name a colour.")
    with anthropic.Anthropic(base_url=served.url, api_key="none", max_retries=0) as claude:
        said = claude.messages.create(
            model=model.name, max_tokens=8, messages=[{"role": "user", "content": "Name a city."}]
        )
    block = said.content[0]
    assert isinstance(block, anthropic.types.TextBlock)
    entries = served.done(3)
    turns = {entry.path: served.store.turns(entry.session_id)[0] for entry in entries}
    assert [turns[path].reply for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages")] == [
        text,
        answer.output_text,
        block.text,
    ]
    assert all(turn.provider == "local" and turn.usage_provenance == "counted" for turn in turns.values())
    assert served.upstream.received == []
