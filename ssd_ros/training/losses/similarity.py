# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How alike two polar BEV images are, wherever they lie: FFT cross-correlation."""

from __future__ import annotations

import torch
from torch import Tensor


def fft_similarity(first: Tensor, second: Tensor) -> Tensor:
    """
    Return the peak of the circular cross-correlation over the product of the norms.

    :param first: shape (B, H, W), not negative
    :param second: shape (B, H, W), not negative
    :return: shape (B,) float32 in [0, 1]; 0 where an image is empty
    """
    first, second = first.float(), second.float()
    spectrum = torch.fft.rfft2(first) * torch.fft.rfft2(second).conj()
    peak = torch.fft.irfft2(spectrum, s=first.shape[1:]).amax(dim=(1, 2))
    norms = first.flatten(1).norm(dim=1) * second.flatten(1).norm(dim=1)
    return torch.where(norms > 0, peak / norms.clamp(min=1), 0.0).clamp(0, 1)
