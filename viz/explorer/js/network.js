// The network written out: numbered neurons in an order in which every source comes before its targets, and their edges.

import { ACTIVATION_NAMES } from "./activations.js";
import { floats, unpack } from "./unpack.js";
import { Edges } from "./wiring.js";

export const KINDS = ["input", "weighted", "max", "mean", "l2", "sum", "rbf", "constant"];
export const [INPUT, WEIGHTED, MAX, MEAN, L2, SUM, RBF, CONSTANT] = KINDS.keys();
const NONE = -1;

export const product = (numbers) => numbers.reduce((all, n) => all * n, 1);

// Attributes per neuron: layer, place (flat index there), kind, activation, bias (slot), divisor. Edges into neuron i are
// start[i] … start[i + 1] − 1, each with source, slot (of its weight among all weights) and target.
export function makeNetwork(data) {
  const net = { layers: data.layers.map(makeLayer), parameters: makeParameters(data.parameters), names: new Map() };
  net.weights = joinWeights(data.parameters, net.parameters);
  (data.edges ? readListed : writeOut)(net, data);
  net.nEdges = net.source.length;
  turnAround(net);
  net.inputs = data.inputs.map((port) => makePort(net, port));
  net.heads = data.heads.map((port) => ({ ...makePort(net, port), loss: port.loss }));
  net.depth = depths(net);
  return net;
}

function makeLayer(layer, number) {
  return { ...layer, number, size: product(layer.shape), at: null };
}

function makeParameters(described) {
  let slot = 0;
  return described.map((parameter) => {
    const made = { ...parameter, slot, size: product(parameter.shape) };
    slot += made.size;
    return made;
  });
}

function joinWeights(described, parameters) {
  const weights = new Float64Array(parameters.reduce((sum, parameter) => sum + parameter.size, 0));
  described.forEach((parameter, k) => weights.set(floats(parameter.values), parameters[k].slot));
  return weights;
}

function makePort(net, port) {
  const neurons = port.members
    ? port.members.map(([layer, place]) => net.layers[layer].at[place])
    : Array.from(net.layers[port.layer].at);
  return { name: port.name, shape: port.shape, neurons, layer: port.layer };
}

// -- from a graph -----------------------------------------------------------------------------------------------------
function readListed(net, data) {
  const { neurons, edges } = data;
  Object.assign(net, {
    layer: unpack(neurons.layer),
    place: unpack(neurons.place),
    kind: unpack(neurons.kind),
    activation: unpack(neurons.activation),
    bias: unpack(neurons.bias),
    divisor: floats(neurons.divisor),
    start: unpack(edges.start),
    source: unpack(edges.source),
    slot: unpack(edges.slot),
  });
  net.n = net.layer.length;
  for (const layer of net.layers) layer.at = new Int32Array(layer.size).fill(NONE);
  for (let i = 0; i < net.n; i++) if (net.layer[i] !== NONE) net.layers[net.layer[i]].at[net.place[i]] = i;
  for (const [number, name] of Object.entries(neurons.names)) net.names.set(Number(number), name);
}

// -- from closed forms ------------------------------------------------------------------------------------------------
function writeOut(net, data) {
  net.n = 0;
  for (const layer of net.layers) {
    layer.at = new Int32Array(layer.size).map((_, i) => net.n + i);
    net.n += layer.size;
  }
  const constants = writeEdges(net, data.projections);
  allocate(net);
  for (const layer of net.layers) describeLayer(net, layer);
  for (const { number, slot, name } of constants.values()) describeConstant(net, number, slot, name);
  for (let i = 0; i < net.n; i++) net.divisor[i] ||= net.start[i + 1] - net.start[i] || 1;
}

// Rows of edges, one a target; within a row in the order of the sources. Padded positions become neurons behind all others.
function writeEdges(net, projections) {
  const made = projections.map((p) => new Edges(p, net.layers[p.target].shape, net.layers[p.source].shape));
  const start = new Int32Array(net.n + 1);
  projections.forEach((p, k) =>
    made[k].count((target, n) => {
      start[net.layers[p.target].at[target] + 1] += n;
    }),
  );
  for (let i = 0; i < net.n; i++) start[i + 1] += start[i];
  net.source = new Int32Array(start[net.n]);
  net.slot = new Int32Array(start[net.n]).fill(NONE);
  const next = start.slice();
  const constants = new Map();
  projections.forEach((p, k) => fill(net, p, made[k], next, constants));
  for (let i = 0; i < net.n; i++) sortRow(net, start[i], start[i + 1]);
  net.start = new Int32Array(net.n + constants.size + 1).fill(start[net.n]);
  net.start.set(start);
  net.n += constants.size;
  return constants;
}

function fill(net, projection, edges, next, constants) {
  const [first, from] = [net.layers[projection.target].at[0], net.layers[projection.source].at[0]];
  const slot = projection.slot;
  edges.each((target, source, weight, outside) => {
    const e = next[first + target]++;
    net.source[e] = outside === null ? from + source : padded(constants, projection.padding, outside, net.n);
    if (slot !== null) net.slot[e] = slot + weight;
  });
}

function padded(constants, padding, outside, n) {
  const name = `${padding.name}[${outside.join(",")}]`;
  if (!constants.has(name)) constants.set(name, { number: n + constants.size, slot: padding.slot, name });
  return constants.get(name).number;
}

