"""Views and credentials, of the controller and of folders."""

from __future__ import annotations

import pytest
from jenkins_calls import FOLDER, FREESTYLE, VIEW, Caller, gitlab_token

from configurator.sandbox.jenkins import JenkinsSandbox

STORE = "/credentials/store/system/domain/_"
UP = "com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl"
DOMAIN = "com.cloudbees.plugins.credentials.domains.Domain"
LISTED = "tree=views[name]"


def names(caller: Caller, path: str = "") -> list[str]:
    return [view["name"] for view in caller("GET", f"{path}/api/json?{LISTED}").json()["views"]]


def test_a_views_life(jenkins: JenkinsSandbox, admin: Caller) -> None:
    for name in ("MAIN-a", "DEV-b"):
        admin.create(name, FREESTYLE)
    xml = VIEW.replace("<include", "<description>d</description><name>ignored</name><include")
    assert admin("POST", "/createView?name=V", xml).status_code == 200
    assert names(admin) == ["V", "all"]
    text = admin("GET", "/view/V/config.xml").text
    assert text.startswith('<?xml version="1.1" encoding="UTF-8"?>\n<hudson.model.ListView>\n  <name>V</name>')
    assert "<hudson.views.StatusColumn/>" in text
    assert '<comparator class="java.lang.String$CaseInsensitiveComparator"/>' in text
    shown = admin("GET", "/view/V/api/json?tree=description,jobs[name],url").json()
    assert [job["name"] for job in shown["jobs"]] == ["MAIN-a"]
    assert shown["url"] == f"{jenkins.url}/view/V/"
    changed = VIEW.replace("MAIN-.*", "DEV-.*").replace("<include", "<columns/><recurse>true</recurse><include")
    assert admin("POST", "/view/V/config.xml", changed).status_code == 200
    assert "<columns/>" in admin("GET", "/view/V/config.xml").text
    assert admin("POST", "/view/V/submitDescription", {"description": "new"}).headers["Location"] == "/view/V/"
    assert "<name>V</name>\n  <description>new</description>" in admin("GET", "/view/V/config.xml").text
    assert admin("POST", "/view/V/submitDescription", {"description": "newer"}).status_code == 302
    assert admin("DELETE", "/view/V").status_code == 204
    assert names(admin) == ["all"]


@pytest.mark.parametrize(
    ("name", "xml", "status"),
    [
        ("a%2Fb", VIEW, 400),
        ("", VIEW, 400),
        ("all", VIEW, 400),
        ("v", "<oops", 500),
        ("v", FREESTYLE, 500),
        ("v", "<hudson.model.ListView><includeRegex>(</includeRegex></hudson.model.ListView>", 500),
    ],
)
def test_views_that_are_refused(admin: Caller, name: str, xml: str, status: int) -> None:
    assert admin("POST", f"/createView?name={name}", xml).status_code == status


def test_changes_of_views_that_are_refused(admin: Caller) -> None:
    admin("POST", "/createView?name=V", VIEW)
    assert admin("POST", "/view/V/config.xml", "<hudson.model.AllView/>").status_code == 500
    assert admin("POST", "/view/all/doDelete").status_code == 500
    assert admin("GET", "/view/V/doDelete").status_code == 405
    assert admin("PUT", "/view/V/config.xml", VIEW).status_code == 405


def test_a_view_shows_what_it_names_and_can_look_below(admin: Caller) -> None:
    admin.create("f", f"<{FOLDER}/>")
    admin.create("MAIN-a", FREESTYLE, "/job/f")
    admin.create("other", FREESTYLE, "/job/f")
    xml = (
        "<hudson.model.ListView><jobNames><string>other</string></jobNames><includeRegex>f/MAIN.*</includeRegex>"
        "<recurse>true</recurse></hudson.model.ListView>"
    )
    admin("POST", "/job/f/createView?name=V", xml.replace("f/", ""))
    admin("POST", "/createView?name=V", xml)
    tree = "api/json?tree=jobs[fullName]"
    assert [job["fullName"] for job in admin("GET", f"/job/f/view/V/{tree}").json()["jobs"]] == ["f/MAIN-a", "f/other"]
    assert [job["fullName"] for job in admin("GET", f"/view/V/{tree}").json()["jobs"]] == ["f/MAIN-a"]
    assert [job["fullName"] for job in admin("GET", f"/view/all/{tree}").json()["jobs"]] == ["f"]


