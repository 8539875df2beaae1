"""An optimiser's step on one weight as equations: in symbols, with the numbers put in, and the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from neurograph.inspector.equations import Equation, signed
from neurograph.inspector.table import number

if TYPE_CHECKING:
    from neurograph.inspector.step import Step


class _Words:
    """The numbers of one step, written; and what the gradient and the weight are called after penalties, clipping and decay."""

    def __init__(self, step: Step, digits: int) -> None:
        self.step, self.digits = step, digits
        self.kept = {name: (old, new) for name, old, new in step.kept}
        self.g, self.w = step.gradient, step.before
        self.g_name, self.w_name = "gradient", "w"

    def option(self, name: str) -> str:
        """A hyperparameter."""
        return number(self.step.options[name], self.digits)

    def write(self, value: float) -> str:
        """A number as a factor or an addend behind a sign."""
        return signed(number(value, self.digits))

    def old(self, name: str) -> str:
        return self.write(self.kept[name][0])

    def new(self, name: str) -> str:
        return self.write(self.kept[name][1])

    @property
    def gradient(self) -> str:
        return self.write(self.g)

    def of_weight(self, symbols: str, numbers: str) -> Equation:
        """The last equation: the weight less, or more, something."""
        left = number(self.w, self.digits)
        return Equation(
            "new w", (f"{self.w_name} {symbols}", f"{left} {numbers}", number(self.step.after, self.digits))
        )

    def of_kept(self, letter: str, name: str, symbols: str, numbers: str) -> Equation:
        """What is remembered, renewed."""
        return Equation(f"new {letter}", (symbols, numbers, number(self.kept[name][1], self.digits)))


def equations_of(step: Step, digits: int) -> list[Equation]:
    r"""All equations of a step, in order; of an unknown optimiser what is remembered, and the result.

    Examples
    --------
    >>> from neurograph.inspector.step import Step
    >>> step = Step("SGD(learning_rate=0.5)", 1.0, 0.9, 0.2, (), {"rate": 0.5, "momentum": 0.0})
    >>> for equation in equations_of(step, 6):
    ...     print("\n".join(equation.lines("")))
    new w = w − η·gradient
          = 1 − 0.5·0.2
          = 0.9
    """
    if step.kind not in RULES:
        pairs = [*step.kept, ("w", step.before, step.after)]
        return [
            Equation(name, (f"{number(old, digits)} before, now {number(new, digits)}",)) for name, old, new in pairs
        ]
    words = _Words(step, digits)
    return [*_before(words), *RULES[step.kind](words)]


def _before(words: _Words) -> list[Equation]:
    """Penalties, clipping and decay."""
    step, found = words.step, []
    if step.penalised is not None:
        symbols, numbers = [words.g_name], [number(words.g, words.digits)]
        if step.options["l1"]:
            sign = (step.before > 0) - (step.before < 0)
            symbols.append("λ₁/m·sign(w)")
            numbers.append(f"{words.option('l1')}/{step.options['m']}·{signed(str(sign))}")
        if step.options["l2"]:
            symbols.append("2·λ₂/m·w")
            numbers.append(f"2·{words.option('l2')}/{step.options['m']}·{words.write(step.before)}")
        words.g, words.g_name = step.penalised, "g"
        found.append(Equation("g", (" + ".join(symbols), " + ".join(numbers), number(words.g, words.digits))))
    if step.clipped is not None:
        found.append(_clipped(words, step.clipped))
    if step.decayed is not None:
        numbers_of_decay = f"(1 − {words.option('rate')}·{words.option('weight_decay')})·{words.write(words.w)}"
        words.w, words.w_name = step.decayed, "decayed w"
        found.append(Equation("decayed w", ("(1 − η·d)·w", numbers_of_decay, number(words.w, words.digits))))
    return found


def _clipped(words: _Words, clipped: float) -> Equation:
    """The gradient, cut off at a value, or shortened with all the others."""
    result, factor = number(clipped, words.digits), clipped / words.g if words.g else 1.0
    if words.step.options["clip_value"] is not None:
        most = words.option("clip_value")
        symbols, numbers = f"max(−c, min(c, {words.g_name}))", f"max(-{most}, min({most}, {words.gradient}))"
    else:
        symbols, numbers = f"{words.g_name}·min(1, c/length)", f"{words.gradient}·{number(factor, words.digits)}"
    words.g, words.g_name = clipped, "clipped g"
    where = "" if words.step.options["clip_value"] is not None else _of_length(words, factor)
    return Equation("clipped g", (symbols, numbers, result), where)


def _of_length(words: _Words, factor: float) -> str:
    """How long all gradients together are, beside what is allowed."""
    most = words.step.options["clip_norm"]
    long = "no longer" if factor >= 1 else f"{number(most / factor, words.digits)} long"
    return f"c = {number(most, words.digits)}, and all gradients together are {long}"


def _descent(words: _Words) -> list[Equation]:
    options, g = words.step.options, words.g_name
    eta = words.option("rate")
    if not options["momentum"]:
        return [words.of_weight(f"− η·{g}", f"− {eta}·{words.gradient}")]
    mu, old, new = words.option("momentum"), words.old("velocity"), words.new("velocity")
    nesterov = options.get("nesterov", False)
    if options.get("form") == "classical":
        velocity = words.of_kept("v", "velocity", f"μ·v − η·{g}", f"{mu}·{old} − {eta}·{words.gradient}")
        if nesterov:
            return [
                velocity,
                words.of_weight(f"+ μ·new v − η·{g}", f"+ {mu}·{new} − {eta}·{words.gradient}"),
            ]
        return [velocity, words.of_weight("+ new v", f"+ {new}")]
    velocity = words.of_kept("v", "velocity", f"μ·v + {g}", f"{mu}·{old} + {words.gradient}")
    if nesterov:
        return [velocity, words.of_weight(f"− η·({g} + μ·new v)", f"− {eta}·({words.gradient} + {mu}·{new})")]
    return [velocity, words.of_weight("− η·new v", f"− {eta}·{new}")]


def _adagrad(words: _Words) -> list[Equation]:
    g, new = words.g_name, words.new("squares")
    below, below_numbers = "(√(new s) + ε)", f"(√({new}) + {words.option('epsilon')})"
    return [
        words.of_kept("s", "squares", f"s + {_square(g)}", f"{words.old('squares')} + {_square(words.gradient)}"),
        words.of_weight(f"− η·{g}/{below}", f"− {words.option('rate')}·{words.gradient}/{below_numbers}"),
    ]


def _rmsprop(words: _Words) -> list[Equation]:
    g, rho, eta = words.g_name, words.option("rho"), words.option("rate")
    below, below_numbers = "(√(new s) + ε)", f"(√({words.new('square')}) + {words.option('epsilon')})"
    square = words.of_kept(
        "s",
        "square",
        f"ρ·s + (1 − ρ)·{_square(g)}",
        f"{rho}·{words.old('square')} + (1 − {rho})·{_square(words.gradient)}",
    )
    if not words.step.options["momentum"]:
        return [square, words.of_weight(f"− η·{g}/{below}", f"− {eta}·{words.gradient}/{below_numbers}")]
    mu = words.option("momentum")
    velocity = words.of_kept(
        "v",
        "velocity",
        f"μ·v + {g}/{below}",
        f"{mu}·{words.old('velocity')} + {words.gradient}/{below_numbers}",
    )
    return [square, velocity, words.of_weight("− η·new v", f"− {eta}·{words.new('velocity')}")]


def _adam(words: _Words) -> list[Equation]:
    """The means are written out corrected: m/(1 − β₁ᵗ), v/(1 − β₂ᵗ)."""
    g, options = words.g_name, words.step.options
    beta1, beta2, t = words.option("beta1"), words.option("beta2"), int(words.kept["steps"][1])
    found = []
    for letter, name, symbol, beta, of_g in (
        ("m", "mean", "β₁", beta1, (g, words.gradient)),
        ("v", "square", "β₂", beta2, (_square(g), _square(words.gradient))),
    ):
        symbols = f"{symbol}·{letter} + (1 − {symbol})·{of_g[0]}"
        found.append(words.of_kept(letter, name, symbols, f"{beta}·{words.old(name)} + (1 − {beta})·{of_g[1]}"))
    m = words.kept["mean"][1] / (1 - options["beta1"] ** t)
    v = words.kept["square"][1] / (1 - options["beta2"] ** t)
    for letter, name, symbol, beta, value in (("m", "mean", "β₁", beta1, m), ("v", "square", "β₂", beta2, v)):
        sides = (f"new {letter}/(1 − {symbol}^t)", f"{words.new(name)}/(1 − {beta}^{t})", number(value, words.digits))
        found.append(Equation(f"corrected {letter}", sides, f"t = {t}, the steps taken" if letter == "m" else ""))
    numbers = f"− {words.option('rate')}·{words.write(m)}/(√({words.write(v)}) + {words.option('epsilon')})"
    return [*found, words.of_weight("− η·corrected m/(√(corrected v) + ε)", numbers)]


def _square(text: str) -> str:
    return f"({text})²" if " " in text else f"{text}²"


RULES: dict[str, Callable[[_Words], list[Equation]]] = {
    "SGD": _descent,
    "AdaGrad": _adagrad,
    "RMSProp": _rmsprop,
    "Adam": _adam,
    "AdamW": _adam,
}
"""Whose steps can be written out."""
