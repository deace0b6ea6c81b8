"""The menu: all pages with their titles and icons, and the links to them."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page in the menu; `path` is its script. `wide` pages use the whole width of the window."""

    path: str
    title: str
    icon: str
    help: str
    wide: bool = False


MENU = {
    "chat": PageEntry(
        "app.py",
        "Chat",
        ":material/forum:",
        "Talk to a model and see, with each reply, how much of the conversation it was sent.",
    ),
    "sessions": PageEntry(
        "pages/sessions.py",
        "Sessions",
        ":material/inbox:",
        "All chats: find one, see what it cost and how long it is kept, fork it, compare it, or send it again.",
        wide=True,
    ),
    "tokens": PageEntry(
        "pages/tokens.py",
        "Tokens and money",
        ":material/bar_chart:",
        "How each request grew, who counted it, what it cost, and what it would cost elsewhere.",
        wide=True,
    ),
    "context_window": PageEntry(
        "pages/context_window.py",
        "Context window",
        ":material/view_timeline:",
        "For each turn: every stored message, its size, whether it was sent, and why.",
        wide=True,
    ),
    "trim_lab": PageEntry(
        "pages/trim_lab.py",
        "Trim lab",
        ":material/content_cut:",
        "One conversation under many strategies and budgets: what is dropped, what it costs, what is still known.",
        wide=True,
    ),
    "compare": PageEntry(
        "pages/compare.py",
        "Models side by side",
        ":material/view_column:",
        "The same messages to two to four models or settings: who reads least, answers first and costs least.",
        wide=True,
    ),
    "prompt_sets": PageEntry(
        "pages/prompt_sets.py",
        "Prompt sets",
        ":material/checklist:",
        "Many prompts on several models at once: what it will cost, which model passes most, and every answer.",
        wide=True,
    ),
    "threads": PageEntry(
        "pages/threads.py",
        "Who keeps the history",
        ":material/compare_arrows:",
        "The same chat re-sent every turn and kept by a server, side by side: who uploads, who pays, who forgets.",
        wide=True,
    ),
    "lessons": PageEntry(
        "pages/lessons.py",
        "Lessons",
        ":material/school:",
        "Short lessons for a class or for yourself: guess what a model will do, watch it, and see why.",
    ),
    "providers": PageEntry(
        "pages/providers.py",
        "Models and endpoints",
        ":material/hub:",
        "The servers that can answer: add one by name, type its key, and test what it really does.",
    ),
    "record": PageEntry(
        "pages/record.py",
        "Record your app",
        ":material/radio_button_checked:",
        "Point your own code at Windowseat: every request it makes is passed on, and shows up here.",
    ),
}


def draw(session_id: str) -> None:
    """Links to all pages, each with the open chat."""
    for entry in MENU.values():
        parameters = {"session": session_id}
        st.page_link(entry.path, label=entry.title, icon=entry.icon, help=entry.help, query_params=parameters)
