// The lanes of a ledger as a service is told of them: logs in its policy, a URL for each. Which of them
// decides an id is in the key log; with one lane there is nothing to look up.
import { headerOf, slotCount, slotOf, type LanesRecord } from "@sealane/protocol";
import type { KeyState } from "@sealane/rules";
import type { TlogPolicy } from "@sealane/tlog";

export type LedgerLane = {
  readonly lane: number;
  /** Full origin of the lane's log. */
  readonly origin: string;
  /** The ledger's door for this lane; its log is below `/log`. */
  readonly url: string;
};

/** Origins of the lanes' logs, in the policy's order; a replaced key's line names the same log again. */
export const laneOrigins = ({ logs }: TlogPolicy): string[] => [
  ...new Set(logs.map(({ key }) => key.name).filter((name) => !name.endsWith("/keys"))),
];

/** Where the log is published that an entry is of, as the policy says. */
export const logUrlOf = ({ logs }: TlogPolicy, entry: string): string | undefined => {
  const origin = headerOf(entry)?.origin;
  return logs.find(({ key }) => key.name === origin)?.url;
};

/** `<origin>/<period>/<lane>` */
const laneIn = (origin: string): number => Number(origin.slice(origin.lastIndexOf("/") + 1));

/**
 * @param urls one for each lane, in the order in which the policy names their logs
 * @param single the lane's number where there is one URL: then it is the policy's first log
 */
export const ledgerLanes = (
  policy: TlogPolicy,
  urls: readonly string[],
  single: number,
): readonly [LedgerLane, ...LedgerLane[]] => {
  const [first = "", ...more] = urls;
  if (more.length === 0) {
    return [{ lane: single, origin: policy.logs[0]?.key.name ?? "", url: first }];
  }
  const [origin = "", ...others] = laneOrigins(policy);
  if (others.length !== more.length) {
    throw new Error(
      `the policy has ${others.length + 1} lanes' logs, there are ${urls.length} URLs`,
    );
  }
  const laneOf = (name: string, url: string): LedgerLane => ({
    lane: laneIn(name),
    origin: name,
    url,
  });
  return [laneOf(origin, first), ...others.map((name, at) => laneOf(name, more[at] ?? ""))];
};

/** Lane by slot, as the record has it. */
const tableOf = ({ lanes }: LanesRecord): (number | undefined)[] => {
  const table = Array.from({ length: slotCount }, (): number | undefined => undefined);
  for (const { lane, slots } of lanes) {
    for (const { from, to } of slots) table.fill(lane, from, to);
  }
  return table;
};

/**
 * Who decides an id, by the key log as it is now. What no lane of ours decides goes to the first, which
 * refuses it and says why.
 */
export const laneRouter = <T extends { readonly lane: number }>(
  lanes: readonly [T, ...T[]],
  keys: () => KeyState | undefined,
): ((id: string) => T) => {
  const [first] = lanes;
  if (lanes.length === 1) return () => first;
  const byLane = new Map(lanes.map((one) => [one.lane, one]));
  let record: LanesRecord | undefined;
  let table: readonly (number | undefined)[] = [];
  return (id) => {
    const now = keys()?.lanes;
    if (now !== record) {
      record = now;
      table = now === undefined ? [] : tableOf(now);
    }
    return byLane.get(table[slotOf(id)] ?? -1) ?? first;
  };
};
