"""The pages in every state, by AppTest: what a person sees, what is stored, and what was sent."""

from __future__ import annotations

import pickle
import threading

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.errors import HistoryUnavailable, ProviderUnavailable
from lib.messages import assistant, user
from lib.turns import LiveTurn
from lib.ui.chat import transcript
from lib.ui.shell import services, session_settings
from tests.benchmarks import bench_recall
from tests.support.app.pages import SESSION, exchange, page, settings, written_elsewhere
from tests.support.servers.typist import Typist


def texts(at: AppTest) -> list[str]:
    return [message.markdown[0].value for message in at.chat_message]


def test_an_empty_chat_says_what_this_is_and_offers_three_starters(chat: ChatService) -> None:
    at = page()
    assert not at.exception
    assert "model is sent" in at.subheader[0].value
    assert len([button for button in at.button if (button.key or "").startswith("starter:")]) == 3


def test_a_sent_message_is_answered_stored_and_drawn(chat: ChatService, typist: Typist) -> None:
    at = page()
    at.chat_input(key="prompt").set_value("Hello").run()
    assert not at.exception
    assert texts(at) == ["Hello", typist.text().rstrip()]
    assert [m.to_dict() for m in chat.store.load(SESSION)] == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": typist.text()},
    ]
    assert typist.requests[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]


def test_the_second_request_re_sends_the_first_exchange(chat: ChatService, typist: Typist) -> None:
    at = page()
    at.chat_input(key="prompt").set_value("one").run()
    at.chat_input(key="prompt").set_value("two").run()
    assert [m["content"] for m in typist.requests[1]["messages"]] == ["Be brief.", "one", typist.text(), "two"]


def test_a_starter_is_sent_as_if_typed(chat: ChatService, typist: Typist) -> None:
    at = page()
    next(button for button in at.button if (button.key or "").startswith("starter:")).click().run()
    assert len(typist.requests) == 1
    assert len(chat.store.load(SESSION)) == 2


def test_the_line_under_a_reply_says_who_counted(chat: ChatService, typist: Typist) -> None:
    typist.reads = 7
    at = page()
    at.chat_input(key="prompt").set_value("Hello").run()
    lines = [caption.value for caption in at.caption if "first word" in caption.value]
    assert len(lines) == 1
    assert "7 tokens in · 5 out (billed)" in lines[0]
    assert "1 of 1 message sent" in lines[0]


def test_a_reply_without_reported_usage_says_so_and_shows_the_plans_own_count(chat: ChatService) -> None:
    exchange(chat, "one", "two")
    assert any("9 tokens in (~estimated) · output not reported" in caption.value for caption in page().caption)


def test_a_request_that_the_server_cut_silently_is_marked(chat: ChatService, typist: Typist) -> None:
    typist.reads = 5
    at = page()
    at.chat_input(key="prompt").set_value("many words " * 60).run()
    badges = [markdown.value for markdown in at.markdown if "cut by the server" in markdown.value]
    assert len(badges) == 1


def test_text_is_drawn_as_text_and_stored_as_typed(chat: ChatService) -> None:
    typed = "<script>alert(1)</script> costs $5 and $6 :red[x] :smile:"
    at = page()
    at.chat_input(key="prompt").set_value(typed).run()
    assert chat.store.load(SESSION)[0].content == typed
    drawn = at.chat_message[0].markdown[0]
    assert not drawn.allow_html
    assert "\\$5" in drawn.value
    assert "&#58;red[x]" in drawn.value


def test_a_million_blanks_are_stored_whole_and_drawn_in_part(chat: ChatService) -> None:
    typed = "a" + " " * 1_000_000 + "b"
    exchange(chat, typed, "ok")
    at = page()
    assert not at.exception
    assert chat.store.load(SESSION)[0].content == typed
    assert len(at.chat_message[0].markdown[0].value) < 10_000


