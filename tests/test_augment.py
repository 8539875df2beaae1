"""Augmentation: exact where it can be computed by hand, the same for the same seed, epoch and row, and refused where it makes no sense."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neurograph as ng
from neurograph.data import Augment
from neurograph.data.affine import inverse_maps
from neurograph.data.augment import PURPOSES
from neurograph.data.augment_options import PRESETS
from neurograph.data.augment_prepared import PreparedAugment
from neurograph.errors import BatchError, DataError, UsageError
from neurograph.kernels import resample, resample_numpy
from neurograph.kernels.jit import COMPILED

RNG = np.random.default_rng(7)
SQUARE = RNG.random((3, 2, 6, 6), dtype=np.float32)
WIDE = RNG.random((3, 1, 4, 7), dtype=np.float32)
ZERO = np.zeros(2, dtype=np.float32)


def through(x: np.ndarray, is_edge: bool = False, fill: float = 0.0, **change: Any) -> np.ndarray:
    maps = np.tile(inverse_maps(x.shape[2:], **change), (len(x), 1))
    return resample.resampled(x, maps, None, np.full(x.shape[1], fill, x.dtype), is_edge)


# -- one change at a time, by hand -------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("quarters", range(-4, 5))
def test_quarter_turns_are_exact(quarters: int, dtype: type) -> None:
    x = SQUARE.astype(dtype)
    np.testing.assert_array_equal(through(x, angle=90.0 * quarters), np.rot90(x, quarters, axes=(2, 3)))


@pytest.mark.parametrize(("columns", "rows"), [(0, 0), (2, 0), (0, -1), (-3, 2), (7, 0), (0, 40)])
def test_shifts_by_whole_pixels_are_exact(columns: int, rows: int) -> None:
    expected = np.full_like(WIDE, 0.5)
    for i in range(4):
        for j in range(7):
            if 0 <= i - rows < 4 and 0 <= j - columns < 7:
                expected[:, :, i, j] = WIDE[:, :, i - rows, j - columns]
    np.testing.assert_array_equal(through(WIDE, fill=0.5, columns=columns, rows=rows), expected)


def test_mirrors_are_exact() -> None:
    np.testing.assert_array_equal(through(WIDE, width=-1.0), WIDE[:, :, :, ::-1])
    np.testing.assert_array_equal(through(WIDE, height=-1.0), WIDE[:, :, ::-1])


def test_half_a_pixel_is_the_mean_of_two() -> None:
    moved = through(WIDE, columns=0.5)
    np.testing.assert_allclose(moved[..., 1:], (WIDE[..., 1:] + WIDE[..., :-1]) / 2, rtol=1e-6)
    np.testing.assert_allclose(moved[..., 0], WIDE[..., 0] / 2, rtol=1e-6)


def test_a_border_that_goes_on() -> None:
    moved = through(WIDE, is_edge=True, columns=2, rows=-1)
    np.testing.assert_array_equal(moved[:, :, :3, 2:], WIDE[:, :, 1:, :-2])
    np.testing.assert_array_equal(moved[:, :, 3, 2:], WIDE[:, :, 3, :-2])
    np.testing.assert_array_equal(moved[:, :, :3, 0], WIDE[:, :, 1:, 0])


def test_sizes_shears_and_turns_move_a_point_where_geometry_says() -> None:
    """Source of the result's point (column, row) = (4, 1), from the centre of 7×5 at (3, 2): (1, −1), that is up and to the right."""

    def source(**change: float) -> list[float]:
        a, b, c, d, e, f = inverse_maps((5, 7), **change)[0]
        return [a * 4 + b * 1 + c, d * 4 + e * 1 + f]

    assert source() == [4, 1]
    assert source(width=2.0, height=0.5) == [3.5, 0]  # twice as wide: half as far from the centre
    assert source(shear=45.0) == pytest.approx([3, 1])  # leans right: what is one row up came from one column left
    assert source(angle=45.0) == pytest.approx([3 + np.sqrt(2), 2])  # counter-clockwise: up-right came from the right
    assert source(columns=1.5, rows=-1.0) == [2.5, 2]


