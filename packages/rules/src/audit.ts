// The audit: a fold over a lane's entries that recomputes everything from the entries alone. Places,
// both kinds of hash chain, log time, keys cited, signatures, postings, sheets, single ends, cover,
// balances and the Merkle tree. Used by `sealane audit`, by reconciliation and after every model test:
// another code path than the ledger's. The first fault ends it; nothing is skipped.
import {
  maxEntryBytes,
  noteHash,
  parseTime,
  type EntryContext,
  type Outcome,
} from "@sealane/protocol";
import { appendLeaf, leafHash, rangeRoot, toBase64, utf8 } from "@sealane/tlog";
import {
  keyLagMs,
  moveKeysFloor,
  overspender,
  overspentBy,
  suspendedAllAlong,
} from "./audit-cover.ts";
import { auditedReturnFault, lentLeaf, returnDebits } from "./audit-returns.ts";
import { auditedSettlementFault, foldSettlement, slotFault } from "./audit-settlement.ts";
import {
  addSheet,
  newSheetFault,
  sheetFault,
  withdrawnSheet,
  type AuditFault,
} from "./audit-sheets.ts";
import { chainOf, type AuditState } from "./audit-state.ts";
import { dropHeads, headAt, pushHead } from "./chain-heads.ts";
import { maxExpiryMs } from "./intent.ts";
import { balanceOf, minorOf } from "./positions.ts";
import { skimEntry } from "./skim-entry.ts";
import { verifyEntry, type VerifiedEntry } from "./verify-entry.ts";

export type AuditRefusal = AuditFault & {
  readonly ok: false;
  /** Place in the log of the entry that does not stand. */
  readonly position: number;
  /** With `head-unloaded`: which hash to look up, `lendHead` and then try again. */
  readonly needs?: { readonly participant: string; readonly n: number };
  /** With `leaf-unloaded`: whose place it is. */
  readonly needsLeaf?: number;
};

export type AuditResult =
  | { readonly ok: true; readonly entry: VerifiedEntry; readonly leafHash: Uint8Array }
  | AuditRefusal;

const fault = (code: string, detail: string): AuditFault => ({ code, detail });

const linksFault = (state: AuditState, context: EntryContext, timeMs: number) => {
  if (context.seq !== state.next) {
    return fault("sequence-broken", `it says ${context.seq}`);
  }
  if (context.prev !== state.prev) return fault("prev-mismatch", "it follows another entry");
  if (timeMs < state.logTimeMs) return fault("time-backwards", context.time);
  const { size } = context.keys;
  if (size < state.keysSize) {
    return fault("keys-backwards", `it cites ${size}, an earlier entry ${state.keysSize}`);
  }
  const left = state.history.times[size];
  if (left !== undefined && left < timeMs - keyLagMs) {
    return fault("keys-stale", `it cites ${size} and leaves out an older entry of the key log`);
  }
  for (const link of context.chains) {
    const chain = chainOf(state, link.participant);
    if (link.n !== chain.next || link.prev !== chain.head) {
      const { participant, n } = link;
      return fault("chain-broken", `${participant} has ${chain.next} entries, this says ${n}`);
    }
  }
  return undefined;
};

type HeadFault = AuditFault & { readonly needs?: { participant: string; n: number } };

/** Whether a participant names the leaf hash that its entry n has. */
const headFault = (
  state: AuditState,
  participant: string,
  n: number,
  named: string,
): HeadFault | undefined => {
  const chain = chainOf(state, participant);
  const head =
    n === chain.next - 1
      ? chain.head
      : (headAt(chain.heads, n) ?? state.lentHeads.get(`${participant} ${n}`));
  if (head === undefined) {
    const needs = { participant, n };
    return { ...fault("head-unloaded", `entry ${n} of ${participant}`), needs };
  }
  if (head !== named) return fault("head-mismatch", `${participant} names another entry ${n}`);
  return undefined;
};

