"""Conversations, planning problems, requests and reports for tests, many of them generated."""
