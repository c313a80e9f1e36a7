// Each lane of a system looked at as a system of its own: the oracles that read one log and its books read
// every lane's so.
import { lanesOf } from "@sealane/infra";
import type { AuditedSystem } from "./audited-log.ts";

export type LaneView = AuditedSystem & { readonly lane: number; readonly origin: string };

export const laneViews = ({ stack }: AuditedSystem, lanes: number): LaneView[] =>
  lanesOf({ lanes }).map(({ lane, origin, portName }) => {
    const { home, ports, databaseUrl } = stack;
    const below = lane === 0 ? "" : `/lanes/${lane}`;
    const urls = {
      ...stack.urls,
      ledger: `http://127.0.0.1:${ports[portName]}`,
      reconciliation: `${stack.urls["reconciliation"] ?? ""}${below}`,
    };
    return { lane, origin, stack: { home, ports, databaseUrl, urls } };
  });

/** Sum of a metric over all its labels. */
export const metricSum = async (url: string, name: string): Promise<number> => {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) });
  const lines = (await response.text()).split("\n");
  const own = lines.filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return own.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
};

/** Nothing reserved, unsealed or owed in any process that holds a lane. */
export const isQuiet = async ({ stack }: AuditedSystem): Promise<boolean> => {
  const ask = (name: string, metric: string): Promise<number> =>
    metricSum(stack.urls[name] ?? "", metric);
  const ledgers = Object.keys(stack.urls).filter((name) => name.startsWith("ledger"));
  const counts = await Promise.all([
    ...ledgers.flatMap((name) => [
      ask(name, "sealane_open_transfers"),
      ask(name, "sealane_unsealed_age_ms"),
    ]),
    ask("ph-wallet", "sealane_owed_credits"),
  ]);
  return counts.every((count) => count === 0);
};