const creditedFault = (state: AuditState, { credited }: VerifiedEntry): HeadFault | undefined => {
  if (credited === undefined) return undefined;
  const { participant, upTo } = credited;
  const chain = chainOf(state, participant);
  if (upTo >= chain.next) {
    return fault("credited-ahead", `${participant} has no entry ${upTo} yet`);
  }
  if (upTo < chain.creditedTo) {
    return fault("credited-backwards", `${participant} had credited up to ${chain.creditedTo - 1}`);
  }
  const why = headFault(state, participant, upTo, credited.head);
  return why?.code === "head-mismatch" ? fault("credited-head", why.detail) : why;
};

const chainStatementFault = (
  state: AuditState,
  { statement, context }: VerifiedEntry,
): HeadFault | undefined => {
  if (statement === undefined) return undefined;
  const { participant, from, to, head, size } = statement;
  const chain = chainOf(state, participant);
  if (from > to || to >= chain.next || size > context.seq) {
    return fault("statement-ahead", `${participant} has no entries ${from} to ${to} yet`);
  }
  if (to < chain.creditedTo) {
    return fault("statement-behind", `${participant} had credited up to ${chain.creditedTo - 1}`);
  }
  return headFault(state, participant, to, head);
};

const meaningFault = (state: AuditState, entry: VerifiedEntry): AuditFault | undefined => {
  const { terms, sheet, withdrawal, context, timeMs } = entry;
  const id = entry.transferId ?? entry.advance?.id;
  if (id !== undefined && state.ids?.has(id) === true) {
    return fault("ended-twice", `${id} has an entry already`);
  }
  if (terms !== undefined) {
    if (parseTime(terms.expiresAt) - maxExpiryMs > timeMs) {
      return fault("expiry-too-far", `transfer ${terms.id} may last longer than 300 s`);
    }
    return sheetFault(state, terms, timeMs, context.outcome === "committed");
  }
  if (sheet !== undefined) return newSheetFault(state, sheet);
  if (withdrawal !== undefined && withdrawnSheet(state, withdrawal) === undefined) {
    return fault("sheet-unknown", `there is no sheet ${withdrawal.number} to withdraw`);
  }
  return undefined;
};

const addFlow = (
  state: AuditState,
  currency: string,
  kind: "sent" | "received" | "fees",
  by: bigint,
) => {
  const flow = state.flows.get(currency) ?? { sent: 0n, received: 0n, fees: 0n };
  flow[kind] += by;
  state.flows.set(currency, flow);
};

const addTransfer = (state: AuditState, { terms, context }: VerifiedEntry): void => {
  if (terms === undefined || context.outcome !== "committed") return;
  const { send, receive, fees, converted } = terms;
  addFlow(state, send.currency, "sent", minorOf(send.amount, send.currency));
  addFlow(state, receive.currency, "received", minorOf(receive.amount, receive.currency));
  for (const { currency, amount } of fees)
    addFlow(state, currency, "fees", minorOf(amount, currency));
  const sheet = state.sheets.get(terms.sheet.hash);
  if (sheet !== undefined) sheet.usedMinor += minorOf(converted, send.currency);
};

/** What today's rate was used for. */
const addReturn = (state: AuditState, { returns }: VerifiedEntry): void => {
  if (returns?.kind !== "return" || returns.body.sheet === undefined) return;
  const { sheet: cited, amount } = returns.body;
  const sheet = state.sheets.get(cited.hash);
  if (sheet !== undefined) sheet.usedMinor += minorOf(amount.amount, amount.currency);
};

