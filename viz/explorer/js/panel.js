// The card of a neuron: what it sees, the sum behind its z, the sum behind its δ; in the words of the inspector.

import { neuronCard } from "./cards.js";
import { button, h } from "./elements.js";
import { equationOfA, equationOfDelta, equationOfZ, FORMULAS, PRODUCTS, titleOf } from "./formulas.js";
import { Grid } from "./grid.js";
import { nameOf, unravel } from "./network.js";
import { counted, largest, number, total } from "./numbers.js";

const ROWS = 12;
const CHANNELS = 3;
const WIDTH = 328; // pixels of a card's inside

// go.neuron(i), go.weight(slot): what is opened from here. go.input(port, place, value): a pixel is changed.
export function neuronPanel(model, i, go) {
  const card = neuronCard(model, i);
  return [
    heading(card.name, titleOf(card)),
    numbers(card),
    card.feed ? inputField(card, go) : null,
    ...sees(model, card, go),
    ...forwardPart(card, go),
    ...backwardPart(card, go),
  ];
}

export function heading(name, about) {
  return h("header", { class: "cardhead" }, h("h2", { tabindex: "-1" }, name), h("p", {}, about));
}

function numbers(card) {
  const chip = (symbol, value) =>
    h(
      "div",
      { class: "chip" },
      h("dt", {}, symbol),
      h("dd", { "data-value": value ?? "" }, value === null ? "–" : chipText(value)),
    );
  return h("dl", { class: "chips" }, chip("z", card.z), chip("a", card.a), chip("δ", card.delta));
}

// As many digits as a chip has room for.
function chipText(value) {
  const texts = [6, 5, 4, 3].map((digits) => number(value, digits));
  return texts.find((text) => text.length <= 8) ?? texts.at(-1);
}

function inputField(card, go) {
  const [port, place] = card.feed;
  const field = h("input", {
    type: "number",
    step: "any",
    value: written(card.a),
    id: "edit",
    oninput: (event) => change(event, (value) => go.input(port, place, value)),
  });
  return h("div", { class: "field" }, h("label", { for: "edit" }, "given: a = "), field);
}

// As a field shows it: nine digits.
export const written = (value) => String(Number(value.toPrecision(9)));

export function change(event, set) {
  const value = event.target.valueAsNumber;
  if (Number.isFinite(value)) set(value);
}

// -- z and a -----------------------------------------------------------------------------------------------------------
function forwardPart(card, go) {
  if (card.kind === "input" || card.kind === "constant")
    return [h("p", { class: "formula" }, card.kind === "input" ? `a = ${number(card.a)} (given)` : FORMULAS.constant)];
  const [math, where] = equationOfZ(card);
  return [
    h("h3", {}, "Forward"),
    h("p", { class: "formula" }, `z = ${FORMULAS[card.kind]}${card.bias ? " + bias" : ""}`),
    scrolled("the sum behind z", math),
    where ? h("p", { class: "small" }, `where ${where}`) : null,
    scrolled("the activation", equationOfA(card)),
    tie(card),
    card.terms.length ? termsTable(card, go) : null,
    card.bias
      ? h("p", { class: "small" }, "bias ", weightButton(card.bias.name, card.bias.slot, go), ` = ${number(card.bias.value)}`)
      : null,
  ];
}

function tie(card) {
  if (card.ties.length < 2) return null;
  return h(
    "p",
    { class: "small" },
    `${card.ties.length} neurons share the maximum; the first in order, ${card.ties[0].name}, wins and alone gets the δ`,
  );
}

function termsTable(card, go) {
  const winner = card.winner === null ? null : card.terms[card.winner];
  let [shown, rest] = largest(card.terms, (term) => term.product, ROWS);
  if (winner && rest.includes(winner))
    [shown, rest] = [
      [...shown.slice(0, -1), winner],
      [...rest.filter((term) => term !== winner), shown.at(-1)],
    ];
  const weighted = card.terms.some((term) => term.w !== null);
  const parts = card.kind === "max" ? [] : [...card.terms.map((term) => term.product), ...(card.bias ? [card.bias.value] : [])];
  const shares = sharesOf(
    shown.map((term) => term.product),
    parts,
  );
  const heads = [
    "source",
    "a",
    ...(weighted ? ["w"] : []),
    ...(["max", "sum"].includes(card.kind) ? [] : [PRODUCTS[card.kind]]),
    ...(shares ? [card.kind === "l2" ? "of Σ" : "of z"] : []),
  ];
  const rows = shown.map((term, k) => [
    button(term.name, () => go.neuron(term.neuron), { class: "link" }),
    number(term.a, 4),
    ...(weighted ? [term.w === null ? "–" : weightButton(number(term.w, 4), term.slot, go, term.weight)] : []),
    ...(["max", "sum"].includes(card.kind) ? [] : [number(term.product, 4)]),
    ...(shares ? [shares[k]] : []),
  ]);
  const wins = winner ? shown.indexOf(winner) : -1;
  return table("the terms of z", heads, rows, leftOut(rest, "in-edge", card.kind !== "max"), wins);
}

