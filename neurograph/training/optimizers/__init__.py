"""Optimisers: how gradients change the weights. Formulas as PyTorch has them, or as the lectures write them.

`base` has what all of them share: penalties on weights (`penalties`), clipped gradients (`clipping`), and what is remembered
between steps. `descent` has gradient descent with its momenta, `adaptive` AdaGrad and RMSProp, `adam` Adam and AdamW; `choose`
makes one from the words of a spec.
"""

from neurograph.training.optimizers.adam import Adam as Adam
from neurograph.training.optimizers.adam import AdamW as AdamW
from neurograph.training.optimizers.adaptive import AdaGrad as AdaGrad
from neurograph.training.optimizers.adaptive import RMSProp as RMSProp
from neurograph.training.optimizers.base import Optimizer as Optimizer
from neurograph.training.optimizers.base import Rule as Rule
from neurograph.training.optimizers.choose import OPTIMIZERS as OPTIMIZERS
from neurograph.training.optimizers.choose import choose as choose
from neurograph.training.optimizers.choose import optimizer_of as optimizer_of
from neurograph.training.optimizers.descent import SGD as SGD
from neurograph.training.optimizers.penalties import Penalty as Penalty
