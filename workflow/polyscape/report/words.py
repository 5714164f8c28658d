"""Numbers and findings in words: rounded to what they are worth, missing values said as such."""

import re

from polyscape.report.model import KnownForm, ReportData, Structure

MISSING = "–"
ZERO_OF_SALTS = (
    "Lattice energies in the files count from the isolated ions, whose energies in finite boxes are known to about "
    "1 kJ/mol. This zero is one constant of a level: no difference between structures and no rank depends on it."
)


def number(value: float | None, digits: int = 2) -> str:
    """A number with a true minus sign, or a dash for a missing one."""
    if value is None:
        return MISSING
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "\N{MINUS SIGN}")


def capital(text: str) -> str:
    """A text with a capital first letter."""
    return text[:1].upper() + text[1:]


def with_sd(value: float, sd: float, digits: int = 2) -> str:
    """``1.23 ± 0.45``; a standard deviation that rounds to nothing is left out."""
    return (
        number(value, digits) if round(sd, digits) == 0 else f"{number(value, digits)} ± {number(sd, digits)}"
    )


def probability(value: float) -> str:
    """A probability to two digits; never a flat 0 or 1, which a finite number of draws cannot show."""
    if value < 0.01:
        return "< 0.01"
    return "> 0.99" if value > 0.99 else f"{value:.2f}"


def certainty(structure: Structure) -> str:
    """``P(rank 1) = 0.24``, or ``P(rank 1) < 0.01``."""
    text = probability(structure.p_rank_1)
    return f"P(rank 1) {text}" if text[0] in "<>" else f"P(rank 1) = {text}"


def duration(core_s: float | None) -> str:
    """A CPU time in the unit that fits it."""
    if core_s is None:
        return MISSING
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if core_s >= size:
            return f"{core_s / size:.3g} {unit}" if core_s / size < 1000 else f"{core_s / size:,.0f} {unit}"
    return f"{core_s:.3g} s"


def percent(part: float, whole: float) -> str:
    """A share in per cent with two significant digits."""
    if whole <= 0:
        return MISSING
    share = 100.0 * part / whole
    return f"{share:,.0f} %" if share >= 10 else f"{share:.2g} %"


def interval(structure: Structure) -> str:
    """The rank interval of a structure."""
    low, high = structure.rank_low, structure.rank_high
    return f"{low}" if low == high else f"{low}–{high}"


def z_prime(value: float) -> str:
    """Z' as a chemist writes it."""
    return {0.5: "½", 0.25: "¼", 0.125: "⅛", 1.5: "1½"}.get(value, f"{value:g}")


def cell(structure: Structure) -> str:
    """Cell lengths and angles on one line."""
    a, b, c, alpha, beta, gamma = structure.cell
    return f"{a:.3f} × {b:.3f} × {c:.3f} Å, {alpha:.2f}° {beta:.2f}° {gamma:.2f}°"


def symmetry_parts(symbol: str) -> list[tuple[str, str]]:
    """A Hermann-Mauguin symbol in parts, each with its tag: ``P2_1/c`` has a ``sub``.

    The bar of a rotoinversion is the combining character U+0305.
    """
    symbol = re.sub(r"-([1-6])", "\\1\N{COMBINING OVERLINE}", symbol)
    parts = re.split(r"_([1-5])", symbol)
    return [(part, "sub" if index % 2 else "") for index, part in enumerate(parts) if part]


def chemical_formula(hill: str) -> str:
    """A Hill formula as it is printed: ``C2 H2 O4`` with lowered numbers and no blanks."""
    lowered = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    return hill.replace(" ", "").translate(lowered)


def leader_sentence(data: ReportData) -> str:
    """Which structure is the most stable, and how sure that is."""
    first = data.structures[0]
    name = f"{first.structure_id} ({first.known_form})" if first.known_form else first.structure_id
    likely = sorted((s.p_rank_1 for s in data.structures), reverse=True)
    held, count = 0.0, 0
    while held < 0.9 and count < len(likely):
        held, count = held + likely[count], count + 1
    doubt = (
        "it alone holds 90 % of the probability of rank 1"
        if count <= 1 and first.p_rank_1 >= 0.9
        else f"the {count} likeliest structures hold 90 % of the probability of rank 1"
    )
    return (
        f"Of {len(data.structures)} distinct structures, {name} is the lowest at {data.levels[-1]}, "
        f"{certainty(first)}; {doubt}."
    )


def form_sentence(form: KnownForm, level: str) -> str:
    """What became of a known form."""
    if form.structure is None:
        reason = "" if form.conformer_searched else f" (its conformer, {form.conformers}, was not searched)"
        return f"{form.name} was not found{reason}."
    s = form.structure
    kind = "computed" if s.top.computed else "predicted"
    height = with_sd(s.top.relative_energy_kJ_per_mol, s.top.sd_relative_kJ_per_mol)
    above = "" if s.rank == 1 else f"{height} kJ/mol above the lowest, "
    missed = "" if form.found else " (missed by the search, added from its own force-field minimum)"
    return (
        f"{form.name}{missed} is rank {s.rank} at {level} ({kind}; 90 % interval {interval(s)}), {above}"
        f"{certainty(s)}."
    )


def cost_sentence(data: ReportData) -> str:
    """The price of the single points behind the ranking, against computing every structure."""
    price = sum(cost.core_s for cost in data.costs if cost.level is not None)
    found = sum(cost.found_core_s for cost in data.costs)
    full = sum(cost.full_core_s or 0.0 for cost in data.costs)
    if full <= 0:
        return ""
    stored = f"; {duration(found)} of it was found in the store, not paid again" if found > 0 else ""
    return (
        f"The single points took {duration(price)} of CPU time, {percent(price, full)} of the {duration(full)} "
        f"predicted for computing every structure at every level{stored}."
    )


def summary(data: ReportData) -> list[str]:
    """The findings, one sentence each."""
    forms = [form_sentence(form, data.levels[-1]) for form in data.known_forms]
    return [sentence for sentence in (leader_sentence(data), *forms, cost_sentence(data)) if sentence]
