"""Runs llama.cpp with a model, as a child process of the app.

This file is run by its path and never imported by the app, so a native crash here cannot take the app down. It reads
its configuration as one JSON line from stdin, so that the API key is in no process list, and prints its address as
one JSON line on stdout. When stdin ends, the app is gone, and the process exits.

It listens on 127.0.0.1 only, requires its key, and lets no web page of another origin read an answer.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any


def main() -> None:
    """Serve until the app is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the app; exiting on it would crash here
    config = json.loads(sys.stdin.readline())
    threading.Thread(target=_exit_with_the_app, daemon=True).start()
    import xllamacpp  # type: ignore[import-untyped]  # it ships no types

    server = xllamacpp.Server(configure(xllamacpp.CommonParams(), config))
    sys.stdout.write(json.dumps({"url": server.listening_address}) + "\n")
    sys.stdout.flush()
    threading.Event().wait()


def configure(params: Any, config: dict[str, Any]) -> Any:
    """Set llama.cpp's parameters. `config` has model (a path), name, key, slots, slot_tokens and threads."""
    params.model.path = config["model"]
    params.model_alias = {config["name"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # any free port
    params.api_keys = [config["key"]]
    params.cors_origins = ""  # by default every origin is allowed; "null" would allow sandboxed frames and local files
    params.cors_origins_explicit = True
    params.cors_credentials = False
    params.n_parallel = config["slots"]
    params.n_ctx = config["slots"] * config["slot_tokens"]
    params.kv_unified = False  # each slot has its own context, so what fits does not depend on the other slots
    params.n_cache_reuse = 0  # shifting cached tokens would let the model see messages that were left out
    params.cache_ram_mib = 256
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config["threads"]
    params.offline = True
    params.ui = False
    params.verbosity = 0
    return params


def _exit_with_the_app() -> None:
    """Wait for the end of stdin, which comes even if the app is killed. A normal exit would crash during a reply."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
