"""The table of commands: name → module and one line of help. Only the chosen command's module is ever imported."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command: the module that has it, and what it does in one line."""

    module: str
    help: str


COMMANDS: dict[str, Entry] = {
    "list": Entry("neurograph.cli.list", "The bundled networks."),
    "new": Entry("neurograph.cli.new", "Write a spec to start from."),
    "summary": Entry("neurograph.cli.summary", "Layers, shapes, counts, receptive fields."),
    "train": Entry("neurograph.cli.train", "Train a network, or resume a run."),
    "evaluate": Entry("neurograph.cli.evaluate", "Accuracy and loss of a trained network, class by class."),
    "compare": Entry("neurograph.cli.compare_runs", "Training runs side by side: settings, scores, time."),
    "verify": Entry("neurograph.cli.verify", "Prove that both engines compute the same network."),
    "plan": Entry("neurograph.cli.plan", "Show what the compiler made of a network."),
    "bench": Entry("neurograph.cli.bench", "How fast this machine is, beside PyTorch and others."),
    "explain": Entry("neurograph.cli.explain", "Where a neuron's values or a weight's update come from."),
    "census": Entry("neurograph.cli.census", "What many samples show: dead units, winners, edges without a δ."),
    "paths": Entry("neurograph.cli.paths", "How one neuron depends on another: a sum over paths."),
    "story": Entry("neurograph.cli.story", "One pass told frame by frame: forward, loss, δ, sums, update."),
    "what-if": Entry("neurograph.cli.what_if", "Change one number, and see exactly which neurons change with it."),
    "untie": Entry("neurograph.cli.untie", "Give a tied group separate weights, and see them drift apart."),
    "draw": Entry("neurograph.cli.draw", "Draw a network, or the neighbourhood of one neuron."),
    "plot": Entry("neurograph.cli.plot", "Plot a run: curves, filters, feature maps, mistakes, and more."),
    "explore": Entry("neurograph.cli.explore", "One page that computes a network: click, edit, draw, step through."),
    "schema": Entry("neurograph.cli.schema", "The spec language as JSON Schema, for editors."),
}


def overview() -> str:
    """The help of `neurograph` itself, on one screen.

    Examples
    --------
    >>> print(overview().splitlines()[0])
    Usage: neurograph COMMAND [ARGUMENTS]
    """
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {entry.help}" for name, entry in COMMANDS.items()]
    return "\n".join(
        [
            "Usage: neurograph COMMAND [ARGUMENTS]",
            "",
            "Neural networks as explicit neuron graphs: declare, compile, train, draw, explain.",
            "",
            "Commands:",
            *lines,
            "",
            "Options:",
            "  --help       Show this text; `neurograph COMMAND --help` shows a command's options and examples.",
            "  --version    Show the version.",
            "  --traceback  Before a command: show where in the program an error arose.",
            "",
            "Start with:  neurograph list",
            "             neurograph train digits --data digits",
        ]
    )
