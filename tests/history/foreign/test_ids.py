"""The session ids of other libraries' conversations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.history import valid_session_id
from lib.history.foreign import FORMATS, Address, address_of, foreign_id, format_of


@given(st.sampled_from(sorted(FORMATS)), st.binary(min_size=1, max_size=120))
def test_every_key_has_a_valid_id_that_leads_back_to_it(format_name: str, key: bytes) -> None:
    session_id = foreign_id(format_name, key)
    address = address_of(session_id)
    assert valid_session_id(session_id)
    assert address is not None
    assert address.format == format_name
    assert address.key == key or (address.key is None and len(address.digest) == 64)
    assert format_of(session_id) == FORMATS[format_name]


@given(st.text(max_size=60) | st.from_regex(r"ext\.(json|redisvl)\.[A-Za-z0-9_-]{1,40}", fullmatch=True))
def test_no_other_text_is_such_an_id(text: str) -> None:
    address = address_of(text)
    assert address is None or address.key is None or foreign_id(address.format, address.key) == text


@pytest.mark.parametrize("session_id", ["ext", "ext.json", "ext.json.", "ext.nobody.YQ", "ext.json.YR", "ext.json.Y"])
def test_an_id_of_the_app_may_begin_like_one(session_id: str) -> None:
    assert address_of(session_id) is None
    assert format_of(session_id) == ""


def test_an_id_reads_as_what_it_names() -> None:
    assert foreign_id("json", b"conv:1") == "ext.json.Y29udjox"
    assert address_of("ext.json.Y29udjox") == Address("json", b"conv:1")
