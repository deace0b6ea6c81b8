"""Exports for other programs: what comes out is safe to open and can be read again."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from lib.example.recording import recorded
from lib.messages import Message, assistant, user, utf8_safe
from lib.transfer.opened import open_file
from lib.transfer.out import markdown, openai_jsonl, turn_table
from tests.support.servers.redis_servers import prompt, record
from tests.test_any_history import messages as message_objects

EXAMPLE = recorded()
marked = st.text(st.sampled_from("`~\n\r #<>a* \t"), max_size=40)


def test_jsonl_comes_in_again_as_it_went_out() -> None:
    raw = openai_jsonl.write([("", EXAMPLE.messages), ("Be brief.", [user("Hi"), Message("tool", None, {"x": 1})])])
    opened = open_file("x.jsonl", raw)
    assert opened.read(opened.rows[0]).messages == EXAMPLE.messages
    assert [message.to_dict() for message in opened.read(opened.rows[1]).messages] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "tool", "content": None, "x": 1},
    ]


@given(st.lists(st.lists(message_objects.map(Message.from_dict), min_size=1, max_size=3), max_size=3))
def test_jsonl_is_utf_8_with_an_object_in_each_line(conversations: list[list[Message]]) -> None:
    lines = openai_jsonl.write([("", each) for each in conversations]).decode().splitlines()
    lines = openai_jsonl.write([("", each) for each in conversations]).decode().split("\n")[:-1]
    assert [len(json.loads(line)["messages"]) for line in lines] == [len(each) for each in conversations]


def _closes(line: str, fence: str) -> bool:
    run = line.strip(" \t")
    return set(run) == {"`"} and len(run) >= len(fence) and not line.startswith(("    ", "\t"))


def blocks(text: str) -> list[str]:
    """The contents of the fenced blocks, and nothing else, as CommonMark reads them. A block must be closed."""
    found: list[str] = []
    fence = ""
    inside: list[str] = []
    for line in text.split("\n"):
        opening = re.fullmatch(r"(`{3,})(text|json)", line)
        if not fence and opening:
            fence, inside = opening[1], []
        elif fence and _closes(line.rstrip("\r"), fence):
            found.append("\n".join(inside))
            fence = ""
        elif fence:
            inside.append(line)
        else:
            assert not line.lstrip().startswith(("```", "~~~", "<")), line
    assert not fence
    return found


@given(st.lists(marked, min_size=1, max_size=4), marked, marked)
def test_no_text_breaks_out_of_its_block(said: list[str], title: str, role: str) -> None:
    written = markdown.write(title, [Message(role, text) for text in said], "Be ```brief```.").decode()
    assert blocks(written) == ["Be ```brief```.", *said]
    headings = [line for line in written.split("\n") if line.startswith("#")]
    outside = [line for line in headings if not any(line in text.split("\n") for text in said)]
    assert len(outside) <= len(said) + 2


def test_a_transcript_shows_calls_parts_and_odd_roles() -> None:
    call = Message("assistant", None, {"tool_calls": [{"id": "c", "function": {"name": "f"}}]})
    parts = Message("user", [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "data:"}}])
    written = markdown.write("<b>A</b> *talk*", [call, parts, Message("a\n# b", "x"), assistant("\ud83d")]).decode()
    assert written.startswith("# \\<b\\>A\\</b\\> \\*talk\\*\n")
    assert "## 1 · assistant\n\ntool\\_calls:\n\n```json\n" in written
    assert "## 3 · a \\# b\n" in written
    assert blocks(written)[1] == "Look"
    assert json.loads(blocks(written)[2])["image_url"] == {"url": "data:"}
    assert blocks(written)[-1] == "\ufffd"


def test_a_table_has_a_row_for_each_turn_and_missing_values_for_what_is_unknown() -> None:
    frame = turn_table.table([(EXAMPLE.title, EXAMPLE.turns)])
    assert len(frame) == 40
    assert list(frame["turn"]) == list(range(1, 41))
    assert frame["input tokens"].isna().all()
    assert (frame["messages not sent"] > 0).any()
    assert (frame["planned input tokens"] > 0).all()


def test_formulas_are_made_safe_in_csv_and_kept_in_parquet() -> None:
    turns = [record(prompt(text, id=text), reply="@SUM(1)") for text in ("=1+1", "+1", "-1", "@a", "plain", "\ud83d")]
    turns[4] = replace(turns[4], started_at=1.5, note='say "hi", twice\nover')
    frame = turn_table.table([("=title", turns)])
    rows = list(csv.DictReader(io.StringIO(turn_table.as_csv(frame).decode())))
    assert [row["prompt"] for row in rows] == ["'=1+1", "'+1", "'-1", "'@a", "plain", "\ufffd"]
    assert {row["reply"] for row in rows} == {"'@SUM(1)"}
    assert {row["chat"] for row in rows} == {"'=title"}
    assert rows[4]["started"] == "1970-01-01T00:00:01.500000+00:00"
    assert rows[4]["note"] == 'say "hi", twice\nover'
    read = pd.read_parquet(io.BytesIO(turn_table.as_parquet(frame)))
    assert list(read["prompt"]) == [utf8_safe(turn.prompt) for turn in turns]
    assert str(read["input tokens"].dtype) == "Int64"
    assert read["note"][4] == 'say "hi", twice\nover'


def test_a_table_of_no_turns_is_a_table() -> None:
    frame = turn_table.table([("empty", [])])
    assert turn_table.as_csv(frame).decode().startswith("chat,turn,")
    assert len(pd.read_parquet(io.BytesIO(turn_table.as_parquet(frame)))) == 0
