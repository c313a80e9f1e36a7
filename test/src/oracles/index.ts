// The fifteen oracles. `askLog` needs nothing but a running system and reads the log once, whatever its
// length: benchmarks ask it. `askAll` joins it with journals, tables, watchers and cores: the fault suite.
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { auditLog, type AuditReport } from "@sealane/cli";
import { parsePolicy } from "@sealane/tlog";
import { openAuditedLog, type AuditedSystem } from "../audited-log.ts";
import { accessVerdict } from "./access.ts";
import { checkpointVerdicts } from "./checkpoints.ts";
import { gatherEvidence, type Evidence, type Subject } from "./evidence.ts";
import { moneyVerdicts } from "./money.ts";
import { notificationVerdict } from "./notifications.ts";
import { judge, type Verdict } from "./oracle.ts";
import { transferVerdicts } from "./transfers.ts";

export { forkEvidence } from "./checkpoints.ts";
export { watchCheckpoints, type CheckpointWatch } from "./watch.ts";
export type { Subject } from "./evidence.ts";
export { laneViews, type LaneView } from "../lane-views.ts";
export { foldHistory, type History, type HistoryEvent, type HistoryLine } from "./history.ts";
export { promises, verdictLine, type PromiseNumber, type Verdict } from "./oracle.ts";

const metric = async (url: string, name: string): Promise<number> => {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) });
  const lines = (await response.text()).split("\n");
  const found = lines.filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  // With several lanes each has a line of its own.
  const sum = found.reduce((all, line) => all + Number(line.split(" ").at(-1)), 0);
  return found.length === 0 ? Number.NaN : sum;
};

const debts = [
  ["open transfers", "ledger", "sealane_open_transfers"],
  ["ms since the oldest unsealed entry", "ledger", "sealane_unsealed_age_ms"],
  ["credits owed to the payee's core", "ph-wallet", "sealane_owed_credits"],
  ["notices owed to the payer's core", "hk-wallet", "sealane_owed_notices"],
  ["notices owed to the payee's core", "ph-wallet", "sealane_owed_notices"],
] as const;

/** URLs of a service's processes: further ones of the ledger are `ledger-2` and so on. */
const urlsOf = ({ stack }: AuditedSystem, service: string): string[] =>
  Object.entries(stack.urls)
    .filter(([name]) => name === service || (service === "ledger" && /^ledger-\d$/.test(name)))
    .map(([, url]) => url);

/** What is open, unsealed or owed now. */
const owedNow = async (system: AuditedSystem): Promise<string[]> => {
  const asked = debts.flatMap(([what, service, name]) =>
    urlsOf(system, service).map(async (url) => {
      const count = await metric(url, name).catch(() => Number.NaN);
      return count === 0 ? [] : [`${count} ${what}`];
    }),
  );
  return (await Promise.all(asked)).flat();
};

/** Waits until nothing is open, unsealed or owed. @returns what still is when patience ends */
export const waitForQuiet = async (
  system: AuditedSystem,
  patienceMs = 120_000,
): Promise<string[]> => {
  const until = Date.now() + patienceMs;
  for (;;) {
    const left = await owedNow(system);
    if (left.length === 0 || Date.now() > until) return left;
    await delay(250);
  }
};

/** Reads and recomputes the published log; promises 3, 6, 7 and 14 rest on it. */
export const askLog = ({ stack }: AuditedSystem): Promise<AuditReport> =>
  auditLog({
    log: `${stack.urls["ledger"] ?? ""}/log`,
    policy: parsePolicy(readFileSync(stack.home.path("trust.policy"), "utf8")),
    balancesUrl: stack.urls["reconciliation"],
    deskToken: readFileSync(stack.home.keys("auditor", "staff.token"), "utf8").trim(),
  });

const reportFault = (report: AuditReport): string[] => {
  if (report.ok) return [];
  const at = report.position === undefined ? "" : ` at ${report.position}`;
  return [`${report.code}${at}: ${report.detail}`];
};

const logVerdicts = async (
  subject: Subject,
  evidence: Evidence,
  report: AuditReport,
): Promise<Verdict[]> => {
  const { system, audit, accounts, policyText } = evidence;
  const fault = reportFault(report);
  const other = await subject.independent?.(`${system.stack.urls["ledger"]}/log`, policyText);
  const drawn =
    subject.independent === undefined ? "two readers of ours" : "Go's verifier and ours";
  const differ = await openAuditedLog(system).balancesDiffer();
  const stored = new Map(accounts.map((one) => [`${one.account} ${one.currency}`, one]));
  const ledgerDiffers = [...audit.balances.values()].flatMap((fold) => {
    const one = stored.get(`${fold.account} ${fold.currency}`);
    const same = one?.postedDebit === fold.postedDebit && one.postedCredit === fold.postedCredit;
    return same || fold.postedDebit + fold.postedCredit === 0n ? [] : [`ledger: ${fold.account}`];
  });
  const windows = report.ok ? report.windows : 0;
  return [
    judge(3, `${audit.entries} entries, ${drawn}`, [
      ...audit.findings,
      ...fault,
      ...(other === undefined ? [] : [other]),
    ]),
    judge(7, `${stored.size} accounts, twice in Postgres`, [...differ, ...ledgerDiffers, ...fault]),
    judge(14, `${windows} windows recomputed from the log`, fault),
  ];
};

/** All fifteen, in order. Call it when load has ended; it waits for what is under way. */
export const askAll = async (subject: Subject): Promise<Verdict[]> => {
  const left = await waitForQuiet(subject.system, 60_000);
  const evidence = await gatherEvidence(subject);
  const report = await askLog(subject.system);
  const verdicts = [
    ...transferVerdicts(evidence, left),
    ...(await logVerdicts(subject, evidence, report)),
    ...checkpointVerdicts(evidence),
    ...moneyVerdicts(evidence),
    await accessVerdict(subject.system),
    await notificationVerdict(subject.system, evidence.audit),
  ];
  return verdicts.toSorted((one, another) => one.promise - another.promise);
};
