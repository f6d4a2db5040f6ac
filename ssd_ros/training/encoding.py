# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network in training as a function of NumPy images, like the exported one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.training.networks import Encoder
from ssd_ros.training.validate import Encode
import torch

_BATCH = 36


def torch_encode(encoder: Encoder, bfloat16: bool) -> Encode:
    """
    Return a function from images (N, num_ranges, num_azimuths) to descriptors (N, D).

    :param bfloat16: mixed precision
    """

    def encode(bevs: NDArray[np.uint8]) -> NDArray[np.float32]:
        encoder.eval()
        parts = []
        with torch.inference_mode(), torch.autocast('cpu', torch.bfloat16, enabled=bfloat16):
            for first in range(0, len(bevs), _BATCH):
                batch = torch.from_numpy(np.array(bevs[first : first + _BATCH]))
                parts.append(encoder(batch[:, None]).float().numpy())
        return np.concatenate(parts)

    return encode
