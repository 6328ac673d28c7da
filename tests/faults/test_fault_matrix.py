"""Whatever goes wrong between client and server, a call ends in time, as documented, and loses nothing in silence."""

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

    from faults.conftest import Outcome, Recorder, Trials, Wire

Ending: TypeAlias = "type[HCAPIError] | Literal['returns', 'returns no success']"
"""How a call ends: ping methods tell of an answer that they do not know in their result."""


@dataclass(frozen=True)
class Fault:
    """What a server does wrong, and how calls end that meet it in each of their attempts."""

    name: str
    act: Callable[[Wire], object]
    ping: Ending = HCAPIUnavailableError
    management: Ending = HCAPIUnavailableError
    may_pass: bool = False
    """Whether another attempt may do better."""
    is_unprocessed: bool = False
    """Whether the client can know that the server has not done what was asked."""
    can_be_mended: bool = True
    listens: Literal["", "no", "full", "nowhere"] = ""
    scheme: Literal["http", "https"] = "http"
    certificate: Literal["", "good", "untrusted", "expired", "of another host"] = ""
    is_slow: bool = False
    """Whether the time-out ends it."""
    retry_after: float = 0.0

    @property
    def passes(self) -> bool:
        return self.may_pass and self.can_be_mended

    def ending_of(self, call: str) -> Ending:
        return self.ping if call == "ping" else self.management


def breaks(name: str, act: Callable[[Wire], object], *, is_slow: bool = False) -> Fault:
    """No answer comes, or it breaks off, after the server may have done what was asked."""
    return Fault(name, act, may_pass=True, is_slow=is_slow)


def no_connection(
    name: str,
    act: Callable[[Wire], object],
    *,
    listens: Literal["", "no", "full", "nowhere"] = "",
    scheme: Literal["http", "https"] = "http",
    certificate: Literal["", "good", "untrusted", "expired", "of another host"] = "",
    is_slow: bool = False,
) -> Fault:
    """There is no connection over which the server could have been asked."""
    return Fault(
        name,
        act,
        may_pass=True,
        is_unprocessed=True,
        can_be_mended=listens != "nowhere",
        listens=listens,
        scheme=scheme,
        certificate=certificate,
        is_slow=is_slow,
    )


def says(name: str, answer: bytes, ping: Ending, management: Ending) -> Fault:
    """An answer comes that is wrong, or at least odd, and would be the same again."""
    return Fault(name, _answering(answer), ping, management)


def _answering(answer: bytes) -> Callable[[Wire], object]:
    def act(wire: Wire) -> None:
        wire.request()
        wire.say(answer)

    return act