function weightButton(text, slot, go, name = text) {
  return button(text, () => go.weight(slot), {
    class: "link weight",
    "aria-label": name === text ? null : `${name} = ${text}`,
    title: name,
  });
}

// -- δ -----------------------------------------------------------------------------------------------------------------
function backwardPart(card, go) {
  if (card.kind === "constant")
    return [
      h(
        "p",
        { class: "small" },
        "A place over the border, where windows see a fixed number. It is never trained, and no δ is handed to it.",
      ),
    ];
  const head = h("h3", {}, "Backward");
  if (card.delta === null) return [head, h("p", { class: "small" }, "δ: not asked for; choose a target.")];
  const parts = [head];
  if (card.fromLoss) {
    parts.push(h("p", { class: "formula" }, `δ from the loss = ${card.fromLoss.formula}`));
    parts.push(h("p", { class: "formula detail" }, `= ${card.fromLoss.numbers} = ${number(card.fromLoss.value)}`));
  }
  if (card.fanOut.length) parts.push(...handedBack(card, go));
  if (!card.fanOut.length && !card.fromLoss)
    parts.push(h("p", { class: "small" }, "nobody reads this neuron, and no loss does: δ = 0"));
  if (!card.fanOut.length) parts.push(h("p", { class: "formula" }, `δ = ${number(card.delta)}`));
  return parts;
}

function handedBack(card, go) {
  const partial = card.fanOut.every((edge) => edge.w !== null) ? "w" : "∂z(target)/∂a";
  const [math, where] = equationOfDelta(card);
  const slope =
    card.slope !== null && card.kind !== "input" && card.activation !== "identity"
      ? h("p", { class: "formula detail" }, `f′(z) = ${card.activation}′(${number(card.z)}) = ${number(card.slope)}`)
      : null;
  return [
    h(
      "p",
      { class: "formula" },
      `δ = ${card.fromLoss ? "from the loss + " : ""}${card.kind === "input" ? "" : "f′(z) · "}Σ δ(target)·${partial}`,
    ),
    slope,
    scrolled("the sum behind δ", math),
    where ? h("p", { class: "small" }, `where ${where}`) : null,
    fanOutTable(card, go),
  ];
}

function fanOutTable(card, go) {
  const [shown, rest] = largest(card.fanOut, (edge) => edge.product, ROWS);
  const weighted = card.fanOut.some((edge) => edge.w !== null);
  const shares = sharesOf(
    shown.map((edge) => edge.product),
    card.fanOut.map((edge) => edge.product),
  );
  const heads = ["target", "δ", ...(weighted ? ["w"] : []), "product", ...(shares ? ["of Σ"] : [])];
  const rows = shown.map((edge, k) => [
    button(edge.name, () => go.neuron(edge.neuron), { class: "link" }),
    number(edge.delta, 4),
    ...(weighted ? [edge.w === null ? "–" : weightButton(number(edge.w, 4), edge.slot, go, edge.weight)] : []),
    number(edge.product, 4),
    ...(shares ? [shares[k]] : []),
  ]);
  return table("the terms of δ", heads, rows, leftOut(rest, "out-edge", true));
}

// -- tables ------------------------------------------------------------------------------------------------------------
export function table(caption, heads, rows, rest = null, noted = -1) {
  const made = h(
    "table",
    {},
    h("caption", {}, caption),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        heads.map((head) => h("th", { scope: "col" }, head)),
      ),
    ),
    h(
      "tbody",
      {},
      rows.map((cells, k) => tableRow(cells, k === noted)),
    ),
  );
  return h("div", {}, scrolled(caption, made), rest ? h("p", { class: "small" }, rest) : null);
}

function tableRow([first, ...others], noted) {
  return h(
    "tr",
    noted ? { class: "noted" } : {},
    h("th", { scope: "row" }, first),
    others.map((cell) => h("td", {}, cell)),
    noted ? h("td", { class: "note" }, "← wins") : null,
  );
}

export const scrolled = (label, inner) => h("div", { class: "wide", role: "region", "aria-label": label, tabindex: "0" }, inner);

