"""Draws why the prompt cache could not reuse more: our reading, what was reported, and the provider's own words.

The provider's words are there only where it was asked.
"""

from __future__ import annotations

import streamlit as st

from lib.analysis.prompt_cache.diagnosis import diagnosis_of
from lib.analysis.prompt_cache.reading import read_cache
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.settings import EXAMPLE
from lib.ui.context_window.prompt_cache import words
from lib.ui.shell import services


def draw(before: RequestRecord | None, now: RequestRecord, sizes: MessageSizes) -> None:
    """Two or three lines about the request `now`; `before` is the one before it."""
    turn = now.turn
    model = None if turn is None else services.find_model(turn.provider, str(turn.request.get("model", turn.model)))
    reading = read_cache(before, now, sizes, model)
    name = "" if before is None else before.name if before.recorded else f"the request with {before.name}"
    lines = [("Our reading", words.our_reading(reading, name, sizes.parts(now).sent, sizes.provenance))]
    if turn is None:
        lines.append(("Reported", words.reported(None, "billed", reading)))
    elif turn.provider == EXAMPLE:
        lines.append(("Reported", "Nothing: the reply was written by hand, so no server read this request."))
    else:
        lines.append(("Reported", words.reported(turn.usage, turn.usage_provenance, reading)))
        said = diagnosis_of(turn)
        if said is not None:
            lines.append(("The provider says", words.provider_says(said, reading.cause)))
    st.caption(
        "  \n".join([":material/cached: **Prompt cache**", *(f"**{label}:** {text}" for label, text in lines)]),
        help="Providers keep the beginning of a request for a while. If the next request begins the same way, they do"
        " not read that part again, and charge less for it.",
    )
