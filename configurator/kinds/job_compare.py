"""Jobs compared: both sides brought into one form, by the controller where we may, here where we may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

from configurator.errors import ConfiguratorError
from configurator.kinds.xml import PARAMETER, claims, differences, lay_over
from configurator.model import Field, Key, Resource, Unchecked
from configurator.secret import MASK, Secret
from configurator.spec.expanded import WEBHOOK_TOKEN, Hook
from configurator.world.world import World
from configurator.xml import Element, parse, to_text

IN_CLEAR = "@@configurator:in-clear@@"
"""What the script ``inventory`` prints for a token that it found in clear on the controller's disk."""
_AT_ONCE = 500  # jobs in one request to the script console, which holds one of the controller's threads meanwhile


@dataclass(frozen=True, slots=True)
class JobBody:
    """A job.

    Attributes:
        xml: wanted: what the template rendered, mark in, secret as a placeholder. Found: as it was read.
        cls: class of the item.
        hook: the webhook that starts it.
        project: gitlab entry and project path that its token is derived from; None without a trigger.
        token: wanted, once its project is known: the token of that webhook.
        build_on_create: build it once when it is made.
        seen: the form to compare: both sides normalised alike; None = the controller found them equal.
    """

    xml: str = field(repr=False)  # as it was read, it may hold a token in clear
    cls: str
    hook: Hook | None = None
    project: tuple[str, str] | None = None
    token: Secret | None = None
    build_on_create: bool = False
    seen: Element | None = None

    @property
    def has_parameters(self) -> bool:
        """Whether it takes parameters, in which case a plain build is refused (contract, fact 8)."""
        return "<parameterDefinitions>" in self.xml


@dataclass(frozen=True, slots=True)
class Compared:
    """Jobs in one form: pairs of wanted and existing to take the place of those given; what could not be compared."""

    pairs: Sequence[tuple[Resource[JobBody], Resource[JobBody]]]
    unchecked: tuple[Unchecked, ...] = ()
    warnings: tuple[str, ...] = ()


def compare(wanted: Sequence[Resource[JobBody]], existing: Mapping[Key, Resource[JobBody]], world: World) -> Compared:
    """Bring both sides of every job into one form: by the controller itself where we may, here otherwise.

    A job that says on the controller's disk already all that is wanted is left out: it is the same in any form, and
    in most plans that is nearly every job.
    """
    administer = world.inventory.administer
    overlaid, warnings, unreadable = {}, [], []
    for one in wanted:
        try:
            live = parse(existing[one.key].body.xml)
        except ConfiguratorError as error:  # one damaged file must not hide the others
            unreadable.append(Unchecked(one.key.kind, one.key.name, f"its config.xml: {error.message}", True))
            continue
        mine = parse(one.body.xml)
        claimed = claims(live)
        merged = lay_over(mine, live, claimed)
        _forget_others_tokens(merged)
        left_alone = ", ".join(_left_to_jenkinsfile(mine, live, claimed))
        if left_alone:
            warnings.append(
                f"job {one.key.name}: its Jenkinsfile sets these itself, so they are left as they are: {left_alone}"
            )
        if not (administer and _is_on_disk(one, merged, live, world.salt)):
            overlaid[one.key] = merged
    left = [one for one in wanted if one.key in overlaid]
    if administer:
        compared = _compare_there(left, existing, overlaid, world)
    else:
        compared = _compare_here(left, existing, overlaid)
    return replace(compared, warnings=tuple(warnings), unchecked=(*unreadable, *compared.unchecked))


def _is_on_disk(wanted: Resource[JobBody], merged: Element, live: Element, salt: str) -> bool:
    """Whether ``live``, as the script ``inventory`` shows it, is ``merged`` already, the token's digest included."""
    token = wanted.body.token
    shown = f"{{digest:{token.digest(bytes.fromhex(salt))}}}" if token else ""
    for element in live.iter("secretToken"):
        if shown and element.text == shown:
            element.text = WEBHOOK_TOKEN
    return not differences(merged, live)


