"""What must be true of the XML that a template rendered, before any server sees it."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
JOB_ROOTS = frozenset({"flow-definition", "project", "maven2-moduleset", "matrix-project", MULTIBRANCH})
_FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"


class RenderedError(Exception):
    """The result of a template can't be used. Never leaves ``spec``: it becomes part of an ``InputError``.

    Attributes:
        message: what is wrong.
        hint: what to do about it, or empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Rendered:
    """A usable result.

    Attributes:
        root: name of the root element.
        xml: the text, laid out afresh: white space between elements means nothing to Jenkins, that inside of
            values is kept.
    """

    root: str
    xml: str


def read_job(text: str, token: str, wants_token: bool) -> Rendered:
    """The ``config.xml`` of a job that a template rendered.

    Args:
        text: the result of the template.
        token: what stands where the webhook's token belongs.
        wants_token: the job has a trigger, so the token must be in it.

    Raises:
        RenderedError: it is no XML, no job, or the token is where it must not be.
    """
    root = _parse(text)
    name = str(root.tag)
    if name.endswith("View") or name == _FOLDER:
        raise RenderedError(
            f"<{name}> is not a job", "folders go under folders; views under views, with a view template"
        )
    holders = [element for element in root.iter() if token in _own_text(element)]
    if any(element.tag != "secretToken" or element.text != token or len(element) for element in holders):
        raise RenderedError("webhook_token may stand in <secretToken> only: elsewhere the secret could be read")
    if wants_token and not holders and name != MULTIBRANCH:
        hint = "call gitlab_trigger from jobs/_macros.xml.j2 in it, or take the events out of the job"
        raise RenderedError("the job has a GitLab trigger, but the template writes none with a <secretToken>", hint)
    if holders and not wants_token:
        raise RenderedError(
            "the template writes a webhook_token, but the job has no GitLab events", "add gitlab.events"
        )
    return Rendered(name, _layout(root))


def read_view(text: str) -> Rendered:
    """The ``config.xml`` of a view that a template rendered.

    Raises:
        RenderedError: it is no XML, or no view.
    """
    root = _parse(text)
    name = str(root.tag)
    if name in JOB_ROOTS or name == _FOLDER:
        raise RenderedError(f"<{name}> is not a view", "jobs go under jobs, with a job template")
    return Rendered(name, _layout(root))


def _parse(text: str) -> etree._Element:
    text = text.strip()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode("utf-8", "surrogatepass"), parser)
    except etree.XMLSyntaxError as error:
        line = error.lineno or 1
        lines = text.splitlines() or [""]
        shown = lines[min(line, len(lines)) - 1].strip()[:120]
        message = f"the result is not well-formed XML: {error.msg}; line {line} of it is: {shown}"
        raise RenderedError(message, "values are escaped by themselves; is a tag not closed?") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise RenderedError("the result holds a document type declaration", "remove <!DOCTYPE …>: Jenkins refuses it")
    return root


def _layout(root: etree._Element) -> str:
    etree.indent(root, space="  ")
    return etree.tostring(root, encoding="unicode", with_tail=False) + "\n"


def _own_text(element: etree._Element) -> str:
    """Everything an element or comment says itself: its text, the text after it, its attributes."""
    return "".join([element.text or "", element.tail or "", *map(str, element.attrib.values())])
