// One case: the fault, then all oracles, with a line for each. Worlds of the same kind are used again, and
// the journal with them; a world in which something was red is thrown away.
import { askAll, foldHistory, watchCheckpoints, type Verdict } from "../src/oracles/index.ts";
import type { CheckpointWatch, Subject } from "../src/oracles/index.ts";
import { journalOf, makeStage, type FaultCase, type Gathered, type Said } from "./stage.ts";
import { startFaultWorld, type FaultWorld, type WorldOptions } from "./world.ts";

export type CaseResult = {
  readonly name: string;
  readonly what: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly showed: string;
  readonly faults: readonly string[];
  readonly verdicts: readonly Verdict[];
  readonly seconds: number;
};

type Judged = { readonly world: FaultWorld; readonly record: Gathered };
type Place = Judged & { readonly kind: string };

export type Runner = {
  run(one: FaultCase): Promise<CaseResult>;
  stop(): Promise<void>;
};

type RunnerOptions = {
  readonly independent?: Subject["independent"];
  readonly say: (line: string) => void;
};

const kindOf = (options: WorldOptions = {}): string => JSON.stringify(options);

/** Everything that a case may have left switched on. */
export const heal = ({ proxies, brokers }: FaultWorld): void => {
  for (const proxy of [...Object.values(proxies), brokers.proxy]) proxy?.set({ kind: "pass" });
};

/** Reads the log where services read it: behind the proxy that leads to whoever writes. */
export const subjectOf = (
  { world, record }: Judged,
  watch: CheckpointWatch,
  independent: Subject["independent"],
): Subject => {
  const ledger = `http://127.0.0.1:${world.proxies.ledger.port}`;
  const { home, ports, databaseUrl, urls } = world.stack;
  return {
    system: { stack: { home, ports, databaseUrl, urls: { ...urls, ledger } } },
    history: foldHistory(journalOf(record)),
    watched: watch.seen,
    forbidden: record.forbidden,
    expectedForks: record.expectedForks,
    ...(independent === undefined ? {} : { independent }),
  };
};

/** What was thrown, with what was behind it. */
export const message = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : ` (${message(error.cause)})`;
  return `${error.message}${cause}`;
};

export const makeRunner = ({ independent, say }: RunnerOptions): Runner => {
  let place: Place | undefined;
  let watch: CheckpointWatch | undefined;

  const leave = async (): Promise<void> => {
    await watch?.stop();
    await place?.world.stop();
    place = undefined;
    watch = undefined;
  };

  const enter = async (options: WorldOptions | undefined): Promise<Place> => {
    const kind = kindOf(options);
    if (place?.kind === kind) return place;
    await leave();
    const world = await startFaultWorld({
      ...options,
      onStep: (step) => say(`  starting: ${step}`),
    });
    place = { kind, world, record: { loads: [], forbidden: [], expectedForks: [] } };
    watch = watchCheckpoints(() => `http://127.0.0.1:${world.proxies.ledger.port}/log`);
    return place;
  };

  const judgeAll = async (here: Place): Promise<Verdict[]> => {
    heal(here.world);
    if (watch === undefined) return [];
    return askAll(subjectOf(here, watch, independent));
  };

  const attempt = async (one: FaultCase, said: Said): Promise<readonly Verdict[]> => {
    const here = await enter(one.world);
    try {
      await one.run(makeStage(here.world, here.record, said));
    } catch (error) {
      said.faults.push(message(error));
    }
    try {
      return await judgeAll(here);
    } catch (error) {
      said.faults.push(`the oracles could not be asked: ${message(error)}`);
      return [];
    }
  };

  const run = async (one: FaultCase): Promise<CaseResult> => {
    const beganMs = Date.now();
    const said: Said = { showed: [], faults: [] };
    const skipped = one.skip?.();
    const base = { name: one.name, what: one.what };
    if (skipped !== undefined) {
      return { ...base, outcome: "skipped", showed: skipped, faults: [], verdicts: [], seconds: 0 };
    }
    let verdicts: readonly Verdict[] = [];
    try {
      verdicts = await attempt(one, said);
    } catch (error) {
      said.faults.push(`the world did not start: ${message(error)}`);
    }
    const broken = verdicts.filter(({ verdict }) => verdict === "broken");
    const red = broken.length > 0 || said.faults.length > 0;
    if (red || one.spoils === true) await leave();
    return {
      ...base,
      outcome: red === (one.sabotage === true) ? "passed" : "failed",
      showed: said.showed.join("; "),
      faults: said.faults,
      verdicts,
      seconds: Math.round((Date.now() - beganMs) / 100) / 10,
    };
  };

  return { run, stop: leave };
};
