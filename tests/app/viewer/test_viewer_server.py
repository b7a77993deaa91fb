import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.viewer.server import LOOPBACK, ViewerServer
from app.viewer.site import STATIC, content_security_policy, make_site
from recon.errors import ResourceError

PLY = b"ply\nnot really\n" * 1000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ViewerServer]:
    (tmp_path / "secret.txt").write_text("secret")
    gaussians = tmp_path / "gaussians.ply"
    gaussians.write_bytes(PLY)
    with ViewerServer(make_site({"name": "<b>room</b>"}, gaussians)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: ViewerServer, path: str, *, method: str = "GET", host: str | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(LOOPBACK, server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host if host is not None else f"{LOOPBACK}:{server.server_port}")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def test_the_page_its_scripts_and_the_scene_are_handed_out(server: ViewerServer) -> None:
    root = f"/{server.token}/"
    status, headers, page = ask(server, root)
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert page == (STATIC / "index.html").read_bytes()
    for name in ("viewer.js", "viewer.css", "vendor/three/three.core.js", "vendor/spark/spark.module.min.js"):
        status, headers, body = ask(server, root + name)
        assert (status, body) == (200, (STATIC / name).read_bytes())
        assert headers["content-type"].startswith("text/")
    assert ask(server, root + "gaussians.ply")[2] == PLY
    assert json.loads(ask(server, root + "scene.json?x=1")[2]) == {"name": "<b>room</b>"}


def test_head_tells_the_size_without_the_content(server: ViewerServer) -> None:
    status, headers, body = ask(server, f"/{server.token}/gaussians.ply", method="HEAD")
    assert (status, headers["content-length"], body) == (200, str(len(PLY)), b"")


@pytest.mark.parametrize(
    "path",
    [
        "/", "", "/index.html", "/gaussians.ply", "/x/gaussians.ply", "//", "/{token}", "/{token}/index.html",
        "/{token}/../secret.txt", "/{token}/../../etc/passwd", "/{token}/%2e%2e/secret.txt", "/{token}//etc/passwd",
        "/{token}/..%2fsecret.txt", "/{token}/vendor/", "/{token}/vendor", "/{token}/./viewer.js",
        "/{token}/secret.txt", "/{token}/vendor/VENDOR.json", "/{token}/vendor/spark/LICENSE",
        "/{token}/gaussians.ply/", "/{token}/viewer.js%00", "/{token}/scene.json#x/../..", "/{upper}/scene.json",
        "/{token}/C:/windows", "/%C3%A9/scene.json",
    ],
)  # fmt: skip
def test_every_other_path_leads_nowhere(server: ViewerServer, path: str) -> None:
    asked = path.format(token=server.token, upper=server.token.swapcase())
    status, _, body = ask(server, asked or "*")
    assert status in (400, 404)
    assert b"secret" not in body.replace(b"secret.txt", b"")


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}"]
)
def test_a_request_that_means_another_host_is_refused(server: ViewerServer, host: str) -> None:
    status, _, body = ask(server, f"/{server.token}/scene.json", host=host.format(port=server.server_port))
    assert status == 403
    assert b"room" not in body


def test_localhost_is_its_other_name(server: ViewerServer) -> None:
    assert ask(server, f"/{server.token}/scene.json", host=f"localhost:{server.server_port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"])
def test_nothing_can_be_sent(server: ViewerServer, method: str) -> None:
    assert ask(server, f"/{server.token}/scene.json", method=method)[0] == 501


def test_every_answer_tells_the_browser_the_rules(server: ViewerServer) -> None:
    for path in (f"/{server.token}/", f"/{server.token}/gaussians.ply", "/nothing"):
        headers = ask(server, path)[1]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "python" not in headers.get("server", "").lower()


def test_the_policy_lets_no_page_reach_another_machine_or_run_foreign_script() -> None:
    policy = content_security_policy()
    assert "http" not in policy
    assert "'unsafe-inline'" not in policy
    assert "'unsafe-eval'" not in policy
    assert policy.count("'sha256-") == 1


def test_it_listens_on_loopback_only_with_a_new_token_each_time(server: ViewerServer, tmp_path: Path) -> None:
    assert server.server_address[0] == LOOPBACK
    with ViewerServer({}) as other:
        assert other.token != server.token
        assert len(other.token) >= 20
    address = socket.gethostbyname(socket.gethostname())
    if address.startswith("127."):
        return
    with pytest.raises(OSError, match=r"refused|timed out|unreachable"):
        socket.create_connection((address, server.server_port), timeout=2).close()


def test_a_taken_port_is_named(server: ViewerServer) -> None:
    with pytest.raises(ResourceError, match=str(server.server_port)):
        ViewerServer({}, server.server_port)


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_does_not_exist_is_named(server: ViewerServer, port: int) -> None:
    with pytest.raises(ResourceError, match="there is no port"):
        ViewerServer(server.site, port)


def test_a_file_that_went_away_is_not_found(server: ViewerServer, tmp_path: Path) -> None:
    (tmp_path / "gaussians.ply").unlink()
    assert ask(server, f"/{server.token}/gaussians.ply")[0] == 404
