"""Settings: where they come from, what wins, and what is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import InvalidSettings
from lib.settings import load_settings

NOWHERE = Path("no-such-secrets.toml")


def test_nothing_set_is_a_working_installation() -> None:
    found = load_settings({}, NOWHERE)
    assert (found.store, found.session_ttl, found.data_dir) == ("embedded", 86_400, Path(".data"))
    assert list(found.endpoints) == ["local", "openai", "anthropic"]


def test_a_redis_url_is_used_and_memory_wins_over_it() -> None:
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
def test_what_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        load_settings({name: value}, NOWHERE)


def test_the_environment_wins_over_secrets_and_secrets_bring_endpoints(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        'OPENAI_API_KEY = "from-file"\nANTHROPIC_API_KEY = "from-file"\n'
        '[endpoints.ollama]\nbase_url = "http://127.0.0.1:11434/v1"\nmodel = "qwen"\nwindow = 2000\n'
    )
    found = load_settings({"OPENAI_API_KEY": "from-env"}, secrets)
    assert found.endpoints["openai"].key == "from-env"
    assert found.endpoints["anthropic"].key == "from-file"
    ollama = found.endpoints["ollama"]
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
def test_a_secrets_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.toml").write_text(text)
    with pytest.raises(InvalidSettings):
        load_settings({}, tmp_path / "secrets.toml")


def test_keys_and_passwords_are_in_no_repr() -> None:
    found = load_settings({"OPENAI_API_KEY": "sk-very-secret", "REDIS_URL": "redis://:hush@h"}, NOWHERE)
    assert "sk-very-secret" not in repr(found)
    assert "hush" not in repr(found)


def test_no_default_model_is_about_to_be_switched_off() -> None:
    going = ("gpt-4", "gpt-3", "o1", "o3", "o4", "claude-3", "claude-2", "claude-haiku-4", "claude-sonnet-4")
    assert not [e.model for e in load_settings({}, NOWHERE).endpoints.values() if e.model.startswith(going)]
