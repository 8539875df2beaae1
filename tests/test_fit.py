"""The training loop: every sample once an epoch, seeded, resumable, and honest about what it reports."""

from __future__ import annotations

import numpy as np
import pytest
from softmax_regression import SoftmaxRegression

import neurograph as ng
from neurograph.data import digits
from neurograph.errors import BatchError, LossError, TrainingError, UsageError
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.parameters import Parameters
from neurograph.reference import ReferenceEngine
from neurograph.training import SGD, Adam, History, fit
from neurograph.training.batches import batches, dropout_seed
from neurograph.training.fit import Progress, evaluate

X = np.random.default_rng(0).random((50, 6)).astype(np.float32)
Y = np.arange(50)
"""Targets that name their sample, so that a batch tells which samples it has."""


def named() -> SoftmaxRegression:
    return SoftmaxRegression(6, 50)


def test_an_epoch_sees_every_sample_once_and_a_last_partial_batch() -> None:
    engine = named()
    fit(engine, X, Y, epochs=2, batch_size=16)
    assert [len(batch) for batch in engine.seen] == [16, 16, 16, 2] * 2
    for epoch in (engine.seen[:4], engine.seen[4:]):
        assert sorted(label for batch in epoch for label in batch) == list(range(50))


def test_the_order_is_new_each_epoch_and_follows_from_the_seed() -> None:
    engines = [named() for _ in range(3)]
    for engine, seed in zip(engines, (0, 0, 1), strict=True):
        fit(engine, X, Y, epochs=2, batch_size=50, seed=seed)
    first, again, other = (engine.seen for engine in engines)
    assert first == again
    assert first[0] != first[1]
    assert first[0] != other[0]
    assert first[0] != sorted(first[0])


def test_inputs_and_targets_stay_together() -> None:
    class Checking(SoftmaxRegression):
        def train_step(self, x, target, *rest):  # type: ignore[no-untyped-def]
            np.testing.assert_array_equal(x, X[target])
            return super().train_step(x, target, *rest)

    fit(Checking(6, 50), X, Y, epochs=1, batch_size=7)


def test_every_step_has_a_dropout_seed_of_its_own() -> None:
    engine = named()
    fit(engine, X, Y, epochs=2, batch_size=10, seed=3)
    assert engine.seeds == [dropout_seed(3, step) for step in range(10)]
    assert len(set(engine.seeds)) == 10


def test_digits_are_learnt() -> None:
    (x, y), test = digits()
    engine = SoftmaxRegression(64, 10)
    history = fit(engine, x, y, epochs=10, batch_size=32, optimizer=SGD(0.5), validation=test)
    assert history.validation_accuracy[-1] is not None
    assert history.validation_accuracy[-1] > 0.9
    assert history.loss == sorted(history.loss, reverse=True)
    assert history.accuracy == [None] * 10


def test_loss_is_the_mean_per_sample_whatever_the_reduction() -> None:
    for reduction in ("mean", "sum"):
        history = fit(named(), X, Y, epochs=1, batch_size=16, optimizer=SGD(1e-12), reduction=reduction)
        assert history.loss == [pytest.approx(np.log(50), rel=1e-6)]


def test_without_validation_accuracy_is_measured_on_training_samples() -> None:
    engine = SoftmaxRegression(6, 50)
    history = fit(engine, X, Y, epochs=1)
    assert history.accuracy == [engine.evaluate(X, Y).accuracy]
    assert history.validation_loss == [None]


def test_linear_schedule_reaches_every_step() -> None:
    rates: list[float] = []
    optimizer = SGD(0.5)
    fit(
        named(),
        X,
        Y,
        epochs=2,
        batch_size=25,
        optimizer=optimizer,
        schedule="linear",
        on_step=lambda _: rates.append(optimizer.rate),
    )
    assert rates == [0.5, 0.375, 0.25, 0.125]
    assert optimizer.rate == 0.5


def test_steps_stop_amid_an_epoch() -> None:
    engine = named()
    history = fit(engine, X, Y, epochs=5, batch_size=10, steps=7)
    assert (len(engine.seen), history.step, len(history)) == (7, 7, 2)
    assert [epoch.samples for epoch in history.epochs] == [50, 20]


