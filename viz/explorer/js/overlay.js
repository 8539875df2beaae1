// What is lit up on the stage: the neuron that was picked, what it reads and who reads it; or every use of a weight.

import { colourOf, css, styled, themeNow } from "./colours.js";
import { edgesInto, edgesOutOf, INPUT, reachOf } from "./network.js";

const LINES = 80; // edges of a neuron that are drawn one by one; of more, a wedge a map
const ALL = 80; // edges into a group of nodes up to which all are drawn all the time

export function paintOverlay(stage) {
  const { overlay, selection } = stage;
  const context = overlay.getContext("2d");
  const scale = devicePixelRatio || 1;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, overlay.width, overlay.height);
  const pens = {
    accent: styled("--accent"),
    line: styled("--edge"),
    paper: styled("--veil"),
    ink: styled("--ink"),
    halo: styled("--paper"),
  };
  const drawn = stage.blocks.flatMap((block) => (block.nodes ? edgesOf(stage, block) : []));
  everyEdge(stage, context, pens, drawn);
  if (selection?.neuron !== undefined) lightNeuron(stage, context, pens, selection.neuron);
  else if (selection) lightWeight(stage, context, pens, selection.card);
  if (drawn.length <= 16) writeWeights(stage, context, pens, drawn);
}

// -- a small network's edges ------------------------------------------------------------------------------------------
function edgesOf(stage, block) {
  const found = block.cells.flatMap((i) => edgesInto(stage.model.net, i));
  return found.length <= ALL ? found : [];
}

function everyEdge(stage, context, pens, edges) {
  const { net, weights } = stage.model;
  const top = Math.max(...edges.map((e) => (net.slot[e] < 0 ? 1 : Math.abs(weights[net.slot[e]]))));
  for (const e of edges) {
    const w = net.slot[e] < 0 ? 0 : weights[net.slot[e]];
    line(stage, context, e, net.slot[e] < 0 ? pens.line : strokeOf(w, top), 0.8 + 2.6 * Math.abs(w / top || 0), 0.55);
  }
}

function writeWeights(stage, context, pens, edges) {
  const { net, weights } = stage.model;
  context.font = "600 13px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const e of edges) {
    const [from, to] = ends(stage, e);
    if (net.slot[e] < 0 || !from || !to) continue;
    const share = (net.source[e] + net.target[e]) % 2 ? 0.34 : 0.64; // crossing lines carry their numbers at different places
    const [x, y] = [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
    context.lineWidth = 5;
    context.strokeStyle = pens.halo;
    const text = String(Number(weights[net.slot[e]].toPrecision(3))).replace("-", "−");
    context.strokeText(text, x, y);
    context.fillStyle = pens.ink;
    context.fillText(text, x, y);
  }
}

const strokeOf = (value, top) =>
  css(colourOf(value >= 0 ? 0.35 * top + 0.65 * value : -0.35 * top + 0.65 * value, top, themeNow()));

// From the rim of the source's cell to the rim of the target's.
function ends(stage, e) {
  const { net } = stage.model;
  const [from, to] = [stage.centre(net.source[e]), stage.centre(net.target[e])];
  if (!from || !to) return [null, null];
  const radius = (i) => stage.blocks[stage.home[i]].grid.cell / 2;
  return [
    [from[0] + radius(net.source[e]), from[1]],
    [to[0] - radius(net.target[e]), to[1]],
  ];
}

function line(stage, context, e, colour, width, alpha) {
  const [from, to] = ends(stage, e);
  if (!from || !to) return;
  context.globalAlpha = alpha;
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  context.globalAlpha = 1;
}

// -- a neuron ---------------------------------------------------------------------------------------------------------
function lightNeuron(stage, context, pens, neuron) {
  const { net } = stage.model;
  const into = edgesInto(net, neuron);
  const outOf = edgesOutOf(net, neuron);
  const direct = new Set(into.map((e) => net.source[e]));
  const seen = reachOf(net, neuron);
  const [solid, dashed] = [
    [2.2, []],
    [1.6, [3, 2]],
  ];
  const back = stage.view === "delta"; // then who reads it matters more than what it reads
  stage.blocks.forEach((block) => {
    const mine = block.cells.map((i) => i >= 0 && i !== neuron && (direct.has(i) || (net.kind[i] === INPUT && seen[i] && !back)));
    if (!mine.some(Boolean)) return;
    if (!block.nodes && !back) veil(context, pens, block, mine);
    surround(context, block, mine, pens.accent, ...(back ? dashed : solid));
  });
  wires(stage, context, pens, into, neuron, false, back ? 0.5 : 1);
  wires(stage, context, pens, outOf, neuron, true, back ? 1 : 0.6);
  for (const [b, cells] of cellsByBlock(
    stage,
    outOf.map((e) => net.target[e]),
  ))
    surround(context, stage.blocks[b], cells, pens.accent, ...(back ? solid : dashed));
  ring(stage, context, pens, neuron);
}

function cellsByBlock(stage, neurons) {
  const found = new Map();
  for (const i of neurons) {
    const b = stage.home[i];
    if (b < 0) continue;
    if (!found.has(b)) found.set(b, new Array(stage.blocks[b].cells.length).fill(false));
    found.get(b)[stage.seat[i]] = true;
  }
  return found;
}

