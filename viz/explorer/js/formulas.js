// The sums of a card as a textbook writes them, in the words of the inspector: in symbols, with the numbers put in, and the result.

import { equation, factor, fence, joined, m, mi, mn, mo, row, word } from "./mathml.js";
import { largest, number, total } from "./numbers.js";

const WHOLE = 4; // sums of so many terms are written whole; longer ones keep fewer
const SHORT = 3;
const DIGITS = 5;
const n = (value) => number(value, DIGITS);

export const FORMULAS = {
  input: "given",
  constant: "a fixed padding value",
  weighted: "Σ w·a",
  sum: "Σ a",
  mean: "Σ a / n",
  max: "the largest a of the window",
  l2: "√Σ a²",
  rbf: "Σ (a − w)²",
};
export const PRODUCTS = { weighted: "w·a", sum: "a", mean: "a/n", max: "a", l2: "a²", rbf: "(a−w)²" };
const KIND_WORDS = {
  input: "input",
  weighted: "weighted neuron",
  max: "max pooling neuron",
  mean: "mean pooling neuron",
  constant: "padding",
};

export function titleOf(card) {
  const kind = KIND_WORDS[card.kind] ?? `${card.kind} neuron`;
  return card.activation === "identity" ? kind : `${kind}, ${card.activation}`;
}

// How a weight is written in a sum: w[0,1] where all are of one parameter, else its name.
function symbolOf(rows) {
  const names = rows.map((term) => term.weight).filter((name) => name !== null);
  const owners = new Set(names.map((name) => (name.includes("[") ? name.slice(0, name.lastIndexOf("[")) : "")));
  const [owner] = owners;
  if (names.length < 2 || owners.size !== 1 || owner === "") return [(name) => word(name), ""];
  return [(name) => row(mi("w"), word(name.slice(owner.length))), `w is ${owner}`];
}

function sums(rows, written, scale = 1) {
  if (!rows.length) return [mn("0"), mn("0")];
  const [shown, rest] = largest(rows, (term) => term.product, rows.length <= WHOLE ? rows.length : SHORT);
  const parts = shown.map(written);
  const [symbols, numbers] = [parts.map((part) => part[0]), parts.map((part) => part[1])];
  if (rest.length) {
    symbols.push(m("mtext", `${rest.length.toLocaleString("en-US")} more`));
    numbers.push(factor(n(scale * total(rest.map((term) => term.product)))));
  }
  return [joined(symbols, "+"), joined(numbers, "+")];
}

export function equationOfZ(card) {
  if (card.kind === "max") return equationOfMax(card);
  const [weight, where] = symbolOf(card.terms);
  const written = (term) => {
    const [a, w] = [factor(n(term.a)), term.w === null ? null : factor(n(term.w))];
    if (card.kind === "rbf")
      return [squared(row(word(term.name), mo("−"), weight(term.weight))), squared(row(mn(n(term.a)), mo("−"), w))];
    if (card.kind === "l2") return [m("msup", word(term.name), mn("2")), m("msup", row(a), mn("2"))];
    return w === null ? [word(term.name), a] : [row(weight(term.weight), mo("·"), word(term.name)), row(w, mo("·"), a)];
  };
  let [symbols, numbers] = sums(card.terms, written, card.kind === "mean" ? card.divisor : 1);
  if (card.kind === "l2") [symbols, numbers] = [m("msqrt", symbols), m("msqrt", numbers)];
  if (card.kind === "mean") [symbols, numbers] = [symbols, numbers].map((side) => m("mfrac", side, mn(n(card.divisor))));
  if (card.bias) {
    symbols = row(symbols, mo("+"), word(card.bias.name));
    numbers = row(numbers, mo("+"), factor(n(card.bias.value)));
  }
  return [equation(mi("z"), [symbols, numbers, mn(number(card.z))]), where];
}

const squared = (inner) => m("msup", row(fence("("), inner, fence(")")), mn("2"));

function equationOfMax(card) {
  const shown = card.terms.length <= 2 * WHOLE + 1 ? card.terms : card.terms.toSorted((s, t) => t.a - s.a).slice(0, SHORT);
  const more = card.terms.length - shown.length;
  const listed = (parts) =>
    row(mi("max"), fence("("), joined(more ? [...parts, m("mtext", `${more} more`)] : parts, ","), fence(")"));
  return [
    equation(mi("z"), [
      listed(shown.map((term) => word(term.name))),
      listed(shown.map((term) => mn(n(term.a)))),
      mn(number(card.z)),
    ]),
    "",
  ];
}

export function equationOfA(card) {
  if (card.activation === "identity") return equation(mi("a"), [row(mi("z"), mo("="), mn(number(card.a)))]);
  return equation(mi("a"), [
    row(
      mi("f"),
      fence("("),
      mi("z"),
      fence(")"),
      mo("="),
      word(card.activation),
      fence("("),
      mn(number(card.z)),
      fence(")"),
      mo("="),
      mn(number(card.a)),
    ),
  ]);
}

export function equationOfDelta(card) {
  const [weight, where] = symbolOf(card.fanOut);
  const written = (edge) => {
    const delta = factor(n(edge.delta));
    if (edge.w !== null && edge.product === edge.delta * edge.w)
      return [row(weight(edge.weight), mo("·"), deltaOf(edge.name)), row(factor(n(edge.w)), mo("·"), delta)];
    if (edge.product === edge.delta) return [deltaOf(edge.name), delta];
    return [
      row(slope("z", "a"), mo("·"), deltaOf(edge.name)),
      row(factor(n(edge.delta ? edge.product / edge.delta : 0)), mo("·"), delta),
    ];
  };
  let [symbols, numbers] = sums(card.fanOut, written);
  if (card.slope !== null && card.kind !== "input" && card.activation !== "identity") {
    const several = card.fanOut.length > 1;
    const wrap = (side) => (several ? row(fence("("), side, fence(")")) : side);
    symbols = row(m("msup", mi("f"), mo("′")), fence("("), mi("z"), fence(")"), mo("·"), wrap(symbols));
    numbers = row(mn(n(card.slope)), mo("·"), wrap(numbers));
  }
  if (card.fromLoss) {
    symbols = row(m("mtext", "δ from the loss"), mo("+"), symbols);
    numbers = row(mn(n(card.fromLoss.value)), mo("+"), numbers);
  }
  return [equation(mi("δ"), [symbols, numbers, mn(number(card.delta))]), where];
}

const deltaOf = (name) => row(mi("δ"), fence("("), word(name), fence(")"));
const slope = (above, below) => m("mfrac", row(mo("∂"), mi(above)), row(mo("∂"), mi(below)));

export function equationOfGradient(card) {
  const name = card.isBias ? mi("b") : mi("w");
  const slopeOrA = card.per === "·a" ? mi("a") : slope("z", "w");
  const use = card.isBias ? mi("δ") : row(mi("δ"), mo("·"), slopeOrA);
  const left = m("mfrac", row(mo("∂"), mi("E")), row(mo("∂"), name));
  const written = (one) => [
    mi("δ"),
    card.isBias
      ? factor(n(one.delta))
      : row(factor(n(one.delta)), mo("·"), factor(n(one.delta ? one.product / one.delta : one.a))),
  ];
  const [, numbers] = sums(card.uses, written);
  const sigma = m("munder", mo("Σ"), m("mtext", card.isBias ? "neurons" : "uses"));
  return equation(left, [row(sigma, use), numbers, mn(number(card.gradient))]);
}
