"""One server over a shared pool of connections, with retries that can't do harm."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from configurator import __version__
from configurator.clients.http.advice import advised_wait
from configurator.clients.http.failures import Failure, brief, diagnose, redirect_target, same_origin
from configurator.clients.http.pacing import Announcer, Pacer
from configurator.clients.redaction import Redactor
from configurator.errors import AnswerLostError, InputError, Problem, ServerError, UnreachableError

log = logging.getLogger("configurator.http")

_READS = frozenset({"GET", "HEAD"})
_BACK_OFF = (0.5, 1.0, 2.0)
_LIMIT_TRIES = 12
_LIMIT_PATIENCE = 660.0  # GitLab's longest window, ten minutes, and one to spare (contract, behaviour 12)
_CONNECT_TIMEOUT = 10.0
_MAX_REDIRECTS = 5
_SECRET_QUERY = re.compile(r"(?i)([?&][^=&]*(?:token|secret|password|passwd|key|crumb|code)[^=&]*=)[^&]*")


class NoAuth(AuthBase):
    """No credentials: not even those that a ``.netrc`` would add behind our back."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return r


class Http:
    """A server, reached over a shared pool of kept-alive connections. Safe for many threads.

    Args:
        label: what the server is called in messages, without its URL: ``Jenkins``, ``GitLab gitlab``.
        url: root URL with the context path; user info in it is dropped.
        auth: puts the credentials on a request.
        workers: how many threads send at the same time; also the size of the pool.
        timeout: seconds to wait for an answer (for the connection itself at most 10).
        verify: False = TLS certificates are not verified; text = path of a PEM file with the authorities.
        redactor: cleans what goes into messages; shared where several servers see the same secrets.
        busy: tells an answer that means "not carried out, try again later" beside 429.
        sleep: how to wait, seconds; None = in a way that :meth:`interrupt` ends.
        clock: seconds since the epoch.

    Waits of two seconds and more are told of once, however many workers wait: as warnings of the logger
    ``configurator.http``.

    Raises:
        InputError: ``url`` is not the URL of a server.

    Attributes:
        label: name and URL, as messages show it.
        url: root URL without a trailing slash.
        redactor: the redactor in use.
        requests_sent: requests that went out so far, retries included.
    """

    def __init__(
        self,
        label: str,
        url: str,
        *,
        auth: AuthBase | None = None,
        workers: int = 8,
        timeout: float = 30.0,
        verify: bool | str = True,
        redactor: Redactor | None = None,
        busy: Callable[[requests.Response], bool] = lambda response: False,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = _root_url(url)
        self.label = f"{label} {self.url}"
        self.redactor = redactor or Redactor()
        self.requests_sent = 0
        self._auth = auth or NoAuth()
        self._timeout = timeout
        self._busy = busy
        self._sleep = sleep
        self._clock = clock
        self._interrupted = threading.Event()
        self._announcer = Announcer(lambda words: log.warning("%s: %s", self.label, words), clock)
        self._pacer = Pacer(workers, clock, self.pause, self._announcer)
        self._lock = threading.Lock()
        self._answered = False
        self.session = _session(workers)
        # What the environment says of proxies and authorities is the same for every request to one server.
        settings = self.session.merge_environment_settings(self.url, {}, None, verify, None)
        self._verify = settings["verify"]
        self.session.proxies.update(settings["proxies"])
        self.session.trust_env = False

    def interrupt(self) -> None:
        """Wake everybody who waits, and send nothing more: what was not sent yet fails with UnreachableError."""
        self._interrupted.set()

    def close(self) -> None:
        """Interrupt what waits, and close the kept-alive connections."""
        self.interrupt()
        self.session.close()

    def pause(self, seconds: float) -> None:
        """Wait.

        Args:
            seconds: how long; 0 only looks whether anything may still be sent.

        Raises:
            UnreachableError: :meth:`interrupt` was called.
        """
        if self._sleep is None:
            self._interrupted.wait(seconds)
        elif seconds:
            self._sleep(seconds)
        if self._interrupted.is_set():
            raise UnreachableError(self.label, "not asked any more, since the run was stopped")

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        retry: bool | None = None,
        follow: bool = True,
        question: bool = False,
    ) -> requests.Response:
        """Send a request and return its answer, whatever its status.

        Redirects are followed for reads and on the same origin only; any other 3xx is returned as it is, so
        no credential ever reaches another host and no write turns into a read.

        Args:
            method: upper case.
            path: below the root URL, starting with ``/``, percent-encoded; it may hold a query.
            params: further query.
            data: body, or form fields.
            json: body to be sent as JSON.
            headers: further headers.
            retry: None = repeat reads, and writes that were surely not carried out (no connection, 429);
                True = the write may be carried out twice without harm; False = never repeat.
            follow: follow redirects of reads.
            question: whatever its method, it changes nothing: it is repeated, and fails, as a read does.

        Raises:
            UnreachableError: no connection, or no answer to a read.
            AnswerLostError: a write went out and its answer did not come (502 and 504 of a proxy included).
            ServerError: too many redirects.
        """
        if not path.startswith("/"):
            # Glued to the root URL it would be another host, which must not get our credentials.
            raise ValueError("a path starts with a slash")
        call = _Call(self, method, retry, method in _READS or question)
        target = self.url + path
        for _ in range(_MAX_REDIRECTS + 1):
            response = call.answer(target, params=params, data=data, json=json, headers=headers)
            location = redirect_target(response) if follow and method in _READS else None
            if location is None or not same_origin(location, self.url):
                return response
            target, params = location, None
        raise ServerError(self.label, f"{method} {hide_query(path)} is redirected in a circle")

    def exchange(self, method: str, url: str, **arguments: Any) -> requests.Response:
        """One request on the wire, without retries: paced, counted, logged.

        Raises:
            UnreachableError: interrupted before it was sent. Other errors are those of requests.
        """
        self._pacer.take()
        response = None
        try:
            self.pause(0)
            with self._lock:
                self.requests_sent += 1
            started = time.monotonic()
            response = self.session.request(
                method,
                url,
                **arguments,
                auth=self._auth,
                timeout=(min(_CONNECT_TIMEOUT, self._timeout), self._timeout),
                verify=self._verify,
                allow_redirects=False,
            )
        finally:
            self._pacer.done(response)
        self._answered = True
        self._note(method, response.url, str(response.status_code), started)
        return response

    def _note(self, method: str, url: str, outcome: str, started: float) -> None:
        if log.isEnabledFor(logging.DEBUG):
            parts = urlsplit(url)
            path = hide_query(urlunsplit(("", "", parts.path, parts.query, "")))
            milliseconds = (time.monotonic() - started) * 1000
            log.debug("%s %s %s %.0f ms", method, self.redactor.clean(path), outcome, milliseconds)

    def diagnose(self, error: Exception) -> Failure:
        """What a failed :meth:`exchange` means."""
        return diagnose(error, self._timeout)

    def refused(self, response: requests.Response) -> bool:
        """Whether the server said "later" without carrying the request out."""
        return response.status_code == 429 or self._busy(response)

    def asked_wait(self, response: requests.Response) -> float:
        """Seconds that this refusal asks to wait."""
        return advised_wait(response, self._clock()) if response.status_code == 429 else _BACK_OFF[0]

    def hold(self, seconds: float) -> None:
        """Let all workers wait."""
        log.debug("%s asks to wait %.0f s", self.label, seconds)
        self._pacer.hold(seconds)

    def back_off(self, attempt: int, response: requests.Response | None = None) -> None:
        """Wait before attempt number ``attempt + 1``. Raises UnreachableError when interrupted."""
        seconds = _BACK_OFF[attempt]
        if response is not None and "Retry-After" in response.headers:
            seconds = min(advised_wait(response, self._clock()), 10.0)
            words = f"answers {response.status_code} and asks to wait, trying again at {{until}}"
            self._announcer.about(seconds, words)
        self.pause(seconds)

    @property
    def verifies_tls(self) -> bool:
        """Whether the server has to prove who it is."""
        return self._verify is not False

    @property
    def patience(self) -> int:
        """How often a request without connection is repeated: once, when the server never answered at all."""
        return len(_BACK_OFF) if self._answered else 1


