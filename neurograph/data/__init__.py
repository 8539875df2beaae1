"""Data sets: the bundled digits, MNIST and its family (IDX files), and how samples are brought to a network's input.

`digits()` and `mnist()` give ``((x, y), (xt, yt))``: x float32 (n, channels, rows, columns) in [0, 1], y integers (n,).
"""

from neurograph.data.digits import digits as digits
from neurograph.data.mnist import mnist as mnist
from neurograph.data.prepare import prepare as prepare
from neurograph.data.sets import Dataset as Dataset
from neurograph.data.sets import load_data as load_data
