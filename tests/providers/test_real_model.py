"""Both providers with the real SDKs, and the real embedded model, which speaks both protocols."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from pathlib import Path

import pytest

from lib.errors import ContextOverflow, ProviderUnavailable, WrongKey
from lib.messages import Message, assistant, system, user
from lib.providers import ChatRequest, Provider, Reply, TextDelta
from lib.providers.anthropic import AnthropicProvider
from lib.providers.llama.process import INSTALL, SLOT_TOKENS, SLOTS, LocalModel, LocalProvider
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from lib.ui.chat.welcome import CODE, FOLLOW_UPS
from lib.ui.shell.session_settings import SYSTEM_PROMPT

pytestmark = pytest.mark.model
ROOT = Path(__file__).parents[2]


def request(model: LocalModel, *messages: Message, limit: int = 60) -> ChatRequest:
    return ChatRequest(model.name, (system(SYSTEM_PROMPT), *messages), limit)


def send(provider: Provider, chat_request: ChatRequest) -> Generator[TextDelta | Reply, None, None]:
    stream = provider.stream(provider.prepare(chat_request))
    assert isinstance(stream, Generator)
    return stream


def reply_of(provider: Provider, chat_request: ChatRequest) -> Reply:
    events = list(send(provider, chat_request))
    assert isinstance(events[-1], Reply)
    assert all(isinstance(event, TextDelta) for event in events[:-1])
    assert "".join(event.text for event in events) == events[-1].text * 2
    return events[-1]


def anthropic(model: LocalModel, key: str | None = None) -> AnthropicProvider:
    address = model.ensure()
    return AnthropicProvider(Endpoint("it", "anthropic", "It", base_url=address.url), key or address.key)


def openai(model: LocalModel, key: str | None = None) -> OpenAIProvider:
    address = model.ensure()
    return OpenAIProvider(Endpoint("it", "openai", "It", base_url=f"{address.url}/v1"), key or address.key)


def test_it_answers_a_simple_question(model: LocalModel) -> None:
    reply = reply_of(LocalProvider(model), request(model, user("What is the capital of Japan?"), limit=500))
    assert "Tokyo" in reply.text
    assert reply.stop_reason == "end"
    assert reply.model == model.name


def test_the_example_with_a_fact_works_only_if_the_fact_is_sent_again(model: LocalModel) -> None:
    provider = LocalProvider(model)
    first = reply_of(provider, request(model, user(CODE)))
    question = user(FOLLOW_UPS[CODE])
    assert "4711" in reply_of(provider, request(model, user(CODE), assistant(first.text), question)).text
    assert "4711" not in reply_of(provider, request(model, question)).text  # but not if it is left out


def test_usage_includes_the_tokens_from_the_cache(model: LocalModel) -> None:
    provider = LocalProvider(model)
    chat_request = request(model, user("Name a fruit, an animal and a colour, please."))
    reply_of(provider, chat_request)
    usage = reply_of(provider, chat_request).usage
    assert usage.input_tokens == provider.count(chat_request)
    assert usage.cached_tokens is not None
    assert 0 < usage.cached_tokens <= (usage.input_tokens or 0)
    assert usage.output_tokens
    assert usage.reasoning_tokens is None  # not reported is not 0


def test_both_protocols_count_a_request_alike(model: LocalModel) -> None:
    chat_request = request(model, user("Hello"), assistant("Hi."), user("How are you?"), limit=8)
    counted = LocalProvider(model).count(chat_request)
    assert anthropic(model).count(chat_request) == counted
    assert reply_of(anthropic(model), chat_request).usage.input_tokens == counted
    assert reply_of(openai(model), chat_request).usage.input_tokens == counted


def test_a_reply_cut_off_at_its_limit_has_the_stop_reason_length(model: LocalModel) -> None:
    for provider in (LocalProvider(model), openai(model), anthropic(model)):
        assert reply_of(provider, request(model, user("Write a long story."), limit=5)).stop_reason == "length"


@pytest.mark.parametrize("adapter", [openai, anthropic])
def test_its_real_overflow_gives_the_token_counts(model: LocalModel, adapter: type) -> None:
    with pytest.raises(ContextOverflow) as caught:
        list(send(adapter(model), request(model, user("hello " * (SLOT_TOKENS + 500)))))
    assert caught.value.limit == SLOT_TOKENS
    assert (caught.value.tokens or 0) > SLOT_TOKENS


@pytest.mark.parametrize("adapter", [openai, anthropic])
def test_a_wrong_key_is_refused(model: LocalModel, adapter: type) -> None:
    with pytest.raises(WrongKey):
        list(send(adapter(model, "sk-not-the-key"), request(model, user("hello"))))


def test_closing_the_stream_early_frees_the_slot(model: LocalModel) -> None:
    provider = LocalProvider(model)
    for _ in range(4):  # more than there are slots
        stream = send(provider, request(model, user("Count to one thousand."), limit=2000))
        next(stream)
        stream.close()
    assert "Tokyo" in reply_of(provider, request(model, user("What is the capital of Japan?"))).text


def test_two_requests_are_answered_at_the_same_time(model: LocalModel) -> None:
    provider = LocalProvider(model)
    both_started = threading.Barrier(2, timeout=60)
    errors: list[Exception] = []

    def start_and_finish(text: str) -> None:
        try:
            stream = send(provider, request(model, user(text), limit=40))
            next(stream)
            both_started.wait()  # passes only if both have their first token before either has finished
            list(stream)
        except (ProviderUnavailable, threading.BrokenBarrierError) as exc:
            errors.append(exc)

    threads = [
        threading.Thread(target=start_and_finish, args=(text,)) for text in ("Tell me a story.", "Write a poem.")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_each_slot_has_a_whole_context_window(model: LocalModel) -> None:
    address = model.ensure()
    slots = urllib.request.Request(f"{address.url}/slots", headers={"Authorization": f"Bearer {address.key}"})
    with urllib.request.urlopen(slots, timeout=10) as answer:
        assert [slot["n_ctx"] for slot in json.load(answer)] == [SLOT_TOKENS] * SLOTS


def test_a_request_too_long_to_send_can_be_counted(model: LocalModel) -> None:
    assert (LocalProvider(model).count(request(model, user("hello " * (SLOT_TOKENS + 500)))) or 0) > SLOT_TOKENS


def test_without_its_file_the_error_tells_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.providers.llama.process.packaged_model", lambda: None)
    provider = LocalProvider(LocalModel())
    with pytest.raises(ProviderUnavailable, match="not installed") as caught:
        list(send(provider, ChatRequest("any", (user("hello"),), 9)))
    assert INSTALL in caught.value.next_step


def test_every_broken_stream_has_an_error_and_one_new_child_takes_over() -> None:
    model = LocalModel()
    provider = LocalProvider(model)
    streams = [send(provider, request(model, user(text), limit=2000)) for text in ("Count to 99.", "Tell me a story.")]
    for stream in streams:
        next(stream)
    assert model.pid is not None
    os.kill(model.pid, signal.SIGKILL)
    with pytest.raises(ProviderUnavailable, match="stopped while it was answering"):
        list(streams[0])
    model.ensure()  # as if the first one retried before the second one noticed
    with pytest.raises(ProviderUnavailable, match="stopped while it was answering"):
        list(streams[1])
    assert model.pid is not None
    model.close()


def test_it_ignores_ctrl_c_which_is_for_the_app() -> None:
    model = LocalModel()
    model.ensure()
    assert model.pid is not None
    os.kill(model.pid, signal.SIGINT)
    assert "Tokyo" in reply_of(LocalProvider(model), request(model, user("What is the capital of Japan?"))).text
    model.close()


def test_it_is_started_again_after_it_died_during_a_reply() -> None:
    model = LocalModel()
    provider = LocalProvider(model)
    stream = send(provider, request(model, user("Count to one thousand."), limit=2000))
    next(stream)
    assert model.pid is not None
    os.kill(model.pid, signal.SIGKILL)
    with pytest.raises(ProviderUnavailable, match="stopped while it was answering"):
        list(stream)
    assert "Tokyo" in reply_of(provider, request(model, user("What is the capital of Japan?"))).text
    model.close()
    assert model.pid is None


def test_it_ends_when_the_app_is_killed() -> None:
    code = (
        "import time; from lib.providers.llama.process import LocalModel as M; m = M(); m.ensure(); print(m.pid,"
        " flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout is not None
        pid = int(app.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        app.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()


def test_its_key_is_in_no_process_list(model: LocalModel) -> None:
    address = model.ensure()
    assert address.key.encode() not in Path(f"/proc/{model.pid}/cmdline").read_bytes()
    assert address.key.encode() not in Path(f"/proc/{model.pid}/environ").read_bytes()
    assert address.key not in repr(model)


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, dict(exc.headers)


def test_it_listens_on_this_machine_only_and_requires_its_key(model: LocalModel) -> None:
    address = model.ensure()
    assert address.url.startswith("http://127.0.0.1:")
    port = int(address.url.rsplit(":", 1)[1])
    listening = [
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening
    assert fetch(f"{address.url}/v1/chat/completions/input_tokens")[0] in (401, 404)
    assert fetch(f"{address.url}/props")[0] == 401


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:8501"])
def test_web_pages_of_other_origins_cannot_read_its_answers(model: LocalModel, origin: str) -> None:
    address = model.ensure()
    for path in ("/v1/models", "/health"):
        headers = fetch(f"{address.url}{path}", Origin=origin, Authorization=f"Bearer {address.key}")[1]
        assert headers.get("Access-Control-Allow-Origin", "") == ""  # an empty header allows no origin


def test_another_model_file_can_be_chosen() -> None:
    with pytest.raises(ProviderUnavailable, match="did not start"):
        LocalModel(Path(__file__)).ensure()  # not a model, but the child tried to load it


def test_no_sdk_is_imported_before_there_is_a_key() -> None:
    code = """
import json, sys
import lib.providers.llama.process, lib.providers.scripted
from lib.errors import MissingKey
from lib.messages import user
from lib.providers import ChatRequest
from lib.providers.factory import open_provider
from lib.settings import Endpoint

request = ChatRequest("m", (user("hello"),), 9)
local = lib.providers.llama.process.LocalModel()
for kind in ("local", "openai", "anthropic"):
    provider = open_provider(Endpoint(kind, kind, kind, needs_key=True), None, local)
    sent = provider.prepare(request)
    try:
        list(provider.stream(sent)) if kind != "local" else None
    except MissingKey:
        pass
heavy = ("openai", "anthropic", "xllamacpp", "httpx2", "pandas", "plotly", "tiktoken")
print(json.dumps([name for name in heavy if name in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
