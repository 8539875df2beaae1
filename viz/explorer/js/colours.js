// One diverging scale for every signed number: blue below 0, orange-red above; the middle is the paper.

const LIGHT = ["#2a6fb5", "#7fb0dc", "#d3e5f4", "#ffffff", "#fde3d2", "#f5ab86", "#d2522a"];
const DARK = ["#8ccbff", "#4a8fd0", "#24507a", "#161b23", "#7a3d24", "#cf6c41", "#ffa173"];
const STEPS = 255;
export const NOT_A_NUMBER = [150, 150, 150];

const parts = (colour) => [1, 3, 5].map((k) => Number.parseInt(colour.slice(k, k + 2), 16));

function table(stops) {
  const made = [];
  for (let i = 0; i < STEPS; i++) {
    const place = (i / (STEPS - 1)) * (stops.length - 1);
    const low = Math.min(Math.floor(place), stops.length - 2);
    const [from, to] = [parts(stops[low]), parts(stops[low + 1])];
    made.push(from.map((value, k) => Math.round(value + (to[k] - value) * (place - low))));
  }
  return made;
}

const TABLES = { light: table(LIGHT), dark: table(DARK) };
export const stopsOf = (theme) => (theme === "dark" ? DARK : LIGHT);

// [r, g, b] of a value on the scale from −top over 0 to +top.
export function colourOf(value, top, theme) {
  if (!Number.isFinite(value)) return NOT_A_NUMBER;
  const share = top > 0 ? Math.max(-1, Math.min(1, value / top)) : 0;
  return TABLES[theme][Math.round(((share + 1) / 2) * (STEPS - 1))];
}

export const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

// Dark or light ink, whichever can be read on this ground.
export const inkOn = ([r, g, b]) => (0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#14171d" : "#ffffff");

export function themeNow() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen) return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

// A colour that the style sheet names.
export const styled = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