def test_changes_are_composed_in_the_order_that_is_documented() -> None:
    """Size, shear, turn, shift: the product of the single maps, each about the centre."""

    def matrix(**change: float) -> np.ndarray:
        return np.vstack([inverse_maps((5, 9), **change)[0].reshape(2, 3), [0, 0, 1]])

    together = matrix(angle=33.0, shear=12.0, width=1.2, height=-0.7, columns=1.5, rows=-2.0)
    apart = matrix(width=1.2, height=-0.7) @ matrix(shear=12.0) @ matrix(angle=33.0) @ matrix(columns=1.5, rows=-2.0)
    np.testing.assert_allclose(together, apart, atol=1e-12)


# -- kernels and their twins -------------------------------------------------------------------------------------------
@given(
    seed=st.integers(0, 2**32),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
    is_edge=st.booleans(),
    is_elastic=st.booleans(),
)
def test_kernels_agree_with_numpy(seed: int, shape: tuple[int, ...], is_edge: bool, is_elastic: bool) -> None:
    rng = np.random.default_rng(seed)
    x, fill = rng.random(shape, dtype=np.float32), rng.random(shape[1], dtype=np.float32)
    maps = np.array([1, 0, 0, 0, 1, 0]) + rng.normal(0, 0.5, (len(x), 6))
    keys, taps = rng.integers(0, 2**64, len(x), dtype=np.uint64), np.array([0.25, 0.5, 0.25], dtype=np.float32)
    fields = resample.displacements(keys, shape[2:], taps, 5.0)  # type: ignore[arg-type]
    np.testing.assert_allclose(fields, resample_numpy.displacements(keys, shape[2:], taps, 5.0), atol=1e-5)
    given_fields = fields if is_elastic else None
    found = resample.resampled(x, maps, given_fields, fill, is_edge)
    np.testing.assert_allclose(found, resample_numpy.resampled(x, maps, given_fields, fill, is_edge), atol=2e-5)
    assert min(x.min(), fill.min()) - 1e-6 <= found.min() <= found.max() <= max(x.max(), fill.max()) + 1e-6
    noisy, twin = x.copy(), x.copy()
    resample.add_noise(noisy, keys, fill)
    resample_numpy.add_noise(twin, keys, fill)
    np.testing.assert_allclose(noisy, twin, atol=1e-6)


def test_noise_has_the_strength_that_was_asked_for() -> None:
    x = np.zeros((50, 2, 20, 20), dtype=np.float32)
    noise = Augment(noise=0.2)(x, np.arange(50), 0)
    assert noise.std() == pytest.approx(0.2, rel=0.01)
    assert abs(noise.mean()) < 0.003
    assert np.abs(noise).max() <= 0.2 * 3.47
    assert abs(np.corrcoef(noise[:, 0].ravel(), noise[:, 1].ravel())[0, 1]) < 0.02


def test_displacements_are_smooth_and_as_large_as_simard_has_them() -> None:
    """Uniform in ±1, blurred by σ: deviation α·√(1/3) / (2σ√π)."""
    taps = np.exp(-0.5 * (np.arange(-12, 13) / 4) ** 2)
    fields = resample.displacements(
        np.arange(200, dtype=np.uint64), (28, 28), (taps / taps.sum()).astype(np.float32), 34.0
    )
    inner = fields[:, :, 12:16, 12:16]
    assert inner.std() == pytest.approx(34 * np.sqrt(1 / 3) / (2 * 4 * np.sqrt(np.pi)), rel=0.1)
    assert np.abs(np.diff(fields, axis=3)).max() < 0.25 * np.abs(fields).max()


# -- what a sample becomes ---------------------------------------------------------------------------------------------
EVERYTHING = Augment(preset="lecture", crop=2, elastic=8, noise=0.1, seed=5)


