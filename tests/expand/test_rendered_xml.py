"""What is refused of the XML that a template rendered."""

from __future__ import annotations

import pytest

from configurator.spec.rendered import MULTIBRANCH, RenderedError, read_job, read_view

TOKEN = "@token@"
WITH_TOKEN = f"<project><secretToken>{TOKEN}</secretToken></project>"


def test_a_job_is_laid_out_and_its_values_are_kept() -> None:
    text = "<?xml version='1.1' encoding='UTF-8'?>\n<project><a><b>  x\n y </b>\n\n\n<c></c></a></project>\n"
    rendered = read_job(text, TOKEN, wants_token=False)
    assert rendered.root == "project"
    assert rendered.xml == "<project>\n  <a>\n    <b>  x\n y </b>\n    <c/>\n  </a>\n</project>\n"


def test_a_token_is_where_it_belongs() -> None:
    assert TOKEN in read_job(WITH_TOKEN, TOKEN, wants_token=True).xml
    assert read_job(f"<{MULTIBRANCH}/>", TOKEN, wants_token=True).root == MULTIBRANCH


@pytest.mark.parametrize(
    ("text", "wants", "message"),
    [
        ("<a><b></a>", False, "the result is not well-formed XML"),
        ("", False, "the result is not well-formed XML"),
        ("<a>\x08</a>", False, "the result is not well-formed XML"),
        ("<a>\ud800</a>", False, "the result is not well-formed XML"),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", False, "the result holds a document type declaration"),
        ("<hudson.model.ListView/>", False, "<hudson.model.ListView> is not a job"),
        ("<com.cloudbees.hudson.plugins.folder.Folder/>", False, "<com.cloudbees.hudson.plugins.folder.Folder> is not"),
        ("<project/>", True, "the job has a GitLab trigger, but the template writes none"),
        (WITH_TOKEN, False, "the template writes a webhook_token, but the job has no GitLab events"),
        (f"<project><script>echo {TOKEN}</script></project>", True, "webhook_token may stand in <secretToken> only"),
        (f"<project a='{TOKEN}'/>", True, "webhook_token may stand in <secretToken> only"),
        (f"<project><!-- {TOKEN} --></project>", True, "webhook_token may stand in <secretToken> only"),
        (f"<project><a/>{TOKEN}</project>", True, "webhook_token may stand in <secretToken> only"),
        (f"<project><secretToken>x{TOKEN}</secretToken></project>", True, "webhook_token may stand in <secretToken>"),
    ],
)
def test_a_bad_job_is_refused(text: str, wants: bool, message: str) -> None:
    with pytest.raises(RenderedError) as caught:
        read_job(text, TOKEN, wants)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("root", ["project", "flow-definition", "com.cloudbees.hudson.plugins.folder.Folder"])
def test_a_job_is_no_view(root: str) -> None:
    with pytest.raises(RenderedError, match=f"<{root}> is not a view"):
        read_view(f"<{root}/>")


def test_the_line_of_a_mistake_is_shown() -> None:
    with pytest.raises(RenderedError, match=r"line 3 of it is: </b>"):
        read_view("<a>\n  <c>\n</b>\n</a>")
