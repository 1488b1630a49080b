"""Two networks in a contest, as lesson 16 builds them: losses, the best discriminator, digits, measures.

A discriminator gives one logit for each picture or point: positive for "real", negative for "made". Latent
vectors have the shape (B, d_z), pictures (B, 1, 28, 28) with values from 0 to 1, as `utils.data` has them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

__all__ = [
    "Discriminator",
    "Generator",
    "best_discriminator",
    "discriminator_loss",
    "generator_loss",
    "interpolate",
    "modes_covered",
]


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Binary cross-entropy of the discriminator: real is 1, made is 0. Built in lesson 16.

    Args:
        real_logits: what it says of real data, any shape, not empty.
        fake_logits: what it says of made data, any shape; its number may differ from the real ones'.

    Returns:
        Scalar: the mean over the real ones plus the mean over the made ones, 2 ln 2 ≈ 1.386 for a
        discriminator that always says one half. (Goodfellow and others, 2014, with the sign turned.)
    """
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """The non-saturating loss of the generator, −mean of ln D(G(z)). Built in lesson 16.

    Args:
        fake_logits: what the discriminator says of made data, any shape, not empty.

    Returns:
        Scalar, small when the discriminator takes the made data for real.
    """
    return softplus(-fake_logits).mean()


def best_discriminator(p_data: Tensor, p_model: Tensor) -> Tensor:
    """Probability of "real" that the best discriminator gives at each place. Built in lesson 16.

    Args:
        p_data: density of the data, zero or more, any shape.
        p_model: density of the generator at the same places, same shape or one that broadcasts.

    Returns:
        p_data / (p_data + p_model), from 0 to 1. Where both are zero nothing is ever seen; there it is 1/2.
    """
    total = p_data + p_model
    nowhere = total == 0
    return torch.where(nowhere, 0.5, p_data / torch.where(nowhere, 1.0, total))


def interpolate(z1: Tensor, z2: Tensor, steps: int) -> Tensor:
    """Points at equal distances on the straight line from z1 to z2, both ends included. Built in lesson 16.

    Args:
        z1: first latent vector, any shape, usually (d_z,).
        z2: last one, same shape.
        steps: how many points, 2 or more.

    Returns:
        Shape (steps, *z1.shape): z1 first, z2 last.

    Raises:
        ValueError: if there are fewer than two steps.
    """
    if steps < 2:
        raise ValueError(f"a line from z1 to z2 needs 2 points or more, not {steps}")
    t = torch.linspace(0, 1, steps, dtype=z1.dtype, device=z1.device)
    t = t.reshape(-1, *[1] * z1.dim())
    return (1 - t) * z1 + t * z2


def modes_covered(samples: Tensor, centres: Tensor, radius: float) -> int:
    """How many centres have at least one sample no further away than the radius. Built in lesson 16.

    Args:
        samples: points, shape (N, d).
        centres: the middle of each mode, shape (K, d).
        radius: largest (Euclidean) distance that still counts.

    Returns:
        A number from 0 to K.
    """
    differences = samples[:, None] - centres  # (N, K, d)
    near = differences.square().sum(dim=-1) <= radius**2  # (N, K)
    return int(near.any(dim=0).sum())


class Generator(nn.Module):
    """Latent vectors to digits: a dense layer to 7 × 7, then twice doubled. Built in lesson 16.

    A small relative of DCGAN (Radford and others, 2016): transposed convolutions with stride 2, batch norm
    and ReLU in between, a sigmoid at the end.

    Args:
        d_z: length of a latent vector, kept as the attribute `d_z`.
        channels: channels at 14 × 14; twice as many at 7 × 7.
    """

    def __init__(self, d_z: int = 16, channels: int = 16) -> None:
        super().__init__()
        self.d_z = d_z
        self.net = nn.Sequential(
            nn.Linear(d_z, 2 * channels * 7 * 7, bias=False),
            nn.Unflatten(1, (2 * channels, 7, 7)),
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1, bias=False),  # 14 × 14
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.ConvTranspose2d(channels, 1, 4, stride=2, padding=1),  # 28 × 28
            nn.Sigmoid(),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Pictures of shape (B, 1, 28, 28), values from 0 to 1, for z of shape (B, d_z)."""
        return self.net(z)


class Discriminator(nn.Module):
    """One logit for each picture: positive for "real". Built in lesson 16.

    Two convolutions with stride 2 and leaky ReLU (slope 0.2), the second with batch norm, then one dense
    layer. In training real and made pictures are given in batches of their own, as DCGAN does it.

    Args:
        channels: channels at 14 × 14; twice as many at 7 × 7.
    """

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, channels, 4, stride=2, padding=1),  # 14 × 14
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1, bias=False),  # 7 × 7
            nn.BatchNorm2d(2 * channels),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(2 * channels * 7 * 7, 1),
        )

    def forward(self, X: Tensor) -> Tensor:
        """Logits, shape (B, 1), for pictures of shape (B, 1, 28, 28)."""
        return self.net(X)
