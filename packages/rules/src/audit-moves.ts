// Moves between lanes, over the audits of all of them: what came into a lane was let go by another, by the
// very entry that it carries and for it alone; what was let go and came in nowhere is in transit, and the
// accounts say just that. Lanes are read one after the other, so a later one may know more.
import { inTransitAccount } from "@sealane/protocol";
import type { AuditState } from "./audit-state.ts";
import { headAt } from "./chain-heads.ts";
import { minorOf } from "./positions.ts";
import type { LaneMove, SlotMove } from "./settlement/state.ts";

type Move = LaneMove | SlotMove;

/** What one lane's audit says of moves, and of the accounts that they pass through. */
export type LaneMoves = {
  readonly origin: string;
  /** Entries that were read. */
  readonly size: number;
  readonly outs: readonly (Move & { readonly leaf: string | undefined })[];
  readonly ins: readonly Move[];
  /** Transfers, returns and advances that ended in this lane: in no other. */
  readonly ids: ReadonlySet<string>;
  /** Credits less debits of `in-transit`, by `participant currency`. */
  readonly inTransit: ReadonlyMap<string, bigint>;
};

/** Of an audit that has all of a lane's leaf hashes, a resumed one too. */
export const lanesMoves = (state: AuditState): LaneMoves => {
  const outs: LaneMoves["outs"][number][] = [];
  const ins: Move[] = [];
  const { moves, slotMoves } = state.settlement;
  for (const [key, move] of [...moves, ...slotMoves] as (readonly [string, Move])[]) {
    if (!key.startsWith("out ")) ins.push(move);
    else {
      const leaf = state.leaves === undefined ? undefined : headAt(state.leaves, move.seq);
      outs.push({ ...move, leaf });
    }
  }
  const suffix = inTransitAccount("");
  const inTransit = new Map<string, bigint>();
  for (const { account, currency, postedDebit, postedCredit } of state.balances.values()) {
    if (!account.endsWith(suffix)) continue;
    const key = `${account.slice(0, -suffix.length)} ${currency}`;
    inTransit.set(key, postedCredit - postedDebit);
  }
  return {
    origin: state.origin,
    size: state.next,
    outs,
    ins,
    inTransit,
    ids: state.ids ?? new Set(),
  };
};

export type InTransit = { readonly from: string; readonly body: Move["body"] };

export type MovesVerdict =
  | {
      readonly ok: true;
      readonly moved: number;
      readonly inTransit: readonly InTransit[];
      /** Came in after the other lane was read, or from a lane that was not read: not compared. */
      readonly notCompared: number;
    }
  | {
      readonly ok: false;
      readonly code: string;
      readonly detail: string;
      /** The lane, and the entry in it. */
      readonly origin: string;
      readonly position: number;
    };

const sumFault = (lanes: readonly LaneMoves[], open: readonly InTransit[]) => {
  const sums = new Map<string, bigint>();
  const add = (key: string, minor: bigint) => sums.set(key, (sums.get(key) ?? 0n) + minor);
  for (const { inTransit } of lanes) for (const [key, minor] of inTransit) add(key, minor);
  for (const { body } of open) {
    if (!("amount" in body)) continue;
    add(`${body.participant} ${body.currency}`, -minorOf(body.amount, body.currency));
  }
  return [...sums].find(([, minor]) => minor !== 0n);
};

/** An id that ended in two lanes, if there is one. */
const idTwice = (lanes: readonly LaneMoves[]): string | undefined => {
  const [largest, ...others] = lanes.toSorted((a, b) => b.ids.size - a.ids.size);
  const seen = new Set<string>();
  for (const { ids } of others) {
    for (const id of ids) {
      if (largest?.ids.has(id) === true || seen.has(id)) return id;
      seen.add(id);
    }
  }
  return undefined;
};

/** Compares the moves of all lanes that were audited, and that no id ended in two of them. */
export const compareMoves = (lanes: readonly LaneMoves[]): MovesVerdict => {
  const twice = idTwice(lanes);
  if (twice !== undefined) {
    const detail = `${twice} ended in two lanes`;
    return { ok: false, code: "ended-twice", detail, origin: lanes[0]?.origin ?? "", position: 0 };
  }
  const taken = new Set<string>();
  let moved = 0;
  let notCompared = 0;
  for (const { origin, ins } of lanes) {
    for (const { lane, hash, outSeq, seq: position } of ins) {
      const no = (code: string, detail: string) =>
        ({ ok: false, code, detail, origin, position }) as const;
      const key = `${lane} ${outSeq}`;
      if (taken.has(key)) return no("move-twice", `entry ${outSeq} of ${lane} was taken in before`);
      taken.add(key);
      const from = lanes.find((one) => one.origin === lane);
      if (from === undefined || outSeq >= from.size) {
        notCompared += 1;
        continue;
      }
      const out = from.outs.find(({ seq }) => seq === outSeq);
      if (out === undefined || (out.leaf ?? hash) !== hash) {
        return no("move-unfounded", `${lane} has let nothing go by that entry`);
      }
      moved += 1;
    }
  }
  const inTransit = lanes.flatMap(({ origin, outs }) =>
    outs
      .filter(({ seq }) => !taken.has(`${origin} ${seq}`))
      .map(({ body }) => ({ from: origin, body })),
  );
  // Which have come in elsewhere nobody knows here, where something was not compared.
  const wrong = notCompared > 0 ? undefined : sumFault(lanes, inTransit);
  if (wrong !== undefined) {
    const detail = `in transit over all lanes: ${wrong[0]} is off by ${wrong[1]} minor units`;
    return { ok: false, code: "sum-not-zero", detail, origin: lanes[0]?.origin ?? "", position: 0 };
  }
  return { ok: true, moved, inTransit, notCompared };
};
