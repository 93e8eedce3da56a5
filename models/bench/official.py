"""The baseline: maps and videos the way of DINO's own scripts.

Written anew from what they do (``visualize_attention.py`` and ``video_generation.py`` of
https://github.com/facebookresearch/dino), to be measured beside ours in one run: eager float32, one
picture at a time, every attention matrix whole, the last one too, of which a single row is shown;
every frame and every map a JPEG file in between; no hands, no picture under the map, no sound.

Left out, which makes it quicker than the scripts are: the masks of the heads, which the video does
not show; matplotlib, which writes their pictures, and Pillow, which reads them: OpenCV does both.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from models.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from models.vit import VisionTransformer
from stream.errors import OutputError, SourceFormatError
from stream.frames import RgbImage

__all__ = ["VIDEO_WH", "OfficialWay"]

VIDEO_WH = (384, 224)
"""Width and height that frames of 16:9 are shrunk to before the model sees them."""


class OfficialWay:
    """Runs a transformer as DINO's scripts do.

    Args:
        network: Weights; taken over, and made float32.
        device: Where to compute.
        num_threads: Processor threads for one operation; None leaves torch's choice.
    """

    def __init__(
        self, network: VisionTransformer, *, device: torch.device, num_threads: int | None
    ) -> None:
        self._network = network.eval().requires_grad_(False).to(device, torch.float32)
        self._patch_px = network.config.patch_px
        self._num_heads = network.config.num_heads
        self._device = device
        self._num_threads = num_threads

    def attend(self, image: RgbImage) -> npt.NDArray[np.float32]:
        """Return the maps of a picture, float32 (heads, H / patch, W / patch).

        Args:
            image: uint8 (H, W, 3) RGB, sides multiples of the patch.
        """
        return self._attend(torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255)

    def export(self, clip: Path, folder: Path, *, num_frames: int) -> float:
        """Make a video of mean maps from the beginning of a clip; return its frames a second.

        Args:
            clip: Video to read.
            folder: Empty folder for pictures and video.
            num_frames: Frames to take, at most.

        Raises:
            SourceFormatError: The clip has no frame.
            OutputError: A file cannot be written.
        """
        self._attend(torch.zeros(3, *VIDEO_WH[::-1]))  # the set-up is not timed: neither is ours
        began = time.perf_counter()
        frames = _extract(clip, folder, num_frames)
        for index, path in enumerate(frames):
            picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            pixels = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
            pixels = F.interpolate(
                pixels[None], VIDEO_WH[::-1], mode="bilinear", align_corners=False, antialias=True
            )[0]
            heads = torch.from_numpy(self._attend(pixels))
            enlarged = F.interpolate(heads[None], scale_factor=self._patch_px, mode="nearest")[0]
            mean = enlarged.mean(0).numpy()
            level = (255 * (mean - mean.min()) / max(mean.max() - mean.min(), 1e-12)).astype("u1")
            _write(folder / f"attn-{index:04d}.jpg", cv2.applyColorMap(level, cv2.COLORMAP_INFERNO))
        _join(sorted(folder.glob("attn-*.jpg")), folder / "video.mp4")
        return len(frames) / (time.perf_counter() - began)

    @torch.inference_mode()
    def _attend(self, pixels: Tensor) -> npt.NDArray[np.float32]:
        """Return the maps of a picture (3, H, W) of values 0 to 1."""
        if self._num_threads is not None:
            torch.set_num_threads(self._num_threads)
        mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
        pixels = (pixels - mean[:, None, None]) / std[:, None, None]
        attention = self._last_attention(pixels[None].to(self._device))  # (1, heads, N, N)
        grid_hw = (pixels.shape[1] // self._patch_px, pixels.shape[2] // self._patch_px)
        row: npt.NDArray[np.float32] = (
            attention[0, :, 0, 1:].reshape(self._num_heads, *grid_hw).cpu().numpy()
        )
        return row

    def _last_attention(self, pixels: Tensor) -> Tensor:
        """Return the softmax matrix of the last block, (B, heads, N, N)."""
        network = self._network
        patches = network.patch_embed(pixels)  # (B, D, rows, columns)
        positions = network.positions((patches.shape[2], patches.shape[3]))
        patches = patches.flatten(2).transpose(1, 2) + positions[:, 1:]
        cls_token = (network.cls_token + positions[:, :1]).expand(len(patches), -1, -1)
        late = network.config.cls_block
        tokens = patches if late else torch.cat([cls_token, patches], dim=1)
        blocks: list[Any] = list(network.blocks)
        for index, block in enumerate(blocks):
            if late and index == late:
                tokens = torch.cat([cls_token, tokens], dim=1)
            attention, mixed = self._attention(block.attn, block.norm1(tokens))
            if index == len(blocks) - 1:
                break
            tokens = tokens + mixed
            mlp = block.mlp
            tokens = tokens + mlp.fc2(F.gelu(mlp.fc1(block.norm2(tokens))))
        return attention

    def _attention(self, layer: Any, tokens: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        """Return the whole softmax matrix, and what comes out of the layer."""
        batch, num_tokens, dim = tokens.shape
        qkv = layer.qkv(tokens).reshape(batch, num_tokens, 3, self._num_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, N, D / heads)
        matrix = (q @ k.transpose(-2, -1)) / math.sqrt(dim // self._num_heads)
        matrix = matrix.softmax(dim=-1)
        mixed = (matrix @ v).transpose(1, 2).reshape(batch, num_tokens, dim)
        return matrix, layer.proj(mixed)


def _extract(clip: Path, folder: Path, num_frames: int) -> list[Path]:
    """Write the first frames of a clip as JPEG pictures; return their paths."""
    capture = cv2.VideoCapture(str(clip))
    paths: list[Path] = []
    while len(paths) < num_frames:
        is_there, picture = capture.read()
        if not is_there:
            break
        paths.append(folder / f"frame-{len(paths):04d}.jpg")
        _write(paths[-1], picture)
    capture.release()
    if not paths:
        raise SourceFormatError(f"{clip} has no frame that OpenCV can read")
    return paths


def _join(pictures: list[Path], video: Path) -> None:
    """Read pictures back, all of them, and encode them."""
    images = [np.asarray(cv2.imread(str(path))) for path in pictures]
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 30, (width, height))
    for image in images:
        writer.write(image)
    writer.release()


def _write(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    if not cv2.imwrite(str(path), picture):
        raise OutputError(f"{path} cannot be written; is the disk full?")
