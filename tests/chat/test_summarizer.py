"""Summaries: how they are written, stored and sent, and what happens when writing one fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lib.analysis.bills import bills_of
from lib.analysis.requests import MessageSizes, records_of
from lib.chat.rebuild import matches_what_was_sent
from lib.chat.service import ChatService
from lib.chat.summarizer import INSTRUCTIONS, Summarizer, ended, request_of, shortened, spoken, total
from lib.chat_settings import ChatSettings
from lib.context import WantedSummary
from lib.context.candidates import SUMMARY_HEADING, Summary
from lib.errors import ChatError, ProviderError, RateLimited
from lib.history.memory import InMemoryHistory
from lib.messages import Message, Usage, assistant, user
from lib.providers import ChatRequest, SentBody, StreamEvent
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.providers.scripted import Script, ScriptedProvider
from lib.tokens import ESTIMATE
from lib.turns import Turn
from tests.support.counters import WordCounter
from tests.support.waiting import wait_until

SID = "session-1"
WORDS = WordCounter()
SETTINGS = ChatSettings("scripted", "m", "", 120, 30, "summarize")
TALK = [user("I am Ada"), assistant("Hello Ada"), user("I live in Lisbon"), assistant("Noted")]


def summarizer_with(*texts: str, **changes: Any) -> tuple[ScriptedProvider, Summarizer]:
    provider = ScriptedProvider(*(Script([text], usage=Usage(input_tokens=10, output_tokens=3)) for text in texts))
    return provider, Summarizer(provider, "small", WORDS, **changes)


def wanted(stop: int = 4, previous: Summary | None = None, start: int = 0) -> WantedSummary:
    return WantedSummary(((0, stop),), ((start, stop),), previous, 60)


def test_the_writer_is_sent_the_messages_and_a_token_limit_only() -> None:
    provider, summarizer = summarizer_with("Ada lives in Lisbon.")
    summary, took = summarizer.make(wanted(), TALK)
    (request,) = provider.requests
    assert request.messages[0].content == INSTRUCTIONS
    assert "user: I am Ada\nassistant: Hello Ada\nuser: I live in Lisbon\nassistant: Noted" in request.messages[1].text
    assert "Summary so far" not in request.messages[1].text
    assert request.max_output_tokens == 60 - WORDS.count(Summary("", ()).message)
    assert (summary.text, summary.sources, summary.made_by) == ("Ada lives in Lisbon.", ((0, 4),), "small")
    assert (took.usage.input_tokens, took.usage.output_tokens, took.requests) == (10, 3, 1)


def test_the_next_summary_continues_the_previous_one() -> None:
    provider, summarizer = summarizer_with("Ada lives in Lisbon. Noted.")
    previous = Summary("A person called Ada.", ((0, 2),))
    summarizer.make(wanted(previous=previous, start=2), TALK)
    text = provider.requests[0].messages[1].text
    assert text.startswith("Summary so far:\nA person called Ada.")
    assert "I live in Lisbon" in text
    assert "I am Ada" not in text


def test_a_long_history_is_summarized_in_steps_and_each_continues_the_one_before() -> None:
    provider, summarizer = summarizer_with("one", "two", "three", step_tokens=20)
    history = [user(f"word {n} " + "filler " * 12) for n in range(3)]
    summary, took = summarizer.make(WantedSummary(((0, 3),), ((0, 3),), None, 60), history)
    assert [
        ("Summary so far:\none" in r.messages[1].text, "Summary so far:\ntwo" in r.messages[1].text)
        for r in provider.requests
    ] == [(False, False), (True, False), (False, True)]
    assert summary.text == "three"
    assert (took.requests, took.usage.input_tokens) == (3, 30)


def test_a_message_larger_than_a_step_keeps_its_beginning_and_end() -> None:
    _, summarizer = summarizer_with(step_tokens=40)
    (step,) = summarizer.steps([user(" ".join(f"w{n}" for n in range(400)))])
    assert "w0 w1" in step[0].text
    assert "w399" in step[0].text
    assert "[…]" in step[0].text
    assert WORDS.count(step[0]) <= 60


@pytest.mark.parametrize("text", ["", "   \n"])
def test_an_empty_summary_is_refused(text: str) -> None:
    _, summarizer = summarizer_with(text)
    with pytest.raises(ProviderError, match="empty"):
        summarizer.make(wanted(), TALK)


def test_a_summary_that_begins_to_repeat_itself_is_ended_and_not_used() -> None:
    provider, summarizer = summarizer_with("She is a marine biologist. " * 400)
    with pytest.raises(ProviderError, match="repeat itself"):
        summarizer.make(wanted(), TALK)
    assert len(provider.requests) == 1


def test_a_stopped_summary_is_not_used() -> None:
    _, summarizer = summarizer_with("Ada.", going_on=lambda: False)
    with pytest.raises(ChatError, match="stopped"):
        summarizer.make(wanted(), TALK)


def test_a_summary_cut_off_by_the_limit_ends_with_its_last_whole_sentence() -> None:
    assert ended("They plan a trip. It will be in M") == "They plan a trip."
    assert ended("no sentence at al") == "no sentence at al"
    assert shortened(user("x" * 1000), 0.5).text.count("x") == 450


def test_tool_calls_are_named_and_unknown_usage_stays_unknown() -> None:
    call = Message("assistant", None, {"tool_calls": [{"id": "1", "function": {"name": "look_up"}}]})
    assert spoken(call) == "[calls look_up]"
    assert spoken(user("")) == "(empty)"
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'QUJD' * 99}"}}
    assert spoken(Message("user", [{"type": "text", "text": "Look:"}, picture])) == "Look: [image]"
    assert total([Usage(1, None, None, 2), Usage(3, 1, None, 4)]) == Usage(4, None, None, 6)
    assert total([]) == Usage()
    assert "at most 12 words" in request_of("m", "", TALK, 20).messages[1].text


@pytest.fixture
def chat() -> Iterator[ChatService]:
    service = ChatService(InMemoryHistory(3600), lambda settings, provider: WORDS)
    yield service
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("turn-")])


class Writer(ScriptedProvider):
    """Answers a chat request with ten words, and a request for a summary with the next of `summaries`."""

    def __init__(self, *summaries: str | Exception) -> None:
        super().__init__()
        self.summaries = list(summaries)
        self.summary_requests: list[ChatRequest] = []

    def stream(self, sent: SentBody) -> Iterator[StreamEvent]:
        if sent.request.messages[0].content == INSTRUCTIONS:
            self.summary_requests.append(sent.request)
            summary = self.summaries.pop(0)
            if isinstance(summary, Exception):
                raise summary
            self.enqueue(Script([summary], usage=Usage(input_tokens=50, output_tokens=5)))
        else:
            self.enqueue(
                Script(
                    ["ten words of a reply that says very little indeed"],
                    usage=Usage(input_tokens=40, output_tokens=10),
                )
            )
        return super().stream(sent)


def talk(chat: ChatService, provider: ScriptedProvider, *texts: str, settings: ChatSettings = SETTINGS) -> list[Turn]:
    for text in texts:
        live = chat.send(SID, text, settings, lambda _: provider)
        wait_until(lambda: chat.store.live(SID) is None)
        assert live.id == chat.store.turns(SID)[-1].id
    return chat.store.turns(SID)


FILLER = [f"question {n} " + "filler " * 12 for n in range(5)]


def test_a_summary_is_made_before_the_request_that_needs_it_then_sent_kept_and_billed(chat: ChatService) -> None:
    provider = Writer("Ada lives in Lisbon.", "Ada still lives in Lisbon.", "Ada.")
    turns = talk(chat, provider, "I am Ada and live in Lisbon", *FILLER)
    with_summary = [turn for turn in turns if turn.summarized is not None]
    assert with_summary
    first = with_summary[0]
    assert first.plan is not None
    assert first.plan.fallback is None
    assert first.plan.summary is not None
    assert first.plan.summary.text == "Ada lives in Lisbon."
    sent = [request for request in provider.requests if request.messages[0].content != INSTRUCTIONS][first.number - 1]
    assert sent.messages[0].text == f"{SUMMARY_HEADING}\n\nAda lives in Lisbon."
    assert chat.store.about(SID).summaries[0].text == "Ada lives in Lisbon."
    assert len(chat.store.load(SID)) == 2 * len(turns)
    assert matches_what_was_sent(first, chat.store.load(SID), provider)
    history = chat.store.load(SID)
    bills = bills_of(
        records_of(history, turns), [], lambda record: MessageSizes(WORDS, history), lambda provider, name: None
    )
    extra = [bill for bill in bills if bill.name.startswith("summary for")]
    assert [bill.name for bill in extra] == [f"summary for turn {turn.number}" for turn in with_summary]
    assert extra[0].usage.input_tokens == 50
    assert extra[0].cost is None


def test_one_summary_serves_many_turns_and_every_request_fits(chat: ChatService) -> None:
    provider = Writer("Ada.", "Ada.", "Ada.", "Ada.")
    turns = talk(chat, provider, "I am Ada", *FILLER)
    assert all(turn.plan is not None and turn.plan.fits for turn in turns)
    assert len(provider.summary_requests) < sum(
        turn.plan is not None and turn.plan.summary is not None for turn in turns
    )


def test_a_failed_summary_falls_back_to_dropping_messages_and_says_so(chat: ChatService) -> None:
    trouble = RateLimited("Too many requests.")
    provider = Writer(*[trouble] * 9)
    turns = talk(chat, provider, "I am Ada", *FILLER)
    said = [turn.plan.fallback for turn in turns if turn.plan is not None and turn.plan.fallback]
    assert said
    assert all("The summary could not be made: Too many requests." in words for words in said)
    assert all("dropped without one" in words for words in said)
    assert chat.store.about(SID).summaries == ()
    assert all(turn.status == "complete" for turn in turns)


def test_a_muted_exchange_never_reaches_the_writer(chat: ChatService) -> None:
    provider = Writer(*["Nothing."] * 20)
    talk(chat, provider, "the secret word is xyzzy")
    chat.store.mark(SID, 0, "muted")
    talk(chat, provider, *FILLER, *FILLER)
    assert provider.summary_requests
    assert not any("xyzzy" in message.text for request in provider.requests[1:] for message in request.messages)


def test_stop_works_while_a_summary_is_being_written(chat: ChatService) -> None:
    provider = Writer("Ada.")
    talk(chat, provider, "I am Ada", *FILLER[:2])
    gate = threading.Semaphore(0)
    slow = ScriptedProvider(Script(["Ada", " lives"], gate=gate))
    settings = replace(SETTINGS, max_tokens=90)
    chat.send(SID, "more " * 10, settings, lambda _: slow)
    wait_until(lambda: (live := chat.live(SID)) is not None and live.phase == "summarizing")
    chat.stop(SID)
    gate.release(4)
    wait_until(lambda: (live := chat.store.live(SID)) is not None and live.error is not None)
    live = chat.store.live(SID)
    assert live is not None
    assert live.prompt == "more " * 10
    assert len(chat.store.load(SID)) == 6


def test_another_model_can_write_the_summaries(chat: ChatService) -> None:
    main, other = Writer(), Writer("Ada.", "Ada.", "Ada.")
    settings = replace(SETTINGS, summary_provider="other", summary_model="small")
    for text in ("I am Ada", *FILLER):
        chat.send(SID, text, settings, lambda chosen: other if chosen.provider == "other" else main)
        wait_until(lambda: chat.store.live(SID) is None)
    assert [request.model for request in other.requests] == ["small"] * len(other.summary_requests)
    assert other.summary_requests
    assert not main.summary_requests


def test_undoing_removes_the_newest_summary_and_no_message(chat: ChatService) -> None:
    provider = Writer("Ada.", "Ada lives.", "Ada lives on.")
    talk(chat, provider, "I am Ada", *FILLER)
    before, stored = chat.store.about(SID).summaries, list(chat.store.load(SID))
    chat.undo_summary(SID)
    assert chat.store.about(SID).summaries == before[:-1]
    assert list(chat.store.load(SID)) == stored


@pytest.mark.model
def test_the_small_model_writes_a_summary(model: LocalModel) -> None:
    provider = LocalProvider(model)
    summary, took = Summarizer(provider, model.name, ESTIMATE).make(
        wanted(), [user("My name is Ada. I live in Lisbon."), assistant("Hello Ada.")] * 2
    )
    assert summary.text
    assert took.usage.input_tokens is not None
    assert took.provenance == "counted"
