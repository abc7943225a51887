"""URLs of webhooks as they stand in GitLab, where people and older programs wrote some of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from unicodedata import normalize
from urllib.parse import unquote, unquote_plus, urlsplit

UNREADABLE = "(a URL that can't be read)"

_MASKED = re.compile(r"\{[\w.-]+\}")
"""Where GitLab hides a part of a URL. In a job's name braces are percent-encoded, these are not."""

_AUTHORITY = re.compile(r"((?:[A-Za-z][A-Za-z0-9+.-]*:)?[/\\]*)([^/\\?#]*)(.*)", re.DOTALL)
_FIELD = re.compile(r"([?&;#])([^=&;#?]*)(=)([^&;#]*)")
_ENCODED_FIELD = re.compile(r"(%3F|%26|%3B)((?:(?!%3D|%26)[^=&;#?/])*)(%3D|=)((?:(?!%26)[^&;#/])*)", re.IGNORECASE)
"""A query that was encoded together with the path, so that it is none."""
_FURTHER_USER_INFO = re.compile(r"(//|%2F%2F)((?:(?!%2F)[^/?#])+)(@|%40)", re.IGNORECASE)
"""In a URL within the URL, such as one that a proxy is to forward to."""
_SOUNDS_SECRET = re.compile("token|secret|pass|pwd|key|auth|credential|sig|code|hmac|jwt|^pw$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """One job that a hook's URL may mean.

    Attributes:
        job: full name, decoded.
        works: the plugin's endpoint understands the URL so. False: written in the form of an item's page
            (``/job/a/job/b``, also below ``/project``), which the endpoint answers with 404 (contract, fact 22).
        flaw: what keeps it from working, for people, to go on after "its URL"; empty where it works.
    """

    job: str
    works: bool = True
    flaw: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL below one of Jenkins' root URLs says.

    Attributes:
        root: the root URL it is below, as it was given.
        current: that root is the present one, rather than a former address.
        readings: the jobs it may mean, likeliest first; empty where it names no job.
        other: what it calls beside a job's endpoint (``/github-webhook/``, ``/job/x/build``, or ``/``), or empty. Also
            where GitLab hides a part of the path (``/project/{name}``), so that nobody can tell the job.
        scheme: ``http`` or ``https``, in lower case.
        expected_scheme: the root's.
    """

    root: str
    current: bool
    readings: tuple[Reading, ...]
    other: str
    scheme: str
    expected_scheme: str

    @property
    def job(self) -> str | None:
        """Full name of the job that it means most likely."""
        return self.readings[0].job if self.readings else None


def job_of(url: str, roots: Iterable[str]) -> str | None:
    """Full name of the job that the plugin's endpoint starts for a hook's URL.

    None where it is below none of ``roots``, calls something else, or is written in the form of an item's page, which
    reaches no job (contract, fact 22). Scheme, user info, query, letter case of the host and slashes too many are
    put aside.
    """
    address = read_address(url, roots)
    if address is None or address.other or not address.readings:
        return None
    likeliest = address.readings[0]
    return likeliest.job if likeliest.works else None


def read_address(url: str, roots: Iterable[str]) -> Address | None:
    """What a hook's URL says about this Jenkins.

    Put aside: user info, query, fragment, letter case and final dot of the host, Unicode or punycode in it, ports that
    are the schemes' own, empty and dot segments, parameters of segments (``;…``). Where one root is below another, the
    longer one counts; else the first that fits.

    Args:
        url: as GitLab holds it, valid or not.
        roots: root URLs of this Jenkins, the present one first.

    Returns:
        The address; None where the URL is below no root, so calls something else than this Jenkins.
    """
    there = _split(url)
    if there is None:
        return None
    places = [(index, root, _root(root)) for index, root in enumerate(roots)]
    fitting = [(index, root, here) for index, root, here in places if here is not None and there.is_below(here)]
    if not fitting:
        return None
    index, root, here = max(fitting, key=lambda one: (len(one[2].path), -one[0]))
    forms, other = _forms(there.path[len(here.path) :])
    return Address(root, index == 0, _readings(forms), other, there.scheme, here.scheme)


@dataclass(frozen=True, slots=True)
class _Place:
    """A URL in parts that can be compared.

    Attributes:
        scheme: ``http`` or ``https``.
        site: host in lower case, Unicode and without a final dot; port, None for 80 and 443.
        path: segments as written, without those that mean nothing.
    """

    scheme: str
    site: tuple[str, int | None]
    path: tuple[str, ...]

    def is_below(self, root: _Place) -> bool:
        """Whether it is ``root`` or something on it, whatever the schemes."""
        if self.site != root.site or len(self.path) < len(root.path):
            return False
        return all(_decoded(ours) == _decoded(above) for ours, above in zip(self.path, root.path, strict=False))


@lru_cache(maxsize=64)
def _root(url: str) -> _Place | None:
    """The parts of a root URL: there are few, and each is compared with every hook."""
    return _split(url)


def _split(url: str) -> _Place | None:
    """The parts of a URL; None for one that no hook can be sent to."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # GitLab holds URLs that were never valid
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    # Moving from http to https changes the default port: to either means the same server.
    site = (_host(parts.hostname), None if port in (80, 443) else port)
    return _Place(parts.scheme, site, _segments(parts.path))


@lru_cache(maxsize=256)
def _host(name: str) -> str:
    name = unquote(name).rstrip(".")
    try:
        return str(ip_address(name))
    except ValueError:
        return normalize("NFKC", ".".join(_label(label) for label in name.lower().split(".")))


def _label(label: str) -> str:
    """One part of a host's name, punycode turned into what it stands for."""
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _segments(path: str) -> tuple[str, ...]:
    kept: list[str] = []
    for segment in path.split("/"):
        name = segment.partition(";")[0]  # a servlet container takes `;…` off before anybody sees it
        if _decoded(name) == "..":
            del kept[-1:]
        elif name and _decoded(name) != ".":
            kept.append(name)
    return tuple(kept)


def _decoded(segment: str) -> str:
    """Percent-encoding taken off once; bytes that are no UTF-8 are read as Latin-1, which old programs wrote."""
    if "%" not in segment:
        return segment
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        return unquote(segment, encoding="latin-1")


def _forms(path: Sequence[str]) -> tuple[list[Reading], str]:
    """The names that a path below the root may stand for, decoded once; and what it calls beside the endpoint."""
    names = [_decoded(segment) for segment in path]
    shown = ("/" + "/".join(names)).partition("?")[0]
    if any(_MASKED.search(segment) for segment in path):
        return [], shown
    if names[:1] == ["project"] and names[1:]:
        page, _ = _page(names[1:], to_the_end=True)
        return [Reading("/".join(names[1:])), *([_as_page("/".join(page))] if page else [])], ""
    page, rest = _page(names)
    if not page:
        return [], shown
    readings = [_as_page("/".join(page))]
    if not rest:
        return readings, ""
    return [*readings, _as_page("/".join(_page(names, to_the_end=True)[0]))], shown


def _as_page(job: str) -> Reading:
    return Reading(job, works=False, flaw=_IS_PAGE)


def _page(names: Sequence[str], to_the_end: bool = False) -> tuple[list[str], list[str]]:
    """The item that ``/job/a/view/V/job/b`` is the page of, and what follows: ``(["a", "b"], [])``.

    Args:
        names: segments.
        to_the_end: what is neither ``job`` nor ``view`` with a name is part of the item's name, too.
    """
    item: list[str] = []
    rest = list(names)
    while rest:
        if rest[0] == "job" and rest[1:]:
            item.append(rest[1])
            rest = rest[2:]
        elif rest[0] == "view" and rest[1:]:
            rest = rest[2:]
        elif to_the_end:
            item.append(rest.pop(0))
        else:
            break
    return item, rest


def _readings(forms: Iterable[Reading]) -> tuple[Reading, ...]:
    """The forms, then what they mean if somebody encoded them twice, or wrote their letters in another form."""
    flaws: dict[str, tuple[str, ...]] = {}
    for form in forms:
        name, query, _ = form.job.partition("?")  # no name has one: the query was encoded, too, which works nowhere
        if name:
            flaws.setdefault(name.rstrip("/"), tuple(one for one in (form.flaw, query and _HAS_QUERY) if one))
    for needed, change, flaw in _CHANGES:
        for name in [name for name in flaws if needed(name)]:
            other = "/".join(part for part in change(name).partition("?")[0].split("/") if part)
            if other:
                flaws.setdefault(other, tuple(dict.fromkeys((*flaws[name], flaw))))
    return tuple(Reading(name, not some, " and ".join(some)) for name, some in flaws.items())


def _is_encoded(name: str) -> bool:
    return "%" in name


def _has_plus(name: str) -> bool:
    return "+" in name


def _has_letters_in_forms(name: str) -> bool:
    return not name.isascii()


_IS_PAGE = "is that of an item's page"
_HAS_QUERY = "has its query encoded into the path"
_TWICE = "is percent-encoded twice"
_IN_FORMS = "writes letters in another Unicode form than the job's name"

_CHANGES: tuple[tuple[Callable[[str], bool], Callable[[str], str], str], ...] = (
    (_is_encoded, _decoded, _TWICE),
    (_is_encoded, _decoded, _TWICE),
    (_has_plus, lambda name: name.replace("+", " "), "writes blanks as +"),
    (_has_letters_in_forms, lambda name: normalize("NFC", name), _IN_FORMS),
    (_has_letters_in_forms, lambda name: normalize("NFD", name), _IN_FORMS),
)
"""Further readings: whether a name has one, which, and what is wrong with the URL where that is the job's name."""


def mask_user_info(url: str) -> str:
    """``url`` with user name and password replaced by stars; never raises."""
    url = _without_breaks(url)
    found = _AUTHORITY.match(url)
    assert found is not None, "it matches the empty text too"
    start, authority, rest = found.groups()
    _, at, host = authority.rpartition("@")
    if "@" in url and not _is_readable(url):  # where a password ends in it, nobody knows
        return UNREADABLE
    return f"{start}***@{host}{rest}" if at else url


def shown_url(url: str) -> str:
    """``url`` for people: user info and the values of query fields that sound like a secret masked; never raises."""

    def masked(field: re.Match[str]) -> str:
        start, name, equals, value = field.groups()
        plain = unquote_plus(value)
        ours = name == "key" and re.fullmatch("[0-9a-f]{8}", value) and "configurator=" in url  # our mark
        secret = _SOUNDS_SECRET.search(unquote_plus(name)) or ("@" in plain and "//" in plain)
        return f"{start}{name}{equals}***" if secret and value and not ours else field[0]

    shown = _ENCODED_FIELD.sub(masked, _FIELD.sub(masked, mask_user_info(url)))
    server = _AUTHORITY.match(shown)
    path = server.start(3) if server else 0
    return shown[:path] + _FURTHER_USER_INFO.sub(r"\1***\3", shown[path:])


def shown_server(url: str) -> str:
    """Where ``url`` leads, for people, and nothing of what it calls there; never raises.

    Chat systems and the like have the key in the path.
    """
    found = _AUTHORITY.match(mask_user_info(url))
    start, server, rest = found.groups() if found else ("", "", "")
    if not server or not start.endswith("//"):
        return UNREADABLE
    return f"{start}{server}/…" if rest.strip("/") else f"{start}{server}{rest}"


def _without_breaks(url: str) -> str:
    """Without what parsers of URLs overlook: white space at the ends, line breaks and tabs anywhere."""
    return "".join(url.split("\t")).replace("\r", "").replace("\n", "").strip()


def _is_readable(url: str) -> bool:
    try:
        _ = urlsplit(url).port
    except ValueError:
        return False
    return True
