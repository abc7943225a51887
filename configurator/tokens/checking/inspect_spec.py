"""Everything that a spec connects, looked at: its GitLabs, the tokens for Jenkins, and Jenkins itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from configurator.clients.gitlab import GitLabClient
from configurator.errors import InputError, Problem, UnauthorisedError
from configurator.run import Run
from configurator.secret import Secret
from configurator.spec.models import GitLab
from configurator.spec.suggest import all_names
from configurator.tokens.checking.evidence import HOOKS, PLUGIN, READING
from configurator.tokens.checking.inspect_gitlab import inspect_gitlab
from configurator.tokens.checking.inspect_jenkins import inspect_jenkins
from configurator.tokens.checks import Check, Verdict

_ALL_AT_ONCE = 8
_OF_THE_TOKEN = frozenset(("token", "scopes", "expiry", "role", "reach"))


def inspect_spec(run: Run, names: Sequence[str] = (), *, min_days: int = 0) -> list[Check]:
    """Look at the GitLabs of a spec with the tokens it names, and at its Jenkins. Changes nothing.

    Args:
        run: the spec with its servers.
        names: gitlab entries; empty = all.
        min_days: fewer days left on a token than this are a failure.

    Returns:
        The checks of each gitlab entry, of the token that Jenkins uses where it is another one, and of Jenkins.

    Raises:
        InputError: there is no gitlab entry of such a name.
    """
    entries = _chosen(run, names)
    looks: list[Callable[[], list[Check]]] = [partial(_entry, run, entry, min_days) for entry in entries]
    looks += [partial(_credential, run, entry, min_days) for entry in entries]
    looks.append(partial(inspect_jenkins, run.world, names={entry.name for entry in entries}))
    with ThreadPoolExecutor(min(len(looks), _ALL_AT_ONCE), thread_name_prefix="check") as pool:
        try:
            return [check for found in pool.map(lambda look: look(), looks) for check in found]
        except BaseException:
            run.world.interrupt()  # nobody waits for what is still under way
            raise


def _chosen(run: Run, names: Sequence[str]) -> list[GitLab]:
    known = {entry.name: entry for entry in run.loaded.spec.gitlab}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(
            [Problem(f"there is no gitlab entry {name!r}", hint=all_names(name, known)) for name in unknown]
        )
    return [known[name] for name in names] if names else list(known.values())


def _entry(run: Run, entry: GitLab, min_days: int) -> list[Check]:
    """The GitLab, and the token that configurator uses."""
    client = run.world.gitlabs[entry.name]
    paths = run.world.project_paths(entry.name)
    need = HOOKS if entry.credential.token is None or _hooked(run, entry) else READING
    return inspect_gitlab(client, f"gitlab:{entry.name}", paths, min_days=min_days, need=need)


def _hooked(run: Run, entry: GitLab) -> bool:
    """Whether the spec wants webhooks there."""
    return any(key.kind == "webhook" and key.name.startswith(f"{entry.name}:") for key in run.desired)


def _credential(run: Run, entry: GitLab, min_days: int) -> list[Check]:
    """The token that Jenkins uses: whether the plugin can use its kind, and all else where it is another one."""
    subject = f"credential:{entry.credential.id}"
    reference = entry.credential.token or entry.token
    if run.secrets.is_oauth(reference):
        return [oauth_for_jenkins(subject)]
    if entry.credential.token is None or not entry.manage:
        return []
    secret = run.secrets.get(reference)
    run.redactor.learn(secret)
    if secret.matches(run.secrets.get(entry.token)):
        return []
    try:
        client = _client(run, entry, secret)
    except UnauthorisedError as error:
        return [Check(subject, "token", Verdict.FAIL, error.reason, error.hint)]
    try:
        paths = run.world.project_paths(entry.name)
        checks = inspect_gitlab(client, subject, paths, min_days=min_days, need=PLUGIN)
    finally:
        client.close()
    return [check for check in checks if check.check in _OF_THE_TOKEN or check.verdict is Verdict.FAIL]


def oauth_for_jenkins(subject: str) -> Check:
    """Jenkins is to use an OAuth token, which can't work (contract, behaviour 15 and 19)."""
    evidence = (
        "it is an OAuth token: Jenkins' plugin sends it as PRIVATE-TOKEN, where GitLab refuses OAuth, "
        "and it would be dead after two hours"
    )
    cure = "name a personal, project or group access token under credential.token of the gitlab entry"
    return Check(subject, "credential", Verdict.FAIL, evidence, cure)


def _client(run: Run, entry: GitLab, token: Secret) -> GitLabClient:
    verify: bool | str = entry.ssl_verification
    if verify and entry.ca_file:
        verify = str(run.loaded.base / Path(entry.ca_file).expanduser())
    return GitLabClient(
        entry.name, entry.url, token, workers=1, redactor=run.redactor, timeout=entry.timeout, verify=verify
    )
