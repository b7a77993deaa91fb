"""Small captures with true geometry, and writers of the forms in which data sets store them.

A textured box seen from inside, traced exactly: every pixel is a function of the world point that it shows. So a
network that learns geometry can raise its PSNR on these captures, and a wrong convention shows as wrong colours.
"""

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from recon.data.rooms.scene_file import SceneArrays, write_scene
from recon.geometry.projection import scale_intrinsics
from recon.geometry.se3 import rotation_from_vector
from recon.io.colmap import model_of_cameras, write_model
from recon.io.colmap.model import ColmapCamera, ColmapModel
from recon.types import Cameras

HALF_EXTENT = np.array([2.0, 1.2, 3.0])
"""The box reaches from minus to plus this, in world units."""
FRAME_INTERVAL_US = 33_367
OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True)
class TinyCapture:
    """One walk through the box.

    Attributes:
        name: Key in its data set.
        cameras: Pinholes, in pixels of `images`.
        images: sRGB as the lens drew them, [frames, height, width, 3].
        distortion: OpenCV k1, k2, p1, p2 of the lens; zeros for a pinhole.
        jpegs: The files of `images`.
        timestamps: Microseconds.
        url: Of a video that does not exist.
        waves: The texture.
    """

    name: str
    cameras: Cameras
    images: np.ndarray
    distortion: tuple[float, float, float, float]
    jpegs: tuple[bytes, ...]
    timestamps: tuple[int, ...]
    url: str
    waves: tuple[np.ndarray, np.ndarray]

    def redrawn(self, cameras: Cameras) -> "TinyCapture":
        """The same box as pinhole cameras of the same number see it."""
        images = np.stack([_trace(cameras, i, (0.0, 0.0, 0.0, 0.0), self.waves) for i in range(len(cameras))])
        jpegs = tuple(encode_jpeg(image) for image in images)
        return replace(self, cameras=cameras, images=images, distortion=(0.0, 0.0, 0.0, 0.0), jpegs=jpegs)

    def enlarged(self, factor: int) -> "TinyCapture":
        """The same pictures with `factor` times as many pixels a side, each repeated."""
        K = scale_intrinsics(self.cameras.K, float(factor), float(factor))
        cameras = replace(self.cameras, K=K, size=self.cameras.size * factor)
        images = self.images.repeat(factor, axis=1).repeat(factor, axis=2)
        return replace(self, cameras=cameras, images=images, jpegs=tuple(encode_jpeg(image) for image in images))

    def __len__(self) -> int:
        return len(self.images)


def tiny_capture(
    name: str = "0123456789abcdef",
    *,
    frames: int = 12,
    size: tuple[int, int] = (96, 64),
    seed: int = 0,
    distortion: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
) -> TinyCapture:
    """A capture of `frames` pictures of `size` (width, height); the seed chooses texture and walk."""
    rng = np.random.default_rng(seed)
    cameras = _walk(frames, size, rng)
    waves = rng.normal(0, 1.6, (3, 3, 3)), rng.uniform(0, 6.3, (3, 3))
    images = np.stack([_trace(cameras, i, distortion, waves) for i in range(frames)])
    return TinyCapture(
        name=name,
        cameras=cameras,
        images=images,
        distortion=distortion,
        jpegs=tuple(encode_jpeg(image) for image in images),
        timestamps=tuple(FRAME_INTERVAL_US * (i + 1) for i in range(frames)),
        url=f"https://example.org/watch?v={name[:11]}",
        waves=waves,
    )


def tiny_captures(num: int, **options: object) -> list[TinyCapture]:
    """Captures with the seeds 0, 1, ... and keys of 16 hexadecimal digits; options as of `tiny_capture`."""
    return [tiny_capture(f"{seed:016x}", seed=seed, **options) for seed in range(num)]  # pyright: ignore[reportArgumentType]


