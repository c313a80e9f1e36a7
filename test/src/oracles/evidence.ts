// What the oracles judge, read once, when the system is quiet: the published log, Postgres, what the
// watchers and the clients have seen.
import { readFileSync } from "node:fs";
import { createDatabase } from "@sealane/database";
import { openAuditedLog, type AuditedSystem, type LogAudit } from "../audited-log.ts";
import { witnessHeads, type Seen } from "./watch.ts";
import type { History } from "./history.ts";

export type Ended = {
  readonly id: string;
  readonly seq: number | undefined;
  readonly outcome: string;
  readonly refusal: string | undefined;
};

export type StoredAccount = {
  readonly account: string;
  readonly currency: string;
  readonly pendingDebit: bigint;
  readonly postedDebit: bigint;
  readonly pendingCredit: bigint;
  readonly postedCredit: bigint;
};

export type Evidence = {
  readonly system: AuditedSystem;
  readonly policyText: string;
  readonly origin: string;
  readonly audit: LogAudit;
  /** The ledger's tables. */
  readonly ended: ReadonlyMap<string, Ended>;
  readonly accounts: readonly StoredAccount[];
  /** Debits less credits in the ledger's tables and in reconciliation's, by currency: all zero. */
  readonly sums: readonly {
    readonly place: string;
    readonly rest: bigint;
    readonly pending: bigint;
  }[];
  readonly watched: readonly Seen[];
  readonly heads: readonly Seen[];
  readonly history: History | undefined;
  /** Ids that were sent with what must never be committed. */
  readonly forbidden: readonly string[];
  /** Parts of names of evidence files that a case has provoked. */
  readonly expectedForks: readonly string[];
};

export type Subject = {
  readonly system: AuditedSystem;
  readonly history?: History | undefined;
  readonly watched?: () => readonly Seen[];
  readonly forbidden?: readonly string[];
  readonly expectedForks?: readonly string[];
  /** Another verifier for promise 3: names what does not stand, if anything. */
  readonly independent?: (logUrl: string, policy: string) => Promise<string | undefined>;
};

type Row = Readonly<Record<string, unknown>>;

const readTables = async (databaseUrl: string) => {
  const { pool, close } = createDatabase({
    url: databaseUrl,
    applicationName: "oracles",
    poolSize: 1,
    schema: "public",
    statementTimeoutMs: 30_000,
  });
  const rows = async (text: string): Promise<Row[]> => (await pool.query(text)).rows as Row[];
  try {
    const ended = await rows("select id, seq, outcome, refusal from ledger.ended_transfer");
    const accounts = await rows("select * from ledger.balance");
    const sums = await rows(
      `select 'ledger ' || currency as place, sum(posted_debit - posted_credit)::text as rest,
         sum(pending_debit - pending_credit)::text as pending from ledger.balance group by 1
       union all select 'books ' || currency, sum(debits - credits)::text, '0'
         from reconciliation.balance group by 1`,
    );
    return { ended, accounts, sums };
  } finally {
    await close();
  }
};

const big = (value: unknown): bigint => BigInt(String(value));

export const gatherEvidence = async (subject: Subject): Promise<Evidence> => {
  const { system } = subject;
  const { home, databaseUrl } = system.stack;
  const policyText = readFileSync(home.path("trust.policy"), "utf8");
  const origin = readFileSync(home.path("log.vkey"), "utf8").split("+")[0] ?? "";
  // First: the log may grow by a rate sheet while the rest is read.
  const watched = [...(subject.watched?.() ?? [])];
  const heads = await witnessHeads(policyText, origin);
  const [audit, tables] = await Promise.all([
    openAuditedLog(system).audit(),
    readTables(databaseUrl),
  ]);
  return {
    system,
    policyText,
    origin,
    audit,
    ended: new Map(
      tables.ended.map(({ id, seq, outcome, refusal }) => [
        String(id),
        {
          id: String(id),
          seq: seq === null ? undefined : Number(seq),
          outcome: String(outcome),
          refusal: typeof refusal === "string" ? refusal : undefined,
        },
      ]),
    ),
    accounts: tables.accounts.map((row) => ({
      account: String(row["account"]),
      currency: String(row["currency"]),
      pendingDebit: big(row["pending_debit"]),
      postedDebit: big(row["posted_debit"]),
      pendingCredit: big(row["pending_credit"]),
      postedCredit: big(row["posted_credit"]),
    })),
    sums: tables.sums.map(({ place, rest, pending }) => ({
      place: String(place),
      rest: big(rest),
      pending: big(pending),
    })),
    watched,
    heads,
    history: subject.history,
    forbidden: subject.forbidden ?? [],
    expectedForks: subject.expectedForks ?? [],
  };
};
