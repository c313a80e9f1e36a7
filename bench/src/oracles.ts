// What must hold before a figure is printed: the log verifies with every signature, money is conserved,
// reconciliation's Postgres equals the log, and everything that was accepted has ended.
import { readFileSync } from "node:fs";
import { auditLog } from "@sealane/cli";
import { pause } from "@sealane/runtime";
import { parsePolicy } from "@sealane/tlog";
import type { BenchWorld } from "./world.ts";

export type OracleAnswer = {
  /** What does not hold; empty when all does. */
  readonly findings: readonly string[];
  readonly entries: number;
  readonly entriesPerSecond: number;
};

const metric = async (url: string, name: string): Promise<number> => {
  const text = await (
    await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) })
  ).text();
  const found = text
    .split("\n")
    .find((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return found === undefined ? Number.NaN : Number(found.split(" ")[1]);
};

/** Waits until nothing is open, unsealed or owed; says what still is. */
const waitForQuiet = async ({ stack }: BenchWorld): Promise<string[]> => {
  const url = (name: string): string => stack.urls[name] ?? "";
  const deadline = Date.now() + 120_000;
  for (;;) {
    const left = {
      "open transfers": await metric(url("ledger"), "sealane_open_transfers"),
      "unsealed entries": await metric(url("ledger"), "sealane_unsealed_age_ms"),
      "owed credits": await metric(url("ph-wallet"), "sealane_owed_credits"),
    };
    const pending = Object.entries(left).filter(([, count]) => count !== 0);
    if (pending.length === 0) return [];
    if (Date.now() > deadline) return pending.map(([what, count]) => `${count} ${what} are left`);
    await pause(250);
  }
};

export const askOracles = async (world: BenchWorld): Promise<OracleAnswer> => {
  const { stack } = world;
  const findings = await waitForQuiet(world);
  const report = await auditLog({
    log: `${stack.urls.ledger}/log`,
    policy: parsePolicy(readFileSync(stack.home.path("trust.policy"), "utf8")),
    balancesUrl: stack.urls.reconciliation,
  });
  if (!report.ok) {
    const at = report.position === undefined ? "" : ` at ${report.position}`;
    findings.push(`audit: ${report.code} ${report.detail}${at}`);
    return { findings, entries: report.entries, entriesPerSecond: 0 };
  }
  for (const { currency, difference } of report.totals.sums) {
    if (difference !== 0n) findings.push(`${currency} does not sum to zero: ${difference}`);
  }
  const { entries, entriesPerSecond } = report;
  return { findings, entries, entriesPerSecond };
};
