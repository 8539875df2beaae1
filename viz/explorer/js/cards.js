// The numbers of a card: what one neuron read, made and was held to account for, and where one weight was used.

import { ACTIVATION_NAMES, sigmoid } from "./activations.js";
import { addend, dzda, dzdw, slopeOf } from "./engine.js";
import { countedTargets, factorsOf, softmax } from "./losses.js";
import {
  biasedBy,
  CONSTANT,
  edgesInto,
  edgesOutOf,
  INPUT,
  KINDS,
  MAX,
  nameOf,
  parameterAt,
  usesOf,
  weightName,
} from "./network.js";
import { number, total } from "./numbers.js";

export function neuronCard(model, i) {
  const { net, state, weights } = model;
  const into = edgesInto(net, i);
  const card = {
    neuron: i,
    name: nameOf(net, i),
    kind: KINDS[net.kind[i]],
    activation: ACTIVATION_NAMES[net.activation[i]],
    z: state.z[i],
    a: state.a[i],
    delta: model.hasDelta && net.kind[i] !== CONSTANT ? state.delta[i] : null,
    bias: net.bias[i] >= 0 && net.kind[i] !== CONSTANT ? weightOf(model, net.bias[i]) : null,
    terms: into.map((e) => termOf(model, e, net.source[e], addend(net, weights, state, e))),
    fanOut: edgesOutOf(net, i).map((e) => influenceOf(model, e)),
    divisor: net.divisor[i],
    winner: net.kind[i] === MAX && into.length ? state.winner[i] - net.start[i] : null,
    slope: ACTIVATION_NAMES[net.activation[i]] === "softmax" ? null : slopeOf(net, state, i),
    fromLoss: model.hasDelta ? fromLoss(model, i) : null,
    feed: model.feed(i),
  };
  card.ties = card.winner === null ? [] : card.terms.filter((term) => term.a === card.terms[card.winner].a);
  return card;
}

function weightOf(model, slot) {
  return { slot, name: weightName(model.net, slot), value: model.weights[slot] };
}

function termOf(model, e, other, product) {
  const { net, state } = model;
  const slot = net.slot[e];
  return {
    edge: e,
    neuron: other,
    name: nameOf(net, other),
    a: state.a[other],
    delta: state.delta[other],
    w: slot < 0 ? null : model.weights[slot],
    weight: slot < 0 ? null : weightName(net, slot),
    slot,
    product,
  };
}

function influenceOf(model, e) {
  const { net, state, weights } = model;
  const delta = state.delta[net.target[e]];
  return termOf(model, e, net.target[e], delta === 0 ? 0 : delta * dzda(net, weights, state, e));
}

// -- the loss's part of an output's δ ------------------------------------------------------------------------------------
function fromLoss(model, i) {
  const found = model.output(i);
  if (!found) return null;
  const [h, k] = found;
  const head = model.net.heads[h];
  if (model.wanted.g) return ofUpstream(model, head, i, k, model.wanted.g[h]);
  return head.loss ? ofTarget(model, head, i, k, model.wanted.t[h]) : null;
}

const column = (head, k) => {
  const spread = head.shape.slice(1).reduce((all, n) => all * n, 1);
  return head.neurons.map((_, j) => j).filter((j) => j % spread === k % spread && head.neurons[j] >= 0);
};

function ofUpstream(model, head, i, k, g) {
  const { net, state } = model;
  if (ACTIVATION_NAMES[net.activation[i]] === "softmax") {
    const mean = total(column(head, k).map((j) => g[j] * state.a[head.neurons[j]]));
    return part(
      "a·(g − Σ g·a), with the upstream gradient g = ∂loss/∂a",
      `${n(state.a[i])} · (${n(g[k])} − ${n(mean)})`,
      state.a[i] * (g[k] - mean),
    );
  }
  const f = slopeOf(net, state, i);
  return part("g·f′(z), with the upstream gradient g = ∂loss/∂a", `${n(g[k])} · ${n(f)}`, g[k] * f);
}

const n = (value) => number(value, 6);
const part = (formula, numbers, value) => ({ formula, numbers, value });