def encode_jpeg(image: np.ndarray) -> bytes:
    """A JPEG file of quality 95 without chroma subsampling."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=95, subsampling=0)
    return stream.getvalue()


def write_re10k(
    root: Path, captures: list[TinyCapture], split: str = "train", *, per_chunk: int = 2, zipped: bool = True
) -> Path:
    """`root/SPLIT/000000.torch`, ... and `index.json`; not `zipped` writes what torch wrote before version 1.6."""
    folder = root / split
    folder.mkdir(parents=True, exist_ok=True)
    index = {}
    for number, start in enumerate(range(0, len(captures), per_chunk)):
        part = captures[start : start + per_chunk]
        chunk = [re10k_example(capture) for capture in part]
        torch.save(chunk, folder / f"{number:06d}.torch", _use_new_zipfile_serialization=zipped)
        index |= {capture.name: f"{number:06d}.torch" for capture in part}
    (folder / "index.json").write_text(json.dumps(index))
    return root


def re10k_example(capture: TinyCapture) -> dict[str, object]:
    """One entry of a chunk."""
    return {
        "url": capture.url,
        "timestamps": torch.tensor(capture.timestamps, dtype=torch.int64),
        "cameras": torch.tensor(re10k_vectors(capture.cameras), dtype=torch.float32),
        "images": [torch.tensor(np.frombuffer(jpeg, np.uint8)) for jpeg in capture.jpegs],
        "key": capture.name,
    }


def re10k_vectors(cameras: Cameras) -> np.ndarray:
    """The 18 numbers a frame, in double precision."""
    K, size = cameras.K.double().numpy(), cameras.size.double().numpy()
    lens = np.stack([K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2]], axis=1) / np.tile(size, 2)
    pose = cameras.cam_from_world[:, :3].double().numpy().reshape(-1, 12)
    return np.concatenate([lens, np.zeros_like(size), pose], axis=1)


def write_re10k_text(root: Path, frames_root: Path, captures: list[TinyCapture], split: str = "train") -> Path:
    """`root/SPLIT/KEY.txt` and `frames_root/KEY/TIMESTAMP.jpg`."""
    (root / split).mkdir(parents=True, exist_ok=True)
    for capture in captures:
        folder = frames_root / capture.name
        folder.mkdir(parents=True)
        lines = [capture.url]
        for time, vector, jpeg in zip(capture.timestamps, re10k_vectors(capture.cameras), capture.jpegs, strict=True):
            lines.append(" ".join([str(time), *(f"{value:.9f}" for value in vector)]))
            (folder / f"{time}.jpg").write_bytes(jpeg)
        (root / split / f"{capture.name}.txt").write_text("\n".join(lines) + "\n")
    return root


def write_dl3dv(root: Path, captures: list[TinyCapture], *, layout: str = "benchmark", downsample: int = 4) -> Path:
    """`root/HASH/nerfstudio/...` ("benchmark") or `root/1K/HASH/...` ("10k"), PNG in `images_4`.

    The file states the lens for pictures `downsample` times as large, as that of DL3DV does.
    """
    for capture in captures:
        folder = root / capture.name / "nerfstudio" if layout == "benchmark" else root / "1K" / capture.name
        pictures = folder / ("images" if downsample == 1 else f"images_{downsample}")
        pictures.mkdir(parents=True)
        frames = []
        for i, image in enumerate(capture.images):
            Image.fromarray(image).save(pictures / f"frame_{i + 1:05d}.png")
            world_from_cam = np.linalg.inv(capture.cameras.cam_from_world[i].double().numpy())
            matrix = (world_from_cam @ OPENGL_FROM_OPENCV).tolist()
            frames.append({"file_path": f"images/frame_{i + 1:05d}.png", "transform_matrix": matrix})
        (folder / "transforms.json").write_text(json.dumps(_nerfstudio_lens(capture, downsample) | {"frames": frames}))
    return root


def _nerfstudio_lens(capture: TinyCapture, factor: int) -> dict[str, object]:
    K, size = capture.cameras.K[0].double() * factor, capture.cameras.size[0] * factor
    k1, k2, p1, p2 = capture.distortion
    return {
        "camera_model": "OPENCV", "w": int(size[0]), "h": int(size[1]), "fl_x": float(K[0, 0]), "fl_y": float(K[1, 1]),
        "cx": float(K[0, 2]), "cy": float(K[1, 2]), "k1": k1, "k2": k2, "p1": p1, "p2": p2,
        "applied_transform": [[0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0]],
    }  # fmt: skip


def write_long_lrm(root: Path, captures: list[TinyCapture]) -> Path:
    """`root/NAME/opencv_cameras.json` and the undistorted pictures that it names."""
    for capture in captures:
        (root / capture.name / "images_undistort").mkdir(parents=True)
        frames = []
        for i, jpeg in enumerate(capture.jpegs):
            name = f"images_undistort/frame_{i + 1:05d}.jpg"
            (root / capture.name / name).write_bytes(jpeg)
            K, (w, h) = capture.cameras.K[i].double(), capture.cameras.size[i].tolist()
            frames.append({
                "file_path": name, "w2c": capture.cameras.cam_from_world[i].double().tolist(), "h": h, "w": w,
                "fx": float(K[0, 0]), "fy": float(K[1, 1]), "cx": float(K[0, 2]), "cy": float(K[1, 2]),
            })  # fmt: skip
        content = {"scene_name": capture.name, "frames": frames}
        (root / capture.name / "opencv_cameras.json").write_text(json.dumps(content))
    return root


def write_lvsm(root: Path, captures: list[TinyCapture], split: str = "train") -> Path:
    """`root/SPLIT/full_list.txt`, `metadata/NAME.json` and `images/NAME/00000.jpg`, as LVSM prepares RE10K."""
    folder = root / split
    (folder / "metadata").mkdir(parents=True)
    for capture in captures:
        (folder / "images" / capture.name).mkdir(parents=True)
        frames = []
        for i, jpeg in enumerate(capture.jpegs):
            path = folder / "images" / capture.name / f"{i:05d}.jpg"
            path.write_bytes(jpeg)
            K = capture.cameras.K[i].double()
            lens = [float(K[0, 0]), float(K[1, 1]), float(K[0, 2]), float(K[1, 2])]
            pose = capture.cameras.cam_from_world[i].double().tolist()
            frames.append({"image_path": f"images/{capture.name}/{i:05d}.jpg", "fxfycxcy": lens, "w2c": pose})
        content = {"scene_name": capture.name, "frames": frames}
        (folder / "metadata" / f"{capture.name}.json").write_text(json.dumps(content))
    names = [f"metadata/{capture.name}.json" for capture in captures]
    (folder / "full_list.txt").write_text("\n".join(names) + "\n")
    return root


def write_colmap(root: Path, captures: list[TinyCapture]) -> Path:
    """`root/NAME/{images,sparse/0}`; a distorted lens is an OPENCV camera."""
    for capture in captures:
        pictures, sparse = root / capture.name / "images", root / capture.name / "sparse" / "0"
        pictures.mkdir(parents=True)
        sparse.mkdir(parents=True)
        names = [f"frame_{i + 1:05d}.jpg" for i in range(len(capture))]
        for name, jpeg in zip(names, capture.jpegs, strict=True):
            (pictures / name).write_bytes(jpeg)
        model = model_of_cameras(capture.cameras, names)
        if any(capture.distortion):
            lenses = {
                number: ColmapCamera("OPENCV", camera.size, (*camera.parameters, *capture.distortion))
                for number, camera in model.cameras.items()
            }
            model = ColmapModel(lenses, model.images, model.points, model.colors)
        write_model(sparse, model)
    return root


def write_rooms(root: Path, captures: list[TinyCapture], split: str = "train") -> Path:
    """`root/SPLIT/000000.safetensors`, ... with true depth; pictures must be square."""
    (root / split).mkdir(parents=True, exist_ok=True)
    for number, capture in enumerate(captures):
        depths = [_hits(capture.cameras, i, capture.distortion)[1] for i in range(len(capture))]
        arrays = SceneArrays(
            images=capture.images,
            inverse_depth=(1 / np.stack(depths)).astype(np.float16),
            cam_from_world=capture.cameras.cam_from_world.numpy(),
            K=capture.cameras.K.numpy(),
        )
        write_scene(root / split / f"{number:06d}.safetensors", arrays, {})
    return root


def _walk(frames: int, size: tuple[int, int], rng: np.random.Generator) -> Cameras:
    """A smooth path of about 1 unit along x, looking at the far wall."""
    start = np.concatenate([rng.uniform(-0.8, -0.4, 1), rng.uniform(-0.3, 0.3, 1), rng.uniform(-1.5, -0.5, 1)])
    step = np.array([1.0, rng.uniform(-0.2, 0.2), rng.uniform(0.0, 0.5)])
    poses = torch.eye(4, dtype=torch.float64).repeat(frames, 1, 1)
    for i, along in enumerate(np.linspace(0, 1, frames)):
        turn = torch.tensor([0.1 * np.sin(3 * along), 0.3 - 0.6 * along, 0.05 * along], dtype=torch.float64)
        poses[i, :3, :3] = rotation_from_vector(turn)
        poses[i, :3, 3] = -poses[i, :3, :3] @ torch.tensor(start + along * step)
    width, height = size
    focal = 0.9 * max(size)
    K = torch.tensor([[focal, 0, width / 2 + 0.7], [0, 1.01 * focal, height / 2 - 0.4], [0, 0, 1]])
    return Cameras(poses.float(), K.repeat(frames, 1, 1), torch.tensor([size]).repeat(frames, 1))


def _hits(cameras: Cameras, index: int, distortion: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """World points [height, width, 3] that pixel centres show, and their z-depth [height, width]."""
    width, height = cameras.size[index].tolist()
    K = cameras.K[index].double().numpy()
    pixels = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    plane = (pixels - K[:2, 2]) / np.diag(K)[:2]
    plane = _without_distortion(plane, distortion)
    pose = cameras.cam_from_world[index].double().numpy()
    rays = np.concatenate([plane, np.ones((height, width, 1))], axis=-1) @ pose[:3, :3]
    center = -pose[:3, :3].T @ pose[:3, 3]
    with np.errstate(divide="ignore"):
        exits = (np.where(rays > 0, HALF_EXTENT, -HALF_EXTENT) - center) / rays
    depth = exits.min(axis=-1)
    return center + depth[..., None] * rays, depth


def _without_distortion(distorted: np.ndarray, distortion: tuple[float, ...]) -> np.ndarray:
    """Points on the plane z = 1 that the lens draws at the given ones, by fixed-point iteration of OpenCV's formula."""
    k1, k2, p1, p2 = distortion
    flat = distorted
    for _ in range(60):
        x, y = flat[..., 0], flat[..., 1]
        square = x * x + y * y
        shift_x = 2 * p1 * x * y + p2 * (square + 2 * x * x)
        shift_y = p1 * (square + 2 * y * y) + 2 * p2 * x * y
        radial = 1 + k1 * square + k2 * square**2
        flat = (distorted - np.stack([shift_x, shift_y], axis=-1)) / radial[..., None]
    return flat


def _trace(
    cameras: Cameras, index: int, distortion: tuple[float, ...], waves: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """The picture of the box: three waves a colour, and a soft checker of half a unit."""
    points, _ = _hits(cameras, index, distortion)
    frequencies, phases = waves
    shades = np.sin(np.einsum("hwx,cfx->hwcf", points, frequencies) + phases)
    checker = np.tanh(3 * np.prod(np.sin(2 * np.pi * points + 0.3), axis=-1))[..., None]
    return np.round(255 * np.clip(0.5 + 0.13 * shades.sum(-1) + 0.15 * checker, 0, 1)).astype(np.uint8)