def _ok(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _head(*headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Connection: close", *headers]) + b"\r\n"


def _good(*headers: bytes, length: bytes = b"Content-Length: %d") -> Callable[[Wire], object]:
    """The answer that is right for what was asked, with something odd about its headers."""

    def act(wire: Wire) -> None:
        body = wire.server.good_answer(wire.request()).partition(b"\r\n\r\n")[2]
        lines = [length % len(body)] if b"%d" in length else [length]
        wire.say(_head(*lines, *headers) + b"\r\n" + body)

    return act


def _chunked(chunks: bytes) -> bytes:
    return _head(b"Transfer-Encoding: chunked") + b"\r\n" + chunks


def _after_request(*parts: bytes, then: Callable[[Wire], object] = lambda _: None) -> Callable[[Wire], object]:
    def act(wire: Wire) -> None:
        wire.request()
        for part in parts:
            wire.say(part)
        then(wire)

    return act


def _reset(wire: Wire) -> None:
    # What was said before must arrive first: a reset throws away what is under way.
    wire.pause(0.02)
    wire.reset()


def _silence(wire: Wire) -> None:
    wire.say_nothing()


def _close(_: Wire) -> None:
    """Return: the connection is closed then."""


def _plain_answer_to_tls(wire: Wire) -> None:
    wire.connection.recv(65536)
    wire.say(_ok(b"speak http", status=b"400 Bad Request"))


def _reset_in_handshake(wire: Wire) -> None:
    wire.connection.recv(65536)
    wire.reset()


def _drip_for_ever(text: bytes, *before: bytes) -> Callable[[Wire], object]:
    return _after_request(*before, then=lambda wire: wire.say_for_ever(text, 0.05))


def _endless(text: bytes, *before: bytes) -> Callable[[Wire], object]:
    return _after_request(*before, then=lambda wire: wire.say_for_ever(text, 0.01))


def _early(wire: Wire) -> None:
    wire.say(_ok(b"OK"))
    wire.request()


STARTED = _head(b"Content-Length: 1000") + b"\r\n"
CONNECTING = [
    no_connection("connection refused", _close, listens="no"),
    no_connection("listening, but the queue is full", _close, listens="full", is_slow=True),
    no_connection("a name that does not resolve", _close, listens="nowhere"),
    no_connection("https to a server of plain http", _plain_answer_to_tls, scheme="https"),
    no_connection("https: no answer to the handshake", _silence, scheme="https", is_slow=True),
    no_connection("https: closed in the handshake", _close, scheme="https"),
    no_connection("https: reset in the handshake", _reset_in_handshake, scheme="https"),
    no_connection("https: untrusted certificate", _silence, scheme="https", certificate="untrusted"),
    no_connection("https: expired certificate", _silence, scheme="https", certificate="expired"),
    no_connection("https: certificate of another host", _silence, scheme="https", certificate="of another host"),
    Fault("plain http to a server of https", _silence, may_pass=True, certificate="good"),
    Fault(
        "https: reset in the body",
        _after_request(STARTED, b"O", then=_reset),
        may_pass=True,
        scheme="https",
        certificate="good",
    ),
]
BROKEN_OFF = [
    breaks("accepted and closed at once", _close),
    breaks("reset before the request is read", _reset),
    breaks("reset after the request", _after_request(then=_reset)),
    breaks("reset in the status line", _after_request(b"HTTP/1.1 20", then=_reset)),
    breaks("reset after the status line", _after_request(b"HTTP/1.1 200 OK\r\n", then=_reset)),
    breaks("reset after the headers", _after_request(STARTED, then=_reset)),
    breaks("reset in the body", _after_request(STARTED, b"OK", then=_reset)),
    breaks("closed after the request", _after_request(then=_close)),
    breaks("closed in the status line", _after_request(b"HTTP/1.1 20", then=_close)),
    breaks("closed in the headers", _after_request(_head(b"Content-Len"), then=_close)),
    breaks("closed after the headers", _after_request(STARTED, then=_close)),
    breaks("closed in the body", _after_request(STARTED, b"OK", then=_close)),
    breaks("closed after an answer 100", _after_request(b"HTTP/1.1 100 Continue\r\n\r\n", then=_close)),
]
SLOW = [
    breaks("silence before the request is read", _silence, is_slow=True),
    breaks("silence after the request", _after_request(then=_silence), is_slow=True),
    breaks("silence in the status line", _after_request(b"HTTP/1.1 20", then=_silence), is_slow=True),
    breaks("silence after the status line", _after_request(b"HTTP/1.1 200 OK\r\n", then=_silence), is_slow=True),
    breaks("silence after the headers", _after_request(STARTED, then=_silence), is_slow=True),
    breaks("silence in the body", _after_request(STARTED, b"OK", then=_silence), is_slow=True),
    breaks("a status line that drips", _drip_for_ever(b"O", b"HTTP/1.1 200 "), is_slow=True),
    breaks("headers that drip", _drip_for_ever(b"x", b"HTTP/1.1 200 OK\r\nX-Header: "), is_slow=True),
    breaks("a body that drips", _drip_for_ever(b"O", STARTED), is_slow=True),
    breaks("chunks that drip", _drip_for_ever(b"1\r\nO\r\n", _chunked(b"")), is_slow=True),
    breaks("a good answer that drips", lambda wire: wire.drip(wire.server.good_answer(wire.request())), is_slow=True),
]
ENDLESS = [
    breaks("answers 100 that drip", _drip_for_ever(b"HTTP/1.1 100 Continue\r\n\r\n"), is_slow=True),
    breaks("endless answers 100", _endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 10), is_slow=True),
    breaks("endless answers 103", _endless(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 10), is_slow=True),
    breaks("endless headers", _endless(b"X-Header: y\r\n" * 1000, b"HTTP/1.1 200 OK\r\n")),
    breaks("an endless header", _endless(b"x" * 10_000, b"HTTP/1.1 200 OK\r\nX-Header: ")),
    breaks("an endless status line", _endless(b"x" * 10_000, b"HTTP/1.1 200 ")),
    Fault(
        "an endless body",
        _endless(b"x" * 100_000, _head(b"Content-Length: 100000000000") + b"\r\n"),
        ping=HCAPIError,
        may_pass=False,
        is_slow=True,
    ),
    Fault(
        "endless chunks",
        _endless(b"186a0\r\n" + b"x" * 100_000 + b"\r\n", _chunked(b"")),
        ping=HCAPIError,
        may_pass=False,
        is_slow=True,
    ),
    Fault("a body until the end of time", _endless(b"x" * 100_000, _head() + b"\r\n"), ping=HCAPIError, is_slow=True),
    says("a body that is too long for a ping", _ok(b"x" * 70_000), HCAPIError, HCAPIError),
]
LENGTHS = [
    breaks("a length that is too long", _after_request(_head(b"Content-Length: 3") + b"\r\nOK")),
    says("a length that is too short", _head(b"Content-Length: 1") + b"\r\nOK", "returns no success", HCAPIError),
    breaks("a negative length", _after_request(_head(b"Content-Length: -2") + b"\r\nOK")),
    breaks("garbage for a length", _after_request(_head(b"Content-Length: two") + b"\r\nOK")),
    breaks("an empty length", _after_request(_head(b"Content-Length: ") + b"\r\nOK")),
    breaks("a length of many digits", _after_request(_head(b"Content-Length: " + b"9" * 5000) + b"\r\nOK")),
    breaks("two lengths that differ", _after_request(_head(b"Content-Length: 2", b"Content-Length: 3") + b"\r\nOK")),
    Fault("no length at all", _good(length=b"X-Length: none"), "returns", "returns"),
]
CHUNKS = [
    breaks("chunks closed before the first", _after_request(_chunked(b""))),
    breaks("chunks closed in the size", _after_request(_chunked(b"2"))),
    breaks("chunks closed in a chunk", _after_request(_chunked(b"5\r\nOK"))),
    breaks("chunks without an end", _after_request(_chunked(b"2\r\nOK\r\n"))),
    breaks("chunks closed in the trailer", _after_request(_chunked(b"2\r\nOK\r\n0\r\nX-Trai"))),
    breaks("garbage for a chunk size", _after_request(_chunked(b"two\r\nOK\r\n0\r\n\r\n"))),
    breaks("a negative chunk size", _after_request(_chunked(b"-2\r\nOK\r\n0\r\n\r\n"))),
    breaks("a huge chunk size", _after_request(_chunked(b"f" * 100 + b"\r\nOK\r\n0\r\n\r\n"))),
    breaks("an endless chunk extension", _after_request(_chunked(b"2;" + b"x" * 200_000))),
    breaks("a chunk longer than its size", _after_request(_chunked(b"1\r\nOK\r\n0\r\n\r\n"))),
    breaks("a chunk without a line break", _after_request(_chunked(b"2\r\nOK0\r\n\r\n"))),
    breaks("garbage for a trailer", _after_request(_chunked(b"2\r\nOK\r\n0\r\n\0\0\r\n\r\n"))),
    breaks("an unknown transfer coding", _after_request(_head(b"Transfer-Encoding: br") + b"\r\nOK")),
    breaks("a compressed transfer", _after_request(_head(b"Transfer-Encoding: gzip, chunked") + b"\r\nOK")),
]
NO_HTTP = [
    breaks("garbage instead of HTTP", _after_request(bytes(range(256)) + b"\r\n\r\n")),
    breaks("null bytes instead of HTTP", _after_request(bytes(1000))),
    breaks("the greeting of an SSH server", _after_request(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n")),
    breaks("the frames of HTTP/2", _after_request(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64")),
    breaks("HTTP/0.9: a body and nothing else", _after_request(b"OK")),
    breaks("another protocol in the status line", _after_request(_ok(b"OK").replace(b"HTTP/1.1", b"ICY"))),
    breaks("status 101", _after_request(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")),
    breaks("status 99", _after_request(_ok(b"OK", status=b"99 What"))),
    breaks("status 099", _after_request(_ok(b"OK", status=b"099 What"))),
    breaks("status 000", _after_request(_ok(b"OK", status=b"000 What"))),
    breaks("status 1000", _after_request(_ok(b"OK", status=b"1000 What"))),
    breaks("status -200", _after_request(_ok(b"OK", status=b"-200 What"))),
    breaks("status abc", _after_request(_ok(b"OK", status=b"abc What"))),
    breaks("no status", _after_request(_ok(b"OK", status=b""))),
    breaks("a huge header", _after_request(_ok(b"OK", b"X-Header: " + b"x" * 200_000))),
    breaks("null bytes in a header", _after_request(_ok(b"OK", b"X-Header: a\0b"))),
    breaks("null bytes in the name of a header", _after_request(_ok(b"OK", b"X-\0: a"))),
    breaks("invalid characters in the name of a header", _after_request(_ok(b"OK", b"X Header\xff: a"))),
    breaks("a header without a name", _after_request(_ok(b"OK", b": a"))),
    breaks("a header without a colon", _after_request(_ok(b"OK", b"X-Header"))),
]
ODD = [
    Fault("bytes that are no text in a header", _good(b"X-Header: \xff\xfe"), "returns", "returns"),
    Fault("a folded header", _good(b"X-Header: a\r\n b"), "returns", "returns"),
    Fault("cookies that are garbage", _good(b"Set-Cookie: \xff=;;=\x80; expires=never"), "returns", "returns"),
    Fault("a Content-Type that is garbage", _good(b"Content-Type: ;;=\xff; charset=;"), "returns", "returns"),
    Fault(
        "a charset that is a codec of no text", _good(b"Content-Type: text/plain; charset=zlib"), "returns", "returns"
    ),
    Fault("a charset that does not exist", _good(b"Content-Type: text/plain; charset=utf-99"), "returns", "returns"),
    Fault(
        "a charset that is not the right one", _good(b"Content-Type: text/plain; charset=utf-16"), "returns", "returns"
    ),
    Fault(
        "an answer 100 first",
        _after_request(b"HTTP/1.1 100 Continue\r\n\r\n", then=lambda wire: wire.say(_ok(b"OK"))),
        "returns",
        HCAPIError,
    ),
    Fault("the answer before the request", _early, "returns", HCAPIError),
    says("a version of HTTP from the past", _ok(b"OK").replace(b"/1.1", b"/0.9"), "returns", HCAPIError),
    says("a version of HTTP that there is not", _ok(b"OK").replace(b"/1.1", b"/9.9"), "returns", HCAPIError),
    breaks("a version that is no number", _after_request(_ok(b"OK").replace(b"/1.1", b"/x.y"))),
    says("two answers", _ok(b"OK") * 2, "returns", HCAPIError),
]
CONTENTS = [
    says("a compressed body", _ok(gzip.compress(b"OK"), b"Content-Encoding: gzip"), HCAPIError, HCAPIError),
    says("a bomb", _ok(gzip.compress(bytes(50_000_000), 1), b"Content-Encoding: gzip"), HCAPIError, HCAPIError),
    says("a body said to be compressed", _ok(b"OK", b"Content-Encoding: gzip"), HCAPIError, HCAPIError),
    says("an unknown encoding", _ok(b"OK", b"Content-Encoding: x-secret"), HCAPIError, HCAPIError),
    says("two encodings", _ok(b"OK", b"Content-Encoding: identity, br"), HCAPIError, HCAPIError),
    says("a body that is not UTF-8", _ok(b'{"checks":[],"x":"\xff"}'), "returns no success", HCAPIError),
    says("a body in UTF-16", _ok('{"checks":[]}'.encode("utf-16")), "returns no success", HCAPIError),
    says("a byte order mark", _ok(b"\xef\xbb\xbfOK"), "returns no success", HCAPIError),
    says("lone surrogates", _ok(b'{"checks":[{"name":"\\ud800"}]}'), "returns no success", HCAPIError),
    says("surrogates as bytes", _ok(b'{"checks":[{"name":"\xed\xa0\x80"}]}'), "returns no success", HCAPIError),
    says("other JSON", _ok(b'{"check":[]}'), "returns no success", HCAPIError),
    says("JSON that breaks off", _ok(b'{"checks":['), "returns no success", HCAPIError),
    says("JSON of a great depth", _ok(b'{"checks":' + b"[" * 60_000), "returns no success", HCAPIError),
    says("a number of many digits", _ok(b'{"checks":' + b"9" * 60_000 + b"}"), "returns no success", HCAPIError),
    says("no body", _ok(b""), "returns no success", HCAPIError),
    says("HTML", _ok(b"<!doctype html><h1>Sign in to the Wi-Fi</h1>"), "returns no success", HCAPIError),
    says("a ping answered with not found", _ok(b"OK (not found)"), CheckNotFoundError, HCAPIError),
    says("a ping answered with rate limited", _ok(b"OK (rate limited)"), HCAPIRateLimitError, HCAPIError),
]


def _status(status: int, *headers: bytes) -> Callable[[Wire], object]:
    return _answering(_ok(b"no", *headers, status=b"%d Something" % status))


STATUSES = [
    says("status 204", b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", HCAPIError, HCAPIError),
    says("status 304", b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", HCAPIError, HCAPIError),
    Fault("status 400", _status(400), BadAPIRequestError, BadAPIRequestError),
    Fault("status 401", _status(401), HCAPIAuthError, HCAPIAuthError),
    Fault("status 403", _status(403), HCAPIAuthError, HCAPIAuthError),
    Fault("status 404", _status(404), CheckNotFoundError, CheckNotFoundError),
    Fault("status 405", _status(405), HCAPIError, HCAPIError),
    Fault("status 408", _status(408), may_pass=True),
    Fault("status 409", _status(409), NonUniqueSlugError, HCAPIError),
    Fault("status 418", _status(418), HCAPIError, HCAPIError),
    Fault("status 500", _status(500), may_pass=True),
    Fault("status 501", _status(501)),
    Fault("status 502", _status(502), may_pass=True),
    Fault("status 503", _status(503), may_pass=True),
    Fault("status 503, with Retry-After: 0", _status(503, b"Retry-After: 0"), may_pass=True),
    Fault("status 503, with Retry-After: 3600", _status(503, b"Retry-After: 3600")),
    Fault("status 504", _status(504), may_pass=True),
    Fault("status 599", _status(599)),
    Fault("status 999", _status(999), HCAPIError, HCAPIError),
]


def _limited(name: str, *headers: bytes, may_pass: bool = True, retry_after: float = 0.0) -> Fault:
    return Fault(
        name,
        _status(429, *headers),
        HCAPIRateLimitError,
        HCAPIRateLimitError,
        may_pass=may_pass,
        is_unprocessed=True,
        retry_after=retry_after,
    )


RATE_LIMITS = [
    _limited("status 429"),
    _limited("status 429, with Retry-After: 0", b"Retry-After: 0"),
    _limited("status 429, with Retry-After: 1", b"Retry-After: 1", retry_after=1.0),
    _limited("status 429, with Retry-After: -1", b"Retry-After: -1"),
    _limited("status 429, with Retry-After: garbage", b"Retry-After: \xff soon"),
    _limited("status 429, with Retry-After: nan", b"Retry-After: nan"),
    _limited("status 429, with a date long ago", b"Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"),
    _limited("status 429, with Retry-After: 3600", b"Retry-After: 3600", may_pass=False),
    _limited("status 429, with a date far ahead", b"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", may_pass=False),
    _limited("status 429, with Retry-After: 1e300", b"Retry-After: 1e300", may_pass=False),
]
REDIRECTS = [
    *(
        Fault(f"status {status}", _status(status, b"Location: https://new.example/"), HCAPIError, HCAPIError)
        for status in (301, 302, 303, 307, 308)
    ),
    Fault("a redirect to nowhere", _status(302), HCAPIError, HCAPIError),
    Fault("a redirect to itself", _status(302, b"Location: "), HCAPIError, HCAPIError),
    Fault("a redirect to a port that is none", _status(302, b"Location: http://x:99999999/"), HCAPIError, HCAPIError),
    Fault("a redirect to half an address", _status(302, b"Location: http://["), HCAPIError, HCAPIError),
    Fault("a redirect to bytes that are no text", _status(302, b"Location: http://\xff/"), HCAPIError, HCAPIError),
    Fault("a redirect to a protocol that is none", _status(302, b"Location: x-y:z"), HCAPIError, HCAPIError),
    Fault("a redirect to a name that is none", _status(302, b"Location: http://xn--\xc3\xa9/"), HCAPIError, HCAPIError),
]

GROUPS = [
    CONNECTING,
    BROKEN_OFF,
    SLOW,
    ENDLESS,
    LENGTHS,
    CHUNKS,
    NO_HTTP,
    ODD,
    CONTENTS,
    STATUSES,
    RATE_LIMITS,
    REDIRECTS,
]
FAULTS = [fault for group in GROUPS for fault in group]
PASSING = [fault for fault in FAULTS if fault.passes]

each_client = pytest.mark.parametrize("client", ["sync", "async"])
each_call = pytest.mark.parametrize("call", ["ping", "management"])


def each(faults: list[Fault]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", faults, ids=[fault.name for fault in faults])


@pytest.fixture
def tried(trials: Trials, fault: Fault) -> Trials:
    """The calls that meet the fault; those that meet the others of its group are made with them, to save time."""
    trials.make_all(next(group for group in GROUPS if fault in group))
    return trials


def _ending(outcome: Outcome) -> object:
    if outcome.error is not None:
        return type(outcome.error)
    return "returns no success" if getattr(outcome.result, "success", True) is False else "returns"


def test_there_are_at_least_forty_faults() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40


@each_call
@each_client
@each(FAULTS)
def test_a_call_ends_as_documented(
    tried: Trials, record_losses: Recorder, fault: Fault, client: str, call: str
) -> None:
    outcome = tried.outcome(fault, client, call)
    is_lost = not outcome.is_told and fault.ending_of(call) != "returns"
    record_losses(fault.name, tried=1, lost=is_lost)

    assert _ending(outcome) == fault.ending_of(call), outcome.error


@each_call
@each_client
@each(FAULTS)
def test_a_call_ends_within_its_budget(tried: Trials, fault: Fault, client: str, call: str) -> None:
    outcome = tried.outcome(fault, client, call)

    assert outcome.is_in_time, f"{outcome.seconds:.1f} s"


@each_call
@each_client
@each([fault for fault in FAULTS if fault.is_slow])
def test_a_call_that_was_cut_short_leaves_no_connection_open(
    tried: Trials, fault: Fault, client: str, call: str
) -> None:
    assert tried.outcome(fault, client, call).has_hung_up


@each_call
@each_client
@each([fault for fault in FAULTS if not fault.may_pass and not fault.is_slow])
def test_what_will_not_pass_is_asked_once(tried: Trials, fault: Fault, client: str, call: str) -> None:
    assert tried.outcome(fault, client, call).connections == 1


@each_call
@each_client
@each(PASSING)
def test_a_fault_that_passes_loses_nothing(
    tried: Trials, record_losses: Recorder, fault: Fault, client: str, call: str
) -> None:
    outcome = tried.outcome(fault, client, call, passes=True)
    record_losses(fault.name, tried=1, lost=len(outcome.recorded) != 1)

    assert _ending(outcome) == "returns", outcome.error
    assert len(outcome.recorded) == 1


@each_client
@each([fault for fault in PASSING if fault.is_unprocessed])
def test_a_plain_create_that_cannot_have_been_processed_is_sent_again(
    tried: Trials, record_losses: Recorder, fault: Fault, client: str
) -> None:
    outcome = tried.outcome(fault, client, "create", passes=True)
    record_losses(fault.name, tried=1, lost=len(outcome.recorded) != 1)

    assert isinstance(outcome.result, Check), outcome.error
    assert len(outcome.recorded) == 1


@each_client
@each([fault for fault in PASSING if not fault.is_unprocessed])
def test_a_plain_create_that_may_have_been_processed_is_sent_once(
    tried: Trials, record_losses: Recorder, fault: Fault, client: str
) -> None:
    outcome = tried.outcome(fault, client, "create", passes=True)
    record_losses(fault.name, tried=1, lost=not outcome.is_told)

    assert isinstance(outcome.error, HCAPIUnavailableError)
    assert outcome.connections == 1
