"""Cookies, tokens and logins: who is known again, and who is not."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.access import THE_ONE, Person
from lib.access.people import PROGRAM, People, person_of
from lib.access.secret import FILE, cookie_secret
from lib.access.signer import LIFETIME, OwnerSigner
from lib.access.visitor_cookie import RENEWED_AFTER, VisitorCookie, new_owner
from lib.errors import NotYours

SECRET = "a-secret-for-tests-that-is-long-enough"
CLAIMS = {"is_logged_in": True, "iss": "https://login.example", "sub": "42", "email": "Anna@example.org"}


class Clock:
    now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


def sent_back(cookie: VisitorCookie, header: str | None) -> dict[str, str]:
    """The cookie as the browser sends it back."""
    assert header is not None
    name, _, value = header.partition(";")[0].partition("=")
    assert name == cookie.name
    return {name: value}


def test_a_new_visitor_gets_a_cookie_that_scripts_cannot_read_and_is_known_by_it() -> None:
    cookie = VisitorCookie(SECRET)
    header = cookie.renewal({}, secure=False, path="/base")
    assert header is not None
    assert header.split("; ")[1:] == ["HttpOnly", "SameSite=Lax", "Path=/base", f"Max-Age={LIFETIME}"]
    assert (cookie.renewal({}, secure=True) or "").endswith("; Secure")
    owner = cookie.owner(sent_back(cookie, header))
    assert owner is not None
    assert cookie.owner(sent_back(cookie, header)) == owner
    assert cookie.owner(sent_back(cookie, cookie.renewal({}, secure=False))) != owner


def test_a_cookie_is_renewed_with_the_same_visitor_and_refused_when_it_has_expired() -> None:
    clock = Clock()
    cookie = VisitorCookie(SECRET, clock)
    cookies = sent_back(cookie, cookie.renewal({}, secure=False))
    owner = cookie.owner(cookies)
    clock.now += RENEWED_AFTER - 1
    assert cookie.renewal(cookies, secure=False) is None
    clock.now += 2
    renewed = sent_back(cookie, cookie.renewal(cookies, secure=False))
    assert (cookie.owner(renewed), renewed == cookies) == (owner, False)
    clock.now += LIFETIME + 1
    assert cookie.owner(renewed) is None
    assert cookie.owner(sent_back(cookie, cookie.renewal(renewed, secure=False))) not in (None, owner)
    clock.now -= 2 * LIFETIME
    assert cookie.owner(renewed) is None, "signed in the future"


@given(st.text(max_size=120) | st.builds(lambda text: f"{new_owner()}.{text}", st.text(max_size=40)))
def test_nothing_that_was_not_signed_here_is_accepted(value: str) -> None:
    cookie = VisitorCookie(SECRET)
    assert cookie.owner({cookie.name: value}) is None
    assert cookie.renewal({cookie.name: value}, secure=False) is not None


def test_a_signature_for_another_purpose_or_another_value_is_no_cookie() -> None:
    cookie = VisitorCookie(SECRET)
    owner = new_owner()
    signed = OwnerSigner(SECRET, "windowseat.visitor").sign(owner)
    assert cookie.owner({cookie.name: signed}) == owner
    for forged in (
        OwnerSigner(SECRET, "windowseat.program").sign(owner),
        OwnerSigner(SECRET + "x", "windowseat.visitor").sign(owner),
        OwnerSigner(SECRET, "windowseat.visitor").sign("program"),
        signed.replace("visitor-", "account-"),
        signed[:-1],
    ):
        assert cookie.owner({cookie.name: forged}) is None


def test_one_person_needs_no_cookie() -> None:
    assert People("one").of_page({}, CLAIMS, "other") == People("one").of_request({}, {}, "token") == THE_ONE


def test_a_visitor_without_a_cookie_is_somebody_new_on_a_page_and_a_program_in_a_request() -> None:
    people = People("visitors", VisitorCookie(SECRET), OwnerSigner(SECRET, "windowseat.program"))
    assert people.of_page({}, CLAIMS, "visitor-passing") == Person("visitors", "visitor-passing")
    assert people.of_request({}, {}) == Person("visitors", PROGRAM)


def test_a_token_makes_a_program_its_persons_and_never_an_admin() -> None:
    admins = frozenset({"42"})
    people = People("accounts", None, OwnerSigner(SECRET, "windowseat.program"), admins)
    anna = people.of_page({}, CLAIMS, "")
    assert anna.sees_all
    assert people.of_request({}, {}, people.token_of(anna)) == Person("accounts", anna.id)
    for wrong in ("x", people.token_of(anna)[:-2], OwnerSigner(SECRET, "windowseat.visitor").sign(anna.id)):
        with pytest.raises(NotYours):
            people.of_request({}, CLAIMS, wrong)


@pytest.mark.parametrize(
    ("claims", "admins", "is_admin"),
    [
        ({"email_verified": True}, {"anna@example.org"}, True),
        ({"email_verified": False}, {"anna@example.org"}, False),
        ({"email_verified": "true"}, {"anna@example.org"}, False),
        ({}, {"anna@example.org"}, False),
        ({}, {"42"}, True),
        ({}, set(), False),
        ({"email": "", "email_verified": True}, {"anna@example.org"}, False),
        ({"sub": "Anna@example.org"}, {"anna@example.org"}, False),
    ],
)
def test_an_admin_is_known_by_a_verified_address_or_by_the_providers_id(
    claims: Mapping[str, Any], admins: set[str], is_admin: bool
) -> None:
    person = person_of({**CLAIMS, **claims}, frozenset(admins))
    assert person is not None
    assert person.sees_all is is_admin


@pytest.mark.parametrize(
    "claims", [{}, {**CLAIMS, "is_logged_in": False}, {**CLAIMS, "sub": ""}, {**CLAIMS, "sub": 42}]
)
def test_nobody_is_logged_in_without_a_subject(claims: Mapping[str, Any]) -> None:
    assert person_of(claims, frozenset()) is None
    assert not People("accounts").of_page({}, claims, "").is_known


def test_the_same_subject_of_another_issuer_is_another_person() -> None:
    people = {person_of({**CLAIMS, "iss": issuer, "sub": sub}, frozenset()) for issuer in "ab" for sub in "cd"}
    assert len(people) == 4


def test_the_secret_is_kept_in_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    secret = cookie_secret(None, folder)
    assert len(secret) == 64
    assert cookie_secret(None, folder) == secret
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE]
    assert cookie_secret("configured", folder) == "configured"
    assert cookie_secret(None, None) != cookie_secret(None, None)


def test_where_no_secret_can_be_kept_it_lasts_as_long_as_the_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    assert len(cookie_secret(None, tmp_path / "file")) == 64
    assert "lose their chats" in caplog.text
    (tmp_path / FILE).write_text("short")
    assert cookie_secret(None, tmp_path) != "short"
