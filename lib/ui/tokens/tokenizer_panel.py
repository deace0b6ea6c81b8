"""A panel that shows the tokens of a text page by page, by one tokenizer or two side by side.

Only one page of tokens is drawn, however long the text is. `cut` is called on every rerun, so callers cache it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from lib.messages import utf8_safe
from lib.ui.components import tables, token_text
from lib.ui.format import numbers

PAGE = 500
"""Tokens drawn at once."""
PASTE = -1
"""The choice to paste a text."""
Cut = Callable[[str, str], Sequence[tuple[str, int | None]]]
"""Takes a tokenizer's name and a text, returns its tokens as (text, id)."""


def draw(
    texts: Sequence[tuple[str, str]], tokenizers: Mapping[str, str], cut: Cut, explain: Callable[[str], str]
) -> None:
    """Draw the panel over `texts` (label, text). `tokenizers` are labels by name; `explain` describes one by name."""
    text = _picked_text(texts)
    names = list(tokenizers)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Tokenizer", names, key="inside_tokenizer", format_func=tokenizers.__getitem__, width=260)
        other = None
        if st.toggle(
            "Compare tokenizers", key="inside_compare", help="The same text by another tokenizer, side by side"
        ):
            others = [other for other in names if other != name]
            other = st.selectbox("with", others, key="inside_other", format_func=tokenizers.__getitem__, width=260)
        ids = st.toggle("Token ids", key="inside_ids", help="Each token's number in the vocabulary")
    if not text:
        st.info("This text is empty: it holds no tokens. A request still spends a few on the message around it.")
        return
    tokens_by = {each: cut(each, text) for each in (name, other) if each is not None}
    st.markdown(sentence(text, tokens_by))
    for column, (each, tokens) in zip(st.columns(len(tokens_by)), tokens_by.items(), strict=True):
        with column:
            if other is not None:
                st.markdown(f"**{tokenizers[each]}**: {numbers.plural(len(tokens), 'token')}")
            _paged(each, tokens, ids)
            st.caption(explain(each))


def sentence(text: str, tokens_by: Mapping[str, Sequence[object]]) -> str:
    """Example: "**a cuts these 8 characters into 2 tokens**, 4.0 characters each; b into 3: 50 % more." """
    (name, tokens), *others = tokens_by.items()
    count, characters = len(tokens), len(text)
    parts = [
        f"**{name} cuts {'this' if characters == 1 else 'these'} {numbers.plural(characters, 'character')} into"
        f" {numbers.plural(count, 'token')}**, {characters / max(1, count):.1f} characters each"
    ]
    for other, other_tokens in others:
        change = 100 * (len(other_tokens) - count) / max(1, count)
        compared = f"{abs(change):.0f} % {'more' if change > 0 else 'fewer'}" if change else "just as many"
        parts.append(f"{other} into {len(other_tokens):,}: {compared}")
    return f"{'; '.join(parts)}."


def pages(tokens: int) -> int:
    """How many pages hold this many tokens. Example: pages(501) -> 2; pages(0) -> 1"""
    return max(1, -(-tokens // PAGE))


def _picked_text(texts: Sequence[tuple[str, str]]) -> str:
    """The text of a stored message, or a pasted one."""
    place: int = st.selectbox(
        "Text",
        [*range(len(texts)), PASTE],
        key="inside_text",
        format_func=lambda place: (
            "Paste a text" if place == PASTE else utf8_safe(texts[place][0]) if place < len(texts) else ""
        ),
    )
    if place != PASTE:
        return texts[place][1]
    pasted: str | None = st.text_area(
        "Your text", key="inside_pasted", height=160, placeholder="Any text: it stays in this browser session."
    )
    return pasted or ""


def _paged(name: str, tokens: Sequence[tuple[str, int | None]], ids: bool) -> None:
    """Draw one page of tokens, and all of them as a table."""
    last = pages(len(tokens))
    page = st.pagination(last, key=f"inside_page:{name}:{last}") if last > 1 else 1
    first = (page - 1) * PAGE
    token_text.draw(tokens[first : first + PAGE], key=f"tokens:{name}", first=first, ids=ids)
    panel = st.expander("Table", icon=":material/table:", key=f"table:tokens:{name}", on_change="rerun")
    if panel.open:
        import pandas as pd

        frame = pd.DataFrame(
            [(number, None if id_ is None else str(id_), text) for number, (text, id_) in enumerate(tokens, start=1)],
            columns=["#", "id", "token"],
        ).assign(**{"cut by": name})
        with panel:
            tables.show(frame, f"tokens-{name.replace(' ', '-')}", f"Every token of the text by {name}")
