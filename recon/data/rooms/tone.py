"""Camera response: exposure, white balance, tone curve, glow of bright windows."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

LARGE_DRIFT_SHARE, MAX_DRIFT = 0.25, 0.3
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True)
class CameraResponse:
    """How a camera turns radiance into a picture.

    Attributes:
        key: sRGB level (0..1) that the median of the scene gets.
        white_balance: Factors of red, green, blue.
        contrast: 1 neutral, above 1 steeper in the middle.
        saturation: 1 neutral.
        shoulder: 0 clips highlights, 1 rolls them off.
        glow: Share of clipped light that spreads.
        exposure_steps: Difference of each view in stops.
        balance_steps: Drift of the white balance of each view, as the logarithm of red's factor (blue's is opposite).
        softness: Blur of the lens and of video compression, sigma in pixels.
        sharpening: How much of the blurred picture's detail is added again, which leaves halos.
    """

    key: float
    white_balance: tuple[float, float, float]
    contrast: float
    saturation: float
    shoulder: float
    glow: float
    exposure_steps: tuple[float, ...]
    balance_steps: tuple[float, ...] = (0.0,)
    softness: float = 0.0
    sharpening: float = 0.0

    def white_level(self, radiance: Float32[np.ndarray, "rays 3"]) -> float:
        """Radiance that becomes white, from the scene's distribution of brightness."""
        luminance = radiance.reshape(-1, 3)[::7] @ LUMINANCE
        middle = 0.7 * float(np.median(luminance)) + 0.3 * float(np.percentile(luminance, 75))
        return max(middle, 1e-5) / self.key**2.2


def sample_response(rng: np.random.Generator, num_views: int) -> CameraResponse:
    """A random plausible camera."""
    warmth, tint = rng.normal(0, 0.06), rng.normal(0, 0.02)
    steps, balance = _drift(rng, num_views)
    return CameraResponse(
        key=float(rng.uniform(0.48, 0.74)),
        white_balance=(float(np.exp(warmth)), float(np.exp(tint)), float(np.exp(-warmth))),
        contrast=float(rng.uniform(0.95, 1.3)),
        saturation=float(rng.uniform(0.8, 1.25)),
        shoulder=float(rng.uniform(0.2, 1.0)),
        glow=float(rng.choice([0.0, rng.uniform(0.0, 0.12)])),
        exposure_steps=tuple(float(s) for s in steps - steps.mean()),
        balance_steps=tuple(float(s) for s in balance - balance.mean()),
        softness=float(rng.choice([0.0, rng.uniform(0.2, 0.65)])),
        sharpening=float(rng.choice([0.0, rng.uniform(0.2, 0.7)], p=[0.65, 0.35])),
    )


def _drift(rng: np.random.Generator, num_views: int) -> tuple[np.ndarray, np.ndarray]:
    """Exposure in stops and white balance along a path: mostly nearly constant, in a quarter of the paths not."""
    steps, balance = np.cumsum(rng.normal(0, 0.025, num_views)), np.cumsum(rng.normal(0, 0.002, num_views))
    if rng.random() < LARGE_DRIFT_SHARE:
        t = np.linspace(-1, 1, num_views)
        wave = np.sin(rng.uniform(0.4, 1.2) * np.pi * (t + rng.uniform(-0.5, 0.5)))
        steps = steps + rng.uniform(0.1, MAX_DRIFT) * rng.choice([-1, 1]) * wave
        balance = balance + rng.normal(0, 0.03) * t
    return steps, balance


def develop(
    radiance: Float32[np.ndarray, "views height width 3"], white: float, response: CameraResponse
) -> UInt8[np.ndarray, "views height width 3"]:
    """SRGB pictures."""
    gains = np.exp2(np.array(response.exposure_steps, np.float32)).reshape(-1, 1, 1, 1)
    drift = np.exp(np.array(response.balance_steps, np.float32)[:, None] * np.array([1, 0, -1], np.float32))
    balance = np.array(response.white_balance, np.float32) * drift[:, None, None, :]
    light = radiance * (gains * balance / white)
    if response.glow > 0:
        light = light + response.glow * np.stack([_glow(view) for view in light])
    gray = (light @ LUMINANCE)[..., None]
    light = np.maximum(gray + response.saturation * (light - gray), 0)
    knee = 0.55
    above = np.maximum(light - knee, 0)
    rolled = np.minimum(light, knee) + (1 - knee) * (1 - np.exp(-above / (1 - knee)))
    light = np.clip((1 - response.shoulder) * np.minimum(light, 1) + response.shoulder * rolled, 0, 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    curve = encoded + (response.contrast - 1) * 0.5 * np.sin(2 * np.pi * (encoded - 0.5)) / np.pi
    if response.softness or response.sharpening:
        curve = np.stack([_soften(view, response) for view in np.clip(curve, 0, 1)])
    return (np.clip(curve, 0, 1) * 255).round().astype(np.uint8)


def _soften(
    picture: Float32[np.ndarray, "height width 3"], response: CameraResponse
) -> Float32[np.ndarray, "height width 3"]:
    """Blur, then unsharp masking, as cameras of telephones do."""
    if response.softness > 0:
        picture = cv2.GaussianBlur(picture, (0, 0), response.softness)
    if response.sharpening > 0:
        picture = picture + response.sharpening * (picture - cv2.GaussianBlur(picture, (0, 0), 1.2))
    return picture.astype(np.float32)


def _glow(light: Float32[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "height width 3"]:
    excess = np.clip(light - 1, 0, 4)
    small = cv2.resize(excess, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(1.0, 0.03 * light.shape[0] / 4 * 2))
    return cv2.resize(small, (light.shape[1], light.shape[0]), interpolation=cv2.INTER_LINEAR)
