// What an auditor has to remember to judge the next entry of a lane's log. All of it follows from the
// entries before; `auditSnapshot` and `resumeAudit` carry it over a restart, so that nothing is read
// twice.
import { zeroHash, type Outcome, type RateSheet } from "@sealane/protocol";
import { compactRange, emptyRange, fromBase64, toBase64, type CompactRange } from "@sealane/tlog";
import { emptyHeads, type ChainHeads } from "./chain-heads.ts";
import type { KeyHistory } from "./key-history.ts";
import { balanceOf, type Balances } from "./positions.ts";
import { emptySettlement, restoreSettlement, type SettlementState } from "./settlement/index.ts";
import type { EntryChecks, SignatureJudge } from "./verify-entry.ts";

export type AuditOptions = {
  /** Full origin of the lane's log. */
  readonly origin: string;
  readonly history: KeyHistory;
  /** `false` recomputes everything but judges no signature. */
  readonly signatures: boolean;
  /** Who judges signatures elsewhere (threads) notes them down here and answers true. */
  readonly verify?: SignatureJudge | undefined;
  /** Whether checkpoints of other lanes are sealed: see `EntryChecks`. */
  readonly sealed?: EntryChecks["sealed"];
  /**
   * `true` when threads run `verifyEntry` on the same bytes: nothing stands before they agree. May change
   * from entry to entry.
   */
  readonly judgedElsewhere?: boolean;
  /**
   * `false` when the caller makes sure by itself (a unique index) that no id ends twice, and looks up the
   * leaf hash that `leaf-unloaded` asks for (`lendLeaf`).
   */
  readonly keepIds?: boolean;
  /** Leaf hashes kept per participant; beyond them `head-unloaded` asks the caller. Default: all. */
  readonly headsKept?: number;
};

export type AuditedChain = {
  /** The number that the participant's next entry must have. */
  next: number;
  /** Leaf hash of the entry before it, base64. */
  head: string;
  /** First number that no credited statement covers. */
  creditedTo: number;
  readonly heads: ChainHeads;
};

export type AuditedSheet = {
  readonly hash: string;
  readonly sheet: RateSheet;
  readonly seq: number;
  readonly timeMs: number;
  /** Log time at which a higher number ended it. */
  endsAtMs: number | undefined;
  withdrawnAtMs: number | undefined;
  /** Committed under it, in minor units of `from`. */
  usedMinor: bigint;
};

export type FlowTotals = Map<string, { sent: bigint; received: bigint; fees: bigint }>;

/** Owned by one auditor and changed by `auditEntry`; an entry that is refused changes nothing. */
export type AuditState = {
  readonly origin: string;
  /** May be replaced by a longer one of the same key log. */
  history: KeyHistory;
  readonly signatures: boolean;
  readonly verify: SignatureJudge | undefined;
  readonly sealed: EntryChecks["sealed"];
  judgedElsewhere: boolean;
  readonly headsKept: number;
  /** The place that the next entry must have. */
  next: number;
  /** Leaf hash of the entry before it, base64. */
  prev: string;
  logTimeMs: number;
  keysSize: number;
  range: CompactRange;
  readonly chains: Map<string, AuditedChain>;
  /** Leaf hashes of all entries, by place; undefined where the caller lends those that are asked for. */
  readonly leaves: ChainHeads | undefined;
  /** Transfers and advances that have had their entry. */
  readonly ids: Set<string> | undefined;
  /** Head hashes that the caller has looked up, by `participant n`. */
  readonly lentHeads: Map<string, string>;
  /** By the hash that terms cite. */
  readonly sheets: Map<string, AuditedSheet>;
  /** The newest sheet of each `provider from/to`. */
  readonly newest: Map<string, AuditedSheet>;
  /** Windows that are open or not settled, and all that later entries about them are held against. */
  readonly settlement: SettlementState;
  /** Posted counters only: what is pending is not in the log. */
  readonly balances: Balances;
  readonly outcomes: Record<Outcome, number>;
  readonly flows: FlowTotals;
  /** Key-log entries that were older than any open reservation at the last entry. */
  keysFloor: number;
};

export const beginAudit = (options: AuditOptions): AuditState => ({
  origin: options.origin,
  history: options.history,
  signatures: options.signatures,
  verify: options.verify,
  sealed: options.sealed,
  judgedElsewhere: options.judgedElsewhere ?? false,
  headsKept: options.headsKept ?? Number.POSITIVE_INFINITY,
  next: 0,
  prev: zeroHash,
  logTimeMs: 0,
  keysSize: 0,
  range: emptyRange(),
  chains: new Map(),
  ids: options.keepIds === false ? undefined : new Set(),
  leaves: options.keepIds === false ? undefined : emptyHeads(),
  lentHeads: new Map(),
  sheets: new Map(),
  newest: new Map(),
  balances: new Map(),
  outcomes: { committed: 0, rejected: 0, expired: 0, cancelled: 0, recorded: 0 },
  flows: new Map(),
  keysFloor: 0,
  settlement: emptySettlement(),
});

