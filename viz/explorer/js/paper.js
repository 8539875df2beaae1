// The pad to draw on, with mouse, finger or pen; every map follows while the line is drawn.

import { button, fill, find, h } from "./elements.js";
import { styled } from "./colours.js";
import { inkImage, prepared } from "./ink.js";

const SIDE = 264;

export class Pad {
  // drawn() is called whenever the input has changed.
  constructor(model, drawn) {
    Object.assign(this, { model, drawn, strokes: [], waiting: false });
    this.canvas = h("canvas", {
      id: "ink",
      role: "img",
      "aria-label":
        "Drawing pad: draw a digit with mouse or finger. By keyboard, choose a pixel of the input and type its value.",
    });
    Object.assign(this.canvas.style, { width: `${SIDE}px`, height: `${SIDE}px` });
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    fill(
      find("pad"),
      h("p", { class: "small" }, "Draw a digit"),
      this.canvas,
      h(
        "p",
        { class: "padrow" },
        button("Clear", () => this.clear(), { id: "clear" }),
        h("span", { id: "heard" }),
      ),
    );
  }

  open(shown) {
    find("pad").hidden = !shown;
    if (shown) this.paint();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  begin(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.model.remember("drawing");
    this.strokes = [...(this.model.strokes ?? []), [this.place(event)]];
    this.soon();
  }

  move(event) {
    if (!event.buttons || !this.canvas.hasPointerCapture(event.pointerId)) return;
    const all = event.getCoalescedEvents?.() ?? [];
    this.strokes.at(-1).push(...(all.length ? all : [event]).map((one) => this.place(one)));
    this.soon();
  }

  clear() {
    this.model.remember("drawing");
    this.strokes = [];
    this.soon();
  }

  // Once a frame, however fast the pointer is.
  soon() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      const { paper } = this.model.data;
      this.model.setDrawing(this.strokes, prepared(inkImage(this.strokes, paper), paper));
      this.paint();
      this.drawn();
    });
  }

  paint() {
    const scale = devicePixelRatio || 1;
    Object.assign(this.canvas, { width: SIDE * scale, height: SIDE * scale });
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    Object.assign(context, { lineWidth: 20, lineCap: "round", lineJoin: "round", strokeStyle: styled("--ink") });
    for (const stroke of this.model.strokes ?? []) {
      context.beginPath();
      stroke.forEach(([x, y], k) => (k ? context.lineTo(x * SIDE, y * SIDE) : context.moveTo(x * SIDE, y * SIDE)));
      if (stroke.length === 1) context.lineTo(stroke[0][0] * SIDE + 0.01, stroke[0][1] * SIDE);
      context.stroke();
    }
  }
}
