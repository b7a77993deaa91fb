"""S8: a file that is called a video reads nothing but itself, and takes no more than its bounds."""

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from recon.errors import FormatError, InputError, LimitError
from recon.io.frames.extract import load_video
from recon.io.frames.request import Answer, Request
from recon.io.frames.sniff import demuxer_of
from recon.io.frames.worker import take_frames
from recon.io.limits import Limits
from recon.pipeline.loading import open_source

ROOT = Path(__file__).parents[2]


def make_clip(path: Path, num: int = 24, size: tuple[int, int] = (64, 48)) -> Path:
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for _ in range(num):
            pixels = random.integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def take(path: Path, **limits: float) -> Answer:
    """The work of the worker, in this process."""
    folder = path.parent / f"{path.name} frames"
    folder.mkdir()
    return take_frames(Request(str(path), str(folder), 0.25, 120, 40, Limits(**limits)))  # pyright: ignore[reportArgumentType]


def playlists(canary: Path) -> dict[str, str]:
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"
    return {
        "hls_absolute": hls.format(canary),
        "hls_file_url": hls.format(f"file://{canary}"),
        "hls_relative": hls.format(canary.name),
        "hls_http": hls.format("http://127.0.0.1:9/x.ts"),
        "hls_crypto": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="/etc/passwd"\n' + hls.format(canary)[8:],
        "hls_subfile": hls.format(f"subfile,,start,0,end,10,,:{canary}"),
        "hls_concat": hls.format(f"concat:/etc/passwd|{canary}"),
        "hls_blank_first": "\n \n" + hls.format(canary),
        "hls_mark_first": "\ufeff" + hls.format(canary),
        "ffconcat": f"ffconcat version 1.0\nfile {canary.name}\n",
        "ffconcat_absolute": f"ffconcat version 1.0\nfile '{canary}'\n",
        "concat_plain": f"file '{canary}'\n",
        "dash": f'<?xml version="1.0"?><MPD><Period><BaseURL>file://{canary}</BaseURL></Period></MPD>',
        "asx": f'<asx version="3.0"><entry><ref href="file://{canary}"/></entry></asx>',
        "pls": f"[playlist]\nFile1=file://{canary}\nNumberOfEntries=1\n",
        "rtsp": f"RTSPtext\nrtsp://127.0.0.1:9/{canary.name}\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
        "image_pattern": f"{canary.parent}/%03d.jpg",
        "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{canary}"/></svg>',
        "avisynth": f'AviSource("{canary}")\n',
        "vapoursynth": "import os; os.system('touch canary')\n",
        "words": "these are words",
        "nothing": "",
    }


def test_playlists_under_the_name_of_a_video_open_nothing(tmp_path: Path):
    canary = make_clip(tmp_path / "canary.mp4")
    corpus = playlists(canary)
    bad = []
    for name, text in corpus.items():
        for suffix in (".mp4", ".mkv", ".avi", ".mov", ".webm"):
            path = tmp_path / f"{name}{suffix}"
            path.write_text(text)
            try:
                bad.append((path.name, demuxer_of(path)))
            except FormatError:
                continue
    assert len(corpus) * 5 > 100
    assert bad == []
    with pytest.raises(FormatError, match=r"hls_absolute\.mp4: a playlist"):
        open_source(tmp_path / "hls_absolute.mp4")


def test_the_decoder_would_follow_a_playlist_if_it_were_let(tmp_path: Path):
    """The control: without our guard the same bytes yield the frames of the other file."""
    canary = make_clip(tmp_path / "canary.mp4")
    path = tmp_path / "ffconcat.mp4"
    path.write_text(playlists(canary)["ffconcat"])
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 24


