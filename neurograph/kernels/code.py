"""The integer language between `bind` and the interpreter: what an instruction is, and where its numbers stand.

An instruction is `FIELDS` integers. Neurons are numbered by their place in the arena; the arena has four planes of equal layout
(activations, pre-activations, errors and δ, winners), so one address serves all four. A *cell* is one neuron of a nest or one row
of a table: `CELL` integers. Taps are pairs (source, weight), relative to the cell's.
"""

from __future__ import annotations

FIELDS = 12
OP, WHEN, START, COUNT, TIED, LANES, TARGET_STEP, WEIGHT_STEP, BIAS_STEP, HOW, EXTRA, SHIFT = range(FIELDS)

CELL = 6
TARGET, SOURCE, WEIGHT, BIAS, TAPS, N_TAPS = range(CELL)

PIECE = 7
"""Integers of a piece, neurons in three nested loops: its first address, then (how many, how far apart) of each loop, innermost last."""

# -- what a context holds: pointers, and after them integers -----------------------------------------------------------------
N_CONTEXT = 58
(
    MEMORY,
    WEIGHTS,
    GRADIENT,
    CODE,
    TABLES,
    NUMBERS,
    INPUTS,
    TARGETS_GIVEN,
    MASKS,
    OUTPUT,
    INPUT_COLUMNS,
    TARGET_COLUMNS,
    MASK_COLUMNS,
    OUTPUT_COLUMNS,
    BATCH,
    MODE,
    END_BLOCK,
    BLOCK_STEP,
    IS_FIRST,
    IS_LAST,
    LOSS_SUM,
    KERNELS,
    SELF,
    N_INSTRUCTIONS,
    FIRST_BLOCK,
    PLANE,
    WIDTH,
    FIRST_SAMPLE,
    VALID,
    NEURON_STEP,
    SAMPLE_STEP,
    PASSES,
    PASS_STEP,
    BLOCK,
    SCRATCH,
    PLACES,
    PACKED,
    N_BEFORE,
    N_FIRST,
    N_LAST,
    PHASE,
    STATE,
    SECOND_STATE,
    RULE,
    FORM,
    RANGES,
    N_RANGES,
    N_SLOTS,
    KEPT,
    KEPT_COLUMNS,
    KEPT_ROWS,
    PART,
    N_PARTS,
    N_AFTER,
    SLOT_STEP,
    SLOTS,
    SHARE,
    N_SHARES,
) = range(N_CONTEXT)
"""The number of neuron i in sample s of a block stands at ``i·NEURON_STEP + s·SAMPLE_STEP`` of `MEMORY`.

Batch innermost: `NEURON_STEP` is the vector's width and `SAMPLE_STEP` 1, so a run of neurons is one stretch of memory for all samples
(`PASSES` = 1). Channels innermost: `NEURON_STEP` is 1 and samples lie `SAMPLE_STEP` apart, so a run of neurons is one stretch for
every valid sample (`PASSES` = `VALID` of them, `PASS_STEP` apart). `BLOCK` is how many samples a block has.

Updates: `STATE` and `SECOND_STATE` are what the optimiser remembers, `RULE` its numbers, `FORM` which one it is; `RANGES` holds pairs
(first weight, end), and part `PART` of `N_PARTS` takes its share of the stretches they are cut into. Gradients of `N_SLOTS` slots stand
`SLOT_STEP` apart. Of one large step several threads may each compute a share: `SHARE` of `N_SHARES` (0: all of it).

Instructions stand in five parts: `N_BEFORE` for one slot before all others begin, `N_FIRST` for every slot before its first block,
those of a block, `N_LAST` behind a slot's last, and `N_AFTER` when all slots are through. A call is of `PHASE` 1 for the first part and
2 for the last; else `IS_FIRST` and `IS_LAST` say which of the others belong to it.
"""

PLANE_A, PLANE_Z, PLANE_D, PLANE_WINNER = range(4)
N_PLANES = 4

# -- when an instruction runs: every bit it asks for must be set in the mode of the run --------------------------------------
BACKWARD, TRACE, DROPOUT, OUTPUTS, TARGETS, UPSTREAM, PROBABILITIES, SUM, STEP, LATER, SPREAD, QUIET = (
    1 << k for k in range(12)
)
"""Of a backward pass: `SUM` leaves every gradient to be added up. Where one instruction alone uses a weight, `STEP` (one sample) changes
it on the spot, and `LATER` keeps the numbers that its gradient is made of until all samples are through. `SPREAD`: not `STEP`. `QUIET`
is set where `TRACE` is not: what nobody will see may be left out."""

# -- how a cell begins and ends ----------------------------------------------------------------------------------------------
CONTINUE, WITH_BIAS, FINAL, KEEP_Z, RECTIFY, ROOT, ASSIGN, GATE, SOURCES_TOO = (1 << k for k in range(9))

# -- operations --------------------------------------------------------------------------------------------------------------
(
    LOAD_INPUT,
    FILL,
    COPY,
    COPY_BACK,
    DOT,
    DOT_SOURCES,
    DOT_WEIGHTS,
    MAX,
    MAX_BACK,
    SQUARES,
    SQUARES_BACK,
    DISTANCE,
    DISTANCE_BACK,
    ACTIVATE,
    SLOPE,
    GELU,
    GELU_SLOPE,
    SOFTMAX,
    SOFTMAX_BACK,
    CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY,
    SQUARED,
    RBF_MAP,
    UPSTREAM_GRADIENT,
    LOAD_MASK,
    EXPORT,
    LANES_DOT,
    LANES_SOURCES,
    LANES_SOURCES_ONE_BY_ONE,
    LANES_WEIGHTS,
    LANES_BIAS,
    RUN_DOT,
    RUN_SOURCES,
    RUN_WEIGHTS,
    WINNERS,
    PACK,
    UNPACK,
    CLEAR,
    LANES_STEP,
    LANES_POOLED,
    KEEP,
    APPLY,
    UPDATE,
    LANES_GATHER,
    STRIPS_DOT,
    STRIPS_SOURCES,
    STRIPS_WEIGHTS,
    STRIPS_WEIGHTS_ONCE,
) = range(48)
N_OPERATIONS = 48
HALF = N_OPERATIONS
"""Added to an operation: the same with vectors of half as many lanes."""
