"""Finds out who looks at this page."""

from __future__ import annotations

import streamlit as st

from lib.access import THE_ONE, Person
from lib.access.people import People
from lib.ui.shell import session


def of_this_page(people: People) -> Person:
    """The person whose browser session runs this script. In any thread if the installation has one person only."""
    if people.mode == "one":
        return THE_ONE
    claims = st.user.to_dict() if people.mode == "accounts" else {}
    return people.of_page(st.context.cookies, claims, session.passing_owner())
