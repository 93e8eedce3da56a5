"""The projection head and the losses.

DINO: M. Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", ICCV 2021,
section 3.1. InfoNCE between student and teacher: X. Chen, S. Xie, K. He, "An Empirical Study of
Training Self-Supervised Vision Transformers" (MoCo v3), ICCV 2021, section 3.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

__all__ = [
    "Centre",
    "ProjectionHead",
    "alike_loss",
    "contrast_loss",
    "cover_loss",
    "distillation_loss",
    "entropy",
    "even_part",
    "whole_part",
]


class ProjectionHead(nn.Module):
    """DINO's head: an MLP to a bottleneck on the unit sphere, then cosines to prototypes.

    With batch norm in the MLP, an option of the official code: pictures then differ from the first
    step on, without which small runs collapse before they begin.

    Args:
        dim: Width of what comes in.
        hidden: Width of the MLP.
        bottleneck: Width of the unit vectors.
        num_prototypes: Outputs.
        generator: Where the first weights are drawn from.
    """

    def __init__(
        self, dim: int, hidden: int, bottleneck: int, num_prototypes: int, *,
        generator: torch.Generator,
    ) -> None:  # fmt: skip
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(dim, hidden),
            nn.BatchNorm1d(hidden),
            nn.GELU(),
            nn.Linear(hidden, hidden),
            nn.BatchNorm1d(hidden),
            nn.GELU(),
            nn.Linear(hidden, bottleneck),
        )
        self.prototypes = nn.Parameter(torch.empty(num_prototypes, bottleneck))
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.ndim > 1:
                nn.init.trunc_normal_(parameter, std=0.02, generator=generator)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cosines to all prototypes, (B, K), and the unit vectors, (B, bottleneck).

        In float32 under autocast, too: both go into softmaxes with low temperatures.
        """
        with torch.autocast(features.device.type, enabled=False):
            unit = F.normalize(self.mlp(features.float()), dim=-1)
            return unit @ F.normalize(self.prototypes, dim=-1).T, unit


class Centre:
    """The moving average of the teacher's outputs, subtracted so that no prototype takes all.

    Args:
        num_prototypes: Outputs of the head.
        momentum: How slowly it moves.
        device: Where it is kept.
    """

    def __init__(self, num_prototypes: int, momentum: float, device: torch.device) -> None:
        self.value = torch.zeros(1, num_prototypes, device=device)
        self._momentum = momentum

    def update(self, outputs: Tensor) -> None:
        """Move towards the mean of a batch of outputs, (B, K)."""
        self.value = self.value.lerp(outputs.mean(0, keepdim=True), 1.0 - self._momentum)


def distillation_loss(targets: list[Tensor], log_students: list[Tensor]) -> Tensor:
    """Return DINO's loss: the cross-entropy of each teacher view with every other view.

    Args:
        targets: The teacher's distributions over the prototypes, (B, K), one per global view.
        log_students: The student's log-probabilities, (B, K); the global views first, in the order
            of ``targets``, then the local ones.
    """
    terms = [
        -(target * log_student).sum(-1).mean()
        for i, target in enumerate(targets)
        for j, log_student in enumerate(log_students)
        if i != j
    ]
    return torch.stack(terms).mean()


def contrast_loss(teachers: list[Tensor], students: list[Tensor], temperature: float) -> Tensor:
    """Return InfoNCE: of all pictures in the batch, which is the one that this view shows?

    Args:
        teachers: The teacher's unit vectors, (B, d), one per global view.
        students: The student's, the global views first, then the local ones.
        temperature: Divides the cosines.
    """
    own = torch.arange(len(teachers[0]), device=teachers[0].device)
    terms = [
        F.cross_entropy(student @ teacher.T / temperature, own)
        for i, teacher in enumerate(teachers)
        for j, student in enumerate(students)
        if i != j
    ]
    return torch.stack(terms).mean()


def even_part(row: Tensor) -> Tensor:
    """Return the part of its tokens that a head rests on evenly, float32 (B, heads).

    1 is all of them; a single token, 1 / (1 + patches), is the least.

    The Hill number of order 2 (M. O. Hill, "Diversity and Evenness", Ecology 54, 1973) over the
    number of tokens: attention that is even on a third of them, and nowhere else, gives a third.
    Few bright patches make it small whatever shines faintly around them; so does a head that looks
    at the CLS token alone and at no patch.

    Args:
        row: Attention of the CLS token, (B, heads, 1 + patches), its own share first; sums to 1.
    """
    return 1.0 / (row.float().square().sum(-1) * row.shape[-1])


def whole_part(row: Tensor) -> Tensor:
    """Return the part of the patches that a head looks at in all, float32 (B, heads).

    1 is all of them; a single patch, or none, 1 / patches, is the least.

    The Hill number of order 1, which is the perplexity, over the number of patches: light that is
    scattered widely makes it large, however little that is.

    Args:
        row: Attention of the CLS token, (B, heads, 1 + patches), its own share first.
    """
    patches = row[..., 1:].float()
    shares = patches / patches.sum(-1, keepdim=True).clamp(min=1e-20)
    # Not down to 0, where the slope of the entropy has no end.
    return entropy(shares.clamp(min=1e-9)).exp() / patches.shape[-1]


def cover_loss(rows: list[Tensor], least: Tensor, most: Tensor) -> Tensor:
    """Return how far heads are from covering a part of a view between two bounds, mean, nats.

    Bounds on the entropy of attention, after G. Attanasio et al., "Entropy-based Attention
    Regularization Frees Unintended Bias Mitigation from Lists", Findings of ACL 2022, section 3,
    where it is raised without a bound. From below they keep a head from resting on the few patches
    that tell a picture from the next, when all of a hand could; from above, from being everywhere.
    They say how much to look at, and nothing of where. Scalar float32, 0 or more.

    Args:
        rows: Attention of the CLS token, (B, heads, 1 + patches), one per group of views.
        least: What the ``even_part`` of each head should reach, (heads,).
        most: What the ``whole_part`` of each head should not exceed, (heads,).
    """
    terms = [
        (least / even_part(row)).log().clamp(min=0).mean()
        + (whole_part(row) / most).log().clamp(min=0).mean()
        for row in rows
    ]
    return torch.stack(terms).mean()


def alike_loss(rows: list[Tensor], most: float) -> Tensor:
    """Return how far the maps of two heads correlate above ``most``, mean over pairs of heads.

    After J. Li et al., "Multi-Head Attention with Disagreement Regularization", EMNLP 2018
    (disagreement on attended positions), with a bound: on a small thing heads may overlap. Scalar
    float32, 0 or more; 0 with one head.

    Args:
        rows: Attention of the CLS token, (B, heads, 1 + patches), one per group of views.
        most: Correlation over the patches, mean of the views, that costs nothing yet.
    """
    terms = []
    for row in rows:
        patches = row[..., 1:].float()
        unit = F.normalize(patches - patches.mean(-1, keepdim=True), dim=-1)
        first, second = torch.triu_indices(row.shape[1], row.shape[1], 1, device=row.device)
        alike = (unit[:, first] * unit[:, second]).sum(-1).mean(0)
        terms.append((alike - most).clamp(min=0).sum() / max(len(alike), 1))
    return torch.stack(terms).mean()


def entropy(distributions: Tensor) -> Tensor:
    """Return the entropy of each distribution over the last dimension, in nats."""
    return torch.special.entr(distributions).sum(-1)  # type: ignore[no-any-return]
