"""Network and server faults: every call ends on time and as documented, and no failure goes unreported."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import pytest

from healthchecks_io import (
    BadAPIRequestError,
    Check,
    CheckNotFoundError,
    HCAPIAuthError,
    HCAPIError,
    HCAPIRateLimitError,
    HCAPIUnavailableError,
    NonUniqueSlugError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.conftest import LossRecorder, Outcome, Trials, Wire

Ending: TypeAlias = "type[HCAPIError] | Literal['returns', 'returns failure']"
"""How a call ends. Ping methods report an unrecognized response in their result instead of raising an exception."""


@dataclass(frozen=True)
class Fault:
    """A server fault, and how a call ends if the fault affects every attempt."""

    name: str
    act: Callable[[Wire], object]
    ping: Ending = HCAPIUnavailableError
    management: Ending = HCAPIUnavailableError
    is_transient: bool = False
    """Whether another attempt may succeed."""
    is_unprocessed: bool = False
    """Whether the client can be sure that the server has not processed the request."""
    is_repairable: bool = True
    unreachable: Literal["", "refused", "backlog full", "no such host"] = ""
    scheme: Literal["http", "https"] = "http"
    certificate: Literal["", "valid", "untrusted", "expired", "other host"] = ""
    is_slow: bool = False
    """Whether the client's timeout ends the attempt."""
    retry_after: float = 0.0

    @property
    def can_recover(self) -> bool:
        return self.is_transient and self.is_repairable

    def ending_of(self, call: str) -> Ending:
        return self.ping if call == "ping" else self.management


def no_valid_response(name: str, act: Callable[[Wire], object], *, is_slow: bool = False) -> Fault:
    """Return a fault that yields no valid response although the server may have processed the request."""
    return Fault(name, act, is_transient=True, is_slow=is_slow)


def no_connection(
    name: str,
    act: Callable[[Wire], object],
    *,
    unreachable: Literal["", "refused", "backlog full", "no such host"] = "",
    scheme: Literal["http", "https"] = "http",
    certificate: Literal["", "valid", "untrusted", "expired", "other host"] = "",
    is_slow: bool = False,
) -> Fault:
    """Return a fault that prevents the client from connecting, so that no request is processed."""
    return Fault(
        name,
        act,
        is_transient=True,
        is_unprocessed=True,
        is_repairable=unreachable != "no such host",
        unreachable=unreachable,
        scheme=scheme,
        certificate=certificate,
        is_slow=is_slow,
    )


def responds(name: str, response: bytes, ping: Ending, management: Ending) -> Fault:
    """Return a fault that sends an invalid or unusual response, which a retry would not change."""
    return Fault(name, _respond_with(response), ping, management)


def _respond_with(response: bytes) -> Callable[[Wire], object]:
    def act(wire: Wire) -> None:
        wire.read_request()
        wire.send(response)

    return act


