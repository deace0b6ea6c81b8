"""The prompts of a new run: a file, pasted text, or the example. Nothing is stored or sent by reading them."""

from __future__ import annotations

from importlib.resources import files

import streamlit as st

from lib.errors import ImportRefused
from lib.prompt_sets import CHECK_WORDS, KINDS, MOST_BYTES, MOST_PROMPTS, CheckKind, PromptSet
from lib.prompt_sets.reading.read import FORMAT_WORDS, FORMATS, Format, read_set
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.prompt_sets import state
from lib.ui.shell import error_box

TYPES = ["csv", "tsv", "jsonl", "ndjson", "json", "yaml", "yml", "txt"]
RECOGNISE = "Recognise it"
SHOWN = 200
"""Prompts in the table that shows what was read."""
PLACEHOLDER = "prompt,expected\nWhat is the capital of France?,Paris"


def draw() -> PromptSet | None:
    """The fields, and what was read; None while there is nothing, or it is refused."""
    how = st.segmented_control("Prompts from", state.SOURCES, default=state.FILE, required=True, key=state.SOURCE)
    name, raw = {state.FILE: _uploaded, state.PASTED: _pasted, state.EXAMPLE: _example}[how]()
    if raw is None:
        return None
    forced = _format() if how != state.EXAMPLE else None
    try:
        found = read_set(name, raw, forced)
    except ImportRefused as refusal:
        error_box.show(refusal)
        return None
    _describe(found)
    return found


def _uploaded() -> tuple[str, bytes | None]:
    file = st.file_uploader(
        f"Up to {MOST_PROMPTS:,} prompts",
        type=TYPES,
        key="prompt_set_file",
        max_upload_size=MOST_BYTES // 2**20,
        help=(
            "CSV with a column “prompt”, and “expected”, “id”, “system” and “check” where you have them; every other"
            " column fills {{its name}} in the prompts. Or the same as JSONL, promptfoo’s configuration, or inspect’s"
            " samples."
        ),
    )
    return (file.name, file.getvalue()) if file is not None else ("", None)


def _pasted() -> tuple[str, bytes | None]:
    text = st.text_area(
        f"Up to {MOST_PROMPTS:,} prompts, as CSV or JSONL, or one in each line",
        key=state.PASTE,
        height=160,
        max_chars=1_000_000,
        placeholder=PLACEHOLDER,
    )
    return "pasted text", text.encode(errors="surrogatepass") if text.strip() else None


def _example() -> tuple[str, bytes | None]:
    return "Example", files("lib.prompt_sets").joinpath("example.csv").read_bytes()


def _format() -> Format | None:
    chosen = st.selectbox(
        "Format",
        [RECOGNISE, *FORMATS],
        key=state.FORMAT,
        format_func=lambda each: dict(FORMAT_WORDS).get(each, each),
        width=260,
    )
    return next((each for each in FORMATS if each == chosen), None)


def _describe(found: PromptSet) -> None:
    """What was read, in a sentence; then what of it is not used, and the prompts themselves."""
    st.markdown(sentence(found))
    for note in found.notes:
        st.caption(f":material/info: {as_markdown(note[:1].upper() + note[1:])}.")
    panel = st.expander("See the prompts", icon=":material/table:", key="prompt_set_table", on_change="rerun")
    if panel.open:
        with panel:
            _table(found)


def sentence(found: PromptSet) -> str:
    """Markdown. Example: "**50 prompts, 48 of them with something to check**, read as CSV with a header." """
    count = len(found.prompts)
    checked = sum(bool(each.checks or each.expected) for each in found.prompts)
    with_check = "all" if checked == count else "none" if not checked else f"{checked:,}"
    return (
        f"**{numbers.plural(count, 'prompt')}, {with_check} of them with something to check**, read as {found.format}."
    )


def _table(found: PromptSet) -> None:
    import pandas as pd

    rows = [
        [each.id, each.text, each.expected, ", ".join(CHECK_WORDS[check.kind] for check in each.checks), each.system]
        for each in found.prompts[:SHOWN]
    ]
    frame = pd.DataFrame(rows, columns=["id", "prompt as it is sent", "expected", "its own check", "system prompt"])
    st.dataframe(frame, hide_index=True, key="prompt_set_prompts", alt="The prompts as they would be sent")
    if len(found.prompts) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(found.prompts):,}.")


def check() -> CheckKind:
    """The check for prompts that bring none of their own."""
    return st.selectbox(
        "An answer passes if it",
        KINDS,
        index=KINDS.index("icontains"),
        format_func=lambda kind: CHECK_WORDS[kind],
        key=state.CHECK,
        help="For prompts that name no check of their own. Blanks around an answer do not count.",
    )
