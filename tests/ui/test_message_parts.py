"""Tool calls, results, images and reasoning as they are drawn: in the chat, in Sessions and in Context window."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.errors import ProviderUnavailable
from lib.message_parts import ToolCall
from lib.messages import Message, Usage, assistant, user
from lib.recorded_requests import RecordedRequest
from lib.tokens.model_counters import counter_for
from lib.turns import LiveTurn
from lib.ui.components import message_rows, request_strip
from lib.ui.components.message_parts.views import ELSEWHERE, SEALED, UNREADABLE, Shown, arguments, words_of
from lib.ui.context_window import tabs
from lib.ui.sessions import tabs as sessions
from tests.support.app.other_service import overwrite
from tests.support.app.pages import SESSION, exchange, overwritten, page, settings
from tests.support.cases.message_part_cases import picture
from tests.support.servers.typist import Typist

DATA = picture(600, 300)
NASTY = "a | b <b>x</b> ![x](https://e.example/p.png) :red[y]"
CALL = {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": NASTY, "code": "a = 1\nb = 2"}}
LOOP = (
    Message(
        "user",
        [
            {"type": "text", "text": "Weather here?"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}},
            {"type": "image", "source": {"type": "url", "url": "https://e.example/far.png"}},
        ],
    ),
    Message("assistant", [{"type": "thinking", "thinking": "Look it up.", "signature": "EqQB" * 99}, CALL]),
    Message("user", [{"type": "tool_result", "tool_use_id": "t1", "content": f"12 degrees\n{NASTY}"}]),
    assistant("It is cold."),
)


def shown(at: AppTest) -> str:
    """All texts that the page draws."""
    assert not at.exception, at.exception
    texts = [each.value for each in (*at.markdown, *at.caption, *at.code)]
    return "\n".join([*texts, *(each.label for each in at.expander)])


@pytest.mark.parametrize("path", ["app.py", "pages/sessions.py"])
def test_a_tool_loop_with_images_is_drawn_as_what_it_is(chat: ChatService, typist: Typist, path: str) -> None:
    overwritten(chat, *LOOP)
    at = page(path, state={sessions.TAB: sessions.OPEN, sessions.VIEW: sessions.VIEWS[0]})
    drawn = shown(at)
    assert "**Calls weather**" in drawn
    assert "| argument | value |" in drawn
    assert "a = 1\nb = 2" in drawn
    assert any(each.label.startswith("Result of weather: 12 degrees") for each in at.expander)
    assert any(each.label == "Reasoning: Look it up&#46;" for each in at.expander)
    assert len(at.get("image")) == 1
    assert ELSEWHERE in drawn
    assert "https://e.example/far.png" in [each.value for each in at.code]
    assert "tool_use" not in drawn
    assert "EqQB" not in drawn
    assert DATA[:40] not in drawn
    assert "sent again" not in drawn  # no request was recorded


def test_chats_side_by_side_and_two_chats_compared_draw_parts_too(chat: ChatService, typist: Typist) -> None:
    overwritten(chat, *LOOP)
    other = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    hot = {**CALL, "input": {"city": "Rome"}}
    overwrite(chat.store, other, [LOOP[0], Message("assistant", [LOOP[1].content[0], hot]), *LOOP[2:]])
    exchange(chat, "a", "b", reasoning="Hm.")
    exchange(chat, "a", "b", other)
    columns = shown(page("pages/compare.py", columns=f"{SESSION},{other}"))
    compared = page("pages/sessions.py", state={sessions.TAB: sessions.COMPARE}, **{"with": other})
    pairs = shown(compared)
    for drawn in (columns, pairs):
        assert drawn.count("**Calls weather**") == 2
        assert drawn.count(ELSEWHERE) == 2
        assert drawn.count("Result of weather: 12 degrees") == 2
        assert "Rome" in drawn
        assert "tool_use" not in drawn
        assert DATA[:40] not in drawn
    assert len(compared.get("image")) == 2
    assert "**1 of 2 exchanges differ**" in pairs  # their calls do, and their texts do not
    assert columns.count("Reasoning: 1 token") + columns.count("Reasoning: 2 tokens") == 1


def test_reasoning_of_a_reply_that_broke_off_is_kept_in_sight(chat: ChatService, typist: Typist) -> None:
    live = LiveTurn(
        "Why?", settings(), "test", 0.0, reasoning="Hm, because", error=ProviderUnavailable("It went away.")
    )
    chat.store.begin(SESSION, live)
    at = page()
    assert "Reasoning: 11 characters came" in shown(at)
    assert not chat.store.load(SESSION)


def test_each_part_says_its_tokens_and_how_often_it_was_sent_again() -> None:
    counter = counter_for("anthropic", "claude-opus-5")
    views = [view for at, each in enumerate(LOOP) for view in Shown.of(LOOP, counter, [3, 2, 1, 0]).views(each, at)]
    assert [view.kind for view in views] == ["text", "image", "image", "reasoning", "call", "result", "text"]
    image, far, thought, call, result = views[1:6]
    assert image.tokens == f"{22 * 11} tokens (~estimated, Anthropic's guide to images)"
    assert far.tokens == "its size in tokens is not known; counted as 85, which is the least"
    again = [each.again for each in (image, thought, result)]
    assert again == ["sent again 3 times", "sent again 2 times", "sent again 1 time"]
    assert call.tokens.endswith("tokens (reconstructed)") or call.tokens.endswith("tokens (assumed)")
    assert views[0].tokens == views[0].again == ""


def test_what_cannot_be_read_or_drawn_is_said_in_words() -> None:
    counter = counter_for("openai", "gpt-5")
    svg = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode()
    odd = Message(
        "assistant",
        [
            {"type": "redacted_thinking", "data": "x" * 999},
            {"type": "image_url", "image_url": {"url": f"data:image/svg+xml;base64,{svg}"}},
            {"type": "file", "file": {"file_data": "x" * 999}},
        ],
    )
    sealed, image, file = Shown.of([odd], counter).views(odd)
    assert (sealed.text, sealed.tokens, sealed.again) == (SEALED, "its size in tokens is not known", "")
    assert (image.title, image.pictures) == (UNREADABLE, ())
    assert file.title == "A part of type file"
    assert "x" * 100 not in file.text


def test_reasoning_that_the_app_leaves_out_was_not_sent_again() -> None:
    beside = Message("assistant", "Yes.", {"reasoning_content": "Hm."})
    thought, _ = Shown.of([beside], counter_for("openai", "gpt-5"), [3]).views(beside, 0)
    assert (thought.kind, thought.again) == ("reasoning", "")


def test_arguments_are_rows_whatever_they_are() -> None:
    assert arguments(ToolCall("", "f", '{"a": 1, "b": "x"}')) == (("a", "1"), ("b", "x"))
    assert arguments(ToolCall("", "f", "not JSON")) == (("", "not JSON"),)
    assert arguments(ToolCall("", "f", "{}")) == arguments(ToolCall("", "f", None)) == ()
    assert arguments(ToolCall("", "f", [1]))[0] == ("", "[1]")
    many = arguments(ToolCall("", "f", json.dumps({str(n): n for n in range(99)})))
    assert many[-1] == ("…", "59 more")


def test_the_folded_line_of_reasoning_is_its_heading_without_marks() -> None:
    summary = Message("assistant", [{"type": "thinking", "thinking": "**Looking it up**\n\nIn the almanac."}])
    (view,) = Shown.of([summary], counter_for("openai", "gpt-5")).views(summary)
    assert view.first_line == "Looking it up"


def test_a_line_says_what_a_message_is() -> None:
    assert words_of(LOOP[0]) == "Weather here? [image] [image]"
    assert words_of(LOOP[1]) == "[reasoning] calls weather"
    assert words_of(Message("tool", "rain", {"tool_call_id": "c"})) == "rain"


def test_reasoning_stands_folded_under_its_reply_and_hidden_reasoning_as_a_number(
    chat: ChatService, typist: Typist
) -> None:
    exchange(chat, "a", "b", reasoning="Hm, so.", usage=Usage(9, None, None, 40, 30))
    exchange(chat, "c", "d", usage=Usage(9, None, None, 1_300, 1_234))
    exchange(chat, "e", "f", usage=Usage(9, None, None, 4))
    at = page()
    folded = [each for each in at.expander if each.label.startswith("Reasoning")]
    assert [each.label for each in folded] == ["Reasoning: 30 tokens (billed), price not known"]
    hidden = [each.value for each in at.caption if "Reasoning" in each.value]
    assert hidden == [":material/psychology: Reasoning: hidden, 1,234 tokens (billed), price not known"]
    at.session_state["message-1-reasoning"] = True
    assert "Hm, so." in [each.value for each in at.run().code]


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The data of the context-window page's own components, by key."""
    given: dict[str, Any] = {}

    def component(data: Mapping[str, Any], key: str, **_: object) -> None:
        given[key] = data

    monkeypatch.setattr(message_rows, "_COMPONENT", component)
    monkeypatch.setattr(request_strip, "_COMPONENT", component)
    return given


