"""What can be fuzzed, by name."""

from __future__ import annotations

from fuzzing.checkpoint_files import CheckpointFiles
from fuzzing.cifar_folders import CifarFolders
from fuzzing.command_lines import CommandLines
from fuzzing.data_files import DataFiles
from fuzzing.idx_files import IdxFiles
from fuzzing.npz_files import NpzFiles
from fuzzing.spec_texts import SpecTexts
from fuzzing.watch import Target

TARGETS: dict[str, type[Target]] = {
    "specs": SpecTexts,
    "data": DataFiles,
    "idx": IdxFiles,
    "npz": NpzFiles,
    "cifar": CifarFolders,
    "checkpoints": CheckpointFiles,
    "commands": CommandLines,
}
