"""The accent colour can be read and seen, and every reason has a colour; the strip's test covers the parts' colours."""

from __future__ import annotations

import pytest

from lib.context import STRATEGIES
from lib.context.reasons import REASON_TEXT
from lib.ui.components import palette
from tests.support.app.colours import CONFIG, contrast


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_white_text_can_be_read_on_a_primary_button(theme: str) -> None:
    assert contrast("#ffffff", CONFIG["theme"][theme]["primaryColor"]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_accent_can_be_seen_on_every_background(theme: str) -> None:
    colours = CONFIG["theme"][theme]
    for part in (colours, colours["sidebar"]):
        assert contrast(colours["primaryColor"], part["backgroundColor"]) >= 3.0
        assert contrast(colours["primaryColor"], part["secondaryBackgroundColor"]) >= 3.0


def test_every_reason_has_a_tag_and_a_colour() -> None:
    assert set(palette.REASON_TAGS) == set(palette.REASON_COLOURS) == set(REASON_TEXT)


def test_messages_that_are_not_sent_are_drawn_alike_whatever_the_reason() -> None:
    assert {
        palette.part_of(reason, included=False, newest=newest) for reason in REASON_TEXT for newest in (True, False)
    } == {palette.LEFT_OUT}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_strategy_has_a_colour_of_its_own_that_can_be_seen(theme: str) -> None:
    colours = palette.STRATEGY_COLOURS
    assert set(colours) == set(STRATEGIES)
    assert len(set(colours.values())) == len(colours)
    assert all(contrast(each, CONFIG["theme"][theme]["backgroundColor"]) >= 3.0 for each in colours.values())
