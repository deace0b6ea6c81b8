"""The tokens page, inside a message: any stored message, or a pasted text, cut into tokens."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.analysis.bills import Bill
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.tokens.vocabularies import TOKENIZERS, tokenize
from lib.ui.format.text import drawable
from lib.ui.shell.page import Page
from lib.ui.tokens import tokenizer_panel

LISTED = 500
"""Messages offered for choosing, the newest: a longer list is no help."""


def draw(page: Page, records: Sequence[RequestRecord], sizes: MessageSizes, bills: Sequence[Bill]) -> None:
    """The panel over the stored messages, the newest first."""
    first = max(0, len(page.history) - LISTED)
    texts = [
        (
            f"{index + 1} · {page.history[index].role}: {drawable(page.history[index].text[:60])}",
            page.history[index].text,
        )
        for index in range(len(page.history) - 1, first - 1, -1)
    ]
    labels = {name: tokenizer.label for name, tokenizer in TOKENIZERS.items()}
    tokenizer_panel.draw(texts, labels, _cut_once, lambda name: TOKENIZERS[name].explanation)


@st.cache_data(max_entries=16, show_spinner="Cutting into tokens")
def _cut_once(name: str, text: str) -> list[tuple[str, int | None]]:
    return [(piece.text, piece.id) for piece in tokenize(name, text)]
