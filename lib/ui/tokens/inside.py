"""The tab "Inside a message": any stored message, or a pasted text, cut into tokens."""

from __future__ import annotations

import streamlit as st

from lib.tokens.counted import text_of
from lib.tokens.vocabularies import TOKENIZERS, tokenize
from lib.ui.format.text import as_option
from lib.ui.shell.page import Page
from lib.ui.tokens import tokenizer_panel

MOST_LISTED = 500
"""Messages in the list, the newest first."""
LABEL = 60
"""Characters of a message in the list."""


def draw(page: Page) -> None:
    """Draw the tokenizer panel over the stored messages."""
    first = max(0, len(page.history) - MOST_LISTED)
    texts = [
        (f"{index + 1} · {message.role}: {as_option(text, LABEL)}", text)
        for index, message in reversed(list(enumerate(page.history))[first:])
        for text in [text_of(message)]
    ]
    labels = {name: tokenizer.label for name, tokenizer in TOKENIZERS.items()}
    tokenizer_panel.draw(texts, labels, _cut, lambda name: TOKENIZERS[name].explanation)


@st.cache_data(max_entries=16, show_spinner="Cutting into tokens")
def _cut(name: str, text: str) -> list[tuple[str, int | None]]:
    return [(piece.text, piece.id) for piece in tokenize(name, text)]
