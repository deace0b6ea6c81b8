"""Faults of the Redis server: it hangs, dies, is full, forgets, refuses to write or refuses us."""

from __future__ import annotations

import signal

from tests.faults.drawn import all_pages
from tests.faults.fault import fault
from tests.faults.stage import SESSION, Stage
from tests.support.servers.redis_servers import free_port

APPEND_ONLY = ("--appendonly", "yes", "--appendfsync", "everysec")
SECRET = "correct-horse"


@fault("Redis hangs in the middle of a reply (SIGSTOP), then goes on (SIGCONT)", slow=True)
def hangs(stage: Stage) -> None:
    live = stage.begin("third")
    stage.server.kill(signal.SIGSTOP)
    stage.end_of_reply(live)
    stage.until_waiting(live)
    stage.look()
    stage.server.resume()
    stage.settle(live)


@fault(
    "Redis is killed (`kill -9`) in the middle of a reply, then started again from its append-only file", *APPEND_ONLY
)
def killed(stage: Stage) -> None:
    live = stage.begin("third")
    stage.server.kill()
    stage.end_of_reply(live)
    stage.until_waiting(live)
    stage.look()
    stage.draw()
    stage.server.start()
    stage.settle(live)


@fault("Redis is down when a message is sent, and started again from its append-only file", *APPEND_ONLY)
def down(stage: Stage) -> None:
    stage.server.kill()
    stage.type("third")
    stage.server.start()
    stage.again("third")


@fault("Redis is full (`maxmemory` with `noeviction`) before a reply is finished, then has room again", slow=True)
def full(stage: Stage) -> None:
    live = stage.begin("third")
    with stage.server.client() as client:
        client.config_set("maxmemory", 1)
        stage.end_of_reply(live)
        stage.until_waiting(live)
        stage.draw()
        stage.attempt(lambda: stage.app.store.save_settings(SESSION, stage.settings.to_dict()))
        client.config_set("maxmemory", 0)
    stage.settle(live)


@fault("Redis is full (`noeviction`) when a message is sent, then has room again")
def full_before(stage: Stage) -> None:
    with stage.server.client() as client:
        client.config_set("maxmemory", 1)
        stage.type("third")
        client.config_set("maxmemory", 0)
    stage.again("third")


@fault("Redis is full and deletes chats (`allkeys-lru`), also the one that is being answered", destroys=True, slow=True)
def evicting(stage: Stage) -> None:
    with stage.server.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 4_000_000)
        stage.draw()
        live = stage.begin("third")
        number = 0
        while client.exists(f"chat:{SESSION}"):
            client.set(f"another service's key {number}", b"x" * 50_000)
            number += 1
    stage.end_of_reply(live)
    stage.settle(live)
    stage.draw(paths=all_pages())  # turns may be left whose messages are gone


@fault("Redis becomes a read-only replica before a reply is finished, then a primary again")
def replica(stage: Stage) -> None:
    live = stage.begin("third")
    with stage.server.client() as client:
        client.replicaof("127.0.0.1", free_port())
        stage.end_of_reply(live)
        stage.until_waiting(live)
        stage.attempt(lambda: stage.app.store.save_settings(SESSION, stage.settings.to_dict()))
        client.replicaof("NO", "ONE")
    stage.settle(live)


@fault("The password in `REDIS_URL` is wrong, then the server gets this password")
def wrong_password(stage: Stage) -> None:
    url = f"unix://:{SECRET}@{stage.server.socket}"
    with stage.server.client() as client:
        client.config_set("requirepass", f"{SECRET}-of-old")
        stage.restart_app(url)
        stage.type("third", url)
        client.config_set("requirepass", SECRET)
    stage.server.password = SECRET
    stage.again("third")


@fault("Everything in Redis is deleted (`FLUSHALL`) in the middle of a reply", destroys=True)
def flushed(stage: Stage) -> None:
    live = stage.begin("third")
    with stage.server.client() as client:
        client.flushall()
    stage.end_of_reply(live)
    stage.settle(live)
