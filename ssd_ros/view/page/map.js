// Copyright 2026 The ssd_ros authors
// SPDX-License-Identifier: Apache-2.0
// The map from above: keyframes, accepted places, the vehicle, candidates. Metres, x right, y up.

import { Drawing } from './canvas.js';

const TAU = 2 * Math.PI;
const SIGMAS = 2;
const WIDE = 0.8; // pixels a metre: a map that looks smaller is followed instead
const NEAR = 4; // pixels a metre
const MAX_OWN = 1000;
const LIMITS = [0.002, 200]; // pixels a metre

export class MapView extends Drawing {
  constructor(canvas, where, follow) {
    super(canvas);
    this.where = where;
    this.follow = follow;
    this.places = [];
    this.path = [];
    this.pose = null;
    this.answer = null;
    this.image = null;
    this.rangeM = null;
    this.middle = [0, 0];
    this.pixelsPerM = 0; // nothing to look at yet
    this.pointers = new Map();
    follow.onclick = () => this.setFollowing(!this.isFollowing);
    canvas.addEventListener('pointerdown', (event) => this.press(event));
    canvas.addEventListener('pointermove', (event) => this.move(event));
    for (const name of ['pointerup', 'pointercancel']) {
      canvas.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
    canvas.addEventListener('wheel', (event) => this.roll(event), { passive: false });
    canvas.addEventListener('keydown', (event) => this.step(event));
  }

  get isFollowing() {
    return this.follow.getAttribute('aria-pressed') === 'true';
  }

  setFollowing(isOn) {
    this.follow.setAttribute('aria-pressed', String(isOn));
    if (isOn && this.pose) {
      this.middle = this.pose.pose.slice(0, 2);
      this.pixelsPerM = Math.max(this.pixelsPerM, 2);
    }
    this.repaint();
  }

  setPlaces({ xy }) {
    const isOther = xy.length !== this.places.length || xy.some((at, i) => at !== this.places[i]);
    this.places = xy;
    if (isOther) {
      this.show(xy);
      this.setFollowing(this.pixelsPerM < WIDE);
    }
    this.repaint();
  }

  setPath({ xy }) {
    this.path = xy;
    this.repaint();
  }

  setPose(pose) {
    this.pose = pose;
    if (this.isFollowing) this.middle = pose.pose.slice(0, 2);
    this.repaint();
  }

  setAnswer(answer) {
    this.answer = answer;
    const best = answer.candidates[0];
    if (!this.places.length && best?.decision === 'accepted') this.setOwnPlace(best.pose);
    this.repaint();
  }

  // Without a map nothing but an accepted place of the running drive says where the vehicle is.
  setOwnPlace(pose) {
    if (!this.pixelsPerM) {
      this.pixelsPerM = NEAR;
      this.setFollowing(true);
    }
    this.path = [...this.path.slice(-2 * MAX_OWN), pose[0], pose[1]];
    this.setPose({ pose, covariance: [0, 0, 0] });
  }

  setImageView({ max_range_m: rangeM }) {
    this.rangeM = rangeM || null;
  }

  setImage(picture) {
    this.image = picture;
  }

  fit() {
    this.setFollowing(false);
    this.show(this.places.length ? this.places : this.path);
  }

  show(xy) {
    if (!xy.length) return;
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let at = 0; at < xy.length; at += 2) {
      box[0] = Math.min(box[0], xy[at]);
      box[1] = Math.min(box[1], xy[at + 1]);
      box[2] = Math.max(box[2], xy[at]);
      box[3] = Math.max(box[3], xy[at + 1]);
    }
    this.middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    const room = Math.min(this.width / (box[2] - box[0] + 30), (this.height - 70) / (box[3] - box[1] + 30));
    this.pixelsPerM = limited(room);
    this.repaint();
  }

  // --- moving about

  zoom(factor, [x, y] = [this.width / 2, this.height / 2]) {
    const before = this.metresAt(x, y);
    this.pixelsPerM = limited(this.pixelsPerM * factor);
    if (!this.isFollowing) {
      const after = this.metresAt(x, y);
      this.middle = [this.middle[0] + before[0] - after[0], this.middle[1] + before[1] - after[1]];
    }
    this.repaint();
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
  }

