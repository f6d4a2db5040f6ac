# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks in training as functions of NumPy images, like the exported ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.evaluation.queries.descriptors import EncodeImages, Encoders
from ssd_ros.training.batches.augmentation import thinned
from ssd_ros.training.networks.encoders import TeacherStudent
import torch
from torch import nn

_BATCH = 36


def torch_encode(encoder: nn.Module, bfloat16: bool) -> EncodeImages:
    """
    Return a function from N images to what the encoder gives for each.

    :param encoder: of uint8 images (N, 1, height, width)
    :param bfloat16: mixed precision
    """

    def encode(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        encoder.eval()
        device = next(encoder.parameters()).device
        parts = []
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, bfloat16):
            for first in range(0, len(images), _BATCH):
                batch = torch.from_numpy(np.array(images[first : first + _BATCH])).to(device)
                parts.append(encoder(batch[:, None]).float().cpu().numpy())
        return np.concatenate(parts)

    return encode


def torch_encoders(networks: TeacherStudent, bfloat16: bool, max_returns: int = 0) -> Encoders:
    """
    Return both branches as functions for the evaluation.

    :param max_returns: that are kept of each 4D image, 0 = all
    """
    encode_images = torch_encode(networks.encoder('4d'), bfloat16)
    encode_panoramas = torch_encode(networks.panorama_encoder(), bfloat16)

    def encode_panorama(panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        views: NDArray[np.float32] = encode_panoramas(panorama[None])[0]
        return views

    def encode_thinned(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return encode_images(np.stack([thinned(image, max_returns) for image in images]))

    return Encoders(encode_thinned if max_returns else encode_images, encode_panorama)
