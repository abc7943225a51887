"""A job as far as webhooks are concerned, from its config.xml: what a catalogue does not tell without Administer."""

from __future__ import annotations

from configurator.clients.jenkins import JenkinsClient
from configurator.kinds.job import TRIGGER
from configurator.marks import read_mark
from configurator.webhooks.model import JobSeen
from configurator.xml import parse, root_class


def read_job(client: JenkinsClient, name: str) -> JobSeen:
    """The job as it is this very moment; its token is left out.

    Args:
        client: the controller.
        name: full name.

    Raises:
        ServerError: it can't be read: absent, invisible, a permission is missing, Jenkins is unreachable.
        ConfiguratorError: its config.xml is damaged.
    """
    return job_in(name, client.read_item(name))


def job_in(name: str, xml: str) -> JobSeen:
    """The job that a config.xml describes. Raises ConfiguratorError when it is no XML."""
    root = parse(xml)
    trigger = root.find(f".//{TRIGGER}")
    disabled = root.findtext("disabled")
    return JobSeen(
        name,
        root_class(xml),
        mark=read_mark(root.findtext("description")),
        disabled=None if disabled is None else disabled.strip() == "true",
        read=True,
        trigger=None
        if trigger is None
        else {str(one.tag): (one.text or "").strip() for one in trigger if len(one) == 0 and one.tag != "secretToken"},
    )
