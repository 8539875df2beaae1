"""Training: optimisers, schedules, the loop over epochs, and run folders. Nothing here prints; progress goes to callbacks."""

from neurograph.training import schedules as schedules
from neurograph.training.fit import fit as fit
from neurograph.training.history import Epoch as Epoch
from neurograph.training.history import History as History
from neurograph.training.optimizers import SGD as SGD
from neurograph.training.optimizers import AdaGrad as AdaGrad
from neurograph.training.optimizers import Adam as Adam
from neurograph.training.optimizers import AdamW as AdamW
from neurograph.training.optimizers import RMSProp as RMSProp
from neurograph.training.runs import Run as Run
from neurograph.training.runs import load_run as load_run