// Edges as lines in the colour of what they carry; where there are many, one wedge a map.
function wires(stage, context, pens, edges, neuron, out, strength) {
  const { net, state, weights } = stage.model;
  if (edges.length <= LINES) {
    const carried = edges.map(
      (e) => (net.slot[e] < 0 ? 1 : weights[net.slot[e]]) * (out ? state.delta[net.target[e]] : state.a[net.source[e]]),
    );
    const top = Math.max(...carried.map(Math.abs), 1e-300);
    edges.forEach((e, k) =>
      line(stage, context, e, strokeOf(carried[k], top), 1 + 2 * Math.abs(carried[k] / top), 0.9 * strength),
    );
    return;
  }
  const there = stage.centre(neuron);
  if (!there) return;
  context.fillStyle = pens.accent;
  context.globalAlpha = 0.1 * strength;
  for (const box of boxes(
    stage,
    edges.map((e) => (out ? net.target[e] : net.source[e])),
  )) {
    const x = out ? box.left : box.right;
    context.beginPath();
    context.moveTo(...there);
    context.lineTo(x, box.top);
    context.lineTo(x, box.bottom);
    context.closePath();
    context.fill();
  }
  context.globalAlpha = 1;
}

// The rectangles around some neurons, one a map.
function boxes(stage, neurons) {
  const found = new Map();
  for (const i of neurons) {
    const b = stage.home[i];
    if (b < 0) continue;
    const block = stage.blocks[b];
    const { map, left, top } = block.grid.where(stage.seat[i]);
    const key = `${b} ${map}`;
    const [x, y] = [block.left + left, block.top + top];
    const box = found.get(key) ?? { left: x, right: x, top: y, bottom: y };
    found.set(key, {
      left: Math.min(box.left, x),
      right: Math.max(box.right, x + block.grid.cell),
      top: Math.min(box.top, y),
      bottom: Math.max(box.bottom, y + block.grid.cell),
    });
  }
  return [...found.values()];
}

function ring(stage, context, pens, neuron) {
  if (stage.home[neuron] < 0) return;
  const { grid } = stage.blocks[stage.home[neuron]];
  const [x, y] = stage.centre(neuron);
  const size = Math.max(grid.cell, 9) + 4;
  for (const [colour, width] of [
    [pens.halo, 6],
    [pens.accent, 3],
  ]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    if (grid.round) context.arc(x, y, size / 2, 0, 2 * Math.PI);
    else context.rect(x - size / 2, y - size / 2, size, size);
    context.stroke();
  }
}

// Everything of a block but some cells becomes pale.
function veil(context, pens, block, mine) {
  const { grid } = block;
  context.fillStyle = pens.paper;
  mine.forEach((lit, cell) => {
    if (lit || !grid.exists(cell)) return;
    const { left, top } = grid.where(cell);
    context.fillRect(block.left + left, block.top + top, grid.pitch, grid.pitch);
  });
}

// A line around some cells of a block: on every side that borders on a cell that is not among them.
function surround(context, block, mine, colour, width, dash) {
  const { grid } = block;
  const [, rows, columns] = grid.shape;
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  mine.forEach((lit, cell) => {
    if (!lit) return;
    const { left, top, x, y } = grid.where(cell);
    const [l, t] = [block.left + left, block.top + top];
    const size = grid.pitch > grid.cell + 2 ? grid.cell : grid.pitch;
    if (grid.round) {
      context.moveTo(l + size, t + size / 2);
      context.arc(l + size / 2, t + size / 2, size / 2, 0, 2 * Math.PI);
      return;
    }
    if (x === 0 || !mine[cell - 1]) segment(context, l, t, l, t + size);
    if (x === columns - 1 || !mine[cell + 1]) segment(context, l + size, t, l + size, t + size);
    if (y === 0 || !mine[cell - columns]) segment(context, l, t, l + size, t);
    if (y === rows - 1 || !mine[cell + columns]) segment(context, l, t + size, l + size, t + size);
  });
  context.stroke();
  context.setLineDash([]);
}

function segment(context, x, y, u, v) {
  context.moveTo(x, y);
  context.lineTo(u, v);
}

// -- a weight ---------------------------------------------------------------------------------------------------------
// Every use: the target's cell in the colour of δ·a, and a line around what it reads.
function lightWeight(stage, context, pens, card) {
  const theme = themeNow();
  const sums = new Map();
  for (const use of card.uses) sums.set(use.target, (sums.get(use.target) ?? 0) + use.product);
  const top = Math.max(...[...sums.values()].map(Math.abs), 0);
  const targets = cellsByBlock(stage, sums.keys());
  const sources = cellsByBlock(
    stage,
    card.uses.map((use) => use.source).filter((i) => i !== null),
  );
  for (const [b, cells] of sources) surround(context, stage.blocks[b], cells, pens.accent, 1.6, [3, 2]);
  if (card.uses.length <= LINES)
    for (const use of card.uses) if (use.edge !== null) line(stage, context, use.edge, pens.accent, 2, 0.8);
  for (const [b, cells] of targets) {
    const block = stage.blocks[b];
    if (!block.nodes) veil(context, pens, block, cells);
    if (stage.model.hasDelta) paintUses(context, block, cells, sums, top, theme);
    surround(context, block, cells, pens.accent, 2.2, []);
  }
}

function paintUses(context, block, cells, sums, top, theme) {
  const { grid } = block;
  cells.forEach((lit, cell) => {
    if (!lit || grid.round) return;
    const { left, top: up } = grid.where(cell);
    context.fillStyle = css(colourOf(sums.get(block.cells[cell]), top, theme));
    context.fillRect(block.left + left, block.top + up, grid.cell, grid.cell);
  });
}
