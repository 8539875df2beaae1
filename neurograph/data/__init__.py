"""Data sets (bundled digits, MNIST and its family, CIFAR-10, folders and .npz files of one's own), and how samples reach an input.

`digits()`, `mnist()` and their like give ``((x, y), (xt, yt))``: x float32 (n, channels, rows, columns) in [0, 1], y integers (n,).
"""

from neurograph.data.augment import Augment as Augment
from neurograph.data.digits import digits as digits
from neurograph.data.mnist import fashion_mnist as fashion_mnist
from neurograph.data.mnist import kmnist as kmnist
from neurograph.data.mnist import mnist as mnist
from neurograph.data.prepare import prepare as prepare
from neurograph.data.sets import Dataset as Dataset
from neurograph.data.sets import load_data as load_data