@pytest.mark.parametrize(
    ("name", "demuxer"), [("ffconcat", "concat"), ("hls_absolute", "hls"), ("hls_relative", "hls")]
)
def test_even_a_playlist_that_is_taken_for_one_opens_nothing(
    name: str, demuxer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The second wall behind the first: no protocol is allowed, and requests for other files are turned down."""
    path = tmp_path / f"{name}.mp4"
    path.write_text(playlists(make_clip(tmp_path / "canary.mp4"))[name])
    monkeypatch.setattr("recon.io.frames.decode.demuxer_of", lambda _: demuxer)
    with pytest.raises(FormatError, match=r"refers to another file|cannot be read|no frame"):
        take(path)


def patch(path: Path, box: bytes, changes: list[tuple[int, str, int]]) -> None:
    """Write numbers at offsets behind the name of every such box."""
    data = bytearray(path.read_bytes())
    place = data.find(box)
    assert place >= 0
    while place >= 0:
        for offset, form, value in changes:
            struct.pack_into(form, data, place + 4 + offset, value)
        place = data.find(box, place + 4)
    path.write_bytes(data)


HEADERS: dict[str, tuple[str, bytes, list[tuple[int, str, int]]]] = {
    "a million frames of one sample table": (".mp4", b"stts", [(8, ">I", 1_000_000)]),
    "no time between frames": (".mp4", b"stts", [(12, ">I", 0)]),
    "ages between frames": (".mp4", b"stts", [(12, ">I", 2**31 - 1)]),
    "no time scale": (".mp4", b"mdhd", [(12, ">I", 0)]),
    "duration of a year": (".mp4", b"mvhd", [(16, ">I", 2**32 - 1)]),
    "duration of nothing": (".mp4", b"mvhd", [(16, ">I", 0)]),
    "track of a year": (".mp4", b"mdhd", [(16, ">I", 2**32 - 1)]),
    "AVI of no rate": (".avi", b"strh", [(4 + 24, "<I", 0)]),
    "AVI of no scale": (".avi", b"strh", [(4 + 20, "<I", 0)]),
    "AVI of no time a frame": (".avi", b"avih", [(4, "<I", 0)]),
    "AVI of a million frames": (".avi", b"strh", [(4 + 32, "<I", 1_000_000)]),
}

# Here libavformat itself gives up after the first frame.
UNREADABLE = ("ages between frames", "no time scale")


@pytest.mark.parametrize("name", HEADERS)
def test_lying_headers_still_give_frames_or_a_typed_error(name: str, tmp_path: Path):
    suffix, box, changes = HEADERS[name]
    path = make_clip(tmp_path / f"clip{suffix}")
    patch(path, box, changes)
    start = time.perf_counter()
    try:
        answer = take(path)
    except InputError:
        assert name in UNREADABLE
        return
    assert time.perf_counter() - start < 10
    assert answer.num_frames == 24 or name in UNREADABLE
    assert 1 <= len(answer.frames) <= 24
    assert all(np.isfinite(frame.seconds) for frame in answer.frames)
    assert [frame.seconds for frame in answer.frames] == sorted({frame.seconds for frame in answer.frames})


def test_a_damaged_middle_is_left_out_and_said_aloud(tmp_path: Path):
    path = make_clip(tmp_path / "clip.avi", num=48)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    path.write_bytes(data)
    answer = take(path)
    assert 8 < answer.num_frames <= 48
    assert 1 <= len(answer.frames) <= 24


def test_every_cut_gives_frames_or_a_typed_error(tmp_path: Path):
    for suffix in (".mp4", ".mkv", ".avi"):
        good = make_clip(tmp_path / f"good{suffix}").read_bytes()
        for part in range(1, 10):
            path = tmp_path / f"cut{part}{suffix}"
            path.write_bytes(good[: len(good) * part // 10])
            try:
                assert take(path).num_frames <= 24
            except FormatError:
                continue


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_pixels": 1000}, "64 x 48 pixels"),
        ({"max_video_frames": 10}, "more than 10 frames"),
    ],
)
def test_bounds_of_the_decoder(limits: dict[str, float], message: str, tmp_path: Path):
    with pytest.raises(LimitError, match=message):
        take(make_clip(tmp_path / "clip.mp4"), **limits)


def decoders() -> list[psutil.Process]:
    """Processes of this one that decode; it has other children from other tests."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has just ended
            if "recon.io.frames.worker" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_bounds_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Bytes, wall time and memory; nothing is left running or lying about."""
    path = make_clip(tmp_path / "clip.mp4")
    room = tmp_path / "temporary"
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    for limits, kind in [
        (Limits(max_video_bytes=100), LimitError),
        (Limits(max_video_seconds=0.05), LimitError),
        (Limits(max_video_memory_bytes=64 << 20), InputError),
    ]:
        with pytest.raises(kind, match=r"clip\.mp4"):
            load_video(path, limits=limits)
        assert decoders() == []
        assert list(room.iterdir()) == []


INTERRUPTED = """
import sys
from pathlib import Path
from recon.io.frames.extract import load_video
print("ready", flush=True)
load_video(Path(sys.argv[1]))
"""


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_the_worker_ends_with_its_parent(sent: signal.Signals, tmp_path: Path):
    """Ctrl-C, and even the death of the parent, which leaves it no time to clean up."""
    path = make_clip(tmp_path / "clip.mp4", num=600, size=(320, 240))
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", INTERRUPTED, str(path)]
    parent = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        assert wait_for(lambda: bool(psutil.Process(parent.pid).children()))
        worker = psutil.Process(parent.pid).children()[0]
        os.kill(parent.pid, sent)
        parent.wait(20)
        assert wait_for(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
        if sent is signal.SIGINT:
            assert list(tmp_path.glob("recon-video-*")) == []
    finally:
        parent.kill()
        parent.wait()
        assert parent.stdout is not None
        parent.stdout.close()
