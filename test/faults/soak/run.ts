// One run of the soak: a world, a steady open loop, a case of the fault suite in each minute while that loop
// goes on, samples every few seconds, and at the end all oracles. Each minute is kept when it is over.
import { mkdirSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { eventually } from "../../src/eventually.ts";
import { askAll, watchCheckpoints, type Subject, type Verdict } from "../../src/oracles/index.ts";
import { startLoad, type Load } from "../clients.ts";
import { allCases } from "../registry.ts";
import { currentCommit } from "../results.ts";
import { heal, message, subjectOf } from "../run-case.ts";
import { makeStage, type FaultCase, type Gathered, type Said, type Stage } from "../stage.ts";
import { startFaultWorld, type FaultWorld } from "../world.ts";
import { startBulkLoad } from "./bulk-load.ts";
import { diskOf } from "./disk.ts";
import { drawFaults } from "./draw.ts";
import { keepRun, type FaultDone, type Judged, type Minute } from "./kept.ts";
import { isRunning, minuteOf, sampleOf, type Sample } from "./samples.ts";

export type SoakOptions = {
  readonly minutes: number;
  readonly seed: number;
  /** Transfers a second, of which a tenth by requests of their own. */
  readonly rate: number;
  readonly independent?: Subject["independent"];
  /** Where the probes inside the processes write what they see. */
  readonly probes: string;
  readonly say: (line: string) => void;
  /** Stops the run before its time: it is judged by what it had. */
  readonly signal: AbortSignal;
};

const sampleEveryMs = 5_000;
/** Before the first fault: programs are compiled, and the load flows. */
const warmUpTransfers = 500;
/** Somebody whose transfer is caught in a fault asks until it is over. */
const patienceMs = 300_000;
const recoverMs = 90_000;

/** Every process that is started from now on loads the probe. */
const loadProbes = (folder: string): void => {
  mkdirSync(folder, { recursive: true });
  const probe = pathToFileURL(join(import.meta.dirname, "probe.ts")).href;
  const before = process.env["NODE_OPTIONS"] ?? "";
  process.env["NODE_OPTIONS"] = `${before} --import ${probe}`.trim();
  process.env["SEALANE_SOAK_PROBES"] = folder;
};

const pidsOf = ({ stack, brokers, databases }: FaultWorld): Record<string, number> => ({
  ...stack.pids(),
  kafka: brokers.pids()[0] ?? 0,
  postgres: databases.pid(),
});

/** Samples until it is asked to stop; `take` hands over a minute and begins the next. */
const startSampling = (world: FaultWorld, probes: string) => {
  let samples = new Map<string, Sample[]>();
  const look = (): void => {
    for (const [name, pid] of Object.entries(pidsOf(world))) {
      const sample = sampleOf(pid, probes);
      if (sample !== undefined) samples.set(name, [...(samples.get(name) ?? []), sample]);
    }
  };
  const timer = setInterval(look, sampleEveryMs);
  return {
    /** Those that run now. */
    take: (): Record<string, Sample> => {
      look();
      const taken = Object.entries(pidsOf(world)).flatMap(([name, pid]) => {
        const minute = minuteOf((samples.get(name) ?? []).filter((one) => one.pid === pid));
        return isRunning(pid) && minute !== undefined ? [[name, minute] as const] : [];
      });
      samples = new Map();
      return Object.fromEntries(taken);
    },
    stop: () => clearInterval(timer),
  };
};

/** A fault under the soak's own load: the case does it, and the load that is there must flow again. */
const makeSoakStage = (world: FaultWorld, record: Gathered, said: Said) => {
  const stage = makeStage(world, record, said);
  let flowAgainSeconds: number | undefined;
  const underLoad: Stage["underLoad"] = async (fault, { more = 30 } = {}) => {
    await fault();
    const healedMs = Date.now();
    const goal = stage.ended() + more;
    const flows = () => Promise.resolve(stage.ended() >= goal);
    await eventually("transfers flow again", flows, recoverMs);
    flowAgainSeconds = Math.round((Date.now() - healedMs) / 100) / 10;
  };
  return { stage: { ...stage, underLoad }, flowAgainSeconds: () => flowAgainSeconds };
};

const doFault = async (one: FaultCase, world: FaultWorld, record: Gathered): Promise<FaultDone> => {
  const said: Said = { showed: [], faults: [] };
  const beganMs = Date.now();
  const { stage, flowAgainSeconds } = makeSoakStage(world, record, said);
  try {
    await one.run(stage);
  } catch (error) {
    said.faults.push(message(error));
  }
  heal(world);
  const flow = flowAgainSeconds();
  return {
    name: one.name,
    seconds: Math.round((Date.now() - beganMs) / 100) / 10,
    ...(flow === undefined ? {} : { flowAgainSeconds: flow }),
    showed: said.showed.join("; "),
    faults: said.faults,
  };
};

const totalOf = (loads: readonly Load[], of: (load: Load) => number): number =>
  loads.reduce((sum, load) => sum + of(load), 0);

/** Runs, keeps each minute, and judges. */
export const runSoak = async (options: SoakOptions): Promise<Judged> => {
  const { minutes, seed, rate, probes, say, signal } = options;
  const plan = drawFaults(allCases, seed, minutes, Math.ceil(minutes / 3));
  loadProbes(probes);
  const world = await startFaultWorld({ onStep: (step) => say(`starting: ${step}`) });
  const record: Gathered = { loads: [], forbidden: [], expectedForks: [] };
  const faults: string[] = [];
  const watch = watchCheckpoints(() => `http://127.0.0.1:${world.proxies.ledger.port}/log`);
  const sampling = startSampling(world, probes);
  try {
    const keep = keepRun({
      event: "begun",
      at: new Date().toISOString(),
      commit: currentCommit(),
      seed,
      rate,
      minutes,
      node: process.version,
      machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}`,
    });
    const single = { rate: rate / 10, patienceMs };
    const bulk = { rate: rate - single.rate, patienceMs };
    record.loads.push(
      startLoad(world, join(world.dir, "history-single.jsonl"), single),
      startBulkLoad(world, join(world.dir, "history-bulk.jsonl"), bulk),
    );
    const endedNow = (): number => totalOf(record.loads, (load) => load.ended());
    const flows = () => Promise.resolve(endedNow() >= warmUpTransfers);
    await eventually("transfers flow", flows, recoverMs);
    const beganMs = Date.now();
    let before = { sent: 0, ended: 0 };
    const minute = async (fault: FaultCase): Promise<void> => {
      const untilMs = Date.now() + 60_000;
      const done = await doFault(fault, world, record);
      const rest = { signal, ref: true };
      await delay(Math.max(0, untilMs - Date.now()), undefined, rest).catch(() => undefined);
      const processes = sampling.take();
      const missing = Object.keys(pidsOf(world)).filter((name) => processes[name] === undefined);
      const now = {
        sent: totalOf(record.loads, (load) => load.sent()),
        ended: endedNow(),
      };
      const line: Minute = {
        event: "minute",
        at: Math.round((Date.now() - beganMs) / 600) / 100,
        sent: now.sent - before.sent,
        ended: now.ended - before.ended,
        open: now.sent - now.ended,
        fault: done,
        processes,
        diskMiB: diskOf(world),
      };
      before = now;
      keep(line);
      faults.push(...done.faults.map((text) => `${done.name}: ${text}`));
      faults.push(...missing.map((name) => `${name} does not run after ${done.name}`));
      const flow =
        done.flowAgainSeconds === undefined ? "" : `, flows after ${done.flowAgainSeconds} s`;
      say(
        `${line.at} min: ${line.ended} ended, ${line.open} open; ${done.name}${flow}${done.faults.map((text) => ` !! ${text}`).join("")}`,
      );
    };
    for (const fault of plan) {
      if (signal.aborted || (Date.now() - beganMs) / 60_000 > minutes) break;
      await minute(fault);
    }
    say("no more transfers: waiting for the ends of those that are open, then all oracles");
    await Promise.all(record.loads.map((load) => load.finish()));
    sampling.stop();
    const verdicts = await judge(world, record, watch, options.independent, faults);
    const judged: Judged = {
      event: "judged",
      at: new Date().toISOString(),
      transfers: totalOf(record.loads, (load) => load.sent()),
      cut: signal.aborted,
      verdicts,
      faults,
    };
    keep(judged);
    return judged;
  } finally {
    sampling.stop();
    await watch.stop();
    await world.stop();
  }
};

/** A connection that a fault has left half open may break the first reading of a log, and no more. */
const readings = 3;

const judge = async (
  world: FaultWorld,
  record: Gathered,
  watch: ReturnType<typeof watchCheckpoints>,
  independent: Subject["independent"],
  faults: string[],
): Promise<readonly Verdict[]> => {
  heal(world);
  for (let left = readings - 1; ; left -= 1) {
    try {
      return await askAll(subjectOf({ world, record }, watch, independent));
    } catch (error) {
      if (left > 0) continue;
      faults.push(`the oracles could not be asked: ${message(error)}`);
      return [];
    }
  }
};
