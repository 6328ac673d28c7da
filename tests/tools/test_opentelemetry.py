"""OpenTelemetry's instrumentation of httpx traces the requests of both clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from healthchecks_io import HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conftest import Api, Stub
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span

UUID = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"


class Traces:
    """An OpenTelemetry set-up that keeps the spans."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._provider = TracerProvider()
        self._provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._instrumentor = HTTPXClientInstrumentor()
        self.tracer = self._provider.get_tracer("a job")

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        spans: Sequence[ReadableSpan] = self._exporter.get_finished_spans()
        return spans

    def instrument(self, hook: Callable[[Span], None] | None = None) -> None:
        """Instrument httpx, with a hook that is called for each request."""

        async def async_hook(span: Span, _: object) -> None:
            if hook is not None:
                hook(span)

        hooks: dict[str, Any] = {}
        if hook is not None:
            hooks = {"request_hook": lambda span, _: hook(span), "async_request_hook": async_hook}
        self._instrumentor.instrument(tracer_provider=self._provider, **hooks)

    def uninstrument(self) -> None:
        if self._instrumentor.is_instrumented_by_opentelemetry:
            self._instrumentor.uninstrument()


@pytest.fixture
def traces() -> Iterator[Traces]:
    traces = Traces()
    yield traces
    traces.uninstrument()


@pytest.fixture
def server(stub: Stub) -> Stub:
    stub.queue_response(200, "OK")
    return stub


def url_of(span: ReadableSpan) -> object:
    return (span.attributes or {})["http.url"]


def test_each_request_has_a_span(connect: Callable[..., Api], server: Stub, traces: Traces) -> None:
    traces.instrument()

    connect(**server.settings()).success_ping(UUID)

    (span,) = traces.spans
    assert span.name == "POST"
    assert url_of(span) == f"{server.url}/ping/{UUID}"
    assert (span.attributes or {})["http.status_code"] == 200


def test_each_attempt_has_a_span(connect: Callable[..., Api], stub: Stub, traces: Traces) -> None:
    stub.queue_response(503, headers={"Retry-After": "0"})
    stub.queue_response(200, "OK")
    traces.instrument()

    connect(**stub.settings(retries=1)).success_ping(UUID)

    assert [(span.attributes or {})["http.status_code"] for span in traces.spans] == [503, 200]


def test_the_pings_of_a_trap_belong_to_the_span_of_the_job(
    connect: Callable[..., Api], server: Stub, traces: Traces
) -> None:
    traces.instrument()
    api = connect(**server.settings())

    with traces.tracer.start_as_current_span("nightly backup"), api.trap(UUID):
        pass

    start, success, job = traces.spans
    assert job.name == "nightly backup"
    assert {span.parent and span.parent.span_id for span in (start, success)} == {job.get_span_context().span_id}


def test_the_server_gets_the_trace_context(connect: Callable[..., Api], server: Stub, traces: Traces) -> None:
    traces.instrument()

    connect(**server.settings()).success_ping(UUID)

    (span,) = traces.spans
    assert f"{span.get_span_context().trace_id:032x}" in server.requests[0].headers["traceparent"]


def test_a_client_that_has_an_open_connection_is_traced(
    connect: Callable[..., Api], server: Stub, traces: Traces
) -> None:
    api = connect(**server.settings())
    api.success_ping(UUID)

    traces.instrument()
    api.success_ping(UUID)
    traces.uninstrument()
    api.success_ping(UUID)

    assert len(traces.spans) == 1
    assert len({request.port for request in server.requests}) == 1


def test_by_default_the_span_of_a_ping_by_slug_contains_the_ping_key(
    connect: Callable[..., Api], server: Stub, traces: Traces
) -> None:
    traces.instrument()

    connect(**server.settings(ping_key="the-ping-key")).success_ping(slug="nightly-backup")

    (span,) = traces.spans
    assert url_of(span) == f"{server.url}/ping/the-ping-key/nightly-backup"


def test_no_span_contains_the_api_key(connect: Callable[..., Api], stub: Stub, traces: Traces) -> None:
    stub.queue_response(200, '{"checks": []}')
    traces.instrument()

    connect(**stub.settings(api_key="the-api-key")).get_checks()

    assert stub.requests[0].headers["X-Api-Key"] == "the-api-key"
    (span,) = traces.spans
    assert "the-api-key" not in span.to_json()


def test_a_request_hook_can_hide_the_ping_key(connect: Callable[..., Api], server: Stub, traces: Traces) -> None:
    traces.instrument(lambda span: span.set_attribute("http.url", "a ping"))

    connect(**server.settings(ping_key="the-ping-key")).success_ping(slug="nightly-backup")

    (span,) = traces.spans
    assert url_of(span) == "a ping"
    assert "the-ping-key" not in span.to_json()


def test_a_request_hook_can_hide_the_ping_key_of_a_failed_ping(
    connect: Callable[..., Api], raw_server: Callable[[bytes], str], traces: Traces
) -> None:
    traces.instrument(lambda span: span.set_attribute("http.url", "a ping"))
    api = connect(ping_key="the-ping-key", ping_url=f"{raw_server(b'')}/ping/", retries=0)

    with pytest.raises(HCAPIUnavailableError):
        api.success_ping(slug="nightly-backup")

    (span,) = traces.spans
    assert [event.name for event in span.events] == ["exception"]
    assert "the-ping-key" not in span.to_json()


def test_pings_can_be_excluded_through_the_environment(
    connect: Callable[..., Api], stub: Stub, traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.queue_response(200, '{"checks": []}')
    monkeypatch.setenv("OTEL_PYTHON_HTTPX_EXCLUDED_URLS", f"{stub.url}/ping/")
    traces.instrument()
    api = connect(**stub.settings())

    api.get_checks()
    api.success_ping(slug="nightly-backup")

    assert [url_of(span) for span in traces.spans] == [f"{stub.url}/api/v1/checks/"]


def test_pings_can_be_excluded_in_a_block(connect: Callable[..., Api], server: Stub, traces: Traces) -> None:
    traces.instrument()
    api = connect(**server.settings())

    api.success_ping(UUID)
    with suppress_http_instrumentation():
        api.success_ping(slug="nightly-backup")

    assert [url_of(span) for span in traces.spans] == [f"{server.url}/ping/{UUID}"]
    assert len(server.requests) == 2
