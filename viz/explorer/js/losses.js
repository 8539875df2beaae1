// What the outputs owe for one sample: the loss of every head, and the δ that comes straight from it.

import { ACTIVATION_NAMES, ACTIVATIONS, sigmoid, softplus } from "./activations.js";
import { product } from "./network.js";

const SOFTMAX = ACTIVATION_NAMES.indexOf("softmax");
const times = (t, z) => (t === 0 ? 0 : t * z);

export function softmax(z) {
  const top = Math.max(...z);
  const powers = z.map((value) => Math.exp(value - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

// The outputs that one softmax spans: those at one position of a map.
export function groupsOf(head) {
  const spread = product(head.shape.slice(1));
  const groups = Array.from({ length: spread }, () => []);
  head.neurons.forEach((neuron, k) => {
    if (neuron >= 0) groups[k % spread].push(k);
  });
  return groups.filter((group) => group.length);
}

export function softmaxHeads(net, z, a) {
  for (const head of net.heads) {
    for (const group of groupsOf(head)) {
      const numbers = group.map((k) => head.neurons[k]);
      if (net.activation[numbers[0]] !== SOFTMAX) continue;
      softmax(numbers.map((i) => z[i])).forEach((p, k) => {
        a[numbers[k]] = p;
      });
    }
  }
}

// Adds the δ of a head's neurons, and returns its loss (weight included).
export function owed(net, head, z, a, targets, delta) {
  const { loss } = head;
  let total = 0;
  if (loss.kind === "mse") {
    const n = head.neurons.filter((i) => i >= 0).length;
    const factors = factorsOf(head, targets);
    const g = new Float64Array(head.neurons.length);
    head.neurons.forEach((i, k) => {
      if (i < 0) return;
      const error = a[i] - targets[k];
      total += factors[k] * error * error * (loss.form === "half_sum" ? 0.5 : 1 / n);
      g[k] = loss.weight * factors[k] * error * (loss.form === "half_sum" ? 1 : 2 / n);
    });
    through(net, head, z, a, g, delta);
    return loss.weight * total;
  }
  for (const group of groupsOf(head)) {
    const numbers = group.map((k) => head.neurons[k]);
    const [value, deltas] = atOnce(
      head,
      numbers.map((i) => z[i]),
      group,
      targets,
    );
    total += value;
    deltas.forEach((d, k) => {
      delta[numbers[k]] += loss.weight * d;
    });
  }
  return loss.weight * total;
}

// Adds the δ that an upstream gradient g = ∂loss/∂a means.
export function through(net, head, z, a, g, delta) {
  for (const group of groupsOf(head)) {
    const numbers = group.map((k) => head.neurons[k]);
    if (net.activation[numbers[0]] === SOFTMAX) {
      const common = group.reduce((sum, k) => sum + g[k] * a[head.neurons[k]], 0);
      group.forEach((k) => {
        delta[head.neurons[k]] += a[head.neurons[k]] * (g[k] - common);
      });
    } else {
      group.forEach((k) => {
        const i = head.neurons[k];
        if (g[k] !== 0) delta[i] += g[k] * ACTIVATIONS[ACTIVATION_NAMES[net.activation[i]]].slope(z[i], a[i]);
      });
    }
  }
}

function atOnce(head, z, group, targets) {
  const { loss } = head;
  const t = group.map((k) => targets[k]);
  const factors = factorsOf(head, targets);
  const weight = factors[group[0]];
  if (loss.kind === "binary_cross_entropy")
    return binary(
      z,
      smoothed(t, loss, 2),
      group.map((k) => factors[k]),
    );
  const made = loss.kind === "rbf_map" ? rbfMap(z, t, loss.j) : crossEntropy(z, smoothed(t, loss, t.length));
  return [weight * made[0], made[1].map((d) => weight * d)];
}

function crossEntropy(z, t) {
  const top = Math.max(...z);
  const mass = t.reduce((sum, value) => sum + value, 0);
  const spread = Math.log(z.reduce((sum, value) => sum + Math.exp(value - top), 0));
  const given = z.reduce((sum, value, k) => sum + times(t[k], value - top), 0);
  return [spread - given + top * (1 - mass), softmax(z).map((p, k) => p - t[k])];
}

function binary(z, t, w) {
  const losses = z.map((value, k) => w[k] * (times(t[k], softplus(-value)) + times(1 - t[k], softplus(value))));
  return [losses.reduce((sum, value) => sum + value, 0), z.map((value, k) => w[k] * (sigmoid(value) - t[k]))];
}

function rbfMap(y, t, j) {
  const lowered = [...y.map((value) => -value), -j];
  const top = Math.max(...lowered);
  const spread = Math.log(lowered.reduce((sum, value) => sum + Math.exp(value - top), 0)) + top;
  const shares = softmax(lowered);
  return [y.reduce((sum, value, k) => sum + times(t[k], value), 0) + spread, y.map((_, k) => t[k] - shares[k])];
}

// Label smoothing: t′ = (1 − ε)·t + ε/K.
const smoothed = (t, loss, classes) =>
  loss.smoothing ? t.map((value) => (1 - loss.smoothing) * value + loss.smoothing / classes) : t;

// The targets of a head as its loss counts them.
export function countedTargets(head, targets) {
  const counted = Float64Array.from(targets);
  for (const group of groupsOf(head)) {
    const classes = head.loss.kind === "binary_cross_entropy" ? 2 : group.length;
    const t = smoothed(
      group.map((k) => targets[k]),
      head.loss,
      classes,
    );
    group.forEach((k, c) => {
      counted[k] = t[c];
    });
  }
  return counted;
}

// Class weights: per output, what its loss is multiplied by.
export function factorsOf(head, targets) {
  const { loss } = head;
  return loss.classWeights ? weighed(head, targets) : new Float64Array(head.neurons.length).fill(1);
}

function weighed(head, targets) {
  const {
    classWeights: weights,
    targets: [off, on],
    kind,
  } = head.loss;
  const spread = product(head.shape.slice(1));
  const share = (k) => (targets[k] - off) / (on - off);
  const factors = new Float64Array(head.neurons.length).fill(1);
  if (kind === "binary_cross_entropy") {
    const single = head.shape.length === 0 || head.shape[0] === 1;
    return factors.map((_, k) => {
      const [absent, here] = single ? weights : [1, weights[Math.floor(k / spread)]];
      return absent * (1 - share(k)) + here * share(k);
    });
  }
  for (const group of groupsOf(head)) {
    const weight = group.reduce((sum, k) => sum + weights[Math.floor(k / spread)] * share(k), 0);
    for (const k of group) factors[k] = weight;
  }
  return factors;
}
