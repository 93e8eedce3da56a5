"""Sources, sinks and attention, opened as the options say."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.command_line.options import Options
from stream.errors import OptionError, SignlightError
from stream.jobs.options import RegionOptions, ViewOptions
from stream.model_menu import ModelAtWork, ModelMenu
from stream.naming import refuse_input
from stream.newest_maps import NewestMaps
from stream.protocols import Source
from stream.sinks.options import EncoderOptions
from stream.sources.options import PartOptions, PictureOptions, SourceOptions

if TYPE_CHECKING:
    from stream.jobs.factories import Cutter, Factories, LoadedModel
    from stream.sinks.mp4 import Mp4Sink
    from stream.sinks.pre_roll import EncodedPreRoll

__all__ = [
    "open_attention",
    "open_live_source",
    "open_menu",
    "open_pre_roll",
    "open_sink",
    "open_source",
]


def open_source(options: Options) -> Source:
    """Open what the options name.

    Raises:
        SourceError: It is not there, is no video, or does not answer.
        OptionError: It has no such part as the options ask for.
    """
    from stream import sources

    name, part = options[SourceOptions].source, options[PartOptions]
    try:
        return sources.open_source(
            name,
            start_s=part.start_s,
            end_s=part.end_s,
            max_frames=part.max_frames,
            pictures=options[PictureOptions],
        )
    except ValueError as error:
        if isinstance(error, SignlightError):
            raise
        raise OptionError(f"{name}: {error}") from error


def open_live_source(options: Options, *, loop: bool) -> Source:
    """Open what the options name; a camera or stream that is lost is opened again, if they say so.

    Args:
        options: Say what.
        loop: A recording begins again when it has ended.

    Raises:
        SourceError: It is not there, is no video, or does not answer.
        OptionError: It has no such part as the options ask for.
    """
    name = options[SourceOptions].source
    part = options[PartOptions]
    if Path(name).is_file() or Path(name).is_dir():
        return _open_played(options, loop)
    if Path(name).exists():  # a pipe, which comes once only
        return open_source(options)
    unlimited = options.but(end_s=None, max_frames=None)
    source = open_source(unlimited)
    if not source.info.is_live:  # a recording on a web server
        source.close()
        return _open_played(options, loop)
    from stream.sources.returning import ReturningSource
    from stream.sources.timeline import Span

    return ReturningSource(
        source,
        partial(open_source, unlimited) if options[ViewOptions].reconnect else None,
        span=Span(None, part.end_s, part.max_frames),
        keeps_up=True,
    )


def _open_played(options: Options, loop: bool) -> Source:
    from stream.sources.playing import PlayedSource

    part, whole = options[PartOptions], options.but(max_frames=None)
    return PlayedSource(
        lambda from_s: open_source(whole if from_s is None else whole.but(start_s=from_s)),
        begin_s=part.start_s or 0.0,
        max_frames=part.max_frames,
        loops=loop,
    )


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

    refuse_input(path, options[SourceOptions].source)
    encoding = options[EncoderOptions]
    return Mp4Sink(
        path,
        frame_rate=source.info.frame_rate,
        crf=encoding.crf,
        preset=encoding.preset,
        encoder=encoding.encoder,
        playlists=options[PictureOptions].playlists,
        **origin,
    )


def open_pre_roll(options: Options, source: Source) -> EncodedPreRoll:
    """Return what keeps the last seconds of a take, with the encoder asked for.

    Raises:
        OutputError: It is missing or cannot be opened.
    """
    from stream.sinks.encoders import choose_encoder
    from stream.sinks.pre_roll import EncodedPreRoll

    encoding = options[EncoderOptions]
    encoder = choose_encoder(
        encoding.encoder,
        crf=encoding.crf,
        preset=encoding.preset,
        frame_rate=source.info.frame_rate or Fraction(30),
    )
    return EncodedPreRoll(options[ViewOptions].pre_roll, encoder)


def open_attention(options: Options, model: LoadedModel, cut: Cutter) -> NewestMaps:
    """Return the attention thread of the live view, to be entered."""
    # The size of a whole picture is known with the first of them, which then warms up as well.
    is_known = options[RegionOptions].region == "hands"
    return NewestMaps(model, cut, warm_up=partial(model.warm_up, cut.size_px) if is_known else None)


def open_menu(
    options: Options, factories: Factories, open_model: Callable[[Options], LoadedModel]
) -> ModelMenu:
    """Return the attention of a live view, which begins with the model that the options name."""
    first: str = options.by_name["model"]

    def open_at_work(name: str) -> ModelAtWork:
        asked = options if name == first else options.but(model=name, layer=-1)
        with ExitStack() as stack:
            model = stack.enter_context(open_model(asked))
            cut = factories.make_cutter(asked, model)
            maps = stack.enter_context(open_attention(asked, model, cut))
            return ModelAtWork(name, model, maps, stack.pop_all().close)

    return ModelMenu(first, factories.ready_models(options), open_at_work)
