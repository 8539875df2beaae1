"""Bugs in what stands between a call and its kernels: contexts that stay set, files of machine code, two processes that compile."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, odd

FEW = ("tests/test_few.py",)
FIRST = ("tests/test_first_time.py",)

STARTS = (
    Mutant(
        "contexts stay set for a few samples though another batch came",
        "neurograph/compiler/contexts.py",
        """        self.aimed_at = None
        self._prepare(mode)
""",
        """        self._prepare(mode)
""",
        FEW,
    ),
    Mutant(
        "the samples of the first call are computed again",
        "neurograph/compiler/contexts.py",
        "few.x[:] = x",
        "pass",
        FEW,
    ),
    Mutant(
        "the next call writes into the last answer",
        "neurograph/compiler/runner.py",
        "return last.out.copy()",
        "return last.out",
        FEW,
    ),
    Mutant(
        "whatever was asked for last is asked for again",
        "neurograph/compiler/runner.py",
        "last.contexts.aimed_at is not last.few",
        "False",
        FEW,
    ),
    Mutant(
        "losses of single samples add up from call to call",
        "neurograph/compiler/runner.py",
        """        if mode & c.TARGETS:
            contexts.losses.fill(0)
        if self._shared""",
        "        if self._shared",
        FEW,
    ),
    Mutant(
        "compiled contexts of all slots start at the first block",
        "neurograph/compiler/contexts.py",
        "self._numbers[:slots] + blocks[0]",
        "blocks[0]",
        odd("conv-5"),
        jit=True,
    ),
    Mutant(
        "threads are handed the same rows",
        "neurograph/kernels/interpret.py",
        "get(rows, 0) + i * get(apart, 0)",
        "get(rows, 0)",
        ("tests/test_launching.py",),
        jit=True,
    ),
    Mutant(
        "how many threads Numba uses elsewhere is changed",
        "neurograph/compiler/launching.py",
        "_numbas_threads()[1](self.usual)",
        "pass",
        ("tests/test_launching.py",),
        jit=True,
    ),
    Mutant(
        "a negative class is taken from the end",
        "neurograph/compiler/reading.py",
        'classes.view(f"u{classes.itemsize}").max()',
        "classes.max()",
        ("tests/test_few.py",),
    ),
    Mutant(
        "a second process compiles what is there",
        "neurograph/kernels/first_time.py",
        "missing = [operation for operation in operations if not _is_kept(operation, dtype, width)]",
        "missing = list(operations)",
        FIRST,
    ),
    Mutant(
        "both processes begin at the same end",
        "neurograph/kernels/first_time.py",
        "_helper(jobs[::-1], dtype, width)",
        "_helper(jobs, dtype, width)",
        FIRST,
    ),
    Mutant(
        "what is no object file is called",
        "neurograph/kernels/jit.py",
        "if isinstance(kept, ObjectFile):",
        "if kept is not None:",
        ("tests/test_machine_code.py",),
        jit=True,
    ),
    Mutant(
        "an operation means for every width what it meant for the first",
        "neurograph/kernels/pipeline.py",
        "key = (function, tuple(arguments))",
        "key = function",
        ("tests/test_kernels.py",),
        jit=True,
    ),
)