/** From here on nothing may fail: the entry stands. */
const accept = (state: AuditState, entry: VerifiedEntry, hash: Uint8Array): void => {
  const { context, timeMs, sheet, withdrawal, credited } = entry;
  const id = entry.transferId ?? entry.advance?.id;
  if (id !== undefined) state.ids?.add(id);
  addTransfer(state, entry);
  addReturn(state, entry);
  if (sheet !== undefined) {
    addSheet(state, sheet, { hash: noteHash(entry.inner), seq: context.seq, timeMs });
  }
  const withdrawn = withdrawal === undefined ? undefined : withdrawnSheet(state, withdrawal);
  if (withdrawn !== undefined) withdrawn.withdrawnAtMs = timeMs;
  const head = toBase64(hash);
  if (credited !== undefined) {
    const chain = chainOf(state, credited.participant);
    chain.creditedTo = credited.upTo + 1;
    dropHeads(chain.heads, chain.creditedTo);
  }
  state.lentHeads.clear();
  for (const { participant } of context.chains) {
    const chain = chainOf(state, participant);
    chain.next += 1;
    chain.head = head;
    pushHead(chain.heads, hash);
    // Dropping copies what stays, so it is done for a whole window at once.
    if (chain.heads.to - chain.heads.from > 2 * state.headsKept) {
      dropHeads(chain.heads, chain.heads.to - state.headsKept);
    }
  }
  state.outcomes[context.outcome] += 1;
  state.range = appendLeaf(state.range, hash);
  if (state.leaves !== undefined) pushHead(state.leaves, hash);
  state.next += 1;
  state.prev = head;
  state.logTimeMs = timeMs;
};

const moveBalances = (state: AuditState, { postings }: EntryContext, sign: 1n | -1n): void => {
  for (const { debit, credit, currency, amount } of postings) {
    const minor = sign * minorOf(amount, currency);
    balanceOf(state.balances, debit, currency).postedDebit += minor;
    balanceOf(state.balances, credit, currency).postedCredit += minor;
  }
};

/** A return, already posted: taken back when somebody would be beyond its cover. */
const postReturn = (
  state: AuditState,
  entry: VerifiedEntry,
  before: Pick<AuditState, "keysSize" | "keysFloor">,
): AuditFault | undefined => {
  const who = overspentBy(state, returnDebits(entry), entry.timeMs);
  if (who === undefined) {
    foldSettlement(state, entry);
    return undefined;
  }
  moveBalances(state, entry.context, -1n);
  Object.assign(state, before);
  return fault("cover-exceeded", `${who} has returned more than its cover`);
};

/** Posts the entry and looks at cover; what goes beyond it is taken back. */
const post = (state: AuditState, entry: VerifiedEntry) => {
  const { context, terms, timeMs } = entry;
  const { keysSize, keysFloor } = state;
  state.keysSize = context.keys.size;
  moveKeysFloor(state, timeMs);
  // What a statement means is judged by the books before it.
  const returned = entry.returns?.kind === "return";
  if (terms === undefined && !returned) foldSettlement(state, entry);
  moveBalances(state, context, 1n);
  if (returned) return postReturn(state, entry, { keysSize, keysFloor });
  if (terms === undefined || context.outcome !== "committed") return undefined;
  const parties = [terms.payer, terms.payee, { participant: terms.sheet.provider }];
  const suspended = suspendedAllAlong(
    state,
    parties.map(({ participant }) => participant),
  );
  const who = suspended ?? overspender(state, terms, timeMs);
  if (who === undefined) {
    foldSettlement(state, entry);
    return undefined;
  }
  moveBalances(state, context, -1n);
  Object.assign(state, { keysSize, keysFloor });
  return suspended === undefined
    ? fault("cover-exceeded", `${who} has spent more than its cover`)
    : fault("participant-suspended", `${who} was suspended when it was reserved`);
};

/**
 * Judges the next entry and folds it into `state`.
 * @param note the entry as it is published: its bytes are the leaf
 * @param hash its leaf hash, from who has the bytes at hand: hashing text again takes three times as long
 * @returns the entry, or the position and why it does not stand; then `state` is as it was
 */
