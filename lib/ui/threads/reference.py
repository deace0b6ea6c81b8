"""What to know about each way of keeping a history: one table, every statement with its source and day.

The rule: a statement about a vendor is that vendor's or its SDK's, dated, and says where it is second-hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from lib.server_history import Approach
from lib.server_history.reference import ASSISTANTS, CLAUDE, CONVERSATIONS, FACTS, MANUAL, RESPONSES
from lib.ui.components import tables

if TYPE_CHECKING:
    import pandas as pd

WAYS = (MANUAL, CONVERSATIONS, RESPONSES, ASSISTANTS, CLAUDE)
QUESTIONS = {
    "lives": "Where it lives",
    "retention": "For how long",
    "who_trims": "Who leaves out",
    "can_you_see_it": "Can you see it",
    "list_": "Can it be listed",
    "edit": "Edited",
    "export": "Exported",
    "delete": "Deleted",
    "overflow": "When it overflows",
    "portability": "Where it can go",
    "best_for": "Best for",
}


def draw() -> None:
    """One way at a time for a phone's width, then the whole table with its sources."""
    st.markdown(
        "**OpenAI and Azure switched the Assistants API off on 26 August 2026.** Conversations and chains of responses"
        " took its place; Claude has message threads, in beta."
    )
    name = st.selectbox("Which way", [way.name for way in WAYS], key="reference_way")
    way = next(way for way in WAYS if way.name == name)
    for field, question in QUESTIONS.items():
        fact = getattr(way, field)
        st.markdown(f"**{question}.** {fact.says}  \n:gray[:small[{fact.source}, read on {fact.read_on}]]")
    tables.draw(
        frame(),
        "reference",
        "Every way of keeping a history, question by question, with sources",
        title="All of them as a table",
    )


IN_LEDGER = ("lives", "retention", "who_trims", "can_you_see_it", "delete", "overflow")


def beside(approaches: Sequence[Approach]) -> pd.DataFrame:
    """For these ways: where the history lives and for how long, who leaves out and whether it shows, deleting, overflow."""
    import pandas as pd

    rows = [
        [QUESTIONS[field], *(getattr(FACTS[approach], field).says for approach in approaches)] for field in IN_LEDGER
    ]
    return pd.DataFrame(rows, columns=["question", *(FACTS[approach].name for approach in approaches)])


def frame() -> pd.DataFrame:
    """One row per way and question, with source and day."""
    import pandas as pd

    rows = [
        [way.name, question, getattr(way, field).says, getattr(way, field).source, getattr(way, field).read_on]
        for field, question in QUESTIONS.items()
        for way in WAYS
    ]
    return pd.DataFrame(rows, columns=["way", "question", "answer", "source", "read on"])
