"""Errors as one text: what is wrong, then what to do, each a sentence."""

from __future__ import annotations

import pytest

from configurator.errors import ConfiguratorError, ServerError, in_words


@pytest.mark.parametrize(
    ("message", "hint", "text"),
    [
        ("it is gone", "", "it is gone"),
        ("it is gone", "make another one", "it is gone. Make another one"),
        ("it is gone.", "make another one.", "it is gone. Make another one"),
        ("it is gone", "wait, then run again", "it is gone. Wait, then run again"),
        ("it is gone", "`configurator plan` tells", "it is gone. `configurator plan` tells"),
        ("it is gone", "configurator plan tells", "it is gone. configurator plan tells"),
        ("it is gone", "--deliver sends one", "it is gone. --deliver sends one"),
        ("it is gone", "jenkins.url is another", "it is gone. jenkins.url is another"),
        ("it is gone", "GitLab has it", "it is gone. GitLab has it"),
    ],
)
def test_a_hint_is_a_sentence_of_its_own(message: str, hint: str, text: str) -> None:
    assert in_words(ConfiguratorError(message, hint)) == text


def test_a_servers_error_names_the_server() -> None:
    assert in_words(ServerError("GitLab main", "it is down", "try later")) == "GitLab main: it is down. Try later"