@given(
    rows=st.lists(st.integers(0, 10**6), min_size=1, max_size=12, unique=True),
    epoch=st.integers(0, 1000),
    data=st.data(),
)
def test_a_sample_depends_on_seed_epoch_and_row_alone(rows: list[int], epoch: int, data: st.DataObject) -> None:
    x = np.random.default_rng(1).random((len(rows), 1, 8, 8), dtype=np.float32)
    together = EVERYTHING(x, np.array(rows), epoch)
    order = np.array(data.draw(st.permutations(range(len(rows)))))
    shuffled = EVERYTHING(x[order], np.array(rows)[order], epoch)
    np.testing.assert_array_equal(shuffled, together[order])
    alone = EVERYTHING(x[:1], np.array(rows[:1]), epoch)
    np.testing.assert_array_equal(alone, together[:1])


def test_threads_at_once_give_the_same_bits() -> None:
    x, rows = RNG.random((64, 1, 16, 16), dtype=np.float32), np.arange(64)
    expected = EVERYTHING(x, rows, 3).tobytes()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: EVERYTHING(x, rows, 3).tobytes(), range(12)))
    assert set(found) == {expected}


def test_seeds_epochs_and_rows_differ() -> None:
    x = np.tile(RNG.random((1, 1, 8, 8), dtype=np.float32), (2, 1, 1, 1))
    one = Augment(rotation=30, seed=1)
    first = one(x, np.array([0, 1]), 0)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, one(x, np.array([0, 1]), 1))
    assert not np.array_equal(first, Augment(rotation=30, seed=2)(x, np.array([0, 1]), 0))


def test_what_one_option_does_never_depends_on_another() -> None:
    x, rows = RNG.random((4, 1, 8, 8), dtype=np.float32), np.arange(4)
    both = Augment(rotation=20, translation=1).maps((8, 8), Augment()._drawn(rows, 0))
    alone = Augment(rotation=20).maps((8, 8), Augment(seed=0)._drawn(rows, 0))
    np.testing.assert_array_equal(both[:, [0, 1, 3, 4]], alone[:, [0, 1, 3, 4]])
    assert not np.array_equal(Augment(noise=0.1)(x, rows, 0), Augment(noise=0.1, rotation=20)(x, rows, 0))


def test_ranges_are_kept_and_filled() -> None:
    augment = Augment(preset="lecture")
    rows = np.arange(4000)
    u = {name: bits / 2.0**64 for name, bits in augment._drawn(rows, 0).items()}
    assert len(PURPOSES) == len(u)
    correlations = np.corrcoef(np.stack(list(u.values()))) - np.eye(len(u))
    assert np.abs(correlations).max() < 0.06
    assert all(0.48 < values.mean() < 0.52 for values in u.values())
    maps = augment.maps((28, 28), augment._drawn(rows, 0))
    area = (
        np.abs(maps[:, 0] * maps[:, 4] - maps[:, 1] * maps[:, 3]) ** -0.5
    )  # the factor of size; stretch and shear keep areas
    assert 1 / 1.6 <= area.min() < 0.63 < 1.59 < area.max() <= 1.6 + 1e-9
    assert np.median(area) == pytest.approx(1, abs=0.03)  # twice and half as large are equally likely


def test_crops_are_whole_pixels_everywhere() -> None:
    augment = Augment(crop=2)
    maps = augment.maps((8, 8), augment._drawn(np.arange(500), 0))
    np.testing.assert_array_equal(maps[:, [0, 1, 3, 4]], np.tile([1, 0, 0, 1], (500, 1)))
    assert {(c, f) for _, _, c, _, _, f in maps} == {(c, f) for c in range(-2, 3) for f in range(-2, 3)}


def test_nothing_asked_changes_nothing_and_the_given_array_never_changes() -> None:
    x = SQUARE.copy()
    assert Augment()(x, np.arange(3), 0) is x
    assert Augment(preset="digits", rotation=0, translation=0, rescale=1, stretch=1, shear=0).changes_nothing
    EVERYTHING(x, np.arange(3), 0)
    Augment(noise=1)(x, np.arange(3), 0)
    np.testing.assert_array_equal(x, SQUARE)


