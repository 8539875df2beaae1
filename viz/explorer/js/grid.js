// A plane of cells on a canvas, with one cell of it in the document: the one that has, or had, the keyboard. It moves with the
// arrow keys (roving), says its name and numbers to a screen reader, and is where the focus ring is seen.

import { colourOf, css, inkOn, styled, themeNow } from "./colours.js";
import { h } from "./elements.js";
import { short } from "./numbers.js";

const BAR_FROM = 20; // pixels of a cell that has room for a bar below its text
const NUMBERS_FROM = 24; // pixels of a cell in which a number can be read

export class Grid {
  // shape: [maps, rows, columns]. describe(cell) is what a cell is called aloud; pick(cell) and hover(cell or null) are told.
  constructor({ shape, label, describe, pick, hover = () => {}, exists = () => true }) {
    Object.assign(this, { shape, describe, pick, hover, exists });
    this.n = shape[0] * shape[1] * shape[2];
    this.at = 0;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.cursor = h("div", { role: "gridcell", tabindex: "0", class: "cursor" });
    this.element = h(
      "div",
      { role: "grid", class: "grid", "aria-label": label, "aria-rowcount": shape[0] * shape[1], "aria-colcount": shape[2] },
      this.canvas,
      h("div", { role: "row" }, this.cursor),
    );
    this.cursor.addEventListener("keydown", (event) => this.key(event));
    this.cursor.addEventListener("focus", () => this.told());
    this.cursor.addEventListener("click", () => this.pick(this.at));
    this.canvas.addEventListener("pointermove", (event) => this.hover(this.cellAt(event)));
    this.canvas.addEventListener("pointerleave", () => this.hover(null));
    this.canvas.addEventListener("click", (event) => this.clicked(event));
  }

  // across: maps side by side; cell: pixels of a cell; space: between cells; gap: between maps; margins for words around.
  layout({ across = 1, cell, space = 0, gap = 6, round = false, left = 0, right = 0, above = 0 }) {
    const [maps, rows, columns] = this.shape;
    Object.assign(this, { across, cell, space, gap, round, left, right, above, pitch: cell + space });
    this.width = Math.min(across, maps) * (columns * this.pitch - space + gap) - gap + left + right;
    this.height = Math.ceil(maps / across) * (rows * this.pitch - space + gap) - gap + above;
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.ceil(this.width * scale);
    this.canvas.height = Math.ceil(this.height * scale);
    Object.assign(this.canvas.style, { width: `${this.width}px`, height: `${this.height}px` });
    Object.assign(this.element.style, { width: `${this.width}px`, height: `${this.height}px` });
    this.place();
  }

  where(cell) {
    const [, rows, columns] = this.shape;
    const map = Math.floor(cell / (rows * columns));
    const [y, x] = [Math.floor(cell / columns) % rows, cell % columns];
    return {
      map,
      x,
      y,
      left: this.left + (map % this.across) * (columns * this.pitch - this.space + this.gap) + x * this.pitch,
      top: this.above + Math.floor(map / this.across) * (rows * this.pitch - this.space + this.gap) + y * this.pitch,
    };
  }

  centre(cell) {
    const { left, top } = this.where(cell);
    return [left + this.cell / 2, top + this.cell / 2];
  }

