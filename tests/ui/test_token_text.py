"""Tokens reach the page as data and unchanged, and the panel counts and compares them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from lib.ui.components import token_text
from lib.ui.tokens import tokenizer_panel

PAGE = """
from lib.ui.tokens import tokenizer_panel

def cut(name, text):
    return [(letter, ord(letter) if name == "letters" else None) for letter in text]

tokenizer_panel.draw({texts!r}, {{"letters": "Letters", "others": "Others"}}, cut, lambda name: f"About {{name}}.")
"""


def panel(texts: list[tuple[str, str]], **state: object) -> AppTest:
    at = AppTest.from_string(PAGE.format(texts=texts))
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    assert not at.exception, at.exception
    return at


@given(st.integers(0, 100_000))
def test_pages_hold_every_token_once(tokens: int) -> None:
    pages = tokenizer_panel.pages(tokens)
    assert (pages - 1) * tokenizer_panel.PAGE < max(1, tokens) <= pages * tokenizer_panel.PAGE


def test_the_pieces_reach_the_page_as_data_and_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[dict[str, object]] = []
    monkeypatch.setattr(token_text, "_COMPONENT", lambda data, key: drawn.append(data))
    token_text.draw(
        [("<img src=x onerror=alert(1)>", 5), (" **b**", None), ("cut \ud83d", 7)], key="k", first=500, ids=True
    )
    assert drawn == [
        {
            "pieces": [["<img src=x onerror=alert(1)>", 5], [" **b**", None], ["cut \ufffd", 7]],
            "first": 500,
            "ids": True,
            "label": "3 tokens, from number 501 on",
            "colours": token_text.COLOURS,
        }
    ]


def test_tokens_are_set_as_text_never_as_html() -> None:
    script = Path(token_text.__file__).with_name("view.js").read_text(encoding="utf-8")
    assert "innerHTML" not in script
    assert "textContent" in script


def test_the_sentence_counts_characters_and_tokens() -> None:
    at = panel([("1 · user: abcd", "abcd")])
    assert "**letters cuts these 4 characters into 4 tokens**, 1.0 characters each." in [m.value for m in at.markdown]
    assert "About letters." in [c.value for c in at.caption]


def test_two_tokenizers_are_compared_in_words() -> None:
    at = panel([("one", "abcd")], inside_compare=True)
    assert any("others into 4: just as many" in m.value for m in at.markdown)
    assert tokenizer_panel.sentence("abcdef", {"a": range(4), "b": range(6)}).endswith("b into 6: 50 % more.")
    assert tokenizer_panel.sentence("a", {"a": range(4), "b": range(3)}).startswith(
        "**a cuts this 1 character into 4 tokens**"
    )


def test_an_empty_text_says_so() -> None:
    assert "holds no tokens" in panel([("empty", "")]).info[0].value


def test_a_pasted_text_is_cut_too() -> None:
    at = panel([])
    at.text_area(key="inside_pasted").set_value("xyz").run()
    assert any("3 characters into 3 tokens" in m.value for m in at.markdown)


def test_a_long_text_is_drawn_page_by_page() -> None:
    at = panel([("long", "x" * 1201)])
    assert not at.exception
    assert any("1,201 tokens" in m.value for m in at.markdown)
