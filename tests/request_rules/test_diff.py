"""The diff of two requests: every message of both is in exactly one row."""

from __future__ import annotations

from hypothesis import given

from lib.messages import Message, assistant, system, user
from lib.request_rules import DiffRow, diff_rows, repaired
from lib.request_rules.diff import line
from tests.support.cases.conversations import calling, result
from tests.support.cases.request_cases import requests


@given(before=requests, after=requests)
def test_the_rows_hold_both_requests(before: list[Message], after: list[Message]) -> None:
    rows = diff_rows(before, after)
    old = [row for row in rows if row.kind != "added"]
    assert [row.index for row in old] == list(range(len(before)))
    assert [row.text if row.was is None else row.was for row in old] == [line(message) for message in before]
    new = [row.text for row in rows if row.kind != "removed"]
    assert new == [line(message) for message in after]


@given(messages=requests)
def test_equal_requests_have_only_kept_rows(messages: list[Message]) -> None:
    assert {row.kind for row in diff_rows(messages, messages)} <= {"kept"}


def test_the_rows_of_a_repair() -> None:
    messages = [system("Be brief."), assistant("Hi"), user("Why?"), user("Well?")]
    assert diff_rows(messages, repaired("strict", messages).messages) == [
        DiffRow("kept", 0, "system: Be brief."),
        DiffRow("removed", 1, "assistant: Hi"),
        DiffRow("changed", 2, "user: Why?\n\nWell?", "user: Why?"),
        DiffRow("removed", 3, "user: Well?"),
    ]


def test_a_moved_message_is_removed_and_added() -> None:
    before, after = [user("Why?"), system("Be brief.")], [system("Be brief."), user("Why?")]
    assert [(row.kind, row.text) for row in diff_rows(before, after)] == [
        ("added", "system: Be brief."),
        ("kept", "user: Why?"),
        ("removed", "system: Be brief."),
    ]


def test_a_line_holds_role_content_and_further_fields() -> None:
    assert line(user("Why?")) == "user: Why?"
    assert line(result("c1", "42")) == 'tool: 42 {"tool_call_id":"c1"}'
    assert line(calling("c1")).startswith('assistant: null {"tool_calls":[{"id":"c1"')
    assert line(Message("assistant", has_content=False)) == "assistant: (no content)"
