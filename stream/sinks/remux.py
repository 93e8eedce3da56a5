"""A fragmented MP4 made into a plain one that starts fast, without encoding again."""

from __future__ import annotations

from pathlib import Path

import av

from stream.whole_files import written_whole

__all__ = ["finish_mp4"]


def finish_mp4(path: Path, *, timescales: dict[str, str], last: range) -> None:
    """Replace the fragmented file ``path`` by a plain MP4 with the same packets and times.

    The new file is written beside the old one and takes its place in one step, so that at every
    moment one of them is whole.

    Args:
        path: The file.
        timescales: Muxer options that hold its times exactly.
        last: Ticks during which the last picture is shown.

    Raises:
        FFmpegError, OSError: The new file could not be written; the old one is untouched.
    """
    with written_whole(path) as finished:
        _copy(path, finished, timescales, last)


def _copy(source: Path, target: Path, timescales: dict[str, str], last: range) -> None:
    with (
        av.open(f"file:{source}") as fragmented,
        av.open(
            f"file:{target}",
            "w",
            format="mp4",
            container_options={"movflags": "faststart", **timescales},
        ) as plain,
    ):
        plain.metadata.update(fragmented.metadata)
        streams = {}
        for stream in fragmented.streams:
            # "opaque" copies the parameters without looking for an encoder to go with them.
            streams[stream.index] = plain.add_stream_from_template(stream, opaque=True)
            streams[stream.index].metadata.update(stream.metadata)
        for packet in fragmented.demux():
            if packet.dts is None:  # the empty one that ends a stream
                continue
            if packet.stream.type == "video" and packet.pts == last.start:
                # Fragments tell the distance to the next packet, which is not the picture's length
                # where packets are not in the order of display.
                packet.duration = len(last)
            packet.stream = streams[packet.stream_index]
            plain.mux(packet)
