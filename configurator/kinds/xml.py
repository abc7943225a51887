"""Jenkins' XML: what a template speaks of, laid over what is there, and the differences.

The rule of both: **what the template does not speak of is not ours.** A field that the wanted XML lacks is kept and
never counted; a list that the wanted XML has is ours whole, so an element more or fewer counts. Job properties are
the exception: of that list only the classes that the template writes are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy

from lxml import etree

from configurator.errors import ConfiguratorError
from configurator.model import Field
from configurator.secret import MASK
from configurator.xml import Element

PROPERTIES = "properties"
TRIGGERS_PROPERTY = "org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty"
RUN_TIME = "actions"

# Elements that hold a list whatever stands in them; other lists are known by their children.
_LISTS = frozenset(
    (
        *("triggers", "builders", "publishers", "buildWrappers", "parameterDefinitions", "choices"),
        *("userRemoteConfigs", "branches", "extensions", "submoduleCfg", "traits", "libraries", "data"),
        *("columns", "jobFilters", "jobNames", "folderViews", "views"),
    )
)
_PARAMETERS = "parameterDefinitions"
PARAMETER = "parameter:"
_SECRET_TAGS = frozenset(("secretToken", "password", "apiToken", "secret", "privateKey", "passphrase", "token"))
_DIGEST = re.compile(r"\{digest:(?P<hex>[0-9a-f]+)\}")
_CIPHERTEXT = re.compile(r"\{AQA[A-Za-z0-9+/=]+\}")
_STAND_IN = re.compile(r"@@configurator:[a-z-]+@@")
# What must never be written to a controller: stand-ins for secrets that were read redacted (contract, fact 3).
# Stars count only where they are an element's whole text: a script may hold a row of them.
_REDACTED = re.compile(r"\{digest:[0-9a-f]|@@configurator:|(?<=>)\*{8}(?=<)|<secret-redacted")


def refuse_redacted(text: str) -> str:
    """``text``, if no stand-in for a secret is left in it.

    Raises:
        ConfiguratorError: writing it would blank a secret (contract, fact 3).
    """
    found = _REDACTED.search(text)
    if found:
        raise ConfiguratorError(
            f"refused to write XML that holds {found[0]!r}: it would blank a secret",
            "grant the user Job/Configure, so that it reads what is there unredacted",
        )
    return text


def set_description(root: Element, description: str) -> None:
    """Set the root's description, making the element first among its siblings where it is missing."""
    element = root.find("description")
    if element is None:
        element = etree.Element("description")
        root.insert(1 if len(root) and root[0].tag in ("name", RUN_TIME) else 0, element)
    element.text = description


def lay_over(wanted: Element, live: Element, claimed: Iterable[str] = ()) -> Element:
    """A copy of ``wanted``, completed by what ``live`` has and ``wanted`` does not speak of.

    Args:
        wanted: what the template rendered.
        live: what is on the server.
        claimed: classes of properties and triggers that the job's own Jenkinsfile sets: taken from ``live``.
    """
    merged = deepcopy(wanted)
    _complete(merged, live, frozenset(claimed))
    return merged


def _complete(wanted: Element, live: Element, claimed: frozenset[str]) -> None:
    if not len(wanted) and not len(live):
        return  # two texts: ours counts
    if wanted.get("class") != live.get("class"):
        return
    if wanted.tag == PROPERTIES:
        _complete_properties(wanted, live, claimed)
    elif _is_list(wanted, live):
        _complete_list(wanted, live, claimed)
    elif len(live):
        _complete_object(wanted, live, claimed)


def _complete_object(wanted: Element, live: Element, claimed: frozenset[str]) -> None:
    if wanted.text and wanted.text.strip():
        return
    for child in live:
        mine = wanted.find(_name(child))
        if mine is None:
            wanted.append(deepcopy(child))
        else:
            _complete(mine, child, claimed)


def _complete_list(wanted: Element, live: Element, claimed: frozenset[str]) -> None:
    for mine, theirs in _pairs(wanted, live):
        if mine is not None and theirs is not None:
            _complete(mine, theirs, claimed)
    _take_claimed(wanted, live, claimed)


def _complete_properties(wanted: Element, live: Element, claimed: frozenset[str]) -> None:
    for mine, theirs in _pairs(wanted, live):
        if theirs is None:
            continue
        if mine is None:
            if not _has(wanted, _name(theirs)):
                wanted.append(deepcopy(theirs))
        else:
            _complete(mine, theirs, claimed)
    _take_claimed(wanted, live, claimed)


def _take_claimed(wanted: Element, live: Element, claimed: frozenset[str]) -> None:
    """What a Jenkinsfile claims is as the Jenkinsfile left it: ours out, theirs in.

    Parameters come first, since a Declarative Pipeline puts its own before all others.
    """
    for child in list(wanted):
        if _claim(child) in claimed:
            wanted.remove(child)
    theirs = [deepcopy(child) for child in live if _claim(child) in claimed]
    if _name(wanted) == _PARAMETERS:
        wanted[:0] = theirs
    else:
        wanted.extend(theirs)


def _claim(element: Element) -> str:
    """How :func:`claims` calls an element of a list: a parameter by its name, anything else by its class."""
    parent = element.getparent()
    if parent is not None and _name(parent) == _PARAMETERS:
        return PARAMETER + element.findtext("name", "")
    return _name(element)


