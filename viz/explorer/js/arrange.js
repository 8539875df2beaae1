// Which planes there are, how they are arranged, and how large their cells can be so that the network fits its window.

import { nameOf } from "./network.js";

const NEST = 400; // networks of up to so many edges are drawn with all their edges, as textbooks do
const UNITS = 20; // outputs up to which each has a line of its own
const MOST_MAPS = 64; // maps of a layer that are drawn
const MOST_UNITS = 2000; // neurons of a layer without maps that are drawn

// A block is a plane, or a group of single neurons at one depth: its title, its cells as neurons, their shape.
export function blocksOf(net) {
  const made = [];
  const alone = new Map();
  net.layers.forEach((layer, number) => {
    if (!layer.size) return;
    const depth = Number.isFinite(net.depth[number]) ? net.depth[number] : 0;
    if (layer.shape.length) made.push(blockOf(net, layer, depth));
    else if (alone.has(depth)) alone.get(depth).cells.push(layer.at[0]);
    else {
      const block = { title: "", depth, cells: [layer.at[0]], layers: [], layer: null, single: true };
      alone.set(depth, block);
      made.push(block);
    }
    if (!layer.shape.length) alone.get(depth).layers.push(number);
  });
  for (const block of made) finish(net, block);
  return made;
}

function blockOf(net, layer, depth) {
  const [first, ...inner] = layer.shape.every((n, k) => k === 0 || n === 1) ? [layer.shape[0]] : layer.shape;
  if (!inner.length) return vectorOf(layer, depth);
  const shape = inner.length === 2 ? layer.shape : [first, 1, inner[0]];
  const shown = Math.min(first, MOST_MAPS);
  const size = shape[1] * shape[2];
  return {
    title: layer.name,
    depth,
    layer,
    layers: [layer.number],
    single: false,
    cells: Array.from(layer.at.subarray(0, shown * size)),
    shape: [shown, shape[1], shape[2]],
    more: first > shown ? `… and ${(first - shown).toLocaleString("en-US")} more maps, computed but not drawn` : null,
    vector: false,
  };
}

function vectorOf(layer, depth) {
  const shown = Math.min(layer.size, MOST_UNITS);
  const more =
    layer.size > shown ? `… and ${(layer.size - shown).toLocaleString("en-US")} more neurons, computed but not drawn` : null;
  return {
    title: layer.name,
    depth,
    layer,
    layers: [layer.number],
    single: false,
    cells: Array.from(layer.at.subarray(0, shown)),
    shape: [1, shown, 1],
    more,
    vector: true,
  };
}

function titleOf(net, cells) {
  const names = cells.slice(0, 6).map((i) => nameOf(net, i));
  return `${names.join(", ")}${cells.length > 6 ? ", …" : ""}`;
}

function finish(net, block) {
  if (block.single)
    Object.assign(block, { shape: [1, block.cells.length, 1], more: null, vector: true, title: titleOf(net, block.cells) });
  block.head =
    net.heads.find((head) => head.neurons.length <= UNITS && head.neurons.every((i) => block.cells.includes(i))) ?? null;
  block.nodes = block.vector && block.cells.length <= 16 && net.nEdges <= NEST;
  block.lines = block.vector && !block.nodes && block.head !== null && block.cells.length <= UNITS;
}

// Cell sizes: as large as the height allows and the width of all columns together. Returns block → options of Grid.layout.
export function fit(blocks, width, height, between) {
  const columns = [...new Set(blocks.map((block) => block.depth))];
  let [low, high] = [4, 260];
  for (let k = 0; k < 24; k++) {
    const middle = (low + high) / 2;
    if (widthAt(blocks, columns, middle, height, between) <= width) low = middle;
    else high = middle;
  }
  return new Map(blocks.map((block) => [block, sized(block, low, roomOf(blocks, block, height))]));
}

const roomOf = (blocks, block, height) => height / blocks.filter((other) => other.depth === block.depth).length - 92;

function widthAt(blocks, columns, scale, height, between) {
  const widths = columns.map((depth) =>
    Math.max(
      ...blocks
        .filter((block) => block.depth === depth)
        .map((block) => widthOf(block, sized(block, scale, roomOf(blocks, block, height)))),
    ),
  );
  return widths.reduce((sum, w) => sum + w, 0) + (columns.length - 1) * between;
}

function widthOf(block, { shape = block.shape, across, cell, space, gap, left = 0, right }) {
  return Math.max(58, Math.min(across, shape[0]) * (shape[2] * (cell + space) - space + gap) - gap + left + right);
}

function sized(block, scale, room) {
  const [maps, rows, columns] = block.shape;
  if (block.nodes)
    return {
      across: 1,
      cell: Math.min(nodeSize(rows, room), Math.max(30, Math.floor(0.4 * scale))),
      space: nodeSpace(rows, room),
      gap: 0,
      round: true,
      left: 14,
      right: block.head?.loss?.kind === "cross_entropy" ? 90 : 14,
      above: 24,
    };
  if (block.lines)
    return {
      across: 1,
      cell: Math.floor(clampTo(room / rows - 4, 16, 34)),
      space: 4,
      gap: 0,
      round: false,
      right: 104,
      above: 0,
    };
  const gap = columns > 1 || rows > 1 ? 6 : 2;
  const input = block.depth === 0 ? 1.4 : 1;
  if (block.vector) return strip(block, scale, room);
  const largest = Math.max(rows, columns);
  const tall = Math.max(1.5, (room + gap) / rows - gap / rows);
  const cell = Math.min(quantised(clampTo((input * scale) / Math.sqrt(largest), 1.5, 46)), quantised(tall));
  const high = Math.max(1, Math.floor((room + gap) / (rows * cell + gap)));
  return { across: Math.ceil(maps / high), cell, space: 0, gap, round: false, right: 0, above: 0 };
}

// A long layer without rows and columns: one column of cells, or several beside one another.
function strip(block, scale, room) {
  const n = block.cells.length;
  const cell = quantised(clampTo(scale * 0.62, 5, 30));
  const high = Math.max(1, Math.min(n, Math.floor(room / (cell + 1))));
  const columns = Math.ceil(n / high);
  const even = Math.ceil(n / columns);
  return { shape: [columns, even, 1], across: columns, cell, space: 1, gap: 3, round: false, right: 0, above: 0 };
}

const quantised = (size) => (size >= 4 ? Math.floor(size) : Math.floor(size * 4) / 4);
const nodeSize = (rows, room) => Math.floor(clampTo(room / rows - 26, 22, room > 620 ? 104 : 80));
const nodeSpace = (rows, room) => Math.floor(clampTo((room - 22) / rows - nodeSize(rows, room), 20, 90));
const clampTo = (value, low, high) => Math.max(low, Math.min(high, value));
