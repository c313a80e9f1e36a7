// `npm run bench -- NAME` (the table at the end): starts its own stack, warms up, measures, asks every oracle, and only
// then prints a number. `--json` for programs, `--keep` writes to bench/results/.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { measureAudit } from "./audit.ts";
import { measureDegradation, startSlowedWorld, type SlowedWorld } from "./degradation.ts";
import { measureGrowth } from "./growth.ts";
import { measureLatency } from "./latency.ts";
import { describeHost, describeMachine } from "./machine.ts";
import { askOracles } from "./oracles.ts";
import { measureOverload } from "./overload.ts";
import { measureLog, measureTree } from "./proofs.ts";
import { distributionOf } from "./percentiles.ts";
import { measureSettlement } from "./settlement.ts";
import { measureThroughput } from "./throughput.ts";
import { startWorld, type BenchWorld } from "./world.ts";

const options = {
  json: { type: "boolean", default: false },
  keep: { type: "boolean", default: false },
  rate: { type: "string" },
  seconds: { type: "string", default: "60" },
  bulk: { type: "string", default: "50" },
  connections: { type: "string", default: "16" },
  transfers: { type: "string" },
  segments: { type: "string", default: "10" },
  entries: { type: "string", default: "1000000" },
  lanes: { type: "string", default: "1" },
  dir: { type: "string" },
} as const;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const usage = (): never => {
  say(
    "npm run bench -- latency|throughput|overload|degradation|growth|audit|proofs|settlement\n" +
      "  [--seconds N] [--rate N] [--bulk N] [--connections N] [--transfers N] [--entries N] [--segments N]\n" +
      "  [--lanes N] [--dir DIR: where growth goes on after a run that ended early] [--json] [--keep]",
  );
  process.exit(2);
};

const readArguments = () => {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return usage();
  }
};

const { values, positionals } = readArguments();

const whole = (text: string, name: string): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= 10_000_000) return value;
  throw new Error(`--${name} takes a whole number above zero`);
};

const seconds = whole(values.seconds, "seconds");
/** Throughput alone is measured with several. */
const lanes = whole(values.lanes, "lanes");

const load = {
  bulk: whole(values.bulk, "bulk"),
  connections: whole(values.connections, "connections"),
};

type Report = Record<string, unknown>;
type Measured = Report & {
  readonly sealed: number;
  readonly failed: number;
  readonly cpuMs: Readonly<Record<string, number>>;
};

const print = (report: Report): void => {
  if (values.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  for (const [name, value] of Object.entries(report)) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    process.stdout.write(`${name.padEnd(20)} ${text}\n`);
  }
};

