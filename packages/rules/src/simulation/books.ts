// Reconciliation: follows the topic of entries, fills its gaps from the log, folds each entry with the
// audit, and stores the fold now and then. It dies too, and goes on from what it stored.
import { equalBytes, toBase64 } from "@sealane/tlog";
import { auditEntry, auditRoot, auditTotals, lendHead, type AuditTotals } from "../audit.ts";
import {
  auditSnapshot,
  beginAudit,
  resumeAudit,
  type AuditOptions,
  type AuditSnapshot,
  type AuditState,
  type StoredBalance,
} from "../audit-state.ts";
import { takeSettlementRows } from "../settlement/rows.ts";
import { origin } from "../testing/genesis.ts";
import { makeReader, type Topic } from "./bus.ts";
import type { EntriesMessage, SealedTree } from "./messages.ts";
import { BrokenPromise, type Sim } from "./sim.ts";
import type { Store } from "./store.ts";

type Stored = {
  readonly snapshot: AuditSnapshot;
  readonly balances: readonly StoredBalance[];
  readonly settlement: ReadonlyMap<string, string>;
  readonly nextOffset: number;
};

export type Books = {
  readonly step: () => void;
  readonly rests: () => boolean;
  readonly totals: () => AuditTotals;
};

/** Verifiers refuse an entry whose log time is later than its cosignatures by more than this. */
const aheadMs = 2_000;

/** Judges one entry, with a head looked up where the fold has let go of it. */
export const fold = (state: AuditState, store: Store, note: string): void => {
  let result = auditEntry(state, note);
  if (!result.ok && result.needs !== undefined) {
    const { participant, n } = result.needs;
    const own = store.entries.find(({ chains }) =>
      chains.some((link) => link.participant === participant && link.n === n),
    );
    if (own !== undefined) lendHead(state, participant, n, toBase64(own.hash));
    result = auditEntry(state, note);
  }
  if (result.ok) return;
  const { position, code, detail } = result;
  throw new BrokenPromise(3, `entry ${position} does not stand: ${code} ${detail}`);
};

export const makeBooks = (sim: Sim, topic: Topic<EntriesMessage>, store: Store): Books => {
  const dice = sim.dice("books");
  const reader = makeReader(sim, topic);
  const options: AuditOptions = {
    origin,
    history: sim.story.history,
    // Each entry is judged with its signatures once, by `Sim.verified`.
    signatures: false,
    keepIds: false,
    headsKept: 8,
  };
  let state = beginAudit(options);
  let stored: Stored | undefined;
  let rows = new Map<string, string>();
  let nextOffset = 0;
  const roots = new Map<number, Uint8Array>();

  const takeOne = (note: string): void => {
    sim.verified(note);
    fold(state, store, note);
    const root = auditRoot(state);
    const before = roots.get(state.next);
    if (before !== undefined && !equalBytes(before, root)) {
      throw new BrokenPromise(4, `the books saw two logs of ${state.next} entries`);
    }
    roots.set(state.next, root);
  };

  const fill = (to: number): void => {
    while (state.next < to) {
      const note = store.entries[state.next]?.note;
      if (note === undefined) throw new BrokenPromise(4, `a told entry ${state.next} is not there`);
      takeOne(note);
    }
  };

  const takeSeal = ({ size, root, seconds }: SealedTree): void => {
    fill(size);
    const own = roots.get(size);
    if (own !== undefined && !equalBytes(own, root)) {
      throw new BrokenPromise(5, `a quorum cosigned another tree of ${size} entries`);
    }
    const newest = Math.max(...seconds) * 1_000 + 999 + aheadMs;
    const last = store.entries[size - 1];
    if (last !== undefined && sim.verified(last.note).timeMs > newest) {
      throw new BrokenPromise(3, `entry ${size - 1} is over 2 s later than its cosignatures`);
    }
  };

  const read = (): void => {
    for (const { offset, record } of reader.read(4)) {
      if (offset < nextOffset) continue;
      fill(record.from);
      for (const [at, note] of record.notes.entries()) {
        if (record.from + at >= state.next) takeOne(note);
      }
      if (record.sealed !== undefined) takeSeal(record.sealed);
      nextOffset = offset + 1;
    }
  };

  const keep = (): void => {
    for (const { name, body } of takeSettlementRows(state.settlement)) {
      if (body === undefined) rows.delete(name);
      else rows.set(name, body);
    }
    const snapshot = JSON.parse(JSON.stringify(auditSnapshot(state))) as AuditSnapshot;
    const { balances } = auditTotals(state);
    stored = { snapshot, balances, settlement: new Map(rows), nextOffset };
  };

  const die = (): void => {
    rows = new Map(stored?.settlement);
    const kept = [...rows].map(([name, body]) => ({ name, body }));
    state =
      stored === undefined
        ? beginAudit(options)
        : resumeAudit(options, stored.snapshot, stored.balances, kept);
    nextOffset = stored?.nextOffset ?? 0;
    reader.next = nextOffset;
  };

  return {
    step: () => {
      if (sim.hits("crash", 0.02)) return die();
      if (sim.calm || dice.chance(0.85)) return read();
      return keep();
    },
    rests: () => !reader.behind(),
    totals: () => {
      fill(store.entries.length);
      return auditTotals(state);
    },
  };
};
