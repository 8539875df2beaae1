// One pass as steps, forward and backward, layer by layer or neuron by neuron: what is known at each, and what a teacher would say.

import { neuronCard } from "./cards.js";
import { ACTIVATION_NAMES } from "./activations.js";
import { FORMULAS } from "./formulas.js";
import { CONSTANT, INPUT, KINDS, nameOf } from "./network.js";
import { number } from "./numbers.js";

const ALL = 24; // networks of up to so many computing neurons are told whole, neuron by neuron

const SAYS = {
  weighted:
    "Each neuron multiplies every number it sees by the weight of that connection, adds the products and its bias, and passes the sum through f.",
  max: "Each neuron passes on the largest number of its window and remembers who won: δ will go back to the winner.",
  mean: "Each neuron passes on the mean of its window.",
  l2: "Each neuron passes on the length of its window, taken as a vector.",
  sum: "Each neuron adds up what it reads; there is nothing to learn here.",
  rbf: "Each neuron measures how far what it sees lies from its own weights: a squared distance, 0 for a perfect match.",
};
const OUTPUTS =
  "δ says how much the loss grows when this neuron's z grows a little. At the outputs it comes straight from the loss.";
const HIDDEN = {
  weighted:
    "{who} gathers the δ of the neurons it feeds, each through the weight between them, and scales the sum by its slope f′(z).",
  max: "A max pool hands its δ to the neuron that won its window; the others had no say in the result and get nothing.",
  mean: "A mean pool hands an equal part of its δ to every neuron of its window.",
  l2: "This pool hands its δ back in proportion to the activations of its window.",
  sum: "A sum hands its δ on unchanged to everything it added.",
  rbf: "A distance hands its δ back along the difference between the activation and the weight.",
};

// The steps: a chapter, a title, and open(), which works out the rest: equation, words, view (a or delta), shown(neuron), and the
// neuron or weight whose card goes with it.
export function tell(model, by) {
  const stages = stagesOf(model);
  const given = stages.filter((stage) => stage.given);
  const computing = stages.filter((stage) => !stage.given);
  const backward = computing.toReversed();
  const step = (chapter, title, open) => ({ chapter, title, open: () => ({ chapter, title, ...open() }) });
  const each = (list, chapter, word, frame) =>
    list.flatMap((stage) =>
      told(model, by, stage, computing).map((i) =>
        step(chapter, `${word}: ${i === null ? stage.name : nameOf(model.net, i)}`, () => frame(model, stage, i)),
      ),
    );
  const forward = [
    ...given.map((stage) => step("input", `What goes in: ${stage.name}`, () => inputFrame(stage, leftOut(by, computing)))),
    ...each(computing, "forward", "Forward", forwardFrame),
  ];
  if (!model.hasDelta) return forward;
  return [
    ...forward,
    step("loss", model.wanted.g ? "In place of a loss" : "The loss", () => lossFrame(model)),
    ...each(backward, "delta", "δ", deltaFrame),
    ...backward
      .filter((stage) => weighted(model, stage))
      .map((stage) => step("sums", `The sums: the weights into ${stage.name}`, () => sumsFrame(model, stage))),
    step("update", "The update", () => updateFrame(model)),
  ];
}

// A layer, or single neurons at one depth; in the order of computing.
function stagesOf(model) {
  const { net } = model;
  const made = [];
  const alone = new Map();
  net.layers.forEach((layer, number) => {
    const neurons = Array.from(layer.at).filter((i) => i >= 0);
    if (!neurons.length) return;
    const given = net.kind[neurons[0]] === INPUT;
    if (layer.shape.length) made.push({ name: layer.name, neurons, given, depth: net.depth[number] });
    else if (alone.has(net.depth[number])) alone.get(net.depth[number]).neurons.push(...neurons);
    else {
      alone.set(net.depth[number], { name: "", neurons: [...neurons], given, depth: net.depth[number] });
      made.push(alone.get(net.depth[number]));
    }
  });
  for (const stage of made)
    stage.name ||= `${stage.neurons
      .slice(0, 6)
      .map((i) => nameOf(net, i))
      .join(", ")}${stage.neurons.length > 6 ? ", …" : ""}`;
  const rank = new Map();
  made.sort((s, t) => first(s) - first(t)).forEach((stage, k) => stage.neurons.forEach((i) => rank.set(i, k)));
  made.forEach((stage, k) => Object.assign(stage, { rank: k, ranks: rank }));
  return made;
}

