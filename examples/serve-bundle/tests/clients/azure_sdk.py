"""Invokes an endpoint with Azure's own SDK, unmodified.

`azure_sdk.py FOLDER certificates` makes a certificate for this machine in a folder. `azure_sdk.py FOLDER invoke URL RECORDED.json`
invokes what listens at the URL with it. The SDK asks Azure where the endpoint is and which key it has; here a small server answers
that, with the answers that were recorded.
"""

import datetime
import ipaddress
import json
import os
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

FOLDER = Path(sys.argv[1])
AUTHORITY, CERTIFICATE, KEY = (FOLDER / name for name in ["authority.pem", "certificate.pem", "key.pem"])


def make_certificates() -> None:
    """An authority, and a certificate of it for 127.0.0.1: the SDK talks to nobody without TLS."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])

    def builder(name: str, key: ec.EllipticCurvePrivateKey, is_authority: bool) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named("authority of a test"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
        )

    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    authority = (
        builder("authority of a test", authority_key, True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = builder("server of a test", key, False).add_extension(here, critical=False)
    certificate = certificate.sign(authority_key, hashes.SHA256())
    AUTHORITY.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    CERTIFICATE.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    KEY.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


class ResourceManager:
    """Answers what the SDK asks Azure before it invokes, and nothing else: any other request fails."""

    def __init__(self, recorded: list[dict], scoring_uri: str, key: str) -> None:
        self.answers = {}
        for exchange in recorded:
            request, body = exchange["request"], exchange["response"]["body"]
            if request["host"] != "management.azure.com":
                continue
            # The two things that this endpoint has of its own.
            if "primaryKey" in body:
                body["primaryKey"] = key
            if "scoringUri" in body.get("properties", {}):
                body["properties"]["scoringUri"] = scoring_uri
            version = request["query"]["api-version"]
            self.answers[request["method"], request["path"].lower(), version] = body
        self.asked: list[tuple[str, str, str]] = []
        answers, asked = self.answers, self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                url = urlsplit(self.path)
                question = self.command, url.path.lower(), parse_qs(url.query).get("api-version", [""])[0]
                asked.append(question)
                body = answers.get(question)
                if not self.headers.get("Authorization", "").startswith("Bearer "):
                    body = None
                error = {"error": {"code": "NotRecorded", "message": str(question)}}
                text = json.dumps(error if body is None else body).encode()
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, KEY)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Credential:
    """Who asks: of no concern to a server that is not Azure."""

    def get_token(self, *_: str, **__: object) -> object:
        from azure.core.credentials import AccessToken

        return AccessToken("token", int(time.time()) + 3600)


def client(azure: ResourceManager, workspace: dict[str, str]) -> object:
    from azure.ai.ml import MLClient

    return MLClient(
        Credential(),
        **workspace,
        cloud="Here",
        cloud_metadata={
            "azure_portal": azure.url,
            "resource_manager": azure.url,
            "active_directory": azure.url,
            "aml_resource_id": azure.url,
            "storage_endpoint": "storage.invalid",
            "registry_discovery_endpoint": azure.url,
        },
    )


def invoke(scoring_uri: str, recorded_path: Path) -> dict:
    """What the SDK returns and raises: for a client that names no deployment, one that does, and one that does wrong."""
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

    def raised(error: type[HttpResponseError], endpoints: object, request_file: str) -> str:
        try:
            answer = endpoints.invoke(name, request_file=FOLDER / request_file)
        except error as refusal:
            return f"{refusal.status_code}: {refusal.message}"
        raise AssertionError(f"the SDK raised nothing, but returned {answer}")

    recorded = json.loads(recorded_path.read_text(encoding="utf-8"))["exchanges"]
    path = recorded[1]["request"]["path"].split("/")
    workspace = {"subscription_id": path[2], "resource_group_name": path[4], "workspace_name": path[8]}
    name = path[10]
    azure = ResourceManager(recorded, scoring_uri, os.environ["SPINNEY_PRIMARY_KEY"])
    endpoints = client(azure, workspace).online_endpoints

    # Before the other, as the SDK keeps the name of a deployment that it was given once.
    by_traffic = endpoints.invoke(name, request_file=FOLDER / "request.json")
    refused = raised(HttpResponseError, endpoints, "refused.json")
    del azure.asked[:]
    by_name = endpoints.invoke(name, request_file=FOLDER / "request.json", deployment_name="blue")
    # As recorded: which deployments there are, the endpoint, its keys.
    assert azure.asked == list(azure.answers), azure.asked
    stranger = client(ResourceManager(recorded, scoring_uri, "guess"), workspace).online_endpoints
    unauthorized = raised(ClientAuthenticationError, stranger, "request.json")
    return {"by_traffic": by_traffic, "by_name": by_name, "refused": refused, "unauthorized": unauthorized}


if __name__ == "__main__":
    if sys.argv[2] == "certificates":
        make_certificates()
    else:
        os.environ["REQUESTS_CA_BUNDLE"] = str(AUTHORITY)
        print(json.dumps(invoke(sys.argv[3], Path(sys.argv[4]))))