# -- options -----------------------------------------------------------------------------------------------------------
def test_presets_give_ranges_and_options_go_before_them() -> None:
    lecture = Augment(preset="lecture")
    assert lecture.rotation == (0.0, 360.0)
    assert (lecture.translation, lecture.rescale) == ((-10.0, 10.0), (1 / 1.6, 1.6))
    assert (lecture.shear, lecture.stretch) == ((-20.0, 20.0), (1 / 1.3, 1.3))
    assert (lecture.flip_horizontal, lecture.flip_vertical) == (True, True)
    assert Augment(preset="lecture", flip_vertical=False, rotation=(-5, 5)).rotation == (-5.0, 5.0)
    for name in PRESETS:
        assert Augment(preset=name).seed == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "digit"}, "unknown preset 'digit'; did you mean 'digits'? (known: digits, photos, lecture)"),
        ({"rotation": -5}, "rotation = -5; expected one number from 0 to 3600, or two (least, most)."),
        ({"rotation": "10"}, "rotation = '10'; expected one number from 0 to 3600, or two (least, most)."),
        ({"rotation": (5, -5)}, "rotation = [5, -5]; expected one number from 0 to 3600, or two (least, most)."),
        ({"rotation": (1, 2, 3)}, "rotation = (1, 2, 3); expected one number from 0 to 3600, or two (least, most)."),
        ({"rescale": 0.5}, "rescale = 0.5; expected one number from 1 to 100, or two (least, most)."),
        ({"rescale": (0, 2)}, "rescale = [0, 2]; expected one number from 1 to 100, or two (least, most)."),
        ({"shear": 90}, "shear = 90; expected one number from 0 to 80, or two (least, most)."),
        ({"stretch": float("nan")}, "stretch = nan; expected one number from 1 to 100, or two (least, most)."),
        ({"flip_vertical": 1}, "flip_vertical = 1; expected true or false."),
        ({"crop": 1.5}, "crop = 1.5; expected a whole number of at least 0."),
        ({"noise": -0.1}, "noise = -0.1; expected a number from 0 to 1000."),
        ({"elastic_sigma": 0}, "elastic_sigma = 0; expected a number from 0.1 to 1000."),
        ({"fill": "black"}, "fill = 'black'; expected a number, or \"edge\"."),
        ({"seed": -1}, "seed = -1; expected a whole number of at least 0."),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Augment(**options)
    assert str(caught.value) == f"augment: {message}"


@pytest.mark.parametrize("x", [np.zeros((2, 64), np.float32), np.zeros((2, 1, 8, 8), np.uint8), [[1.0]]])
def test_only_images_are_augmented(x: Any) -> None:
    with pytest.raises(BatchError, match="only images can be augmented"):
        Augment(rotation=5)(x, np.arange(2), 0)


def test_sequences_may_have_noise_and_nothing_else() -> None:
    assert PreparedAugment(Augment(noise=0.1), (1, 1, 40)).augment.noise == 0.1
    with pytest.raises(DataError, match="samples of 1×40 are sequences; only images can be turned, moved"):
        PreparedAugment(Augment(rotation=10), (1, 1, 40))


def test_cautions_tell_what_does_not_fit() -> None:
    assert Augment(preset="digits").cautions("mnist", (28, 28)) == []
    assert Augment(preset="lecture").cautions("cifar-10", (69, 69)) == []
    assert len(Augment(preset="lecture").cautions("kmnist", (28, 28))) == 3
    assert Augment(crop=4).cautions(None, (8, 8)) == [
        "augment: translation up to 4 pixels can push most of an image of 8×8 out of the picture: stay within 2."
    ]


@pytest.mark.skipif(not COMPILED, reason="trains, which takes minutes without the JIT")
def test_fit_takes_it_and_gives_the_same_weights_again() -> None:
    (x, y), _ = ng.data.digits()
    topology = ng.lay_out(ng.load("digits"))

    def trained(**options: Any) -> ng.Parameters:
        program = ng.compile(topology, ng.initialise(topology, seed=0), dtype="float32", threads=1)
        augment = options.pop("augment", Augment(preset="digits", seed=2))
        ng.fit(program, x[:64], y[:64], epochs=2, batch_size=16, optimizer=ng.SGD(0.05), augment=augment, **options)
        return program.params

    first, again, plain = trained(), trained(), trained(augment=None)
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    assert any(not np.array_equal(first[name], plain[name]) for name in first)
