"""Two requests line by line: nothing is lost between them and nothing is shown twice."""

from __future__ import annotations

from hypothesis import given

from lib.messages import Message, assistant, system, user
from lib.request_rules import compared, repaired
from lib.request_rules.diff import Row, line
from tests.support.conversations import calling, result
from tests.support.request_cases import requests


@given(before=requests, after=requests)
def test_the_rows_are_both_requests(before: list[Message], after: list[Message]) -> None:
    rows = compared(before, after)
    old = [row for row in rows if row.kind != "added"]
    assert [row.index for row in old] == list(range(len(before)))
    assert [row.text if row.was is None else row.was for row in old] == [line(message) for message in before]
    new = [row.text for row in rows if row.kind != "removed"]
    assert new == [line(message) for message in after]


@given(messages=requests)
def test_what_is_the_same_is_kept(messages: list[Message]) -> None:
    assert {row.kind for row in compared(messages, messages)} <= {"kept"}


def test_a_repair_as_rows() -> None:
    messages = [system("Be brief."), assistant("Hi"), user("Why?"), user("Well?")]
    assert compared(messages, repaired("strict", messages).messages) == [
        Row("kept", 0, "system: Be brief."),
        Row("removed", 1, "assistant: Hi"),
        Row("changed", 2, "user: Why?\n\nWell?", "user: Why?"),
        Row("removed", 3, "user: Well?"),
    ]


def test_a_moved_message_is_gone_in_one_place_and_new_in_another() -> None:
    before, after = [user("Why?"), system("Be brief.")], [system("Be brief."), user("Why?")]
    assert [(row.kind, row.text) for row in compared(before, after)] == [
        ("added", "system: Be brief."),
        ("kept", "user: Why?"),
        ("removed", "system: Be brief."),
    ]


def test_a_line_says_who_and_what() -> None:
    assert line(user("Why?")) == "user: Why?"
    assert line(result("c1", "42")) == 'tool: 42 {"tool_call_id":"c1"}'
    assert line(calling("c1")).startswith('assistant: null {"tool_calls":[{"id":"c1"')
    assert line(Message("assistant", has_content=False)) == "assistant: (no content)"
