"""Windowseat's parts. What happens to one message, from the keyboard to the charts:

 prompt ─► HistoryStore.begin ─► HistoryStore.load ─► plan_context(messages, window, strategy) ─► ContextPlan
                                                                                                    │
                    screen ◄─ TextDelta… ◄──────────── Provider.stream(plan.included) ◄─────────────┘
                                                            │
 HistoryStore.commit(user, assistant, Turn), one atomic write ◄── Reply + Usage
                       │
               Turn(prompt, plan, reply, usage) ─► pages

Imports run one way (tests/test_architecture.py keeps it so): messages, errors ← tokens, context ← trimming, turns ←
history, providers ← settings, chat ← ui ← pages, app. Only lib/ui, pages and app.py import streamlit; only history/
imports redis; only providers/ imports the vendors' SDKs.
"""
