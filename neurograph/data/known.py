"""The data sets neurograph knows by name: what they are, where they are looked for, and how they were published.

Checksums are those that TensorFlow Datasets and torchvision publish for the same files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""Files of MNIST and its family."""


class Published(NamedTuple):
    """A file as it was published: its size and SHA-256, compressed."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Known:
    """A data set with a name.

    Attributes
    ----------
    name, title, about : str
        As users write it, as people write it, and a line about it.
    shape : tuple of int
        Of a sample: channels, rows, columns.
    classes : tuple of str
    variable : str
        The environment variable that may name its folder; empty for what is bundled.
    mirrors : tuple of str
        Addresses that files are fetched below, the first that answers.
    files : tuple of Published
    licence : str
    """

    name: str
    title: str
    about: str
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    variable: str = ""
    mirrors: tuple[str, ...] = ()
    files: tuple[Published, ...] = ()
    licence: str = ""

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.files)


FIGURES = tuple("0123456789")

DIGITS = Known(
    "digits",
    "digits",
    "1,797 handwritten digits of 8×8 pixels, bundled",
    (1, 8, 8),
    FIGURES,
    licence="CC BY 4.0",
)

MNIST = Known(
    "mnist",
    "MNIST",
    "60,000 + 10,000 handwritten digits of 28×28 pixels",
    (1, 28, 28),
    FIGURES,
    "NEUROGRAPH_MNIST",
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    (
        Published(f"{IDX_NAMES[0]}.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        Published(f"{IDX_NAMES[1]}.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        Published(f"{IDX_NAMES[2]}.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        Published(f"{IDX_NAMES[3]}.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
    "CC BY-SA 3.0",
)

FASHION_MNIST = Known(
    "fashion-mnist",
    "Fashion-MNIST",
    "60,000 + 10,000 pieces of clothing of 28×28 pixels",
    (1, 28, 28),
    ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
    "NEUROGRAPH_FASHION_MNIST",
    ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    (
        Published(f"{IDX_NAMES[0]}.gz", 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        Published(f"{IDX_NAMES[1]}.gz", 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        Published(f"{IDX_NAMES[2]}.gz", 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        Published(f"{IDX_NAMES[3]}.gz", 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
    "MIT",
)

KMNIST = Known(
    "kmnist",
    "KMNIST",
    "60,000 + 10,000 handwritten hiragana of 28×28 pixels",
    (1, 28, 28),
    ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    "NEUROGRAPH_KMNIST",
    ("https://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    (
        Published(f"{IDX_NAMES[0]}.gz", 18_165_135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
        Published(f"{IDX_NAMES[1]}.gz", 29_497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
        Published(f"{IDX_NAMES[2]}.gz", 3_041_136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
        Published(f"{IDX_NAMES[3]}.gz", 5_120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
    ),
    "CC BY-SA 4.0",
)

CIFAR_10 = Known(
    "cifar-10",
    "CIFAR-10",
    "50,000 + 10,000 colour photographs of 32×32 pixels",
    (3, 32, 32),
    ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    "NEUROGRAPH_CIFAR_10",
    ("https://www.cs.toronto.edu/~kriz/",),
    (
        Published(
            "cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
        ),
    ),
    "not stated; A. Krizhevsky 2009",
)

KNOWN = {known.name: known for known in (DIGITS, MNIST, FASHION_MNIST, KMNIST, CIFAR_10)}
