"""People: finds out who is asking, from the cookies of a request or from the claims of a login."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.access import THE_ONE, Mode, Person, mode_of
from lib.access.secret import cookie_secret
from lib.access.signer import OwnerSigner
from lib.access.visitor_cookie import VisitorCookie
from lib.errors import NotYours
from lib.settings import Settings

PROGRAM = "program"
"""The owner of sessions that programs begin over HTTP without a visitor's cookie or a login."""
PERSON_HEADER = "x-windowseat-person"
"""The header in which a person's own programs say whose they are."""
LONGEST_NAME = 60
"""Characters of a name that is shown."""


@dataclass(frozen=True, slots=True)
class People:
    """The people of this installation. `cookie` is None unless they are visitors; `admins` are in lower case."""

    mode: Mode
    cookie: VisitorCookie | None = None
    tokens: OwnerSigner | None = None
    """Signs what a person's own programs send, to be known as theirs; None for one person."""
    admins: frozenset[str] = frozenset()

    def of_page(self, cookies: Mapping[str, str], claims: Mapping[str, Any], otherwise: str) -> Person:
        """Who looks at a page. A visitor whose browser keeps no cookie is `otherwise`, an id that no one else has."""
        if self.mode == "one":
            return THE_ONE
        if self.mode == "accounts":
            return person_of(claims, self.admins) or Person("accounts")
        return Person("visitors", self._visitor(cookies) or otherwise)

    def of_request(self, cookies: Mapping[str, str], claims: Mapping[str, Any], token: str = "") -> Person:
        """Who sent a request that was allowed in: the person whose token it carries, else the one whose cookies it
        carries, else a program. A token does not make an admin. Raises NotYours for a token that cannot be used.
        """
        if self.mode == "one":
            return THE_ONE
        if token:
            return self._of_token(token)
        visitor = self._visitor(cookies)
        known = Person("visitors", visitor) if visitor else person_of(claims, self.admins)
        return known or Person(self.mode, PROGRAM)

    def token_of(self, person: Person) -> str:
        """What this person's programs send to be known as theirs. Empty where nobody needs that."""
        return self.tokens.sign(person.id) if self.tokens is not None and person.id else ""

    def _of_token(self, token: str) -> Person:
        owner, _ = self.tokens.read(token) if self.tokens is not None else (None, 0.0)
        if owner is None:
            raise NotYours(
                "The token that says whose request this is cannot be used: it is wrong, or has expired.",
                next_step="Copy it again from the page “Record your app”.",
            )
        return Person(self.mode, owner)

    def _visitor(self, cookies: Mapping[str, str]) -> str | None:
        return self.cookie.owner(cookies) if self.cookie is not None else None


def open_people(settings: Settings, address: str | None, streamlits_secret: str | None) -> People:
    """The people of an installation that is reached at this address. Raises InvalidSettings.

    Cookies are signed with the secret that is set, else Streamlit's, else one that is kept with the data.
    """
    chosen = settings.people
    mode = mode_of(chosen.mode, address, chosen.has_login)
    if mode == "one":
        return People(mode)
    folder = None if settings.store == "memory" else settings.data_dir
    secret = cookie_secret(chosen.cookie_secret or streamlits_secret, folder)
    cookie = VisitorCookie(secret) if mode == "visitors" else None
    return People(mode, cookie, OwnerSigner(secret, "windowseat.program"), chosen.admins)


def person_of(claims: Mapping[str, Any], admins: frozenset[str]) -> Person | None:
    """The person that an OpenID provider vouches for; None if nobody is logged in.

    They are known by issuer and subject together, which a provider never gives to anybody else. An e-mail address only
    makes an admin if the provider says that it is verified, because some providers let people type any address, also
    as the name by which the provider knows them.
    """
    subject, issuer = claims.get("sub"), claims.get("iss")
    if claims.get("is_logged_in") is not True or not isinstance(subject, str) or not subject:
        return None
    digest = hashlib.sha256(json.dumps([issuer, subject]).encode()).hexdigest()[:32]
    email = str(claims.get("email") or "")
    names = {email.lower() if claims.get("email_verified") is True else "", "" if "@" in subject else subject.lower()}
    name = str(claims.get("name") or email or "Logged in")[:LONGEST_NAME]
    return Person("accounts", f"account-{digest}", name, sees_all=not admins.isdisjoint(names - {""}))
