// The seeded simulator over the pure rooms: `simulate(seed)`, and how a failing seed is made smaller.
export { makeDice, type Dice } from "./dice.ts";
export { defaultSteps, simulate, type RunOptions, type RunReport } from "./run.ts";
export { faults, type Fault } from "./sim.ts";
export { shrink, type Smaller } from "./shrink.ts";
