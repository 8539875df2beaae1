// The stage: the whole network as planes of neurons, column by column, and what is lit up on it.

import { blocksOf, fit } from "./arrange.js";
import { button, fill, find, h } from "./elements.js";
import { Grid } from "./grid.js";
import { KINDS, nameOf, RBF } from "./network.js";
import { number, short, times } from "./numbers.js";
import { paintOverlay } from "./overlay.js";

const BETWEEN = 28; // pixels from column to column

export class Stage {
  // pick(neuron) and pickLayer(layer) are told what was chosen; hover(neuron or null) what is pointed at.
  constructor(model, { pick, pickLayer, hover }) {
    Object.assign(this, { model, pick, pickLayer, hover });
    this.view = "a";
    this.shown = null; // neuron → whether its number is known yet; null: all are
    this.selection = null;
    this.blocks = blocksOf(model.net);
    this.home = new Int32Array(model.net.n).fill(-1); // neuron → block
    this.seat = new Int32Array(model.net.n);
    this.blocks.forEach((block, b) =>
      block.cells.forEach((i, cell) => {
        if (i < 0) return;
        this.home[i] = b;
        this.seat[i] = cell;
      }),
    );
    this.board = find("board");
    this.scroll = find("scroll");
    this.overlay = h("canvas", { class: "overlay", "aria-hidden": "true" });
  }

  // -- building ----------------------------------------------------------------------------------------------------------
  build() {
    const phone = innerWidth < 700;
    const room = this.scroll.clientWidth - 40;
    const columns = new Set(this.blocks.map((block) => block.depth)).size;
    const width = Math.max(room, columns > 3 ? 96 * columns : 290);
    const height = phone ? 400 : Math.max(360, this.scroll.clientHeight - 26);
    const between = phone ? BETWEEN - 6 : this.blocks.every((block) => block.nodes) ? 4 * BETWEEN : BETWEEN;
    const sizes = fit(this.blocks, width, height, between);
    const depths = [...new Set(this.blocks.map((block) => block.depth))].sort((p, q) => p - q);
    this.board.style.columnGap = `${between}px`;
    fill(
      this.board,
      depths.map((depth) => this.column(depth, sizes)),
      this.overlay,
    );
  }

  column(depth, sizes) {
    const mine = this.blocks.filter((block) => block.depth === depth);
    return h(
      "div",
      { class: "column" },
      mine.map((block) => this.block(block, sizes.get(block))),
    );
  }

  block(block, options) {
    block.grid = this.gridOf(block, options);
    block.grid.layout(options);
    block.scaleText = h("p", { class: "scale" }, "\u00a0");
    const title = block.layer
      ? button(block.title, () => this.pickLayer(block.layer), { class: "title", title: `${block.title}: open the layer's card` })
      : null;
    const about = block.layer ? h("p", { class: "shape" }, times(block.layer.shape)) : null;
    const more = block.more ? h("p", { class: "more" }, block.more) : null;
    return h(
      "div",
      { class: block.nodes ? "block nodes" : "block" },
      h("div", { class: "head" }, title, about),
      block.grid.element,
      more,
      block.scaleText,
    );
  }

  gridOf(block, options) {
    return new Grid({
      shape: options.shape ?? block.shape,
      label: `${block.title || "neurons"}: ${block.layer ? times(block.layer.shape) : block.cells.length} neurons`,
      describe: (cell) => this.describe(block.cells[cell]),
      exists: (cell) => cell < block.cells.length && block.cells[cell] >= 0,
      pick: (cell) => this.pick(block.cells[cell]),
      hover: (cell) => this.hover(cell === null ? null : block.cells[cell]),
    });
  }

  describe(i) {
    const { z, a, delta } = this.model.state;
    if (this.shown && !this.shown(i)) return `${nameOf(this.model.net, i)}, not computed yet`;
    const parts = [`${nameOf(this.model.net, i)}: a = ${number(a[i], 4)}`, `z = ${number(z[i], 4)}`];
    if (this.model.hasDelta) parts.push(`δ = ${number(delta[i], 4)}`);
    return parts.join(", ");
  }