  move(event) {
    const now = [event.offsetX, event.offsetY];
    const [x, y] = this.metresAt(...now);
    if (this.pixelsPerM) this.where.textContent = `x ${x.toFixed(1)} m, y ${y.toFixed(1)} m`;
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = (to) => Math.max(1, Math.hypot(to[0] - other[0], to[1] - other[1]));
      this.zoom(apart(now) / apart(before), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
    } else {
      this.drag(now[0] - before[0], now[1] - before[1]);
    }
    this.pointers.set(event.pointerId, now);
  }

  drag(right, down) {
    if (Math.hypot(right, down) === 0) return;
    this.setFollowing(false);
    this.middle = [this.middle[0] - right / this.pixelsPerM, this.middle[1] + down / this.pixelsPerM];
    this.repaint();
  }

  roll(event) {
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), [event.offsetX, event.offsetY]);
  }

  step(event) {
    const moves = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
    if (moves[event.key]) this.drag(...moves[event.key]);
    else if (event.key === '+') this.zoom(1.3);
    else if (event.key === '-') this.zoom(1 / 1.3);
    else return;
    event.preventDefault();
  }

  metresAt(x, y) {
    return [
      this.middle[0] + (x - this.width / 2) / this.pixelsPerM,
      this.middle[1] - (y - this.height / 2) / this.pixelsPerM,
    ];
  }

  pixelsAt(x, y) {
    return [
      this.width / 2 + (x - this.middle[0]) * this.pixelsPerM,
      this.height / 2 - (y - this.middle[1]) * this.pixelsPerM,
    ];
  }

  // --- drawing

  draw(context, colour) {
    if (!this.pixelsPerM) return;
    this.drawGrid(context, colour);
    this.drawPlaces(context, colour);
    this.drawImage(context, colour);
    this.drawPath(context, colour);
    this.drawCandidates(context, colour);
    this.drawVehicle(context, colour);
    this.drawScale(context, colour);
  }

  drawGrid(context, colour) {
    const step = roundLength(90 / this.pixelsPerM);
    const [left, bottom] = this.metresAt(0, this.height);
    context.beginPath();
    for (const x of multiples(step, left, this.width / this.pixelsPerM)) {
      const at = Math.round(this.pixelsAt(x, 0)[0]) + 0.5;
      context.moveTo(at, 0);
      context.lineTo(at, this.height);
    }
    for (const y of multiples(step, bottom, this.height / this.pixelsPerM)) {
      const at = Math.round(this.pixelsAt(0, y)[1]) + 0.5;
      context.moveTo(0, at);
      context.lineTo(this.width, at);
    }
    context.strokeStyle = colour.grid;
    context.lineWidth = 1;
    context.stroke();
  }

  drawPlaces(context, colour) {
    const size = Math.min(5, Math.max(1.5, this.pixelsPerM * 0.7));
    context.fillStyle = colour.place;
    for (let at = 0; at < this.places.length; at += 2) {
      const [x, y] = this.pixelsAt(this.places[at], this.places[at + 1]);
      if (x < -9 || y < -9 || x > this.width + 9 || y > this.height + 9) continue;
      context.beginPath();
      context.arc(x, y, size / 1.5, 0, TAU);
      context.fill();
    }
  }

  drawImage(context, colour) {
    if (!this.image || !this.rangeM || !this.pose) return;
    const [x, y] = this.pixelsAt(...this.pose.pose);
    const { canvas, pivot, radius, fovRad } = this.image;
    const factor = (this.rangeM / radius) * this.pixelsPerM;
    const tinted = tintedBy(canvas, `rgb(${colour.glow})`);
    context.save();
    context.translate(x, y);
    context.rotate(Math.PI / 2 - this.pose.pose[2]);
    context.beginPath();
    context.moveTo(0, 0);
    context.arc(0, 0, radius * factor, -Math.PI / 2 - fovRad / 2, -Math.PI / 2 + fovRad / 2);
    context.closePath();
    context.fillStyle = `rgba(${colour.glow}, .09)`;
    context.fill();
    context.scale(factor, factor);
    context.globalAlpha = 0.8;
    context.drawImage(tinted, -pivot[0], -pivot[1]);
    context.restore();
  }

  drawPath(context, colour) {
    if (this.path.length < 4) return;
    context.beginPath();
    for (let at = 0; at < this.path.length; at += 2) {
      context.lineTo(...this.pixelsAt(this.path[at], this.path[at + 1]));
    }
    if (this.pose) context.lineTo(...this.pixelsAt(...this.pose.pose));
    context.strokeStyle = colour.path;
    context.lineWidth = 3;
    context.lineJoin = context.lineCap = 'round';
    context.stroke();
  }

  drawCandidates(context, colour) {
    const found = this.answer?.candidates ?? [];
    if (!found.length) return;
    const from = this.pixelsAt(...found[0].pose);
    for (const each of [...found].reverse()) {
      const at = this.pixelsAt(...each.place);
      context.strokeStyle = context.fillStyle = colour[each.decision];
      context.globalAlpha = each.decision === 'accepted' ? 0.9 : 0.15 + 0.5 * (each.confidence ?? 0.3);
      context.lineWidth = 1.5;
      context.setLineDash(each.decision === 'accepted' ? [] : [4, 4]);
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...at);
      context.stroke();
      context.setLineDash([]);
      context.globalAlpha = 1;
      drawMark(context, each.decision, at, 4 + 3 * (each.confidence ?? 0), colour);
    }
  }

  drawVehicle(context, colour) {
    if (!this.pose) return;
    const [x, y, yaw] = this.pose.pose;
    const [xx, xy, yy] = this.pose.covariance;
    const turn = 0.5 * Math.atan2(2 * xy, xx - yy);
    const spread = Math.hypot((xx - yy) / 2, xy), mean = (xx + yy) / 2;
    context.save();
    context.translate(...this.pixelsAt(x, y));
    context.beginPath();
    const axes = [mean + spread, mean - spread].map((each) => SIGMAS * Math.sqrt(Math.max(0, each)) * this.pixelsPerM);
    context.ellipse(0, 0, ...axes, -turn, 0, TAU);
    context.fillStyle = `rgba(${colour.glow}, .22)`;
    context.fill();
    context.rotate(-yaw);
    context.beginPath();
    for (const [ahead, left] of [[13, 0], [-8, 8], [-4, 0], [-8, -8]]) context.lineTo(ahead, left);
    context.closePath();
    context.fillStyle = colour.vehicle;
    context.strokeStyle = colour.ground;
    context.lineWidth = 2;
    context.stroke();
    context.fill();
    context.restore();
  }

  drawScale(context, colour) {
    const lengthM = roundLength(110 / this.pixelsPerM);
    const right = this.width - 16, left = right - lengthM * this.pixelsPerM, y = this.height - (this.width < 700 ? 64 : 18); // above the legend
    context.strokeStyle = context.fillStyle = colour.quiet;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(left, y - 5);
    context.lineTo(left, y);
    context.lineTo(right, y);
    context.lineTo(right, y - 5);
    context.stroke();
    context.font = '12px system-ui, sans-serif';
    context.textAlign = 'center';
    const text = lengthM < 1000 ? `${lengthM} m` : `${lengthM / 1000} km`;
    const at = [(left + right) / 2, y - 7];
    context.strokeStyle = colour.ground;
    context.lineWidth = 4;
    context.strokeText(text, ...at);
    context.fillText(text, ...at);
  }
}

