"""What the chat draws of an exchange that was replaced and of messages that are not sent; drawing it stores nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.errors import ProviderUnavailable
from lib.messages import Message, assistant, user
from lib.turns import LiveTurn, Turn
from lib.ui.chat import versions
from lib.ui.chat.not_sent import STYLE
from lib.ui.components import palette
from tests.support.app.colours import CONFIG, contrast
from tests.support.app.pages import SESSION, exchange, page, settings, written_elsewhere
from tests.support.servers.typist import Typist

REPLACED = "Replaced: kept, but no longer sent"
MUTED = "Replaced or muted: kept, but no longer sent"


def texts(at: AppTest) -> list[str]:
    assert not at.exception
    return [message.markdown[0].value for message in at.chat_message]


def grey(at: AppTest) -> list[str]:
    """The texts that are drawn as not sent."""
    boxes = [(message, message.children[0]) for message in at.chat_message]
    return [message.markdown[0].value for message, box in boxes if "-not-sent-" in box.proto.id]


def captions(at: AppTest) -> list[str]:
    return [caption.value for caption in at.caption]


def counters(at: AppTest) -> list[str]:
    """Which version of how many each exchange with versions shows."""
    return [value for value in captions(at) if " / " in value]


def buttons(at: AppTest) -> set[str | None]:
    return {button.key for button in at.button}


def all_stored(chat: ChatService) -> object:
    return list(chat.store.load(SESSION)), chat.store.turns(SESSION), chat.store.about(SESSION)


def retried(chat: ChatService, *replies: str, prompt: str = "ask") -> int:
    """Store an exchange with the first reply, then one for each other reply, which replaces the one before. Returns the
    stored index of the newest."""
    at = len(chat.store.load(SESSION))
    exchange(chat, prompt, replies[0])
    for reply in replies[1:]:
        exchange(chat, prompt, reply, replaces=at)
        at += 2
    return at


def test_a_retried_exchange_is_drawn_once_in_its_newest_version(chat: ChatService, typist: Typist) -> None:
    at = page()
    at.chat_input(key="prompt").set_value("one").run()
    assert counters(at) == []
    typist.words = 7
    at.button(key="retry_last").click().run()
    assert texts(at) == ["one", typist.text().rstrip()]
    assert counters(at) == ["2 / 2"]
    assert grey(at) == []
    assert not {REPLACED, MUTED} & set(captions(at))
    assert len(chat.store.load(SESSION)) == 4
    assert chat.store.about(SESSION).muted == {0}


def test_leafing_shows_the_earlier_version_grey_and_changes_nothing_stored(chat: ChatService) -> None:
    newest = retried(chat, "first", "second")
    before = all_stored(chat)
    at = page()
    assert texts(at) == ["ask", "second"]
    assert at.button(key=f"version+1:{newest}").disabled
    at.button(key=f"version-1:{newest}").click().run()
    assert texts(at) == grey(at) == ["ask", "first"]
    assert counters(at) == ["1 / 2"]
    assert captions(at).count(REPLACED) == 2
    assert at.button(key=f"version-1:{newest}").disabled
    at.button(key=f"version+1:{newest}").click().run()
    assert texts(at) == ["ask", "second"]
    assert grey(at) == []
    assert all_stored(chat) == before


def test_every_version_of_a_chain_can_be_leafed_to(chat: ChatService) -> None:
    exchange(chat, "before", "this")
    newest = retried(chat, "first", "second", "third")
    at = page()
    seen = [(texts(at)[-1], *counters(at))]
    for _ in range(2):
        at.button(key=f"version-1:{newest}").click().run()
        seen.append((texts(at)[-1], *counters(at)))
    assert seen == [("third", "3 / 3"), ("second", "2 / 3"), ("first", "1 / 3")]
    assert texts(at) == ["before", "this", "ask", "first"]
    assert grey(at) == ["ask", "first"]


def test_a_new_version_is_shown_although_a_person_had_leafed_back(chat: ChatService) -> None:
    newest = retried(chat, "first", "second")
    at = page()
    at.button(key=f"version-1:{newest}").click().run()
    exchange(chat, "ask", "third", replaces=newest)  # in another tab
    assert texts(at.run()) == ["ask", "third"]
    assert counters(at) == ["3 / 3"]


def test_an_edited_message_replaces_its_exchange_in_place(chat: ChatService, typist: Typist) -> None:
    at = page()
    at.chat_input(key="prompt").set_value("one").run()
    at.button(key="edit_last").click().run()
    at.chat_input(key="prompt").set_value("one, edited").run()
    assert texts(at) == ["one, edited", typist.text().rstrip()]
    at.button(key="version-1:2").click().run()
    assert texts(at) == ["one", typist.text().rstrip()]
    at.chat_input(key="prompt").set_value("two").run()  # goes on with the newest version, whichever is shown
    assert [m["content"] for m in typist.requests[-1]["messages"]] == ["Be brief.", "one, edited", typist.text(), "two"]


def test_an_earlier_version_can_be_copied_but_not_retried_or_edited(chat: ChatService) -> None:
    newest = retried(chat, "first", "second")
    at = page(state={"copy": True})
    assert {"retry_last", "edit_last"} <= buttons(at)
    assert [code.value for code in at.code] == ["ask", "second"]
    at.button(key=f"version-1:{newest}").click().run()
    assert not {"retry_last", "edit_last"} & buttons(at)
    assert [code.value for code in at.code] == ["ask", "first"]


def test_an_exchange_muted_by_hand_stays_where_it_is(chat: ChatService) -> None:
    exchange(chat, "muted", "by hand")
    exchange(chat, "sent", "still")
    chat.store.mark(SESSION, 0, "muted")
    at = page()
    assert texts(at) == ["muted", "by hand", "sent", "still"]
    assert grey(at) == ["muted", "by hand"]
    assert captions(at).count(MUTED) == 2
    assert counters(at) == []


def test_a_replaced_exchange_that_is_sent_again_is_drawn_as_a_part_of_the_conversation(chat: ChatService) -> None:
    retried(chat, "first", "second")
    chat.store.mark(SESSION, 0, None)
    at = page()
    assert texts(at) == ["ask", "first", "ask", "second"]
    assert grey(at) == []
    assert counters(at) == []


def test_a_failed_retry_stands_in_the_place_of_what_it_replaces_until_it_is_discarded(chat: ChatService) -> None:
    retried(chat, "first", "second")
    error = ProviderUnavailable("The provider could not be reached.")
    chat.store.begin(SESSION, LiveTurn("ask", settings(), "test", 0.0, text="half", error=error, replaces=2))
    at = page()
    assert texts(at) == ["ask", "half"]
    assert any("Discard goes back to it" in value for value in captions(at))
    at.button(key="discard").click().run()
    assert texts(at) == ["ask", "second"]
    assert counters(at) == ["2 / 2"]


def test_a_cleared_chat_begins_with_the_newest_versions(chat: ChatService) -> None:
    newest = retried(chat, "first", "second")
    at = page()
    at.button(key=f"version-1:{newest}").click().run()
    at.button(key="clear").click().run()
    retried(chat, "third", "fourth")
    assert texts(at.run()) == ["ask", "fourth"]


def reads(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """How many turns the page asks the store for, each time."""
    asked: list[int | None] = []
    turns = chat.store.turns

    def noting(session_id: str, newest: int | None = None) -> list[Turn]:
        asked.append(newest)
        return turns(session_id, newest)

    monkeypatch.setattr(chat.store, "turns", noting)
    return asked


def test_versions_older_than_what_is_drawn_are_found_without_reading_all_turns(
    chat: ChatService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(300):
        exchange(chat, f"question {n}", f"answer {n}")
    newest = retried(chat, *(f"version {n}" for n in range(1, 31)))
    asked = reads(chat, monkeypatch)
    at = page()
    assert len(texts(at)) == 22
    assert texts(at)[-4:] == ["question 299", "answer 299", "ask", "version 30"]
    assert counters(at) == ["30 / 30"]
    assert asked == [12, 32, 42]
    at.session_state[f"versions:{SESSION}"] = {newest: 600}
    assert texts(at.run())[-4:] == ["question 299", "answer 299", "ask", "version 1"]
    assert counters(at) == ["1 / 30"]


def test_versions_that_begin_before_what_is_drawn_are_all_counted(
    chat: ChatService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(100):
        exchange(chat, f"question {n}", f"answer {n}")
    newest = retried(chat, "version 1", "version 2", "version 3", "version 4", "version 5")
    for n in range(11):
        exchange(chat, f"later {n}", f"answer {n}")
    asked = reads(chat, monkeypatch)
    at = page()
    assert (texts(at)[0], len(texts(at))) == ("ask", 24)
    assert counters(at) == ["5 / 5"]
    at.button(key=f"version-1:{newest}").click().run()
    assert texts(at)[1] == "version 4"
    assert all(count is not None and count <= 36 for count in asked)


def test_a_long_conversation_without_versions_reads_the_turns_that_it_draws(
    chat: ChatService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(100):
        exchange(chat, f"question {n}", f"answer {n}")
    asked = reads(chat, monkeypatch)
    assert len(texts(page())) == 20
    assert asked == [12]


def test_a_reply_is_hidden_with_its_message_where_the_first_message_drawn_lies_between_them(chat: ChatService) -> None:
    written_elsewhere(chat, Message("system", "Rules."))
    for n in range(9):
        exchange(chat, f"question {n}", f"answer {n}")
    retried(chat, "old", "new")  # at 19 and 21
    for n in range(9):
        exchange(chat, f"later {n}", f"answer {n}")
    at = page()
    assert texts(at)[:3] == ["ask", "new", "later 0"]  # the first one drawn is 20, the reply "old"
    assert counters(at) == ["2 / 2"]


def test_what_another_service_wrote_beside_the_conversation_is_drawn_as_it_is(chat: ChatService) -> None:
    retried(chat, "first", "second")
    chat.store.mark(SESSION, 0, None)
    written_elsewhere(chat, assistant("a greeting"), user("mine"), assistant("yes"))
    assert texts(page()) == ["ask", "first", "ask", "second", "a greeting", "mine", "yes"]


def many(chat: ChatService, **changes: object) -> None:
    """Six exchanges in a window that does not hold them."""
    for n in range(6):
        exchange(chat, f"question {n} " * 10, f"answer {n} " * 10)
    chat.store.save_settings(SESSION, settings(max_tokens=256, reserved_for_reply=64, **changes).to_dict())


def heads(drawn: list[str]) -> list[str]:
    return [text[:10].strip() for text in drawn]


def test_messages_that_the_next_request_drops_are_grey(chat: ChatService) -> None:
    many(chat)
    before = all_stored(chat)
    at = page()
    dropped = grey(at)
    assert 0 < len(dropped) < 12
    assert dropped == texts(at)[: len(dropped)]
    above = at.chat_message[len(dropped) - 1]
    assert any("Messages above won't be sent" in caption.value for caption in above.caption)
    assert all_stored(chat) == before


def test_a_pinned_message_above_the_line_is_not_grey_and_the_line_says_which_are_not_sent(chat: ChatService) -> None:
    many(chat)
    chat.store.mark(SESSION, 0, "pinned")
    at = page()
    assert heads(grey(at))[0] == "question 1"
    assert any("Grey messages above won't be sent" in value for value in captions(at))


def test_the_beginning_that_is_kept_is_not_grey(chat: ChatService) -> None:
    many(chat, strategy="head_and_tail", keep_first=1)
    assert heads(grey(page()))[0] == "question 1"


def test_nothing_is_grey_where_everything_is_sent(chat: ChatService) -> None:
    exchange(chat, "one", "two")
    at = page()
    assert grey(at) == []
    assert not any("won't be sent" in value for value in captions(at))


def test_what_an_edit_will_replace_is_grey_until_it_is_cancelled(chat: ChatService) -> None:
    exchange(chat, "one", "two")
    exchange(chat, "three", "four")
    at = page()
    at.button(key="edit_last").click().run()
    assert grey(at) == ["three", "four"]
    at.button(key="cancel_edit").click().run()
    assert grey(at) == []


def test_the_style_holds_no_text_of_a_message_and_takes_no_room(chat: ChatService) -> None:
    exchange(chat, "<b>one</b>", "two")
    chat.store.mark(SESSION, 0, "muted")
    styles = [html.proto.body for html in page().get("html") if "<style>" in html.proto.body]
    assert styles == [STYLE]
    assert STYLE.startswith("<style>")  # a body of style alone is put where it takes no room
    assert STYLE.endswith("</style>")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_that_is_not_sent_can_be_read_and_told_from_text_that_is(theme: str) -> None:
    colours = CONFIG["theme"][theme]
    for background in (colours["backgroundColor"], colours["secondaryBackgroundColor"]):
        text = mixed(colours["textColor"], background, palette.NOT_SENT_TEXT)
        assert contrast(text, background) >= 4.5
        assert contrast(text, colours["textColor"]) >= 2.0


def mixed(one: str, other: str, percent: int) -> str:
    """So much of the first colour over the other one."""
    pairs = [(int(one[n : n + 2], 16), int(other[n : n + 2], 16)) for n in (1, 3, 5)]
    return "#" + "".join(f"{round((a * percent + b * (100 - percent)) / 100):02x}" for a, b in pairs)


def turn(replaces: int | None) -> Turn:
    return Turn("id", "ask", "reply", "complete", "openai", "typist-1", "", 0.0, replaces=replaces)


def test_an_exchange_that_two_turns_replaced_belongs_to_the_later_one() -> None:
    found = versions.find({2: turn(0), 4: turn(0)}, {0})
    assert found.of == {4: (0, 4)}
    assert found.replaced == {0}


def test_a_record_that_replaces_something_later_is_ignored() -> None:
    assert versions.find({2: turn(2), 4: turn(8)}, {2, 4, 8}) == versions.Versions()


@given(st.lists(st.booleans(), max_size=12), st.sets(st.integers(0, 12)), st.booleans())
def test_each_exchange_is_drawn_once_or_can_be_leafed_to_once(
    retries: list[bool], unmuted: set[int], answering: bool
) -> None:
    turns, muted = {0: turn(None)}, set()
    for n, is_retry in enumerate(retries, 1):
        turns[2 * n] = turn(2 * (n - 1) if is_retry else None)
        muted |= {2 * (n - 1)} if is_retry else set()
    muted -= {2 * n for n in unmuted}
    last = max(turns)
    found = versions.find(turns, muted, last if answering else None)
    inline = [at for at in turns if at not in found.replaced and at not in found.of]
    leafed = [at for chain in found.of.values() for at in chain]
    assert len(set(inline + leafed)) == len(inline + leafed)
    if not answering:
        assert sorted(inline + leafed) == sorted(turns)
    assert all(chain[-1] == newest and set(chain[:-1]) <= muted for newest, chain in found.of.items())
    assert all(list(chain) == sorted(chain) for chain in found.of.values())
    assert (last in found.replaced) == answering


def test_a_version_that_does_not_exist_any_more_is_not_shown(chat: ChatService) -> None:
    newest = retried(chat, "first", "second")
    at = page(state={f"versions:{SESSION}": {newest: 40}})
    assert texts(at) == ["ask", "second"]


def test_a_turn_is_found_by_its_own_place_though_the_version_before_has_the_same_words(chat: ChatService) -> None:
    retried(chat, "same", "same", "same")
    turns = chat.store.turns(SESSION)
    assert [replace(each, number=0).replaces for each in turns] == [None, 0, 2]
    at = page()
    assert counters(at) == ["3 / 3"]
    assert texts(at) == ["ask", "same"]