def _compare_there(
    wanted: Sequence[Resource[JobBody]],
    existing: Mapping[Key, Resource[JobBody]],
    overlaid: Mapping[Key, Element],
    world: World,
) -> Compared:
    if not wanted:
        return Compared(())
    jobs = [{"name": one.key.name, "xml": with_token(to_text(overlaid[one.key]), one)} for one in wanted]
    results = {}
    for start in range(0, len(jobs), _AT_ONCE):
        answer = world.jenkins.run("compare", {"salt": world.salt, "jobs": jobs[start : start + _AT_ONCE]})
        results.update({result["name"]: result for result in answer["results"]})
    pairs, unchecked = [], []
    for one in wanted:
        result, there = results[one.key.name], existing[one.key]
        if "error" in result:
            unchecked.append(
                Unchecked(one.key.kind, one.key.name, f"Jenkins can't read its XML: {result['error']}", True)
            )
            continue
        mine = live = None
        if "wanted" in result:
            mine, live = parse(result["wanted"]), parse(result["live"])
        elif IN_CLEAR in there.body.xml:
            mine, live = overlaid[one.key], deepcopy(overlaid[one.key])
        if live is not None:
            _tell_in_clear(live, there.body.xml)
        pairs.append((one.with_body(replace(one.body, seen=mine)), there.with_body(replace(there.body, seen=live))))
    return Compared(pairs, tuple(unchecked))


def _compare_here(
    wanted: Sequence[Resource[JobBody]], existing: Mapping[Key, Resource[JobBody]], overlaid: Mapping[Key, Element]
) -> Compared:
    """Without Administer a token can't be compared; only one found in clear is known to be wrong."""
    pairs = []
    for one in wanted:
        mine, there = overlaid[one.key], existing[one.key]
        live = parse(there.body.xml)
        _tell_readable_token(mine, live)
        body = replace(there.body, seen=live)
        known = one.body.token is None
        pairs.append((one.with_body(replace(one.body, seen=mine)), replace(there.with_body(body), secret_known=known)))
    return Compared(pairs)


def _tell_readable_token(mine: Element, live: Element) -> None:
    """Of our own token: what is encrypted or masked can't be compared, anything else stands in clear on the disk."""
    for wished in mine.iter("secretToken"):
        if wished.text != WEBHOOK_TOKEN:
            continue  # laid over from a trigger that the template does not speak of
        token = live.find(mine.getroottree().getelementpath(wished))
        if token is None or not token.text:
            continue
        if token.text.startswith("{AQA") or token.text == "********":
            wished.text = token.text
        else:
            token.text = IN_CLEAR


def _forget_others_tokens(merged: Element) -> None:
    """A GitLab trigger that the template does not speak of was read without its token: not ours to compare."""
    for token in list(merged.iter("secretToken")):
        parent = token.getparent()
        if parent is not None and token.text and (token.text == IN_CLEAR or token.text.startswith("{digest:")):
            parent.remove(token)


def _tell_in_clear(live: Element, as_read: str) -> None:
    """The controller's own form never shows that a token is in clear on the disk; what was read does."""
    if IN_CLEAR in as_read:
        for token in live.iter("secretToken"):
            token.text = IN_CLEAR


def _left_to_jenkinsfile(wanted: Element, live: Element, claimed: frozenset[str]) -> list[str]:
    """Paths of what the template wants otherwise than the job's own Jenkinsfile has it."""
    if not claimed:
        return []
    paths = {
        difference.path
        for difference in differences(wanted, live)
        if _is_claimed(difference, claimed) and not (difference.secret and difference.before)
    }
    ours = {name.text for name in wanted.iterfind(".//parameterDefinitions/*/name")}
    named = {name for one in claimed if one.startswith(PARAMETER) and (name := one.removeprefix(PARAMETER)) in ours}
    return sorted(paths | {f"parameter {name}" for name in named})


def _is_claimed(difference: Field, claimed: frozenset[str]) -> bool:
    short = {name.rpartition(".")[2] for name in claimed if not name.startswith(PARAMETER)}
    parts = {part.partition("[")[0] for part in difference.path.split("/")}
    triggers = "PipelineTriggersJobProperty" in short and difference.path.startswith("triggers")
    return triggers or bool(short & parts)


def shown(difference: Field) -> Field:
    """The field for people: the stand-ins of a token in words."""
    words = {IN_CLEAR: f"{MASK} in clear on the controller's disk", WEBHOOK_TOKEN: MASK}

    def word(value: str | None) -> str | None:
        for stand_in, text in words.items():
            value = value.replace(stand_in, text) if value else value
        return value

    return replace(difference, before=word(difference.before), after=word(difference.after))


def with_token(text: str, wanted: Resource[JobBody]) -> str:
    """The XML with the token in clear. For the controller's memory only, never for its disk."""
    token = wanted.body.token
    return text.replace(WEBHOOK_TOKEN, token.reveal() if token else "")
