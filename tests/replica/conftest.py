"""The replica's tests run on the rig of the tests for server-kept history."""

from tests.server_history.conftest import behind, model, replay, rig, routes, words  # noqa: F401 - fixtures
