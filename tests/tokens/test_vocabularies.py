"""Tokenizers: exactly tiktoken's and ctok's, offline, for any text."""

from __future__ import annotations

import hashlib
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
from tiktoken_ext import openai_public

from lib.errors import InvalidSettings
from lib.tokens.vocabularies import TOKENIZERS, Piece, byte_pairs, claude, content_tokens, cut
from lib.tokens.vocabularies.pieces import drawable, mended
from lib.tokens.vocabularies.refresh import refresh, upstream

ROOT = Path(__file__).parents[2]
OURS = list(byte_pairs.PINS)
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


def raw(name: str) -> bytes:
    return lzma.decompress(byte_pairs.packed_file(name).read_bytes())


@pytest.mark.parametrize("name", OURS)
def test_it_is_what_tiktoken_itself_loads(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, expected = upstream(name)
    (tmp_path / file).write_bytes(raw(name))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    theirs = tiktoken.Encoding(**getattr(openai_public, name)())  # it checks the file's hash
    ours = byte_pairs.encoding(name)
    assert byte_pairs.PINS[name] == expected == hashlib.sha256(raw(name)).hexdigest()
    assert (ours.name, ours._pat_str, ours._special_tokens) == (name, theirs._pat_str, theirs._special_tokens)
    assert ours._mergeable_ranks == theirs._mergeable_ranks
    assert [ours.encode_ordinary("hello world"), theirs.encode_ordinary("hello world")] == [HELLO[name]] * 2


def test_a_notice_names_every_third_party_file_with_its_hash_and_licence() -> None:
    noted: dict[str, str] = {}
    files = {f"{name}.tiktoken": raw(name) for name in OURS}
    for folder, licence in ((byte_pairs.FOLDER, "tiktoken.LICENSE"), (ROOT / "vendor", "ctok.LICENSE")):
        notice = (folder / "NOTICE.md").read_text()
        noted |= {name: found for found, name in re.findall(r"^    ([0-9a-f]{64})  (\S+)$", notice, re.MULTILINE)}
        files |= {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".xz", ".whl")}
        assert licence in notice
        assert "MIT License" in (folder / licence).read_text()
    assert {name: hashlib.sha256(data).hexdigest() for name, data in files.items()} == noted


