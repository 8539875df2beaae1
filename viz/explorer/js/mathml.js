// MathML from parts: every text is a text node, so a name can be anything.

const SPACE = "http://www.w3.org/1998/Math/MathML";

export function m(tag, ...children) {
  const made = document.createElementNS(SPACE, tag);
  for (const child of children.flat()) made.append(typeof child === "string" ? document.createTextNode(child) : child);
  return made;
}

export const mi = (text) => m("mi", text);
export const mn = (text) => m("mn", text);
export const mo = (text) => m("mo", text);
export const row = (...children) => m("mrow", ...children);

// A name such as conv1[0,3,4]: upright, as one word.
export function word(text) {
  const made = m("mtext", text);
  made.setAttribute("class", "name");
  return made;
}

// A number as a factor: in brackets where it is below 0.
export function factor(text) {
  return text.startsWith("−") ? row(fence("("), mn(text), fence(")")) : mn(text);
}

export function fence(letter) {
  const made = mo(letter);
  made.setAttribute("stretchy", "false");
  return made;
}

// Parts with an operator between them.
export function joined(parts, operator) {
  return row(parts.flatMap((part, k) => (k ? [mo(operator), part] : [part])));
}

// left = side = side …, with the equal signs under one another.
export function equation(left, sides, label) {
  const cells = (side, k) => m("mtr", m("mtd", k ? [] : [left]), m("mtd", mo("=")), m("mtd", side));
  const math = m("math", m("mtable", sides.map(cells)));
  math.setAttribute("display", "block");
  math.setAttribute("class", "equation");
  if (label) math.setAttribute("aria-label", label);
  return math;
}