def test_the_limited_user_makes_views_with_the_folder(admin: Caller, limited: Caller) -> None:
    xml = f"<{FOLDER}><folderViews><views>{VIEW.replace('<inc', '<name>V</name><inc')}</views></folderViews></{FOLDER}>"
    limited.create("f", xml)
    assert names(limited, "/job/f") == []
    assert names(admin, "/job/f") == ["V"]
    assert "<name>V</name>" in limited("GET", "/job/f/config.xml").text
    admin("POST", "/job/f/submitDescription", {"description": "d"})
    text = limited("GET", "/job/f/config.xml").text
    assert f'<owner class="{FOLDER}" reference="../../../.."/>' in text
    assert "<description>d</description>" in admin("GET", "/job/f/view/V/config.xml").text
    assert admin("GET", "/job/f/api/json").json()["description"] is None, "it describes the primary view"
    assert limited("POST", "/job/f/config.xml", text).status_code == 200
    assert names(admin, "/job/f") == ["V"]
    assert admin("POST", "/job/f/view/V/doDelete").status_code == 500


def test_an_empty_view_holder_gets_a_view(admin: Caller) -> None:
    admin.create("f", f"<{FOLDER}><folderViews><views/></folderViews></{FOLDER}>")
    assert names(admin, "/job/f") == ["All"]


def test_credentials_of_each_kind(jenkins: JenkinsSandbox, admin: Caller) -> None:
    ssh = "com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey"
    text = "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl"
    posted = [
        gitlab_token("a", description=""),
        f"<{UP}><id>b</id><username>u</username><password>pw</password><usernameSecret>x</usernameSecret></{UP}>",
        f"<{text}><scope>GLOBAL</scope><id>c</id><secret>value</secret></{text}>",
        f"<{ssh}><id>d</id><username>git</username><passphrase>pp</passphrase>"
        f'<privateKeySource class="{ssh}$DirectEntryPrivateKeySource"><privateKey>KEY\n</privateKey>'
        f"</privateKeySource></{ssh}>",
        f"<{UP}><scope>GLOBAL</scope></{UP}>",
        f"<{UP}/>",
    ]
    for xml in posted:
        assert admin("POST", f"{STORE}/createCredentials", xml).status_code == 200
    listed = admin("GET", f"{STORE}/api/json?tree=credentials[id,displayName,typeName]").json()["credentials"]
    assert [one["displayName"] for one in listed[:4]] == ["GitLab API token", "u/******", "c", "git"]
    assert all(len(one["id"]) == 36 for one in listed[4:])
    assert [jenkins.secret(name) for name in "abcd"] == ["glpat-1", "pw", "value", "KEY\n"]
    assert jenkins.secret(listed[5]["id"]) == ""
    with pytest.raises(KeyError):
        jenkins.secret("zzz")
    for name in "abcd":
        shown = admin("GET", f"{STORE}/credential/{name}/config.xml").text
        assert "{AQA" not in shown
        assert "<secret-redacted/>" in shown
    for clear in ("glpat-1", "KEY", "value", ">pw<", ">pp<"):
        assert clear not in jenkins.disk()


