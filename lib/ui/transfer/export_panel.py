"""Takes chats out as files: a capsule or class pack, OpenAI JSONL, Markdown, CSV or Parquet of turns. Never a key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from lib.errors import ChatError
from lib.history import HistoryStore
from lib.transfer.capsule import NOTE_LENGTH
from lib.transfer.capsule.write import recording_of, write
from lib.transfer.out import markdown, openai_jsonl, turn_table
from lib.ui.format import numbers
from lib.ui.shell import error_box, services
from lib.ui.shell.page import Page
from lib.ui.transfer import state


class Kind(NamedTuple):
    """A kind of file: what it is called, what is in it, its ending and its media type."""

    name: str
    about: str
    ending: str
    mime: str


KINDS = {
    "capsule": Kind(
        "Windowseat capsule",
        "Everything: messages byte for byte, turns with their plans, marks, summaries, settings, prices and hashes. Can"
        " be opened again and shows the replies without any key. Several chats with a title make a class pack.",
        "json",
        "application/json",
    ),
    "jsonl": Kind(
        "OpenAI JSONL", "The messages of each chat on a line, as fine-tuning takes them.", "jsonl", "application/jsonl"
    ),
    "markdown": Kind("Markdown", "A transcript to read.", "md", "text/markdown"),
    "csv": Kind("Turns as CSV", "A row for each turn, safe to open in a spreadsheet.", "csv", "text/csv"),
    "parquet": Kind("Turns as Parquet", "The same with types.", "parquet", "application/vnd.apache.parquet"),
}


class Choices(NamedTuple):
    """What a person wants to have in the file."""

    session_ids: tuple[str, ...]
    kind: str
    title: str
    note: str


def draw(page: Page, chats: Mapping[str, str]) -> None:
    """The whole panel. `chats` are the ids of the chats to offer with their labels, of which no two are the same."""
    if page.chat is None or not chats:
        st.caption("There is no chat yet, so there is nothing to export.")
        return
    try:
        choices = _choices(chats, page.session_id)
        if choices.session_ids:
            _file(page.chat.store, choices)
    except ChatError as error:
        error_box.show(error, wait=False)


def _choices(offered: Mapping[str, str], open_id: str) -> Choices:
    chosen = st.multiselect(
        "Chats",
        list(offered),
        default=[open_id] if open_id in offered else [],
        key="export_chats",
        format_func=lambda each: offered.get(each, each),
        placeholder="Choose the chats to export",
    )
    kind = st.selectbox("As", list(KINDS), key="export_kind", format_func=lambda each: KINDS[each].name)
    st.caption(KINDS[kind].about)
    title = note = ""
    if kind == "capsule":
        title = st.text_input("Title", key="export_title", max_chars=200, placeholder="optional, for a class pack")
        note = st.text_area("Note", key="export_note", max_chars=NOTE_LENGTH, placeholder="optional", height=80)
    return Choices(tuple(chosen), kind, title, note)


def _file(store: HistoryStore, choices: Choices) -> None:
    """Make the file, then offer it: whatever goes wrong while it is made is said here."""
    st.caption("What you and the model wrote is in it. API keys are not, nor ids of copies that servers keep.")
    if st.button("Make the file", key="export_make", icon=":material/inventory_2:"):
        with st.spinner("Making the file…"):
            state.keep_made(choices, _made(store, choices))
    file = state.made(choices)
    if file is None:
        return
    kind = KINDS[choices.kind]
    name = f"{_file_name(choices, store)}.{kind.ending}"
    st.download_button(
        f"Download {name} ({_size(len(file))})",
        file,
        name,
        kind.mime,
        key="export_download",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


def _made(store: HistoryStore, choices: Choices) -> bytes:
    """The file. Raises a ChatError."""
    ids = choices.session_ids
    if choices.kind == "capsule":
        recordings = [recording_of(store, each, services.find_model) for each in ids]
        return write(recordings, choices.title, choices.note)
    abouts = [store.about(each) for each in ids]
    prompts = [str(about.settings.get("system_prompt") or "") for about in abouts]
    if choices.kind == "jsonl":
        return openai_jsonl.write([(prompt, store.load(each)) for prompt, each in zip(prompts, ids, strict=True)])
    if choices.kind == "markdown":
        parts = zip(abouts, ids, prompts, strict=True)
        return b"\n".join(markdown.write(about.title, store.load(each), prompt) for about, each, prompt in parts)
    frame = turn_table.table([(about.title, store.turns(each)) for about, each in zip(abouts, ids, strict=True)])
    return turn_table.as_csv(frame) if choices.kind == "csv" else turn_table.as_parquet(frame)


def _size(count: int) -> str:
    """Example: _size(2_345_678) -> "2.3 MB" """
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else numbers.plural(count, "byte")


def _file_name(choices: Choices, store: HistoryStore) -> str:
    """A file name of plain letters. Example: "A week in Lisbon (example)" -> "a-week-in-lisbon-example" """
    title = choices.title or store.about(choices.session_ids[0]).title
    return re.sub(r"[^a-z0-9]+", "-", title.lower())[:60].strip("-") or "chats"
