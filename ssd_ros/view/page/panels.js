// Copyright 2026 The ssd_ros authors
// SPDX-License-Identifier: Apache-2.0
// The cards beside the map. What comes from outside is only ever set as text.

import { Drawing } from './canvas.js';

const byId = (id) => document.getElementById(id);
const LEVELS = ['good', 'warning', 'error', 'stale'];
const FIRST_OPEN = ['matching', 'replay'];
const MAX_ANSWERS = 240;

export function showMaps({ maps }) {
  const words = maps.map((each) => `${each.source} · ${each.keyframes} keyframes`);
  byId('source').textContent = words.join(', ') || 'no map: places of the running drive';
  const origin = byId('origin');
  const kinds = [...new Set(maps.map((each) => String(each.origin ?? '').split(/[^a-z]/i)[0]))];
  origin.hidden = !kinds.includes('simulated');
  origin.textContent = 'simulated';
}

export function showAnswer({ candidates, remarks }) {
  const best = candidates[0];
  const kind = best?.decision ?? 'rejected';
  const confidence = byId('confidence');
  confidence.textContent = percent(best?.confidence);
  confidence.className = kind;
  byId('decision').textContent = best ? kind : 'nothing found';
  byId('decision').className = `chip ${kind}`;
  byId('remarks').textContent = remarks.join(', ');
  byId('none').hidden = candidates.length > 0;
  byId('none').textContent = 'nothing found';
  byId('candidates').replaceChildren(...candidates.map(rowOf));
}

function rowOf(candidate) {
  const row = element('tr', '', candidate.decision);
  const place = element('td', candidate.is_live ? `${candidate.keyframe_id}, this drive` : candidate.keyframe_id);
  const mark = element('i', '', `mark ${candidate.decision}`);
  mark.title = candidate.decision;
  place.prepend(mark, element('span', `${candidate.decision} `, 'unseen'));
  const share = element('td');
  const bar = element('span', '', 'bar');
  const fill = element('i');
  fill.style.width = `${100 * (candidate.confidence ?? 0)}%`;
  bar.append(fill);
  share.append(bar, percent(candidate.confidence));
  row.append(
    place,
    share,
    element('td', figure(candidate.distance)),
    element('td', percent(candidate.support)),
  );
  return row;
}

export function showHealth({ statuses }) {
  const box = byId('statuses');
  const open = new Set([...box.querySelectorAll('details[open]')].map((each) => each.dataset.name));
  const isFirst = box.querySelector('details') === null && matchMedia('(min-width: 981px)').matches;
  const isOpen = (name) => (isFirst && FIRST_OPEN.includes(name)) || open.has(name);
  box.replaceChildren(...statuses.map((status) => statusOf(status, isOpen(status.name))));
}

function statusOf({ name, level, message, values }, isOpen) {
  const details = element('details', '', `level${level}`);
  details.dataset.name = name;
  details.open = isOpen;
  const summary = element('summary');
  const dot = element('i', '', 'dot');
  dot.title = LEVELS[level] ?? 'unknown';
  summary.append(dot, element('b', name), element('span', message));
  const list = element('dl');
  for (const [key, value] of Object.entries(values)) {
    list.append(element('dt', key.replaceAll('_', ' ')), element('dd', value === 'nan' ? '–' : value));
  }
  details.append(summary, list);
  return details;
}

// Confidence of the best candidate, answer by answer, in the colour of what was decided.
export class History extends Drawing {
  constructor(canvas, since) {
    super(canvas);
    this.since = since;
    this.answers = [];
  }

  add({ stamp_s: stampS, candidates }) {
    const last = this.answers.at(-1);
    if (last && (stampS < last.stampS || stampS > last.stampS + 60)) this.answers = []; // another drive
    const best = candidates[0];
    this.answers.push({ stampS, confidence: best?.confidence ?? 0, decision: best?.decision ?? 'rejected' });
    if (this.answers.length > MAX_ANSWERS) this.answers.shift();
    const spanS = stampS - this.answers[0].stampS;
    this.since.textContent = spanS >= 1 ? `${Math.round(spanS)} s ago` : '';
    this.repaint();
  }

  draw(context, colour) {
    const [top, bottom, left] = [5, this.height - 5, 30];
    context.font = '11px system-ui, sans-serif';
    context.fillStyle = colour.quiet;
    context.strokeStyle = colour.line;
    for (const share of [0, 0.5, 1]) {
      const y = bottom + (top - bottom) * share;
      context.fillText(`${100 * share} %`.padStart(5), 0, y + 4);
      context.beginPath();
      context.moveTo(left + 8, y);
      context.lineTo(this.width, y);
      context.stroke();
    }
    const wide = (this.width - left - 12) / Math.max(60, this.answers.length);
    this.answers.forEach(({ confidence, decision }, index) => {
      const x = this.width - 4 - (this.answers.length - 1 - index) * wide;
      context.fillStyle = colour[decision];
      context.beginPath();
      context.arc(x, bottom + (top - bottom) * confidence, 2.2, 0, 2 * Math.PI);
      context.fill();
    });
  }
}

function element(kind, text = '', name = '') {
  const made = document.createElement(kind);
  if (text !== '') made.textContent = text;
  if (name) made.className = name;
  return made;
}

function percent(share) {
  return share === null || share === undefined ? '–' : `${Math.round(100 * share)} %`;
}

function figure(value) {
  return value === null || value === undefined ? '–' : value.toFixed(2);
}
