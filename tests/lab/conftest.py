"""The one real model, as the tests of providers start it."""

from __future__ import annotations

from tests.providers.conftest import model

__all__ = ["model"]
