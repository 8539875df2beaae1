"""The words of the spec language with values to give them, and values that are wrong nearly everywhere."""

from __future__ import annotations

ACTIVATIONS = [
    '"identity"',
    '"relu"',
    '"leaky_relu"',
    '"elu"',
    '"softplus"',
    '"gelu"',
    '"silu"',
    '"sigmoid"',
    '"tanh"',
    '"scaled_tanh"',
    '"softmax"',
]
NAMES = ['"a"', '"b"', '"c"', '"d"', '"input"']
TRUTH = ["true", "false"]
COUNTS = ["1", "2", "3", "4"]
PER_AXIS = ["1", "2", "3", "[2, 2]", "[1, 2]", "[3]"]
RANGES = ["0", "1", "0.5", "[0.9, 1.1]", "[-3, 3]", "20"]
PARTS = ["0", "0.5", "0.9", "0.99"]
NUMBERS = ["0", "1", "-1", "0.5", "-2.5e-3", "1e6", "0x1F", "1_000", "+3.0"]

VALUES: dict[str, list[str]] = {
    # layers
    "name": NAMES, "label": ['"free text"', "'δ → \"<b>\"'", '""'], "from": [*NAMES, '["a", "b"]', '["input", "a"]', '["a"]'],
    "activation": ACTIVATIONS, "bias": [*TRUTH, "[0, 1]", "[0.5]"], "init": ['"he"', '"glorot"', '"lecun"', '"uniform"', '"zeros"', "0.1"],
    "weights": ["[[1, 2], [3, 4]]", "[1, 0.5, -1]", "[[[[1, 2], [3, 4]]]]", "[]"], "trainable": [*TRUTH, '["weight"]', '["bias"]', "[]"],
    "weights_from": NAMES, "units": COUNTS, "filters": COUNTS, "kernel": PER_AXIS, "stride": PER_AXIS, "dilation": PER_AXIS,
    "padding": ["0", "1", '"same"', '"full"', '"valid"', "[1, 0]", "[[0, 1], [0, 1]]"], "groups": COUNTS,
    "connections": ["[[0], [1]]", "[[0, 1]]", "[[0], [0], [0]]"], "tie": ['"map"', '"none"'], "tie_bias": ['"map"', '"none"'],
    "padding_value": NUMBERS, "multiplier": COUNTS, "window": PER_AXIS, "op": ['"max"', '"mean"', '"l2"'], "keep": PARTS[1:], "rate": PARTS,
    # drawn by hand
    "id": NAMES, "divisor": NUMBERS, "output": TRUTH, "to": NAMES, "weight": [*NAMES, "1", "0.25"], "value": NUMBERS,
    # losses and samples
    "of": NAMES, "form": ['"mean"', '"half_sum"'], "targets": ["[0, 1]", "[-1, 1]"], "j": NUMBERS, "labels": ["[0, 1]", "[0, 0, 1]", '"input"'],
    "label_smoothing": PARTS, "class_weights": ["[1, 2]", "[0.5, 0.5, 2]", '"balanced"'],
    "input": ["[1, 4, 4]", "[4]", "[2, 3]", "[0, 1, 0, 1]", "[1, 0]", "[2, 5, 5]", "[[1, 2], [3, 4]]"],
    "target": ["0", "1", "[0, 1]", "[0.5]", "{a = 1}"], "upstream": ["[0.5, -0.25]", "[1]"],
    # data and augmentation
    "set": ['"digits"', '"mnist"', '"cifar-10"', '"no/such.npz"'], "pad": ["0", "2"], "resize": ["16", "[28, 28]"], "low": NUMBERS,
    "high": NUMBERS, "validation": ["0.1", "100"], "normalise": ['"standard"', '"pixel"', '"centre"'],
    "preset": ['"digits"', '"photos"', '"lecture"'], "rotation": RANGES, "translation": RANGES, "rescale": RANGES, "stretch": RANGES,
    "shear": RANGES, "flip_horizontal": TRUTH, "flip_vertical": TRUTH, "crop": ["0", "2"], "elastic": RANGES, "elastic_sigma": RANGES,
    "noise": RANGES, "fill": [*NUMBERS, '"edge"'],
    # training
    "optimizer": ['"gd"', '"sgd"', '"momentum"', '"nesterov"', '"adagrad"', '"rmsprop"', '"adam"', '"adamw"'],
    "learning_rate": NUMBERS, "momentum": PARTS, "beta1": PARTS, "beta2": PARTS, "rho": PARTS, "epsilon": NUMBERS, "l1": PARTS, "l2": PARTS,
    "weight_decay": PARTS, "clip_norm": NUMBERS, "clip_value": NUMBERS, "schedule_every": COUNTS, "schedule_gamma": PARTS,
    "schedule": ['"constant"', '"linear"', '"step"', '"plateau"', '"cosine"', '"exponential"'], "schedule_patience": COUNTS,
    "schedule_floor": PARTS, "warmup_steps": COUNTS, "epochs": ["0", *COUNTS], "batch_size": COUNTS, "reduction": ['"mean"', '"sum"'],
    "seed": ["0", "7"], "patience": COUNTS, "min_delta": PARTS, "watch": ['"accuracy"', '"loss"', '"validation_loss"'],
}  # fmt: skip
"""What an option may be; `kind` is chosen with the table it stands in."""

WRONG = [
    "true", "false", "0", "-1", "1.5", "nan", "-nan", "inf", "-inf", "1e400", "-1e400", "1e-400", '""', "''", "[]", "[[]]", "[[[]]]", "{}",
    "{a = 1}", "{a = {b = {c = 1}}}", "[{}]", "[true]", "[1, [2]]", '["a", 1]', '["a", "a"]', "[nan]", "[1, inf]", "[-1]", "[0, 0]",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "99999999999999999999", "1_000_000_000_000", "[1000000000000]",
    "4294967296", "2147483648", "[65536, 65536]", "[[1000000, 1]]", "1e308", "[1e308, 1e308]", "1e-320", "0xffffffffffffffff", "0o777", "0b1",
    "1979-05-27", "12:30:00", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.999999-08:00", '"\\u0000"', '"\\u202e"', '"\\U0010ffff"',
    '"é"', '"\U0001f600"', '"\U0001d4b6"', '"a b"', '"-"', '"a.b"', '"../../etc/passwd"', '"<script>"', '"%s%n"', '"{0}"', '"\\n"', "'''\n'''",
    '"""a\nb"""', '"loss"', '"softmax"', '"rbf_map"', '"mean"', "1__0", "01", "+-1", ".5", "5.", "1e", "0x", "tru", "True", "None", "null",
    '"a', "'a", '"\\q"', '"\\uD800"', "[1, 2", "1, 2]", "{a = 1", "=", "", "# nothing", "1 2", '"a" "b"', "[,]", "[1,,2]", "{a = 1, a = 2}",
]  # fmt: skip
"""Values of wrong type, size or form, and some that are no TOML."""

LETTERS = [
    "\x00", "\x01", "\x1b", "\x7f", "\x85", "\u2028", "\ufeff", "\u202e", "é", "δ", "\U0001f600", "\ud800", '"', "'", "[", "]", "{", "}",
    "=", ".", "#", "\\", "\n", "\r", "\t", " ", ",", "-", "_", "0", "9", "e",
]  # fmt: skip
"""Characters that mean something somewhere."""
