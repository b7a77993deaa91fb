import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import main
from app.web.server import read_password
from recon.errors import ResourceError


def test_help_of_the_command_imports_neither_gradio_nor_torch() -> None:
    code = (
        "import sys\nfrom app.cli import main\n"
        "try:\n    main(['app', '--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('gradio', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--password-file" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_password_is_the_first_line_of_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("a long secret\nmore\n")
    file.chmod(0o600)
    assert read_password(file) == "a long secret"
    file.chmod(0o644)
    with pytest.raises(ResourceError, match="others may read it"):
        read_password(file)
    file.chmod(0o600)
    file.write_text("\n")
    with pytest.raises(ResourceError, match="holds no password"):
        read_password(file)
    with pytest.raises(ResourceError, match="cannot be read"):
        read_password(tmp_path / "nowhere")


def test_a_port_that_cannot_be_used_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["app", "--port", "70000", "--no-browser", "--folder", str(tmp_path)]) == ResourceError.exit_code
    assert "there is no port 70000" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_page_serves_until_it_is_ended_and_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "app.cli",
        "app",
        "--port",
        "0",
        "--no-browser",
        "--json",
        "--folder",
        str(tmp_path),
    ]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        assert url.startswith("http://127.0.0.1:")
        process.send_signal(number)
        assert process.wait(timeout=120) == 0
    assert list(tmp_path.glob(".recon-*")) == []
