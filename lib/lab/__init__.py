"""The trim lab's computing half: what becomes of one conversation under other budgets, strategies and models.

The rule: a lab looks and never writes: neither the conversation nor its settings change, and nothing is sent to a provider
but what was planned, priced and asked for. It decides with the same `plan_context` as the chat does.
It leaves out drawing (lib/ui/) and answers that nobody asked a model for.
"""
