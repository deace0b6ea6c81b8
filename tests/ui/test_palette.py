"""The accent colour can be read on and seen; the parts' own colours are checked beside the strip that draws them."""

from __future__ import annotations

import pytest

from tests.support.colours import CONFIG, contrast


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_white_text_can_be_read_on_a_primary_button(theme: str) -> None:
    assert contrast("#ffffff", CONFIG["theme"][theme]["primaryColor"]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_accent_can_be_seen_on_every_background(theme: str) -> None:
    colours = CONFIG["theme"][theme]
    for part in (colours, colours["sidebar"]):
        assert contrast(colours["primaryColor"], part["backgroundColor"]) >= 3.0
        assert contrast(colours["primaryColor"], part["secondaryBackgroundColor"]) >= 3.0
