// What a case works with: a world, clients whose journal is kept over all cases of that world, and a place
// to say what was seen. The journal is the world's, because so is the log that it is joined with.
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { HistoryLine } from "../src/oracles/index.ts";
import { eventually } from "../src/eventually.ts";
import { startLoad, type Load, type LoadOptions } from "./clients.ts";
import type { FaultWorld, WorldOptions } from "./world.ts";

export type Stage = {
  readonly world: FaultWorld;
  /** Says what the case showed: one short phrase, with its numbers. */
  showed(what: string): void;
  /** Something that the oracles cannot see did not hold. */
  fault(what: string): void;
  /** Starts clients; the stage joins their journal with the world's. */
  load(options?: LoadOptions): Load;
  /** The journal of all clients of this world. */
  lines(): readonly HistoryLine[];
  /** Transfers of all clients of this world that have ended. */
  ended(): number;
  /** An id whose statement must never be committed. */
  forbid(id: string): void;
  /** Evidence that this case provokes: a part of the file's name. */
  expectFork(part: string): void;
  /** Runs a fault under load, and waits until transfers flow again. */
  underLoad(fault: () => Promise<void>, options?: UnderLoadOptions): Promise<void>;
};

export type UnderLoadOptions = LoadOptions & {
  /** Transfers that must have ended before the fault begins. */
  readonly first?: number;
  /** Transfers that must end after it. */
  readonly more?: number;
  readonly recoverMs?: number;
};

export type FaultCase = {
  readonly name: string;
  /** What is done, as the table says it. */
  readonly what: string;
  readonly world?: WorldOptions;
  /** Why it cannot be run here; undefined when it can. */
  readonly skip?: () => string | undefined;
  /** After it the world is of no use to another case. */
  readonly spoils?: true;
  /** Red is right: the oracles must find something. */
  readonly sabotage?: true;
  readonly run: (stage: Stage) => Promise<void>;
};

/** What a world has gathered over its cases. */
export type Gathered = {
  readonly loads: Load[];
  readonly forbidden: string[];
  readonly expectedForks: string[];
};

export type Said = { readonly showed: string[]; readonly faults: string[] };

export const journalOf = ({ loads }: Gathered): HistoryLine[] =>
  loads.flatMap(({ lines }) => lines);

export const makeStage = (world: FaultWorld, record: Gathered, said: Said): Stage => {
  const load = (options: LoadOptions = {}): Load => {
    const file = join(world.dir, `history-${record.loads.length}.jsonl`);
    const begun = startLoad(world, file, options);
    record.loads.push(begun);
    return begun;
  };

  const underLoad: Stage["underLoad"] = async (fault, options = {}) => {
    const { first = 30, more = 30, recoverMs = 60_000, ...rest } = options;
    const clients = load(rest);
    try {
      await eventually("transfers flow", () => Promise.resolve(clients.ended() >= first), 30_000);
      await fault();
      const healedMs = Date.now();
      const goal = clients.ended() + more;
      await eventually(
        "transfers flow again",
        () => Promise.resolve(clients.ended() >= goal),
        recoverMs,
      );
      said.showed.push(`flow again after ${((Date.now() - healedMs) / 1_000).toFixed(1)} s`);
    } finally {
      await clients.finish();
    }
    const unknown = clients.lines.filter(({ event }) => event === "unknown").length;
    said.showed.push(`${clients.sent()} transfers, ${unknown} answers unknown`);
  };

  return {
    world,
    showed: (what) => void said.showed.push(what),
    fault: (what) => void said.faults.push(what),
    load,
    lines: () => journalOf(record),
    ended: () => record.loads.reduce((sum, one) => sum + one.ended(), 0),
    forbid: (id) => void record.forbidden.push(id),
    expectFork: (part) => void record.expectedForks.push(part),
    underLoad,
  };
};

/** For faults that last. */
export const seconds = (count: number): Promise<void> => delay(count * 1_000);
