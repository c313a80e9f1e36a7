// Which fault comes in which minute: drawn from the fault suite's own cases, by a seed. In the first part of
// a run processes die and are replaced; later everything else is done to those that live on, so that
// what they hold can be followed for long enough to see it grow.
import { makeDice } from "@sealane/rules/simulation";
import type { FaultCase } from "../stage.ts";

/** Cases after which some service, Kafka or Postgres is another process than before. */
const replaces =
  /killed|^(?:ledger-(?:before|after)|(?:hk|ph)-wallet-|reconciliation-)|^two-|^writer-wakes|^takeover|^reordering$|^cut-offs$|^clock-jumps$|^witness-state-lost$|^desk-away$|^journal-disk-full$/;

/** These need a quiet log or pauses in the load, or fill the broker with what nobody reads. */
const unfit = new Set([
  "equivocation",
  "ledger-before-checkpoint-store",
  "ledger-after-checkpoint-store",
  "producer-under-resets",
]);

export const fitsSoak = ({ name, world, spoils, sabotage }: FaultCase): boolean =>
  world === undefined && spoils === undefined && sabotage === undefined && !unfit.has(name);

/**
 * One case for each minute. Within a part none comes again before all have come.
 * @param deaths how many minutes replace processes, from the first
 */
export const drawFaults = (
  cases: readonly FaultCase[],
  seed: number,
  minutes: number,
  deaths: number,
): FaultCase[] => {
  const dice = makeDice(seed, "soak");
  const fit = cases.filter(fitsSoak);
  const drawer = (from: readonly FaultCase[]) => {
    let left: FaultCase[] = [];
    return (): FaultCase => {
      if (left.length === 0) left = [...from];
      const [drawn] = left.splice(dice.int(left.length), 1);
      if (drawn === undefined) throw new Error("there is no case to draw from");
      return drawn;
    };
  };
  const death = drawer(fit.filter(({ name }) => replaces.test(name)));
  const other = drawer(fit.filter(({ name }) => !replaces.test(name)));
  return Array.from({ length: minutes }, (_, at) => (at < deaths ? death() : other()));
};