function sortRow(net, from, to) {
  const source = net.source;
  for (let e = from + 1; e < to; e++) {
    if (source[e] < source[e - 1]) {
      const order = Array.from({ length: to - from }, (_, k) => from + k).sort((e1, e2) => source[e1] - source[e2] || e1 - e2);
      const [sources, slots] = [order.map((f) => source[f]), order.map((f) => net.slot[f])];
      source.set(sources, from);
      net.slot.set(slots, from);
      return;
    }
  }
}

function allocate(net) {
  net.layer = new Int32Array(net.n).fill(NONE);
  net.place = new Int32Array(net.n);
  net.kind = new Int32Array(net.n);
  net.activation = new Int32Array(net.n);
  net.bias = new Int32Array(net.n).fill(NONE);
  net.divisor = new Float64Array(net.n);
}

function describeLayer(net, layer) {
  const kind = KINDS.indexOf(layer.kind);
  const activation = ACTIVATION_NAMES.indexOf(layer.activation);
  layer.at.forEach((number, place) => {
    net.layer[number] = layer.number;
    net.place[number] = place;
    net.kind[number] = kind;
    net.activation[number] = activation;
    net.divisor[number] = layer.divisor ?? 0;
    if (layer.bias) net.bias[number] = layer.bias.slot + dot(layer.bias.steps, unravel(place, layer.shape));
  });
}

function describeConstant(net, number, slot, name) {
  net.kind[number] = CONSTANT;
  net.bias[number] = slot;
  net.names.set(number, name);
}

// -- the other way round ----------------------------------------------------------------------------------------------
function turnAround(net) {
  net.target = new Int32Array(net.source.length);
  for (let i = 0; i < net.n; i++) net.target.fill(i, net.start[i], net.start[i + 1]);
  net.outStart = new Int32Array(net.n + 1);
  for (let e = 0; e < net.source.length; e++) net.outStart[net.source[e] + 1] += 1;
  for (let i = 0; i < net.n; i++) net.outStart[i + 1] += net.outStart[i];
  const next = net.outStart.slice(0, net.n);
  net.outEdge = new Int32Array(net.source.length);
  for (let e = 0; e < net.source.length; e++) net.outEdge[next[net.source[e]]++] = e;
}

export const edgesInto = (net, i) => Array.from({ length: net.start[i + 1] - net.start[i] }, (_, k) => net.start[i] + k);
// By target: its layer, then its place there.
export function edgesOutOf(net, i) {
  const edges = Array.from(net.outEdge.subarray(net.outStart[i], net.outStart[i + 1]));
  const rank = (e) => [net.layer[net.target[e]], net.place[net.target[e]]];
  return edges.sort((e, f) => rank(e)[0] - rank(f)[0] || rank(e)[1] - rank(f)[1]);
}

export function usesOf(net, slot) {
  const edges = [];
  for (let e = 0; e < net.nEdges; e++) if (net.slot[e] === slot) edges.push(e);
  return edges;
}

export function biasedBy(net, slot) {
  const neurons = [];
  for (let i = 0; i < net.n; i++) if (net.bias[i] === slot && net.kind[i] !== CONSTANT) neurons.push(i);
  return neurons;
}

// Every neuron that can change this one, itself included; the last answer is kept.
export function reachOf(net, neuron) {
  if (net.reached?.neuron !== neuron) net.reached = { neuron, seen: searched(net, neuron) };
  return net.reached.seen;
}

function searched(net, neuron) {
  const seen = new Uint8Array(net.n);
  const waiting = [neuron];
  seen[neuron] = 1;
  while (waiting.length) {
    const i = waiting.pop();
    for (let e = net.start[i]; e < net.start[i + 1]; e++) {
      if (!seen[net.source[e]]) {
        seen[net.source[e]] = 1;
        waiting.push(net.source[e]);
      }
    }
  }
  return seen;
}

// Layer → how many steps its first neuron is away from the inputs.
function depths(net) {
  const depth = new Int32Array(net.n);
  for (let i = 0; i < net.n; i++) {
    for (let e = net.start[i]; e < net.start[i + 1]; e++) depth[i] = Math.max(depth[i], depth[net.source[e]] + 1);
  }
  return net.layers.map((layer) => {
    const found = Array.from(layer.at, (i) => (i === NONE ? Infinity : depth[i]));
    return found.length ? found.reduce((low, d) => Math.min(low, d), Infinity) : 0;
  });
}

// -- indices ----------------------------------------------------------------------------------------------------------
export function unravel(flat, shape) {
  const index = new Array(shape.length);
  for (let k = shape.length - 1; k >= 0; k--) {
    index[k] = flat % shape[k];
    flat = Math.floor(flat / shape[k]);
  }
  return index;
}

const dot = (steps, index) => steps.reduce((sum, step, k) => sum + step * index[k], 0);

export function nameOf(net, i) {
  if (net.names.has(i)) return net.names.get(i);
  const layer = net.layers[net.layer[i]];
  return layer.shape.length ? `${layer.name}[${unravel(net.place[i], layer.shape).join(",")}]` : layer.name;
}

export function parameterAt(net, slot) {
  return net.parameters.find((parameter) => slot >= parameter.slot && slot < parameter.slot + parameter.size);
}

export function weightName(net, slot) {
  const parameter = parameterAt(net, slot);
  const index = unravel(slot - parameter.slot, parameter.shape);
  return index.length ? `${parameter.name}[${index.join(",")}]` : parameter.name;
}
