// Copyright 2026 The ssd_ros authors
// SPDX-License-Identifier: Apache-2.0
// What the encoder saw, laid out as the fan that the radar looks into.

import { Drawing } from './canvas.js';

const RADIUS = 220; // pixels of the picture from the radar to its range
const DEFAULT_FOV_DEG = 120;

export class QueryImage extends Drawing {
  constructor(canvas, scale) {
    super(canvas);
    this.scale = scale;
    this.fovDeg = DEFAULT_FOV_DEG;
    this.rangeM = null;
    this.picture = null; // { canvas, fovRad, pivot: [x, y], radius }: the fan, looking up
  }

  setView({ fov_deg: fovDeg, max_range_m: rangeM }) {
    this.fovDeg = fovDeg || DEFAULT_FOV_DEG;
    this.rangeM = rangeM || null;
    this.layout = null;
    this.scale.textContent = rangeM ? `${this.fovDeg}° to ${rangeM} m, the vehicle below` : '';
    if (this.fovDeg >= 360) this.scale.textContent = `all around to ${rangeM} m, ahead is up`;
  }

  setImage(pixels, width, height) {
    if (!this.layout || this.layout.width !== width || this.layout.height !== height) {
      this.layout = layoutOf(width, height, (this.fovDeg * Math.PI) / 180);
      const canvas = new OffscreenCanvas(this.layout.columns, this.layout.rows);
      this.picture = {
        canvas, pivot: this.layout.pivot, radius: RADIUS, fovRad: (this.fovDeg * Math.PI) / 180,
      };
    }
    const { source, columns, rows } = this.layout;
    const context = this.picture.canvas.getContext('2d');
    const shown = context.createImageData(columns, rows);
    const words = new Uint32Array(shown.data.buffer);
    for (let index = 0; index < source.length; index += 1) {
      if (source[index] >= 0) words[index] = SHADES[pixels[source[index]]];
    }
    context.putImageData(shown, 0, 0);
    this.repaint();
  }

  draw(context, colour) {
    const picture = this.picture;
    if (!picture) return;
    const { canvas, pivot, radius, fovRad } = picture;
    const factor = Math.min(this.width / canvas.width, this.height / canvas.height);
    context.translate(this.width / 2, (this.height - factor * canvas.height) / 2);
    context.scale(factor, factor);
    context.translate(-pivot[0], 0);
    const isFull = fovRad >= 2 * Math.PI;
    const [from, to] = [-Math.PI / 2 - fovRad / 2, -Math.PI / 2 + fovRad / 2];
    context.beginPath();
    if (!isFull) context.moveTo(...pivot);
    context.arc(...pivot, radius, from, to);
    context.closePath();
    context.fillStyle = '#0b1117';
    context.fill();
    context.drawImage(canvas, 0, 0);
    context.lineWidth = 1 / factor;
    context.strokeStyle = 'rgba(150, 175, 195, .35)';
    for (const share of [1 / 3, 2 / 3, 1]) {
      context.beginPath();
      context.arc(...pivot, radius * share, from, to);
      context.stroke();
    }
    context.beginPath();
    context.arc(...pivot, 4 / factor, 0, 2 * Math.PI);
    context.fillStyle = colour.vehicle;
    context.fill();
  }
}

// Where each pixel of the fan comes from: rows of the image are ranges, near first, columns azimuths
// from left to right; all around, the first column is ahead.
function layoutOf(width, height, fovRad) {
  const half = Math.min(fovRad / 2, Math.PI);
  const isFull = half >= Math.PI;
  const across = half >= Math.PI / 2 ? RADIUS : Math.ceil(RADIUS * Math.sin(half));
  const below = isFull ? RADIUS : Math.max(0, Math.ceil(-RADIUS * Math.cos(half)));
  const columns = 2 * across, rows = RADIUS + below;
  const source = new Int32Array(columns * rows).fill(-1);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const right = column + 0.5 - across, ahead = RADIUS - row - 0.5;
      const range = Math.floor((Math.hypot(right, ahead) / RADIUS) * height);
      const turned = Math.atan2(right, ahead); // clockwise from ahead
      const share = isFull ? (turned / (2 * Math.PI) + 1) % 1 : (turned + half) / (2 * half);
      if (range < height && share >= 0 && share < 1) {
        source[row * columns + column] = range * width + Math.floor(share * width);
      }
    }
  }
  return { width, height, columns, rows, source, pivot: [across, RADIUS] };
}

// From clear over blue to white, as ABGR words.
const SHADES = Uint32Array.from({ length: 256 }, (_, value) => {
  const share = value / 255;
  const red = 255 * Math.min(1, Math.max(0, 1.9 * share - 0.75));
  const green = 255 * Math.min(1, 0.25 + 1.1 * share);
  const blue = 255 * Math.min(1, 0.55 + 0.6 * share);
  const alpha = value ? 255 * Math.min(1, 0.25 + 1.3 * share) : 0;
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
});
