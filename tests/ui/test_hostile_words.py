"""Words that a file, a store or a server brings in are drawn as words on every page: no picture, colour or formula."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.context.candidates import Summary
from lib.history import About, Import, Recording
from lib.messages import Message, Usage, assistant, user
from lib.turns import PlanSummary, Turn
from tests.support.app.pages import SESSION, page, settings
from tests.ui.test_odd_sessions import OPENED, TABS

HOSTILE = "![i](https://evil.example/p.png) :red[e]"
DRAWN = re.compile(r"!\[i\]\(|(?<!&#58;)(?<!&#58)(?<!\w):red\[e\]")
PLAIN = {
    *("dataframe", "bidi_component", "code", "json", "text", "text_area", "text_input", "chat_input", "imgs"),
    *("selectbox", "multiselect", "download_button", "plotly_chart", "chat_message"),
}
"""Elements that draw their words as they are."""
PLAN = PlanSummary(((0, 4, True, "fits"),), 3, 4, 0, 9, None, 4096, 512, "oldest_first", HOSTILE, "estimated", True)
TURN = Turn(
    *(
        "t",
        "one",
        HOSTILE,
        "complete",
        HOSTILE,
        HOSTILE,
        HOSTILE,
        0.0,
        replace(PLAN, runs=((0, 1, True, "fits"),), stored=0, sent=1),
    ),
    request={"model": HOSTILE, "stop": [HOSTILE]},
    usage=Usage(10, None, None, 5),
    stop_reason=HOSTILE,
    request_id=HOSTILE,
    note=HOSTILE,
    reasoning=HOSTILE,
    reply_id=HOSTILE,
    cache_diagnosis={"reason": HOSTILE},
    number=1,
)


def brought_in(chat: ChatService) -> None:
    """A session as a capsule from a stranger restores it."""
    messages = [user("one"), assistant(HOSTILE), Message(HOSTILE, "a"), user("a"), assistant("b")]
    about = About(
        created_at=0.0,
        summaries=(Summary(HOSTILE, 1, HOSTILE, HOSTILE),) if False else (),
        imports=(Import(0, 1, HOSTILE, 0.0),),
    )
    stored = settings(model=HOSTILE, system_prompt=HOSTILE).to_dict()
    later = replace(TURN, id="u", prompt="a", reply="b", provider="openai", plan=PLAN, number=2)
    chat.store.restore(SESSION, Recording(HOSTILE, messages, [TURN, later], stored, HOSTILE, about))


def drawn_by(at: AppTest) -> Iterator[tuple[str, str]]:
    """Every text of the elements that draw Markdown, with the kind of its element."""

    def walk(block: Any) -> Iterator[tuple[str, str]]:
        proto = getattr(block, "proto", None)
        kind = getattr(block, "type", "")
        if proto is not None and kind not in PLAIN:
            yield kind, str(proto)
        for child in getattr(block, "children", {}).values():
            yield from walk(child)

    for block in (at.main, at.sidebar):
        yield from walk(block)


@pytest.mark.parametrize(("path", "key", "tab"), TABS)
def test_words_from_outside_are_drawn_as_words(chat: ChatService, path: str, key: str, tab: str | None) -> None:
    brought_in(chat)
    at = page(path, state=OPENED | ({key: tab} if tab else {}))
    assert not at.exception, at.exception
    assert [(kind, text) for kind, text in drawn_by(at) if DRAWN.search(text)] == []
