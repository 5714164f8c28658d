"""How a row's work ended.  A closed set: a physics failure is a row with a status, never a lost row."""

from enum import StrEnum


class Status(StrEnum):
    """The end of a trial, a minimisation or a single point."""

    OK = "ok"
    """The work was done; for a minimisation: converged."""

    OVERLAP = "overlap"
    """A trial whose molecules could not be separated within the allowed expansion."""

    UNPHYSICAL_CELL = "unphysical_cell"
    """A trial whose cell angles or volume are out of bounds."""

    SKIPPED = "skipped"
    """Not attempted, because the row it comes from failed, or because nothing was asked for."""

    STOPPED = "stopped"
    """A trial that was not minimised, because its series had reached the coverage asked for."""

    COLLAPSED = "collapsed"
    """A minimisation that fell through the repulsive wall of the potential."""

    ESCAPED = "escaped"
    """A minimisation whose crystal flew apart or whose cell left the allowed bounds."""

    STEP_LIMIT = "step_limit"
    """A minimisation that did not converge within the allowed number of steps."""

    STALLED = "stalled"
    """A minimisation whose line search found no lower energy before convergence."""

    SCF_FAILED = "scf_failed"
    """A single point whose self-consistency was not reached by any remedy."""

    UNTRUSTED = "untrusted"
    """A single point whose energy failed a sanity check."""

    BROKEN = "broken"
    """A molecule whose bonds changed while its geometry was optimised."""
