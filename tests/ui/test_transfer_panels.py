"""The panels for import and export, as a person uses them: read, choose, store; choose, make, download."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.errors import HistoryUnavailable
from lib.example.recording import open_as
from lib.history import Recording
from lib.history.memory import InMemoryHistory
from lib.transfer.opened import open_file
from tests.support.app.pages import SESSION, settings
from tests.support.servers.redis_servers import say

SAMPLES = Path("tests/data/transfer")


def import_script() -> None:
    from lib.ui.shell import session
    from lib.ui.shell.page import load
    from lib.ui.transfer import import_panel
    from tests.support.app.pages import SESSION

    import_panel.draw(load(SESSION), "", session.open_session)


def export_script() -> None:
    from lib.ui.shell.page import load
    from lib.ui.transfer import export_panel
    from tests.support.app.pages import SESSION

    page = load(SESSION)
    export_panel.draw(page, {SESSION: "A week in Lisbon"} if page.history else {})


def export_several_script() -> None:
    from lib.ui.shell.page import load
    from lib.ui.transfer import export_panel
    from tests.support.app.pages import SESSION

    export_panel.draw(load(SESSION), {SESSION: "A week in Lisbon", "other": "untitled"})


def drawn(script: Callable[[], None]) -> AppTest:
    return AppTest.from_function(script, default_timeout=20).run()


def uploaded(name: str) -> AppTest:
    at = drawn(import_script)
    return at.file_uploader[0].set_value((name, (SAMPLES / name).read_bytes(), "application/json")).run()


def words(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.error, at.warning, at.success, at.info)
    return "\n".join(str(each.value) for kind in kinds for each in kind)


def stored(chat: ChatService) -> dict[str, int]:
    return {each.title: len(chat.store.load(each.session_id)) for each in chat.store.sessions(99)}


def test_an_export_is_listed_and_the_chosen_chats_become_sessions(chat: ChatService) -> None:
    at = uploaded("chatgpt_conversations.json")
    assert not at.exception
    assert "**ChatGPT export with 4 chats.** 1 of them cannot come in; the list says why." in words(at)
    assert stored(chat) == {}
    assert [(each.label, each.value, each.disabled) for each in at.checkbox][:4] == [
        ("A day in Lisbon", True, False),
        ("A day in Lisbon", False, False),
        ("Haiku", True, False),
        ("Empty", False, True),
    ]
    assert "branch 2 of 2 · 4 messages · 14 November 2023" in words(at)
    at.button(key="import_none").click().run()
    assert at.button(key="import_button").disabled
    at.checkbox(key="import_row:2").check().run()
    at.button(key="import_button").click().run()
    assert stored(chat) == {"Haiku": 2}
    assert "1 chat was stored." in words(at)
    opens = at.button(key=f"import_open:{chat.store.sessions(1)[0].session_id}")
    assert opens.label == "Open “Haiku”"
    at.button(key="import_all").click().run()
    at.button(key="import_button").click().run()
    assert len(chat.store.sessions(99)) == 3
    assert "1 chat had been imported before, and nothing was changed there." in words(at)


def test_what_is_lost_is_shown_with_its_place(chat: ChatService) -> None:
    at = uploaded("open_webui.json")
    at.session_state["import_problems"] = True
    at.run()
    assert not at.exception
    (table,) = at.dataframe
    assert table.value["where"].iloc[0] == "chat 1, history.messages.a"
    assert table.value["what"].iloc[0] == "a file (menu.pdf): it is not in the export"


def test_a_file_that_cannot_be_used_says_why_and_stores_nothing(chat: ChatService) -> None:
    at = drawn(import_script)
    at.file_uploader[0].set_value(("bad.json", b'[{"role":"user","content":NaN}]', "application/json")).run()
    assert not at.exception
    assert "[0].content is NaN, which is not JSON" in words(at)
    assert "Nothing was stored." in words(at)
    assert not at.button
    assert stored(chat) == {}


def test_pasted_text_is_read_and_the_format_can_be_chosen(chat: ChatService) -> None:
    at = drawn(import_script)
    at.segmented_control(key="import_from").set_value("Pasted text").run()
    at.text_area(key="import_paste").set_value('[{"role":"user","content":"*Hi* :red[you]"}]').run()
    assert "**OpenAI messages with 1 chat.**" in words(at)
    assert at.checkbox[0].label == "&#42;Hi&#42; &#58;red&#91;you&#93;"
    at.selectbox(key="import_format").set_value("anthropic").run()
    assert "**Anthropic messages with 1 chat.**" in words(at)
    at.button(key="import_button").click().run()
    assert stored(chat) == {"*Hi* :red[you]": 1}


def test_many_chats_are_paged_and_found_by_their_titles(chat: ChatService) -> None:
    lines = [{"messages": [{"role": "user", "content": f"Question {place}"}]} for place in range(45)]
    raw = "\n".join(map(json.dumps, lines)).encode()
    at = drawn(import_script)
    at.file_uploader[0].set_value(("many.jsonl", raw, "application/jsonl")).run()
    assert [each.label for each in at.checkbox][:10] == [f"Question {place}" for place in range(10)]
    at.pagination[0].set_value(5).run()
    assert [each.label for each in at.checkbox][:5] == [f"Question {place}" for place in range(40, 45)]
    at.button(key="import_none").click().run()
    at.text_input(key="import:search").set_value("question 4").run()
    at.button(key="import_all").click().run()
    assert "6 of 6 found selected" in words(at)
    at.button(key="import_button").click().run()
    assert set(stored(chat)) == {"Question 4", *(f"Question {place}" for place in range(40, 45))}


def test_a_failure_in_the_middle_says_what_is_stored(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    real = InMemoryHistory.restore

    def restore(store: InMemoryHistory, session_id: str, recording: Recording) -> None:
        if recording.title.endswith("Spain."):
            raise HistoryUnavailable("Redis does not answer.")
        real(store, session_id, recording)

    monkeypatch.setattr(InMemoryHistory, "restore", restore)
    at = uploaded("fine_tuning.jsonl")
    at.button(key="import_button").click().run()
    assert not at.exception
    assert "Redis does not answer." in words(at)
    said = words(at)
    assert (
        "It failed at “Name a city in Spain&#46;”. 1 chat was stored, and stays stored; 2 chats of the selected" in said
    )
    assert stored(chat) == {"Name a city in Portugal.": 3}


def made(at: AppTest, kind: str, **texts: str) -> Any:
    at.selectbox(key="export_kind").set_value(kind).run()
    for key, text in texts.items():
        at.get("text_area" if key == "export_note" else "text_input")
        (at.text_area if key == "export_note" else at.text_input)(key=key).set_value(text).run()
    at.button(key="export_make").click().run()
    assert not at.exception
    return at.session_state["export:made"][1]


def test_a_class_pack_goes_out_and_comes_in_again(chat: ChatService) -> None:
    open_as(SESSION, chat.store, settings())
    say(chat.store, "other", "I am Ada")
    at = drawn(export_several_script)
    at.multiselect(key="export_chats").set_value([SESSION, "other"]).run()
    pack = made(at, "capsule", export_title="Week 3", export_note="Find the code.")
    assert b"sk-secret-in-tests" not in pack
    opened = open_file("week-3.json", pack)
    assert (opened.title, opened.note, len(opened.rows)) == ("Week 3", "Find the code.", 2)
    again = drawn(import_script)
    again.file_uploader[0].set_value(("week-3.json", pack, "application/json")).run()
    assert "**Week 3**" in words(again)
    again.button(key="import_button").click().run()
    assert len(chat.store.sessions(99)) == 4


def test_every_kind_of_file_is_made_of_the_open_chat(chat: ChatService) -> None:
    open_as(SESSION, chat.store, settings())
    at = drawn(export_script)
    assert at.multiselect(key="export_chats").value == [SESSION]
    assert len(json.loads(made(at, "jsonl"))["messages"]) == 81
    assert made(at, "markdown").decode().count("\n## ") == 81
    assert made(at, "csv").count(b"low_water") + made(at, "csv").count(b"oldest_first") >= 40
    assert made(at, "parquet").startswith(b"PAR1")


def test_an_export_that_fails_says_so_in_words(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    open_as(SESSION, chat.store, settings())
    at = drawn(export_script)

    def gone(*anything: object) -> None:
        raise HistoryUnavailable("Redis does not answer.")

    monkeypatch.setattr(InMemoryHistory, "raw", gone)
    at.button(key="export_make").click().run()
    assert not at.exception
    assert "Redis does not answer." in words(at)
    assert not at.get("download_button")


def test_nothing_to_export_is_said(chat: ChatService) -> None:
    at = drawn(export_script)
    assert not at.exception
    assert "There is no chat yet, so there is nothing to export." in words(at)
    assert not at.button
