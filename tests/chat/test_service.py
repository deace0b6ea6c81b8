"""Whole turns without a page: what is sent, what is stored, and what remains after a failure."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from lib.chat.rebuild import matches_what_was_sent, rebuild_request
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import ChatError, ContextOverflow, HistoryUnavailable, RateLimited, RuleBroken, TurnInProgress
from lib.history import Signal
from lib.history.memory import InMemoryHistory
from lib.messages import Message, Usage, assistant, user
from lib.providers import ChatRequest
from lib.providers.scripted import Script, ScriptedProvider
from lib.turns import LiveTurn, Turn
from tests.support.app.other_service import overwrite
from tests.support.waiting import wait_until

SETTINGS = ChatSettings("scripted", "m", "Be brief.", 4096, 64, "oldest_first")
SID = "session-1"


class InterruptibleHistory(InMemoryHistory):
    """A store that cannot be written to while `away` is True."""

    away = False
    losing_answers = False
    """Whether `begin` does its work and says that it failed, as if the answer was lost."""

    def begin(self, session_id: str, live: LiveTurn, *, instead_of: str | None = None) -> None:
        super().begin(session_id, live, instead_of=instead_of)
        if self.losing_answers:
            raise HistoryUnavailable("The store closed the connection.")

    def discard(self, session_id: str, live_id: str) -> None:
        self._check()
        super().discard(session_id, live_id)

    def heartbeat(self, session_id: str, live: LiveTurn) -> Signal:
        self._check()
        return super().heartbeat(session_id, live)

    def commit(self, session_id: str, live_id: str, messages: Sequence[Message], turn: Turn) -> None:
        self._check()
        super().commit(session_id, live_id, messages, turn)

    def _check(self) -> None:
        if self.away:
            raise HistoryUnavailable("The store is away.")


@pytest.fixture
def chat() -> Iterator[ChatService]:
    service = ChatService(InterruptibleHistory(3600))
    yield service
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("turn-")])


def interruptible(chat: ChatService) -> InterruptibleHistory:
    assert isinstance(chat.store, InterruptibleHistory)
    return chat.store


def taking_back() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("take-back-")]


def send(chat: ChatService, provider: ScriptedProvider, text: str, **options: Any) -> LiveTurn:
    return chat.send(SID, text, options.pop("settings", SETTINGS), lambda _: provider, **options)


def finish(chat: ChatService, live: LiveTurn) -> list[LiveTurn]:
    return list(chat.follow(SID, live.id))


def texts(request: ChatRequest) -> list[str]:
    return [message.text for message in request.messages]


def test_an_exchange_is_stored_with_its_turn(chat: ChatService) -> None:
    provider = ScriptedProvider(Script(["Hi", " there"], usage=Usage(input_tokens=9, output_tokens=2)))
    finish(chat, send(chat, provider, "Hello"))
    assert list(chat.store.load(SID)) == [user("Hello"), assistant("Hi there")]
    turn = chat.store.turns(SID)[0]
    assert (turn.number, turn.status, turn.usage.input_tokens, turn.stop_reason) == (1, "complete", 9, "end")
    assert (turn.plan.stored, turn.plan.sent, turn.plan.left_out) == (0, 2, 0) if turn.plan else False
    assert chat.store.live(SID) is None


def test_reasoning_is_stored_with_its_turn_and_never_sent_again(chat: ChatService) -> None:
    provider = ScriptedProvider(Script(["4"], reasoning=("Two and ", "two.")), Script(["8"]))
    states = finish(chat, send(chat, provider, "What's 2+2?"))
    assert states[-1].reasoning == "Two and two."
    assert states[-1].text == "4"
    finish(chat, send(chat, provider, "And 4+4?"))
    assert [turn.reasoning for turn in chat.store.turns(SID)] == ["Two and two.", ""]
    assert list(chat.store.load(SID))[:2] == [user("What's 2+2?"), assistant("4")]
    assert b"Two and two" not in provider.bodies[1]


def test_reasoning_of_a_reply_that_was_stopped_is_kept(chat: ChatService) -> None:
    gate = threading.Semaphore(1)
    provider = ScriptedProvider(Script(["one ", "two"], reasoning=("Hm.",), gate=gate))
    live = send(chat, provider, "Count")
    wait_until(lambda: (chat.live(SID) or live).text == "one ")
    chat.stop(SID)
    finish(chat, live)
    assert [(turn.reply, turn.status, turn.reasoning) for turn in chat.store.turns(SID)] == [("one ", "stopped", "Hm.")]
    gate.release(2)


def test_the_second_request_re_sends_the_first_turn(chat: ChatService) -> None:
    provider = ScriptedProvider(Script(["Hi!"]), Script(["4"]), Script(["8"]))
    for text in ("Hello", "What's 2+2?", "And 4+4?"):
        finish(chat, send(chat, provider, text))
    assert texts(provider.requests[2]) == ["Be brief.", "Hello", "Hi!", "What's 2+2?", "4", "And 4+4?"]


def test_a_sent_request_can_be_proved_and_a_forged_history_is_noticed(chat: ChatService) -> None:
    provider = ScriptedProvider(Script(["a" * 50]), Script(["b" * 50]), Script(["c"]))
    tight = replace(SETTINGS, max_tokens=100)
    for text in ("one " * 10, "two " * 10, "three"):
        finish(chat, send(chat, provider, text, settings=tight))
    history, turns = chat.store.load(SID), chat.store.turns(SID)
    assert turns[2].plan is not None
    assert turns[2].plan.left_out > 0  # trimmed requests can be proved too
    assert [matches_what_was_sent(turn, history, provider) for turn in turns] == [True, True, True]
    assert rebuild_request(turns[2], history) == provider.requests[2]
    forged = [*history[:2], replace(history[2], content="forged"), *history[3:]]
    assert matches_what_was_sent(turns[2], forged, provider) is False


def test_a_failed_reply_leaves_the_history_as_it_was_and_keeps_the_prompt(chat: ChatService) -> None:
    provider = ScriptedProvider(Script(["half a "], error=RateLimited("Slow down.", wait_seconds=3)))
    finish(chat, send(chat, provider, "precious"))
    assert list(chat.store.load(SID)) == []
    live = chat.live(SID)
    assert live is not None
    assert live.interrupted
    assert (live.prompt, live.text) == ("precious", "half a ")
    assert live.error == RateLimited("Slow down.", wait_seconds=3)


def test_a_bug_of_ours_keeps_the_prompt_too(chat: ChatService, caplog: pytest.LogCaptureFixture) -> None:
    finish(chat, send(chat, ScriptedProvider(Script([], error=KeyError("oops"))), "precious"))
    live = chat.live(SID)
    assert live is not None
    assert live.prompt == "precious"
    assert live.error is not None
    assert "KeyError" in live.error.what
    assert "oops" in caplog.text  # details are in the log only


def test_an_interrupted_turn_can_be_retried(chat: ChatService) -> None:
    provider = ScriptedProvider(Script([], error=RateLimited("Slow down.")), Script(["fine"]))
    finish(chat, send(chat, provider, "again"))
    interrupted = chat.live(SID)
    assert interrupted is not None
    finish(chat, chat.retry(SID, interrupted, SETTINGS, lambda _: provider))
    assert list(chat.store.load(SID)) == [user("again"), assistant("fine")]


def test_the_partial_reply_of_an_interrupted_turn_can_be_kept_or_discarded(chat: ChatService) -> None:
    for keep in (True, False):
        finish(chat, send(chat, ScriptedProvider(Script(["half"], error=RateLimited("Slow down."))), "p"))
        interrupted = chat.live(SID)
        assert interrupted is not None
        (chat.keep if keep else chat.discard)(SID, interrupted)
        assert chat.live(SID) is None
    assert list(chat.store.load(SID)) == [user("p"), assistant("half")]
    assert chat.store.turns(SID)[0].status == "stopped"


def test_a_second_message_is_refused_while_one_is_answered(chat: ChatService) -> None:
    gate = threading.Semaphore(0)
    provider = ScriptedProvider(Script(["a", "b"], gate=gate))
    live = send(chat, provider, "first")
    with pytest.raises(TurnInProgress):
        send(chat, provider, "second")
    gate.release(9)
    finish(chat, live)
    assert [message.text for message in chat.store.load(SID)] == ["first", "ab"]


def test_stop_keeps_the_partial_reply_and_closes_the_stream(chat: ChatService) -> None:
    gate = threading.Semaphore(2)
    provider = ScriptedProvider(Script(["a", "b", "c"], gate=gate))
    live = send(chat, provider, "go")
    states = chat.follow(SID, live.id)
    next(state for state in states if state.text == "ab")
    chat.stop(SID)
    list(states)
    assert [message.text for message in chat.store.load(SID)] == ["go", "ab"]
    assert chat.store.turns(SID)[0].status == "stopped"
    gate.release(9)
    wait_until(lambda: provider.closed == 1)


def test_stop_before_the_first_word_stores_nothing_and_keeps_the_prompt(chat: ChatService) -> None:
    gate = threading.Semaphore(0)
    live = send(chat, ScriptedProvider(Script(["a"], gate=gate)), "go")
    chat.stop(SID)
    finish(chat, live)
    kept = chat.live(SID)
    assert kept is not None
    assert (kept.prompt, kept.interrupted) == ("go", True)
    assert list(chat.store.load(SID)) == []
    gate.release(9)


def test_a_chat_cleared_while_it_is_answered_stays_cleared(chat: ChatService) -> None:
    gate = threading.Semaphore(1)
    live = send(chat, ScriptedProvider(Script(["a", "b"], gate=gate)), "go")
    states = chat.follow(SID, live.id)
    next(state for state in states if state.text == "a")
    chat.store.clear(SID)
    gate.release(9)
    list(states)
    assert list(chat.store.load(SID)) == []
    assert chat.store.live(SID) is None
    assert chat.store.turns(SID) == []


def test_an_empty_reply_is_not_stored(chat: ChatService) -> None:
    finish(chat, send(chat, ScriptedProvider(Script([], stop_reason="length")), "think hard"))
    live = chat.live(SID)
    assert live is not None
    assert live.error is not None
    assert "came back empty" in live.error.what
    assert list(chat.store.load(SID)) == []


@pytest.mark.parametrize(
    ("pieces", "reason", "words"),
    [
        ([], "tool_calls", "call a tool"),
        ([], "tool_use", "call a tool"),
        ([], "refused", "content policy"),
        ([" \n", "\t"], "end", "nothing but blanks"),
        ([], "pause", "provider's reason: pause"),
    ],
)
def test_a_reply_without_words_is_not_stored_and_says_why(
    chat: ChatService, pieces: list[str], reason: str, words: str
) -> None:
    finish(chat, send(chat, ScriptedProvider(Script(pieces, stop_reason=reason)), "go"))
    live = chat.live(SID)
    assert live is not None
    assert live.error is not None
    assert words in live.error.what
    assert ("hidden reasoning" in live.error.next_step) == (reason == "end")
    assert list(chat.store.load(SID)) == []
    with pytest.raises(ChatError, match="no reply to keep"):
        chat.keep(SID, live)


def test_a_reply_that_was_too_long_to_read_is_kept_as_a_part(chat: ChatService) -> None:
    finish(chat, send(chat, ScriptedProvider(Script(["a", "b"], stop_reason="too_long")), "go"))
    (turn,) = chat.store.turns(SID)
    assert (turn.reply, turn.status, turn.stop_reason) == ("ab", "stopped", "too_long")


def test_pieces_that_come_at_once_are_all_there(chat: ChatService) -> None:
    pieces = [f"{number} " for number in range(5_000)]
    finish(chat, send(chat, ScriptedProvider(Script(pieces)), "count"))
    assert chat.store.load(SID)[1].text == "".join(pieces)


def test_a_reply_waits_in_memory_while_the_store_is_away(chat: ChatService) -> None:
    store = chat.store
    assert isinstance(store, InterruptibleHistory)
    gate = threading.Semaphore(0)
    live = send(chat, ScriptedProvider(Script(["a", "b"], gate=gate)), "go")
    wait_until(lambda: (chat.live(SID) or live).plan is not None)
    store.away = True
    gate.release(9)
    wait_until(lambda: (chat.live(SID) or live).text == "ab")
    assert list(store.load(SID)) == []
    store.away = False
    finish(chat, live)
    assert [message.text for message in store.load(SID)] == ["go", "ab"]


def test_a_request_over_budget_is_sent_only_if_the_person_insists(chat: ChatService) -> None:
    provider = ScriptedProvider(Script(["ok"]))
    tight = replace(SETTINGS, max_tokens=100)
    finish(chat, send(chat, provider, "x" * 400, settings=tight))
    interrupted = chat.live(SID)
    assert interrupted is not None
    assert isinstance(interrupted.error, ContextOverflow)
    assert (interrupted.error.tokens, interrupted.error.limit) == (103, 36)
    assert provider.requests == []
    finish(chat, chat.retry(SID, interrupted, tight, lambda _: provider, over_budget_allowed=True))
    assert len(provider.requests) == 1
    assert len(chat.store.load(SID)) == 2


def test_a_replaced_exchange_stays_stored_and_is_never_sent_again(chat: ChatService) -> None:
    provider = ScriptedProvider(Script(["bad"]), Script(["good"]), Script(["more"]))
    finish(chat, send(chat, provider, "one"))
    finish(chat, send(chat, provider, "one, better", replaces=0))
    finish(chat, send(chat, provider, "two"))
    assert texts(provider.requests[1]) == ["Be brief.", "one, better"]
    assert texts(provider.requests[2]) == ["Be brief.", "one, better", "good", "two"]
    assert len(chat.store.load(SID)) == 6


def test_a_message_that_was_refused_although_it_was_stored_is_taken_back(chat: ChatService) -> None:
    store = interruptible(chat)
    store.losing_answers = store.away = True
    provider = ScriptedProvider(Script(["Yes."]))
    with pytest.raises(HistoryUnavailable):
        send(chat, provider, "first try")
    assert chat.store.live(SID) is not None
    store.losing_answers = store.away = False
    wait_until(lambda: chat.store.live(SID) is None)
    finish(chat, send(chat, provider, "second try"))
    assert [message.text for message in chat.store.load(SID)] == ["second try", "Yes."]


def test_a_retry_that_was_refused_although_it_was_stored_keeps_the_message(chat: ChatService) -> None:
    store = interruptible(chat)
    provider = ScriptedProvider(Script([], error=RateLimited("Slow down.")), Script(["Yes."]))
    finish(chat, send(chat, provider, "precious"))
    failed = chat.store.live(SID)
    assert failed is not None
    store.losing_answers = True
    with pytest.raises(HistoryUnavailable):
        chat.retry(SID, failed, SETTINGS, lambda _: provider)
    assert not taking_back()
    live = chat.store.live(SID)
    assert live is not None
    assert live.prompt == "precious"


def test_a_closed_service_stops_trying_to_take_a_message_back(chat: ChatService) -> None:
    store = interruptible(chat)
    store.losing_answers = store.away = True
    with pytest.raises(HistoryUnavailable):
        send(chat, ScriptedProvider(), "hello")
    assert taking_back()
    chat.close()
    wait_until(lambda: not taking_back())


def test_a_finished_reply_that_waits_for_the_store_says_so(chat: ChatService) -> None:
    store = interruptible(chat)
    gate = threading.Semaphore(0)
    live = send(chat, ScriptedProvider(Script(["Yes."], gate=gate)), "hello")
    store.away = True
    gate.release(9)
    states = chat.follow(SID, live.id)
    waiting = next(state for state in states if state.phase == "storing")
    assert (waiting.text, waiting.error) == ("Yes.", None)
    store.away = False
    list(states)
    assert [message.text for message in chat.store.load(SID)] == ["hello", "Yes."]


def test_another_process_follows_the_record_until_it_is_gone(chat: ChatService) -> None:
    gate = threading.Semaphore(1)
    live = send(chat, ScriptedProvider(Script(["a", "b"], gate=gate)), "go")
    other = ChatService(chat.store)  # it does not have the thread
    seen = other.follow(SID, live.id)
    assert next(state.text for state in seen if state.text) == "a"
    other.stop(SID)
    list(seen)
    assert [message.text for message in chat.store.load(SID)] == ["go", "a"]
    gate.release(9)


def test_a_request_without_a_script_fails_loudly() -> None:
    provider = ScriptedProvider()
    with pytest.raises(AssertionError, match="has no script"):
        list(provider.stream(provider.prepare(ChatRequest("m", (user("x"),), 5))))


def test_a_request_that_would_be_refused_is_sent_only_if_the_person_insists(chat: ChatService) -> None:
    overwrite(chat.store, SID, [user("q"), Message("tool", "42", {"tool_call_id": "c1"}), assistant("a")])
    provider = ScriptedProvider(Script(["Yes."]))
    provider.rules = "openai"
    settings = replace(SETTINGS, strategy="none")
    send(chat, provider, "and now?", settings=settings)
    wait_until(lambda: (live := chat.store.live(SID)) is not None and live.error is not None)
    live = chat.store.live(SID)
    assert live is not None
    assert isinstance(live.error, RuleBroken)
    assert "No tool result without its call" in live.error.what
    assert provider.requests == []
    chat.retry(SID, live, settings, lambda _: provider, over_budget_allowed=True)
    wait_until(lambda: chat.store.live(SID) is None)
    assert [message.role for message in provider.requests[0].messages] == [
        "system",
        "user",
        "tool",
        "assistant",
        "user",
    ]


def test_a_request_to_a_provider_without_known_rules_is_sent_as_it_is(chat: ChatService) -> None:
    overwrite(chat.store, SID, [Message("tool", "42", {"tool_call_id": "c1"})])
    provider = ScriptedProvider(Script(["Yes."]))
    send(chat, provider, "and now?", settings=replace(SETTINGS, strategy="none"))
    wait_until(lambda: chat.store.live(SID) is None)
    assert len(provider.requests) == 1


def test_a_reply_that_repeats_itself_is_ended_and_stored_with_a_word_about_it(chat: ChatService) -> None:
    provider = ScriptedProvider(Script(["Well: ", *["I am a marine biologist. "] * 400]))
    finish(chat, send(chat, provider, "Who are you?"))
    turn = chat.store.turns(SID)[0]
    assert (turn.status, turn.stop_reason, provider.closed) == ("complete", "repetition", 1)
    assert chat.store.load(SID)[1].text == turn.reply
    assert turn.reply.startswith("Well: I am a marine biologist. I am")
    assert len(turn.reply) < 700
    assert (turn.model, turn.usage) == ("m", Usage())