def test_a_conversation_of_5000_messages_draws_its_newest_and_older_ones_on_demand(chat: ChatService) -> None:
    written_elsewhere(chat, *(said for n in range(2500) for said in (user(f"question {n}"), assistant(f"answer {n}"))))
    at = page()
    assert 20 <= len(at.chat_message) < 40
    assert texts(at)[-1] == "answer 2499"
    at.button(key="earlier").click().run()
    assert 60 <= len(at.chat_message) < 80
    assert texts(at)[-1] == "answer 2499"


def test_the_drawn_window_starts_at_a_step() -> None:
    starts = [transcript.window_start(size) for size in range(0, 200)]
    assert all(start % transcript.STEP == 0 for start in starts)
    assert all(size - start < 2 * transcript.STEP for size, start in enumerate(starts))
    assert all(size - start >= transcript.STEP for size, start in enumerate(starts) if start)


def test_settings_are_stored_with_the_session_and_come_back(chat: ChatService) -> None:
    at = page()
    at.number_input(key=f"{SESSION}:max_tokens").set_value(640).run()
    assert chat.store.about(SESSION).settings["max_tokens"] == 640
    assert page().number_input(key=f"{SESSION}:max_tokens").value == 640


def test_a_change_in_another_tab_shows_at_the_next_rerun(chat: ChatService) -> None:
    at = page()
    chat.store.save_settings(SESSION, settings(max_tokens=1234).to_dict())
    at.run()
    assert at.number_input(key=f"{SESSION}:max_tokens").value == 1234


def test_what_is_sent_obeys_a_change_the_page_has_not_drawn_yet(chat: ChatService, typist: Typist) -> None:
    at = page()
    chat.store.save_settings(SESSION, settings(system_prompt="Be kind.").to_dict())
    at.chat_input(key="prompt").set_value("Hello").run()
    assert typist.requests[0]["messages"][0]["content"] == "Be kind."


def test_another_provider_brings_its_own_model_and_window(chat: ChatService) -> None:
    at = page()
    at.selectbox(key=f"{SESSION}:provider").select("local").run()
    stored = chat.store.about(SESSION).settings
    assert (stored["provider"], stored["model"], stored["max_tokens"]) == ("local", "SmolLM2-135M-Instruct", 2048)
    assert stored["system_prompt"] == "Be brief."


def test_a_typed_key_is_used_and_kept_out_of_the_store(chat: ChatService, typist: Typist) -> None:
    at = page()
    at.text_input(key="key:openai").set_value("sk-typed-key").run()
    at.chat_input(key="prompt").set_value("Hello").run()
    assert len(typist.requests) == 1
    assert "sk-typed-key" not in repr(vars(chat.store))


def test_retry_of_the_last_reply_replaces_it_and_keeps_it_stored(chat: ChatService, typist: Typist) -> None:
    at = page()
    at.chat_input(key="prompt").set_value("one").run()
    at.button(key="retry_last").click().run()
    assert [m["content"] for m in typist.requests[1]["messages"]] == ["Be brief.", "one"]
    assert len(chat.store.load(SESSION)) == 4
    assert chat.store.about(SESSION).muted == {0}


def test_editing_the_last_message_puts_it_in_the_box_and_replaces_it_when_sent(
    chat: ChatService, typist: Typist
) -> None:
    at = page()
    at.chat_input(key="prompt").set_value("one").run()
    at.button(key="edit_last").click().run()
    assert any("Editing your last message" in caption.value for caption in at.caption)
    at.chat_input(key="prompt").set_value("one, edited").run()
    assert [m["content"] for m in typist.requests[1]["messages"]] == ["Be brief.", "one, edited"]
    assert not any("Editing your last message" in caption.value for caption in at.caption)


def test_clear_asks_first_says_what_is_deleted_and_keeps_the_settings(chat: ChatService) -> None:
    exchange(chat, "one", "two")
    at = page()
    assert any("2 messages" in markdown.value for markdown in at.markdown)
    at.button(key="clear").click().run()
    assert list(chat.store.load(SESSION)) == []
    assert chat.store.about(SESSION).settings["model"] == "typist-1"
    assert "model is sent" in at.subheader[0].value


