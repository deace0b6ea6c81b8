"""The real SDKs, through our adapters, against the real embedded model, which speaks both protocols."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.errors import ContextOverflow, ProviderUnavailable, WrongKey
from lib.messages import Message, assistant, system, user
from lib.providers import ChatRequest, Provider, Reply, TextDelta, body_sha256
from lib.providers.anthropic import AnthropicProvider
from lib.providers.llama.process import INSTALL, SLOT_TOKENS, SLOTS, Address, LocalModel, LocalProvider
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from lib.ui.chat.welcome import CODE, FOLLOW_UPS
from lib.ui.shell.services import SYSTEM_PROMPT
from tests.support.replay_server import Replay

pytestmark = pytest.mark.model
ROOT = Path(__file__).parents[2]


def request(model: LocalModel, *messages: Message, limit: int = 60) -> ChatRequest:
    return ChatRequest(model.name, (system(SYSTEM_PROMPT), *messages), limit)


def last(provider: Provider, wanted: ChatRequest) -> Reply:
    events = list(provider.stream(wanted))
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


def test_it_answers_usably(model: LocalModel) -> None:
    reply = last(LocalProvider(model), request(model, user("What is the capital of France?"), limit=500))
    assert "Paris" in reply.text
    assert reply.stop_reason == "end"
    assert reply.model == model.name


def test_the_starter_with_a_fact_works_when_the_fact_is_sent_again(model: LocalModel) -> None:
    provider = LocalProvider(model)
    first = last(provider, request(model, user(CODE)))
    asked = user(FOLLOW_UPS[CODE])
    assert "4711" in last(provider, request(model, user(CODE), assistant(first.text), asked)).text
    assert "4711" not in last(provider, request(model, asked)).text  # and not when it is left out


def test_usage_is_reported_with_what_came_from_the_cache(model: LocalModel) -> None:
    provider = LocalProvider(model)
    wanted = request(model, user("Name a fruit, an animal and a colour, please."))
    last(provider, wanted)
    usage = last(provider, wanted).usage
    assert usage.input_tokens == provider.count(wanted)
    assert usage.cached_tokens is not None
    assert 0 < usage.cached_tokens <= (usage.input_tokens or 0)
    assert usage.output_tokens
    assert usage.reasoning_tokens is None  # not reported is not 0


def test_both_protocols_count_the_same_request_alike(model: LocalModel) -> None:
    wanted = request(model, user("Hello"), assistant("Hi."), user("How are you?"), limit=8)
    counted = LocalProvider(model).count(wanted)
    assert anthropic(model).count(wanted) == counted
    assert last(anthropic(model), wanted).usage.input_tokens == counted
    assert last(openai(model), wanted).usage.input_tokens == counted


def test_a_reply_cut_off_at_its_limit_says_so(model: LocalModel) -> None:
    for provider in (LocalProvider(model), openai(model), anthropic(model)):
        assert last(provider, request(model, user("Write a long story."), limit=5)).stop_reason == "length"


@pytest.mark.parametrize("adapter", [openai, anthropic])
def test_its_real_overflow_comes_with_the_numbers(model: LocalModel, adapter: type) -> None:
    with pytest.raises(ContextOverflow) as caught:
        list(adapter(model).stream(request(model, user("hello " * (SLOT_TOKENS + 500)))))
    assert caught.value.limit == SLOT_TOKENS
    assert (caught.value.tokens or 0) > SLOT_TOKENS


@pytest.mark.parametrize("adapter", [openai, anthropic])
def test_a_wrong_key_is_refused(model: LocalModel, adapter: type) -> None:
    with pytest.raises(WrongKey):
        list(adapter(model, "sk-not-the-key").stream(request(model, user("hello"))))


def test_closing_the_stream_early_frees_the_slot(model: LocalModel) -> None:
    provider = LocalProvider(model)
    for _ in range(4):  # more than there are slots
        stream = provider.stream(request(model, user("Count to one thousand."), limit=2000))
        next(stream)
        assert isinstance(stream, Iterator)
        stream.close()  # type: ignore[attr-defined]  # a generator
    assert "Paris" in last(provider, request(model, user("What is the capital of France?"))).text


def test_two_people_are_answered_at_once(model: LocalModel) -> None:
    provider = LocalProvider(model)
    both_talking = threading.Barrier(2, timeout=60)
    errors: list[Exception] = []

    def talk(text: str) -> None:
        try:
            stream = provider.stream(request(model, user(text), limit=40))
            next(stream)
            both_talking.wait()  # passes only if both have their first token before either is done
            list(stream)
        except (ProviderUnavailable, threading.BrokenBarrierError) as exc:
            errors.append(exc)

    people = [threading.Thread(target=talk, args=(text,)) for text in ("Tell me a story.", "Write a poem.")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert errors == []


def test_each_of_them_has_the_whole_context(model: LocalModel) -> None:
    address = model.ensure()
    wanted = urllib.request.Request(f"{address.url}/slots", headers={"Authorization": f"Bearer {address.key}"})
    with urllib.request.urlopen(wanted, timeout=10) as answer:
        assert [slot["n_ctx"] for slot in json.load(answer)] == [SLOT_TOKENS] * SLOTS


def test_a_request_too_long_to_send_can_be_counted(model: LocalModel) -> None:
    assert (LocalProvider(model).count(request(model, user("hello " * (SLOT_TOKENS + 500)))) or 0) > SLOT_TOKENS


def test_the_body_that_is_hashed_is_the_one_it_is_sent(model: LocalModel, replay: Replay) -> None:
    replay.events({"choices": [{"index": 0, "delta": {"content": "ok"}, "finish_reason": "stop"}]})
    model_elsewhere = LocalModel()
    model_elsewhere.ensure = lambda: Address(replay.url, "key")  # type: ignore[method-assign]
    provider, wanted = LocalProvider(model_elsewhere), request(model, user("hello"))
    last(provider, wanted)
    assert [hashlib.sha256(body).hexdigest() for body in replay.received] == [body_sha256(provider.body(wanted))]


def test_without_its_file_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.providers.llama.process.packaged_model", lambda: None)
    provider = LocalProvider(LocalModel())
    with pytest.raises(ProviderUnavailable, match="not installed") as caught:
        list(provider.stream(ChatRequest("any", (user("hello"),), 9)))
    assert INSTALL in caught.value.next_step


def test_everyone_who_is_cut_off_is_told_why_and_one_child_takes_over() -> None:
    model = LocalModel()
    provider = LocalProvider(model)
    streams = [provider.stream(request(model, user(text), limit=2000)) for text in ("Count to 99.", "Tell me a story.")]
    for stream in streams:
        next(stream)
    assert model.pid is not None
    os.kill(model.pid, signal.SIGKILL)
    with pytest.raises(ProviderUnavailable, match="stopped while it was answering"):
        list(streams[0])
    model.ensure()  # the first one retries before the second has noticed
    with pytest.raises(ProviderUnavailable, match="stopped while it was answering"):
        list(streams[1])
    assert model.pid is not None
    model.close()


def test_it_leaves_ctrl_c_to_the_app() -> None:
    model = LocalModel()
    model.ensure()
    assert model.pid is not None
    os.kill(model.pid, signal.SIGINT)
    assert "Paris" in last(LocalProvider(model), request(model, user("What is the capital of France?"))).text
    model.close()


def test_it_is_started_again_after_it_died_while_answering() -> None:
    model = LocalModel()
    provider = LocalProvider(model)
    stream = provider.stream(request(model, user("Count to one thousand."), limit=2000))
    next(stream)
    assert model.pid is not None
    os.kill(model.pid, signal.SIGKILL)
    with pytest.raises(ProviderUnavailable, match="stopped while it was answering"):
        list(stream)
    assert "Paris" in last(provider, request(model, user("What is the capital of France?"))).text
    model.close()
    assert model.pid is None


def test_it_is_gone_when_the_app_is_killed() -> None:
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


def test_it_listens_on_this_machine_only_and_wants_its_key(model: LocalModel) -> None:
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
def test_pages_of_other_origins_may_not_read_its_answers(model: LocalModel, origin: str) -> None:
    address = model.ensure()
    for path in ("/v1/models", "/health"):
        headers = fetch(f"{address.url}{path}", Origin=origin, Authorization=f"Bearer {address.key}")[1]
        assert headers.get("Access-Control-Allow-Origin", "") == ""  # an empty one is no origin's


def test_another_model_file_can_be_named() -> None:
    with pytest.raises(ProviderUnavailable, match="did not start"):
        LocalModel(Path(__file__)).ensure()  # not a model, but it was tried


def test_no_sdk_is_imported_before_there_is_a_key_to_use_it_with() -> None:
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
    provider.body(request)
    try:
        list(provider.stream(request)) if kind != "local" else None
    except MissingKey:
        pass
heavy = ("openai", "anthropic", "xllamacpp", "httpx2", "pandas", "plotly", "tiktoken")
print(json.dumps([name for name in heavy if name in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
