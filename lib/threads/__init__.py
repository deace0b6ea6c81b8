"""Conversations that a server keeps: the vendors' interfaces for it, and our own replica of them.

The rule: the SDKs may be imported here and in lib/providers, nowhere else.
"""
