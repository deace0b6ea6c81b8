"""Settings: their sources, which source wins, and which values are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import InvalidSettings
from lib.settings import load_settings

NOWHERE = Path("no-such-secrets.toml")


def test_with_nothing_set_the_defaults_work() -> None:
    settings = load_settings({}, NOWHERE)
    assert (settings.store, settings.session_ttl, settings.data_dir) == ("embedded", 86_400, Path(".data"))
    assert list(settings.endpoints) == ["local", "openai", "anthropic"]


def test_a_redis_url_is_used_unless_the_store_is_memory() -> None:
    url = {"REDIS_URL": "rediss://:secret@redis.example:6380/1"}
    assert load_settings(url, NOWHERE).store == "redis"
    assert load_settings({**url, "WINDOWSEAT_STORE": "memory"}, NOWHERE).store == "memory"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WINDOWSEAT_STORE", "disk"),
        ("REDIS_URL", "http://x"),
        ("WINDOWSEAT_SESSION_TTL", "soon"),
        ("WINDOWSEAT_SESSION_TTL", "0"),
        ("WINDOWSEAT_SESSION_TTL", "-5"),
        ("WINDOWSEAT_SESSION_TTL", "²"),
        ("WINDOWSEAT_LOCAL_MODEL", "/no/such/model.gguf"),
        ("WINDOWSEAT_READ_PREFIXES", "conv, chat:"),
        ("WINDOWSEAT_READ_PREFIXES", ":"),
    ],
)
def test_an_unusable_value_is_refused_with_its_name(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        load_settings({name: value}, NOWHERE)


def test_prefixes_to_read_are_separated_by_commas() -> None:
    assert load_settings({}, NOWHERE).read_prefixes == ()
    value = {"WINDOWSEAT_READ_PREFIXES": " conv, app:history:,conv,"}
    assert load_settings(value, NOWHERE).read_prefixes == ("conv", "app:history")


def test_the_environment_overrides_secrets_and_secrets_define_endpoints(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        'OPENAI_API_KEY = "from-file"\nANTHROPIC_API_KEY = "from-file"\n'
        '[endpoints.ollama]\nbase_url = "http://127.0.0.1:11434/v1"\nmodel = "qwen"\nwindow = 2000\n'
    )
    settings = load_settings({"OPENAI_API_KEY": "from-env"}, secrets)
    assert settings.endpoints["openai"].key == "from-env"
    assert settings.endpoints["anthropic"].key == "from-file"
    ollama = settings.endpoints["ollama"]
    assert (ollama.kind, ollama.model, ollama.window, ollama.needs_key) == ("openai", "qwen", 2000, False)


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "endpoints = 3",
        "[endpoints.x]\n",
        '[endpoints.x]\nbase_url = "ftp://x"',
        '[endpoints.x]\nbase_url = "http://x"\nkind = "other"',
        '[endpoints.openai]\nbase_url = "http://x"',
        '[endpoints.x]\nbase_url = "http://x"\nwindow = "big"',
    ],
)
def test_an_unusable_secrets_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.toml").write_text(text)
    with pytest.raises(InvalidSettings):
        load_settings({}, tmp_path / "secrets.toml")


def test_keys_and_passwords_never_appear_in_a_repr() -> None:
    settings = load_settings({"OPENAI_API_KEY": "sk-very-secret", "REDIS_URL": "redis://:hush@h"}, NOWHERE)
    assert "sk-very-secret" not in repr(settings)
    assert "hush" not in repr(settings)


def test_no_default_model_is_about_to_be_switched_off() -> None:
    retiring = ("gpt-4", "gpt-3", "o1", "o3", "o4", "claude-3", "claude-2", "claude-haiku-4", "claude-sonnet-4")
    models = [endpoint.model for endpoint in load_settings({}, NOWHERE).endpoints.values()]
    assert not [model for model in models if model.startswith(retiring)]


def test_new_chats_start_with_what_is_configured_or_named() -> None:
    assert load_settings({}, NOWHERE).preferred == "local"
    assert load_settings({"ANTHROPIC_API_KEY": "k"}, NOWHERE).preferred == "anthropic"
    named = {"ANTHROPIC_API_KEY": "k", "WINDOWSEAT_PROVIDER": "local"}
    assert load_settings(named, NOWHERE).preferred == "local"
    with pytest.raises(InvalidSettings, match="WINDOWSEAT_PROVIDER"):
        load_settings({"WINDOWSEAT_PROVIDER": "nobody"}, NOWHERE)


def test_a_model_file_gives_the_local_model_its_name(tmp_path: Path) -> None:
    path = tmp_path / "Qwen3-8B.Q4_K_M.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00")
    settings = load_settings({"WINDOWSEAT_LOCAL_MODEL": str(path)}, NOWHERE)
    assert (settings.local_model, settings.endpoints["local"].model) == (path, "Qwen3-8B")


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "no GGUF file"), (b"version https://git-lfs.github.com/spec/v1\n", "no GGUF file")]
)
def test_a_file_that_is_no_model_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(InvalidSettings, match=words):
        load_settings({"WINDOWSEAT_LOCAL_MODEL": str(path)}, NOWHERE)


@pytest.mark.parametrize(
    ("value", "words"), [("", "that is a folder"), ("x" * 300, "cannot be read"), ("\0", "cannot")]
)
def test_so_is_what_is_no_file_at_all(tmp_path: Path, value: str, words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        load_settings({"WINDOWSEAT_LOCAL_MODEL": f"{tmp_path}/{value}"}, NOWHERE)


def test_four_servers_are_looked_for_on_this_machine_unless_told_otherwise() -> None:
    assert list(load_settings({}, NOWHERE).local_servers) == ["ollama", "lm-studio", "llama.cpp", "vllm"]
    assert load_settings({"WINDOWSEAT_LOCAL_SERVERS": "none"}, NOWHERE).local_servers == {}
    mine = {"WINDOWSEAT_LOCAL_SERVERS": "http://localhost:8000/v1, http://127.0.0.1:1234/v1"}
    servers = load_settings(mine, NOWHERE).local_servers
    assert [(server.name, server.base_url) for server in servers.values()] == [
        ("port-8000", "http://localhost:8000/v1"),
        ("lm-studio", "http://127.0.0.1:1234/v1"),
    ]


@pytest.mark.parametrize(
    "url", ["http://192.168.0.9:11434/v1", "https://127.0.0.1:1/v1", "11434", "http://[::1", "x,y"]
)
def test_a_server_elsewhere_is_never_looked_for(url: str) -> None:
    with pytest.raises(InvalidSettings, match="WINDOWSEAT_LOCAL_SERVERS"):
        load_settings({"WINDOWSEAT_LOCAL_SERVERS": url}, NOWHERE)


def test_a_server_that_is_configured_is_not_offered_twice(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        '[endpoints.mine]\nbase_url = "http://localhost:11434/v1"\n[endpoints.lm-studio]\nbase_url = "http://x/v1"\n'
    )
    assert list(load_settings({}, secrets).local_servers) == ["llama.cpp", "vllm"]


def test_the_token_of_the_http_routes_is_kept_out_of_sight() -> None:
    token = "correct-horse-battery-staple"
    settings = load_settings({"WINDOWSEAT_API_TOKEN": token}, NOWHERE)
    assert settings.api_token == token
    assert token not in repr(settings)
    assert load_settings({"WINDOWSEAT_API_TOKEN": ""}, NOWHERE).api_token is None


@pytest.mark.parametrize("token", ["too-short", "has a space but is long", "ünïcode-ünïcode-ünïcode", "x" * 20 + "\0"])
def test_a_token_that_cannot_be_sent_or_is_easily_guessed_is_refused(token: str) -> None:
    with pytest.raises(InvalidSettings, match="WINDOWSEAT_API_TOKEN") as refused:
        load_settings({"WINDOWSEAT_API_TOKEN": token}, NOWHERE)
    assert token not in refused.value.what


def test_recorded_requests_go_to_endpoints_that_exist(tmp_path: Path) -> None:
    chosen = load_settings({"WINDOWSEAT_RECORD": "1", "WINDOWSEAT_RECORD_TO": "anthropic, openai"}, tmp_path / "none")
    assert (chosen.record, chosen.record_to) == (True, {"anthropic": "anthropic", "openai": "openai"})
    assert not load_settings({}, tmp_path / "none").record
    with pytest.raises(InvalidSettings, match="WINDOWSEAT_RECORD_TO holds 'elsewhere'"):
        load_settings({"WINDOWSEAT_RECORD_TO": "elsewhere"}, tmp_path / "none")
