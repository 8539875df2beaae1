"""Training: optimisers, schedules, the loop over epochs, and run folders. Nothing here prints; progress goes to callbacks."""

from neurograph.training.fit import fit as fit
from neurograph.training.history import Epoch as Epoch
from neurograph.training.history import History as History
from neurograph.training.optimizers import SGD as SGD
from neurograph.training.optimizers import Adam as Adam
from neurograph.training.runs import Run as Run
from neurograph.training.runs import load_run as load_run
