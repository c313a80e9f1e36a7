// What a lane, and everybody who audits it, remembers of settlement: the flows of each corridor's open
// window, cut windows until all of their nets are final, advances that nothing backs yet, and what was
// taken from banks' statements. A fold over entries: no clock, and nothing that is not in the log.
// `dirty` names the rows that changed since they were last stored; see `rows.ts`.
import type {
  DerivedStatement,
  LiquidityOut,
  Netting,
  SlotsOut,
  WindowLeg,
  WindowTotal,
} from "@sealane/protocol";
import type { OpenRecall, Returned } from "../returns/state.ts";
import type { PartialStatement } from "./statement-parts.ts";

/** Posted between two accounts in one currency, in minor units, by `debit credit currency`. */
export type Flows = Map<string, bigint>;

export type OpenWindow = {
  readonly corridor: string;
  readonly number: number;
  /** Its first position of the log. */
  readonly from: number;
  /** Log time of the cut before; 0 for the first window. */
  readonly sinceMs: number;
  transfers: number;
  readonly flows: Flows;
};

/** `settled` and `defaulted` are final. */
export type NetStatus = "open" | "held" | "settled" | "defaulted";

export type NetState = {
  readonly participant: string;
  readonly totals: readonly WindowTotal[];
  legs: readonly WindowLeg[];
  status: NetStatus;
  why: string | undefined;
  /** The bank's reason for a rejected line. */
  reason: string | undefined;
  /** `reference side` of legs that the bank has booked: alone, they are exposure. */
  booked: readonly string[];
};

export type ClosedWindow = {
  readonly corridor: string;
  readonly number: number;
  readonly from: number;
  /** Exclusive: the place of its cut. */
  readonly to: number;
  readonly cutTimeMs: number;
  readonly netting: Netting;
  readonly payByMs: number;
  readonly transfers: number;
  /** Grows when the instructions are taken back and made again. */
  attempt: number;
  readonly nets: Map<string, NetState>;
};

export type UnbackedAdvance = {
  readonly participant: string;
  readonly currency: string;
  readonly minor: bigint;
};

/**
 * Where unsettled credits count, a transfer may be reserved before a cut and committed after it, when
 * the cut window's credits no longer cover it: auditors allow for that as long as it can happen.
 */
export type Crossing = {
  readonly untilMs: number;
  readonly participant: string;
  readonly currency: string;
  readonly minor: bigint;
};

/** Cover that has left this lane, or that it has taken in. */
export type LaneMove = {
  /** Of its entry here. */
  readonly seq: number;
  /** Of the entry that let it go, in the lane that did. */
  readonly outSeq: number;
  /** The lane at the other end: its origin. */
  readonly lane: string;
  readonly body: LiquidityOut;
  /** What ordered it (the statement's text) or let it go (the entry there): another one is refused. */
  readonly hash: string;
};

export type SlotRange = { readonly from: number; readonly to: number };

/** Slots that have left this lane, or that it has taken in. */
export type SlotMove = Omit<LaneMove, "body"> & { readonly body: SlotsOut };

export type SettlementState = {
  readonly open: Map<string, OpenWindow>;
  /** By `corridor/number`. */
  readonly closed: Map<string, ClosedWindow>;
  readonly unbacked: Map<string, UnbackedAdvance>;
  /** By `out id`, and `in origin id`. */
  readonly moves: Map<string, LaneMove>;
  /** By `participant currency`: advanced cover that came in, less what has left; may be negative. */
  readonly unbackedMoved: Map<string, bigint>;
  /** The slots that this lane decides; undefined while it has those that the key log gave it first. */
  slots: readonly SlotRange[] | undefined;
  /** By `out seq`, and `in origin seq`. */
  readonly slotMoves: Map<string, SlotMove>;
  /** Ids that were open here when their slot left: they end here. */
  readonly openIds: Set<string>;
  /** Ids that were open in another lane when it let their slot go, and that lane. */
  readonly heldIds: Map<string, string>;
  /** Hash of each statement by `bank reference`, and of each deposit's or withdrawal's line. */
  readonly seen: Map<string, string>;
  /** What must follow next in the log, in order. Empty between batches of the lane. */
  due: readonly DerivedStatement[];
  /** A bank's statement of which parts are still to come, before anything else. Empty as `due` is. */
  partial: PartialStatement | undefined;
  crossings: readonly Crossing[];
  /** What came back of an original, and the recall of it that is open: both by its id. */
  readonly returned: Map<string, Returned>;
  readonly recalls: Map<string, OpenRecall>;
  readonly dirty: Set<string>;
};

export const emptySettlement = (): SettlementState => ({
  open: new Map(),
  closed: new Map(),
  unbacked: new Map(),
  moves: new Map(),
  unbackedMoved: new Map(),
  slots: undefined,
  slotMoves: new Map(),
  openIds: new Set(),
  heldIds: new Map(),
  seen: new Map(),
  due: [],
  partial: undefined,
  crossings: [],
  returned: new Map(),
  recalls: new Map(),
  dirty: new Set(),
});

/** Whoever trades a pair that no corridor names settles here, all against all. */
export const defaultCorridor = "default";

export const windowKey = ({ corridor, number }: { corridor: string; number: number }): string =>
  `${corridor}/${number}`;

/** The corridor's open window; the first one begins with the log. */
export const openWindowOf = (state: SettlementState, corridor: string): OpenWindow => {
  const known = state.open.get(corridor);
  if (known !== undefined) return known;
  const flows = new Map<string, bigint>();
  const fresh = { corridor, number: 0, from: 0, sinceMs: 0, transfers: 0, flows };
  state.open.set(corridor, fresh);
  return fresh;
};

export const isFinal = ({ status }: Pick<NetState, "status">): boolean =>
  status === "settled" || status === "defaulted";

/** Of an account: `hk-wallet.example:fees` belongs to `hk-wallet.example`. */
export const ownerOf = (account: string): string => account.slice(0, account.lastIndexOf(":"));

export const isFees = (account: string): boolean => account.endsWith(":fees");
