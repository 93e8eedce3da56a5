"""Groups of command-line options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from stream.option_values import (
    integer_type,
    name_type,
    number_type,
    parse_head,
    parse_threshold,
    parse_time,
)
from stream.sources.picture_options import MAX_PIXELS

__all__ = [
    "PRESETS",
    "add_encoder_options",
    "add_input_options",
    "add_look_options",
    "add_model_options",
    "add_runtime_options",
]

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower")
"""Speeds of the H.264 encoder, fastest first."""


def add_model_options(
    parser: argparse.ArgumentParser, models: Sequence[str], default_model: str
) -> None:
    """Add which model looks, at what, and with what it runs."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "--model",
        default=default_model,
        type=name_type(models),
        metavar="NAME",
        help=f"one of: {', '.join(models)} (default: {default_model})",
    )
    group.add_argument(
        "--weights",
        type=Path,
        metavar="PATH",
        help="a DINO checkpoint: backbone or full training state (default: cache, then download)",
    )
    group.add_argument(
        "--random-weights",
        action="store_true",
        help="seeded random weights, written across the picture: for trying things out",
    )
    group.add_argument(
        "--layer",
        type=int,
        default=-1,
        metavar="N",
        help="block whose attention is read; negative counts from the end (default: -1)",
    )
    group.add_argument(
        "--region",
        choices=["hands", "frame"],
        default="hands",
        help="crops around hands, or the whole picture (default: hands)",
    )
    group.add_argument(
        "--max-hands",
        type=integer_type(1, 8),
        default=2,
        metavar="N",
        help="hands followed at once (default: 2)",
    )
    group.add_argument(
        "--crop-size",
        type=integer_type(8, 4096),
        metavar="PX",
        help="side of the model's input, rounded to its patch (default: the model's own)",
    )
    add_runtime_options(group)
    group.add_argument(
        "--hand-model",
        type=Path,
        metavar="PATH",
        help="a MediaPipe .task bundle (default: the one that comes with mediapipe)",
    )


def add_runtime_options(group: argparse._ArgumentGroup) -> None:
    """Add what the model runs with: arithmetic, device, library."""
    group.add_argument(
        "--precision",
        choices=["auto", "float32", "bfloat16", "float16"],
        default="auto",
        help="arithmetic of the model (default: auto)",
    )
    group.add_argument(
        "--device",
        choices=["auto", "cpu", "cuda", "mps"],
        default="auto",
        help="where the model runs (default: auto)",
    )
    group.add_argument(
        "--runtime",
        choices=["auto", "torch", "openvino"],
        default="auto",
        help="with what the model runs (default: auto)",
    )


def add_look_options(
    parser: argparse.ArgumentParser, colormaps: Sequence[str], *, is_live: bool
) -> None:
    """Add what the picture looks like; ``is_live`` decides what is on by default."""
    group = parser.add_argument_group("look")
    group.add_argument(
        "--head",
        type=parse_head,
        default="mean",
        metavar="N|mean|all",
        help="which head to draw; all = a grid (default: mean)",
    )
    group.add_argument(
        "--layout",
        choices=["overlay", "side", "heads", "insets"],
        default=None,  # told apart from "overlay", which --head all would contradict
        help="on the picture; beside it; all heads; close-ups in the corners (default: overlay)",
    )
    group.add_argument(
        "--normalize",
        choices=["frame", "stable", "absolute"],
        default="stable",
        help="each map's own range; a range that moves slowly; attention x patches "
        "(default: stable)",
    )
    group.add_argument(
        "--colormap",
        type=name_type(colormaps),
        default="inferno",
        metavar="NAME",
        help=f"one of: {', '.join(colormaps)} (default: inferno)",
    )
    group.add_argument(
        "--alpha",
        type=number_type(0.0, 1.0),
        default=0.6,
        metavar="A",
        help="opacity of the map, 0 to 1 (default: 0.6)",
    )
    group.add_argument(
        "--threshold",
        type=parse_threshold,
        default=None,
        metavar="MASS",
        help="outline the patches that hold this share of the attention, 0 to 1 (default: off)",
    )
    on_off = argparse.BooleanOptionalAction
    state = "on" if is_live else "off"
    shown = "rates, latency, drops" if is_live else "each frame's time in the source"
    group.add_argument(
        "--skeleton", action=on_off, default=is_live, help=f"landmarks (default: {state})"
    )
    group.add_argument(
        "--hud", action=on_off, default=is_live, help=f"read-outs: {shown} (default: {state})"
    )
    group.add_argument("--mirror", action="store_true", help="selfie view; left stays left")


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Add what the input is like, and which part of a file is read."""
    group = parser.add_argument_group("input")
    group.add_argument(
        "--max-pixels",
        type=integer_type(1, 2**31 - 1),
        default=MAX_PIXELS,
        metavar="N",
        help="largest pictures to decode: a few bytes may declare more than there is memory "
        "(default: %(default)s, those of 8K)",
    )
    group.add_argument(
        "--playlists",
        action="store_true",
        help="open the files and addresses that a playlist (m3u8) names; else it is refused",
    )
    group.add_argument(
        "--deinterlace",
        action="store_true",
        help="make whole pictures of a file's or stream's interlaced ones, which show combs",
    )
    group.add_argument(
        "--input-mirrored",
        action="store_true",
        help="the input is a selfie view already: swap what is called left and right",
    )
    group = parser.add_argument_group("part of a file")
    group.add_argument(
        "--start",
        dest="start_s",
        type=parse_time,
        metavar="S",
        help="begin at S (seconds or h:mm:ss)",
    )
    group.add_argument(
        "--end", dest="end_s", type=parse_time, metavar="S", help="end at S (seconds or h:mm:ss)"
    )
    group.add_argument(
        "--max-frames", type=integer_type(1, None), metavar="N", help="read at most N frames"
    )


def add_encoder_options(parser: argparse.ArgumentParser) -> None:
    """Add how video is encoded."""
    group = parser.add_argument_group("encoding")
    group.add_argument(
        "--crf",
        type=integer_type(0, 51),
        default=20,
        metavar="N",
        help="quality: 0 lossless, 18 fine, 28 small (default: 20)",
    )
    group.add_argument(
        "--preset",
        choices=PRESETS,
        default="veryfast",
        help="speed: slower makes smaller files (default: veryfast)",
    )
    group.add_argument(
        "--encoder",
        default="libx264",
        metavar="NAME",
        help="H.264 encoder: libx264, h264_nvenc, h264_qsv, h264_videotoolbox (default: libx264)",
    )
