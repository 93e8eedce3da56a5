"""Views of training: parts, light, masks and what is behind a hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import torch

from models.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from models.training.corpus import Corpus, read_corpus
from models.training.learner import Learner
from models.training.views import ViewMaker
from tests.models.networks import SMALL

CPU = torch.device("cpu")


def test_settings_change_the_views_and_the_seed_brings_them_back(pictures: Path) -> None:
    corpus = read_corpus([pictures], size_px=64)
    backdrops = torch.randint(0, 255, (4, 3, 32, 32), dtype=torch.uint8)
    recipe = replace(SMALL, local_views=2, local_px=16, solarise=0.5)
    views = ViewMaker(corpus, backdrops, recipe, CPU).draw()
    assert [tuple(view.shape) for view in views] == [(16, 3, 24, 24)] * 2 + [(16, 3, 16, 16)] * 2
    assert all(view.isfinite().all() for view in views)
    again = ViewMaker(corpus, backdrops, recipe, CPU).draw()
    other = ViewMaker(corpus, backdrops, replace(recipe, seed=1), CPU).draw()
    assert all(torch.equal(a, b) for a, b in zip(views, again, strict=True))
    assert not torch.equal(views[0], other[0])
    easy = ViewMaker(corpus, backdrops, recipe, CPU).draw(0.0)
    assert not torch.equal(views[0], easy[0])
    report = Learner(recipe, device=CPU).step(views)
    assert math.isfinite(report.loss)


def test_some_hands_are_dull_or_dark_before_what_is_behind_them() -> None:
    """So that neither colour nor brightness alone tells where a hand is."""
    hand = torch.zeros(1, 4, 64, 64, dtype=torch.uint8)
    hand[:, :, 16:48, 16:48] = torch.tensor([200, 90, 60, 255], dtype=torch.uint8)[:, None, None]
    corpus = Corpus(
        pictures=hand, boxes=torch.tensor([[16.0, 16, 48, 48]]), is_cut=torch.tensor([True])
    )
    recipe = replace(
        SMALL, batch=64, view_px=48, keep=0, plain=0, clutter=0, jitter=0, grey=0, turn=0
    )
    grey = torch.full((1, 3, 32, 32), 128, dtype=torch.uint8)
    view = ViewMaker(corpus, grey, recipe, CPU).draw()[0]
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    view = view * std + mean
    inside, behind = view[:, :, 20:28, 20:28].mean((2, 3)), view[:, :, :3, :3].mean((1, 2, 3))
    backlit = behind > 0.75  # the backdrop alone reaches 0.7
    assert 0 < backlit.float().mean() < 0.3
    assert inside[backlit].mean() < 0.7 * inside[~backlit].mean()
    colour = (inside.amax(1) - inside.amin(1)) / inside.amax(1)
    dull = colour < 0.15  # what views take away themselves leaves 0.2
    assert 0 < dull[~backlit].float().mean() < 0.4


def test_student_sees_a_random_part_of_each_view(pictures: Path) -> None:
    corpus = read_corpus([pictures], size_px=64)
    backdrops = torch.randint(0, 255, (4, 3, 32, 32), dtype=torch.uint8)
    maker = ViewMaker(corpus, backdrops, replace(SMALL, mask=1 / 3), CPU)
    kept = maker.draw_kept()
    assert kept is not None
    assert kept.shape == (32, 6)  # two thirds of 3 x 3, for both views of 16 pictures
    assert all(len(set(row)) == 6 and max(row) < 9 for row in kept.tolist())
    assert len({tuple(sorted(row)) for row in kept.tolist()}) > 10
    assert ViewMaker(corpus, backdrops, replace(SMALL, mask=0.0), CPU).draw_kept() is None


def test_exchanged_backgrounds_leave_the_hand(pictures: Path) -> None:
    corpus = read_corpus([pictures], size_px=64)
    recipe = replace(
        SMALL, view_px=48, keep=0, plain=0, clutter=0, jitter=0, grey=0, turn=0, zoom_max=1
    )
    black, white = (torch.full((1, 3, 8, 8), value, dtype=torch.uint8) for value in (0, 255))
    on_black, on_white = (ViewMaker(corpus, b, recipe, CPU).draw()[0] for b in (black, white))
    difference = (on_black - on_white).abs().amax(1)
    centre = difference[:, 22:26, 22:26].amax((1, 2))
    corner = difference[:, :3, :3].amax((1, 2))
    assert (centre < 0.02).float().mean() > 0.8
    assert (corner > 0.5).float().mean() > 0.8
    plain = replace(recipe, plain=1)
    on_grey, too = (ViewMaker(corpus, b, plain, CPU).draw()[0] for b in (black, white))
    assert torch.equal(on_grey, too)  # whatever the backdrops are
    corners = on_grey[:, 0, :3, :3].flatten(1)  # red alone, normalized: light may be tinted
    assert corners.std(1).max() < 0.3  # the noise
    assert corners.mean(1).std() > 0.4  # each another grey


def test_each_backdrop_stands_behind_two_hands(pictures: Path) -> None:
    """So that nothing is won by going by what is behind a hand."""
    corpus = read_corpus([pictures], size_px=64)
    greys = torch.linspace(0, 255, 100).to(torch.uint8)[:, None, None, None].expand(-1, 3, 8, 8)
    recipe = replace(SMALL, keep=0, plain=0, clutter=0, jitter=0, grey=0)
    first, second = ViewMaker(corpus, greys, recipe, CPU).draw()
    behind, too = (view[:, :, :2, :2].mean((1, 2, 3)) for view in (first, second))
    assert ((behind - too.roll(-1)).abs() < 0.15).float().mean() > 0.6  # but for windows
    assert ((behind - too).abs() < 0.15).float().mean() < 0.4
