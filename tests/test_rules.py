"""The textbook's formulas, one by one: neuron kinds, activations and losses against differences, long arithmetic and corner cases."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext

import pytest

from neurograph.graph.losses import Loss
from neurograph.ops.words import ACTIVATIONS, LEAK, LOSSES, MSE_FORMS, NEURON_KINDS, WEIGHTED_KINDS
from neurograph.reference.activations import AMPLITUDE, FUNCTIONS
from neurograph.reference.losses import (
    binary_cross_entropy,
    cross_entropy,
    delta_through,
    delta_through_softmax,
    half_sum_squared,
    mean_squared,
    rbf_map,
    softmax,
)
from neurograph.reference.rules import RULES, Rule, rule_of, winner

COMPUTING = [kind for kind in NEURON_KINDS if kind not in ("input", "constant")]
POINTWISE = [activation for activation in ACTIVATIONS if activation != "softmax"]
A = [0.7, -1.3, 2.1, 0.4]
W = [0.5, -0.25, 1.5, -2.0]
B = 0.3
U = 2.0**-53
NAN, INF = math.nan, math.inf


def difference(f: Callable[[float], float], at: float, h: float = 1e-3) -> float:
    """A derivative from four values, exact up to h⁴."""
    return (8 * (f(at + h) - f(at - h)) - (f(at + 2 * h) - f(at - 2 * h))) / (12 * h)


def with_one(numbers: list[float], j: int, value: float) -> list[float]:
    return [*numbers[:j], value, *numbers[j + 1 :]]


def rule(kind: str) -> tuple[Rule, list[float]]:
    return rule_of(kind, len(A)), W if kind in WEIGHTED_KINDS else []


# -- neuron kinds -----------------------------------------------------------------------------------------------------
def test_rules_exist_for_exactly_the_kinds_that_compute() -> None:
    assert sorted([*RULES, "mean"]) == sorted(COMPUTING)


@pytest.mark.parametrize("kind", COMPUTING)
@pytest.mark.parametrize("j", range(len(A)))
def test_dz_da_is_the_slope_of_z(kind: str, j: int) -> None:
    made, w = rule(kind)
    slopes = made.dz_da(A, w, made.z(A, w, B))
    assert len(slopes) == len(A)
    assert slopes[j] == pytest.approx(difference(lambda a_j: made.z(with_one(A, j, a_j), w, B), A[j]), abs=1e-9)


@pytest.mark.parametrize("kind", COMPUTING)
@pytest.mark.parametrize("j", range(len(A)))
def test_dz_dw_is_the_slope_of_z_or_there_are_no_weights(kind: str, j: int) -> None:
    made, w = rule(kind)
    slopes = made.dz_dw(A, w, made.z(A, w, B))
    assert len(slopes) == len(w)
    if w:
        assert slopes[j] == pytest.approx(difference(lambda w_j: made.z(A, with_one(w, j, w_j), B), w[j]), abs=1e-9)


@pytest.mark.parametrize(
    ("kind", "a", "w", "z"),
    [
        ("weighted", [1, 2, 3], [4, 5, 6], 32.5),
        ("sum", [1, 2, 3], [], 6),
        ("max", [1, 3, 2], [], 3),
        ("mean", [1, 2, 6], [], 3),
        ("l2", [3, 4, 12], [], 13),
        ("rbf", [1, 2, 3], [1, 1, 1], 5),
    ],
)
def test_z_of_whole_numbers_is_exact(kind: str, a: list[float], w: list[float], z: float) -> None:
    assert rule_of(kind, len(a)).z(a, w, 0.5 if kind == "weighted" else 0.0) == z


@pytest.mark.parametrize("kind", [kind for kind in COMPUTING if kind not in ("max", "mean")])
def test_z_without_inputs_is_the_bias(kind: str) -> None:
    assert rule_of(kind, 0).z([], [], 0.0) == 0
    assert rule_of("weighted", 0).z([], [], B) == B


def test_mean_divides_by_its_divisor_and_not_by_what_a_clipped_window_holds() -> None:
    assert rule_of("mean", 2, divisor=4).z([3.0, 5.0], [], 0.0) == 2.0
    assert rule_of("mean", 2, divisor=4).dz_da([3.0, 5.0], [], 2.0) == [0.25, 0.25]
    assert rule_of("mean", 2).z([3.0, 5.0], [], 0.0) == 4.0


def test_l2_at_zero_hands_back_zero() -> None:
    assert rule_of("l2", 2).dz_da([0.0, 0.0], [], 0.0) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("a", "first"),
    [
        ([2, 2, 2], 0),
        ([1, 2, 2], 1),
        ([3, 2, 3], 0),
        ([-1, -1], 0),
        ([1, NAN, 5, NAN], 1),
        ([NAN, 1], 0),
        ([0.0, -0.0], 0),
    ],
)
def test_a_tied_maximum_goes_to_the_first_and_a_nan_beats_all(a: list[float], first: int) -> None:
    assert winner(a) == first
    slopes = rule_of("max", len(a)).dz_da(a, [], a[first])
    assert slopes == [1.0 if j == first else 0.0 for j in range(len(a))]


@pytest.mark.parametrize("kind", COMPUTING)
@pytest.mark.parametrize("j", range(len(A)))
def test_nan_in_is_nan_out(kind: str, j: int) -> None:
    made, w = rule(kind)
    assert math.isnan(made.z(with_one(A, j, NAN), w, B))


# -- activations ------------------------------------------------------------------------------------------------------
def test_functions_exist_for_every_activation_but_softmax() -> None:
    assert sorted(FUNCTIONS) == sorted(POINTWISE)


@pytest.mark.parametrize("activation", POINTWISE)
@pytest.mark.parametrize("z", [-6.0, -2.5, -0.6, -0.01, 0.01, 0.3, 1.7, 5.0])
def test_slope_is_the_slope_of_the_value(activation: str, z: float) -> None:
    f = FUNCTIONS[activation]
    assert f.slope(z, f.value(z)) == pytest.approx(difference(f.value, z), rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("activation", POINTWISE)
def test_activation_of_nan_is_nan(activation: str) -> None:
    assert math.isnan(FUNCTIONS[activation].value(NAN))


@pytest.mark.parametrize("activation", POINTWISE)
@pytest.mark.parametrize("z", [-1e308, -800.0, -40.0, 40.0, 800.0, 1e308])
def test_far_out_nothing_overflows(activation: str, z: float) -> None:
    f = FUNCTIONS[activation]
    assert math.isfinite(f.value(z))
    assert math.isfinite(f.slope(z, f.value(z)))


@pytest.mark.parametrize(
    ("activation", "value", "slope"),
    [
        ("identity", 0.0, 1.0),
        ("relu", 0.0, 0.0),
        ("leaky_relu", 0.0, LEAK),
        ("elu", 0.0, 1.0),
        ("softplus", math.log(2), 0.5),
        ("gelu", 0.0, 0.5),
        ("silu", 0.0, 0.5),
        ("sigmoid", 0.5, 0.25),
        ("tanh", 0.0, 1.0),
        ("scaled_tanh", 0.0, AMPLITUDE * 2 / 3),
    ],
)
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_value_and_slope_at_zero(activation: str, value: float, slope: float, zero: float) -> None:
    f = FUNCTIONS[activation]
    assert f.value(zero) == pytest.approx(value, rel=4 * U, abs=0)
    assert f.slope(zero, f.value(zero)) == pytest.approx(slope, rel=4 * U, abs=0)


def _erf(z: Decimal) -> Decimal:
    """Its power series, in the digits of the context."""
    term = total = z
    n = 0
    while abs(term) > Decimal(10) ** -95:
        n += 1
        term = -term * z * z / n
        total += term / (2 * n + 1)
    return 2 * total / _pi().sqrt()


def _pi() -> Decimal:
    """Machin's formula."""

    def arctan(x: int) -> Decimal:
        power = total = Decimal(1) / x
        n = 0
        while power > Decimal(10) ** -98:
            n += 1
            power /= x * x
            total += (-1) ** n * power / (2 * n + 1)
        return total

    return 4 * (4 * arctan(5) - arctan(239))


