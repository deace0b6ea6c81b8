"""Windowseat's parts. What happens to one message, from the keyboard to the charts:

 prompt ─► HistoryStore.begin ─► plan_next(settings, marks, history, prompt, ledger) ─► ContextPlan
                                                                                            │
         screen ◄─ TextDelta… ◄───── Provider.stream(SentBody) ◄── Provider.prepare ◄───────┘
                                              │
 HistoryStore.commit(user, assistant, Turn), one atomic write ◄── Reply + Usage
                       │
               Turn(prompt, plan, reply, usage) ─► analysis ─► pages

Imports run downwards only, and no part needs itself (tests/test_architecture.py):

    messages, errors, tool_calls, settings      values, and nothing else
    outside_values                              checks of what comes from outside
    pricing, tokens                             what a model costs and holds; counting
    context                                     what a request could hold and will hold; the strategies
    request_rules, turns, stored_turns, chat_settings, planner
    providers, history                          vendors' SDKs and Redis, each behind a protocol
    analysis, chat, example, lab, replica       what pages and the API ask for
    server_history                              conversations that a server keeps
    ui                                          streamlit
"""
