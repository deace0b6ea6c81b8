"""The window strip adds up, shows what is not sent, and contains no text of people or models."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.context import STRATEGIES, Marks, plan_context
from lib.context.candidates import Candidates, Summary
from lib.context.plan import ContextPlan, ContextWindow
from lib.messages import Message
from lib.tokens import CharacterEstimate
from lib.tokens.ledger import TokenLedger
from lib.ui.components import palette, window_strip
from tests.support.app.colours import CONFIG, contrast
from tests.support.cases.conversations import histories, texts


def plan(history: list[Message], budget: int, strategy: str, instructions: str, prompt: str | None) -> ContextPlan:
    candidates = Candidates.gather(instructions, history, prompt, TokenLedger(CharacterEstimate()))
    return plan_context(candidates, ContextWindow(budget + 20, 20), strategy)


@given(histories(), st.integers(1, 300), st.sampled_from(sorted(STRATEGIES)), texts, texts | st.none())
def test_its_parts_add_up_to_the_plan(
    history: list[Message], budget: int, strategy: str, instructions: str, prompt: str | None
) -> None:
    planned = plan(history, budget, strategy, instructions, prompt)
    fill = window_strip.fill_of_plan(planned)
    sizes = dict(fill.parts)
    sent = sum(size for part, size in fill.parts if not part.outlined)
    assert sent == planned.input_tokens
    assert fill.left_out == planned.left_out_tokens
    assert fill.over == max(0, planned.input_tokens + 20 - fill.window)
    assert sizes[palette.FREE] == max(0, fill.window - planned.input_tokens - 20)


def test_it_holds_numbers_and_fixed_words_only() -> None:
    secret = "<b>evil</b>"
    planned = plan([Message("user", secret * 20), Message("assistant", secret)], 30, "oldest_first", secret, secret)
    html = window_strip.markup(window_strip.fill_of_plan(planned), tall=True)
    assert "evil" not in html
    assert "not sent" in html
    assert "<script" not in html


def test_over_budget_runs_past_the_edge_with_its_number() -> None:
    planned = plan([Message("user", "x" * 400)], 50, "none", "", None)
    fill = window_strip.fill_of_plan(planned)
    assert fill.over == 50
    assert "50 over the window" in window_strip.sentence(fill)
    assert palette.OVER.colour in window_strip.markup(fill)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_part_can_be_told_from_the_page_in_both_themes(theme: str) -> None:
    colours = CONFIG["theme"][theme]
    drawn = [part.colour for part in (*palette.PARTS, palette.REPLY) if re.fullmatch(r"#[0-9a-f]{6}", part.colour)]
    assert len(drawn) >= 8
    for colour in drawn:
        assert contrast(colour, colours["backgroundColor"]) >= 3.0, colour


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_in_both_themes(theme: str) -> None:
    colours = CONFIG["theme"][theme]
    for background in (
        colours["backgroundColor"],
        colours["secondaryBackgroundColor"],
        colours["sidebar"]["backgroundColor"],
    ):
        assert contrast(colours["textColor"], background) >= 4.5
        assert contrast(colours["linkColor"], background) >= 4.5


def test_charts_use_the_same_colours() -> None:
    parts = (
        palette.SYSTEM,
        palette.PINNED,
        palette.HISTORY,
        palette.NEWEST,
        palette.REPLY,
        palette.OVER,
        palette.LEFT_OUT,
    )
    assert CONFIG["theme"]["chartCategoricalColors"] == [part.colour for part in parts]


def test_a_summary_is_drawn_with_the_instructions() -> None:
    history = [Message("user", "x" * 80), Message("assistant", "y" * 80)] * 4
    candidates = Candidates.gather("Be brief.", history, "new", TokenLedger(CharacterEstimate()))
    gist = Summary("gist", ((0, 6),))
    planned = plan_context(candidates, ContextWindow(120, 20), "summarize", Marks(summary=gist))
    assert planned.candidates.summary == gist
    drawn = dict(window_strip.fill_of_plan(planned).parts)
    assert drawn[palette.SYSTEM] == 3 + CharacterEstimate().count(gist.message)
