"""Makes programs: a mistake, a rate, a frame and hazards, all chosen by the number of the program."""

from __future__ import annotations

import random
from dataclasses import replace

from tools.validate_fixes.frames import FRAMES, Frame
from tools.validate_fixes.hazards import HAZARDS
from tools.validate_fixes.layer_mistakes import LAYER_MISTAKES
from tools.validate_fixes.mistakes import MISTAKES
from tools.validate_fixes.programs import Draft, Hazard, Mistake, Program, Rate, at_slot, filled, written
from tools.validate_fixes.rates import RATES

ALL = [*MISTAKES, *LAYER_MISTAKES]
CODES = frozenset(m.code for m in ALL)
SLOTS_OF_RUN = {"before", "between", "after"}
HOW_MANY_HAZARDS = ([0, 1, 2, 3], [1, 6, 3, 2])
HARDER = {"DRP101", "DRP102", "DRP103"}
"""Rules that report in few of the frames: they get twice as many programs."""
SHARE_IN_FORWARD = 0.5
"""Share of the programs with the mistake in ``forward`` itself."""
FEW = 20
"""So few hazards are not tried in most of the programs."""
SHARE_WITH_TWO = 0.15
"""Share of the programs with a second mistake."""


def program(number: int, seed: int = 0, codes: frozenset[str] = CODES) -> Program:
    """The program with this number."""
    chance = random.Random(f"{seed}:{number}")
    chosen = sorted([*codes, *(codes & HARDER)])
    code = chosen[number % len(chosen)]
    first = chance.choice([m for m in ALL if m.code == code])
    frame = FRAMES[0] if chance.random() < SHARE_IN_FORWARD else chance.choice(FRAMES)
    mistakes = [first]
    if chance.random() < SHARE_WITH_TWO:
        mistakes.append(chance.choice(ALL))
    label = [f"{m.code} {m.name}" for m in mistakes] + [frame.name]
    run, rest = "", Draft("")
    for mistake in mistakes:
        rate = chance.choice(RATES)
        part, rest, own = _stated(mistake, rate, rest)
        label += [f"rate {rate.name}"] if "$rate" in mistake.run else []
        for hazard in _hazards(chance, {*own}, rate):
            label.append(f"hazard {hazard.name}")
            text = filled(hazard.text, own)
            if hazard.slot in SLOTS_OF_RUN:
                part = at_slot(part, hazard.slot, text)
            else:
                rest = rest.with_part(hazard.slot, text)
        run = f"{run}\n{part}".strip("\n")
    draft = _joined(frame, run, rest)
    return Program(number, " | ".join(label), _laid_out(written(replace(draft, user="")), chance), draft.user)


def _stated(mistake: Mistake, rate: Rate, rest: Draft) -> tuple[str, Draft, dict[str, str]]:
    """The statements of a mistake, what else it needs, and the roles that hazards may attack."""
    roles = dict(mistake.roles)
    run = mistake.run
    if "$rate" in run + mistake.init:
        for name in ("variable", "box"):
            if getattr(rate, name):
                roles[name] = getattr(rate, name)
        run = f"{rate.setup}\n{filled(run, {'rate': rate.code})}".strip("\n")
        rest = rest.with_part("body", rate.body).with_part("module", rate.module)
        if rate.variable == "given_p":
            rest = replace(rest, parameters=", given_p=0.5")
    rest = rest.with_part("init", mistake.init).with_part("imports", mistake.imports)
    rest = rest.with_part("methods", mistake.methods).with_part("body", mistake.body)
    return run, rest.with_part("module", mistake.module), {k: v for k, v in roles.items() if v}


def _hazards(chance: random.Random, roles: set[str], rate: Rate) -> list[Hazard]:
    may = [h for h in HAZARDS if h.needs <= roles and (not h.kind or h.kind == rate.kind)]
    # Hazards that attack a role of this program come first: most others have nothing to do with it.
    own = [h for h in may if h.needs] or may
    share = 0.8 if len(own) > FEW else 0.3
    count = chance.choices(*HOW_MANY_HAZARDS)[0]
    return [chance.choice(own if chance.random() < share else may) for _ in range(count)]


def _joined(frame: Frame, run: str, rest: Draft) -> Draft:
    draft = frame.around(run)
    for slot in ("imports", "module", "body", "init", "methods", "tail", "user"):
        draft = draft.with_part(slot, getattr(rest, slot))
    if "given_p" in run and frame.name != "forward":
        return replace(draft, parameters="", module="given_p = 0.5\n" + draft.module)
    return replace(draft, parameters=rest.parameters)


def _laid_out(text: str, chance: random.Random) -> str:
    """The text in one of the layouts of files."""
    layout = chance.random()
    if layout < 0.05:
        return text.replace("\n", "\r\n")
    return text.rstrip("\n") if layout < 0.1 else text