def test_nothing_is_loaded_before_the_first_text() -> None:
    script = (
        "import sys; from lib.tokens.model_counters import counter_for; from lib.tokens.vocabularies import"
        " byte_pairs\nfor kind in ('openai', 'anthropic', 'other'): counter_for(kind, '').template(True)\nassert not"
        " {'tiktoken', 'ctok', 'regex'} & set(sys.modules) and not byte_pairs._loaded"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_a_vocabulary_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    monkeypatch.setattr(byte_pairs, "_loaded", {})
    monkeypatch.setattr(byte_pairs, "_build", lambda name: loads.append(name) or object())
    threads = [threading.Thread(target=byte_pairs.encoding, args=("o200k_base",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["o200k_base"]


@pytest.mark.parametrize("damage", [lambda data: data[:-100], lambda data: lzma.compress(b"aGk= 1\n"), None])
def test_a_damaged_file_is_named(damage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if damage:
        (tmp_path / "cl100k_base.tiktoken.xz").write_bytes(damage(byte_pairs.packed_file("cl100k_base").read_bytes()))
    monkeypatch.setattr(byte_pairs, "FOLDER", tmp_path)
    monkeypatch.setattr(byte_pairs, "_loaded", {})
    with pytest.raises(InvalidSettings, match=r"cl100k_base\.tiktoken\.xz") as caught:
        byte_pairs.encoding("cl100k_base")
    assert "lib.tokens.vocabularies.refresh" in caught.value.next_step


@pytest.mark.parametrize("name", OURS)
@given(text=any_text)
def test_pieces_of_byte_pairs_are_the_text(name: str, text: str) -> None:
    pieces = cut(name, text)
    known = byte_pairs.encoding(name)
    assert b"".join(known.decode_single_token_bytes(piece.id or 0) for piece in pieces) == mended(text).encode()
    assert [piece.id for piece in pieces] == known.encode_ordinary(text)
    assert content_tokens(name, text) == len(pieces)
    for piece in pieces:
        piece.text.encode()


@pytest.mark.parametrize("version", REBUILT)
@given(text=any_text)
def test_pieces_of_claude_are_as_many_as_ctok_counts_and_can_be_read(version: str, text: str) -> None:
    pieces = cut(f"ctok {version}", text)
    assert len(pieces) == content_tokens(f"ctok {version}", text)
    assert len(pieces) == ctok.token_count(mended(text), version) - claude.FRAME[version]
    assert all(piece.id is None and piece.text.encode() for piece in pieces)


@pytest.mark.parametrize("version", REBUILT)
@given(
    text=st.lists(
        st.sampled_from(["a", "It's", "NASA", "Ünder", "Σ", "“x”", "1234", "日本", ", ", " ", "  ", "\n", "\t", ". "])
    )
)
def test_pieces_of_claude_joined_are_the_text_it_reads(version: str, text: list[str]) -> None:
    written = ctok.normalize("".join(text), version)
    pieces = "".join(piece.text for piece in cut(f"ctok {version}", "".join(text)))
    if "‹" not in pieces:  # no character is shared by several tokens
        assert MARK.sub("", pieces).strip(" \n") == written.strip(" \n")


def test_a_capital_and_the_space_before_a_word_are_seen() -> None:
    assert [piece.text for piece in cut("ctok 3.0", "Hello, NASA World")] == ["Hello", ",", " NASA", " World"]
    assert [piece.text for piece in cut("ctok 4.8", "Hello, world")] == ["⟨shift⟩", "H", "ello", ",", " world"]
    assert [piece.text for piece in cut("ctok 4.8", "a😀")] == ["a", "‹f0 9f 98›", "‹80›"]
    assert [piece.text for piece in cut("ctok 3.0", "\u1c89")][
        -1
    ] == "⟨eow⟩"  # newer than Python's tables: ctok's notation


def test_bytes_that_are_no_character_are_drawn_as_hex() -> None:
    assert drawable(b"a\xe2\x82") == "a‹e2 82›"
    assert drawable(b"\x80\x81b\xff") == "‹80 81›b‹ff›"
    assert [piece.text for piece in cut("cl100k_base", "語")] == ["‹e8 aa›", "‹9e›"]


@pytest.mark.parametrize("name", OURS)
def test_special_tokens_in_a_text_are_text(name: str) -> None:
    known = byte_pairs.encoding(name)
    pieces = cut(name, "<|endoftext|>")
    assert len(pieces) > 1
    assert not {piece.id for piece in pieces} & set(known._special_tokens.values())


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=300)
@given(text=st.lists(st.sampled_from([*list("  \t\n\r\xa0\u3000\x1c\x85aBé1!/'"), "'s", "\u0301", "日"]), max_size=14))
def test_cutting_long_blanks_ourselves_changes_nothing(name: str, text: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_pairs, "LONG_BLANK", 2)
        assert byte_pairs.ids(name, "".join(text)) == byte_pairs.encoding(name).encode_ordinary("".join(text))


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("blank", [" ", "\t"])
def test_a_million_blanks_are_counted(name: str, blank: str) -> None:
    known = byte_pairs.encoding(name)
    many = blank * 300_000 + "word"
    assert byte_pairs.ids(name, many) == known.encode_ordinary(many)
    million = blank * 1_000_000  # here tiktoken's pattern gives up
    rest = known.encode_ordinary(blank + "word")
    assert byte_pairs.ids(name, million + "word") == known._encode_single_piece(million[:-1]) + rest


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("one", ["a", "A", "\n", "字", "1", "!", " \n", "😀"])
def test_a_megabyte_is_no_trouble(name: str, one: str) -> None:
    assert 10_000 < content_tokens(name, one * (1_000_000 // len(one.encode()))) <= 1_000_000


def test_every_tokenizer_is_explained() -> None:
    assert list(TOKENIZERS) == ["o200k_base", "cl100k_base", "ctok 3.0", "ctok 4.7", "ctok 4.8"]
    for name, known in TOKENIZERS.items():
        assert known.name == name
        assert known.label
        assert known.explanation.endswith(".")
        assert ("claim" in known.explanation or "several ways" in known.explanation) == name.startswith("ctok")
    assert cut("o200k_base", "hello world") == [Piece("hello", 24912), Piece(" world", 2375)]
    with pytest.raises(KeyError):
        cut("p50k_base", "hello")


def test_fresh_files_come_from_a_wheel_or_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "anywhere" / "tiktoken_cache"
    cache.mkdir(parents=True)
    for name in OURS:
        (cache / upstream(name)[0]).write_bytes(raw(name))
    with zipfile.ZipFile(tmp_path / "some.whl", "w") as wheel:
        for path in cache.iterdir():
            wheel.write(path, f"some/{path.name}")
    monkeypatch.setattr(byte_pairs, "FOLDER", tmp_path)
    monkeypatch.setattr("lib.tokens.vocabularies.refresh.PRESET", 0)  # fast
    lines = refresh(tmp_path / "some.whl")
    assert [hashlib.sha256(raw(name)).hexdigest() for name in OURS] == list(byte_pairs.PINS.values())
    assert refresh(cache.parent) == lines
    (cache / upstream("cl100k_base")[0]).write_bytes(b"aGk= 1\n")
    with pytest.raises(ValueError, match="cl100k_base"):
        refresh(cache)
    with pytest.raises(FileNotFoundError):
        refresh(tmp_path / "nowhere.whl")
