"""A small server on this machine that keeps conversations as OpenAI's and Anthropic's servers do.

It shows server-kept history without a key and without sending anything away, and lets our own adapters be tested
through the real SDKs. It speaks OpenAI's Assistants (which OpenAI has shut down), Responses and Conversations, and
Anthropic's message threads. A real model answers, and token counts are those that the model's server reports.

    server.py          ReplicaServer: starts and stops it
    asgi_app.py        HTTP: the key, the Host check, server-sent events
    http_values.py     requests, responses and ids, independent of any web framework
    errors.py          error responses as the vendors word them
    request_fields.py  reads and checks the fields of a request
    store.py           what it holds, in memory and bounded
    model.py           the model behind it: sends and counts
    reply.py           the model's reply as it streams
    asked_once.py      has equal requests answered alike
    truncation.py      drops messages until the rest fits
    openai/            Conversations, Responses, Assistants
    anthropic/         Messages, message threads
    drills.py          looks at what it holds, and makes it forget

It behaves as the vendor's server is known to, word for word where the wording is known. A field that would change the
answer is refused, never ignored. Every response carries LABEL. Tools, files, pictures, reasoning, background responses,
compaction and accounts are not supported. Nothing is written to disk. Any model name is accepted, and the one model
answers.
"""
