// An oracle that cannot say no shows nothing: each is given evidence of a system that broke its promise.
import { noteHash, type EntryContext, type Posting, type Terms } from "@sealane/protocol";
import type { VerifiedEntry } from "@sealane/rules";
import { leafHash, rootOf, toBase64 } from "@sealane/tlog";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkpointVerdicts } from "./checkpoints.ts";
import type { Evidence } from "./evidence.ts";
import { foldHistory, type HistoryLine } from "./history.ts";
import { moneyVerdicts } from "./money.ts";
import type { Verdict } from "./oracle.ts";
import { transferVerdicts } from "./transfers.ts";

const id = "0e3c3f0e-7d4b-4b6e-8a55-2c8f2a4f9b10";
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sealane-oracles-"));
  mkdirSync(join(folder, "state"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const posting = (debit: string, credit: string, amount: string): Posting => ({
  debit,
  credit,
  currency: "HKD",
  amount,
});

const hk = "hk-wallet.example:position";
const fx = "fx-desk.example:position";
const liquidity = posting("operator:advances", "hk-wallet.example:liquidity", "1000.00");
const paid = posting(hk, fx, "100.00");

type Changes = { readonly terms?: object; readonly context?: object };

/** A transfer of 100 HKD that sends 99.50 at 7.5, or an entry without one. */
const entry = (seq: number, postings: readonly Posting[], changes?: Changes): VerifiedEntry => {
  const terms = {
    id,
    payer: { participant: "hk-wallet.example", account: "" },
    payee: { participant: "ph-wallet.example", account: "" },
    fixed: "send",
    send: { currency: "HKD", amount: "100.00" },
    fees: [{ schedule: "hkd-php-1", to: "operator", currency: "HKD", amount: "0.50" }],
    converted: "99.50",
    sheet: { provider: "fx-desk.example", number: 1, hash: noteHash("a sheet") },
    rate: "7.5001",
    receive: { currency: "PHP", amount: "746.25" },
    residue: "0.00995",
    expiresAt: "2026-11-22T07:01:00.000Z",
    ...changes?.terms,
  } as unknown as Terms;
  const context = { seq, outcome: "committed", time: "", postings, ...changes?.context };
  const transfer = changes === undefined ? {} : { terms, transferId: terms.id };
  return {
    context: context as unknown as EntryContext,
    timeMs: Date.parse("2026-11-22T07:00:00.000Z"),
    inner: "",
    ...transfer,
  } as unknown as VerifiedEntry;
};

const sheetEntry = (seq: number): VerifiedEntry =>
  ({ ...entry(seq, []), inner: "a sheet", sheet: { rate: "7.5001" } }) as unknown as VerifiedEntry;

const lines = (...events: Partial<HistoryLine>[]): HistoryLine[] =>
  events.map((event, at) => ({ atMs: at, event: "ok", id, key: "k", attempt: at, ...event }));

const told = lines({ event: "invoked" }, { status: 200, transfer: "sealed", position: 2 });

const evidenceOf = (changes: {
  readonly entries?: readonly VerifiedEntry[];
  readonly lines?: readonly HistoryLine[];
  readonly more?: Partial<Evidence>;
}): Evidence => {
  const usual = [sheetEntry(0), entry(1, [liquidity]), entry(2, [paid], {})];
  const verified = changes.entries ?? usual;
  const transfers = new Map(
    verified.flatMap(({ transferId, context }) =>
      transferId === undefined ? [] : [[transferId, { outcome: context.outcome }] as const],
    ),
  );
  const stored = { id, seq: 2, outcome: "committed", refusal: undefined };
  return {
    system: { stack: { home: { path: (...parts: string[]) => join(folder, ...parts) } } },
    audit: {
      verified,
      entries: verified.length,
      transfers,
      leafHashes: verified.map((_, at) => leafHash(`entry ${at}`)),
      keys: { states: [{ schedules: new Map([["hkd-php-1", { basisPoints: "50" }]]) }] },
    },
    ended: new Map([[id, stored]]),
    accounts: [],
    sums: [],
    watched: [],
    heads: [{ size: 0, root: toBase64(rootOf([])), by: "witness a" }],
    history: foldHistory(changes.lines ?? told),
    forbidden: [],
    expectedForks: [],
    ...changes.more,
  } as unknown as Evidence;
};

const broken = (verdicts: readonly Verdict[]): number[] =>
  verdicts.filter(({ verdict }) => verdict === "broken").map(({ promise }) => promise);

const ofTransfers = (changes: Parameters<typeof evidenceOf>[0], left: string[] = []): number[] =>
  broken(transferVerdicts(evidenceOf(changes), left));

describe("the journal joined with the log", () => {
  it("holds when everybody says the same", () => {
    expect(ofTransfers({})).toEqual([]);
  });

  it("is broken by a client that was told what is not so", () => {
    expect(ofTransfers({ lines: lines({ status: 200, transfer: "rejected" }) })).toEqual([1]);
    expect(ofTransfers({ lines: lines({ status: 200, transfer: "sealed", position: 7 }) })).toEqual(
      [1],
    );
  });

  it("is broken by a transfer that was accepted and has no end, and by one nobody asked for", () => {
    const nothing = { entries: [entry(0, [liquidity])], more: { ended: new Map() } };
    const accepted = lines({ event: "unknown", status: 202, transfer: "received" });
    expect(ofTransfers({ ...nothing, lines: accepted })).toEqual([1, 15]);
    expect(ofTransfers({ lines: [] })).toEqual([1]);
  });

  it("is broken by a refusal that nobody signed", () => {
    const unsigned = { entries: [entry(0, [liquidity])], more: { ended: new Map() } };
    const rejected = lines({ status: 200, transfer: "rejected" });
    expect(ofTransfers({ ...unsigned, lines: rejected })).toEqual([1]);
  });

  it("is broken by two ends of one id, in the log or told", () => {
    const twice = [entry(0, [liquidity]), entry(2, [paid], {}), entry(3, [paid], {})];
    expect(ofTransfers({ entries: twice })).toEqual([2, 10]);
    const two = lines({ status: 200, transfer: "sealed" }, { status: 200, transfer: "expired" });
    expect(ofTransfers({ lines: two })).toEqual([1, 10]);
  });

  it("is broken by another body that was answered like the first", () => {
    const other = lines({ status: 200, transfer: "sealed", other: true });
    expect(ofTransfers({ lines: [...told, ...other] })).toEqual([10]);
  });

  it("is broken by a commit after the expiry, or of what was forbidden", () => {
    const late = { terms: { expiresAt: "2026-11-22T07:00:00.000Z" } };
    expect(ofTransfers({ entries: [entry(0, [liquidity]), entry(2, [paid], late)] })).toEqual([12]);
    expect(ofTransfers({ more: { forbidden: [id] } })).toEqual([12]);
  });

  it("is broken by what is still pending", () => {
    expect(ofTransfers({}, ["1 open transfers"])).toEqual([15]);
  });
});

describe("money, computed a second time", () => {
  const ofMoney = (changes: Parameters<typeof evidenceOf>[0]): number[] =>
    broken(moneyVerdicts(evidenceOf(changes)));
  const transfer = (changes: Changes): readonly VerifiedEntry[] => [
    sheetEntry(0),
    entry(1, [liquidity]),
    entry(2, [paid], changes),
  ];

  it.each([
    ["a fee that was rounded down", { send: { currency: "HKD", amount: "100.01" } }],
    ["a rate that is not the sheet's", { rate: "7.5002" }],
    ["a unit more than the rate gives", { receive: { currency: "PHP", amount: "746.26" } }],
    ["a unit kept back", { receive: { currency: "PHP", amount: "746.24" }, residue: "0.01995" }],
    ["a sheet that is not logged", { sheet: { provider: "", number: 2, hash: "" } }],
  ])("is broken by %s", (_what, terms) => {
    expect(ofMoney({ entries: transfer({}) })).toEqual([]);
    expect(ofMoney({ entries: transfer({ terms }) })).toEqual([9]);
  });

  it("is broken by sums that are not zero and by what is held for nobody", () => {
    expect(ofMoney({})).toEqual([]);
    const sums = [{ place: "ledger HKD", rest: 1n, pending: 0n }];
    expect(ofMoney({ more: { sums } })).toEqual([6]);
    const held = {
      account: fx,
      currency: "HKD",
      pendingDebit: 0n,
      postedDebit: 0n,
      pendingCredit: 5n,
      postedCredit: 0n,
    };
    expect(ofMoney({ more: { accounts: [held] } })).toEqual([6]);
  });

  it("is broken by who spends beyond the cover, at any place", () => {
    const much = posting(hk, fx, "1000.01");
    const later = posting("operator:advances", "hk-wallet.example:liquidity", "9000.00");
    const entries = [sheetEntry(0), entry(1, [liquidity]), entry(2, [much], {}), entry(3, [later])];
    expect(ofMoney({ entries })).toEqual([8]);
  });
});

describe("checkpoints that were seen", () => {
  const root = toBase64(rootOf([leafHash("entry 0")]));
  const other = toBase64(rootOf([leafHash("another")]));
  const seen = (...watched: { size: number; root: string; by: string }[]): number[] =>
    broken(checkpointVerdicts(evidenceOf({ more: { watched } })));

  it("hold when the log has their roots", () => {
    expect(seen({ size: 1, root, by: "watcher" })).toEqual([]);
  });

  it("are broken by another root, by a log that is shorter, by two roots of one size", () => {
    expect(seen({ size: 1, root: other, by: "watcher" })).toEqual([4]);
    expect(seen({ size: 9, root, by: "watcher" })).toEqual([4]);
    const two = [
      { size: 1, root, by: "watcher" },
      { size: 1, root: other, by: "witness a" },
    ];
    expect(seen(...two)).toEqual([4, 5]);
  });

  it("are broken by evidence that a witness keeps", () => {
    mkdirSync(join(folder, "state", "a.witness.evidence"));
    const name = "two-roots-for-one-size.1.abc.json";
    writeFileSync(join(folder, "state", "a.witness.evidence", name), "{}");
    expect(seen()).toEqual([5]);
  });
});
