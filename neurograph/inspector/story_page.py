"""A story as one HTML page: next and back, arrow keys, phones, projectors, screen readers, paper; no network, no eval."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from neurograph.inspector.html import STYLE as CARDS
from neurograph.inspector.html import as_fragment

if TYPE_CHECKING:
    from neurograph.inspector.frames import Frame, Story

CHAPTERS = {
    "input": "input",
    "forward": "forward",
    "loss": "loss",
    "delta": "δ, backward",
    "contributions": "contributions",
    "sums": "sums",
    "update": "update",
}

STYLE = """
:root { --forward: #1d5fbf; --loss: #b25300; --delta: #b3204d; --weights: #1f7a3d; }
@media (prefers-color-scheme: dark) { :root { --forward: #7db3ff; --loss: #ffb066; --delta: #ff8aab; --weights: #7fd79a; } }
html { font-size: clamp(100%, .75rem + .6vw, 150%); }
main { padding-bottom: 5rem; max-width: 78rem; }
.top { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1rem; }
.top h1 { font-size: 1.1rem; }
.frame { --accent: var(--weights); }
.frame[data-chapter=input], .frame[data-chapter=forward] { --accent: var(--forward); }
.frame[data-chapter=loss] { --accent: var(--loss); }
.frame[data-chapter=delta] { --accent: var(--delta); }
.frame > header { border-left: .3rem solid var(--accent); padding-left: .7rem; margin: .9rem 0; }
.frame > header p { margin: 0; color: var(--accent); font-size: .9rem; }
.frame h2 { font-size: 1.35rem; margin: 0; overflow-wrap: anywhere; }
.frame > section:first-of-type > .formula:first-child { font-size: 1.15rem; color: var(--accent); }
.frame > section:last-child { border-top: 0; font-size: 1.1rem; max-width: 44rem; }
.strip { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 0; margin: .6rem 0 0; padding: 0; font-size: .9rem; }
.strip li { padding: .1rem .55rem; border: 1px solid color-mix(in srgb, currentColor 35%, transparent); border-radius: .4rem; }
.strip li + li { margin-left: 1.5rem; position: relative; }
.strip li + li::before { content: "→" / ""; position: absolute; left: -1.3rem; opacity: .7; }
.frame[data-chapter=delta] .strip li + li::before { content: "←" / ""; }
.strip li.here::before { color: CanvasText; }
.strip li.here { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); color: var(--accent); font-weight: bold; }
.steps { position: fixed; inset: auto 0 0; display: flex; gap: .6rem; justify-content: center; align-items: center;
  padding: .6rem .8rem max(.6rem, env(safe-area-inset-bottom)); background: Canvas;
  border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
.steps button, .steps select { font: inherit; min-height: 2.75rem; border-radius: .5rem; border: 1px solid; background: Canvas; color: inherit; }
.steps button { padding: 0 1.1rem; white-space: nowrap; cursor: pointer; }
.steps button[aria-disabled=true] { opacity: .35; cursor: default; }
.steps select { min-width: 0; flex: 0 1 26rem; padding: 0 .4rem; text-overflow: ellipsis; }
.quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media screen and (min-width: 60rem) {
  .frame:not([hidden]) { display: grid; grid-template-columns: minmax(0, 1fr) 19rem; column-gap: 2.5rem; align-content: start; }
  .frame > .strip, .frame > header { grid-column: 1 / -1; }
  .frame > section { grid-column: 1; }
  .frame > section:last-child { grid-column: 2; grid-row: 3; margin: 0; padding: 0; }
}
@media print {
  .steps { display: none; }
  .frame[hidden] { display: block; }
  .frame { break-inside: avoid; }
  main { padding-bottom: 0; max-width: none; }
}
@media (max-width: 30rem) { .steps button { padding: 0 .8rem; } .frame h2 { font-size: 1.2rem; } }
"""

SCRIPT = """
(function () {
  "use strict";
  var frames = Array.prototype.slice.call(document.querySelectorAll(".frame"));
  var back = document.getElementById("back"), next = document.getElementById("next");
  var pick = document.getElementById("pick"), live = document.getElementById("live");
  var now = 0;
  function wanted() {
    return (parseInt(location.hash.slice(1), 10) || 1) - 1;
  }
  function show(n, first) {
    now = Math.max(0, Math.min(frames.length - 1, n));
    frames.forEach(function (frame, i) { frame.hidden = i !== now; });
    back.setAttribute("aria-disabled", String(now === 0));
    next.setAttribute("aria-disabled", String(now === frames.length - 1));
    pick.value = String(now);
    if (first) { return; }
    var title = frames[now].querySelector("h2").textContent;
    live.textContent = "Frame " + (now + 1) + " of " + frames.length + ": " + title;
    if (location.protocol !== "about:") { history.replaceState(null, "", "#" + (now + 1)); }
    window.scrollTo(0, 0);
  }
  back.addEventListener("click", function () { show(now - 1); });
  next.addEventListener("click", function () { show(now + 1); });
  pick.addEventListener("change", function () { show(Number(pick.value)); });
  window.addEventListener("hashchange", function () { show(wanted()); });
  document.addEventListener("keydown", function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.tagName === "SELECT") { return; }
    var to = { ArrowRight: now + 1, PageDown: now + 1, n: now + 1, ArrowLeft: now - 1, PageUp: now - 1, p: now - 1,
      Home: 0, End: frames.length - 1 }[event.key];
    if (to === undefined) { return; }
    if (event.target.closest(".scroll") && event.key.indexOf("Arrow") === 0) { return; }
    event.preventDefault();
    show(to);
  });
  document.querySelector(".steps").hidden = false;
  show(wanted(), true);
})();
"""


def story_page(story: Story, digits: int = 6, about: str = "") -> str:
    """The whole page. Its policy allows this style and this script, and nothing else."""
    style = CARDS + STYLE
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(SCRIPT)}'; base-uri 'none'; form-action 'none'"
    title = f"{story.name}, {story.by} by {story.by}"
    frames = "\n".join(_frame(story, number, digits) for number in range(len(story)))
    options = "".join(
        f'<option value="{number}">{number + 1}/{len(story)} {escape(frame.title)}</option>'
        for number, frame in enumerate(story)
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<main>
<div class="top"><h1>{escape(title)}</h1>
<p class="about">{escape(about)}</p></div>
{frames}
</main>
<nav class="steps" aria-label="frames" hidden>
<button id="back" type="button">← Back</button>
<select id="pick" aria-label="Go to frame">{options}</select>
<button id="next" type="button">Next →</button>
<p id="live" class="quiet" aria-live="polite"></p>
</nav>
<script>{SCRIPT}</script>
</body>
</html>"""


def _frame(story: Story, number: int, digits: int) -> str:
    frame = story[number]
    heading = f"frame-{number + 1}-title"
    _, body = as_fragment(frame.sheet(digits)).split("\n", 1)  # the title stands in the header
    return f"""<article class="frame" id="frame-{number + 1}" data-chapter="{frame.chapter}" aria-labelledby="{heading}">
{_strip(story, frame)}
<header><p>{number + 1} of {len(story)} · {CHAPTERS[frame.chapter]}</p>
<h2 id="{heading}">{escape(frame.title)}</h2></header>
{body}
</article>"""


def _strip(story: Story, frame: Frame) -> str:
    """The path through the network, with the stage that the frame is about."""
    here = ' class="here" aria-current="step"'
    items = "".join(
        f"<li{here if number == frame.where else ''}>{escape(name)}</li>" for number, name in enumerate(story.strip)
    )
    return f'<ol class="strip" aria-label="the network">{items}</ol>'


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