def test_folder_credentials_are_part_of_the_folder(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("f", f"<{FOLDER}/>")
    base = "/job/f/credentials/store/folder"
    assert admin("POST", f"{base}/domain/_/createCredentials", gitlab_token("c", "one")).status_code == 200
    assert admin("POST", f"{base}/domain/_/credential/c/config.xml", gitlab_token("c", "two")).status_code == 200
    assert jenkins.secret("c", folder="f") == "two"
    tree = "tree=credentials[fullName]"
    listed = admin("GET", f"{base}/domain/_/api/json?{tree}").json()["credentials"]
    assert listed == [{"fullName": "f/_/c"}]
    assert "FolderCredentialsProperty" in admin("GET", f"{base}/api/json").json()["_class"]
    assert admin("GET", "/job/f/credentials/store/system/api/json").status_code == 404
    assert admin("POST", f"{base}/domain/_/credential/c/doDelete").status_code == 302
    assert admin("GET", f"{base}/domain/_/credential/c/config.xml").status_code == 404


def test_a_domains_life(admin: Caller) -> None:
    base = "/credentials/store/system"
    xml = f"<{DOMAIN}><name>gitlab</name><specifications/></{DOMAIN}>"
    assert admin("POST", f"{base}/createDomain", xml).status_code == 200
    assert admin("POST", f"{base}/createDomain", xml).status_code == 409
    assert admin("POST", f"{base}/createDomain", "<oops").status_code == 500
    assert admin("POST", f"{base}/domain/gitlab/createCredentials", gitlab_token("c")).status_code == 200
    assert admin("POST", f"{base}/domain/none/createCredentials", gitlab_token("c")).status_code == 404
    changed = xml.replace("<spec", "<description>d</description><spec")
    assert admin("POST", f"{base}/domain/gitlab/config.xml", changed).status_code == 200
    assert admin("POST", f"{base}/domain/gitlab/config.xml", "<oops").status_code == 500
    assert "<description>d</description>" in admin("GET", f"{base}/domain/gitlab/config.xml").text
    shown = admin("GET", f"{base}/domain/gitlab/api/json").json()
    assert (shown["description"], shown["global"], shown["credentials"]) == ("d", False, [{"id": "c"}])
    assert admin("DELETE", f"{base}/domain/gitlab/config.xml").status_code == 200
    assert admin("POST", f"{base}/createDomain", xml).status_code == 200
    assert admin("POST", f"{base}/domain/gitlab/doDelete").headers["Location"] == base
    assert list(admin("GET", f"{base}/api/json").json()["domains"]) == ["_"]


def test_a_domain_without_specifications_breaks_every_lookup(admin: Caller) -> None:
    base = "/credentials/store/system"
    admin("POST", f"{STORE}/createCredentials", gitlab_token("c"))
    assert admin("POST", f"{base}/createDomain", f"<{DOMAIN}><name>bad</name></{DOMAIN}>").status_code == 200
    assert admin("GET", f"{STORE}/credential/c/config.xml").status_code == 500
    assert admin("POST", f"{STORE}/createCredentials", gitlab_token("c2")).status_code == 500
    path = "/descriptorByName/com.dabsquared.gitlabjenkins.connection.GitLabConnection/testConnection"
    assert admin("POST", path, {"url": "http://127.0.0.1:9", "apiTokenId": "c"}).status_code == 500
    assert admin("POST", f"{base}/domain/bad/doDelete").status_code == 302
    assert admin("GET", f"{STORE}/credential/c/config.xml").status_code == 200


@pytest.mark.parametrize("path", ["/credentials/store/system/domain/_/nothing", "/credentials/store/other/api/json"])
def test_nothing_there(admin: Caller, path: str) -> None:
    assert admin("GET", path).status_code == 404
    assert admin("PUT", f"{STORE}/createCredentials", gitlab_token("a")).status_code == 405


def test_changes_of_credentials_that_are_refused(admin: Caller) -> None:
    admin("POST", f"{STORE}/createCredentials", gitlab_token("c"))
    assert admin("POST", f"{STORE}/credential/c/config.xml", "<oops").status_code == 500
    assert admin("PUT", f"{STORE}/credential/c/config.xml", gitlab_token("c")).status_code == 405
    assert admin("GET", f"{STORE}/credential/c/doDelete").status_code == 405