def test_an_epoch_that_steps_cut_short_stays_one() -> None:
    """More steps may be asked for later; there are never more epochs than were."""
    engine = named()
    short = fit(engine, X, Y, epochs=3, batch_size=10, steps=7)
    rates: list[float] = []
    optimizer = SGD(1.0)
    keep = lambda _: rates.append(optimizer.rate)  # noqa: E731
    options = {"epochs": 3, "batch_size": 10, "optimizer": optimizer, "schedule": "linear", "on_step": keep}
    longer = fit(engine, X, Y, history=short, steps=100, **options)
    assert [(epoch.epoch, epoch.step) for epoch in longer.epochs] == [(1, 5), (2, 7), (3, 12)]
    assert rates == [1 - step / 12 for step in range(7, 12)]


def test_limit_keeps_the_first_samples() -> None:
    engine = named()
    fit(engine, X, Y, epochs=1, batch_size=4, limit=10)
    assert sorted(label for batch in engine.seen for label in batch) == list(range(10))


@pytest.mark.parametrize("make", [lambda: SGD(0.5, momentum=0.9), lambda: Adam(0.01)], ids=["sgd", "adam"])
@pytest.mark.parametrize("schedule", ["constant", "linear"])
def test_going_on_from_a_history_gives_the_same_bits(make, schedule: str) -> None:  # type: ignore[no-untyped-def]
    (x, y), test = digits()
    options = {"epochs": 4, "batch_size": 100, "seed": 5, "schedule": schedule, "validation": test}
    whole = SoftmaxRegression(64, 10, keep=0.8)
    expected = fit(whole, x, y, optimizer=make(), **options)

    saved: list[tuple[Parameters, dict[str, np.ndarray], History]] = []
    first, optimizer = SoftmaxRegression(64, 10, keep=0.8), make()
    keep = lambda history: saved.append((first.params.copy(), optimizer.state(), History(list(history.epochs))))  # noqa: E731
    fit(first, x, y, optimizer=optimizer, on_epoch=keep, **options)
    for params, state, history in saved:
        second, optimizer = SoftmaxRegression(64, 10, keep=0.8), make()
        second.params.update(params)
        optimizer.load_state(state)
        found = fit(second, x, y, optimizer=optimizer, history=history, **options)
        assert {name: second.params[name].tobytes() for name in whole.params} == {
            name: whole.params[name].tobytes() for name in whole.params
        }
        assert found.loss == expected.loss
        assert found.validation_loss == expected.validation_loss


def test_progress_tells_where_training_stands() -> None:
    seen: list[Progress] = []
    fit(named(), X, Y, epochs=2, batch_size=20, on_step=seen.append)
    assert [(p.epoch, p.n_epochs, p.step, p.n_steps, p.batch, p.n_batches, p.samples) for p in seen] == [
        (1, 2, 1, 6, 1, 3, 20),
        (1, 2, 2, 6, 2, 3, 40),
        (1, 2, 3, 6, 3, 3, 50),
        (2, 2, 4, 6, 1, 3, 20),
        (2, 2, 5, 6, 2, 3, 40),
        (2, 2, 6, 6, 3, 3, 50),
    ]
    assert all(p.seconds > 0 for p in seen)


def test_a_loss_that_is_not_finite_stops_training() -> None:
    class Exploding(SoftmaxRegression):
        def train_step(self, *arguments):  # type: ignore[no-untyped-def]
            super().train_step(*arguments)
            return float("inf") if len(self.seen) == 5 else 1.0

    with pytest.raises(TrainingError) as caught:
        fit(Exploding(6, 50), X, Y, epochs=3, batch_size=20)
    assert str(caught.value) == (
        "epoch 2, batch 2 of 3: the loss is inf, no longer a finite number. "
        "Lower the learning rate, or look for values that are not numbers in the data."
    )


