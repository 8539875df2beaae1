"""The spec language: what a file may say, and how it is read."""

from neurograph.spec.library import bundled as bundled
from neurograph.spec.load import load as load
from neurograph.spec.model import Spec as Spec
