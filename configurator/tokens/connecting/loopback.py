"""The end of an authorisation in the browser: a server on loopback that takes one answer and closes."""

from __future__ import annotations

import hmac
import html
import os
import queue
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from configurator.errors import ConfiguratorError, RefusedError

HOST = "127.0.0.1"
PATH = "/callback"
PATIENCE = 300.0
_SOCKET_TIMEOUT = 10.0  # browsers open connections ahead and never use them

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>configurator</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root {{ color-scheme: light dark }} body {{ font: 1.1rem/1.5 system-ui, sans-serif; margin: 20vh auto;
max-width: 32rem; padding: 0 1rem }}</style></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""


class Loopback:
    """Waits on loopback for the browser to come back from GitLab. Use it in a ``with`` block.

    Args:
        port: as in the redirect URI that the OAuth application is registered with; 0 = any free one.

    Raises:
        ConfiguratorError: the port is taken.
    """

    def __init__(self, port: int) -> None:
        self._answers: queue.Queue[Mapping[str, str]] = queue.Queue()
        try:
            self._server = _Server((HOST, port), self._answers)
        except OSError as error:
            raise ConfiguratorError(
                f"port {port} on {HOST} can't be used: {error.strerror or error}",
                "end what uses it, or name another with --port (the OAuth application must allow its redirect URI)",
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def redirect_uri(self) -> str:
        """Where GitLab sends the browser."""
        return f"http://{HOST}:{self._server.server_port}{PATH}"

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, state: str, patience: float = PATIENCE) -> str:
        """The code that GitLab grants.

        Args:
            state: as it was sent; an answer with another one is not an answer to us.
            patience: seconds to wait.

        Raises:
            RefusedError: the person said no.
            ConfiguratorError: nobody came back, or the answer is not to our question.
        """
        try:
            answer = self._answers.get(timeout=patience)
        except queue.Empty:
            raise ConfiguratorError(
                f"nobody came back from the browser within {patience:.0f} s",
                f"what did GitLab show? The OAuth application must have the redirect URI {self.redirect_uri}",
            ) from None
        if not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
            raise ConfiguratorError(
                "the browser came back with an answer to another question (its state differs); nothing was stored",
                "close old tabs of this sign-in, and run the command again",
            )
        if "error" in answer:
            said = answer.get("error_description") or answer["error"]
            if answer["error"] == "access_denied":
                raise RefusedError(f"GitLab gives no access: {said}", "run the command again and choose Authorize")
            raise ConfiguratorError(f"GitLab refuses the request: {said}", _cure(answer["error"]))
        if not answer.get("code"):
            raise ConfiguratorError("the browser came back without a code", "run the command again")
        return answer["code"]


def _cure(error: str) -> str:
    cures = {
        "invalid_scope": "allow the scope for the OAuth application in GitLab",
        "unauthorized_client": "look at the OAuth application in GitLab: is it the right --client-id?",
    }
    return cures.get(error, "look at the OAuth application in GitLab")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with Python's five, a few connections that say nothing keep the browser waiting
    block_on_close = False  # a connection that the browser opened ahead must not hold us up
    # On POSIX: listen where an earlier sign-in has ended a moment ago; a port that is listened on stays taken.
    allow_reuse_address = os.name == "posix"

    def __init__(self, address: tuple[str, int], answers: queue.Queue[Mapping[str, str]]) -> None:
        super().__init__(address, _Handler)
        self.answers = answers
        self.taken = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: anybody on this machine may connect and hang up, and a traceback belongs to nobody's sign-in."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _SOCKET_TIMEOUT
    server: _Server
    server_version = "configurator"
    sys_version = ""

    def do_GET(self) -> None:
        """Take the first answer; whoever comes later finds the door closed."""
        split = urlsplit(self.path)
        if split.path != PATH or self.headers.get("Host", self._host) != self._host:  # a name that was pointed here
            self._say(404, "Not found", "There is nothing here.")
            return
        if not self.server.taken.acquire(blocking=False):
            self._say(410, "Too late", "This sign-in is over.")
            return
        answer = {name: values[0] for name, values in parse_qs(split.query).items()}
        try:  # the page first: who waits for the answer closes the port, and may end the program
            if "error" in answer:
                self._say(
                    200, "No access", "GitLab gave no access. The terminal tells more; you may close this window."
                )
            else:
                self._say(200, "Back to the terminal", "It tells there how it went. You may close this window.")
        finally:
            self.server.answers.put(answer)

    @property
    def _host(self) -> str:
        return f"{HOST}:{self.server.server_port}"

    def _say(self, status: int, title: str, text: str) -> None:
        body = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the request line holds the code."""