def test_a_chat_is_cleared_where_the_store_then_takes_no_settings(
    chat: ChatService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise HistoryUnavailable("The history store is out of memory and takes no more writes.")

    exchange(chat, "one", "two")
    at = page()
    monkeypatch.setattr(chat.store, "save_settings", full)
    at.button(key="clear").click().run()
    assert list(chat.store.load(SESSION)) == []
    assert not at.error


def test_a_new_chat_leaves_the_old_one_in_the_list(chat: ChatService) -> None:
    at = page()
    at.chat_input(key="prompt").set_value("the old one").run()
    at.button(key="new_chat").click().run()
    assert at.query_params["session"] != SESSION
    assert len(at.chat_message) == 0
    at.button(key=f"open:{SESSION}").click().run()
    assert texts(at)[0] == "the old one"
    assert at.query_params["session"] == SESSION


def test_the_url_wins_over_the_state(chat: ChatService) -> None:
    exchange(chat, "mine", "yes", session_id="another-session")
    at = page()
    at.query_params["session"] = "another-session"
    at.run()
    assert texts(at) == ["mine", "yes"]


def test_a_session_id_that_cannot_be_one_starts_a_new_chat_and_says_so(chat: ChatService) -> None:
    at = page(session_id="a}b c")
    assert not at.exception
    assert any("cannot exist" in info.value for info in at.info)
    assert at.query_params["session"] != "a}b c"


@pytest.mark.parametrize("path", ["app.py", "pages/context_window.py"])
def test_every_page_says_that_the_in_memory_store_is_lost_on_restart(chat: ChatService, path: str) -> None:
    assert any("lost when the app restarts" in caption.value for caption in page(path).caption)


def test_an_interrupted_turn_is_shown_with_its_reason_and_choices(chat: ChatService) -> None:
    error = ProviderUnavailable("The provider could not be reached.")
    chat.store.begin(SESSION, LiveTurn("my words", settings(), "test", 0.0, text="half a rep", error=error))
    at = page()
    assert texts(at) == ["my words", "half a rep"]
    assert "could not be reached" in at.warning[0].value
    assert {"retry", "keep", "edit", "discard"} <= {button.key for button in at.button}


def test_a_message_sent_beside_an_interrupted_one_is_put_back(chat: ChatService, typist: Typist) -> None:
    error = ProviderUnavailable("The provider could not be reached.")
    chat.store.begin(SESSION, LiveTurn("my words", settings(), "test", 0.0, error=error))
    at = page()
    at.chat_input(key="prompt").set_value("another").run()
    assert typist.requests == []
    live = chat.store.live(SESSION)
    assert live is not None
    assert live.prompt == "my words"
    assert any("Your text is still in the box" in warning.value for warning in at.warning)


def test_a_request_over_budget_is_not_sent_and_says_what_can_be_done(chat: ChatService, typist: Typist) -> None:
    chat.store.save_settings(SESSION, settings(max_tokens=64, reserved_for_reply=32, strategy="none").to_dict())
    at = page()
    at.chat_input(key="prompt").set_value("far too long " * 40).run()
    assert typist.requests == []
    assert any("It was not sent" in warning.value for warning in at.warning)
    at.button(key="anyway").click().run()
    assert len(typist.requests) == 1


def test_dropping_the_oldest_is_offered_where_it_helps(chat: ChatService, typist: Typist) -> None:
    exchange(chat, "old words " * 40, "more old words " * 40)
    chat.store.save_settings(SESSION, settings(max_tokens=128, reserved_for_reply=32, strategy="none").to_dict())
    at = page()
    at.chat_input(key="prompt").set_value("new").run()
    at.button(key="leave_out").click().run()
    assert [m["content"] for m in typist.requests[0]["messages"]] == ["Be brief.", "new"]
    assert chat.store.about(SESSION).settings["strategy"] == "oldest_first"


def test_the_gauge_says_what_would_be_dropped(chat: ChatService) -> None:
    for n in range(6):
        exchange(chat, f"question {n} " * 10, f"answer {n} " * 10)
    chat.store.save_settings(SESSION, settings(max_tokens=256, reserved_for_reply=64).to_dict())
    at = page()
    assert any("will be dropped" in caption.value for caption in at.caption)
    assert any("Messages above won't be sent" in caption.value for caption in at.caption)


def test_a_reply_that_is_being_written_can_be_stopped(chat: ChatService, typist: Typist) -> None:
    typist.words, typist.seconds_per_word = 2000, 0.01
    live = chat.send(SESSION, "Hello", settings(), lambda chosen: services.provider_of(chosen, "sk-x"))
    states = chat.follow(SESSION, live.id)
    next(state for state in states if "word3" in state.text)
    chat.stop(SESSION)
    for _ in states:
        pass
    assert chat.store.load(SESSION)[1].content.startswith("word1 word2 word3 ")
    assert chat.store.turns(SESSION)[0].status == "stopped"


def test_looking_at_pages_starts_no_thread_and_sends_nothing(chat: ChatService, typist: Typist) -> None:
    exchange(chat, "one", "two")
    before = {thread.name for thread in threading.enumerate() if thread.name.startswith(("turn-", "read-"))}
    page()
    page("pages/context_window.py")
    after = {thread.name for thread in threading.enumerate() if thread.name.startswith(("turn-", "read-"))}
    assert after <= before
    assert typist.requests == []


@pytest.mark.parametrize("path", ["app.py", "pages/context_window.py", "pages/tokens.py"])
def test_session_state_holds_plain_values_only(chat: ChatService, path: str) -> None:
    exchange(chat, "one", "two")
    at = page(path)
    kept = at.session_state._state.filtered_state
    assert kept
    for name, value in kept.items():
        if type(value).__module__.startswith("streamlit."):  # what Streamlit itself keeps for a component
            continue
        assert isinstance(value, str | int | float | bool | list | dict | None), (name, type(value))
        pickle.dumps(value)


def test_a_reply_that_was_ended_for_repeating_itself_says_so(chat: ChatService) -> None:
    exchange(chat, "Who are you?", "again and again and again", stop_reason="repetition")
    assert any("ended early, because it began to repeat itself" in caption.value for caption in page().caption)


def test_what_the_page_offers_is_what_the_recall_benchmark_runs(chat: ChatService, typist: Typist) -> None:
    offered = []
    for place in range(3):
        session_id = f"starter-{place}"
        chat.store.save_settings(session_id, settings().to_dict())
        at = page(session_id=session_id)
        starters = [button for button in at.button if (button.key or "").startswith("starter:")]
        starters[place].click().run()
        offered.append(chat.store.load(session_id)[0].text)
        questions = [button.label for button in at.button if button.key == "follow_up"]
        asked = bench_recall.offers()[place].runs[0].texts[1:]
        assert questions == [f"Now ask: {question}" for question in asked]
    chat.store.save_settings("local-chat", session_settings.defaults("local").to_dict())
    example = page(session_id="local-chat").chat_input(key="prompt").placeholder
    *starters_run, example_run = bench_recall.offers()
    assert offered == [offer.text for offer in starters_run]
    assert example == f"For example: “{example_run.text}”"


def test_the_benchmark_runs_each_offer_as_it_is_and_with_nineteen_other_values() -> None:
    for offer in bench_recall.offers():
        assert offer.runs[0].texts[0] == offer.text
        assert len({(run.texts, run.answer) for run in offer.runs}) == 20
        assert all(run.answer not in run.texts[-1] for run in offer.runs)
    assert len(set(bench_recall.in_own_words())) == 20


def test_the_example_in_the_chat_input_goes_once_there_is_a_conversation(chat: ChatService) -> None:
    exchange(chat, "Hello", "Hi")
    assert page().chat_input(key="prompt").placeholder == "Message"