function tintedBy(canvas, colour) {
  const tinted = new OffscreenCanvas(canvas.width, canvas.height);
  const context = tinted.getContext('2d');
  context.drawImage(canvas, 0, 0);
  context.globalCompositeOperation = 'source-in';
  context.fillStyle = colour;
  context.fillRect(0, 0, canvas.width, canvas.height);
  return tinted;
}

function drawMark(context, decision, [x, y], size, colour) {
  context.beginPath();
  if (decision === 'ambiguous') {
    for (const [right, down] of [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]]) {
      context.lineTo(x + right * size, y + down * size);
    }
    context.closePath();
  } else {
    context.arc(x, y, size, 0, TAU);
  }
  if (decision === 'rejected') {
    context.fillStyle = colour.ground;
    context.fill();
    context.lineWidth = 2;
  } else {
    context.fill();
    context.strokeStyle = colour.ground;
    context.lineWidth = 1.5;
  }
  context.stroke();
}

function limited(pixelsPerM) {
  return Math.min(LIMITS[1], Math.max(LIMITS[0], pixelsPerM));
}

// Those of a step from a position on; as many however far out, where a step changes nothing any longer.
function multiples(step, from, length) {
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.ceil(length / step) }, (_, index) => (first + index) * step);
}

// The length of 1, 2 or 5 times a power of ten that is next below.
function roundLength(lengthM) {
  const power = 10 ** Math.floor(Math.log10(lengthM));
  const factor = [5, 2].find((each) => each * power <= lengthM) ?? 1;
  return factor * power;
}
