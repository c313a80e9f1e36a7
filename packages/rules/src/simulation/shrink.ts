// A failing run made smaller: faults that it does not need are left out, then steps. Each fault has dice of
// its own, so what is left happens as before, nearly: what fails for the same promise is kept.
import { defaultSteps, simulate, type RunOptions, type RunReport } from "./run.ts";
import { faults, type Fault } from "./sim.ts";

export type Smaller = { readonly options: Required<RunOptions>; readonly report: RunReport };

/** @param report of a run that failed */
export const shrink = (report: RunReport, { without = [], steps = defaultSteps }: RunOptions) => {
  let least: Smaller = { options: { without, steps }, report };
  const tryOut = (options: Required<RunOptions>): boolean => {
    const again = simulate(report.seed, options);
    if (again.ok || again.promise !== report.promise) return false;
    least = { options, report: again };
    return true;
  };
  for (const fault of faults) {
    const { options } = least;
    if (!options.without.includes(fault)) {
      tryOut({ ...options, without: [...options.without, fault] satisfies Fault[] });
    }
  }
  for (let cut = Math.floor(steps / 2); cut >= 1; cut = Math.floor(cut / 2)) {
    const { options } = least;
    if (options.steps > cut) tryOut({ ...options, steps: options.steps - cut });
  }
  return least;
};