export const auditEntry = (
  state: AuditState,
  note: string,
  hash: Uint8Array = leafHash(note),
): AuditResult => {
  const position = state.next;
  const refuse = (why: AuditFault): AuditRefusal => ({ ...why, ok: false, position });
  if (note.length * 3 > maxEntryBytes && utf8(note).length > maxEntryBytes) {
    return refuse(fault("entry-too-large", `an entry has at most ${maxEntryBytes} bytes`));
  }
  const judge = state.judgedElsewhere ? skimEntry : verifyEntry;
  const verified = judge(note, {
    origin: state.origin,
    history: state.history,
    signatures: state.signatures,
    verify: state.verify,
    sealed: state.sealed,
    sheetOf: (cited) => state.sheets.get(cited)?.sheet,
  });
  if (!verified.ok) return refuse(fault(verified.code, verified.detail));
  const { entry } = verified;
  const why =
    linksFault(state, entry.context, entry.timeMs) ??
    creditedFault(state, entry) ??
    chainStatementFault(state, entry) ??
    slotFault(state, entry) ??
    auditedSettlementFault(state, entry) ??
    auditedReturnFault(state, entry) ??
    meaningFault(state, entry) ??
    post(state, entry);
  if (why !== undefined) return refuse(why);
  accept(state, entry, hash);
  return { ok: true, entry, leafHash: hash };
};

/** Gives the hash that `head-unloaded` asked for; it is used for the next entry only. */
export const lendHead = (state: AuditState, participant: string, n: number, hash: string): void => {
  state.lentHeads.set(`${participant} ${n}`, hash);
};

/** Gives the hash that `leaf-unloaded` asked for, the same way. */
export const lendLeaf = (state: AuditState, seq: number, hash: string): void => {
  state.lentHeads.set(lentLeaf(seq), hash);
};

/** Root of the tree of all entries so far: to be compared with a checkpoint of that size. */
export const auditRoot = (state: AuditState): Uint8Array => rangeRoot(state.range);

export type AuditedBalance = {
  readonly account: string;
  readonly currency: string;
  /** Minor units, posted. */
  readonly debits: bigint;
  readonly credits: bigint;
};

export type AuditTotals = {
  readonly entries: number;
  /** Reserved transfers by how they ended. */
  readonly transfers: Readonly<Record<Exclude<Outcome, "recorded">, number>>;
  /** Committed transfers by currency, in minor units, sorted. */
  readonly flows: readonly {
    readonly currency: string;
    readonly sent: bigint;
    readonly received: bigint;
    readonly fees: bigint;
  }[];
  /** All accounts, sorted. */
  readonly balances: readonly AuditedBalance[];
  /** Sum of debits less sum of credits, per currency: zero, or the books do not balance. */
  readonly sums: readonly { readonly currency: string; readonly difference: bigint }[];
};

const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** What the entries so far come to. */
export const auditTotals = (state: AuditState): AuditTotals => {
  const { recorded: _, ...transfers } = state.outcomes;
  const balances = [...state.balances.values()]
    .map(({ account, currency, postedDebit, postedCredit }) => {
      return { account, currency, debits: postedDebit, credits: postedCredit };
    })
    .filter(({ debits, credits }) => debits !== 0n || credits !== 0n)
    .sort((a, b) => byText(a.account, b.account) || byText(a.currency, b.currency));
  const sums = new Map<string, bigint>();
  for (const { currency, debits, credits } of balances) {
    sums.set(currency, (sums.get(currency) ?? 0n) + debits - credits);
  }
  return {
    entries: state.next,
    transfers,
    flows: [...state.flows]
      .map(([currency, flow]) => ({ currency, ...flow }))
      .sort((a, b) => byText(a.currency, b.currency)),
    balances,
    sums: [...sums]
      .map(([currency, difference]) => ({ currency, difference }))
      .sort((a, b) => byText(a.currency, b.currency)),
  };
};