def _ok(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _head(*headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Connection: close", *headers]) + b"\r\n"


def _valid_response(*headers: bytes, length: bytes = b"Content-Length: %d") -> Callable[[Wire], object]:
    """Return a function that sends a valid response with unusual headers."""

    def act(wire: Wire) -> None:
        body = wire.server.valid_response(wire.read_request()).partition(b"\r\n\r\n")[2]
        lines = [length % len(body)] if b"%d" in length else [length]
        wire.send(_head(*lines, *headers) + b"\r\n" + body)

    return act


def _chunked(chunks: bytes) -> bytes:
    return _head(b"Transfer-Encoding: chunked") + b"\r\n" + chunks


def _after_request(*parts: bytes, then: Callable[[Wire], object] = lambda _: None) -> Callable[[Wire], object]:
    def act(wire: Wire) -> None:
        wire.read_request()
        for part in parts:
            wire.send(part)
        then(wire)

    return act


def _reset(wire: Wire) -> None:
    # Wait for earlier data to arrive: a reset discards data in flight.
    wire.pause(0.02)
    wire.reset()


def _stay_silent(wire: Wire) -> None:
    wire.stay_silent()


def _close(_: Wire) -> None:
    """Return immediately: the server then closes the connection."""


def _plain_http_response(wire: Wire) -> None:
    wire.connection.recv(65536)
    wire.send(_ok(b"plain HTTP request sent to an HTTPS port", status=b"400 Bad Request"))


def _reset_during_handshake(wire: Wire) -> None:
    wire.connection.recv(65536)
    wire.reset()


def _drip_forever(data: bytes, *prefix: bytes) -> Callable[[Wire], object]:
    return _after_request(*prefix, then=lambda wire: wire.send_forever(data, 0.05))


def _endless(data: bytes, *prefix: bytes) -> Callable[[Wire], object]:
    return _after_request(*prefix, then=lambda wire: wire.send_forever(data, 0.01))


def _respond_early(wire: Wire) -> None:
    wire.send(_ok(b"OK"))
    wire.read_request()


HEADERS = _head(b"Content-Length: 1000") + b"\r\n"
CONNECTING = [
    no_connection("connection refused", _close, unreachable="refused"),
    no_connection("listen backlog full", _close, unreachable="backlog full", is_slow=True),
    no_connection("host name does not resolve", _close, unreachable="no such host"),
    no_connection("https: server speaks plain HTTP", _plain_http_response, scheme="https"),
    no_connection("https: no response to the handshake", _stay_silent, scheme="https", is_slow=True),
    no_connection("https: closed during the handshake", _close, scheme="https"),
    no_connection("https: reset during the handshake", _reset_during_handshake, scheme="https"),
    no_connection("https: untrusted certificate", _stay_silent, scheme="https", certificate="untrusted"),
    no_connection("https: expired certificate", _stay_silent, scheme="https", certificate="expired"),
    no_connection("https: certificate for another host", _stay_silent, scheme="https", certificate="other host"),
    Fault("http: server expects TLS", _stay_silent, is_transient=True, certificate="valid"),
    Fault(
        "https: reset during the body",
        _after_request(HEADERS, b"O", then=_reset),
        is_transient=True,
        scheme="https",
        certificate="valid",
    ),
]
INTERRUPTED = [
    no_valid_response("closed immediately after accept", _close),
    no_valid_response("reset before reading the request", _reset),
    no_valid_response("reset after the request", _after_request(then=_reset)),
    no_valid_response("reset during the status line", _after_request(b"HTTP/1.1 20", then=_reset)),
    no_valid_response("reset after the status line", _after_request(b"HTTP/1.1 200 OK\r\n", then=_reset)),
    no_valid_response("reset after the headers", _after_request(HEADERS, then=_reset)),
    no_valid_response("reset during the body", _after_request(HEADERS, b"OK", then=_reset)),
    no_valid_response("closed after the request", _after_request(then=_close)),
    no_valid_response("closed during the status line", _after_request(b"HTTP/1.1 20", then=_close)),
    no_valid_response("closed during the headers", _after_request(_head(b"Content-Len"), then=_close)),
    no_valid_response("closed after the headers", _after_request(HEADERS, then=_close)),
    no_valid_response("closed during the body", _after_request(HEADERS, b"OK", then=_close)),
    no_valid_response("closed after a 100 response", _after_request(b"HTTP/1.1 100 Continue\r\n\r\n", then=_close)),
]
SLOW = [
    no_valid_response("stalled before reading the request", _stay_silent, is_slow=True),
    no_valid_response("stalled after the request", _after_request(then=_stay_silent), is_slow=True),
    no_valid_response(
        "stalled during the status line", _after_request(b"HTTP/1.1 20", then=_stay_silent), is_slow=True
    ),
    no_valid_response(
        "stalled after the status line", _after_request(b"HTTP/1.1 200 OK\r\n", then=_stay_silent), is_slow=True
    ),
    no_valid_response("stalled after the headers", _after_request(HEADERS, then=_stay_silent), is_slow=True),
    no_valid_response("stalled during the body", _after_request(HEADERS, b"OK", then=_stay_silent), is_slow=True),
    no_valid_response("dripping status line", _drip_forever(b"O", b"HTTP/1.1 200 "), is_slow=True),
    no_valid_response("dripping headers", _drip_forever(b"x", b"HTTP/1.1 200 OK\r\nX-Header: "), is_slow=True),
    no_valid_response("dripping body", _drip_forever(b"O", HEADERS), is_slow=True),
    no_valid_response("dripping chunks", _drip_forever(b"1\r\nO\r\n", _chunked(b"")), is_slow=True),
    no_valid_response(
        "dripping valid response",
        lambda wire: wire.send_bytewise(wire.server.valid_response(wire.read_request())),
        is_slow=True,
    ),
]
ENDLESS = [
    no_valid_response("dripping 100 responses", _drip_forever(b"HTTP/1.1 100 Continue\r\n\r\n"), is_slow=True),
    no_valid_response("endless 100 responses", _endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 10), is_slow=True),
    no_valid_response(
        "endless 103 responses", _endless(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 10), is_slow=True
    ),
    no_valid_response("endless headers", _endless(b"X-Header: y\r\n" * 1000, b"HTTP/1.1 200 OK\r\n")),
    no_valid_response("endless header", _endless(b"x" * 10_000, b"HTTP/1.1 200 OK\r\nX-Header: ")),
    no_valid_response("endless status line", _endless(b"x" * 10_000, b"HTTP/1.1 200 ")),
    Fault(
        "endless body",
        _endless(b"x" * 100_000, _head(b"Content-Length: 100000000000") + b"\r\n"),
        ping=HCAPIError,
        is_transient=False,
        is_slow=True,
    ),
    Fault(
        "endless chunks",
        _endless(b"186a0\r\n" + b"x" * 100_000 + b"\r\n", _chunked(b"")),
        ping=HCAPIError,
        is_transient=False,
        is_slow=True,
    ),
    Fault(
        "endless body without Content-Length",
        _endless(b"x" * 100_000, _head() + b"\r\n"),
        ping=HCAPIError,
        is_slow=True,
    ),
    responds("body too long for a ping", _ok(b"x" * 70_000), HCAPIError, HCAPIError),
]
LENGTHS = [
    no_valid_response("Content-Length too large", _after_request(_head(b"Content-Length: 3") + b"\r\nOK")),
    responds("Content-Length too small", _head(b"Content-Length: 1") + b"\r\nOK", "returns failure", HCAPIError),
    no_valid_response("negative Content-Length", _after_request(_head(b"Content-Length: -2") + b"\r\nOK")),
    no_valid_response("non-numeric Content-Length", _after_request(_head(b"Content-Length: two") + b"\r\nOK")),
    no_valid_response("empty Content-Length", _after_request(_head(b"Content-Length: ") + b"\r\nOK")),
    no_valid_response(
        "Content-Length with 5,000 digits", _after_request(_head(b"Content-Length: " + b"9" * 5000) + b"\r\nOK")
    ),
    no_valid_response(
        "conflicting Content-Length headers",
        _after_request(_head(b"Content-Length: 2", b"Content-Length: 3") + b"\r\nOK"),
    ),
    Fault("no Content-Length", _valid_response(length=b"X-Length: none"), "returns", "returns"),
]
CHUNKS = [
    no_valid_response("chunked: closed before the first chunk", _after_request(_chunked(b""))),
    no_valid_response("chunked: closed during the chunk size", _after_request(_chunked(b"2"))),
    no_valid_response("chunked: closed during a chunk", _after_request(_chunked(b"5\r\nOK"))),
    no_valid_response("chunked: closed before the last chunk", _after_request(_chunked(b"2\r\nOK\r\n"))),
    no_valid_response("chunked: closed during the trailer", _after_request(_chunked(b"2\r\nOK\r\n0\r\nX-Trai"))),
    no_valid_response("chunked: non-numeric chunk size", _after_request(_chunked(b"two\r\nOK\r\n0\r\n\r\n"))),
    no_valid_response("chunked: negative chunk size", _after_request(_chunked(b"-2\r\nOK\r\n0\r\n\r\n"))),
    no_valid_response("chunked: huge chunk size", _after_request(_chunked(b"f" * 100 + b"\r\nOK\r\n0\r\n\r\n"))),
    no_valid_response("chunked: huge chunk extension", _after_request(_chunked(b"2;" + b"x" * 200_000))),
    no_valid_response("chunked: chunk longer than its size", _after_request(_chunked(b"1\r\nOK\r\n0\r\n\r\n"))),
    no_valid_response("chunked: chunk without a line break", _after_request(_chunked(b"2\r\nOK0\r\n\r\n"))),
    no_valid_response("chunked: invalid trailer", _after_request(_chunked(b"2\r\nOK\r\n0\r\n\0\0\r\n\r\n"))),
    no_valid_response("unknown transfer coding", _after_request(_head(b"Transfer-Encoding: br") + b"\r\nOK")),
    no_valid_response(
        "compressed transfer coding", _after_request(_head(b"Transfer-Encoding: gzip, chunked") + b"\r\nOK")
    ),
]
NOT_HTTP = [
    no_valid_response("garbage instead of HTTP", _after_request(bytes(range(256)) + b"\r\n\r\n")),
    no_valid_response("null bytes instead of HTTP", _after_request(bytes(1000))),
    no_valid_response("SSH greeting", _after_request(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n")),
    no_valid_response("HTTP/2 frames", _after_request(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64")),
    no_valid_response("HTTP/0.9 response", _after_request(b"OK")),
    no_valid_response("another protocol in the status line", _after_request(_ok(b"OK").replace(b"HTTP/1.1", b"ICY"))),
    no_valid_response("status 101", _after_request(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")),
    no_valid_response("status 99", _after_request(_ok(b"OK", status=b"99 Unknown"))),
    no_valid_response("status 099", _after_request(_ok(b"OK", status=b"099 Unknown"))),
    no_valid_response("status 000", _after_request(_ok(b"OK", status=b"000 Unknown"))),
    no_valid_response("status 1000", _after_request(_ok(b"OK", status=b"1000 Unknown"))),
    no_valid_response("status -200", _after_request(_ok(b"OK", status=b"-200 Unknown"))),
    no_valid_response("status abc", _after_request(_ok(b"OK", status=b"abc Unknown"))),
    no_valid_response("missing status", _after_request(_ok(b"OK", status=b""))),
    no_valid_response("huge header", _after_request(_ok(b"OK", b"X-Header: " + b"x" * 200_000))),
    no_valid_response("null bytes in a header value", _after_request(_ok(b"OK", b"X-Header: a\0b"))),
    no_valid_response("null bytes in a header name", _after_request(_ok(b"OK", b"X-\0: a"))),
    no_valid_response("invalid characters in a header name", _after_request(_ok(b"OK", b"X Header\xff: a"))),
    no_valid_response("header without a name", _after_request(_ok(b"OK", b": a"))),
    no_valid_response("header without a colon", _after_request(_ok(b"OK", b"X-Header"))),
]
UNUSUAL = [
    Fault("undecodable bytes in a header value", _valid_response(b"X-Header: \xff\xfe"), "returns", "returns"),
    Fault("folded header", _valid_response(b"X-Header: a\r\n b"), "returns", "returns"),
    Fault("malformed cookies", _valid_response(b"Set-Cookie: \xff=;;=\x80; expires=never"), "returns", "returns"),
    Fault("malformed Content-Type", _valid_response(b"Content-Type: ;;=\xff; charset=;"), "returns", "returns"),
    Fault(
        "charset that is not a text encoding",
        _valid_response(b"Content-Type: text/plain; charset=zlib"),
        "returns",
        "returns",
    ),
    Fault("unknown charset", _valid_response(b"Content-Type: text/plain; charset=utf-99"), "returns", "returns"),
    Fault("wrong charset", _valid_response(b"Content-Type: text/plain; charset=utf-16"), "returns", "returns"),
    Fault(
        "100 response before the final response",
        _after_request(b"HTTP/1.1 100 Continue\r\n\r\n", then=lambda wire: wire.send(_ok(b"OK"))),
        "returns",
        HCAPIError,
    ),
    Fault("response before the request", _respond_early, "returns", HCAPIError),
    responds("outdated HTTP version", _ok(b"OK").replace(b"/1.1", b"/0.9"), "returns", HCAPIError),
    responds("nonexistent HTTP version", _ok(b"OK").replace(b"/1.1", b"/9.9"), "returns", HCAPIError),
    no_valid_response("non-numeric HTTP version", _after_request(_ok(b"OK").replace(b"/1.1", b"/x.y"))),
    responds("two responses", _ok(b"OK") * 2, "returns", HCAPIError),
]
BODIES = [
    responds("compressed body", _ok(gzip.compress(b"OK"), b"Content-Encoding: gzip"), HCAPIError, HCAPIError),
    responds(
        "decompression bomb",
        _ok(gzip.compress(bytes(50_000_000), 1), b"Content-Encoding: gzip"),
        HCAPIError,
        HCAPIError,
    ),
    responds(
        "uncompressed body with Content-Encoding: gzip", _ok(b"OK", b"Content-Encoding: gzip"), HCAPIError, HCAPIError
    ),
    responds("unknown Content-Encoding", _ok(b"OK", b"Content-Encoding: x-secret"), HCAPIError, HCAPIError),
    responds("two content encodings", _ok(b"OK", b"Content-Encoding: identity, br"), HCAPIError, HCAPIError),
    responds("body that is not UTF-8", _ok(b'{"checks":[],"x":"\xff"}'), "returns failure", HCAPIError),
    responds("UTF-16 body", _ok('{"checks":[]}'.encode("utf-16")), "returns failure", HCAPIError),
    responds("body with a byte order mark", _ok(b"\xef\xbb\xbfOK"), "returns failure", HCAPIError),
    responds("lone surrogates", _ok(b'{"checks":[{"name":"\\ud800"}]}'), "returns failure", HCAPIError),
    responds(
        "surrogates encoded as bytes", _ok(b'{"checks":[{"name":"\xed\xa0\x80"}]}'), "returns failure", HCAPIError
    ),
    responds("unexpected JSON", _ok(b'{"check":[]}'), "returns failure", HCAPIError),
    responds("truncated JSON", _ok(b'{"checks":['), "returns failure", HCAPIError),
    responds("deeply nested JSON", _ok(b'{"checks":' + b"[" * 60_000), "returns failure", HCAPIError),
    responds("number with 60,000 digits", _ok(b'{"checks":' + b"9" * 60_000 + b"}"), "returns failure", HCAPIError),
    responds("empty body", _ok(b""), "returns failure", HCAPIError),
    responds("HTML body", _ok(b"<!doctype html><h1>Sign in to the Wi-Fi</h1>"), "returns failure", HCAPIError),
    responds("ping response: not found", _ok(b"OK (not found)"), CheckNotFoundError, HCAPIError),
    responds("ping response: rate limited", _ok(b"OK (rate limited)"), HCAPIRateLimitError, HCAPIError),
]


def _status(status: int, *headers: bytes) -> Callable[[Wire], object]:
    return _respond_with(_ok(b"error", *headers, status=b"%d Reason" % status))


STATUSES = [
    responds("status 204", b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", HCAPIError, HCAPIError),
    responds("status 304", b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", HCAPIError, HCAPIError),
    Fault("status 400", _status(400), BadAPIRequestError, BadAPIRequestError),
    Fault("status 401", _status(401), HCAPIAuthError, HCAPIAuthError),
    Fault("status 403", _status(403), HCAPIAuthError, HCAPIAuthError),
    Fault("status 404", _status(404), CheckNotFoundError, CheckNotFoundError),
    Fault("status 405", _status(405), HCAPIError, HCAPIError),
    Fault("status 408", _status(408), is_transient=True),
    Fault("status 409", _status(409), NonUniqueSlugError, HCAPIError),
    Fault("status 418", _status(418), HCAPIError, HCAPIError),
    Fault("status 500", _status(500), is_transient=True),
    Fault("status 501", _status(501)),
    Fault("status 502", _status(502), is_transient=True),
    Fault("status 503", _status(503), is_transient=True),
    Fault("status 503, with Retry-After: 0", _status(503, b"Retry-After: 0"), is_transient=True),
    Fault("status 503, with Retry-After: 3600", _status(503, b"Retry-After: 3600")),
    Fault("status 504", _status(504), is_transient=True),
    Fault("status 599", _status(599)),
    Fault("status 999", _status(999), HCAPIError, HCAPIError),
]


def _rate_limited(name: str, *headers: bytes, is_transient: bool = True, retry_after: float = 0.0) -> Fault:
    return Fault(
        name,
        _status(429, *headers),
        HCAPIRateLimitError,
        HCAPIRateLimitError,
        is_transient=is_transient,
        is_unprocessed=True,
        retry_after=retry_after,
    )


RATE_LIMITS = [
    _rate_limited("status 429"),
    _rate_limited("status 429, with Retry-After: 0", b"Retry-After: 0"),
    _rate_limited("status 429, with Retry-After: 1", b"Retry-After: 1", retry_after=1.0),
    _rate_limited("status 429, with Retry-After: -1", b"Retry-After: -1"),
    _rate_limited("status 429, with malformed Retry-After", b"Retry-After: \xff soon"),
    _rate_limited("status 429, with Retry-After: nan", b"Retry-After: nan"),
    _rate_limited("status 429, with Retry-After in the past", b"Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"),
    _rate_limited("status 429, with Retry-After: 3600", b"Retry-After: 3600", is_transient=False),
    _rate_limited(
        "status 429, with Retry-After in the distant future",
        b"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",
        is_transient=False,
    ),
    _rate_limited("status 429, with Retry-After: 1e300", b"Retry-After: 1e300", is_transient=False),
]
REDIRECTS = [
    *(
        Fault(f"status {status}", _status(status, b"Location: https://new.example/"), HCAPIError, HCAPIError)
        for status in (301, 302, 303, 307, 308)
    ),
    Fault("redirect without Location", _status(302), HCAPIError, HCAPIError),
    Fault("redirect with empty Location", _status(302, b"Location: "), HCAPIError, HCAPIError),
    Fault("redirect to an invalid port", _status(302, b"Location: http://x:99999999/"), HCAPIError, HCAPIError),
    Fault("redirect to a truncated IPv6 address", _status(302, b"Location: http://["), HCAPIError, HCAPIError),
    Fault("redirect to an undecodable host name", _status(302, b"Location: http://\xff/"), HCAPIError, HCAPIError),
    Fault("redirect to an unknown scheme", _status(302, b"Location: x-y:z"), HCAPIError, HCAPIError),
    Fault(
        "redirect to an invalid IDNA host name", _status(302, b"Location: http://xn--\xc3\xa9/"), HCAPIError, HCAPIError
    ),
]

GROUPS = [
    CONNECTING,
    INTERRUPTED,
    SLOW,
    ENDLESS,
    LENGTHS,
    CHUNKS,
    NOT_HTTP,
    UNUSUAL,
    BODIES,
    STATUSES,
    RATE_LIMITS,
    REDIRECTS,
]
FAULTS = [fault for group in GROUPS for fault in group]
RECOVERABLE = [fault for fault in FAULTS if fault.can_recover]

each_client = pytest.mark.parametrize("client", ["sync", "async"])
each_call = pytest.mark.parametrize("call", ["ping", "management"])


def each_fault(faults: list[Fault]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", faults, ids=[fault.name for fault in faults])


@pytest.fixture
def group_trials(trials: Trials, fault: Fault) -> Trials:
    """The trials of the whole group of faults that this one belongs to, run together to save time."""
    trials.run_all(next(group for group in GROUPS if fault in group))
    return trials


def _ending(outcome: Outcome) -> object:
    if outcome.error is not None:
        return type(outcome.error)
    return "returns failure" if getattr(outcome.result, "success", True) is False else "returns"


def test_there_are_at_least_forty_distinct_faults() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40


@each_call
@each_client
@each_fault(FAULTS)
def test_a_call_ends_as_documented(
    group_trials: Trials, record_losses: LossRecorder, fault: Fault, client: str, call: str
) -> None:
    outcome = group_trials.outcome(fault, client, call)
    is_lost = not outcome.is_reported and fault.ending_of(call) != "returns"
    record_losses(fault.name, calls=1, lost=is_lost)

    assert _ending(outcome) == fault.ending_of(call), outcome.error


@each_call
@each_client
@each_fault(FAULTS)
def test_a_call_ends_within_its_budget(group_trials: Trials, fault: Fault, client: str, call: str) -> None:
    outcome = group_trials.outcome(fault, client, call)

    assert outcome.is_on_time, f"{outcome.seconds:.1f} s"


@each_call
@each_client
@each_fault([fault for fault in FAULTS if fault.is_slow])
def test_a_call_that_timed_out_leaves_no_connection_open(
    group_trials: Trials, fault: Fault, client: str, call: str
) -> None:
    assert group_trials.outcome(fault, client, call).has_disconnected


@each_call
@each_client
@each_fault([fault for fault in FAULTS if not fault.is_transient and not fault.is_slow])
def test_a_permanent_fault_is_not_retried(group_trials: Trials, fault: Fault, client: str, call: str) -> None:
    assert group_trials.outcome(fault, client, call).connections == 1


@each_call
@each_client
@each_fault(RECOVERABLE)
def test_a_call_that_recovers_from_a_fault_is_recorded_exactly_once(
    group_trials: Trials, record_losses: LossRecorder, fault: Fault, client: str, call: str
) -> None:
    outcome = group_trials.outcome(fault, client, call, recovers=True)
    record_losses(fault.name, calls=1, lost=len(outcome.recorded) != 1)

    assert _ending(outcome) == "returns", outcome.error
    assert len(outcome.recorded) == 1


@each_client
@each_fault([fault for fault in RECOVERABLE if fault.is_unprocessed])
def test_a_plain_create_that_cannot_have_been_processed_is_retried(
    group_trials: Trials, record_losses: LossRecorder, fault: Fault, client: str
) -> None:
    outcome = group_trials.outcome(fault, client, "create", recovers=True)
    record_losses(fault.name, calls=1, lost=len(outcome.recorded) != 1)

    assert isinstance(outcome.result, Check), outcome.error
    assert len(outcome.recorded) == 1


@each_client
@each_fault([fault for fault in RECOVERABLE if not fault.is_unprocessed])
def test_a_plain_create_that_may_have_been_processed_is_not_retried(
    group_trials: Trials, record_losses: LossRecorder, fault: Fault, client: str
) -> None:
    outcome = group_trials.outcome(fault, client, "create", recovers=True)
    record_losses(fault.name, calls=1, lost=not outcome.is_reported)

    assert isinstance(outcome.error, HCAPIUnavailableError)
    assert outcome.connections == 1
