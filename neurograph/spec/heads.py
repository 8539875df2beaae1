"""Which head is trained for what: losses matched with the layers that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from neurograph.errors import Fault, LossError, suggest
from neurograph.ops.base import Laid
from neurograph.ops.losses import Loss
from neurograph.spec.model import MOST_FAULTS, LossSpec, Spec
from neurograph.spec.wording import first_of


def match_losses(
    spec: Spec, heads: Sequence[str], laid: Mapping[str, Laid], unread: frozenset[str] = frozenset()
) -> tuple[dict[str, Loss], list[Fault]]:
    """Losses by head, and what is wrong with them.

    Parameters
    ----------
    heads : sequence of str
        Layers that nobody reads.
    laid : mapping of str to Laid
        The layers that could be laid out.
    unread : frozenset of str
        Keys of the file of which something could not be read. Where layers are among them, heads are not certain.
    """
    losses: dict[str, Loss] = {}
    faults: list[Fault] = []
    are_heads = set(heads)
    for number, declared in enumerate(spec.losses):
        title = f"[loss] {declared.kind}"
        name = declared.of if declared.of is not None else (heads[0] if len(heads) == 1 else None)
        fits = name in are_heads and name not in losses
        if not fits and "layer" not in unread and heads:
            what = _not_a_head(name, heads, spec, losses)
            faults.append(Fault(spec.origin.where("loss", number, "of"), f"{title}: {what}"))
        if name is not None and fits:
            try:
                losses[name] = made(declared, name)
            except LossError as error:
                losses[name] = Loss(declared.kind, name)
                faults.append(fault_of(spec, number, error))
            at = spec.origin.where("loss", number, "kind")
            faults += [Fault(at, text) for text in _misfits(losses[name], name, laid)]
            faults += _faults_of_classes(spec, number, losses[name], name, laid)
        if len(faults) >= MOST_FAULTS:
            return losses, faults
    without = [name for name in heads if name not in losses]
    if losses and without and not unread & {"layer", "loss"}:
        what = f"the head '{without[0]}' has no loss; give every head a [[loss]] with of, or none."
        faults.append(Fault(spec.origin.where("loss", 0), f"[loss]: {what}"))
    return losses, faults


def made(declared: LossSpec, of: str | None) -> Loss:
    """The loss that a table declares, for one head."""
    low, high = declared.targets
    given = declared.class_weights
    weights = tuple(given) if isinstance(given, list) else given
    return Loss(
        declared.kind, of, declared.weight, declared.form, (low, high), declared.j, declared.label_smoothing, weights
    )


def fault_of(spec: Spec, number: int, error: LossError) -> Fault:
    """A loss's fault, at the line of the key that its message begins with."""
    key = str(error).split()[0].rstrip(":")
    return Fault(spec.origin.where("loss", number, key), f"[loss] {spec.losses[number].kind}: {error}")


def _faults_of_classes(spec: Spec, number: int, loss: Loss, name: str, laid: Mapping[str, Laid]) -> Iterator[Fault]:
    layer = laid.get(name)
    if layer is None or layer.kind is None:
        return
    n_units = layer.view.shape[0]
    try:
        loss.check_classes(name, n_units)
        _check_labels(spec.losses[number].labels, loss, name, n_units)
    except LossError as error:
        yield fault_of(spec, number, error)


def _check_labels(labels: list[int] | str | None, loss: Loss, name: str, n_units: int) -> None:
    if isinstance(labels, list) and max(labels) >= max(n_units, 2):
        raise LossError(f"labels: found class {max(labels)}; '{name}' has classes 0…{max(n_units, 2) - 1}.")
    if labels == "input" and loss.kind not in ("mse", "binary_cross_entropy"):
        raise LossError(
            f"labels = \"input\" goes with mse and binary_cross_entropy; the loss of '{name}' is {loss.kind}."
        )


def _not_a_head(name: str | None, heads: Sequence[str], spec: Spec, losses: Mapping[str, Loss]) -> str:
    listed = first_of(heads)
    if name is None:
        return f"the network has the heads {listed}; say which with of."
    if name in losses:
        return f"'{name}' has a loss already; a head has one."
    if name in {layer.name for layer in spec.layers}:
        return f"'{name}' is no head, because another layer reads it (heads: {listed})."
    return f"no layer '{name}'{suggest(name, heads)} (heads: {listed})"


def _misfits(loss: Loss, name: str, laid: Mapping[str, Laid]) -> Iterator[str]:
    layer = laid.get(name)
    if layer is None or layer.kind is None:
        return
    try:
        loss.check(name, layer.kind, layer.activation)
    except LossError as error:
        yield str(error)


def faults_of_softmax(spec: Spec, heads: Sequence[str], laid: Mapping[str, Laid]) -> Iterator[Fault]:
    """Heads without neurons, and softmax on layers that another layer reads."""
    are_heads = set(heads)
    for number, layer in enumerate(spec.layers):
        found = laid.get(layer.name)
        if found is None:
            continue
        title = f"{layer.kind} '{layer.name}'"
        if layer.name in are_heads and found.kind is None:
            what = "it makes no neurons and nobody reads it; a head needs neurons. Remove it."
            yield Fault(spec.origin.where("layer", number), f"{title}: {what}")
        if layer.name not in are_heads and found.activation == "softmax":
            what = "softmax is for heads only, and another layer reads this one."
            yield Fault(spec.origin.where("layer", number, "activation"), f"{title}: {what}")