def sent_page(turn: str) -> AppTest:
    return page("pages/context_window.py", state={"context_window_tab": tabs.SENT}, turn=turn)


def test_the_context_window_says_whether_reasoning_was_sent_back(
    chat: ChatService, typist: Typist, rows: dict[str, Any]
) -> None:
    exchange(chat, "a", "b", reasoning="Hm.")
    app = RecordedRequest(
        "/v1/chat/completions",
        "http://127.0.0.1",
        200,
        ("model", "messages"),
        2,
        1,
        as_sent={1: ({"role": "assistant", "content": "b", "reasoning_content": "Hm."},)},
    )
    exchange(chat, "c", "d", usage=Usage(9, None, None, 50, 40), recorded=app)
    exchange(chat, "e", "f")
    assert "With the next request, turn 2, this reasoning was sent back as text." in shown(sent_page("1"))
    second = shown(sent_page("2"))
    assert "The reasoning of turn 1 was sent back as text." in second
    assert "Reasoning: hidden, 40 tokens (billed)" in second
    assert "With the next request, turn 3, this reasoning was not sent back." in second
    assert "The reasoning of turn 2 was not sent back." in shown(sent_page("3"))


def test_the_lines_of_a_request_open_to_parts(chat: ChatService, typist: Typist, rows: dict[str, Any]) -> None:
    overwritten(chat, *LOOP, user("And tomorrow?"), assistant("Warm."))
    shown(sent_page("m5"))
    lines = {row["index"]: row for row in rows["sent_rows"]["rows"] if row["index"] is not None}
    assert lines[1]["words"] == "[reasoning] calls weather"
    seen = lines[0]["cells"][0]["parts"]
    assert [part["kind"] for part in seen] == ["text", "image", "image"]
    assert base64.b64decode(seen[1]["pictures"][0]).startswith(b"\x89PNG")
    assert (seen[2]["pictures"], seen[2]["text"]) == ((), "https://e.example/far.png")
    assert lines[2]["cells"][0]["parts"][0]["title"] == "Result of weather"
    assert lines[4]["cells"][0]["parts"] == ()