  // Where the planes are, so that lines can be drawn between them.
  measure() {
    const board = this.board.getBoundingClientRect();
    for (const block of this.blocks) {
      const box = block.grid.element.getBoundingClientRect();
      Object.assign(block, { left: box.left - board.left, top: box.top - board.top });
    }
    const [width, height] = [this.board.scrollWidth, this.board.scrollHeight];
    if (this.overlay.style.width === `${width}px` && this.overlay.style.height === `${height}px`) return;
    const scale = devicePixelRatio || 1;
    Object.assign(this.overlay, { width: width * scale, height: height * scale });
    Object.assign(this.overlay.style, { width: `${width}px`, height: `${height}px` });
  }

  // -- painting ----------------------------------------------------------------------------------------------------------
  valueOf(i) {
    const { view, model } = this;
    if (this.shown && !this.shown(i)) return null;
    if (view === "delta" && !model.hasDelta) return null;
    return model.state[view][i];
  }

  paint() {
    for (const block of this.blocks) this.paintBlock(block);
    this.measure();
  }

  paintBlock(block) {
    const top = this.topOf(block);
    block.scale = top;
    const beside = block.head && (block.lines || block.nodes) ? this.besideOf(block) : null;
    block.grid.paint({
      value: (cell) => this.valueOf(block.cells[cell]),
      top,
      names: block.nodes ? (cell) => (block.single ? nameOf(this.model.net, block.cells[cell]) : String(cell)) : null,
      beside: beside && ((cell) => beside(block.cells[cell])),
    });
    const known = block.cells.some((i) => i >= 0 && this.valueOf(i) !== null);
    block.scaleText.textContent = known && !block.nodes ? `±${short(top, 2)}` : "\u00a0";
  }

  // The end of a block's colour scale: its largest number in absolute size. Single neurons at one depth share one.
  topOf(block) {
    let top = 0;
    for (const i of block.cells) {
      const value = i < 0 ? null : this.valueOf(i);
      if (value !== null && Math.abs(value) > top && Number.isFinite(value)) top = Math.abs(value);
    }
    return top;
  }

  // What stands beside an output: its class, its probability where it has one, and how long its bar is.
  besideOf(block) {
    const { net, state } = this.model;
    const { head } = block;
    const label = this.model.label();
    const shares = this.model.shares(head);
    return (i) => {
      const k = head.neurons.indexOf(i);
      if (k < 0 || this.valueOf(i) === null || (block.nodes && !shares)) return null;
      const text = shares ? `${(100 * shares[k]).toFixed(1)} %` : number(this.valueOf(i), 3);
      const named =
        head.layer === null || block.nodes || head.neurons.length === 1 ? text : `${this.model.className(k)}   ${text}`;
      return { text: named, share: shares ? shares[k] : null, strong: head.neurons.length > 1 && label === k };
    };
  }

  // -- what is lit up ----------------------------------------------------------------------------------------------------
  light() {
    paintOverlay(this);
  }

  select(selection) {
    this.selection = selection;
    this.light();
  }

  // The middle of a neuron's cell on the board; null where it is not drawn.
  centre(i) {
    if (this.home[i] < 0) return null;
    const block = this.blocks[this.home[i]];
    const [x, y] = block.grid.centre(this.seat[i]);
    return [block.left + x, block.top + y];
  }

  reveal(i) {
    if (this.home[i] < 0) return;
    const block = this.blocks[this.home[i]];
    block.grid.move(this.seat[i]);
    const [x] = this.centre(i);
    const { scrollLeft, clientWidth } = this.scroll;
    if (x < scrollLeft + 20 || x > scrollLeft + clientWidth - 20) this.scroll.scrollLeft = x - clientWidth / 2;
  }

  focus(i) {
    if (this.home[i] < 0) return;
    this.reveal(i);
    this.blocks[this.home[i]].grid.cursor.focus({ preventScroll: true });
  }
}

export const isDistance = (net, i) => KINDS[net.kind[i]] === KINDS[RBF];