def long_values(activation: str, z: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """Value, slope, and the sum of the slope's |summands|, in 100 digits."""
    one = Decimal(1)
    sigma = one / (1 + (-z).exp())
    t = ((2 * z).exp() - 1) / ((2 * z).exp() + 1)
    if activation == "softplus":
        return (1 + z.exp()).ln(), sigma, sigma
    if activation == "silu":
        return z * sigma, sigma + z * sigma * (1 - sigma), sigma + abs(z) * sigma * (1 - sigma)
    if activation == "gelu":
        below = (1 + _erf(z / Decimal(2).sqrt())) / 2
        density = (-z * z / 2).exp() / (2 * _pi()).sqrt()
        return z * below, below + z * density, below + abs(z) * density
    if activation == "elu":
        return (z, one, one) if z > 0 else (z.exp() - 1, z.exp(), z.exp())
    if activation == "sigmoid":
        return sigma, sigma * (1 - sigma), sigma * (1 - sigma)
    if activation == "tanh":
        return t, 1 - t * t, 1 - t * t
    raise AssertionError(activation)


@pytest.mark.parametrize("activation", ["elu", "softplus", "gelu", "silu", "sigmoid", "tanh"])
@pytest.mark.parametrize("z", [-8.5, -5.0, -1.1, -1e-3, -1e-9, 1e-9, 1e-3, 0.4, 2.0, 8.0])
def test_values_keep_their_digits_and_so_do_slopes(activation: str, z: float) -> None:
    f = FUNCTIONS[activation]
    with localcontext() as context:
        context.prec = 100
        value, slope, summands = long_values(activation, Decimal(z))
        ulps = 8 + (z * z if activation == "gelu" else 0)  # Φ(z) is as steep as that where z/√2 is rounded
        assert abs(Decimal(f.value(z)) - value) <= Decimal(ulps * U) * abs(value)
        bound = Decimal(8 * U) * summands
        if activation in ("sigmoid", "tanh"):  # from a: what a's own rounding does to 1 − a is not the slope's fault
            bound = Decimal(8 * U)
        assert abs(Decimal(f.slope(z, f.value(z))) - slope) <= bound


def test_a_zero_gradient_from_above_gives_exactly_zero_whatever_the_slope() -> None:
    for activation in POINTWISE:
        assert delta_through(activation, INF, NAN, 0.0) == 0


# -- losses -----------------------------------------------------------------------------------------------------------
Z = [0.3, -1.2, 2.0]
AT_ONCE: dict[str, Callable[[list[float], list[float]], tuple[float, list[float]]]] = {
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "rbf_map": lambda z, t: rbf_map(z, t, 1.0),
}
SQUARED = {"mean": mean_squared, "half_sum": half_sum_squared}


def test_losses_here_are_all_there_are() -> None:
    assert {*AT_ONCE, "mse"} == set(LOSSES)
    assert set(SQUARED) == set(MSE_FORMS)


@pytest.mark.parametrize("name", [*AT_ONCE, *SQUARED])
@pytest.mark.parametrize("t", [[0, 1, 0], [1, 0, 0], [0.2, 0.5, 0.3], [0.9, 0.1, 0.7]])
@pytest.mark.parametrize("i", range(3))
def test_delta_is_the_slope_of_the_loss(name: str, t: list[float], i: int) -> None:
    loss = AT_ONCE[name] if name in AT_ONCE else SQUARED[name]
    assert loss(Z, t)[1][i] == pytest.approx(difference(lambda z_i: loss(with_one(Z, i, z_i), t)[0], Z[i]), abs=1e-9)


def test_softmax_sums_to_one_and_does_not_overflow() -> None:
    assert sum(softmax(Z)) == pytest.approx(1, abs=4 * U)
    assert softmax([1e308, 0.0, -1e308]) == [1.0, 0.0, 0.0]


def test_cross_entropy_is_minus_the_log_of_the_right_class() -> None:
    loss, delta = cross_entropy(Z, [0, 1, 0])
    assert loss == pytest.approx(-math.log(softmax(Z)[1]), rel=1e-14)
    assert delta == [p - t for p, t in zip(softmax(Z), [0, 1, 0], strict=True)]


def test_losses_of_a_certain_answer_stay_finite() -> None:
    assert cross_entropy([1000.0, -1000.0], [0, 1])[0] == 2000
    assert cross_entropy([1000.0, -1000.0], [1, 0]) == (0.0, [0.0, 0.0])
    assert binary_cross_entropy([800.0], [0]) == (800.0, [1.0])
    assert binary_cross_entropy([800.0], [1]) == (0.0, [0.0])
    assert cross_entropy([0.0, -INF], [1, 0]) == (0.0, [0.0, 0.0])
    assert binary_cross_entropy([INF, -INF], [1, 0]) == (0.0, [0.0, 0.0])
    loss, delta = rbf_map([5000.0, 6000.0], [1, 0], 1.0)
    assert loss == pytest.approx(4999, abs=1e-9)
    assert delta == [1.0, 0.0]


def test_rbf_map_is_equation_9_of_lecun_1998() -> None:
    y = [2.0, 0.5, 3.0]
    loss, delta = rbf_map(y, [0, 0, 1], 1.0)
    total = math.exp(-1) + sum(math.exp(-y_i) for y_i in y)
    assert loss == pytest.approx(3.0 + math.log(total), rel=1e-14)
    assert delta == pytest.approx([-math.exp(-2) / total, -math.exp(-0.5) / total, 1 - math.exp(-3) / total], rel=1e-14)


def test_squared_errors_of_whole_numbers_are_exact() -> None:
    assert mean_squared([1.0, 2.0], [3.0, -1.0]) == (6.5, [-2.0, 3.0])
    assert half_sum_squared([1.0, 2.0], [3.0, -1.0]) == (6.5, [-2.0, 3.0])
    assert mean_squared([1.0, 2.0, 0.0, 0.0], [3.0, -1.0, 0.0, 0.0]) == (3.25, [-1.0, 1.5, 0.0, 0.0])


def test_delta_through_softmax_is_the_whole_jacobian() -> None:
    g = [0.7, -0.2, 1.1]

    def value(z: list[float]) -> float:
        return sum(g_k * p_k for g_k, p_k in zip(g, softmax(z), strict=True))

    delta = delta_through_softmax(softmax(Z), g)
    for i in range(3):
        assert delta[i] == pytest.approx(difference(lambda z_i, i=i: value(with_one(Z, i, z_i)), Z[i]), abs=1e-9)  # type: ignore[misc]


@pytest.mark.parametrize("kind", LOSSES)
def test_every_loss_can_be_declared(kind: str) -> None:
    assert Loss(kind).kind == kind


def test_scaled_tanh_rounds_its_argument_once() -> None:
    """With 2/3 rounded before the product this value was 4.3 ulp off, and the permitted error is 4."""
    a = FUNCTIONS["scaled_tanh"].value(0.21680430415782712)
    with localcontext(prec=40):
        exact = Decimal("0.2462969478882698715913")
        assert abs(Decimal(a) - exact) < Decimal(math.ulp(a))
