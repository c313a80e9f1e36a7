// The oracles of `promises.md` that need no trust in the system: they read the published log, recompute
// everything, and compare with what the cores and the callers have.
import { readFileSync } from "node:fs";
import { makeLogReader, readKeyLog } from "@sealane/client";
import {
  auditEntry,
  auditRoot,
  beginAudit,
  minorOf,
  type Balances,
  type KeyHistory,
  type VerifiedEntry,
} from "@sealane/rules";
import { checkCheckpoint, parsePolicy, toBase64 } from "@sealane/tlog";
import type { Stack } from "@sealane/infra";
import { eventually } from "./eventually.ts";

/** What oracles look at: a running system, whoever started it. */
export type AuditedSystem = {
  readonly stack: Pick<Stack, "home" | "ports" | "urls" | "databaseUrl">;
};

export type AuditedTransfer = {
  readonly outcome: string;
  readonly sentMinor: bigint;
  readonly receivedMinor: bigint;
};

export type LogAudit = {
  readonly findings: readonly string[];
  readonly entries: number;
  readonly transfers: ReadonlyMap<string, AuditedTransfer>;
  /** What the payees' cores must have credited, in minor units of PHP. */
  readonly creditedExpected: bigint;
  /** Recomputed from the entries alone, by `account currency`. */
  readonly balances: Balances;
  /** Every entry that stands, in order, and its leaf hash. */
  readonly verified: readonly VerifiedEntry[];
  readonly leafHashes: readonly Uint8Array[];
  /** Every state of the key log. */
  readonly keys: KeyHistory;
};

type StoredBalance = Readonly<Record<"account" | "currency" | "debits" | "credits", string>>;

const policyOf = (system: AuditedSystem) =>
  parsePolicy(readFileSync(system.stack.home.path("trust.policy"), "utf8"));

/** Sealed transfers to the PH side, less those that a credited statement excepts. */
const creditsOf = (entries: readonly VerifiedEntry[]): bigint => {
  const excepted = new Set(
    entries.flatMap(({ credited }) => credited?.except.map(({ id }) => id) ?? []),
  );
  return entries.reduce((sum, { context, terms }) => {
    if (context.outcome !== "committed" || terms === undefined || excepted.has(terms.id))
      return sum;
    return sum + minorOf(terms.receive.amount, terms.receive.currency);
  }, 0n);
};

const transfersOf = (entries: readonly VerifiedEntry[]) => {
  const transfers = new Map<string, AuditedTransfer>();
  for (const { context, terms, transferId } of entries) {
    if (transferId === undefined) continue;
    const money = (side: "send" | "receive"): bigint =>
      terms === undefined ? 0n : minorOf(terms[side].amount, terms[side].currency);
    transfers.set(transferId, {
      outcome: context.outcome,
      sentMinor: money("send"),
      receivedMinor: money("receive"),
    });
  }
  return transfers;
};

const metric = async (url: string, name: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
  const line = text
    .split("\n")
    .find((one) => one.startsWith(`${name} `) || one.startsWith(`${name}{`));
  return line === undefined ? Number.NaN : Number(line.split(" ")[1]);
};

export const openAuditedLog = (system: AuditedSystem) => {
  const { stack } = system;
  const url = (name: string): string => stack.urls[name] ?? "";
  const reader = makeLogReader(`${url("ledger")}/log`);
  const keyReader = makeLogReader(`${url("ledger")}/log/keys`);

  const audit = async (): Promise<LogAudit> => {
    const policy = policyOf(system);
    const checked = checkCheckpoint(policy, await reader.checkpoint());
    const { size, origin, root } = checked.checkpoint;
    const keys = await readKeyLog(keyReader, policy);
    if (!keys.ok) throw new Error(`key log: ${keys.code} ${keys.detail}`);
    const state = beginAudit({ origin, history: keys.history, signatures: true });
    const entries: VerifiedEntry[] = [];
    const leafHashes: Uint8Array[] = [];
    const findings: string[] = checked.quorum ? [] : ["the checkpoint has no quorum"];
    for (const note of await reader.entries(0, size)) {
      const result = auditEntry(state, note);
      if (!result.ok) {
        findings.push(`entry ${result.position}: ${result.code} ${result.detail}`);
        break;
      }
      entries.push(result.entry);
      leafHashes.push(result.leafHash);
    }
    if (findings.length === 0 && toBase64(auditRoot(state)) !== toBase64(root)) {
      findings.push("the entries do not hash to the cosigned root");
    }
    return {
      findings,
      entries: entries.length,
      transfers: transfersOf(entries),
      creditedExpected: creditsOf(entries),
      balances: state.balances,
      verified: entries,
      leafHashes,
      keys: keys.history,
    };
  };

  return {
    audit,
    /** All entries as text, to search them for what must not be there. */
    everyByte: async (): Promise<string> => {
      const { size } = checkCheckpoint(policyOf(system), await reader.checkpoint()).checkpoint;
      return (await reader.entries(0, size)).join("");
    },
    /** Nothing reserved, nothing unsealed, no credit owed. */
    nothingPending: async (): Promise<boolean> => {
      const values = await Promise.all([
        metric(url("ledger"), "sealane_open_transfers"),
        metric(url("ledger"), "sealane_unsealed_age_ms"),
        metric(url("ph-wallet"), "sealane_owed_credits"),
      ]);
      return values.every((value) => value === 0);
    },
    /** Accounts in which reconciliation's Postgres differs from the log, at the same position. */
    balancesDiffer: async (): Promise<string[]> => {
      const { balances, entries } = await audit();
      const told = await eventually("reconciliation has applied all", async () => {
        const answer = await fetch(`${url("reconciliation")}/v1/balances?asOf=${entries}`, {
          signal: AbortSignal.timeout(5_000),
        });
        const body = (await answer.json()) as { asOf: number; balances: StoredBalance[] };
        return answer.ok && body.asOf === entries ? body.balances : undefined;
      });
      const stored = new Map(told.map((one) => [`${one.account} ${one.currency}`, one]));
      return [...balances.values()].flatMap(({ account, currency, postedDebit, postedCredit }) => {
        const one = stored.get(`${account} ${currency}`);
        const debits = one === undefined ? 0n : minorOf(one.debits, currency);
        const credits = one === undefined ? 0n : minorOf(one.credits, currency);
        return debits === postedDebit && credits === postedCredit ? [] : [`${account} ${currency}`];
      });
    },
    /** What the payee's core says it has credited, in minor units. */
    creditedByCore: async (currency: string): Promise<bigint> => {
      const token = readFileSync(stack.home.keys("ph-wallet", "core.token"), "utf8").trim();
      const response = await fetch(`http://127.0.0.1:${stack.ports.phCore}/v1/summary`, {
        headers: { Authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(5_000),
      });
      const summary = (await response.json()) as { credits: { sum: string } };
      return minorOf(summary.credits.sum, currency);
    },
  };
};
