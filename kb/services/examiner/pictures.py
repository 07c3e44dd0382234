"""Pictures: decoded whole and written anew, upright, in sRGB, no larger than a page shows them, without metadata.

Whatever else a file held (where it was taken, a second picture, a script behind the last byte) is not in what is
written: only the dots are carried over.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

from .refusing import Refused

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}

MOST_PIXELS = 40_000_000
"""Dots of a picture that is decoded: those of any camera; four bytes each in memory."""

LONGEST_SIDE = 2400
"""Dots along the longer side of what is kept."""

QUALITY = 85

Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit is higher than ours, which is asked before anything is decoded


def signature(head: bytes) -> str | None:
    """The format that a file's first bytes are of."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    return "WEBP" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def rewrite(source: Path, target: Path) -> tuple[str, int, int]:
    """Write a picture anew; returns its media type, width and height. Raises Refused."""
    with source.open("rb") as file:
        kind = signature(file.read(16))
    if kind is None:
        raise Refused("no-picture")
    try:
        with Image.open(source, formats=[kind]) as picture:
            upright = _read(picture, kind)
    except (Refused, MemoryError):
        raise
    except Exception as error:  # whatever a decoder says of a damaged file
        raise Refused("damaged-picture") from error
    _write(upright, target, kind)
    return FORMATS[kind], upright.width, upright.height


def _read(picture: Image.Image, kind: str) -> Image.Image:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise Refused("too-many-dots", width=width, height=height, most=MOST_PIXELS // 1_000_000)
    if kind != "JPEG" and getattr(picture, "n_frames", 1) > 1:  # a camera's JPEG may hold a second, small picture
        raise Refused("moving-picture")
    profile = picture.info.get("icc_profile")
    picture.draft(None, (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is decoded smaller from the start
    picture.load()
    plain = _plain(picture)
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    upright = ImageOps.exif_transpose(_in_srgb(plain, profile))
    upright.info.clear()  # some writers take a comment or a profile from here
    return upright


def _plain(picture: Image.Image) -> Image.Image:
    """The picture in colours or greys of eight bits, with transparency where it has any."""
    if picture.mode.startswith(("I", "F")):
        return picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode in ("RGB", "RGBA", "L", "CMYK") and "transparency" not in picture.info:
        return picture
    see_through = "transparency" in picture.info or picture.mode in ("LA", "PA", "La", "RGBa")
    return picture.convert("RGBA" if see_through else "RGB")


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture with its colours as every screen understands them; a profile that cannot be read is left aside."""
    converted: Image.Image | None = None
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            of_picture = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode = "RGBA" if picture.mode == "RGBA" else "RGB"
            converted = ImageCms.profileToProfile(picture, of_picture, ImageCms.createProfile("sRGB"), outputMode=mode)
    if converted is None:
        return picture.convert("RGB") if picture.mode == "CMYK" else picture
    converted.info = dict(picture.info)  # which way is up stands there
    return converted


def _write(picture: Image.Image, target: Path, kind: str) -> None:
    if kind == "PNG":
        picture.save(target, "PNG")
    elif kind == "WEBP":
        picture.save(target, "WEBP", quality=QUALITY)
    else:
        picture.save(target, "JPEG", quality=QUALITY, progressive=True)
