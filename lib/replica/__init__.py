"""A small server on this machine that keeps conversations the way OpenAI and Anthropic do.

What for: to show server-kept history without a key and without sending anything away, and to test our own clients against
the real SDKs. It speaks OpenAI's Assistants (which OpenAI itself has shut down), Responses and Conversations, and Anthropic's
message threads. A real model answers behind it, and the token numbers are what that model's server reported.

    server.py         ReplicaServer: starts it, stops it
    web.py            HTTP: routes, the key, the Host check, server-sent events
    wire.py           requests, answers, refusals, ids and pages, without any web framework
    store.py          what it holds, in memory, bounded
    model.py          the model behind it: sending, counting
    fitting.py        leaving out messages until the rest fits
    items.py          Responses' and Conversations' items, and the chat messages made of them
    conversations.py  responses.py  response_events.py
    assistants.py  runs.py  running.py
    claude.py  claude_threads.py
    drills.py         looking at what it holds, and making it forget

The rule: it does what the vendor's server is known to do, word for word where the wording is known; it never drops a field
silently that would change an answer (tools and pictures are refused); every answer carries LABEL.

What it leaves out: tools, files, pictures, reasoning, background responses, compaction, prompt caches of its own, accounts,
and a disk: what it holds is gone with the process. Any model name is accepted, and the one model answers.
"""
