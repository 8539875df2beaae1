import numpy as np
import pytest

from neurograph.errors import ParameterError, UnknownName
from neurograph.parameters import Parameters


def made() -> Parameters:
    return Parameters({"conv1.weight": np.arange(8.0).reshape(2, 1, 2, 2), "b": 0.5}, {"b": False})


def test_a_handed_out_array_is_a_read_only_snapshot():
    params = made()
    before = params["conv1.weight"]
    params["conv1.weight"] = np.zeros((2, 1, 2, 2))
    assert before[1, 0, 1, 1] == 7.0
    with pytest.raises(ValueError, match="read-only"):
        before[0, 0, 0, 0] = 1.0


def test_the_store_never_aliases_the_callers_array():
    mine = np.ones((2, 1, 2, 2))
    params = made()
    params["conv1.weight"] = mine
    mine[:] = 5.0
    assert params["conv1.weight"].max() == 1.0


def test_assigning_bumps_the_version_and_reading_does_not():
    params = made()
    first = params.version
    params["b"], _ = 1.0, params["conv1.weight"]
    assert params.version == first + 1


def test_values_of_another_shape_are_refused():
    with pytest.raises(ParameterError) as caught:
        made()["conv1.weight"] = [1, 2]
    assert str(caught.value) == "conv1.weight: values of shape (2,); its shape is (2, 1, 2, 2)."


def test_an_unknown_name_is_told_with_the_nearest():
    with pytest.raises(UnknownName) as caught:
        made()["conv1.wieght"]
    assert str(caught.value) == "no parameter 'conv1.wieght'; did you mean 'conv1.weight'? (known: conv1.weight, b)"


class Holder:
    """Has newer values than the store."""

    def __init__(self, params: Parameters, value: float) -> None:
        self.params, self.value, self.calls = params, value, 0

    def write_back(self) -> None:
        self.calls += 1
        self.params.adopt({"b": np.array(self.value)})


def test_a_reader_gets_what_the_holder_trained_and_asks_once():
    params = made()
    holder = Holder(params, 9.0)
    params.lend(holder)
    assert holder.calls == 0
    assert (float(params["b"]), float(params["b"])) == (9.0, 9.0)
    assert holder.calls == 1


def test_a_second_holder_makes_the_first_write_back():
    params = made()
    first, second = Holder(params, 1.0), Holder(params, 2.0)
    params.lend(first)
    params.lend(second)
    assert (first.calls, second.calls) == (1, 0)
    assert float(params["b"]) == 2.0


def test_a_file_returns_the_same_values_and_what_is_frozen(tmp_path):
    params = made()
    params.save(tmp_path / "w.safetensors")
    loaded = Parameters.load(tmp_path / "w.safetensors")
    assert list(loaded) == sorted(params) or set(loaded) == set(params)
    assert all(
        np.array_equal(loaded[name], params[name]) and loaded[name].shape == params[name].shape for name in params
    )
    assert loaded.trainable == params.trainable
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]


@pytest.mark.parametrize("content", [b"", b"\x00" * 40, b"<html>not found</html>"])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match="not a readable safetensors file"):
        Parameters.load(path)


def test_a_missing_file_is_said_so(tmp_path):
    with pytest.raises(ParameterError, match=r"none\.safetensors: no such file\."):
        Parameters.load(tmp_path / "none.safetensors")


def test_a_file_that_cannot_be_written_is_said_so_under_its_own_name(tmp_path):
    path = tmp_path / "none" / "w.safetensors"
    with pytest.raises(FileNotFoundError) as caught:
        made().save(path)
    assert caught.value.filename == str(path)


def test_arrays_that_are_taken_are_not_copied_and_stay_as_they_are():
    mine = np.ones((2, 3))
    params = Parameters.taking({"w": mine}, {"w": False})
    assert np.shares_memory(params["w"], mine)
    assert params.trainable == {"w": False}
    with pytest.raises(ValueError, match="read-only"):
        mine[0, 0] = 2.0


def test_what_was_read_stays_when_a_holder_writes_back_and_in_copies():
    params = made()
    before, copied = params["conv1.weight"], params.copy()
    params.adopt({"conv1.weight": np.zeros((2, 1, 2, 2), np.float32)})
    copied["b"] = 7.0
    assert before[1, 0, 1, 1] == copied["conv1.weight"][1, 0, 1, 1] == 7.0
    assert float(params["b"]) == 0.5
    for array in (before, params["conv1.weight"], copied["b"]):
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