/** The chain of a participant, new if it has no entry yet. */
export const chainOf = (state: AuditState, participant: string): AuditedChain => {
  const known = state.chains.get(participant);
  if (known !== undefined) return known;
  const fresh = { next: 0, head: zeroHash, creditedTo: 0, heads: emptyHeads() };
  state.chains.set(participant, fresh);
  return fresh;
};

type StoredSheet = Omit<AuditedSheet, "usedMinor"> & { readonly usedMinor: string };

/** JSON, except for ids, balances and chain hashes, which the caller keeps in rows of its own. */
export type AuditSnapshot = {
  readonly next: number;
  readonly prev: string;
  readonly logTimeMs: number;
  readonly keysSize: number;
  readonly frontier: readonly string[];
  readonly chains: readonly {
    readonly participant: string;
    readonly next: number;
    readonly head: string;
    readonly creditedTo: number;
  }[];
  readonly sheets: readonly StoredSheet[];
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly flows: readonly (readonly [string, string, string, string])[];
};

export const auditSnapshot = (state: AuditState): AuditSnapshot => ({
  next: state.next,
  prev: state.prev,
  logTimeMs: state.logTimeMs,
  keysSize: state.keysSize,
  frontier: state.range.hashes.map(toBase64),
  chains: [...state.chains].map(([participant, { next, head, creditedTo }]) => ({
    participant,
    next,
    head,
    creditedTo,
  })),
  sheets: [...state.sheets.values()].map((sheet) => ({
    ...sheet,
    usedMinor: String(sheet.usedMinor),
  })),
  outcomes: { ...state.outcomes },
  flows: [...state.flows].map(([currency, { sent, received, fees }]) => [
    currency,
    String(sent),
    String(received),
    String(fees),
  ]),
});

export type StoredBalance = {
  readonly account: string;
  readonly currency: string;
  readonly debits: bigint;
  readonly credits: bigint;
};

/** Goes on from a snapshot. @throws TlogError when the frontier does not fit its size */
export const resumeAudit = (
  options: AuditOptions,
  snapshot: AuditSnapshot,
  balances: readonly StoredBalance[],
  settlement: readonly { readonly name: string; readonly body: string }[] = [],
): AuditState => {
  const state = beginAudit(options);
  restoreSettlement(state.settlement, settlement);
  state.next = snapshot.next;
  state.prev = snapshot.prev;
  state.logTimeMs = snapshot.logTimeMs;
  state.keysSize = snapshot.keysSize;
  state.range = compactRange(snapshot.next, snapshot.frontier.map(fromBase64));
  for (const { participant, next, head, creditedTo } of snapshot.chains) {
    state.chains.set(participant, { next, head, creditedTo, heads: emptyHeads(next) });
  }
  for (const stored of snapshot.sheets) keepSheet(state, fromStored(stored));
  Object.assign(state.outcomes, snapshot.outcomes);
  for (const [currency, sent, received, fees] of snapshot.flows) {
    const flow = { sent: BigInt(sent), received: BigInt(received), fees: BigInt(fees) };
    state.flows.set(currency, flow);
  }
  for (const { account, currency, debits, credits } of balances) {
    const balance = balanceOf(state.balances, account, currency);
    balance.postedDebit = debits;
    balance.postedCredit = credits;
  }
  return state;
};

/** JSON drops fields that are undefined. */
const fromStored = (stored: StoredSheet): AuditedSheet => ({
  ...stored,
  endsAtMs: stored.endsAtMs,
  withdrawnAtMs: stored.withdrawnAtMs,
  usedMinor: BigInt(stored.usedMinor),
});

export const pairKey = ({ provider, pair }: Pick<RateSheet, "provider" | "pair">): string =>
  `${provider} ${pair.from}/${pair.to}`;

/** Registers a sheet; the newest of its pair is the one with the highest number. */
export const keepSheet = (state: AuditState, sheet: AuditedSheet): void => {
  state.sheets.set(sheet.hash, sheet);
  const key = pairKey(sheet.sheet);
  const newest = state.newest.get(key);
  if (newest === undefined || newest.sheet.number < sheet.sheet.number) {
    state.newest.set(key, sheet);
  }
};