const first = (stage) => stage.neurons.reduce((low, i) => Math.min(low, i), Infinity);

// The neurons of a stage that have a step of their own; null: all have one together.
function told(model, by, stage, computing) {
  if (by === "layer") return [null];
  const all = computing.reduce((sum, other) => sum + other.neurons.length, 0) <= ALL;
  return all ? stage.neurons : saying(model, stage);
}

// Neuron by neuron, a large network is not told whole: this is said.
function leftOut(by, computing) {
  const n = computing.reduce((sum, other) => sum + other.neurons.length, 0);
  if (by === "layer" || n <= ALL) return "";
  return ` Of the ${n.toLocaleString("en-US")} neurons that compute, some are told: in every layer the most active one, the one with the largest δ, and a silent one, where there is one. Any other opens when you choose it.`;
}

// Of a large layer: the most active neuron, the one with the largest δ, and a silent one.
function saying(model, stage) {
  const { a, delta } = model.state;
  return [...new Set([topOf(stage, a), topOf(stage, delta), stage.neurons.find((i) => a[i] === 0)])]
    .filter((i) => i !== undefined)
    .sort((i, j) => i - j);
}

const topOf = (stage, values) =>
  stage.neurons.reduce((best, i) => (Math.abs(values[i]) > Math.abs(values[best]) ? i : best), stage.neurons[0]);

const upTo = (stage, i) => (j) =>
  (stage.ranks.get(j) ?? -1) < stage.rank || (stage.ranks.get(j) === stage.rank && (i === null || j <= i));
const downTo = (stage, i) => (j) =>
  (stage.ranks.get(j) ?? -1) > stage.rank || (stage.ranks.get(j) === stage.rank && (i === null || j <= i));

// -- forward -----------------------------------------------------------------------------------------------------------
function inputFrame(stage, rest) {
  return {
    equation: "a = x",
    words: `An input neuron computes nothing: its activation is the number it is given.${rest}`,
    view: "a",
    shown: upTo(stage, null),
    neuron: null,
  };
}

function forwardFrame(model, stage, i) {
  const worked = i ?? topOf(stage, model.state.a);
  const card = neuronCard(model, worked);
  const bias = card.bias ? " + bias" : "";
  const f = card.activation === "identity" ? "a = z" : `a = ${card.activation}(z)`;
  const who = i === null ? "Each neuron" : "This neuron";
  return {
    equation: `z = ${FORMULAS[card.kind]}${bias},  ${f}`,
    words: forwardWords(card).replace("Each neuron", who) + silent(model, stage, card, i),
    view: "a",
    shown: upTo(stage, i),
    neuron: worked,
  };
}

function forwardWords(card) {
  let words = SAYS[card.kind] ?? "";
  if (card.kind !== "weighted") return words;
  if (!card.bias) words = words.replace(" and its bias", "");
  if (card.activation === "identity") return words.replace(", adds", ", and adds").replace(", and passes the sum through f", "");
  return words.replace("through f", `through ${card.activation}`);
}

function silent(model, stage, card, i) {
  if (card.activation !== "relu") return "";
  if (i !== null) return card.z <= 0 ? " Its z is not above 0, so it is silent here." : "";
  const n = stage.neurons.filter((j) => model.state.z[j] <= 0).length;
  const all = stage.neurons.length.toLocaleString("en-US");
  return n ? ` ${n.toLocaleString("en-US")} of the ${all} have z ≤ 0 and are silent.` : ` None of the ${all} is silent.`;
}

