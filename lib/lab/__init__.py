"""The computations of the trim lab: how one conversation fares under other budgets, strategies and models.

Everything is planned with the same `plan_context` as in the chat, and the conversation and its settings never change.
"""
