"""Picking a text and a tokenizer, and looking at the tokens: page by page, alone or beside another tokenizer's.

The rule: however long a text is, only a page of its tokens is drawn. Cutting it once is the business of who passes `cut`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from lib.ui.components import tables, token_text
from lib.ui.format import numbers
from lib.ui.format.text import drawable

PAGE = 500
"""Tokens drawn at once."""
PASTE = -1
Cut = Callable[[str, str], Sequence[tuple[str, int | None]]]


def draw(
    texts: Sequence[tuple[str, str]], tokenizers: Mapping[str, str], cut: Cut, explain: Callable[[str], str]
) -> None:
    """The panel over `texts` (label, text); `tokenizers` are names with labels, `cut` takes a name and a text."""
    text = _picked(texts)
    names = list(tokenizers)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Tokenizer", names, key="inside_tokenizer", format_func=tokenizers.__getitem__, width=260)
        other = None
        if st.toggle("Compare", key="inside_compare", help="The same text by another tokenizer, side by side"):
            others = [known for known in names if known != name]
            other = st.selectbox("with", others, key="inside_other", format_func=tokenizers.__getitem__, width=260)
        ids = st.toggle("Ids", key="inside_ids", help="Each token's number in the vocabulary")
    if not text:
        st.info("This text is empty: it holds no tokens. A request still spends a few on the message around it.")
        return
    chosen = {known: cut(known, text) for known in (name, other) if known is not None}
    st.markdown(sentence(text, chosen))
    for column, (known, pieces) in zip(st.columns(len(chosen)), chosen.items(), strict=True):
        with column:
            if other is not None:
                st.markdown(f"**{tokenizers[known]}**: {numbers.plural(len(pieces), 'token')}")
            _paged(known, pieces, ids)
            st.caption(explain(known))


def sentence(text: str, chosen: Mapping[str, Sequence[object]]) -> str:
    """Example: "**o200k_base cuts these 512 characters into 128 tokens,** 4.0 characters each; cl100k_base into 131: 2 % more." """
    (name, pieces), *others = chosen.items()
    count, characters = len(pieces), len(text)
    said = (
        f"**{name} cuts {'this' if characters == 1 else 'these'} {numbers.plural(characters, 'character')} into"
        f" {numbers.plural(count, 'token')}**"
    )
    said += f", {characters / max(1, count):.1f} characters each"
    for other, theirs in others:
        change = 100 * (len(theirs) - count) / max(1, count)
        how = "just as many" if len(theirs) == count else f"{abs(change):.0f} % {'more' if change > 0 else 'fewer'}"
        said += f"; {other} into {len(theirs):,}: {how}"
    return f"{said}."


def pages(tokens: int) -> int:
    """How many pages hold this many tokens. Example: pages(501) -> 2; pages(0) -> 1"""
    return max(1, -(-tokens // PAGE))


def _picked(texts: Sequence[tuple[str, str]]) -> str:
    """A stored message, or a text pasted here."""
    place: int = st.selectbox(
        "Text",
        [*range(len(texts)), PASTE],
        key="inside_text",
        format_func=lambda place: (
            "Paste a text" if place == PASTE else drawable(texts[place][0]) if place < len(texts) else ""
        ),
    )
    if place != PASTE:
        return texts[place][1]
    pasted: str | None = st.text_area(
        "Your text", key="inside_pasted", height=160, placeholder="Any text: it stays in this browser session."
    )
    return pasted or ""


def _paged(name: str, pieces: Sequence[tuple[str, int | None]], ids: bool) -> None:
    """One page of tokens, and the whole of them as a table."""
    last = pages(len(pieces))
    page = st.pagination(last, key=f"inside_page:{name}:{last}") if last > 1 else 1
    first = (page - 1) * PAGE
    token_text.draw(pieces[first : first + PAGE], key=f"tokens:{name}", first=first, ids=ids)
    panel = st.expander("Table", icon=":material/table:", key=f"table:tokens:{name}", on_change="rerun")
    if panel.open:
        import pandas as pd

        frame = pd.DataFrame(
            [(place + 1, None if token is None else str(token), text) for place, (text, token) in enumerate(pieces)],
            columns=["#", "id", "token"],
        ).assign(**{"cut by": name})
        with panel:
            tables.show(frame, f"tokens-{name.replace(' ', '-')}", f"Every token of the text by {name}")
