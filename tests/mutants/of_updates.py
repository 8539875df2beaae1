"""Planted bugs in how gradients change weights: optimisers, penalties, clipping, schedules, and their kernels."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

OPTIMIZERS = ("tests/test_optimizers.py",)
UPDATING = ("tests/test_updating.py",)
SCHEDULES = ("tests/test_schedules.py",)

TRAINING = (
    Mutant(
        "momentum forgets",
        "neurograph/training/optimizers/descent.py",
        "            velocity += gradient\n",
        "            velocity[...] = gradient\n",
        OPTIMIZERS,
    ),
    Mutant(
        "Nesterov does not look ahead",
        "neurograph/training/optimizers/descent.py",
        "(gradient + self.momentum * velocity if self.nesterov else velocity)",
        "velocity",
        OPTIMIZERS,
    ),
    Mutant(
        "AdaGrad forgets",
        "neurograph/training/optimizers/adaptive.py",
        "s += np.square(gradient)",
        "s[...] = np.square(gradient)",
        OPTIMIZERS,
    ),
    Mutant(
        "Adam's first steps uncorrected",
        "neurograph/training/optimizers/adam.py",
        "denominator = np.sqrt(v) / float(np.sqrt(1 - self.beta2**t)) + self.epsilon",
        "denominator = np.sqrt(v) + self.epsilon",
        OPTIMIZERS,
    ),
    Mutant(
        "L2 without its 2",
        "neurograph/training/optimizers/penalties.py",
        "return 2 * (self.l2 / self.m)",
        "return self.l2 / self.m",
        OPTIMIZERS,
    ),
    Mutant(
        "biases are penalised",
        "neurograph/training/optimizers/base.py",
        "for name in values.keys() - self._biases:",
        "for name in values:",
        OPTIMIZERS,
    ),
    Mutant(
        "decay does not follow the schedule",
        "neurograph/training/optimizers/base.py",
        "return 1 - self.rate * self.weight_decay",
        "return 1 - self.learning_rate * self.weight_decay",
        OPTIMIZERS,
    ),
    Mutant(
        "every gradient is shortened by its own length",
        "neurograph/training/optimizers/base.py",
        "factor = shortening(ready.values(), self.clip_norm)",
        "factor = shortening(list(ready.values())[:1], self.clip_norm)",
        OPTIMIZERS,
    ),
    Mutant(
        "a plateau waits only once",
        "neurograph/training/schedules.py",
        "waited, falls = 0, falls + 1",
        "waited, falls = waited, falls + 1",
        SCHEDULES,
    ),
    Mutant(
        "warm-up begins at 0",
        "neurograph/training/schedules.py",
        "(step + 1) / self.steps",
        "step / self.steps",
        SCHEDULES,
    ),
    Mutant(
        "biases decay in the kernel",
        "neurograph/kernels/update.py",
        "OF_WEIGHTS, OF_BIASES = -1, BEFORE - 1 + CLIP",
        "OF_WEIGHTS, OF_BIASES = -1, -1",
        UPDATING,
    ),
    Mutant(
        "the kernel's penalty on |w| pulls one way only",
        "neurograph/kernels/update.py",
        "minus(keep_where_positive(w, up), keep_where_positive(times(w, minus_one), up))",
        "keep_where_positive(w, up)",
        UPDATING,
    ),
    Mutant(
        "the kernel clips from below only",
        "neurograph/kernels/update.py",
        "first_max(times(first_max(g, lowest), minus_one), lowest)",
        "times(first_max(g, lowest), minus_one)",
        UPDATING,
    ),
    Mutant(
        "weights of dense layers do not decay",
        "neurograph/kernels/update.py",
        "        w = decayed(w, rule, form)\n        form = form & (BEFORE - 1)\n    if form == PLAIN:",
        "        form = form & (BEFORE - 1)\n    if form == PLAIN:",
        UPDATING,
    ),
    Mutant(
        "RMSProp's mean of squares keeps all",
        "neurograph/kernels/update.py",
        "s = plus(times(load(squares, i, w), splat(rule, 2, w)), times(splat(rule, 3, w), g_squared))",
        "s = plus(load(squares, i, w), times(splat(rule, 3, w), g_squared))",
        UPDATING,
    ),
    Mutant(
        "weights thawed later are taken to be at the others' step",
        "neurograph/training/optimizers/adam.py",
        "        if len(taken) > 1:",
        "        if len(taken) > 2:",
        UPDATING,
    ),
)
