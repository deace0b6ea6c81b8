"""What to know about each way of keeping a history: one table, every statement with its source and date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from lib.server_history import Approach
from lib.server_history.reference import FACTS
from lib.ui.components import tables
from lib.ui.threads import state

if TYPE_CHECKING:
    import pandas as pd

QUESTIONS = {
    "location": "Where it lives",
    "retention": "For how long",
    "who_trims": "Who trims",
    "trimming_visible": "Is trimming visible",
    "listing": "Can it be listed",
    "edit": "Can it be edited",
    "export": "Can it be exported",
    "delete": "Can it be deleted",
    "overflow": "When it overflows",
    "portability": "Portability",
    "best_for": "Best for",
}
"""The label of every field of Facts."""
QUESTIONS_IN_LEDGER = ("location", "retention", "who_trims", "trimming_visible", "delete", "overflow")


def draw() -> None:
    """One approach at a time, narrow enough for a phone; then all of them as a table with sources."""
    st.markdown(
        "**OpenAI and Azure switched the Assistants API off on 26 August 2026.** Conversations and chains of responses"
        " replaced it; Claude has message threads, in beta."
    )
    facts = st.selectbox(
        "Which way", list(FACTS.values()), key=state.REFERENCE_APPROACH, format_func=lambda facts: facts.name
    )
    for field, question in QUESTIONS.items():
        fact = getattr(facts, field)
        st.markdown(f"**{question}.** {fact.says}  \n:gray[:small[{fact.source}, read on {fact.read_on}]]")
    tables.draw(
        all_facts(),
        "reference",
        "Every way of keeping a history, question by question, with sources",
        title="All of them as a table",
    )


def facts_side_by_side(approaches: Sequence[Approach]) -> pd.DataFrame:
    """One row per question that matters for the ledger, one column per approach."""
    import pandas as pd

    rows = [
        [QUESTIONS[field], *(getattr(FACTS[approach], field).says for approach in approaches)]
        for field in QUESTIONS_IN_LEDGER
    ]
    return pd.DataFrame(rows, columns=["question", *(FACTS[approach].name for approach in approaches)])


def all_facts() -> pd.DataFrame:
    """One row per question and approach, with source and date."""
    import pandas as pd

    rows = [
        [facts.name, question, getattr(facts, field).says, getattr(facts, field).source, getattr(facts, field).read_on]
        for field, question in QUESTIONS.items()
        for facts in FACTS.values()
    ]
    return pd.DataFrame(rows, columns=["way", "question", "answer", "source", "read on"])
