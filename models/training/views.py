"""The views that student and teacher see: cut out, put before something, recoloured.

DINO's augmentations (Caron et al. 2021, section 3.1, after BYOL): crop, flip, colour jitter, grey,
blur, solarisation; and where a mask tells the hand from what is behind it, another background for
each view. A mask is used for nothing else: that the hand is what two views have in common is all
that there is to learn.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from models.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from models.training.corpus import Corpus
from models.training.recipe import Recipe

__all__ = ["ViewMaker"]

_LUMA = (0.299, 0.587, 0.114)
_BLURRED = 0.35
"""Share of views that are blurred."""
_NOISE = 0.04
"""Strongest noise, standard deviation in parts of full scale."""
_DULL = 0.3
"""Share of hands whose own colour is weaker than that of what is behind them: skin that is more
colourful than the hand, as a face often is, must not be taken for it."""
_BACKLIT = 0.08
"""Share of exchanged backgrounds that are brighter than the hand by far, as a window is."""
_MARGIN = 1.2
"""Side of the closest view over the hand's box, which runs along the bones."""
_CROP_MIN = 0.55
"""Side of the closest view of a picture without a mask, over the picture's."""


class ViewMaker:
    """Draws batches of views, on the device where they are needed.

    The same seed gives the same views; ``generator`` is the whole state.

    Args:
        corpus: Pictures to look at.
        backdrops: What is put behind cut-out hands, uint8 (M, 3, T, T); M >= 1.
        recipe: Sizes and strengths.
        device: Where to draw and keep everything.
    """

    def __init__(
        self, corpus: Corpus, backdrops: Tensor, recipe: Recipe, device: torch.device
    ) -> None:
        self._pictures = corpus.pictures.to(device)
        self._boxes = corpus.boxes.to(device)
        self._is_cut = corpus.is_cut.to(device)
        self._backdrops = backdrops.to(device)
        self._recipe = recipe
        self._device = device
        self._mean = torch.tensor(IMAGENET_MEAN, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(IMAGENET_STD, device=device).view(1, 3, 1, 1)
        self._luma = torch.tensor(_LUMA, device=device).view(1, 3, 1, 1)
        self.generator = torch.Generator(device).manual_seed(recipe.seed)

    def draw(self, strength: float = 1.0) -> list[Tensor]:
        """Return the views of one batch, ImageNet-normalized float32 (B, 3, S, S).

        Two global views, the pictures in the same order, then the local ones. At full strength,
        what is behind a hand in the first is behind the next picture's hand in the second.

        Args:
            strength: Factor of the recipe's zoom, turn, jitter, grey and clutter, 0 to 1.
        """
        full = self._recipe
        recipe = replace(
            full,
            zoom_max=1 + (full.zoom_max - 1) * strength,
            turn=full.turn * strength,
            jitter=full.jitter * strength,
            grey=full.grey * strength,
            clutter=full.clutter * strength,
        )
        chosen = torch.randint(
            len(self._pictures), (recipe.batch,), generator=self.generator, device=self._device
        )
        pictures = self._pictures[chosen].float().div_(255)
        boxes, is_cut = self._boxes[chosen], self._is_cut[chosen]
        # A hand in a mirror is the other hand, so both views are mirrored, or neither is.
        mirrored = self._chance(0.5)
        keeps = ~is_cut | self._chance(recipe.keep)
        alpha = torch.where(_column(keeps), torch.ones((), device=self._device), pictures[:, 3:])
        layers = torch.cat([pictures[:, :3] * alpha, alpha, pictures[:, 3:] * alpha], 1)
        views: list[Tensor] = []
        behind = self._draw_behind(recipe.view_px)
        for number in range(2 + recipe.local_views):
            is_local = number >= 2
            size_px = recipe.local_px if is_local else recipe.view_px
            grid = self._crop_grid(
                recipe, boxes, is_cut, mirrored, layers.shape[-1], size_px, is_local
            )
            hands = F.grid_sample(layers, grid, align_corners=False)
            if number == 1 and strength == 1:
                # What is behind another hand, too, misleads whoever goes by it: C. Ryali,
                # D. Schwab, A. Morcos, "Characterizing and Improving the Robustness of
                # Self-Supervised Learning through Background Augmentations", 2021, section 3.
                behind = behind.roll(1, 0)
            elif number:
                behind = self._draw_behind(size_px)
            views.append(self._finish(recipe, hands, behind, ~keeps, is_second=number == 1))
        return views

    def draw_kept(self) -> Tensor | None:
        """Return the patches of the global views that the student sees, int64 (2 * B, n).

        A random subset, as in M. Assran et al., "Masked Siamese Networks for Label-Efficient
        Learning", ECCV 2022, section 3: what is known from any part of a hand must be looked for in
        all of it, and a step costs less. None where nothing is masked.
        """
        recipe = self._recipe
        if not recipe.mask:
            return None
        num_patches = (recipe.view_px // recipe.patch_px) ** 2
        order = torch.rand(
            (2 * recipe.batch, num_patches), generator=self.generator, device=self._device
        ).argsort(1)
        return order[:, : max(round(num_patches * (1 - recipe.mask)), 1)]

    def _finish(
        self, recipe: Recipe, hands: Tensor, behind: Tensor, is_cut: Tensor, *, is_second: bool
    ) -> Tensor:
        """Return the view of hands, (B, 5, S, S): premultiplied colour, alpha, mask.

        Args:
            recipe: Strengths.
            hands: Cut out, or whole pictures.
            behind: What they stand before, (B, 3, S, S).
            is_cut: Which of them are cut out, bool (B,).
            is_second: Whether this is the second global view.
        """
        colour, alpha, mask = hands[:, :3], hands[:, 3:4], hands[:, 4:]
        behind = self._dye(behind, colour, mask, recipe.clutter)
        lit = colour * self._uniform(1 - 0.8 * recipe.jitter, 1 + 0.8 * recipe.jitter)
        luma = (lit * self._luma).sum(1, keepdim=True)
        dull = self._uniform(0, 1) * _column(self._chance(_DULL) & is_cut)
        lit = lit + (luma - lit) * dull
        shade = self._uniform(0.2, 0.6)
        backlit = _column(self._chance(_BACKLIT) & is_cut)
        lit = torch.where(backlit, lit * shade, lit)
        behind = torch.where(backlit, behind + (1 - shade) * (1 - behind), behind)
        view = (lit + behind * (1 - alpha)).clamp(0, 1)
        view = self._recolour(view, recipe.jitter, recipe.grey)
        if is_second and recipe.solarise:
            solarised = _column(self._chance(recipe.solarise)) & (view > 0.5)
            view = torch.where(solarised, 1 - view, view)
        view = self._blur(view)
        noise = torch.randn(view.shape, generator=self.generator, device=self._device)
        view = (view + noise * self._uniform(0, _NOISE)).clamp(0, 1)
        return (view - self._mean) / self._std

    def _crop_grid(
        self,
        recipe: Recipe,
        boxes: Tensor,
        is_cut: Tensor,
        mirrored: Tensor,
        picture_px: int,
        size_px: int,
        is_local: bool,
    ) -> Tensor:
        """Return where each pixel of the views lies in its picture, (B, S, S, 2) in -1..1."""
        sides = (boxes[:, 2:] - boxes[:, :2]).amax(1)
        centres = (boxes[:, 2:] + boxes[:, :2]) / 2
        if is_local:
            zoom = self._uniform(0.45, 0.8).flatten()
            reach = 0.35 * sides
        else:
            # A view of a cut-out may leave the picture, for there is a backdrop everywhere.
            wide = _MARGIN * self._uniform(1.0, recipe.zoom_max).flatten()
            close = self._uniform(_CROP_MIN, 1.0).flatten()
            zoom = torch.where(is_cut, wide, close)
            # Far enough for the view's border to cut off an eighth of the hand at most.
            slack = torch.where(is_cut, (zoom - 0.75).clamp(min=0), 1 - zoom)
            reach = 0.5 * sides * slack
        shift = torch.cat([self._uniform(-1, 1), self._uniform(-1, 1)], 1).flatten(1)
        centres = (centres + shift * reach[:, None]) * 2 / picture_px - 1
        turn = self._uniform(-recipe.turn, recipe.turn).flatten()
        return _grid_of(centres, zoom * sides / picture_px, turn, mirrored, size_px)

    def _draw_behind(self, size_px: int) -> Tensor:
        """Return a random part of a random backdrop per picture, (B, 3, S, S)."""
        count = self._recipe.batch
        chosen = torch.randint(
            len(self._backdrops), (count,), generator=self.generator, device=self._device
        )
        backdrops = self._backdrops[chosen].float().div_(255)
        scale = self._uniform(0.35, 0.95).flatten()
        turn = self._uniform(-0.3, 0.3).flatten()
        centres = torch.cat([self._uniform(-1, 1), self._uniform(-1, 1)], 1).flatten(1)
        grid = _grid_of(centres * (1 - scale)[:, None], scale, turn, self._chance(0.5), size_px)
        behind = F.grid_sample(backdrops, grid, padding_mode="reflection", align_corners=False)
        behind = (behind * self._uniform(0.5, 1.4)).clamp(0, 1)
        grey = self._uniform(0, 1) * self._uniform(0, 1)  # black more often than white
        return torch.where(_column(self._chance(self._recipe.plain)), grey, behind)

    def _dye(self, behind: Tensor, colour: Tensor, mask: Tensor, clutter: float) -> Tensor:
        """Return backdrops, some in the hand's own mean colour: colour alone then tells nothing.

        Half of those are of its hue all over; the others keep hues of their own around it, as hair
        and lips are not of a face's colour.
        """
        area = mask.sum((2, 3), keepdim=True).clamp(min=1)
        skin = colour.sum((2, 3), keepdim=True) / area
        grey = behind.mean(1, keepdim=True)
        contrast = grey / grey.mean((2, 3), keepdim=True).clamp(min=0.03)
        tone = behind.mean((2, 3), keepdim=True).clamp(min=0.1)
        dyed = torch.where(_column(self._chance(0.5)), contrast * skin, behind / tone * skin)
        dyed = (dyed * self._uniform(0.6, 1.4)).clamp(0, 1)
        share = self._uniform(0.4, 1.0) * _column(self._chance(clutter))
        return behind + (dyed - behind) * share

    def _recolour(self, view: Tensor, strength: float, grey: float) -> Tensor:
        """Return the views with other light, contrast, saturation and gamma."""
        tint = torch.randn(len(view), 3, 1, 1, generator=self.generator, device=self._device)
        tint = 1 + 0.18 * strength * tint.clamp(-2, 2)
        view = (view * tint * self._uniform(1 - 0.35 * strength, 1 + 0.35 * strength)).clamp(0, 1)
        mean = view.mean((1, 2, 3), keepdim=True)
        view = mean + (view - mean) * self._uniform(1 - 0.4 * strength, 1 + 0.4 * strength)
        luma = (view * self._luma).sum(1, keepdim=True)
        saturation = self._uniform(0.3, 1.5)
        saturation = saturation * ~_column(self._chance(grey))
        view = (luma + (view - luma) * saturation).clamp(1e-3, 1)
        gamma = torch.randn(len(view), 1, 1, 1, generator=self.generator, device=self._device)
        return view ** torch.exp(0.2 * strength * gamma)

    def _blur(self, view: Tensor) -> Tensor:
        """Return the views, some of them blurred by a binomial kernel once or twice."""
        kernel = torch.tensor([0.25, 0.5, 0.25], device=self._device)
        kernel = (kernel[:, None] * kernel).expand(3, 1, 3, 3)
        for _ in range(2):
            soft = F.conv2d(F.pad(view, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)
            view = torch.where(_column(self._chance(_BLURRED)), soft, view)
        return view

    def _uniform(self, low: float, high: float) -> Tensor:
        """Return a random number per picture, (B, 1, 1, 1)."""
        size = (self._recipe.batch, 1, 1, 1)
        drawn = torch.rand(size, generator=self.generator, device=self._device)
        return low + (high - low) * drawn

    def _chance(self, share: float) -> Tensor:
        """Return True for a random ``share`` of the batch, bool (B,)."""
        size = (self._recipe.batch,)
        return torch.rand(size, generator=self.generator, device=self._device) < share


def _grid_of(
    centres: Tensor, scale: Tensor, turn: Tensor, mirrored: Tensor, size_px: int
) -> Tensor:
    """Return sampling places (B, S, S, 2) of squares in pictures that reach from -1 to 1."""
    cos, sin = turn.cos() * scale, turn.sin() * scale
    flip = 1 - 2 * mirrored.float()
    rows = [
        torch.stack([cos * flip, -sin, centres[:, 0]], -1),
        torch.stack([sin * flip, cos, centres[:, 1]], -1),
    ]
    size = [len(centres), 1, size_px, size_px]
    return F.affine_grid(torch.stack(rows, 1), size, align_corners=False)


def _column(flags: Tensor) -> Tensor:
    return flags[:, None, None, None]
