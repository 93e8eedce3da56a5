"""Sources, sinks and attention, opened as the options say."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.errors import OptionError, SignlightError
from stream.naming import refuse_input
from stream.newest_maps import NewestMaps
from stream.options import Options
from stream.protocols import Source

if TYPE_CHECKING:
    from stream.jobs.factories import Cutter, LoadedModel
    from stream.sinks.mp4 import Mp4Sink

__all__ = ["open_attention", "open_sink", "open_source"]


def open_source(options: Options) -> Source:
    """Open ``options.source``.

    Raises:
        SourceError: It is not there, is no video, or does not answer.
        OptionError: It has no such part as the options ask for.
    """
    from stream import sources
    from stream.sources.picture_options import PictureOptions

    try:
        return sources.open_source(
            options.source,
            start_s=options.start_s,
            end_s=options.end_s,
            max_frames=options.max_frames,
            pictures=PictureOptions(
                playlists=options.playlists,
                deinterlace=options.deinterlace,
                max_pixels=options.max_pixels,
            ),
        )
    except ValueError as error:
        if isinstance(error, SignlightError):
            raise
        raise OptionError(f"{options.source}: {error}") from error


def open_sink(
    options: Options,
    path: Path,
    source: Source,
    **origin: Any,  # noqa: ANN401
) -> Mp4Sink:
    """Return an MP4 to write with the encoder asked for; ``origin``: its time 0 and its sound.

    Raises:
        OutputError: It may not be written, or is the input.
    """
    from stream.sinks.mp4 import Mp4Sink

    refuse_input(path, options.source)
    return Mp4Sink(
        path,
        frame_rate=source.info.frame_rate,
        crf=options.crf,
        preset=options.preset,
        encoder=options.encoder,
        playlists=options.playlists,
        **origin,
    )


def open_attention(options: Options, model: LoadedModel, cut: Cutter) -> NewestMaps:
    """Return the attention thread of the live view, to be entered."""
    # The size of a whole picture is known with the first of them, which then warms up as well.
    is_known = options.region == "hands"
    return NewestMaps(model, warm_up=partial(model.warm_up, cut.size_px) if is_known else None)