// -- the loss and δ ----------------------------------------------------------------------------------------------------
function lossFrame(model) {
  const outputs = model.net.heads.flatMap((head) => head.neurons).filter((i) => i >= 0);
  const frame = { view: "a", shown: null, neuron: topOf({ neurons: outputs }, model.state.delta) };
  if (model.wanted.g)
    return {
      ...frame,
      equation: "g = ∂loss/∂a of the outputs is given",
      words: "No target was given, but what the loss would say: how it changes with each output. δ starts from these numbers.",
    };
  const kinds = [...new Set(model.net.heads.map((head) => head.loss.kind.replaceAll("_", " ")))].join(", ");
  return {
    ...frame,
    equation: `E = ${number(model.state.loss)}   (${kinds})`,
    words:
      "The loss is one number: how far the outputs a are from the targets t. Everything from here on asks how to make it smaller.",
  };
}

function deltaFrame(model, stage, i) {
  const worked = i ?? topOf(stage, model.state.delta);
  const card = neuronCard(model, worked);
  const own = card.fromLoss ? `δ = ${card.fromLoss.formula}` : "";
  const partial = card.fanOut.every((edge) => edge.w !== null) ? "w" : "∂z(target)/∂a";
  const handed = card.fanOut.length ? `f′(z) · Σ δ(target)·${partial}` : "";
  const equation = own && handed ? `${own} + ${handed}` : own || (handed ? `δ = ${handed}` : "δ = 0");
  return { equation, words: deltaWords(model, stage, card, i), view: "delta", shown: downTo(stage, i), neuron: worked };
}

function deltaWords(model, stage, card, i) {
  const { net, state } = model;
  const kinds = new Set(card.fanOut.map((edge) => KINDS[net.kind[edge.neuron]]));
  const said = card.fromLoss ? [OUTPUTS] : [];
  for (const [kind, words] of Object.entries(HIDDEN))
    if (kinds.has(kind)) said.push(words.replace("{who}", i === null ? "Each neuron" : "This neuron"));
  if (!said.length)
    said.push("Nothing reads this neuron, and no loss looks at it: whatever it does makes no difference, so δ = 0.");
  if (i !== null && card.slope === 0) said.push("The slope is 0 here, so whatever the targets ask for, nothing gets through.");
  const zero = stage.neurons.filter((j) => state.delta[j] === 0).length;
  if (i === null && zero)
    said.push(
      `The δ of ${zero.toLocaleString("en-US")} of the ${stage.neurons.length.toLocaleString("en-US")} is exactly 0: nothing the loss could ask of them.`,
    );
  return said.join(" ");
}

// -- weights -----------------------------------------------------------------------------------------------------------
const weighted = ({ net }, stage) => stage.neurons.some((i) => net.start[i] < net.start[i + 1] && net.slot[net.start[i]] >= 0);

// The weight into a stage that is asked to change most.
function sumsFrame(model, stage) {
  const { net, state } = model;
  let top = -1;
  for (const i of stage.neurons) {
    for (let e = net.start[i]; e < net.start[i + 1]; e++) {
      if (net.slot[e] >= 0 && (top < 0 || Math.abs(state.gradient[net.slot[e]]) > Math.abs(state.gradient[top])))
        top = net.slot[e];
    }
  }
  return {
    equation: "∂E/∂w = Σ over its uses of δ·a",
    words:
      "Every edge that carries a weight asks for its own share, δ of its target times a of its source. A shared weight is one number: it gets the sum of all that its edges ask for.",
    view: "delta",
    shown: null,
    weight: top,
  };
}

function updateFrame(model) {
  const n = model.net.parameters.filter((parameter) => parameter.trainable).reduce((sum, parameter) => sum + parameter.size, 0);
  return {
    equation: "w ← w − η · ∂E/∂w",
    words: `All ${n.toLocaleString("en-US")} trainable weights change at once, each against its gradient, with the δ of the old weights. Take the step, and see the loss of this sample fall.`,
    view: "a",
    shown: null,
    neuron: null,
  };
}

export const activationOf = (net, i) => (net.kind[i] === CONSTANT ? "identity" : ACTIVATION_NAMES[net.activation[i]]);
