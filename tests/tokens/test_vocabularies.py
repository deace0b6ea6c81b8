"""Tokenizers: equal to tiktoken and ctok, offline, for any text."""

from __future__ import annotations

import hashlib
import importlib.util
import lzma
import re
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import ctok
import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken_ext import openai_public  # type: ignore[import-untyped]  # the package has no types

from lib.errors import InvalidSettings
from lib.messages import utf8_safe
from lib.tokens.vocabularies import TOKENIZERS, TokenPiece, byte_pairs, claude, content_tokens, tokenize
from lib.tokens.vocabularies.pieces import readable_bytes
from lib.tokens.vocabularies.refresh import refresh, upstream

ROOT = Path(__file__).parents[2]
OURS = list(byte_pairs.HASHES)
REBUILT = list(claude.FRAME)
HELLO = {"o200k_base": [24912, 2375], "cl100k_base": [15339, 1917]}
MARK = re.compile("⟨(?:bow|eow|shift|caps)⟩")
any_text = st.text(alphabet=st.characters(exclude_categories=()), max_size=80) | st.sampled_from(
    [
        "",
        "<|endoftext|>",
        "<|im_start|>user",
        "\ud83d\ude00",
        "a cut one \ud83d",
        "'First",
        "NASA’s ⟨bow⟩ “ok” 日本語 😀\n\n",
    ]
)


def uncompressed(name: str) -> bytes:
    return lzma.decompress(byte_pairs.vocabulary_file(name).read_bytes())


@pytest.mark.parametrize("name", OURS)
def test_the_encoding_equals_tiktokens_own(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, expected = upstream(name)
    (tmp_path / file).write_bytes(uncompressed(name))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    theirs = tiktoken.Encoding(**getattr(openai_public, name)())  # it checks the file's hash
    ours = byte_pairs.encoding(name)
    assert byte_pairs.HASHES[name] == expected == hashlib.sha256(uncompressed(name)).hexdigest()
    assert (ours.name, ours._pat_str, ours._special_tokens) == (name, theirs._pat_str, theirs._special_tokens)
    assert ours._mergeable_ranks == theirs._mergeable_ranks
    assert [ours.encode_ordinary("hello world"), theirs.encode_ordinary("hello world")] == [HELLO[name]] * 2


def test_the_notices_list_every_third_party_file_with_its_hash_and_licence() -> None:
    listed: dict[str, str] = {}
    files = {f"{name}.tiktoken": uncompressed(name) for name in OURS}
    for folder, licence in ((byte_pairs.FOLDER, "tiktoken.LICENSE"), (ROOT / "vendor", "ctok.LICENSE")):
        notice = (folder / "NOTICE.md").read_text()
        listed |= {name: sha256 for sha256, name in re.findall(r"^    ([0-9a-f]{64})  (\S+)$", notice, re.MULTILINE)}
        files |= {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".xz", ".whl")}
        assert licence in notice
        assert "MIT License" in (folder / licence).read_text()
    assert {name: hashlib.sha256(data).hexdigest() for name, data in files.items()} == listed


