// Elements from parts. Text is always a text node; nothing here reads markup.

export function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}

export const find = (id) => document.getElementById(id);

export function button(text, press, attributes = {}) {
  return h("button", { type: "button", onclick: press, ...attributes }, text);
}

let spoken = 0;

// Said by a screen reader, when it has time.
export function say(text) {
  const live = find("live");
  clearTimeout(spoken);
  spoken = setTimeout(() => {
    live.textContent = text;
  }, 60);
}
