"""The story on the embedded servers: from an empty Jenkins to builds, drift, an application removed, dead webhooks.

Every step is the command that a person would type, run for real.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from configurator.errors import ConfiguratorError
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox

Command = Callable[[Sequence[str]], int]
Print = Callable[[str], None]

PROJECTS = ("shop/payments", "shop/catalog", "shop/search")
_EDITED = "payments/MAIN-Build-payments"
_SECONDS = 10.0


def run(command: Command, out: Print, keep: bool = False) -> int:
    """Tell the story.

    Args:
        command: runs a configurator command, such as ``["plan", "-f", "…"]``, and returns its exit code.
        out: prints a text.
        keep: leave the servers running at the end, to be looked at in a browser.

    Returns:
        0 when every step ended as it should.

    Raises:
        ConfiguratorError: a step did not.
    """
    with ExitStack() as stack:
        gitlab = stack.enter_context(GitLabSandbox())
        jenkins = stack.enter_context(JenkinsSandbox(plugins=_without_the_gitlab_plugin()))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="configurator-demo-")))
        stack.enter_context(_environment(_prepare(jenkins, gitlab)))
        _Story(command, out, jenkins, gitlab, folder / "configurator.yaml").tell()
        if keep:
            out("Both servers go on running; Ctrl-C ends them.\n")
            threading.Event().wait()
    return 0


class _Story:
    def __init__(
        self, command: Command, out: Print, jenkins: JenkinsSandbox, gitlab: GitLabSandbox, spec: Path
    ) -> None:
        self.command = command
        self.out = out
        self.jenkins = jenkins
        self.gitlab = gitlab
        self.spec = spec
        self.step = 0

    def tell(self) -> None:
        self.out(
            "An embedded Jenkins and GitLab, on this machine only. Open them in a browser if you like:\n"
            f"  Jenkins {self.jenkins.url}\n  GitLab  {self.gitlab.url}\n"
        )
        self.write_spec()
        self.title("The spec: three applications. Is it in order?")
        self.out(_indented(_without_comments(self.spec.read_text(encoding="utf-8"))))
        self.type("validate")
        self.title("What would be done? Nothing is changed yet.")
        self.type("plan")
        self.title("Do it.")
        self.type("apply", "--yes")
        self.title("A second run finds nothing to do.")
        self.type("plan", "--detailed-exitcode")
        self.title("Somebody pushes to shop/payments.")
        self.push()
        self.title(f"Somebody edits {_EDITED} by hand. The plan names the one field.")
        self.edit_by_hand()
        self.type("plan", "--detailed-exitcode", expect=2)
        self.type("apply", "--yes")
        self.title("The application search leaves the spec; its webhooks go before its jobs.")
        self.write_spec(without="search")
        self.type("plan")
        self.type("apply", "--prune", "--yes")
        self.type("plan", "--detailed-exitcode")
        self.title("Two webhooks outlived their jobs, which another tool had made. What is there, and what works?")
        self.leave_behind()
        self.type("webhooks list")
        self.type("webhooks cleanup", "--backup", str(self.spec.with_name("backup.jsonl")), "--yes")
        self.title("Is everything connected, and until when?")
        self.type("status")
        hooks = sum(len(self.gitlab.hooks(path)) for path in PROJECTS)
        self.out(
            f"\nDone: {self.jenkins.count()} requests to Jenkins, {self.gitlab.count()} to GitLab in all, "
            f"{hooks} webhooks are left, none of them an orphan.\n"
        )

    def title(self, text: str) -> None:
        self.step += 1
        self.out(f"\n── {self.step}. {text}\n\n")

    def type(self, command: str, *options: str, expect: int = 0) -> None:
        self.out(f"$ configurator {' '.join((command, *options))}\n")
        code = self.command([*command.split(), "-f", str(self.spec), *options])
        if code != expect:
            raise ConfiguratorError(f"the demo stops: `configurator {command}` ended with {code}, not {expect}")

    def write_spec(self, without: str = "") -> None:
        """The quick start's spec with the addresses of the servers; ``without`` is its last application."""
        text = _quickstart().read_text(encoding="utf-8")
        text = text.replace("https://jenkins.example.com", self.jenkins.url)
        text = text.replace("https://gitlab.example.com", self.gitlab.url)
        if without:
            text = text.partition(f"  - name: {without}\n")[0]
        self.spec.write_text(text, encoding="utf-8")

    def push(self) -> None:
        before = len(self.jenkins.builds)
        self.gitlab.push("shop/payments", "main")
        self.gitlab.wait_deliveries(_SECONDS)
        end = time.monotonic() + _SECONDS
        while len(self.jenkins.builds) == before and time.monotonic() < end:
            time.sleep(0.05)
        for delivery in self.gitlab.deliveries()[:1]:
            self.out(f"GitLab delivered a push to {delivery.url} and got {delivery.response_status}.\n")
        started = self.jenkins.builds[before:]
        for build in started:
            self.out(f"Jenkins builds {build.job} #{build.number}: {build.cause}.\n")
        if not started:
            raise ConfiguratorError("the demo stops: the push started no build")

    def edit_by_hand(self) -> None:
        def untick(job: object) -> None:
            for field in job.iter("triggerOnPush"):  # type: ignore[attr-defined]
                field.text = "false"

        self.jenkins.edit(_EDITED, untick)

    def leave_behind(self) -> None:
        for job in ("legacy/build", "legacy/review"):
            self.gitlab.add_hook("shop/payments", f"{self.jenkins.url}/project/{job}", push_events=True)


def _prepare(jenkins: JenkinsSandbox, gitlab: GitLabSandbox) -> Mapping[str, str]:
    """Projects, a token, and the three variables that the spec reads."""
    bot = gitlab.add_user("platform-bot")
    for path in PROJECTS:
        gitlab.add_project(path, members={bot.username: 40}, branches=["main", "release/2.x"])
    return {
        "JENKINS_API_TOKEN": jenkins.users["admin"].api_token,
        "GITLAB_TOKEN": gitlab.add_token(bot, ["api"], name="platform").value,
        "WEBHOOK_SECRET": "a key that only the platform team knows",
    }


def _without_the_gitlab_plugin() -> dict[str, str]:
    from configurator.sandbox.jenkins.plugins import INSTALLED

    return {plugin: version for plugin, version in INSTALLED.items() if plugin != "gitlab-plugin"}


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _quickstart() -> Path:
    """The example that the demo runs: beside the package in a checkout, inside it in a wheel."""
    here = Path(__file__).parent
    packaged = here / "_examples" / "quickstart" / "configurator.yaml"
    return packaged if packaged.is_file() else here.parent / "examples" / "quickstart" / "configurator.yaml"


def _without_comments(text: str) -> str:
    lines = [line.partition("  #")[0].rstrip() for line in text.splitlines() if not line.startswith("#")]
    return "\n".join(lines) + "\n"


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in text.splitlines())
