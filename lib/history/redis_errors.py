"""Translates redis-py's errors into ours, in plain words.

No error text ever holds a password. We use only the first word of a server's error, because some servers quote the
command they received.
"""

from __future__ import annotations

import socket
import ssl

import redis
from redis.exceptions import AuthorizationError, ClusterCrossSlotError, MovedError, RedisClusterException

from lib.errors import ChatError, CorruptHistory, HistoryUnavailable

REDIS_ERRORS = (redis.RedisError, RedisClusterException, OSError)
_NOT_THERE = (ConnectionRefusedError, FileNotFoundError, socket.gaierror, PermissionError)

_SERVER_CODES = {
    "NOAUTH": "wants a password, and none is configured",
    "WRONGPASS": "refused the password",
    "NOPERM": "does not let this user do what is needed",
    "LOADING": "is still loading its data",
    "OOM": "is out of memory and takes no more writes",
    "READONLY": "is a read-only replica",
    "MISCONF": "cannot save to its disk and takes no more writes",
    "CLUSTERDOWN": "is a cluster that is not complete",
    "MASTERDOWN": "has lost its primary",
    "BUSY": "is busy with another script",
    "MOVED": "is a cluster; WINDOWSEAT_REDIS_CLUSTER=1 is needed",
    "NOREPLICAS": "has too few replicas to take writes",
}
_REFUSED = "refused the user or password"
_NO_TLS = "could not be reached over TLS; it may not speak TLS at all"
_UNTRUSTED = "has a TLS certificate that this machine does not trust"
_UNKNOWN_HOST = "has a host name that is not known"
_CLOSED = "closed the connection"

_ADDRESS = "Correct REDIS_URL and start the app again. If the server changes instead, the page goes on by itself."
_NEXT_STEPS = {
    _SERVER_CODES["NOAUTH"]: _ADDRESS,
    _SERVER_CODES["WRONGPASS"]: _ADDRESS,
    _SERVER_CODES["OOM"]: "Give it more memory, or delete chats. The page goes on by itself when it has room again.",
    _SERVER_CODES["READONLY"]: "Wait for a fail-over to end, or let REDIS_URL name the primary. Then send it again.",
    _REFUSED: _ADDRESS,
    _NO_TLS: _ADDRESS,
    _UNTRUSTED: "Let ?ssl_ca_certs= in REDIS_URL name the file of its authority, and start the app again.",
    _UNKNOWN_HOST: _ADDRESS,
    _CLOSED: "The page keeps trying and goes on by itself. A server with TLS needs rediss:// in REDIS_URL.",
}
"""What to do where waiting alone may not help."""


def broke_off(exc: Exception) -> bool:
    """Whether an open connection was lost, as after a restart. A new connection may work at once."""
    connection_error = isinstance(exc, redis.ConnectionError) and not isinstance(
        exc, (redis.AuthenticationError, AuthorizationError, redis.BusyLoadingError)
    )
    return connection_error and not isinstance(_root(exc), _NOT_THERE)


def not_there(exc: Exception) -> bool:
    """Whether no server listens at the address."""
    return isinstance(_root(exc), _NOT_THERE)


def crosses_slots(exc: BaseException | None) -> bool:
    """Whether a cluster refused a command because its keys are in several slots. redis-py has no type for that."""
    return isinstance(exc, ClusterCrossSlotError) or (
        isinstance(exc, RedisClusterException) and "same key slot" in str(exc)
    )


def translated(exc: Exception) -> ChatError:
    """The ChatError for one of redis-py's errors."""
    text = str(exc)
    if "WRONGTYPE" in text:
        return CorruptHistory("A key of this session is of a type that Windowseat does not write.", where="key type")
    happened = _what_happened(exc, text)
    return HistoryUnavailable(f"The history store {happened}.", next_step=_NEXT_STEPS.get(happened))


def _what_happened(exc: Exception, text: str) -> str:
    root = _root(exc)
    code = next((code for code in text.split()[:1] if code in _SERVER_CODES), None)
    if code is not None:
        return _SERVER_CODES[code]
    if "Authentication required" in text or "unauthenticated" in text:
        return _SERVER_CODES["NOAUTH"]
    if isinstance(exc, redis.BusyLoadingError):
        return _SERVER_CODES["LOADING"]
    if isinstance(exc, redis.OutOfMemoryError) or "OOM command not allowed" in text:
        return _SERVER_CODES["OOM"]
    if isinstance(exc, redis.ReadOnlyError):
        return _SERVER_CODES["READONLY"]
    if isinstance(exc, (redis.AuthenticationError, AuthorizationError)) or "AUTH" in text.split(" ", 2)[:2]:
        return _REFUSED
    if isinstance(root, ssl.SSLCertVerificationError):
        return _UNTRUSTED
    if isinstance(root, ssl.SSLError) or "handshake" in str(root):  # a server without TLS may just wait for more
        return _NO_TLS
    if isinstance(exc, (redis.TimeoutError, TimeoutError)):
        return "did not answer in time"
    if isinstance(exc, MovedError):
        return _SERVER_CODES["MOVED"]
    if isinstance(root, ConnectionRefusedError):
        return "is not running (the connection was refused)"
    if isinstance(root, FileNotFoundError):
        return "is not running (its socket is not there)"
    if isinstance(root, socket.gaierror):
        return _UNKNOWN_HOST
    if isinstance(exc, RedisClusterException):
        return "is a cluster that is not reached"
    if isinstance(exc, (redis.ConnectionError, OSError)):
        return _CLOSED
    return f"answered with an error ({type(exc).__name__})"


def _root(exc: BaseException) -> BaseException:
    """The OSError that redis-py wrapped, or the error itself. Does not look behind our own errors."""
    cause: BaseException | None = exc
    while cause is not None and not isinstance(cause, ChatError):
        if isinstance(cause, OSError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return exc
