"""What a training reads: pictures, masks and the hands of videos; and what it leaves out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.training.corpus import read_corpus
from models.training.views import ViewMaker
from stream.errors import SourceFormatError, SourceNotFoundError
from stream.sinks.png import write_png
from tests.clips import cut_off
from tests.models.networks import SMALL, noise

CPU = torch.device("cpu")


def test_a_broken_video_of_a_folder_is_left_out_and_a_cut_one_told(
    sample_clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    cut_off(sample_clip, tmp_path / "b.mp4", 0.2)
    assert len(read_corpus([tmp_path], size_px=32)) > 0
    assert f"{tmp_path / 'b.mp4'} ends at" in caplog.text
    assert f"left out: {tmp_path / 'a.mp4'} is a text file" in caplog.text


def test_a_picture_of_a_format_nobody_means_is_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_png(tmp_path / "a.png", np.full((16, 16, 3), 90, np.uint8))
    made, jpeg_2000 = cv2.imencode(".jp2", np.zeros((16, 16, 3), np.uint8))
    (tmp_path / "b.png").write_bytes(jpeg_2000.tobytes() if made else b"no picture")
    corpus = read_corpus([tmp_path], size_px=16)
    assert len(corpus) == 1
    assert (corpus.pictures[0, :3] == 90).all()
    assert f"left out: {tmp_path / 'b.png'} is no picture" in caplog.text


def test_pictures_without_masks_train_too(tmp_path: Path) -> None:
    for index in range(4):
        write_png(tmp_path / f"{index}.jpg", noise(50, 40, index))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    corpus = read_corpus([tmp_path], size_px=32)
    assert tuple(corpus.pictures.shape) == (4, 4, 32, 32)
    assert not corpus.is_cut.any()
    views = ViewMaker(corpus, torch.zeros(1, 3, 1, 1, dtype=torch.uint8), SMALL, CPU).draw()
    assert views[0].std() > 0.3  # the noise of the pictures, not the black of the backdrop


def test_hands_of_videos_are_cut_out(sample_clip: Path) -> None:
    corpus = read_corpus([sample_clip], size_px=64, limit=3)
    assert tuple(corpus.pictures.shape) == (3, 4, 64, 64)


def test_nothing_to_train_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="no such"):
        read_corpus([tmp_path / "absent"], size_px=32)
    with pytest.raises(SourceFormatError, match="nothing to train on"):
        read_corpus([tmp_path], size_px=32)
