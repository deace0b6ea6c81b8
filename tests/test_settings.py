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
    ],
)
def test_an_unusable_value_is_refused_with_its_name(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        load_settings({name: value}, NOWHERE)


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