class _Call:
    """One request with its retries."""

    def __init__(self, http: Http, method: str, retry: bool | None, reads: bool) -> None:
        self._http = http
        self._method = method
        self._reads = reads
        self._may_repeat = retry is not False
        self._harmless = reads or retry is True
        self._attempts = 0
        self._refusals = 0
        self._held = 0.0

    def answer(self, url: str, **arguments: Any) -> requests.Response:
        while True:
            try:
                response = self._http.exchange(self._method, url, **arguments)
            except (requests.RequestException, OSError, ValueError) as error:
                self._no_answer(error, url)
                continue
            if not self._repeat(response):
                self._check_lost(response, url)
                return response

    def _no_answer(self, error: Exception, url: str) -> None:
        """Wait before another try, or raise."""
        failure = self._http.diagnose(error)
        limit = failure.repeats if failure.sent else min(failure.repeats, self._http.patience)
        safe = self._may_repeat and (self._harmless or not failure.sent)
        if not safe or self._attempts >= limit:
            self._fail(failure, url)
        try:
            self._http.back_off(self._attempts)
        except UnreachableError:  # interrupted: what happened to this request is the truer reason
            self._fail(failure, url)
        self._attempts += 1

    def _fail(self, failure: Failure, url: str) -> NoReturn:
        what = f"{self._method} {hide_query(urlsplit(url).path)}"
        log.debug("%s failed: %s", what, failure.words)
        # The cause is cut off: its text quotes URLs and header values.
        if failure.sent and not self._reads:
            message = f"{failure.words} after {what} was sent; it may have been carried out"
            raise AnswerLostError(self._http.label, message, failure.hint) from None
        raise failure.as_error(self._http.label) from None

    def _repeat(self, response: requests.Response) -> bool:
        """Whether the answer calls for another try; has waited then."""
        if not self._may_repeat:
            return False
        if self._http.refused(response):
            seconds = self._http.asked_wait(response)
            self._refusals += 1
            self._held += seconds
            if self._refusals <= _LIMIT_TRIES and self._held <= _LIMIT_PATIENCE:
                self._http.hold(seconds)
                return True
        elif response.status_code in (502, 503, 504) and self._harmless and self._attempts < len(_BACK_OFF):
            self._http.back_off(self._attempts, response)
            self._attempts += 1
            return True
        return False

    def _check_lost(self, response: requests.Response, url: str) -> None:
        """A proxy's 502 or 504 to a write tells nothing about what the server behind it did."""
        if self._reads or response.status_code not in (502, 504):
            return
        said = f"{response.status_code} {brief(response, self._http.redactor)}".rstrip()
        raise AnswerLostError(
            self._http.label,
            f"{said} to {self._method} {hide_query(urlsplit(url).path)}; it may have been carried out",
            "a proxy in between gave up: look at the server, then run again",
            response.status_code,
        )


def hide_query(path: str) -> str:
    """``path`` with the values of query fields masked whose names sound like a secret."""
    return _SECRET_QUERY.sub(r"\1(secret)", path)


def _root_url(url: str) -> str:
    """``url`` without user info, query and trailing slash; InputError when it is no address of a server."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        shown = Redactor().clean(url)
        raise InputError([Problem(f"{shown!r} is not the URL of a server", hint="write https://HOST")])
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def _session(workers: int) -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=2, pool_maxsize=workers, pool_block=True)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update(
        {
            "User-Agent": f"configurator/{__version__}",
            "Accept": "*/*",
            # Servers translate their error texts; ours quote them.
            "Accept-Language": "en",
        }
    )
    # Cookies of one answer must not change the next request: each request stands for itself.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session
