"""A reply that repeats itself is ended; ordinary text, lists, tables and code are not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.messages import Usage
from lib.providers import Reply, TextDelta
from lib.providers.repetition import LONGEST, MOST_CHARACTERS, STEP, until_repetition

ROOT = Path(__file__).parents[2]
WORDS = (ROOT / "docs/pages.md").read_text().split()

words = st.sampled_from(WORDS)
sentences = st.lists(words, min_size=3, max_size=20).map(lambda chosen: f"{' '.join(chosen)}.")
numbers = st.integers(0, 9999)
pieces_of = st.integers(1, 2 * STEP)


def rows(cells: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A Markdown table with three columns."""
    row = st.tuples(cells, cells, cells).map(lambda row: f"| {' | '.join(row)} |")
    head = ["| a | b | c |", "|---|---|---|"]
    return st.lists(row, min_size=3, max_size=40).map(lambda lines: "\n".join([*head, *lines]))


prose = st.lists(sentences, min_size=3, max_size=40, unique=True).map(" ".join)
lists = st.lists(sentences, min_size=3, max_size=30, unique=True).map(
    lambda items: "\n".join(f"{place}. {item}" for place, item in enumerate(items, 1))
)
tables = rows(words) | rows(numbers.map(str)) | rows(st.just(""))
matrices = st.lists(st.lists(st.integers(0, 1), min_size=8, max_size=8), min_size=2, max_size=12).map(str)
records = st.lists(st.fixed_dictionaries({"id": numbers, "name": words}), min_size=2, max_size=30).map(
    lambda found: json.dumps(found, indent=2)
)
loops = st.text(st.characters(categories=["Lu", "Ll"], include_characters=" ,.\n"), min_size=1, max_size=LONGEST)


def stream_of(text: str, size: int, closed: list[bool] | None = None) -> Iterator[TextDelta | Reply]:
    """The text in pieces of `size` characters, then its end."""
    try:
        for start in range(0, len(text), size):
            yield TextDelta(text[start : start + size])
        yield Reply(text, Usage(7, output_tokens=9), "m-1", "end")
    finally:
        if closed is not None:
            closed.append(True)


def ending(text: str, size: int) -> Reply:
    *deltas, reply = until_repetition(stream_of(text, size), "m")
    assert isinstance(reply, Reply)
    assert "".join(delta.text for delta in deltas) == reply.text
    return reply


@given(prose | lists | tables | matrices | records, pieces_of)
def test_ordinary_text_lists_tables_and_code_pass_unchanged(text: str, size: int) -> None:
    assert ending(text, size) == Reply(text, Usage(7, output_tokens=9), "m-1", "end")


@pytest.mark.parametrize("path", sorted(ROOT.glob("lib/**/*.py")) + sorted(ROOT.glob("docs/**/*.md")), ids=str)
def test_no_file_of_this_project_looks_like_a_loop(path: Path) -> None:
    text = path.read_text()
    assert ending(text, STEP) == Reply(text, Usage(7, output_tokens=9), "m-1", "end")


@given(prose, loops.filter(lambda passage: any(map(str.isalpha, passage))), pieces_of)
def test_a_loop_is_ended_within_the_bound(before: str, passage: str, size: int) -> None:
    reply = ending(before + passage * (1 + (MOST_CHARACTERS + size) // len(passage)), size)
    assert reply.stop_reason == "repetition"
    assert len(reply.text) <= len(before) + MOST_CHARACTERS + size
    assert reply.usage == Usage()  # the server was not heard to the end, so it reported nothing


@given(prose, st.sampled_from(["0, ", "-", ".\n", "| | |\n"]), pieces_of)
def test_so_is_a_loop_of_marks_but_not_the_line_under_a_heading(before: str, mark: str, size: int) -> None:
    reply = ending(before + mark * MOST_CHARACTERS, size)
    assert reply.stop_reason == "repetition"
    assert len(reply.text) <= len(before) + MOST_CHARACTERS + size
    assert ending(before + mark * (400 // len(mark)), size).stop_reason == "end"


def test_a_model_that_numbers_its_loop_is_noticed() -> None:
    text = "\n".join(f"{place}. It is a good way to learn about the world." for place in range(1, 200))
    assert ending(text, 5).stop_reason == "repetition"


def test_the_stream_is_closed_so_that_the_server_stops_writing() -> None:
    closed: list[bool] = []
    assert list(until_repetition(stream_of("again and " * 500, 8, closed), "m"))[-1] == Reply(
        ("again and " * 500)[:512], model="m", stop_reason="repetition"
    )
    assert closed == [True]


def test_a_song_may_repeat_its_chorus_and_a_program_its_lines() -> None:
    chorus = "La la la, and all together now, la la la, we sing it once again.\n"
    verses = [f"Verse {place}: the {word} went up the hill and came back.\n" for place, word in enumerate(WORDS[:20])]
    program = "for (int i = 0; i < 8; i++) {\n" + ("    " + "nop(); " * 8 + "\n") * 4 + "}\n"
    for text in ("".join(verse + chorus * 2 for verse in verses), program):
        assert ending(text, STEP).stop_reason == "end"