// One line that counts what a shortened table leaves out.
export function leftOut(rest, what, add) {
  if (!rest.length) return null;
  const zero = rest.filter((one) => one.product === 0).length;
  if (zero === rest.length) return `… and ${counted(rest.length, `more ${what}`)}, ${zero > 1 ? "each" : "it"} exactly 0`;
  const note = add ? `, together ${number(total(rest.map((one) => one.product)), 5)}` : "";
  return `… and ${counted(rest.length, `smaller ${what}`)}${note}${zero ? ` (${zero.toLocaleString("en-US")} of them exactly 0)` : ""}`;
}

// Each product's share of a sum, in per cent; null where next to nothing is left of it.
function sharesOf(products, of) {
  const [whole, size] = [total(of), total(of.map(Math.abs))];
  if (of.length < 2 || !Number.isFinite(size) || Math.abs(whole) * 1e9 <= size) return null;
  return products.map((value) => (value === 0 ? "0" : `${((100 * value) / whole).toFixed(1)}%`).replace("-", "−"));
}

// -- what it sees ------------------------------------------------------------------------------------------------------
// The window of a neuron as pictures: what it reads, its weights, their products; a row a map.
function sees(model, card, go) {
  const patches = patchesOf(model, card.terms);
  if (!patches) return [];
  const ranked = patches.toSorted((p, q) => q.size - p.size).slice(0, CHANNELS);
  const shown = patches.filter((patch) => ranked.includes(patch));
  const weighted = card.terms.every((term) => term.w !== null);
  const tops = { a: topOf(card.terms, "a"), w: topOf(card.terms, "w"), product: topOf(card.terms, "product") };
  const columns = weighted ? ["a", "w", "product"] : ["a"];
  const heads = { a: "what it sees: a", w: "its weights: w", product: PRODUCTS[card.kind] };
  const more = patches.length - shown.length;
  return [
    h(
      "div",
      { class: "patches", style: null },
      columns.map((what) => h("p", { class: "small" }, heads[what])),
      shown.flatMap((patch) => columns.map((what) => patchGrid(patch, what, tops[what], columns.length, go))),
    ),
    h(
      "p",
      { class: "small" },
      `${shown.map((patch) => patch.title).join(", ")}${more ? `; ${counted(more, "more map")} in the table` : ""}`,
    ),
  ].map((part) => {
    if (part.classList.contains("patches")) part.style.gridTemplateColumns = `repeat(${columns.length}, max-content)`;
    return part;
  });
}

const topOf = (terms, what) => terms.reduce((top, term) => Math.max(top, Math.abs(term[what] ?? 0)), 0);

function patchesOf(model, terms) {
  const { net } = model;
  const found = new Map();
  for (const term of terms) {
    const layer = net.layer[term.neuron] < 0 ? null : net.layers[net.layer[term.neuron]];
    if (!layer || layer.shape.length < 2) continue;
    const index = unravel(net.place[term.neuron], layer.shape);
    const [map, y, x] = layer.shape.length === 3 ? index : [index[0], 0, index[1]];
    const key = `${layer.number} ${map}`;
    if (!found.has(key)) found.set(key, { title: `${layer.name}, map ${map}`, cells: [], size: 0 });
    found.get(key).cells.push({ y, x, term });
    found.get(key).size += Math.abs(term.product);
  }
  return found.size ? [...found.values()] : null;
}

function patchGrid(patch, what, top, beside, go) {
  const [ys, xs] = [patch.cells.map((cell) => cell.y), patch.cells.map((cell) => cell.x)];
  const [y0, x0] = [Math.min(...ys), Math.min(...xs)];
  const [rows, columns] = [Math.max(...ys) - y0 + 1, Math.max(...xs) - x0 + 1];
  const at = new Map(patch.cells.map((cell) => [(cell.y - y0) * columns + cell.x - x0, cell.term]));
  const grid = new Grid({
    shape: [1, rows, columns],
    label: `${patch.title}: ${what}`,
    exists: (cell) => at.has(cell),
    describe: (cell) =>
      what === "w"
        ? `${at.get(cell).weight} = ${number(at.get(cell).w, 4)}`
        : `${at.get(cell).name}, ${what === "a" ? "a" : "product"} = ${number(at.get(cell)[what], 4)}`,
    pick: (cell) => at.has(cell) && (what === "w" ? go.weight(at.get(cell).slot) : go.neuron(at.get(cell).neuron)),
  });
  grid.element.dataset.what = what;
  grid.layout({ cell: Math.max(3, Math.min(38, Math.floor((WIDTH - 24) / beside / Math.max(columns, rows)))) });
  grid.paint({ value: (cell) => at.get(cell)?.[what] ?? 0, top });
  return grid.element;
}

export const nameFor = (model, i) => nameOf(model.net, i);
