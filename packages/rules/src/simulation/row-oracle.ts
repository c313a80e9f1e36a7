// A lane's rows are its state: what would be loaded now is what the writer holds in memory, whatever the
// batches before were. What a restart may forget is left out: when a proposal was made last, and where
// entries stand that nobody has to name any more.
import type { LaneState } from "../lane-state.ts";
import { BrokenPromise } from "./sim.ts";

const plain = (_key: string, value: unknown): unknown => {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Map) {
    return [...value].toSorted(([one], [other]) => (String(one) < String(other) ? -1 : 1));
  }
  return value instanceof Set ? [] : value;
};

/** Everything that later decisions hang on, as text by its name. */
const partsOf = (state: LaneState): Record<string, string> => {
  const { chainSeqs: _places, open, balances, uncredited, ...rest } = state;
  const counters = { pendingByPayer: state.pendingByPayer, creditedTo: state.creditedTo };
  const numbers = Object.entries({ ...counters, chains: state.chains, inboxes: state.inboxes });
  const moved = [...balances].filter(
    ([, { pendingDebit, postedDebit, pendingCredit, postedCredit }]) =>
      [pendingDebit, postedDebit, pendingCredit, postedCredit].some((one) => one !== 0n),
  );
  const reserved = [...open].map(
    ([id, transfer]) => [id, { ...transfer, proposedAtMs: 0 }] as const,
  );
  const parts = {
    ...rest,
    balances: new Map(moved),
    open: new Map(reserved),
    uncredited: new Map([...uncredited].filter(([, waiting]) => waiting.length > 0)),
    ...Object.fromEntries(
      numbers.map(([name, map]) => [name, new Map([...map].filter(([, count]) => count !== 0))]),
    ),
  };
  return Object.fromEntries(
    Object.entries(parts).map(([name, part]) => [name, JSON.stringify(part, plain)]),
  );
};

/** Promise 7, at a commit. @throws BrokenPromise */
export const compareRows = (held: LaneState, loaded: LaneState): void => {
  const [one, other] = [partsOf(held), partsOf(loaded)];
  for (const name of Object.keys(one)) {
    if (one[name] === other[name]) continue;
    throw new BrokenPromise(7, `${name} is stored as ${other[name]}, and held as ${one[name]}`);
  }
};
