// Promise 13: the cores are the reference receivers, and each keeps a journal. What a core was told last, by
// the highest number, must be how the transfer ended; and a committed transfer is told to the payee's core as
// a credit: once, of the right amount.
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { minorOf, type VerifiedEntry } from "@sealane/rules";
import type { AuditedSystem, LogAudit } from "../audited-log.ts";
import { judge, type Verdict } from "./oracle.ts";

type Line = {
  readonly kind: "credit" | "notification";
  readonly transferId: string;
  readonly number: number;
  readonly status: string;
  readonly amountMinor: string;
};

type Journal = {
  readonly last: ReadonlyMap<string, { readonly number: number; readonly status: string }>;
  readonly credits: ReadonlyMap<string, readonly Line[]>;
};

const sides = [
  ["hk-wallet", "hk-wallet.example"],
  ["ph-wallet", "ph-wallet.example"],
] as const;

const readJournal = (file: string): Journal => {
  const last = new Map<string, Line>();
  const credits = new Map<string, Line[]>();
  const texts = existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
  for (const text of texts) {
    const line = JSON.parse(text) as Line;
    const { transferId } = line;
    if (line.kind === "credit") credits.set(transferId, [...(credits.get(transferId) ?? []), line]);
    else if ((last.get(transferId)?.number ?? -1) < line.number) last.set(transferId, line);
  }
  return { last, credits };
};

const wellTold = new Set(["sealed", "credited", "credit-exception"]);

/** What is wrong about one transfer at one core. */
const faultAt = (
  { last, credits }: Journal,
  participant: string,
  { transferId, terms, context }: VerifiedEntry,
): string | undefined => {
  if (transferId === undefined || terms === undefined) return undefined;
  const told = last.get(transferId)?.status;
  const committed = context.outcome === "committed";
  if (terms.payer.participant === participant) {
    const right = committed ? wellTold.has(told ?? "") : told === context.outcome;
    return right ? undefined : `${participant} was told ${told} of ${transferId} last`;
  }
  if (terms.payee.participant !== participant) return undefined;
  const lines = credits.get(transferId) ?? [];
  if (!committed) {
    if (lines.length > 0) return `${participant} credited ${transferId}, which was not committed`;
    return told === context.outcome
      ? undefined
      : `${participant} was told ${told} of ${transferId}`;
  }
  const due = minorOf(terms.receive.amount, terms.receive.currency);
  if (lines.length === 1 && BigInt(lines[0]?.amountMinor ?? 0) === due) return undefined;
  return `${participant} has ${lines.length} credits of ${transferId}, due is one of ${due}`;
};

const faults = ({ stack }: AuditedSystem, audit: LogAudit): string[] =>
  sides.flatMap(([name, participant]) => {
    const journal = readJournal(stack.home.path("state", `${name}-core.journal`));
    return audit.verified.flatMap((entry) => faultAt(journal, participant, entry) ?? []);
  });

/** Notices are written behind: looked at until they are right, or have had long enough. */
export const notificationVerdict = async (
  system: AuditedSystem,
  audit: LogAudit,
  patienceMs = 20_000,
): Promise<Verdict> => {
  const until = Date.now() + patienceMs;
  let findings = faults(system, audit);
  while (findings.length > 0 && Date.now() < until) {
    await delay(250);
    findings = faults(system, audit);
  }
  return judge(13, "what both cores were told last, and what the payee's credited", findings);
};
