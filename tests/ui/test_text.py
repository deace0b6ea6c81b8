"""Text from people and models is drawn as text; numbers carry their provenance."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lib.chat.service import ChatService
from lib.ui.format import numbers
from lib.ui.format.text import NBSP, WORD_JOINER, as_label, as_markdown, as_option, cut
from tests.support.app.pages import ROOT, page


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("costs $5 and $6", "costs \\$5 and \\$6"),
        (":red[x] :smile: :material/home:", "&#58;red[x] &#58;smile: &#58;material/home:"),
        ("at 10:30, a: b", "at 10:30, a: b"),
        ("one\ntwo", "one  \ntwo"),
        ("a   b", f"a {NBSP}{NBSP}b"),
        ("`$5 :red[x]`", "`$5 :red[x]`"),
        ("```\n$5\n```\n$6", "```\n$5\n```\n\\$6"),
        ("<script>$5</script>", "&lt;script>\\$5&lt;/script>"),
        ("a\n\n    $5", f"a\n\n{NBSP * 4}\\$5"),
        ("- a\n\n    - b", "- a\n\n    - b"),
        ("![a](https://b.example/c.png)", "&#33;[a](https://b.example/c.png)"),
        ("`![a](b)` \\![a](b) \\\\![a](b)", f"`!{WORD_JOINER}[a](b)` \\![a](b) \\\\&#33;[a](b)"),
        ("`vec![1]`", "`vec![1]`"),
        ("```md\n![a](b)\n```\n![a](b)", "```md\n![a](b)\n```\n&#33;[a](b)"),
    ],
)
def test_markdown_stays_and_streamlits_own_extensions_go(text: str, drawn: str) -> None:
    assert as_markdown(text) == drawn


@pytest.mark.parametrize(
    "text",
    [
        "\\`![a](b)`",
        "\\``c`![a](b)`c`",
        "```![a](b)``",
        "`\n\n![a](b)`",
        "`\n- ![a](b)`",
        "```c`\n![a](b)\n```",
        "```\nc\n```\t\n![a](b)",
    ],
)
def test_an_image_that_only_seems_to_be_in_code_is_none(text: str) -> None:
    assert "![" not in as_markdown(text)


@given(st.text(alphabet="$:`~\n ab[]<>*_-1", max_size=80))
def test_no_formula_and_no_directive_survives_outside_code(text: str) -> None:
    drawn = as_markdown(text)
    outside = drawn if "`" not in drawn and "~" not in drawn else ""
    assert "$" not in outside.replace("\\$", "")


IMAGE = "![a](https://e.example/p.png)"
BLOCKS = (
    "\n",
    "\n\n",
    "\n- ",
    "\n> ",
    "\n# ",
    "\n  ",
    " ",
    "\t",
    "| ",
    "|---|\n",
    "---\n",
    "\n[a]: https://e.example\n",
)
CODES = ("`", "``", "\n```\n", "```", "~~~\n", "\n  ```\n", "\n```\t\n", "\\", "!")


@given(st.lists(st.sampled_from((IMAGE, "![a]", "x", *BLOCKS, *CODES)), max_size=20))
def test_no_image_survives_whatever_looks_like_code_around_it(pieces: list[str]) -> None:
    parsed = MarkdownIt("commonmark").enable("table").parse(as_markdown("".join(pieces)))
    assert not any(inner.type == "image" for token in parsed for inner in token.children or ())


@given(st.text(max_size=200))
def test_a_label_is_one_line_of_plain_text(text: str) -> None:
    label = as_label(text, 30)
    assert "\n" not in label
    assert not set(label) & set("*_`[]$<>") - {"&"}


@given(st.text(alphabet=st.characters(), max_size=50) | st.just("cut \ud83d"))
def test_everything_drawn_can_be_sent_to_a_browser(text: str) -> None:
    as_markdown(text).encode()
    as_label(text).encode()


def test_a_long_message_is_cut_and_says_how_much_is_left() -> None:
    assert cut("abcdef", 4) == ("abcd", 2)
    assert cut("abc", 4) == ("abc", 0)


def test_numbers_carry_their_provenance_and_unknown_is_a_word() -> None:
    assert numbers.tokens(1234, "billed") == "1,234 (billed)"
    assert numbers.tokens(40, "estimated") == "40 (~estimated)"
    assert numbers.tokens(None, "billed") == "not reported"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.84, "0.8 s"), (12.3, "12 s"), (72, "1 m 12 s"), (7300, "2 h 1 m"), (None, "not reported")]
)
def test_durations(seconds: float | None, words: str) -> None:
    assert numbers.duration(seconds) == words


def test_times_of_sessions() -> None:
    assert [numbers.ago(s) for s in (20, 200, 7300)] == ["just now", "3 min ago", "2 h ago"]
    assert [numbers.left(s) for s in (80_000, 90, 30, None)] == [
        "expires in 22 h",
        "expires in 1 min",
        "expires in under a minute",
        "does not expire",
    ]
    assert [numbers.plural(n, "message") for n in (1, 1200)] == ["1 message", "1,200 messages"]


def test_an_option_is_one_line_as_it_is_written() -> None:
    assert as_option("Is 3.5 *more*\n than\t:red[3]?") == "Is 3.5 *more* than :red[3]?"
    assert as_option("a" * 80) == "a" * 59 + "…"


def test_the_words_of_an_error_are_never_drawn_as_they_are() -> None:
    drawn = re.compile(r"st\.(?:caption|error|info|markdown|success|toast|warning|write)\((?P<words>[^\n]*)")
    error = re.compile(r"\b(?:error|exc|problem|refusal|retired)\.(?:what|safe|next_step)\b")
    raw = [
        f"{path.relative_to(ROOT)}: {found['words']}"
        for path in sorted((ROOT / "lib/ui").rglob("*.py"))
        for found in drawn.finditer(path.read_text("utf-8"))
        if error.search(found["words"]) and "as_markdown" not in found["words"]
    ]
    assert raw == []


@pytest.mark.parametrize("path", ["app.py", "pages/compare.py", "pages/threads.py", "pages/sessions.py"])
def test_a_line_about_a_failure_is_drawn_as_text(chat: ChatService, path: str) -> None:
    at = page(path, state={"flash": "The server says ![it](https://evil.example/p.png), $1 and :red[2]."})
    assert not at.exception, at.exception
    drawn = [each.value for each in at.warning if "The server says" in each.value]
    assert len(drawn) == 1
    assert "![" not in drawn[0]
    assert ":red[" not in drawn[0]