def test_evaluate_in_portions_equals_evaluate_at_once() -> None:
    (x, y), _ = digits()
    engine = SoftmaxRegression(64, 10)
    fit(engine, x, y, epochs=1)
    at_once, in_portions = engine.evaluate(x, y), evaluate(engine, x, y)
    assert in_portions.loss == pytest.approx(at_once.loss, rel=1e-12)
    assert in_portions.accuracy == pytest.approx(at_once.accuracy)
    assert in_portions.n_samples == len(x) == 1437


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": -1}, "epochs: found -1; expected a whole number of at least 0."),
        ({"epochs": 1.5}, "epochs: found 1.5; expected a whole number of at least 0."),
        ({"batch_size": 0}, "batch_size: found 0; expected a whole number of at least 1."),
        ({"seed": -1}, "seed: found -1; expected a whole number of at least 0."),
        ({"limit": 0}, "limit: found 0; expected a whole number of at least 1."),
        (
            {"schedule": "cosin"},
            "unknown schedule 'cosin'; did you mean 'cosine'? (known: constant, linear, step, plateau, cosine, exponential)",
        ),
    ],
)
def test_wrong_arguments_are_refused(options, message: str) -> None:  # type: ignore[no-untyped-def]
    engine = named()
    with pytest.raises(UsageError) as caught:
        fit(engine, X, Y, **options)
    assert str(caught.value) == message
    assert engine.seen == []


def test_wrong_data_is_refused() -> None:
    with pytest.raises(BatchError) as caught:
        fit(named(), X, Y[:-1])
    assert str(caught.value) == "as many inputs as targets are needed; found x: 50, y: 49."
    with pytest.raises(BatchError, match="there are no samples to train on"):
        fit(named(), X[:0], Y[:0])
    with pytest.raises(LossError, match="unknown reduction"):
        fit(named(), X, Y, reduction="median")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_first_value_that_is_not_finite_is_named(bad: float) -> None:
    x = np.zeros((6000, 1, 2, 3), np.float32)
    x[5000, 0, 1, 2] = x[5001, 0, 0, 0] = bad
    engine = named()
    with pytest.raises(BatchError) as caught:
        fit(engine, x, np.zeros(6000, int))
    expected = f"x[5000, 0, 1, 2]: found {bad}; training needs finite numbers. Mend or leave out that sample."
    assert str(caught.value) == expected
    assert engine.seen == []


def test_batches_need_no_memory_of_earlier_epochs() -> None:
    later = [rows.tolist() for rows in batches(9, 4, seed=1, epoch=3)]
    for epoch in range(3):
        list(batches(9, 4, seed=1, epoch=epoch))
    assert later == [rows.tolist() for rows in batches(9, 4, seed=1, epoch=3)]


def test_several_inputs_and_heads_are_dictionaries() -> None:
    """The textbook engine learns y = 2·x1 − x2 from inputs given by name."""
    g = NeuronGraph()
    for node in ("x1", "x2"):
        g.add_input(node)
    g.add_neuron("o")
    g.connect("x1", "o", weight="w1")
    g.connect("x2", "o", weight="w2")
    g.set_outputs(["o"], loss="mse", form="half_sum")
    textbook = ReferenceEngine(g, Parameters({"w1": 0.0, "w2": 0.0}))
    x = np.random.default_rng(1).normal(size=(40, 2))
    history = fit(textbook, {"input": x}, (x @ [2.0, -1.0])[:, None], epochs=20, batch_size=8, optimizer=SGD(0.5))
    assert [float(textbook.params[name]) for name in ("w1", "w2")] == pytest.approx([2.0, -1.0], abs=1e-6)
    assert history.accuracy == [None] * 20


def test_an_optimizer_may_be_a_word_and_mistakes_are_told() -> None:
    def engine() -> ng.Program:
        topology = ng.lay_out(ng.load("xor"))
        return ng.compile(topology, ng.initialise(topology, seed=1))

    x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
    word, object_ = engine(), engine()
    ng.fit(word, x, y, epochs=2, optimizer="adam")
    ng.fit(object_, x, y, epochs=2, optimizer=ng.Adam())
    assert all((word.params[name] == object_.params[name]).all() for name in word.params)
    assert ng.fit(engine(), x, y, epochs=2, batch_size=1, optimizer="gd").step == 2  # all samples in one batch
    with pytest.raises(UsageError, match="unknown optimizer 'adm'; did you mean 'adam'"):
        ng.fit(engine(), x, y, optimizer="adm")
    with pytest.raises(UsageError, match=r"found the class Adam; give an optimizer, such as Adam\(\)"):
        ng.fit(engine(), x, y, optimizer=ng.Adam)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"validation: found list; expected a pair \(xv, yv\)"):
        ng.fit(engine(), x, y, validation=x)  # type: ignore[arg-type]
