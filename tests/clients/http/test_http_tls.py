import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from http_parts import Serve, client, ok

from configurator.clients.http.failures import TlsError, diagnose
from configurator.errors import UnreachableError
from configurator.sandbox.server import EmbeddedServer, Request, Response


class TlsServer(EmbeddedServer):
    def __init__(self, certificate: Path, key: Path) -> None:
        super().__init__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)

    def handle(self, request: Request) -> Response:
        return Response(200, "fine")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 "
        "-addext subjectAltName=IP:127.0.0.1 -out cert.pem -keyout key.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


def test_an_unknown_authority_is_named_with_its_cure(certificate: tuple[Path, Path], time_: Any) -> None:
    with TlsServer(*certificate) as server:
        url = f"https://127.0.0.1:{server.port}"
        with pytest.raises(UnreachableError, match="TLS certificate is not trusted: self-signed") as error:
            client(url, time_).send("POST", "/")
        assert "`ca_file`" in error.value.hint
        assert time_.slept == []
        assert client(url, time_, verify=str(certificate[0])).send("GET", "/").text == "fine"
        with pytest.raises(UnreachableError, match="not trusted: Hostname mismatch"):
            client(f"https://localhost:{server.port}", time_, verify=str(certificate[0])).send("GET", "/")


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_verification_off_beats_the_environment(
    certificate: tuple[Path, Path], time_: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nothing.pem"))
    with TlsServer(*certificate) as server:
        assert client(f"https://127.0.0.1:{server.port}", time_, verify=False).send("GET", "/").ok


def test_http_behind_https(serve: Serve, time_: Any) -> None:
    server = serve(ok)
    with pytest.raises(UnreachableError, match="does not speak TLS"):
        client(f"https://127.0.0.1:{server.port}", time_).send("GET", "/")


def test_a_ca_file_that_is_not_there(time_: Any) -> None:
    with pytest.raises(UnreachableError, match="certificate authorities can't be read") as error:
        client("https://127.0.0.1:1", time_, verify="nowhere/ca.pem").send("GET", "/")
    assert "`ca_file`" in error.value.hint


def test_a_ca_file_that_holds_no_certificate(time_: Any, certificate: tuple[Path, Path], tmp_path: Path) -> None:
    broken = tmp_path / "ca.pem"
    broken.write_text("no certificate")
    with TlsServer(*certificate) as server, pytest.raises(UnreachableError, match="certificate authorities"):
        client(f"https://127.0.0.1:{server.port}", time_, verify=str(broken)).send("GET", "/")


@pytest.mark.parametrize(
    ("reason", "cure"),
    [
        ("Hostname mismatch, certificate is not valid for 'x'.", "use the host name"),
        ("certificate has expired", "have the server's certificate renewed"),
        ("unable to get local issuer certificate", "name the authority's PEM file"),
    ],
)
def test_each_doubt_about_a_certificate_has_its_cure(reason: str, cure: str) -> None:
    doubt = ssl.SSLCertVerificationError(1, "certificate verify failed")
    doubt.verify_message = reason
    failure = diagnose(requests.exceptions.SSLError(doubt), 1.0)
    assert failure.tls and failure.hint.startswith(cure)
    assert isinstance(failure.as_error("Server"), TlsError)
