"""Marked words are drawn with their background, and nothing in a text becomes Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ui.format.marked_text import marked


@pytest.mark.parametrize(
    ("pieces", "drawn"),
    [
        ([(False, "a "), (True, "red"), (False, " car")], "a :red-background[**red**] car"),
        ([(True, " x ")], " :red-background[**x**] "),
        ([(True, "one\ntwo")], ":red-background[**one**]  \n:red-background[**two**]"),
        ([(True, "  ")], "\u00a0\u00a0"),
        ([(False, "*b* [x](y) $z$")], "&#42;b&#42; &#91;x&#93;&#40;y&#41; &#36;z&#36;"),
        ([(True, "a] :blue[b")], ":red-background[**a&#93; &#58;blue&#91;b**]"),
    ],
)
def test_what_is_drawn(pieces: list[tuple[bool, str]], drawn: str) -> None:
    assert marked(pieces, "red") == drawn


@given(st.lists(st.tuples(st.booleans(), st.text())))
def test_only_our_own_marks_are_left_of_markdown(pieces: list[tuple[bool, str]]) -> None:
    drawn = marked(pieces, "red")
    ours = re.sub(r":red-background\[\*\*([^\[\]*]*)\*\*\]", r"\1", drawn)
    assert not re.search(r"[*_\[\]<>$`#|~]", re.sub(r"&#\d+;", "", ours))
    drawn.encode()
