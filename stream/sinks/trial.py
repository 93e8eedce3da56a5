"""Whether an MP4 can hold a sound track: tried in memory and read back, as words cannot tell."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable

import av
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

__all__ = ["FRAGMENTS", "add_sound", "first_sound", "mp4_holds", "unwrapper_of"]

FRAGMENTS = "frag_keyframe+delay_moov+default_base_moof"
"""Muxer flags of a file that plays while it grows. The header waits for the first fragment: it
needs what some audio codecs tell only in their packets, and edit lists for times that begin before
or after 0."""
_MAX_PACKETS = 20_000
"""So far into a file the first sound of a track is looked for: some minutes."""
_ENOUGH_PACKETS = 8
"""Of a track: E-AC-3 may need six to make one that an MP4 holds."""
_USUAL_LAYOUTS = {3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"} | {
    1: "mono",
    2: "stereo",
}
"""Where channels stand when a file only counts them, as FFmpeg takes it."""


def add_sound(output: OutputContainer, template: AudioStream) -> AudioStream:
    """Add a track to ``output`` for unchanged packets of ``template``.

    Raises:
        ValueError, FFmpegError: No track can be made for this codec.
    """
    target = output.add_stream_from_template(template)
    layout = target.codec_context.layout
    # An MP4 whose channels have no places can be written, but not read.
    if layout.name.endswith(" channels") and layout.nb_channels in _USUAL_LAYOUTS:
        target.codec_context.layout = _USUAL_LAYOUTS[layout.nb_channels]
    target.metadata.update(template.metadata)
    keep_disposition(target, template)
    return target


def keep_disposition(target: Stream, template: Stream) -> None:
    """Have a track be the default, a commentary, ... as the one that it is made of."""
    target.disposition = template.disposition.value  # type: ignore[assignment]  # for PyAV 17


def unwrapper_of(track: AudioStream) -> Callable[[Packet[Stream]], list[Packet[Stream]]]:
    """Return what makes of a packet what an MP4 holds: the sound, without a header of its own."""
    # AAC in MPEG-TS repeats its parameters before every packet (ADTS); an MP4 has them once.
    if track.codec_context.name != "aac" or track.codec_context.extradata:
        return lambda packet: [packet]
    return BitStreamFilterContext("aac_adtstoasc", track).filter


def first_sound(container: InputContainer) -> tuple[dict[int, list[Packet[Stream]]], bool]:
    """Return the first packets of each audio track, and whether the file was read to its end."""
    found: dict[int, list[Packet[Stream]]] = {track.index: [] for track in container.streams.audio}
    try:
        for count, packet in enumerate(container.demux()):
            packets = found.get(packet.stream_index)
            if packets is not None and packet.size and len(packets) < _ENOUGH_PACKETS:
                packets.append(packet)
            if count > _MAX_PACKETS or all(len(each) == _ENOUGH_PACKETS for each in found.values()):
                return found, False
    except FFmpegError:
        return found, False  # says itself what is wrong when the file is read
    return found, True


def mp4_holds(track: AudioStream, packets: Iterable[Packet[Stream]]) -> bool:
    """Return whether sound can be read again from an MP4, both of fragments and plain.

    Args:
        track: The track, of a file that is still open.
        packets: Its first packets; their times are lost.
    """
    if track.codec_context is None:
        return False
    try:
        unwrap = unwrapper_of(track)
        sound = [ready for packet in packets for ready in unwrap(packet)]
        for flags in ({"movflags": FRAGMENTS}, {}):
            mp4 = io.BytesIO()
            with contextlib.closing(
                av.open(mp4, "w", format="mp4", container_options=flags)
            ) as trial:
                target = add_sound(trial, track)
                trial.start_encoding()
                ticks = 0
                for packet in sound:
                    packet.dts = packet.pts = ticks
                    if track.time_base is not None:
                        packet.time_base = track.time_base
                    ticks += max(1, packet.duration or 0)
                    packet.stream = target
                    trial.mux(packet)
            if sound and not _reads_as(track, mp4):
                return False
    except (ValueError, FFmpegError):
        return False
    return True


def _reads_as(track: AudioStream, mp4: io.BytesIO) -> bool:
    mp4.seek(0)
    with av.open(mp4) as written:
        copy = written.streams.audio[0] if written.streams.audio else None
        return (
            copy is not None
            and copy.codec_context is not None
            and copy.codec_context.channels == track.codec_context.channels
            and any(packet.size for packet in written.demux(copy))
        )
