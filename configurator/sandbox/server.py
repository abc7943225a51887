"""What both embedded servers stand on: HTTP on loopback, a log of requests, and faults on demand.

The servers bind to 127.0.0.1 only. Every request is logged, so that tests and benchmarks count real
requests; faults are injected here, below the servers' own behaviour, as a broken network or proxy would.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in.

    Attributes:
        method: upper case.
        path: undecoded path below the context path, starting with ``/``, without the query.
        query: decoded query pairs, last one wins.
        headers: names in lower case.
        body: raw bytes, empty when there was none.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    raw_query: str = ""

    def form(self) -> dict[str, str]:
        """The body as URL-encoded form fields."""
        return dict(parse_qsl(self.body.decode("utf-8"), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. ``body`` text is sent as UTF-8."""

    status: int = 200
    body: str | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One answered (or cut) request: the log's line. ``status`` 0 = the connection was cut."""

    method: str
    path: str
    status: int


FaultAction = Literal["cut-before", "cut-after", "answer", "delay"]


@dataclass(slots=True)
class Fault:
    """A failure to inject.

    Attributes:
        matches: which requests it hits.
        action: ``cut-before`` closes the connection without carrying the request out, ``cut-after`` after it
            was carried out, ``answer`` gives ``response`` instead, ``delay`` waits ``seconds`` first.
        times: how many requests it hits before it is used up.
    """

    matches: Callable[[Request], bool]
    action: FaultAction
    response: Response = field(default_factory=Response)
    seconds: float = 0.0
    times: int = 1


class EmbeddedServer(ABC):
    """An HTTP server on loopback. Subclasses answer in :meth:`handle`; use it in a ``with`` block.

    Args:
        port: 0 picks a free one.
        context_path: such as ``/jenkins``; empty for the root.
    """

    name = "server"

    def __init__(self, port: int = 0, context_path: str = "") -> None:
        self.context_path = "/" + context_path.strip("/") if context_path.strip("/") else ""
        self.log: list[LogEntry] = []
        self.faults: list[Fault] = []
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", port), _handler_for(self))
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """Root URL with the context path, no trailing slash."""
        return f"http://127.0.0.1:{self.port}{self.context_path}"

    @property
    def connections(self) -> int:
        """How many TCP connections were made so far."""
        return self._http.accepted

    def start(self) -> Self:
        """Serve in a background thread; the socket listens already when this returns."""
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, name=self.name, daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and close every connection. Harmless when called twice."""
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self._http.close_connections()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def handle(self, request: Request) -> Response:
        """Answer one request. Called from many threads at once."""

    def count(self, method: str = "", path_contains: str = "") -> int:
        """How many logged requests match."""
        return sum((not method or entry.method == method) and path_contains in entry.path for entry in list(self.log))

    def inject(self, fault: Fault) -> None:
        """Add a fault; it is used up after ``fault.times`` hits."""
        with self._lock:
            self.faults.append(fault)

    def answer(self, request: Request) -> Response | None:
        """The answer with faults applied; None = cut the connection."""
        fault = self._take_fault(request)
        response: Response | None
        if fault is None:
            response = self.handle(request)
        elif fault.action == "cut-before":
            response = None
        elif fault.action == "answer":
            response = fault.response
        else:
            time.sleep(fault.seconds)
            handled = self.handle(request)
            response = None if fault.action == "cut-after" else handled
        self.log.append(LogEntry(request.method, request.path, response.status if response else 0))
        return response

    def _take_fault(self, request: Request) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.times > 0 and fault.matches(request):
                    fault.times -= 1
                    return fault
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._connections: set[socket.socket] = set()
        self.accepted = 0
        super().__init__(address, handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self._connections.add(request)
        self.accepted += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is not worth a traceback on the terminal."""


def _handler_for(server: EmbeddedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else b""
            split = urlsplit(self.path)
            path = split.path
            if server.context_path:
                if path != server.context_path and not path.startswith(server.context_path + "/"):
                    self._send(Response(404, "outside the context path"))
                    return
                path = path[len(server.context_path) :]
            request = Request(
                method=self.command,
                path=path or "/",
                query=dict(parse_qsl(split.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=body,
                raw_query=split.query,
            )
            response = server.answer(request)
            if response is None:
                self.close_connection = True
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._send(response)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = handle_any  # noqa: N815

        def _send(self, response: Response) -> None:
            body = response.body.encode("utf-8") if isinstance(response.body, str) else response.body
            self.send_response_only(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            if "Date" not in response.headers:
                self.send_header("Date", formatdate(usegmt=True))
            if response.status not in (204, 304):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD" and response.status not in (204, 304):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """The log is the server's ``log``, not the terminal."""

    return Handler
