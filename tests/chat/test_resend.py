"""An edited request is read with care and sent as it was typed, in a session that holds exactly it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.chat.rebuild import matches_what_was_sent
from lib.chat.resend import read_edited, resend
from lib.errors import ImportRefused
from lib.history.sessions import Parent
from lib.messages import assistant, user
from lib.providers.scripted import Script, ScriptedProvider
from tests.support.cases.told_sessions import PARENT, SETTINGS, told


def body(*messages: dict[str, Any], **fields: Any) -> str:
    return json.dumps({"model": "edited-model", "messages": list(messages), "max_tokens": 50, **fields})


HELLO = {"role": "user", "content": "hello"}


def test_what_was_typed_is_what_is_sent_and_stored() -> None:
    chat, _ = told("a", "b")
    text = body(
        {"role": "system", "content": "Be rude."},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "changed"},
        {"role": "user", "content": "and now?"},
        temperature=0.5,
        stop=["\n"],
    )
    provider = ScriptedProvider(Script(["fine"]))
    new_id = resend(chat, PARENT, read_edited(text), SETTINGS, lambda _: provider)
    live = chat.live(new_id)
    for _ in chat.follow(new_id, live.id if live else ""):
        pass
    sent = json.loads(provider.bodies[0])
    assert sent == json.loads(text) | {"model": "edited-model"}
    stored = list(chat.store.load(new_id))
    assert stored == [user("a"), assistant("changed"), user("and now?"), assistant("fine")]
    (turn,) = chat.store.turns(new_id)
    assert turn.request["temperature"] == 0.5
    assert matches_what_was_sent(turn, stored, provider)
    assert chat.store.about(new_id).parent == Parent(PARENT, 1, "resend")
    assert [m.text for m in chat.store.load(PARENT)] == ["a", "re a", "b", "re b"]


def test_rules_are_checked_before_it_is_sent() -> None:
    edited = read_edited(body({"role": "tool", "content": "42", "tool_call_id": "c"}, HELLO))
    assert [breach.rule.name for breach in edited.breaches("openai")] == ["orphan_result", "first_role"]
    assert edited.breaches(None) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "line 1, column 2"),
        ("[]", "a list named “messages”"),
        ('{"messages": [1]}', "Message 1"),
        ('{"messages": []}', "The last message must be the user's"),
        (body({"role": "assistant", "content": "x"}), "The last message must be the user's"),
        (body({"role": "user", "content": [{"type": "text", "text": "x"}]}), "as a string"),
        ('{"messages": [], "temperature": NaN}', "NaN"),
        ('{"messages": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"messages": [{"role": "user", "content": "x"}], "x": ' + "[" * 500 + "]" * 500 + "}", "nested too deeply"),
        (" " * 4_000_001, "4,000,001 characters"),
    ],
)
def test_what_is_no_request_is_refused_with_the_place(text: str, why: str) -> None:
    with pytest.raises(ImportRefused, match=why):
        read_edited(text)


@given(st.text(max_size=60) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    for each in (text, f'{{"messages": {text}}}', f'{{"messages": [{text}]}}'):
        with suppress(ImportRefused):
            assert read_edited(each).prompt.strip()