  // The cell under a pointer, or the nearest to it.
  cellAt(event) {
    const [, rows, columns] = this.shape;
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left - this.left, event.clientY - box.top - this.above];
    const [mapWidth, mapHeight] = [columns * this.pitch - this.space + this.gap, rows * this.pitch - this.space + this.gap];
    const column = clamp(Math.floor(x / mapWidth), 0, Math.min(this.across, this.shape[0]) - 1);
    const map = clamp(Math.floor(y / mapHeight), 0, Math.ceil(this.shape[0] / this.across) - 1) * this.across + column;
    if (map >= this.shape[0]) return null;
    const inner = (value, extent) => clamp(Math.floor(value / this.pitch), 0, extent - 1);
    const cell =
      (map * rows + inner(y - Math.floor(map / this.across) * mapHeight, rows)) * columns + inner(x - column * mapWidth, columns);
    return this.exists(cell) ? cell : null;
  }

  clicked(event) {
    const cell = this.cellAt(event);
    if (cell === null) return;
    this.move(cell);
    this.cursor.focus({ preventScroll: true });
    this.pick(cell);
  }

  // -- the keyboard ------------------------------------------------------------------------------------------------------
  key(event) {
    if (event.altKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.pick(this.at);
      return;
    }
    const to = this.next(event.key, event.ctrlKey);
    if (to === null) return;
    event.preventDefault();
    this.move(clamp(to, 0, this.n - 1));
    this.cursor.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.told();
  }

  next(key, whole) {
    const [maps, rows, columns] = this.shape;
    const { map, x, y } = this.where(this.at);
    const size = rows * columns;
    const beside = (to, column) => (to >= 0 && to < maps ? to * size + y * columns + column : this.at);
    const below = (to, line) => (to >= 0 && to < maps ? to * size + line * columns + x : this.at);
    switch (key) {
      case "ArrowRight":
        return x + 1 < columns ? this.at + 1 : beside(map % this.across < this.across - 1 ? map + 1 : -1, 0);
      case "ArrowLeft":
        return x > 0 ? this.at - 1 : beside(map % this.across > 0 ? map - 1 : -1, columns - 1);
      case "ArrowDown":
        return y + 1 < rows ? this.at + columns : below(map + this.across, 0);
      case "ArrowUp":
        return y > 0 ? this.at - columns : below(map - this.across, rows - 1);
      case "PageDown":
        return map + 1 < maps ? this.at + size : null;
      case "PageUp":
        return map > 0 ? this.at - size : null;
      case "Home":
        return whole ? 0 : this.at - x;
      case "End":
        return whole ? this.n - 1 : this.at - x + columns - 1;
      default:
        return null;
    }
  }

  move(cell) {
    this.at = cell;
    this.place();
  }

  // Where the cursor stands, and what it is called.
  place() {
    const { left, top, map, x, y } = this.where(this.at);
    Object.assign(this.cursor.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${this.cell}px`,
      height: `${this.cell}px`,
      borderRadius: this.round ? "50%" : "",
    });
    this.cursor.setAttribute("aria-rowindex", map * this.shape[1] + y + 1);
    this.cursor.setAttribute("aria-colindex", x + 1);
    this.named();
  }

  named() {
    this.cursor.setAttribute("aria-label", this.exists(this.at) ? this.describe(this.at) : "no neuron");
  }

  told() {
    this.named();
    this.hover(this.exists(this.at) ? this.at : null);
  }

  // -- painting ----------------------------------------------------------------------------------------------------------
  // value(cell) is a number, or null where it is not shown yet. names(cell): written above; beside(cell): {text, share, strong}.
  paint({ value, top, names = null, beside = null }) {
    const context = this.canvas.getContext("2d");
    const scale = devicePixelRatio || 1;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const theme = themeNow();
    const ink = { hidden: styled("--hidden"), line: styled("--line"), text: styled("--ink"), soft: styled("--soft") };
    if (this.cell < NUMBERS_FROM && !this.round) this.paintMaps(context, value, top, theme, ink);
    else
      for (let cell = 0; cell < this.n; cell++)
        if (this.exists(cell)) this.paintCell(context, cell, value(cell), top, theme, ink);
    for (let cell = 0; cell < this.n && (names || beside); cell++) {
      if (names)
        this.write(context, names(cell), this.centre(cell)[0], this.where(cell).top - 10, {
          align: "center",
          colour: ink.text,
          weight: 600,
          most: this.cell + 2 * this.left,
        });
      if (beside) this.paintBeside(context, cell, beside(cell), ink);
    }
    this.named();
  }

  // Small cells: an image a map, of one pixel a cell.
  paintMaps(context, value, top, theme, ink) {
    const [maps, rows, columns] = this.shape;
    const small = document.createElement("canvas");
    Object.assign(small, { width: columns, height: rows });
    const pen = small.getContext("2d");
    const image = pen.createImageData(columns, rows);
    context.imageSmoothingEnabled = false;
    for (let map = 0; map < maps; map++) {
      for (let k = 0; k < rows * columns; k++) {
        const cell = map * rows * columns + k;
        const number = this.exists(cell) ? value(cell) : undefined;
        const [r, g, b] = number === null || number === undefined ? [0, 0, 0] : colourOf(number, top, theme);
        image.data.set([r, g, b, number === null || number === undefined ? 0 : 255], 4 * k);
      }
      pen.putImageData(image, 0, 0);
      const { left, top: up } = this.where(map * rows * columns);
      const [width, height] = [columns * this.pitch, rows * this.pitch];
      context.fillStyle = ink.hidden;
      context.fillRect(left, up, width, height);
      context.drawImage(small, left, up, width, height);
      context.strokeStyle = ink.line;
      context.lineWidth = 1;
      context.strokeRect(left + 0.5, up + 0.5, width - 1, height - 1);
    }
  }

  paintCell(context, cell, number, top, theme, ink) {
    const { left, top: up } = this.where(cell);
    const hidden = number === null;
    const colour = hidden ? null : colourOf(number, top, theme);
    context.beginPath();
    if (this.round) context.arc(left + this.cell / 2, up + this.cell / 2, this.cell / 2 - 1, 0, 2 * Math.PI);
    else context.rect(left + 0.5, up + 0.5, this.cell - 1, this.cell - 1);
    context.fillStyle = hidden ? ink.hidden : css(colour);
    context.fill();
    context.strokeStyle = this.round ? ink.soft : ink.line;
    context.lineWidth = this.round ? 1.5 : 1;
    context.stroke();
    if (hidden) return;
    const size = Math.max(10, Math.min(this.cell * 0.31, 19));
    this.write(context, short(number, this.cell > 44 ? 3 : 2), ...this.centre(cell), {
      align: "center",
      colour: inkOn(colour),
      size,
      most: this.cell - 4,
    });
  }

  paintBeside(context, cell, told, ink) {
    if (!told) return;
    const { left, top } = this.where(cell);
    const [x, y] = [left + this.cell + 10, top + this.cell / 2];
    const room = this.right - 12;
    const hasBar = told.share !== null && this.cell >= BAR_FROM;
    this.write(context, told.text, x, hasBar ? y - 3 : y, {
      colour: told.strong ? styled("--accent") : ink.text,
      weight: told.strong ? 700 : 400,
      size: Math.min(14, Math.max(9, this.cell)),
      most: room,
    });
    if (!hasBar) return;
    context.fillStyle = ink.hidden;
    context.fillRect(x, y + 6, room, 4);
    context.fillStyle = styled("--accent");
    context.fillRect(x, y + 6, room * clamp(told.share, 0, 1), 4);
  }

  write(context, text, x, y, { align = "left", colour, size = 13, weight = 500, most }) {
    context.font = `${weight} ${size}px system-ui, sans-serif`;
    context.textAlign = align;
    context.textBaseline = "middle";
    context.fillStyle = colour;
    context.fillText(text, x, y, most);
  }
}

export const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
