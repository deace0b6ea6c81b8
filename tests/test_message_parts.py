"""Messages taken apart: every vendor's reasoning, tool calls, results and images."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from lib import images
from lib.message_parts import Image, Other, Reasoning, Text, ToolCall, ToolResult, is_plain, parts_of
from lib.messages import Message, user
from tests.support.cases.message_part_cases import picture

CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        (user("Hi"), [Text("Hi")]),
        (Message("user", None), []),
        (Message("assistant", "", {"tool_calls": [CALL]}), [ToolCall("c1", "weather", '{"city": "Oslo"}')]),
        (
            Message(
                "assistant", [{"type": "text", "text": "So"}, {"type": "tool_use", "id": "t", "name": "w", "input": {}}]
            ),
            [Text("So"), ToolCall("t", "w", {})],
        ),
        (Message("tool", "rain", {"tool_call_id": "c1"}), [ToolResult("c1", (Text("rain"),))]),
        (
            Message("user", [{"type": "tool_result", "tool_use_id": "t", "content": "no", "is_error": True}]),
            [ToolResult("t", (Text("no"),), failed=True)],
        ),
        (
            Message("assistant", [{"type": "thinking", "thinking": "Hm.", "signature": "s"}]),
            [Reasoning("Hm.", sealed=True)],
        ),
        (Message("assistant", [{"type": "redacted_thinking", "data": "x"}]), [Reasoning("", sealed=True)]),
        (
            Message("assistant", "Yes", {"reasoning_content": "Hm.", "reasoning": "Hm."}),
            [Reasoning("Hm.", in_content=False), Text("Yes")],
        ),
        (
            Message("reasoning", [{"type": "reasoning", "summary": [{"text": "Hm."}], "encrypted_content": "x"}]),
            [Reasoning("Hm.", sealed=True, in_content=False)],
        ),
        (Message("user", [{"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ=="}}]), [Image("QQ==")]),
        (
            Message("user", [{"type": "input_image", "image_url": "https://a.example/b.png", "detail": "low"}]),
            [Image("", "https://a.example/b.png", "low")],
        ),
        (Message("user", [{"type": "image", "source": {"type": "base64", "data": "QQ=="}}]), [Image("QQ==")]),
        (Message("user", [{"type": "image", "base64": "QQ==", "mime_type": "image/png"}]), [Image("QQ==")]),
        (Message("user", [{"type": "file"}, 5]), [Other("file", {"type": "file"}), Other("part", 5)]),
        (Message("assistant", None, {"refusal": "No."}), [Text("No.")]),
    ],
)
def test_a_message_is_taken_apart(message: Message, parts: list[Any]) -> None:
    assert list(parts_of(message)) == parts


def test_only_a_text_alone_is_plain() -> None:
    assert is_plain(user("Hi"))
    assert is_plain(Message("user", "Hi", {"name": "Ada"}))
    assert not is_plain(Message("assistant", "Hi", {"tool_calls": [CALL]}))
    assert not is_plain(Message("tool", "Hi", {"tool_call_id": "c1"}))
    assert not is_plain(Message("user", [{"type": "text", "text": "Hi"}]))


TYPES = ["text", "thinking", "tool_use", "tool_result", "image", "image_url", "reasoning", "function_call_output"]
NAMES = ["type", "text", "content", "source", "image_url", "url", "data", "summary", "output", "input", "name"]


@given(
    st.recursive(
        st.none() | st.integers() | st.sampled_from(TYPES) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    )
)
def test_no_stored_value_raises(value: Any) -> None:
    extra = {"tool_calls": value, "function_call": value, "reasoning_details": value, "reasoning": value}
    for role in ("user", "assistant", "tool"):
        parts_of(Message(role, value, extra))


def test_a_photo_that_is_stored_lying_is_drawn_upright() -> None:
    exif, written = Pillow.Exif(), io.BytesIO()
    exif[0x0112] = 6  # held upright, stored on its side
    Pillow.new("RGB", (80, 40)).save(written, "JPEG", exif=exif)
    small = images.thumbnail(base64.b64encode(written.getvalue()).decode(), 90)
    assert small is not None
    assert Pillow.open(io.BytesIO(small)).size == (40, 80)


def test_a_thumbnail_is_small_and_a_size_comes_from_the_header() -> None:
    data = picture(900, 300, "JPEG")
    assert images.size_of(data) == (900, 300)
    small = images.thumbnail(data, 90)
    assert small is not None
    assert images.size_of(base64.b64encode(small).decode()) == (90, 30)


def test_what_is_no_image_is_not_drawn() -> None:
    whole = picture(200, 200)
    svg = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>").decode()
    for odd in ("", "é", "AAAA", "!", svg, "A" * (images.MOST_BYTES * 2)):
        assert (images.size_of(odd), images.thumbnail(odd, 90)) == (None, None)
    assert images.size_of(whole[:160]) == (200, 200)
    assert images.thumbnail(whole[:160], 90) is None  # cut off in the middle


def test_an_image_with_very_many_pixels_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", 9_999)
    assert images.thumbnail(picture(100, 100), 90) is None
    from PIL import Image as Pillow

    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 99)
    assert images.size_of(picture(100, 100)) is None  # Pillow itself refuses a bomb