def differences(wanted: Element, live: Element) -> list[Field]:
    """How ``live`` differs from ``wanted``, in ``wanted``'s order. Secrets are shown by fingerprint only."""
    return list(_differ(wanted, live, ()))


def _differ(wanted: Element, live: Element, path: tuple[str, ...]) -> Iterator[Field]:
    if wanted.get("class") != live.get("class"):
        yield Field(_join((*path, "@class")), live.get("class"), wanted.get("class"))
        return
    if not len(wanted) and not len(live):
        yield from _differ_text(wanted, live, path)
    elif wanted.tag == PROPERTIES or _is_list(wanted, live):
        yield from _differ_list(wanted, live, path)
    else:
        for child in wanted:
            theirs = live.find(_name(child))
            yield from _differ_child(child, theirs, (*path, _name(child)))


def _differ_child(mine: Element | None, theirs: Element | None, path: tuple[str, ...]) -> Iterator[Field]:
    if mine is not None and theirs is not None:
        yield from _differ(mine, theirs, path)
    elif mine is not None:
        if len(mine) or _text(mine):
            yield Field(_join(path), None, _show(mine))
    elif theirs is not None:
        yield Field(_join(path), _show(theirs), None)


def _differ_list(wanted: Element, live: Element, path: tuple[str, ...]) -> Iterator[Field]:
    seen: dict[str, int] = {}
    for mine, theirs in _pairs(wanted, live):
        element = mine if mine is not None else theirs
        assert element is not None
        name = _name(element)
        seen[name] = seen.get(name, 0) + 1
        if mine is None and wanted.tag == PROPERTIES and not _has(wanted, name):
            continue
        label = name if seen[name] == 1 else f"{name}[{seen[name]}]"
        yield from _differ_child(mine, theirs, (*path, label))


def _differ_text(wanted: Element, live: Element, path: tuple[str, ...]) -> Iterator[Field]:
    before, after = _text(live), _text(wanted)
    if before == after:
        return
    secret = _is_secret(wanted) or _is_secret(live)
    yield Field(_join(path), _show(live), _show(wanted), secret=secret)


def _pairs(wanted: Element, live: Element) -> Iterator[tuple[Element | None, Element | None]]:
    """Elements of two lists, matched by name and by their place among those of the name."""
    rest: dict[str, list[Element]] = {}
    for child in live:
        rest.setdefault(_name(child), []).append(child)
    for mine in wanted:
        others = rest.get(_name(mine), [])
        yield mine, others.pop(0) if others else None
    for others in rest.values():
        for theirs in others:
            yield None, theirs


def _is_list(wanted: Element, live: Element) -> bool:
    if _name(wanted) in _LISTS:
        return True
    for element in (wanted, live):
        names = {_name(child) for child in element}
        if len(names) < len(element) or any("." in name for name in names):
            return True
    return False


def _has(parent: Element, name: str) -> bool:
    return any(_name(child) == name for child in parent)


def _name(element: Element) -> str:
    return str(element.tag)


def _text(element: Element) -> str:
    return (element.text or "").replace("\r\n", "\n")


def _is_secret(element: Element) -> bool:
    return _name(element) in _SECRET_TAGS or bool(_DIGEST.search(_text(element)) or _CIPHERTEXT.search(_text(element)))


def _show(element: Element) -> str:
    """The value of ``element`` for people; a secret by the head of its digest."""
    if not len(element):
        if not _is_secret(element):
            return _text(element)
        found = _DIGEST.search(_text(element))
        if found:
            return f"{MASK} {found['hex'][:8]}"
        return _text(element) if _STAND_IN.fullmatch(_text(element)) else MASK if _text(element) else ""
    copy = deepcopy(element)
    for leaf in copy.iter():
        if isinstance(leaf.tag, str) and not len(leaf) and _is_secret(leaf):
            leaf.text = _show(leaf)
        if "plugin" in leaf.attrib:
            del leaf.attrib["plugin"]
    return etree.tostring(copy, encoding="unicode", with_tail=False)


def _join(path: tuple[str, ...]) -> str:
    """The path for people: class names short, a Pipeline's triggers where a freestyle job has them."""
    if path[:2] == (PROPERTIES, TRIGGERS_PROPERTY):
        path = path[2:] or path
    return "/".join(part.rpartition(".")[2] if not part.startswith("@") else part for part in path)


def claims(live: Element) -> frozenset[str]:
    """What the job's own Jenkinsfile sets, from its run-time state.

    Source: contract, fact 16 (elements named ``*JobPropertyTrackerAction`` under the root's ``actions``). A
    Declarative Pipeline lists its ``parameters`` there by name, its ``options`` by symbol (never seen in the XML).

    Returns:
        Element names of properties and triggers; single parameters as ``parameter:NAME``.
    """
    actions = live.find(RUN_TIME)
    found: set[str] = set()
    for action in actions if actions is not None else ():
        if _name(action).endswith("JobPropertyTrackerAction"):
            found.update(PARAMETER + _text(leaf) for leaf in action.iterfind("parameters/string"))
            classes = (leaf for group in action if _name(group) != "parameters" for leaf in group.iter("string"))
            found.update(_element_name(text) for leaf in classes if "." in (text := _text(leaf)))
    return frozenset(found)


def _element_name(cls: str) -> str:
    """How XStream writes the name of a class."""
    return cls.replace("_", "__").replace("$", "_-")
