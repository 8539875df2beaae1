// One forward and one backward pass over the written-out network, for one sample. Each loop is one line of the textbook.

import { ACTIVATION_NAMES, ACTIVATIONS } from "./activations.js";
import { owed, softmaxHeads, through } from "./losses.js";
import { CONSTANT, INPUT, L2, MAX, MEAN, RBF, SUM, WEIGHTED } from "./network.js";

const FUNCTIONS = ACTIVATION_NAMES.map((name) => ACTIVATIONS[name]);

// z, a, delta: a number a neuron. winner: for maxima, the edge that won. gradient: a number a weight. loss: null without target.
export function makeState(net) {
  const row = () => new Float64Array(net.n);
  return {
    z: row(),
    a: row(),
    delta: row(),
    error: row(),
    winner: new Int32Array(net.n),
    gradient: new Float64Array(net.weights.length),
    loss: null,
    losses: [],
  };
}

export function forward(net, weights, inputs, state) {
  const { z, a } = state;
  for (let i = 0; i < net.n; i++) if (net.kind[i] === CONSTANT) z[i] = a[i] = weights[net.bias[i]];
  net.inputs.forEach((port, p) =>
    port.neurons.forEach((i, k) => {
      if (i >= 0) z[i] = a[i] = inputs[p][k];
    }),
  );
  for (let i = 0; i < net.n; i++) {
    if (net.kind[i] === INPUT) a[i] = FUNCTIONS[net.activation[i]].f(z[i]);
    if (net.kind[i] === INPUT || net.kind[i] === CONSTANT) continue;
    z[i] = collect(net, weights, state, i);
    a[i] = FUNCTIONS[net.activation[i]].f(z[i]);
  }
  softmaxHeads(net, z, a);
}

function collect(net, weights, state, i) {
  const { a } = state;
  const { source, slot } = net;
  const [from, to] = [net.start[i], net.start[i + 1]];
  let sum = 0;
  switch (net.kind[i]) {
    case WEIGHTED:
      for (let e = from; e < to; e++) sum += weights[slot[e]] * a[source[e]];
      return net.bias[i] < 0 ? sum : sum + weights[net.bias[i]];
    case MAX:
      return a[source[(state.winner[i] = winnerOf(net, a, from, to))]];
    case MEAN:
      for (let e = from; e < to; e++) sum += a[source[e]];
      return sum / net.divisor[i];
    case SUM:
      for (let e = from; e < to; e++) sum += a[source[e]];
      return sum;
    case L2:
      for (let e = from; e < to; e++) sum += a[source[e]] * a[source[e]];
      return Math.sqrt(sum);
    case RBF:
      for (let e = from; e < to; e++) sum += (a[source[e]] - weights[slot[e]]) ** 2;
      return sum;
    default:
      return NaN;
  }
}

// The first of the largest; the first NaN if there is one.
function winnerOf(net, a, from, to) {
  let best = from;
  for (let e = from; e < to; e++) {
    if (Number.isNaN(a[net.source[e]])) return e;
    if (a[net.source[e]] > a[net.source[best]]) best = e;
  }
  return best;
}

// δ_j = f′(z_j)·Σ_i δ_i·∂z_i/∂a_j, and the gradient Σ δ_i·∂z_i/∂w. `wanted` has targets or upstream gradients, one a head, or
// neither.
export function backward(net, weights, wanted, state) {
  const { z, a, delta, error, gradient } = state;
  delta.fill(0);
  error.fill(0);
  gradient.fill(0);
  state.losses = heads(net, wanted, state);
  state.loss = wanted.t ? state.losses.reduce((sum, loss) => sum + loss, 0) : null;
  for (let j = net.n - 1; j >= 0; j--) {
    if (error[j] !== 0) delta[j] += error[j] * FUNCTIONS[net.activation[j]].slope(z[j], a[j]);
    if (delta[j] === 0 || net.kind[j] === INPUT || net.kind[j] === CONSTANT) continue;
    if (net.bias[j] >= 0) gradient[net.bias[j]] += delta[j];
    handBack(net, weights, state, j);
  }
  for (let i = 0; i < net.n; i++) if (net.kind[i] === CONSTANT) delta[i] = 0;
}

function heads(net, wanted, state) {
  return net.heads.map((head, h) => {
    if (wanted.t) return owed(net, head, state.z, state.a, wanted.t[h], state.delta);
    if (wanted.g) through(net, head, state.z, state.a, wanted.g[h], state.delta);
    return 0;
  });
}

function handBack(net, weights, state, j) {
  const { delta, error, gradient } = state;
  if (net.kind[j] === MAX) {
    error[net.source[state.winner[j]]] += delta[j];
    return;
  }
  if (net.kind[j] === WEIGHTED) {
    for (let e = net.start[j]; e < net.start[j + 1]; e++) {
      error[net.source[e]] += delta[j] * weights[net.slot[e]];
      gradient[net.slot[e]] += delta[j] * state.a[net.source[e]];
    }
    return;
  }
  for (let e = net.start[j]; e < net.start[j + 1]; e++) {
    error[net.source[e]] += delta[j] * dzda(net, weights, state, e);
    if (net.slot[e] >= 0) gradient[net.slot[e]] += delta[j] * dzdw(net, weights, state, e);
  }
}

// ∂z(target)/∂a(source) and ∂z(target)/∂w along one edge.
export function dzda(net, weights, state, e) {
  const [i, j] = [net.target[e], net.source[e]];
  switch (net.kind[i]) {
    case WEIGHTED:
      return weights[net.slot[e]];
    case MAX:
      return state.winner[i] === e ? 1 : 0;
    case MEAN:
      return 1 / net.divisor[i];
    case L2:
      return state.z[i] === 0 ? 0 : state.a[j] / state.z[i];
    case RBF:
      return 2 * (state.a[j] - weights[net.slot[e]]);
    default:
      return 1;
  }
}

export function dzdw(net, weights, state, e) {
  const a = state.a[net.source[e]];
  return net.kind[net.target[e]] === RBF ? 2 * (weights[net.slot[e]] - a) : a;
}

// What one edge adds to its target's z (max: its candidate; l2: the square under the root).
export function addend(net, weights, state, e) {
  const a = state.a[net.source[e]];
  switch (net.kind[net.target[e]]) {
    case WEIGHTED:
      return weights[net.slot[e]] * a;
    case MEAN:
      return a / net.divisor[net.target[e]];
    case L2:
      return a * a;
    case RBF:
      return (a - weights[net.slot[e]]) ** 2;
    default:
      return a;
  }
}

export const slopeOf = (net, state, i) => FUNCTIONS[net.activation[i]].slope(state.z[i], state.a[i]);

// What a head says: the class, by the largest output (of distances: the smallest); null where its outputs are no classes.
export function labelOf(net, head, state) {
  const { loss, shape, neurons } = head;
  if (neurons.length === 1) return yesOrNo(net, head, state);
  if (shape.slice(1).some((extent) => extent !== 1) || (loss && loss.kind === "binary_cross_entropy")) return null;
  const sign = net.kind[neurons.find((i) => i >= 0)] === RBF ? -1 : 1;
  let best = -1;
  neurons.forEach((i, k) => {
    if (i >= 0 && (best < 0 || sign * state.a[i] > sign * state.a[neurons[best]])) best = k;
  });
  return best;
}

function yesOrNo(net, head, state) {
  const i = head.neurons[0];
  if (!head.loss || head.loss.kind !== "binary_cross_entropy" || i < 0) return null;
  return state.z[i] >= 0 ? 1 : 0;
}
