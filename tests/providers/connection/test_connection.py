"""Testing a connection and probing it, with the real SDK against servers that behave as Ollama and LM Studio do."""

from __future__ import annotations

import pytest

from lib.errors import ProviderUnavailable
from lib.messages import Usage
from lib.providers import Provider
from lib.providers.anthropic import AnthropicProvider
from lib.providers.connection import Connection, connect, identify, known_vendor
from lib.providers.connection.probe import Outcome, Probe, send, verdict_of
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.model_counters import counter_for
from tests.support.counters import WordCounter
from tests.support.servers.local_server import Handler, LocalServer
from tests.support.servers.machine_servers import TEMPLATE_TOKENS, LMStudioServer, MachineServer, OllamaServer
from tests.support.servers.redis_servers import free_port
from tests.support.servers.replay_server import Replay, message_events

WORDS = WordCounter()


def endpoint_at(url: str) -> Endpoint:
    return Endpoint("it", "openai", "It", url)


def provider_at(server: MachineServer) -> OpenAIProvider:
    return OpenAIProvider(endpoint_at(server.url), None)


def counting(model: str, provider: Provider) -> TokenCounter:
    return WORDS


def connected(server: MachineServer) -> Connection:
    return connect(provider_at(server), endpoint_at(server.url), "", counting)


def probed(server: MachineServer, tokens: int) -> Outcome:
    return send(provider_at(server), server.models[0], Probe.of_size(tokens, WORDS))


def test_ollama_says_who_it_is_and_after_a_first_message_how_much_it_holds() -> None:
    with OllamaServer(window=2048) as server:
        before = connected(server)
        assert (before.identity.server, before.identity.window) == ("Ollama 0.13.1", None)
        assert (list(before.models), before.model) == (["gemma3:4b", "qwen3:8b"], "gemma3:4b")
        assert not server.requests  # a test sends no message
        server.loaded = ["gemma3:4b"]
        assert connected(server).identity.window == 2048


def test_lm_studio_is_known_by_its_list_though_every_address_answers_with_200() -> None:
    with LMStudioServer(window=1000) as server:
        found = connected(server)
        assert (found.identity.server, found.identity.window) == ("LM Studio", 1000)
        assert found.model == "granite-4-micro"
        assert identify(provider_at(server), endpoint_at(server.url), "of-another-machine").window is None


def test_a_vllm_and_a_llama_cpp_server_are_told_apart() -> None:
    answers: dict[str, object] = {
        "/version": {"version": "0.11.0"},
        "/v1/models": {"data": [{"id": "m", "owned_by": "vllm", "max_model_len": 32768}]},
    }

    class Answering(Handler):
        def serve(self) -> None:
            known = self.path in answers
            self.answer_json(200 if known else 404, answers.get(self.path, {}))

    with LocalServer(Answering) as server:
        endpoint = endpoint_at(f"{server.origin}/v1")
        provider = OpenAIProvider(endpoint, None)
        found = identify(provider, endpoint, "m")
        assert (found.server, found.window) == ("vLLM 0.11.0", 32768)
        answers["/props"] = {"build_info": "b7000-abc", "default_generation_settings": {"n_ctx": 4096}}
        found = identify(provider, endpoint, "m")
        assert (found.server, found.window) == ("llama.cpp b7000-abc", 4096)
        answers.clear()
        answers["/props"] = {"default_generation_settings": ["no", "object"]}
        assert identify(provider, endpoint, "m").server == "a server of OpenAI's protocol"


def test_vendors_are_known_by_their_host_and_asked_nothing() -> None:
    assert known_vendor(None, "openai") == "OpenAI"
    assert known_vendor("https://mine.openai.azure.com/openai/v1", "openai") == "Azure OpenAI"
    assert known_vendor("https://openrouter.ai/api/v1", "openai") == "OpenRouter"
    assert known_vendor("https://openrouter.ai.example.org/api/v1", "openai") == ""
    endpoint = Endpoint("anthropic", "anthropic", "Anthropic")
    assert identify(AnthropicProvider(endpoint, None), endpoint, "").server == "Anthropic"


def test_a_server_that_does_not_answer_says_so_in_words() -> None:
    endpoint = endpoint_at(f"http://127.0.0.1:{free_port()}/v1")
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        connect(OpenAIProvider(endpoint, None), endpoint, "", counting)


def test_a_probe_that_fits_is_read_whole() -> None:
    with OllamaServer() as server:
        outcome = probed(server, 400)
        assert (outcome.verdict, outcome.recalled) == ("whole", True)
        assert outcome.usage.input_tokens == pytest.approx(outcome.tokens, abs=2 * TEMPLATE_TOKENS)
        assert len(server.requests) == 1
        assert server.requests[0]["max_tokens"] == 32


@pytest.mark.parametrize("kind", [OllamaServer, LMStudioServer])
def test_a_server_that_drops_a_part_silently_is_found_out(kind: type[MachineServer]) -> None:
    with kind(window=100) as server:
        outcome = probed(server, 400)
    assert outcome.verdict == "cut"
    assert (outcome.usage.input_tokens or 0) < outcome.tokens // 2
    assert outcome.recalled is (kind is LMStudioServer)  # it drops the middle, and the code word is at the beginning


def test_a_server_without_usage_is_told_from_one_that_reads_nothing() -> None:
    with OllamaServer(reports_usage=False) as server:
        outcome = probed(server, 400)
    assert (outcome.verdict, outcome.recalled) == ("not reported", True)


def test_a_server_that_refuses_what_it_cannot_hold_drops_nothing(replay: Replay) -> None:
    message = "This model's maximum context length is 100 tokens. However, your messages resulted in 400 tokens."
    replay.error(400, {"error": {"message": message, "code": "context_length_exceeded", "type": "x", "param": None}})
    outcome = send(OpenAIProvider(endpoint_at(f"{replay.url}/v1"), None), "m", Probe.of_size(400, WORDS))
    assert (outcome.verdict, outcome.recalled) == ("refused", False)
    assert "400" in outcome.words


def test_the_real_anthropic_sdk_is_probed_the_same_way(replay: Replay) -> None:
    probe = Probe.of_size(400, WORDS)
    start = {"input_tokens": probe.tokens + 8, "output_tokens": 1}
    replay.events(*message_events(f"{probe.word}.", start=start), named=True)
    outcome = send(AnthropicProvider(Endpoint("a", "anthropic", "A", replay.url), "sk-a"), "m", probe)
    assert (outcome.verdict, outcome.recalled) == ("whole", True)


@pytest.mark.parametrize("tokens", [1, 400, 5000])
def test_a_probe_is_about_as_long_as_asked_and_costs_no_more_than_it_says(tokens: int) -> None:
    probe = Probe.of_size(tokens, counter_for("openai", "gpt-6-luna"))
    assert tokens * 0.6 < probe.tokens < tokens * 1.3 + 80
    assert (probe.at_most.input_tokens or 0) > probe.tokens


def test_a_count_that_may_be_wrong_is_given_more_room() -> None:
    probe = Probe.of_size(1000, ESTIMATE)
    assert verdict_of(probe, Usage(input_tokens=int(probe.tokens * 0.7))) == "whole"
    assert verdict_of(probe, Usage(input_tokens=int(probe.tokens * 0.5))) == "cut"
