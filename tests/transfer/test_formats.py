"""Every format comes in as it is documented: branches, tools, images, and what is lost has its place and reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.errors import ImportRefused
from lib.tool_calls import Pairing
from lib.transfer import Format
from lib.transfer.opened import Opened, open_file

SAMPLES = Path("tests/data/transfer")
OPENAI = json.loads((SAMPLES / "openai.json").read_text())
COUNTRIES = ("Portugal", "Spain", "France")
ANTHROPIC = json.loads((SAMPLES / "anthropic.json").read_text())


def opened(name: str, forced: Format | None = None) -> Opened:
    return open_file(name, (SAMPLES / name).read_bytes(), forced)


def messages(found: Opened, number: int = 0) -> list[dict[str, Any]]:
    return [message.to_dict() for message in found.read(found.rows[number]).messages]


def problems(found: Opened, number: int = 0) -> list[tuple[str, str, str, str]]:
    return [(each.where, each.role, each.reason, each.effect) for each in found.read(found.rows[number]).problems]


@pytest.mark.parametrize(
    ("name", "format", "rows"),
    [
        ("openai.json", "openai", [("Will it rain in Porto?", 7, "")]),
        ("openai.jsonl", "openai", [("Will it rain in Porto?", 7, "")]),
        ("openai_request.json", "openai", [("Will it rain in Porto?", 7, "")]),
        ("fine_tuning.jsonl", "openai", [(f"Name a city in {each}.", 3, "") for each in COUNTRIES]),
        ("anthropic.json", "anthropic", [("Will it rain in Porto?", 5, "")]),
        (
            "chatgpt_conversations.json",
            "chatgpt",
            [("A day in Lisbon", 7, ""), ("A day in Lisbon", 4, "branch 2 of 2"), ("Haiku", 2, ""), ("Empty", 0, "")],
        ),
        (
            "claude_conversations.json",
            "claude",
            [("A letter", 5, ""), ("A letter", 2, "branch 2 of 2"), ("An old message without blocks", 2, "")],
        ),
        ("sharegpt.json", "sharegpt", [("Will it rain?", 5, ""), ("Hi", 2, "")]),
        ("open_webui.json", "open_webui", [("Soup", 4, ""), ("Soup", 3, "branch 2 of 2"), ("List only", 2, "")]),
        ("librechat.json", "librechat", [("Sums", 5, ""), ("Sums", 3, "branch 2 of 2")]),
        ("librechat_tree.json", "librechat", [("Sums", 5, ""), ("Sums", 3, "branch 2 of 2")]),
    ],
)
def test_the_format_is_recognised_and_its_chats_are_listed(
    name: str, format: Format, rows: list[tuple[str, int, str]]
) -> None:
    found = opened(name)
    assert found.format == format
    assert [(row.title, row.messages, row.branch) for row in found.rows] == rows
    for row in found.rows:
        conversation = found.read(row)
        assert len(conversation.messages) == row.messages
        assert conversation.refusal == row.refusal


def test_openai_messages_come_in_exactly_as_they_are() -> None:
    for name in ("openai.json", "openai.jsonl", "openai_request.json"):
        assert messages(opened(name)) == OPENAI
    assert problems(opened("openai_request.json")) == [
        ("tools", "", "“tools” belongs to a request, not to a history", "lost")
    ]


def test_anthropic_blocks_come_in_exactly_as_they_are_with_the_system_prompt_first() -> None:
    found = messages(opened("anthropic.json"))
    assert found == [{"role": "system", "content": ANTHROPIC["system"]}, *ANTHROPIC["messages"]]


def test_chatgpt_calls_have_their_results_and_images_are_named_as_lost() -> None:
    found = opened("chatgpt_conversations.json")
    current = messages(found)
    assert [message["role"] for message in current] == [
        *("system", "user", "assistant", "user", "assistant", "tool", "assistant")
    ]
    assert current[4]["tool_calls"][0]["id"] == current[5]["tool_call_id"]
    assert current[-1]["content"] == "There are 38 stops 🚋."
    assert messages(found, 1)[-1]["content"] == "And in the evening?"
    assert problems(found) == [
        ("chat 1, mapping.u3", "user", "an image: the export holds only a pointer to it", "lost"),
        ("chat 1, mapping.t1", "assistant", "thinking, which ChatGPT does not send again either", "skipped"),
    ]
    assert found.rows[0].created_at == 1_700_000_000.25
    assert found.rows[3].refusal == "chat 3: no messages in it"


@pytest.mark.parametrize("name", [path.name for path in sorted(SAMPLES.glob("*.json*"))])
def test_no_call_of_a_tool_comes_in_without_its_result(name: str) -> None:
    found = opened(name)
    for row in found.rows:
        pairing, read = Pairing(), found.read(row).messages
        for place, message in enumerate(read):
            pairing.add(place, message, list(range(len(read) + 1)))
        assert pairing.unpaired(len(read)) == []


def test_claude_results_become_messages_of_the_users_side() -> None:
    found = messages(opened("claude_conversations.json"))
    assert [message["role"] for message in found] == ["user", "assistant", "user", "assistant", "user"]
    assert found[0]["content"][1]["text"] == "letter.txt:\nDear Ada, …"
    assert found[2]["content"] == [{"type": "tool_result", "tool_use_id": "toolu_9", "content": "Lovelace"}]
    assert [each[2] for each in problems(opened("claude_conversations.json"), 1)] == [
        "a file (photo.png): it is not in the export",
        "thinking: without its signature no server accepts it",
    ]


def test_an_image_that_is_in_the_export_comes_in() -> None:
    found = opened("open_webui.json")
    assert messages(found)[1]["content"][1] == {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="},
    }
    assert [each[2] for each in problems(found)] == ["a file (menu.pdf): it is not in the export"]


def test_what_cannot_come_in_has_its_line_its_role_and_its_reason() -> None:
    lines = [{"role": "user", "content": "a"}, {"role": 7, "content": "b"}, {"role": "user", "content": 3}, 12]
    found = open_file("x.json", json.dumps(lines).encode())
    assert [message["content"] for message in messages(found)] == ["a"]
    assert problems(found) == [
        ("messages[1]", "", "its role is 7", "skipped"),
        ("messages[2]", "user", "its content is 3, not a text or a list of parts", "skipped"),
        ("messages[3]", "", "its role is null", "skipped"),
    ]
    jsonl = b'{"messages":[{"role":"user","content":"a"}]}\n{"messages":[{"role":\n\n{"messages":[]}\n'
    found = open_file("x.jsonl", jsonl)
    assert [row.refusal for row in found.rows] == [
        "",
        "line 2: The JSON is cut off: it ends in the middle",
        "line 4: no messages in it",
    ]
    assert found.read(found.rows[1]).refusal == found.rows[1].refusal


def test_a_person_can_say_what_the_format_is() -> None:
    assert opened("openai.json", "anthropic").format == "anthropic"
    assert messages(opened("openai.json", "anthropic")) == OPENAI
    with pytest.raises(ImportRefused, match="Nothing of it can be imported"):
        opened("openai.json", "chatgpt")


def test_lists_are_found_inside_a_wrapper() -> None:
    claude = json.loads((SAMPLES / "claude_conversations.json").read_text())
    wrapped = json.dumps({"account": {"email": "x"}, "conversations": claude}).encode()
    assert [row.title for row in open_file("x.json", wrapped).rows] == [
        row.title for row in opened("claude_conversations.json").rows
    ]


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ({"a": {"parent": "b"}, "b": {"parent": "a"}}, "linked in a circle"),
        ({"a": {"parent": "a"}, "b": {"parent": "a"}}, "linked in a circle"),
        ({}, "it has no messages"),
        ({"a": 1, "b": None}, "no messages in it"),
    ],
)
def test_a_broken_tree_is_refused(mapping: dict[str, Any], reason: str) -> None:
    with pytest.raises(ImportRefused, match=reason):
        open_file("x.json", json.dumps([{"mapping": mapping, "current_node": "a"}]).encode())


def test_a_branch_whose_beginning_is_missing_says_so() -> None:
    message = {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["Hi"]}}
    chat = {"mapping": {"a": {"parent": "gone", "message": message}}, "current_node": "a"}
    found = open_file("x.json", json.dumps([chat]).encode())
    assert [each[2] for each in problems(found)] == ["what came before it: its parent is not in the export"]


def test_only_so_many_branches_are_offered() -> None:
    message = {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["Hi"]}}
    nodes = {str(place): {"parent": "0" if place else None, "message": message} for place in range(80)}
    found = open_file("x.json", json.dumps([{"mapping": nodes, "current_node": "70"}]).encode())
    assert len(found.rows) == 50
    assert problems(found)[0][2] == "29 more branches, beyond the number that is offered"