const keep = (name: string, report: Report): void => {
  if (!values.keep) return;
  const folder = fileURLToPath(new URL("../results/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync(`${folder}${day}-${name}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
};

/** An auditor's figures: the audit itself is the oracle. */
const auditReport = async (world: BenchWorld): Promise<Report> => {
  const machine = describeMachine(world.stack);
  const transfers = whole(values.transfers ?? "20000", "transfers");
  const { findings, ...speed } = await measureAudit(world, transfers, say);
  const oracles = findings.length === 0 ? "green" : "RED";
  return { bench: "audit", ...speed, machine, oracleFindings: findings, oracles };
};

/** A load's figures, after the oracles. */
const judged = async (name: string, world: BenchWorld, measured: Measured): Promise<Report> => {
  const { cpuMs, ...result } = measured;
  say("asking the oracles");
  const oracles = await askOracles(world);
  const total = Object.values(cpuMs).reduce((sum, ms) => sum + ms, 0);
  const perTransfer = (ms: number): number => Math.round((ms / result.sealed) * 1_000) / 1_000;
  return {
    bench: name,
    ...result,
    cpuMsPerTransfer: perTransfer(total),
    cpuMsByProcess: Object.fromEntries(
      Object.entries(cpuMs).map(([process, ms]) => [process, perTransfer(ms)]),
    ),
    machine: describeMachine(world.stack),
    audit: { entries: oracles.entries, entriesPerSecond: oracles.entriesPerSecond },
    oracleFindings: oracles.findings,
    oracles: oracles.findings.length === 0 && result.failed === 0 ? "green" : "RED",
  };
};

const latencyReport = async (world: BenchWorld): Promise<Report> => {
  const rate = whole(values.rate ?? "50", "rate");
  const result = await measureLatency(world, rate, seconds, say);
  return judged("latency", world, {
    ...result,
    transfersPerSecond: Math.round(result.sealed / result.seconds),
    settings: { rate, seconds, requests: "one transfer each" },
  });
};

const throughputReport = async (world: BenchWorld): Promise<Report> => {
  const result = await measureThroughput(world, load, seconds, say);
  return judged("throughput", world, {
    ...result,
    settings: { ...load, seconds, lanes: world.lanes },
  });
};

const overloadReport = async (world: BenchWorld): Promise<Report> => {
  const result = await measureOverload(world, load, seconds, say);
  return judged("overload", world, { ...result, settings: { ...load, seconds } });
};

const degradationReport = async (world: SlowedWorld): Promise<Report> => {
  const rate = whole(values.rate ?? "150", "rate");
  const result = await measureDegradation(world, load, rate, seconds, say);
  return judged("degradation", world, { ...result, settings: { ...load, rate, seconds } });
};

const growthReport = async (world: BenchWorld): Promise<Report> => {
  const transfers = whole(values.transfers ?? "1000000", "transfers");
  const segments = whole(values.segments, "segments");
  const file = world.stack.home.path("growth.json");
  const result = await measureGrowth(world, load, transfers, segments, file, say);
  return judged("growth", world, { ...result, settings: { ...load, transfers, segments } });
};

/** Proofs, disk and the tree's share of the ledger's CPU: one entry is logged for each transfer. */
const proofsReport = async (world: BenchWorld): Promise<Report> => {
  const transfers = whole(values.transfers ?? "20000", "transfers");
  const { failed, ...log } = await measureLog(world, load, transfers, say);
  const { findings } = await askOracles(world);
  await world.stack.stop();
  const entries = whole(values.entries, "entries");
  say(`a tree of ${entries} entries`);
  const tree = await measureTree(entries, 20_000);
  const share = (tree.buildMicros * 100) / log.ledgerCpuMicrosPerTransfer;
  return {
    bench: "proofs",
    ...log,
    tree,
    treePercentOfLedgerCpu: Math.round(share * 10) / 10,
    machine: describeHost(),
    oracleFindings: findings,
    oracles: findings.length === 0 && failed === 0 ? "green" : "RED",
  };
};

/** The rules alone, in this process: no stack. */
const settlementReport = (): Report => {
  const before = process.cpuUsage();
  const { closings, findings } = measureSettlement(say);
  const { user, system } = process.cpuUsage(before);
  const machine = describeHost();
  const posted = closings.reduce((sum, { members, age }) => sum + members + age, 0);
  const largest = closings.filter(({ members }) => members >= 1_000_000);
  const figures = {
    /** The slowest of the windows of a million. */
    transfersPerSecond: Math.min(...largest.map(({ postedPerSecond }) => postedPerSecond)),
    /** From the cut to all that follows from the bank's statement, over all windows. */
    latencyMs: distributionOf(closings.map(({ cutMs, settleMs }) => cutMs + settleMs)),
    cpuMsPerTransfer: Math.round(((user + system) / 1_000 / posted) * 100_000) / 100_000,
  };
  const oracles = findings.length === 0 ? "green" : "RED";
  return { bench: "settlement", ...figures, closings, machine, oracleFindings: findings, oracles };
};

const tell = (name: string, report: Report): void => {
  print(report);
  keep(name, report);
  if (report["oracles"] !== "green") process.exitCode = 1;
};

/** A bench with a system of its own, which is stopped when its figures are told. */
const within =
  <World extends BenchWorld>(
    start: (say: (line: string) => void) => Promise<World>,
    report: (world: World) => Promise<Report>,
  ) =>
  async (name: string): Promise<void> => {
    const world = await start(say);
    // Ctrl-C ends what was started too, and leaves no folder behind. What was under way then fails.
    const leave = (): void => {
      process.on("unhandledRejection", () => undefined);
      void world.stop().finally(() => process.exit(130));
    };
    process.once("SIGINT", leave).once("SIGTERM", leave);
    try {
      tell(name, await report(world));
    } finally {
      await world.stop();
    }
  };

const benches: Readonly<Record<string, (name: string) => Promise<void>>> = {
  latency: within(startWorld, latencyReport),
  throughput: within((to) => startWorld(to, lanes), throughputReport),
  overload: within(startWorld, overloadReport),
  degradation: within(startSlowedWorld, degradationReport),
  growth: within((to) => startWorld(to, 1, values.dir), growthReport),
  audit: within(startWorld, auditReport),
  proofs: within(startWorld, proofsReport),
  settlement: (name) => Promise.resolve(tell(name, settlementReport())),
};

const name = positionals[0] ?? "";
const bench = benches[name];
if (bench === undefined) usage();
else await bench(name);
process.exit(process.exitCode);