def test_nothing_is_loaded_before_the_first_text() -> None:
    script = (
        "import sys; from lib.tokens.model_counters import counter_for; from lib.tokens.vocabularies import"
        " byte_pairs\nfor kind in ('openai', 'anthropic', 'other'): counter_for(kind, '').template(True)\nassert not"
        " {'tiktoken', 'ctok', 'regex'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


@pytest.fixture
def fresh_byte_pairs() -> Any:
    """The module as a new process has it, with no vocabulary loaded."""
    spec = importlib.util.spec_from_file_location("fresh_byte_pairs", byte_pairs.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_vocabulary_is_loaded_once(fresh_byte_pairs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def vocabulary_file(name: str) -> Path:
        opened.append(name)
        return byte_pairs.vocabulary_file(name)

    monkeypatch.setattr(fresh_byte_pairs, "vocabulary_file", vocabulary_file)
    threads = [threading.Thread(target=fresh_byte_pairs.encoding, args=("o200k_base",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == ["o200k_base"]


@pytest.mark.parametrize("damage", [lambda data: data[:-100], lambda data: lzma.compress(b"aGk= 1\n"), None])
def test_a_missing_or_damaged_file_is_named_with_the_repair(
    damage: Any, fresh_byte_pairs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if damage:
        (tmp_path / "cl100k_base.tiktoken.xz").write_bytes(
            damage(byte_pairs.vocabulary_file("cl100k_base").read_bytes())
        )
    monkeypatch.setattr(fresh_byte_pairs, "FOLDER", tmp_path)
    with pytest.raises(InvalidSettings, match=r"cl100k_base\.tiktoken\.xz") as caught:
        fresh_byte_pairs.encoding("cl100k_base")
    assert "lib.tokens.vocabularies.refresh" in caught.value.next_step


@pytest.mark.parametrize("name", OURS)
@given(text=any_text)
def test_openai_tokens_joined_are_the_text(name: str, text: str) -> None:
    pieces = tokenize(name, text)
    encoding = byte_pairs.encoding(name)
    assert b"".join(encoding.decode_single_token_bytes(piece.id or 0) for piece in pieces) == utf8_safe(text).encode()
    assert [piece.id for piece in pieces] == encoding.encode_ordinary(text)
    assert content_tokens(name, text) == len(pieces)
    for piece in pieces:
        piece.text.encode()


@pytest.mark.parametrize("version", REBUILT)
@given(text=any_text)
def test_claude_tokens_are_as_many_as_ctok_counts_and_readable(version: str, text: str) -> None:
    pieces = tokenize(f"ctok {version}", text)
    assert len(pieces) == content_tokens(f"ctok {version}", text)
    assert len(pieces) == ctok.token_count(utf8_safe(text), version) - claude.FRAME[version]
    assert all(piece.id is None and piece.text.encode() for piece in pieces)


@pytest.mark.parametrize("version", REBUILT)
@given(
    text=st.lists(
        st.sampled_from(["a", "It's", "NASA", "Ünder", "Σ", "“x”", "1234", "日本", ", ", " ", "  ", "\n", "\t", ". "])
    )
)
def test_claude_tokens_joined_are_the_normalized_text(version: str, text: list[str]) -> None:
    normalized = ctok.normalize("".join(text), version)
    joined = "".join(piece.text for piece in tokenize(f"ctok {version}", "".join(text)))
    if "‹" not in joined:  # no character is split between tokens
        assert MARK.sub("", joined).strip(" \n") == normalized.strip(" \n")


def test_claude_tokens_show_capitals_and_leading_spaces() -> None:
    assert [piece.text for piece in tokenize("ctok 3.0", "Hello, NASA World")] == ["Hello", ",", " NASA", " World"]
    assert [piece.text for piece in tokenize("ctok 4.8", "Hello, world")] == ["⟨shift⟩", "H", "ello", ",", " world"]
    assert [piece.text for piece in tokenize("ctok 4.8", "a😀")] == ["a", "‹f0 9f 98›", "‹80›"]
    newer_than_pythons_tables = tokenize("ctok 3.0", "\u1c89")
    assert newer_than_pythons_tables[-1].text == "⟨eow⟩"  # ctok's notation


def test_bytes_that_are_not_a_character_are_shown_as_hex() -> None:
    assert readable_bytes(b"a\xe2\x82") == "a‹e2 82›"
    assert readable_bytes(b"\x80\x81b\xff") == "‹80 81›b‹ff›"
    assert [piece.text for piece in tokenize("cl100k_base", "語")] == ["‹e8 aa›", "‹9e›"]


@pytest.mark.parametrize("name", OURS)
def test_special_tokens_in_a_text_are_ordinary_text(name: str) -> None:
    encoding = byte_pairs.encoding(name)
    pieces = tokenize(name, "<|endoftext|>")
    assert len(pieces) > 1
    assert not {piece.id for piece in pieces} & set(encoding._special_tokens.values())


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=300)
@given(text=st.lists(st.sampled_from([*list("  \t\n\r\xa0\u3000\x1c\x85aBé1!/'"), "'s", "\u0301", "日"]), max_size=14))
def test_splitting_long_blanks_gives_the_same_tokens(name: str, text: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_pairs, "LONG_RUN", 2)
        assert byte_pairs.token_ids(name, "".join(text)) == byte_pairs.encoding(name).encode_ordinary("".join(text))


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("blank", [" ", "\t"])
def test_a_million_blanks_are_counted(name: str, blank: str) -> None:
    encoding = byte_pairs.encoding(name)
    many = blank * 300_000 + "word"  # tiktoken can still do this
    assert byte_pairs.token_ids(name, many) == encoding.encode_ordinary(many)
    million = blank * 1_000_000  # tiktoken's pattern fails here
    rest = encoding.encode_ordinary(blank + "word")
    assert byte_pairs.token_ids(name, million + "word") == encoding._encode_single_piece(million[:-1]) + rest


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("letter", ["a", "A", "\n", "字", "1", "!", " \n", "😀"])
def test_a_megabyte_of_one_letter_is_counted(name: str, letter: str) -> None:
    assert 10_000 < content_tokens(name, letter * (1_000_000 // len(letter.encode()))) <= 1_000_000


def test_every_tokenizer_has_a_label_and_an_explanation() -> None:
    assert list(TOKENIZERS) == ["o200k_base", "cl100k_base", "ctok 3.0", "ctok 4.7", "ctok 4.8"]
    for name, tokenizer in TOKENIZERS.items():
        assert tokenizer.name == name
        assert tokenizer.label
        assert tokenizer.explanation.endswith(".")
        assert ("several ways" in tokenizer.explanation) == name.startswith("ctok")
    assert tokenize("o200k_base", "hello world") == [TokenPiece("hello", 24912), TokenPiece(" world", 2375)]
    with pytest.raises(KeyError):
        tokenize("p50k_base", "hello")


def test_refresh_writes_the_files_from_a_wheel_or_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "source" / "tiktoken_cache"
    cache.mkdir(parents=True)
    for name in OURS:
        (cache / upstream(name)[0]).write_bytes(uncompressed(name))
    with zipfile.ZipFile(tmp_path / "source.whl", "w") as wheel:
        for path in cache.iterdir():
            wheel.write(path, f"some/{path.name}")
    monkeypatch.setattr(byte_pairs, "FOLDER", tmp_path)
    monkeypatch.setattr("lib.tokens.vocabularies.refresh.PRESET", 0)  # compress fast
    lines = refresh(tmp_path / "source.whl")
    assert [hashlib.sha256(uncompressed(name)).hexdigest() for name in OURS] == list(byte_pairs.HASHES.values())
    assert refresh(cache.parent) == lines
    (cache / upstream("cl100k_base")[0]).write_bytes(b"aGk= 1\n")
    with pytest.raises(ValueError, match="cl100k_base"):
        refresh(cache)
    with pytest.raises(FileNotFoundError):
        refresh(tmp_path / "nowhere.whl")
