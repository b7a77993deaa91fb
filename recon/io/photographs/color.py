"""Any Pillow mode to 8-bit sRGB."""

import io
import logging

import numpy as np
from PIL import Image, ImageCms

from recon.errors import FormatError

logger = logging.getLogger(__name__)

SRGB = ImageCms.createProfile("sRGB")


def to_srgb(image: Image.Image) -> Image.Image:
    """A decoded image as mode RGB in sRGB.

    An embedded ICC profile is applied; transparent pixels are laid over white; 16-bit grey is divided by 257.

    Raises:
        FormatError: The mode has no meaning as a photograph (floating point, 32-bit integers).
    """
    if image.mode.startswith("I"):
        image = _grey16_to_8(image)
    if image.mode == "F":
        raise FormatError("floating-point pixels have no agreed white", hint="save it as 8-bit RGB")
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    rgb = _apply_profile(_without_alpha(image))
    if alpha is None:
        return rgb
    return Image.composite(rgb, Image.new("RGB", rgb.size, "white"), alpha)


def _without_alpha(image: Image.Image) -> Image.Image:
    """The colour part in the mode that an ICC profile of the file is made for: L, RGB or CMYK."""
    if image.mode in ("1", "L", "LA"):
        return image.convert("L")
    if image.mode == "CMYK":
        return image
    if image.has_transparency_data:
        image = image.convert("RGBA")  # a palette with transparency must not go to RGB at once
    return image.convert("RGB")


def _apply_profile(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError) as error:
            logger.warning("colour profile cannot be applied (%s); the pixels are taken as sRGB", error)
        else:
            if converted is not None:
                return converted
    return image.convert("RGB")


def _grey16_to_8(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if not (values.min() >= 0 and values.max() <= 65535):
        raise FormatError(
            f"integer pixels run from {values.min()} to {values.max()}, expected 0..65535",
            hint="save it as 16-bit grey",
        )
    grey = Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
    grey.info = {"icc_profile": image.info.get("icc_profile")}
    return grey
