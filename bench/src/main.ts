// `npm run bench -- latency|throughput|overload|growth|audit|proofs|settlement`: starts its own stack, warms up, measures, asks every oracle,
// and only then prints a number. `--json` for programs, `--keep` writes to bench/results/.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { measureAudit } from "./audit.ts";
import { measureGrowth } from "./growth.ts";
import { measureLatency } from "./latency.ts";
import { describeHost, describeMachine } from "./machine.ts";
import { askOracles } from "./oracles.ts";
import { measureOverload } from "./overload.ts";
import { measureLog, measureTree } from "./proofs.ts";
import { measureSettlement } from "./settlement.ts";
import { measureThroughput } from "./throughput.ts";
import { startWorld, type BenchWorld } from "./world.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    rate: { type: "string", default: "50" },
    seconds: { type: "string", default: "60" },
    bulk: { type: "string", default: "50" },
    connections: { type: "string", default: "16" },
    transfers: { type: "string" },
    segments: { type: "string", default: "10" },
    entries: { type: "string", default: "1000000" },
  },
});

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const whole = (text: string, name: string): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= 10_000_000) return value;
  throw new Error(`--${name} takes a whole number above zero`);
};

const seconds = whole(values.seconds, "seconds");

const load = {
  bulk: whole(values.bulk, "bulk"),
  connections: whole(values.connections, "connections"),
};

const measure = async (world: BenchWorld, name: string) => {
  if (name === "latency") {
    const rate = whole(values.rate, "rate");
    const result = await measureLatency(world, rate, seconds, say);
    return {
      ...result,
      transfersPerSecond: Math.round(result.sealed / result.seconds),
      settings: { rate, seconds, requests: "one transfer each" },
    };
  }
  if (name === "growth") {
    const transfers = whole(values.transfers ?? "1000000", "transfers");
    const segments = whole(values.segments, "segments");
    const result = await measureGrowth(world, load, transfers, segments, say);
    return { ...result, settings: { ...load, transfers, segments } };
  }
  if (name === "overload") {
    const result = await measureOverload(world, load, seconds, say);
    return { ...result, settings: { ...load, seconds } };
  }
  return {
    ...(await measureThroughput(world, load, seconds, say)),
    settings: { ...load, seconds },
  };
};

const print = (report: Record<string, unknown>): void => {
  if (values.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  for (const [name, value] of Object.entries(report)) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    process.stdout.write(`${name.padEnd(20)} ${text}\n`);
  }
};

const keep = (name: string, report: Record<string, unknown>): void => {
  if (!values.keep) return;
  const folder = fileURLToPath(new URL("../results/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync(`${folder}${day}-${name}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
};

/** An auditor's figures: the audit itself is the oracle. */
const auditReport = async (world: BenchWorld): Promise<Record<string, unknown>> => {
  const machine = describeMachine(world.stack);
  const transfers = whole(values.transfers ?? "20000", "transfers");
  const { findings, ...speed } = await measureAudit(world, transfers, say);
  const oracles = findings.length === 0 ? "green" : "RED";
  return { bench: "audit", ...speed, machine, oracleFindings: findings, oracles };
};

const loadReport = async (world: BenchWorld, name: string): Promise<Record<string, unknown>> => {
  const { cpuMs, ...result } = await measure(world, name);
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

/** Proofs, disk and the tree's share of the ledger's CPU: one entry is logged for each transfer. */
const proofsReport = async (world: BenchWorld): Promise<Record<string, unknown>> => {
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
const settlementReport = (): Record<string, unknown> => {
  const { closings, findings } = measureSettlement(say);
  const machine = describeHost();
  const oracles = findings.length === 0 ? "green" : "RED";
  return { bench: "settlement", closings, machine, oracleFindings: findings, oracles };
};

const main = async (): Promise<void> => {
  const name = positionals[0] ?? "";
  if (name === "settlement") {
    const report = settlementReport();
    print(report);
    keep(name, report);
    if (report["oracles"] !== "green") process.exitCode = 1;
    return;
  }
  if (!["latency", "throughput", "overload", "growth", "audit", "proofs"].includes(name)) {
    say(
      "npm run bench -- latency|throughput|overload|growth|audit|proofs|settlement [--seconds N] [--rate N]\n" +
        "  [--bulk N] [--connections N] [--transfers N] [--entries N] [--segments N] [--json] [--keep]",
    );
    process.exit(2);
  }
  const world = await startWorld(say);
  try {
    const reports = { audit: auditReport, proofs: proofsReport } as const;
    const report =
      name === "audit" || name === "proofs"
        ? await reports[name](world)
        : await loadReport(world, name);
    print(report);
    keep(name, report);
    if (report["oracles"] !== "green") process.exitCode = 1;
  } finally {
    await world.stop();
  }
};

await main();
process.exit(process.exitCode);
