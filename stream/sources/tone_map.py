"""Pictures of high dynamic range or wide gamut made BT.709 by one table over all colours.

HLG and PQ as ITU-R BT.2100 defines them, on its display of 1000 cd/m2 (gamma 1.2). Diffuse white,
203 cd/m2 by ITU-R BT.2408, becomes SDR's white; the roll-off towards it is the EETF of ITU-R
BT.2390, section 5.4.1, of the largest component, which keeps the hue. Gamut: ITU-R BT.2087.
"""

from __future__ import annotations

import tempfile
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.filter import Graph
from av.video.reformatter import ColorRange, VideoReformatter

__all__ = ["HLG", "PQ", "ToneMapper", "needs_tone_map", "to_bt709"]

PQ, HLG = 16, 18
"""Transfer characteristics, ITU-T H.273."""
_BT2020 = 9
"""Colour primaries, ITU-T H.273."""
_UNSPECIFIED = 2

PEAK_CD_M2 = 1000.0
"""Display that HLG is graded for, and the brightest that PQ keeps apart from white."""
WHITE_CD_M2 = 203.0
"""Diffuse white of HDR (ITU-R BT.2408, table 1)."""
_SDR_GAMMA = 2.4
"""ITU-R BT.1886."""
_BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)
_TABLE_SIDE = 65
"""Nodes per component: between them FFmpeg interpolates, in 16 bits."""
_DEEP_RGB = "gbrp16le"
"""The one format for which FFmpeg's table is vectorised: 6 ms at 1280 x 720, others take 16."""

Colours = npt.NDArray[np.float64]
"""Shape ``(..., 3)``, red first, 0 to 1."""


def needs_tone_map(picture: av.VideoFrame) -> bool:
    """Tell whether the picture is HLG, PQ, or SDR in the colours of BT.2020."""
    return picture.color_trc in (PQ, HLG) or picture.color_primaries == _BT2020


class ToneMapper:
    """Maps the pictures of one source; used by one thread."""

    def __init__(self) -> None:
        self._to_rgb = VideoReformatter()
        self._graphs: dict[tuple[int, ...], Graph] = {}

    def map(self, picture: av.VideoFrame, *, matrix: int, range_: ColorRange) -> av.VideoFrame:
        """Return the picture as SDR: 16 bits a component, BT.709, full range.

        Args:
            picture: One that :func:`needs_tone_map`, of any pixel format.
            matrix: Number of its colour matrix in swscale.
            range_: Its range.
        """
        # All bits are kept until after the curve, which pulls dark levels apart.
        deep = self._to_rgb.reformat(
            picture,
            format=_DEEP_RGB,
            src_colorspace=matrix,
            src_color_range=range_,
            dst_color_range=ColorRange.JPEG,
        )
        key = (deep.width, deep.height, picture.color_trc, picture.color_primaries)
        if key not in self._graphs:
            self._graphs = {key: _graph(*key)}
        graph = self._graphs[key]
        graph.push(deep)
        mapped = graph.pull()
        assert isinstance(mapped, av.VideoFrame)
        return mapped


def to_bt709(signal: Colours, transfer: int, primaries: int) -> Colours:
    """Return SDR signals (BT.709, BT.1886) for signals of BT.2100, or of SDR in BT.2020.

    Args:
        signal: R'G'B', full range.
        transfer: :data:`PQ`, :data:`HLG`, or any other number for BT.1886.
        primaries: H.273; BT.2020 and unspecified are turned into BT.709's.
    """
    if transfer == PQ:
        light = _pq_to_cd_m2(signal)
    elif transfer == HLG:
        light = _hlg_to_cd_m2(signal)
    else:
        light = signal**_SDR_GAMMA
    if primaries in (_BT2020, _UNSPECIFIED):
        light = light @ _BT2020_TO_BT709.T
    light = np.maximum(light, 0)  # outside BT.709's gamut
    if transfer in (PQ, HLG):
        largest = light.max(axis=-1, keepdims=True)
        light = light * _roll_off(largest) / np.maximum(largest, 1e-9) / WHITE_CD_M2
    return np.asarray(np.clip(light, 0, 1) ** (1 / _SDR_GAMMA), np.float64)


def _pq_to_cd_m2(signal: Colours) -> Colours:
    """EOTF of BT.2100, table 4."""
    root = signal ** (1 / 78.84375)
    light = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    return np.asarray(10_000 * light ** (1 / 0.1593017578125), np.float64)


def _cd_m2_to_pq(light: Colours) -> Colours:
    """Inverse EOTF of BT.2100, table 4."""
    power = (light / 10_000) ** 0.1593017578125
    signal = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    return np.asarray(signal, np.float64)


def _hlg_to_cd_m2(signal: Colours) -> Colours:
    """Inverse OETF and OOTF of BT.2100, table 5."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return np.asarray(PEAK_CD_M2 * scene * luminance[..., None] ** 0.2, np.float64)


def _roll_off(light: Colours) -> Colours:
    """EETF of BT.2390, section 5.4.1, for black levels of 0, in cd/m2."""
    peak, white = _cd_m2_to_pq(np.array([PEAK_CD_M2, WHITE_CD_M2]))
    top = white / peak
    knee = 1.5 * top - 0.5
    level = np.minimum(_cd_m2_to_pq(light) / peak, 1)
    t = np.maximum(level - knee, 0) / (1 - knee)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * top
    )
    return _pq_to_cd_m2(np.where(level < knee, level, spline) * peak)


@cache
def _cube(transfer: int, primaries: int) -> str:
    """Return the table as a .cube file: red changes fastest."""
    axis = np.linspace(0, 1, _TABLE_SIDE)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    nodes = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
    levels = to_bt709(nodes, transfer, primaries).ravel().tolist()
    return f"LUT_3D_SIZE {_TABLE_SIDE}\n" + ("%.5f %.5f %.5f\n" * len(nodes)) % tuple(levels)


def _graph(width: int, height: int, transfer: int, primaries: int) -> Graph:
    graph = Graph()
    buffer = graph.add_buffer(
        width=width, height=height, format=av.VideoFormat(_DEEP_RGB), time_base=Fraction(1)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.cube")
        path.write_text(_cube(transfer, primaries))
        table = graph.add("lut3d", file=str(path), interp="tetrahedral")
        sink = graph.add("buffersink")
        buffer.link_to(table)
        table.link_to(sink)
        graph.configure()
    return graph
