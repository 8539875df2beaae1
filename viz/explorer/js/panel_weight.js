// The card of a weight (every use of it, and their sum), and the card of a layer with its filters.

import { weightCard } from "./cards.js";
import { button, h } from "./elements.js";
import { equationOfGradient } from "./formulas.js";
import { Grid } from "./grid.js";
import { biasedBy, nameOf, unravel, weightName } from "./network.js";
import { counted, largest, number, times, total } from "./numbers.js";
import { change, heading, leftOut, scrolled, table, written } from "./panel.js";

const ROWS = 12;
const WIDTH = 328;
const MOST_FILTERS = 96;

export function weightPanel(model, slot, go) {
  const card = weightCard(model, slot);
  const what = card.isBias ? "bias" : "weight";
  const carriers = counted(card.uses.length, card.isBias ? "neuron" : "edge");
  return [
    heading(card.name, `one ${what} on ${carriers}${card.trainable ? "" : ", fixed (not trained)"}`),
    editor(card, go),
    ...(model.hasDelta
      ? gradientPart(model, card, go)
      : [h("p", { class: "small" }, "Where its update comes from: choose a target.")]),
    card.uses.length > 1 ? h("p", { class: "prose" }, copies(card, what)) : null,
  ];
}

function editor(card, go) {
  const top = Math.max(1, 2 ** Math.ceil(Math.log2(2 * Math.abs(card.value) || 1)));
  const set = (event) => change(event, (value) => go.setWeight(card.slot, value));
  const field = h("input", { type: "number", step: "any", value: written(card.value), id: "edit", oninput: set });
  const slider = h("input", {
    type: "range",
    min: -top,
    max: top,
    step: top / 200,
    value: card.value,
    id: "slide",
    "aria-label": `${card.name}, slider`,
    oninput: set,
    onchange: () => go.settle(),
  });
  return h("div", { class: "field" }, h("label", { for: "edit" }, card.isBias ? "b = " : "w = "), field, slider);
}

function gradientPart(model, card, go) {
  const [shown, rest] = largest(card.uses, (use) => use.product, ROWS);
  const { per } = card;
  const heads = card.isBias ? ["neuron", "δ"] : ["source → target", "a", "δ", `δ${per}`];
  const rows = shown.map((use) =>
    card.isBias ? [neuronButton(use.targetName, use.target, go), number(use.delta, 4)] : useRow(use, go),
  );
  return [
    h("p", { class: "formula" }, `gradient = Σ over its uses of δ${per}`),
    scrolled("the gradient", equationOfGradient(card)),
    balance(card),
    usesMap(model, card, go),
    table("the uses", heads, rows, leftOut(rest, "use", true)),
  ];
}

function neuronButton(name, i, go) {
  return button(name, () => go.neuron(i), { class: "link" });
}

function useRow(use, go) {
  return [
    h("span", {}, neuronButton(use.sourceName, use.source, go), " → ", neuronButton(use.targetName, use.target, go)),
    number(use.a, 4),
    number(use.delta, 4),
    number(use.product, 4),
  ];
}

// How much asks for more, how much for less, and what is left.
function balance(card) {
  const up = total(card.uses.map((use) => Math.max(use.product, 0)));
  const down = -total(card.uses.map((use) => Math.min(use.product, 0)));
  if (!(up + down > 0)) return h("p", { class: "small" }, "No use asks for anything: the sum is 0.");
  const bar = h("div", { class: "balance", "aria-hidden": "true" }, h("span", { class: "down" }), h("span", { class: "up" }));
  bar.children[0].style.flexGrow = down;
  bar.children[1].style.flexGrow = up;
  const words =
    up && down
      ? `Some ask for more, some for less: ${number(up, 4)} − ${number(down, 4)} = ${number(card.sum, 5)}`
      : `All pull the same way: ${number(card.sum, 5)}`;
  return h("div", {}, bar, h("p", { class: "small" }, words));
}

// δ·a by position of the map that uses the weight.
function usesMap(model, card, go) {
  const { net } = model;
  const layer = net.layers[net.layer[card.uses[0]?.target]];
  if (!layer || layer.shape.length < 2 || card.uses.length < 2 || card.uses.some((use) => net.layer[use.target] !== layer.number))
    return null;
  const [rows, columns] = layer.shape.length === 3 ? layer.shape.slice(1) : [1, layer.shape[1]];
  const map = unravel(net.place[card.uses[0].target], layer.shape)[0];
  const sums = new Map();
  for (const use of card.uses) {
    const index = unravel(net.place[use.target], layer.shape);
    if (index[0] !== map) return null;
    const cell = net.place[use.target] - map * rows * columns;
    sums.set(cell, (sums.get(cell) ?? 0) + use.product);
  }
  const grid = new Grid({
    shape: [1, rows, columns],
    label: `δ${card.per} by position of ${layer.name}, map ${map}`,
    exists: (cell) => sums.has(cell),
    describe: (cell) => `${nameOf(net, layer.at[map * rows * columns + cell])}: ${number(sums.get(cell), 4)}`,
    pick: (cell) => sums.has(cell) && go.neuron(layer.at[map * rows * columns + cell]),
  });
  grid.layout({ cell: Math.max(3, Math.min(34, Math.floor(Math.min(WIDTH, 240) / Math.max(rows, columns)))) });
  grid.paint({ value: (cell) => sums.get(cell) ?? null, top: Math.max(...[...sums.values()].map(Math.abs)) });
  return h("div", {}, h("p", { class: "small" }, `δ${card.per} by position of ${layer.name}, map ${map}`), grid.element);
}

