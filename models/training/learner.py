"""Student, teacher and one step of self-distillation."""

from __future__ import annotations

import copy
import math
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from models.training.losses import (
    Centre,
    ProjectionHead,
    alike_loss,
    contrast_loss,
    cover_loss,
    distillation_loss,
    entropy,
    even_part,
)
from models.training.muon import Muon
from models.training.recipe import Recipe
from models.vit import VisionTransformer, VitConfig

__all__ = ["Learner", "StepReport", "start_network"]

_INIT_GAIN = 0.9
"""Standard deviation of a fresh weight, in 1 / sqrt(inputs). DINO's 0.02 is that of width 2000;
at a tenth of it, patches would look alike to a fresh network and a short run is over too soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """What one step saw, all plain numbers."""

    loss: float
    """Sum of the terms."""
    distillation: float
    """DINO's term, nats; ln(prototypes) where nothing is learnt."""
    contrast: float
    """InfoNCE, nats, before its weight and even where that is 0; ln(batch): nothing is learnt."""
    narrowest: float
    """Part of a view that the student's narrowest head covers evenly, up to 1; 1 / (1 + patches)
    is a single token: one patch, or CLS itself, which sees nothing."""
    teacher_entropy: float
    """Mean entropy of the teacher's distributions, nats: ln(prototypes) means that it says
    nothing about any picture, one of the two ways to collapse."""
    mean_entropy: float
    """Entropy of the mean of the teacher's distributions, nats: 0 means that it says the same
    about every picture, the other way."""
    found: float
    """Share of pictures whose two views find each other among all of the batch."""


