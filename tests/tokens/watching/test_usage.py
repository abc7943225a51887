from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from configurator.kinds.credential import credential_key
from configurator.spec.expand import expand
from configurator.spec.loader import load
from configurator.tokens.watching.model import Users
from configurator.tokens.watching.usage import Usage, read_usage

SECRET = {"env": "X"}
SSH = {"kind": "ssh-key", "username": "git", "private_key": SECRET}
SPEC: dict[str, Any] = {
    "apiVersion": "configurator/v1",
    "name": "platform",
    "jenkins": {"url": "https://jenkins.example.com", "username": "u", "api_token": SECRET},
    "gitlab": [
        {
            "name": name,
            "url": f"https://{name}.example.com",
            "token": SECRET,
            "webhooks": {"secret": SECRET},
            "credential": {"id": f"{name}-token"},
        }
        for name in ("one", "two")
    ],
}
SCM = {"template": "pipeline-scm"}


@pytest.fixture
def usage_of(tmp_path: Path) -> Any:
    def read(**more: Any) -> Usage:
        path = tmp_path / "configurator.yaml"
        path.write_text(yaml.safe_dump({**SPEC, **more}))
        return read_usage(expand(load(path)))

    return read


def scm(name: str, credential: str, gitlab: str = "one") -> dict[str, Any]:
    """A job that clones with a credential."""
    return {
        "name": name,
        "gitlab": {"gitlab": gitlab, "project": "shop/payments"},
        "git": {"credential": credential},
        **SCM,
    }


def test_applications_hang_on_the_gitlab_they_name(usage_of: Any) -> None:
    usage = usage_of(
        applications=[
            {"name": "payments", "project": "shop/payments", "gitlab": "one"},
            {"name": "audit", "project": "shop/audit", "gitlab": "one"},
            {"name": "search", "project": "shop/search", "gitlab": "two"},
        ]
    )
    assert usage.gitlabs["one"].applications == ("audit", "payments")
    assert usage.gitlabs["two"].applications == ("search",)
    assert usage.gitlabs["one"].jobs == 2 * usage.gitlabs["two"].jobs > 0


def test_single_jobs_are_counted_beside_them(usage_of: Any) -> None:
    usage = usage_of(folders=[{"name": "tools"}], jobs=[scm("tools/nightly", "none")])
    assert usage.gitlabs == {"one": Users((), 1), "two": Users()}


def test_a_job_without_events_hangs_on_its_connection(usage_of: Any) -> None:
    silent = {**scm("quiet", "none"), "gitlab": {"gitlab": "two", "project": "a/b", "events": []}}
    assert usage_of(jobs=[silent]).gitlabs["two"].jobs == 1


def test_the_credential_of_a_gitlab_serves_what_hangs_on_it(usage_of: Any) -> None:
    usage = usage_of(
        applications=[
            {"name": "payments", "project": "shop/payments", "gitlab": "one"},
            {"name": "search", "project": "shop/search", "gitlab": "two"},
        ]
    )
    found = usage.credentials[credential_key(None, "one-token")]
    assert found.applications == ("payments",)
    assert found.gitlabs == ("one",)
    assert found.jobs == usage.gitlabs["one"].jobs


def test_a_credential_that_two_gitlabs_share(usage_of: Any) -> None:
    entries = [{**entry, "manage": False, "credential": {"id": "shared"}} for entry in SPEC["gitlab"]]
    usage = usage_of(gitlab=entries, jobs=[scm("first", "none"), scm("second", "none", "two")])
    assert usage.credentials[credential_key(None, "shared")] == Users((), 2, ("one", "two"))


def test_further_credentials_serve_the_jobs_that_name_them(usage_of: Any) -> None:
    usage = usage_of(
        credentials=[{"id": "ssh", **SSH}, {"id": "idle", **SSH}],
        applications=[
            {
                "name": "payments",
                "project": "shop/payments",
                "gitlab": "one",
                "git": {"url": "ssh", "credential": "ssh"},
            }
        ],
        jobs=[scm("nightly", "ssh"), scm("other", "somebody-elses")],
    )
    found = usage.credentials[credential_key(None, "ssh")]
    assert found.applications == ("payments",)
    assert found.jobs == usage.gitlabs["one"].jobs - 1
    assert usage.credentials[credential_key(None, "idle")] == Users()


def test_the_nearest_folder_s_credential_is_meant(usage_of: Any) -> None:
    usage = usage_of(
        folders=[{"name": "shop"}, {"name": "shop/team"}, {"name": "tools"}],
        credentials=[{"id": "ssh", **SSH}, {"id": "ssh", "folder": "shop", **SSH}],
        jobs=[scm("shop/team/deep", "ssh"), scm("shop/near", "ssh"), scm("tools/far", "ssh")],
    )
    assert usage.credentials[credential_key("shop", "ssh")].jobs == 2
    assert usage.credentials[credential_key(None, "ssh")].jobs == 1


def test_names_with_letters_that_xml_escapes(usage_of: Any) -> None:
    usage = usage_of(credentials=[{"id": "a&b<c", **SSH}], jobs=[scm("nightly", "a&b<c")])
    assert usage.credentials[credential_key(None, "a&b<c")].jobs == 1
