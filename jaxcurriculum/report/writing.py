"""Films as files."""

from __future__ import annotations

import pathlib
import subprocess
from typing import Any

from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.viewer import Film, Viewer, frames_of

MOST_FRAMES = 500  # of a GIF: long episodes are shown faster


def write_film(path: pathlib.Path, viewer: Viewer, film: Film, moment: int) -> None:
    """Write `film` in the format of the suffix of `path`; a PNG shows its frame `moment`."""
    match path.suffix.lower():
        case ".gif":
            write_gif(path, viewer, film)
        case ".mp4":
            try:
                write_mp4(path, viewer, film)
            except ModuleNotFoundError:
                needed = "pip install 'jaxcurriculum[report]'"
                raise RunError(f"An .mp4 needs the package imageio-ffmpeg: {needed}.") from None
        case ".png":
            viewer.picture(film, moment).save(path)


def write_gif(path: Any, viewer: Viewer, film: Film) -> None:
    """Write `film` as a GIF of at most `MOST_FRAMES` frames."""
    from PIL import Image

    num = len(film.seconds)
    every = max(1, -(-(num - 1) // (MOST_FRAMES - 1)))
    palette = _together([viewer.picture(film, frame) for frame in _sample(num)]).quantize(160)
    shown = frames_of(num - 1, every)
    no_dither = Image.Dither.NONE
    frames = (
        viewer.picture(film, frame).quantize(palette=palette, dither=no_dither) for frame in shown
    )
    first, milliseconds = next(frames), int(1000 / viewer.frames_per_second)
    options = {"duration": milliseconds, "loop": 0, "optimize": False, "disposal": 1}
    first.save(path, format="GIF", save_all=True, append_images=frames, **options)


def _sample(num_frames: int) -> list[int]:
    """A few frames from all over an episode, whose colours are those of all."""
    return sorted({round(place * (num_frames - 1) / 8) for place in range(9)})


def _together(pictures: list[Any]) -> Any:
    """Pictures of one size, one above the other."""
    from PIL import Image

    width, height = pictures[0].size
    whole = Image.new("RGB", (width, height * len(pictures)))
    for place, picture in enumerate(pictures):
        whole.paste(picture, (0, place * height))
    return whole


def write_mp4(path: pathlib.Path, viewer: Viewer, film: Film) -> None:
    """Write `film` in H.264.

    Raises:
      ModuleNotFoundError: without the package imageio-ffmpeg, which brings the encoder.
      OSError: when the file cannot be written.
    """
    from imageio_ffmpeg import get_ffmpeg_exe  # an extra, as it brings all of ffmpeg

    path.write_bytes(b"")  # a path that cannot be written is better named by Python than by ffmpeg
    width, height = viewer.picture(film, 0).size
    size, rate = f"{width}x{height}", str(viewer.frames_per_second)
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", rate, "-i", "-"]
    played_anywhere = ["-crf", "20", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    encoded = ["-c:v", "libx264", *played_anywhere, f"file:{path}"]  # "a:b" alone is a protocol
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error", *raw, *encoded]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None
        for frame in range(len(film.seconds)):
            encoder.stdin.write(viewer.picture(film, frame).tobytes())
    if encoder.returncode:
        raise OSError(f"ffmpeg could not write {path}: it ended with status {encoder.returncode}.")
