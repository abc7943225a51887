"""Whatever is fed to the loader, it gives a spec or problems with places inside the file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configurator.errors import InputError
from configurator.report.errors import render_problems
from configurator.spec.loader import load
from configurator.spec.names import branch_name, branch_problem, item_name_problem
from configurator.spec.source import Source

pytestmark = pytest.mark.no_cover  # many examples of what other tests reach, too slow to be traced

FULL = (Path(__file__).parent / "good" / "full.yaml").read_bytes()
PIECES = [b"\n", b": ", b"- ", b"*", b"&a ", b"<<: ", b"{", b"}", b"[", b"]", b'"', b"'", b"|", b"#", b"\t", b"!!x "]
PIECES += [b"1", b"null", b"true", b"x", b"---\n", b"? ", b"\xff", b"\x00", "é".encode(), "\u2028".encode(), b"  "]


def check_load(data: bytes, secret: str = "") -> None:
    """Load; every place must be inside the file, and the text can be rendered, without the secret."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spec.yaml")
        path.write_bytes(data)
        try:
            load(path)
        except InputError as error:
            assert error.problems
            text = render_problems(error.problems)
            assert text
            assert not secret or secret not in text
            lines = Source("x", data.decode("utf-8-sig", "replace")).lines
            for problem in error.problems:
                if problem.place is not None:
                    assert 1 <= problem.place.line <= len(lines)
                    assert 1 <= problem.place.column <= len(lines[problem.place.line - 1]) + 1


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
def test_anything(data: bytes) -> None:
    check_load(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))
def test_yaml_like_text(data: bytes) -> None:
    check_load(data)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(FULL)), st.integers(0, 30), st.sampled_from(PIECES)), min_size=1, max_size=4)
)
def test_a_good_spec_with_random_edits(edits: list[tuple[int, int, bytes]]) -> None:
    data = FULL
    for start, length, piece in edits:
        data = data[:start] + piece + data[start + length :]
    check_load(data)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        ["token", "api_tokn", "passwrd", "secret", '"token"', "private_key", "tokens", "admin-token", "pasphrase"]
    ),
    st.sampled_from(
        [
            ": {}",
            ": '{}'",
            ': "{}',
            ": |\n        {}",
            ":\n      {}",
            ":\n      value: {}",
            ":\n      {{value: {}}}",
            ": [{}]",
            ": {{value: {}}}",
            ": &a {}",
        ]
    ),
    st.sampled_from(["jenkins:\n    ", "gitlab:\n  - ", "credentials:\n  - kind: secret-text\n    "]),
    st.sampled_from(["", "url: [", "  - x", "x", "}", '"', "token: {env: X}", "\t"]),
)
def test_a_secret_in_the_wrong_spot_is_never_shown(key: str, value: str, section: str, after: str) -> None:
    text = f"apiVersion: configurator/v1\n{section}{key}{value.format('Zq8Zq8Zq8')}\n    {after}\n"
    check_load(text.encode(), "Zq8Zq8Zq8")


@given(st.text(min_size=1, max_size=30))
def test_a_branch_gives_a_name_that_jenkins_accepts(branch: str) -> None:
    if branch_problem(branch) is None:
        assert item_name_problem(f"{branch_name(branch)}-Build-x") is None
        assert item_name_problem(branch_name(branch)) is None