function copies(card, what) {
  const n = card.uses.length.toLocaleString("en-US");
  if (!card.trainable) return `All ${n} copies of this ${what} stay as they are: it is not trained.`;
  return `Every one of the ${n} copies of this ${what} gets this same sum, not its own part of it; so after the update the copies are still equal: one ${what}, used ${n} times.`;
}

// -- a layer -----------------------------------------------------------------------------------------------------------
export function layerPanel(model, layer, go) {
  const { net, state } = model;
  const neurons = Array.from(layer.at).filter((i) => i >= 0);
  const a = neurons.map((i) => state.a[i]);
  const low = a.reduce((least, value) => Math.min(least, value), Infinity);
  const high = a.reduce((most, value) => Math.max(most, value), -Infinity);
  const facts = [
    `a from ${number(low, 4)} to ${number(high, 4)}`,
    `${a.filter((value) => value === 0).length.toLocaleString("en-US")} of ${counted(a.length, "neuron")} are 0`,
  ];
  return [
    heading(
      layer.name,
      [layer.label, layer.word || layer.kind, layer.activation === "identity" ? "" : layer.activation, times(layer.shape)]
        .filter(Boolean)
        .join(" · "),
    ),
    h("p", { class: "formula" }, facts.join("; ")),
    ...parametersOf(model, layer).map((parameter) => parameterPart(model, layer, parameter, go)),
  ];
}

function parametersOf(model, layer) {
  const { net } = model;
  const slots = new Set();
  for (const i of layer.at) {
    if (i < 0) continue;
    if (net.bias[i] >= 0) slots.add(net.bias[i]);
    for (let e = net.start[i]; e < net.start[i + 1]; e++) if (net.slot[e] >= 0) slots.add(net.slot[e]);
  }
  return net.parameters.filter((parameter) =>
    [...slots].some((slot) => slot >= parameter.slot && slot < parameter.slot + parameter.size),
  );
}

function parameterPart(model, layer, parameter, go) {
  const shape = asMaps(model, layer, parameter);
  const shown = [
    Math.min(shape[0], Math.max(1, Math.floor((MOST_FILTERS * 25) / Math.max(25, shape[1] * shape[2])))),
    shape[1],
    shape[2],
  ];
  const grid = new Grid({
    shape: shown,
    label: `${parameter.name}, ${times(parameter.shape)}`,
    describe: (cell) => `${weightName(model.net, parameter.slot + cell)} = ${number(model.weights[parameter.slot + cell], 4)}`,
    pick: (cell) => go.weight(parameter.slot + cell),
  });
  const [maps, rows, columns] = shown;
  const cell = Math.max(2, Math.min(24, Math.floor(WIDTH / columns / Math.min(maps, 4)) - 1));
  grid.layout({ cell, across: Math.max(1, Math.floor((WIDTH + 6) / (columns * cell + 6))), gap: 6 });
  const values = model.weights.subarray(parameter.slot, parameter.slot + maps * rows * columns);
  const top = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  grid.paint({ value: (k) => values[k], top });
  const rest = shape[0] - maps;
  return h(
    "div",
    {},
    h("h3", {}, parameter.name),
    h(
      "p",
      { class: "small" },
      `${times(parameter.shape)}${parameter.trainable ? "" : ", fixed"} · colour ±${number(top, 3)}${rest ? ` · ${rest.toLocaleString("en-US")} more not drawn` : ""}`,
    ),
    grid.element,
  );
}

// A parameter's array as maps: filters as they are, dense weights in the shape of what they read.
function asMaps(model, layer, parameter) {
  const { shape } = parameter;
  if (shape.length >= 3) return [shape.slice(0, -2).reduce((all, extent) => all * extent, 1), ...shape.slice(-2)];
  if (shape.length < 2) return [1, 1, Math.max(1, shape[0] ?? 1)];
  const first = layer.at.find((i) => i >= 0);
  const source = model.net.layers[model.net.layer[model.net.source[model.net.start[first]]]];
  const fits = source && source.shape.length === 3 && source.size === shape[1];
  return fits ? [shape[0] * source.shape[0], source.shape[1], source.shape[2]] : [shape[0], 1, shape[1]];
}

export const isBiasSlot = (net, slot) => biasedBy(net, slot).length > 0;
