// Copyright 2026 The ssd_ros authors
// SPDX-License-Identifier: Apache-2.0
// Begins here: gets the messages and gives each to what shows it.

import { MapView } from './map.js';
import { QueryImage } from './query.js';
import { History, showAnswer, showHealth, showMaps } from './panels.js';

const byId = (id) => document.getElementById(id);
const STALE_MS = 3000;
const LONGEST_PAUSE_MS = 5000;

const map = new MapView(byId('view'), byId('where'), byId('follow'));
const query = new QueryImage(byId('image'), byId('scale'));
const history = new History(byId('history'), byId('since'));
let answeredAt = 0;
let isOpen = false;

const CHANNELS = {
  places: (message) => map.setPlaces(message),
  maps: (message) => {
    showMaps(message);
    query.setView(message.image);
    map.setImageView(message.image);
  },
  answer: (message) => {
    answeredAt = performance.now();
    showAnswer(message);
    history.add(message);
    map.setAnswer(message);
  },
  pose: (message) => map.setPose(message),
  path: (message) => map.setPath(message),
  health: showHealth,
};

function take(data) {
  if (typeof data === 'string') {
    const message = JSON.parse(data);
    CHANNELS[message.channel]?.(message);
    return;
  }
  const [width, height] = new Uint16Array(data, 0, 2);
  query.setImage(new Uint8Array(data, 4), width, height);
  map.setImage(query.picture);
}

function showLink() {
  const silentMs = performance.now() - answeredAt;
  const link = byId('link');
  let text = 'live';
  if (!isOpen) text = 'not connected, trying again';
  else if (!answeredAt) text = 'waiting for an answer';
  else if (silentMs > STALE_MS) text = `silent for ${Math.round(silentMs / 1000)} s`;
  if (link.textContent !== text) link.textContent = text;
  link.className = `chip ${text === 'live' ? 'good' : isOpen ? 'ambiguous' : 'bad'}`;
}

function connect(pauseMs) {
  const address = new URL('socket', location.href);
  address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => {
    isOpen = true;
    pauseMs = 500;
  };
  socket.onmessage = (event) => take(event.data);
  socket.onclose = () => {
    isOpen = false;
    setTimeout(connect, pauseMs, Math.min(2 * pauseMs, LONGEST_PAUSE_MS));
  };
}

function setTheme(isDark) {
  document.documentElement.classList.toggle('dark', isDark);
  for (const each of [map, query, history]) each.repaint();
}

function chooseTheme() {
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = null; // for this visit; until then that of the system
  setTheme(system.matches);
  system.onchange = () => chosen ?? setTheme(system.matches);
  byId('theme').onclick = () => {
    chosen = !document.documentElement.classList.contains('dark');
    setTheme(chosen);
  };
}

byId('fit').onclick = () => map.fit();
byId('closer').onclick = () => map.zoom(1.5);
byId('farther').onclick = () => map.zoom(1 / 1.5);
chooseTheme();
connect(500);
setInterval(showLink, 250);