class Learner:
    """A student that learns, and the teacher that is its moving average.

    Args:
        recipe: What is trained, and how.
        device: Where.
        dtype: Arithmetic of the transformer, bfloat16 of Muon's directions, too; weights, losses
            and the sums that move weights are float32 always.
    """

    def __init__(
        self, recipe: Recipe, *, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> None:
        self.recipe = recipe
        generator = torch.Generator().manual_seed(recipe.seed)
        self.student = start_network(recipe.network, generator).to(device)
        self.student_head = ProjectionHead(
            recipe.dim, recipe.head_hidden, recipe.bottleneck, recipe.num_prototypes,
            generator=generator,
        ).to(device)  # fmt: skip
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.teacher_head = copy.deepcopy(self.student_head).requires_grad_(False)
        self.centre = Centre(recipe.num_prototypes, recipe.centre_momentum, device)
        self.steps_done = 0
        self._device, self._dtype = device, dtype
        # float16 has too little range for gradients as they are; bfloat16 and float32 have enough.
        self._scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)
        matrices: list[Tensor] = [
            parameter
            for name, parameter in self.student.named_parameters()
            if recipe.muon and name.startswith("blocks.") and parameter.ndim > 1
        ]
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "optimizer": torch.optim.AdamW(
                _groups([self.student, self.student_head], recipe.weight_decay, without=matrices),
                lr=recipe.lr,
                betas=(0.9, 0.98),
                foreach=True,
            )
        }
        if matrices:
            self.optimisers["muon"] = Muon(
                matrices,
                lr=recipe.lr,
                weight_decay=recipe.weight_decay,
                # Five iterations stand the rounding of bfloat16, not the range of float16.
                dtype=torch.bfloat16 if dtype == torch.bfloat16 else torch.float32,
            )

    @property
    def num_parameters(self) -> int:
        """Parameters of the transformer, without the head that is thrown away."""
        return sum(parameter.numel() for parameter in self.student.parameters())

    def step(self, views: list[Tensor], kept: Tensor | None = None) -> StepReport:
        """Learn from one batch.

        Args:
            views: ImageNet-normalized float32 (B, 3, S, S): two global views of each picture, then
                the local ones, which may be of another size.
            kept: int64 (2 * B, n), patches of the global views that the student sees; None for all.
        """
        recipe = self.recipe
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = recipe.lr_at(self.steps_done)
        targets, teacher_units = self._teach(views[:2])
        outputs, units, rows = self._study(views, kept)
        log_students = [(output / recipe.student_temp).log_softmax(-1) for output in outputs]
        distillation = distillation_loss(targets, log_students)
        contrast = contrast_loss(teacher_units, units, recipe.contrast_temp)
        loss = distillation
        if weight := recipe.contrast_at(self.steps_done):
            loss = loss + weight * contrast
        if recipe.cover:
            bounds = torch.tensor(recipe.cover_bounds_at(self.steps_done), device=self._device)
            loss = loss + recipe.cover * cover_loss(rows, *bounds)
        if recipe.differ:
            loss = loss + recipe.differ * alike_loss(rows, recipe.alike_max)
        self._update(loss)
        self.steps_done += 1
        everyone = torch.cat(targets)
        own = torch.arange(len(units[1]), device=units[1].device)
        found = (units[1].detach() @ teacher_units[0].T).argmax(1) == own
        numbers = torch.stack(
            [
                loss.detach(),
                distillation.detach(),
                contrast.detach(),
                even_part(rows[0].detach()).mean(0).amin(),
                entropy(everyone).mean(),
                entropy(everyone.mean(0)),
                found.float().mean(),
            ]
        ).tolist()  # one wait for the device instead of seven
        return StepReport(
            loss=numbers[0],
            distillation=numbers[1],
            contrast=numbers[2],
            narrowest=numbers[3],
            teacher_entropy=numbers[4],
            mean_entropy=numbers[5],
            found=numbers[6],
        )

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next step depends on, except the views.

        "student" and "teacher" are laid out as DINO's own training writes them, so that such a
        file is a checkpoint that ``--weights`` takes.
        """
        return {
            "student": _named(self.student, self.student_head),
            "teacher": _named(self.teacher, self.teacher_head),
            **{name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "scaler": self._scaler.state_dict(),
            "centre": self.centre.value,
            "steps_done": self.steps_done,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up where ``state_dict`` was called; the recipe's network must be the same.

        Raises:
            RuntimeError: The state is of another network.
            KeyError: Something is missing from the state.
        """
        for name, network, head in (
            ("student", self.student, self.student_head),
            ("teacher", self.teacher, self.teacher_head),
        ):
            for prefix, module in (("backbone.", network), ("head.", head)):
                module.load_state_dict(
                    {
                        key.removeprefix(prefix): value
                        for key, value in state[name].items()
                        if key.startswith(prefix)
                    }
                )
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state[name])
        self._scaler.load_state_dict(state["scaler"])
        self.centre.value = state["centre"].to(self.centre.value.device)
        self.steps_done = int(state["steps_done"])

    @torch.no_grad()
    def _teach(self, views: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return the teacher's distributions and unit vectors of the global views."""
        outputs, units, _ = self._look(self.teacher, self.teacher_head, views, None)
        targets = [
            ((output - self.centre.value) / self.recipe.teacher_temp).softmax(-1)
            for output in outputs
        ]
        self.centre.update(torch.cat(outputs))
        return targets, units

    def _study(
        self, views: list[Tensor], kept: Tensor | None
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Return the student's outputs, unit vectors and attention; global views may be masked."""
        outputs, units, rows = self._look(self.student, self.student_head, views[:2], kept)
        if len(views) == 2:
            return outputs, units, [rows]
        # Of another size, so a batch of their own.
        more_outputs, more_units, more_rows = self._look(
            self.student, self.student_head, views[2:], None
        )
        return outputs + more_outputs, units + more_units, [rows, more_rows]

    def _look(
        self,
        network: VisionTransformer,
        head: nn.Module,
        views: list[Tensor],
        kept: Tensor | None,
    ) -> tuple[list[Tensor], list[Tensor], Tensor]:
        is_mixed = self._dtype != torch.float32
        # On a processor torch's fused attention is made for long rows: among the tokens of small
        # views its backward takes a third of a step in bfloat16, plain products, though torch does
        # them in float32, half of that.
        plain = sdpa_kernel(SDPBackend.MATH) if self._device.type == "cpu" else nullcontext()
        with torch.autocast(self._device.type, dtype=self._dtype, enabled=is_mixed), plain:
            features, row = network.cls_feature(torch.cat(views), kept)
        # View by view: batch norm must not see both views of a picture at once, or it leaks.
        pairs = [head(part) for part in features.chunk(len(views))]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs], row

    def _update(self, loss: Tensor) -> None:
        for optimiser in self.optimisers.values():
            optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        for optimiser in self.optimisers.values():
            self._scaler.unscale_(optimiser)
        parameters: list[Tensor] = [
            *self.student.parameters(),
            *self.student_head.parameters(),
        ]
        norm = nn.utils.clip_grad_norm_(parameters, self.recipe.clip)
        # Clipping has spread a gradient that is not finite to all, and the scaler would hold back
        # only the optimiser where it stood: a step is taken by both or by none.
        is_sound = bool(norm.isfinite())
        if is_sound:
            for optimiser in self.optimisers.values():
                self._scaler.step(optimiser)
        self._scaler.update()
        if not is_sound:
            return
        rate = 1.0 - self.recipe.momentum_at(self.steps_done)
        with torch.no_grad():
            torch._foreach_lerp_(
                [*self.teacher.parameters(), *self.teacher_head.parameters()], parameters, rate
            )


def start_network(config: VitConfig, generator: torch.Generator) -> VisionTransformer:
    """Return a fresh transformer, its weights drawn from ``generator``.

    Weights have a standard deviation of 0.9 / sqrt(inputs), outputs of residual branches less by
    sqrt(2 depth), so that a signal comes out as strong as it went in.
    """
    network = VisionTransformer(config)
    network.initialise(generator)
    for name, weight in network.named_parameters():
        if weight.ndim > 1 and name not in ("cls_token", "pos_embed"):
            std = _INIT_GAIN / math.sqrt(weight[0].numel())
            if name.endswith(("attn.proj.weight", "mlp.fc2.weight")):
                std /= math.sqrt(2 * config.depth)
            nn.init.trunc_normal_(weight, std=std, generator=generator)
    return network


def _groups(
    modules: list[nn.Module], weight_decay: float, *, without: list[Tensor]
) -> list[dict[str, Any]]:
    """Return parameter groups: matrices decay; biases, norms, CLS token and positions do not."""
    others = {id(parameter) for parameter in without}
    parameters = [
        parameter
        for module in modules
        for parameter in module.parameters()
        if id(parameter) not in others
    ]
    decays = [parameter.ndim > 1 and parameter.shape[0] > 1 for parameter in parameters]
    return [
        {
            "params": [p for p, decay in zip(parameters, decays, strict=True) if decay is wanted],
            "weight_decay": weight_decay if wanted else 0.0,
        }
        for wanted in (True, False)
    ]


def _named(network: nn.Module, head: nn.Module) -> dict[str, Tensor]:
    return {f"backbone.{key}": value for key, value in network.state_dict().items()} | {
        f"head.{key}": value for key, value in head.state_dict().items()
    }
