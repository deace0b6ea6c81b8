"""A message of megabytes: the page draws a part of it, offers the rest as a file, and does not wait for its size."""

from __future__ import annotations

import threading

from lib.chat.service import ChatService
from lib.messages import assistant, user
from lib.ui.components.whole_text import SHOWN_CHARACTERS
from lib.ui.format.text import DRAWN_CHARACTERS
from tests.support.app.pages import SESSION, overwritten, page
from tests.support.waiting import wait_until

LONG = "word and more. " * 700_000


def drawn_characters(state: dict[str, object] | None = None) -> int:
    """Characters that the chat page sends to the browser as text."""
    at = page(state=state)
    assert not at.exception
    return sum(len(str(element.value)) for element in [*at.markdown, *at.code, *at.caption])


def counted() -> None:
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "count"], "the count")


def test_a_part_is_drawn_and_all_of_it_is_a_file(chat: ChatService) -> None:
    overwritten(chat, user("hi"), assistant(LONG))
    assert drawn_characters() < 2 * DRAWN_CHARACTERS
    at = page(state={"message-1-all": True})
    assert [len(code.value) for code in at.code] == [SHOWN_CHARACTERS]
    assert f"Download all {len(LONG):,} characters" in str(at.get("download_button"))
    counted()


def test_the_copy_panel_is_bounded_too(chat: ChatService) -> None:
    overwritten(chat, user(LONG), assistant("yes"))
    assert drawn_characters({"copy": True}) < SHOWN_CHARACTERS + 2 * DRAWN_CHARACTERS
    counted()


def test_a_message_that_fits_has_no_file(chat: ChatService) -> None:
    overwritten(chat, user("hi"), assistant("x" * (DRAWN_CHARACTERS + 1)))
    at = page(state={"message-1-all": True})
    assert [len(code.value) for code in at.code] == [DRAWN_CHARACTERS + 1]
    assert not at.get("download_button")


def test_the_size_is_an_estimate_until_it_is_counted(chat: ChatService) -> None:
    overwritten(chat, user("hi"), assistant(LONG))

    def line() -> str:
        return next(caption.value for caption in page().caption if "Next request" in caption.value)

    assert "request: about " in line()
    counted()
    assert "about" not in line()
    assert chat.store.load(SESSION)[1].text == LONG