function ofTarget(model, head, i, k, targets) {
  const { weight, smoothing, classWeights } = head.loss;
  let made = plainTarget(model, head, i, k, countedTargets(head, targets));
  if (smoothing) made.formula += "′";
  const own = classWeights ? factorsOf(head, targets)[k] : 1;
  const factors = [...(classWeights ? [["w", own]] : []), ...(weight === 1 ? [] : [[n(weight), weight]])];
  for (const [symbol, factor] of factors) {
    made = part(`${symbol} · (${made.formula})`, `${n(factor)} · (${made.numbers})`, factor * made.value);
  }
  if (classWeights) made.formula += ", with the class weight w";
  return made;
}

function plainTarget(model, head, i, k, targets) {
  const { net, state } = model;
  const { kind, form, j } = head.loss;
  const [z, a, t] = [state.z[i], state.a[i], targets[k]];
  if (kind === "cross_entropy") {
    const others = column(head, k);
    const p = softmax(others.map((o) => state.z[head.neurons[o]]))[others.indexOf(k)];
    return part("p − t", `${n(p)} − ${n(t)}`, p - t);
  }
  if (kind === "binary_cross_entropy") return part("σ(z) − t", `${n(sigmoid(z))} − ${n(t)}`, sigmoid(z) - t);
  if (kind === "rbf_map") {
    const share = Math.exp(-z) / (Math.exp(-j) + total(column(head, k).map((o) => Math.exp(-state.z[head.neurons[o]]))));
    return part("t − e^−y / (e^−j + Σ e^−y)", `${n(t)} − ${n(share)}`, t - share);
  }
  const size = head.neurons.filter((o) => o >= 0).length;
  const factor = form === "half_sum" ? 1 : 2 / size;
  if (ACTIVATION_NAMES[net.activation[i]] === "softmax") {
    const g = (o) => factor * (state.a[head.neurons[o]] - targets[o]);
    const mean = total(column(head, k).map((o) => g(o) * state.a[head.neurons[o]]));
    return part("a·(g − Σ g·a), with g = ∂loss/∂a", `${n(a)} · (${n(g(k))} − ${n(mean)})`, a * (g(k) - mean));
  }
  const f = slopeOf(net, state, i);
  if (form === "half_sum") return part("(a − t)·f′(z)", `(${n(a)} − ${n(t)}) · ${n(f)}`, (a - t) * f);
  return part("2(a − t)·f′(z)/n", `2 · (${n(a)} − ${n(t)}) · ${n(f)} / ${size}`, factor * (a - t) * f);
}

// -- a weight ------------------------------------------------------------------------------------------------------------
export function weightCard(model, slot) {
  const { net, state, weights } = model;
  const parameter = parameterAt(net, slot);
  const isBias = parameter.role === "bias" || biasedBy(net, slot).length > 0;
  const uses = biasedBy(net, slot).map((i) => useOf(model, null, null, i, state.delta[i]));
  for (const e of usesOf(net, slot)) {
    const i = net.target[e];
    uses.push(useOf(model, e, net.source[e], i, state.delta[i] === 0 ? 0 : state.delta[i] * dzdw(net, weights, state, e)));
  }
  return {
    slot,
    name: weightName(net, slot),
    parameter,
    value: weights[slot],
    isBias,
    trainable: parameter.trainable,
    uses,
    sum: total(uses.map((use) => use.product)),
    gradient: state.gradient[slot],
    per: perUse(isBias, uses),
  };
}

// What each use multiplies δ by.
function perUse(isBias, uses) {
  if (isBias) return "";
  return uses.every((use) => use.product === 0 || use.product === use.delta * use.a) ? "·a" : "·∂z/∂w";
}

function useOf(model, edge, source, target, product) {
  const { net, state } = model;
  return {
    edge,
    source,
    target,
    sourceName: source === null ? "1" : nameOf(net, source),
    targetName: nameOf(net, target),
    a: source === null ? 1 : state.a[source],
    delta: state.delta[target],
    product,
  };
}

export const isInput = (net, i) => net.kind[i] === INPUT;
