// A corpus of seeded faults: what a provider's own books say of given transfers, with faults of every kind
// and mixtures of them put in by a seed, and which breaks each must give. The faults are the truth here; the
// matcher never sees them. Small and deterministic: the same seed, the same corpus.
import { transferIdOf } from "@sealane/protocol";
import type { BreakKind, Leg, LogTransfer, SeenLine, Tolerance } from "../reconcile/index.ts";

export const seededFaults = [
  "none",
  "dropped",
  "amount",
  "currency",
  "fee-left-out",
  "fee-wrong",
  "duplicate",
  "late",
  "pending",
  "reversed",
  "residue",
  "booked-though-failed",
  "reversed-after-failure",
  "duplicate-reversed",
  "amount+late",
  "fee+duplicate",
  "currency+late",
  "late+duplicate",
  "amount+fee",
  "wrong-side",
] as const;
export type SeededFault = (typeof seededFaults)[number];

export type CorpusLine = SeenLine & { readonly participant: string; readonly transfer: string };

export type Corpus = {
  readonly lines: readonly CorpusLine[];
  /** `participant transfer kind`, sorted; as often as there must be a break. */
  readonly expected: readonly string[];
  /** How often each fault was put in. */
  readonly seeded: ReadonlyMap<SeededFault, number>;
};

/** Numbers from a seed: mulberry32, enough for tests. */
export const numbersFrom = (seed: number) => {
  let state = seed >>> 0;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};

/** How much is wrong, and by how much a late line is too late. */
type Measure = Tolerance & { readonly perThousand: number; readonly lateByMs: number };
type Draw = ReturnType<typeof numbersFrom>;
type Made = { readonly lines: SeenLine[]; readonly kinds: BreakKind[] };

const otherCurrency = (currency: string): string => (currency === "USD" ? "EUR" : "USD");

const lineOf = (leg: Leg, reference: string, bookedAtMs: number): SeenLine => ({
  reference,
  side: leg.side,
  currency: leg.currency,
  minor: leg.minor,
  feeMinor: leg.feeMinor === 0n ? undefined : leg.feeMinor,
  status: "booked",
  bookedAtMs,
});

const onCommitted = (
  fault: SeededFault,
  leg: Leg,
  good: SeenLine,
  { bookWithinMs, lateByMs }: Measure,
): Made => {
  const again = { ...good, reference: `${good.reference}/2`, bookedAtMs: good.bookedAtMs + 5 };
  const late = { ...good, bookedAtMs: good.bookedAtMs + bookWithinMs + lateByMs };
  // Neither the fee nor the rounding could explain it.
  const off = { minor: good.minor + leg.feeMinor + 77n };
  const foreign = { currency: otherCurrency(good.currency), feeMinor: undefined };
  const overcharged = { feeMinor: leg.feeMinor + 3n };
  switch (fault) {
    case "dropped":
      return { lines: [], kinds: ["missing-at-wallet"] };
    case "amount":
      return { lines: [{ ...good, ...off }], kinds: ["amount"] };
    case "currency":
      return { lines: [{ ...good, ...foreign }], kinds: ["currency"] };
    case "fee-left-out": {
      if (leg.feeMinor === 0n) return { lines: [good], kinds: [] };
      const net = { ...good, minor: leg.minor - leg.feeMinor, feeMinor: undefined };
      return { lines: [net], kinds: ["fee"] };
    }
    case "fee-wrong":
      return { lines: [{ ...good, ...overcharged }], kinds: ["fee"] };
    case "duplicate":
      return { lines: [good, again], kinds: ["duplicate"] };
    case "late":
      return { lines: [late], kinds: ["late"] };
    case "pending":
      return { lines: [{ ...good, status: "pending" }], kinds: ["status"] };
    case "reversed":
      return { lines: [good, { ...again, status: "reversed" }], kinds: ["status"] };
    case "residue": {
      if (leg.residue === 0n) return { lines: [good], kinds: [] };
      return { lines: [{ ...good, minor: good.minor + leg.residue }], kinds: ["fx-residue"] };
    }
    case "duplicate-reversed": {
      const back = { ...again, reference: `${good.reference}/3`, status: "reversed" as const };
      return { lines: [good, again, back], kinds: [] };
    }
    case "amount+late":
      return { lines: [{ ...late, ...off }], kinds: ["amount", "late"] };
    case "fee+duplicate":
      return { lines: [{ ...good, ...overcharged }, again], kinds: ["fee", "duplicate"] };
    case "currency+late":
      return { lines: [{ ...late, ...foreign }], kinds: ["currency", "late"] };
    case "late+duplicate": {
      const second = { ...late, reference: again.reference, bookedAtMs: late.bookedAtMs + 5 };
      return { lines: [late, second], kinds: ["late", "duplicate"] };
    }
    case "amount+fee":
      return { lines: [{ ...good, ...off, ...overcharged }], kinds: ["amount", "fee"] };
    case "wrong-side": {
      const side = good.side === "debit" ? ("credit" as const) : ("debit" as const);
      return { lines: [{ ...good, side }], kinds: ["missing-at-ledger", "missing-at-wallet"] };
    }
    default:
      return { lines: [good], kinds: [] };
  }
};

/** The books of `participant` for one transfer that was committed. */
const booksOfCommitted = (
  log: LogTransfer,
  legs: readonly Leg[],
  draw: Draw,
  tolerance: Measure,
  note: (fault: SeededFault) => void,
): Made => {
  const faulty = draw(1_000) < tolerance.perThousand;
  const fault = faulty ? (seededFaults[draw(seededFaults.length)] ?? "none") : "none";
  note(fault);
  // A provider with both sides of a conversion has the fault in the first of them.
  return legs
    .map((leg, at): Made => {
      const name = `${log.id.slice(0, 8)}-${leg.side}-${leg.currency}`;
      const good = lineOf(
        leg,
        name,
        log.timeMs + 1 + draw(Math.min(1_000, tolerance.bookWithinMs)),
      );
      const crossed = fault === "wrong-side" && legs.length > 1;
      const own = at === 0 && !crossed ? fault : "none";
      return onCommitted(own, leg, good, tolerance);
    })
    .reduce((all, one) => ({
      lines: [...all.lines, ...one.lines],
      kinds: [...all.kinds, ...one.kinds],
    }));
};

/** A wallet takes the money of a payer before the ledger decides: a failure must give it back. */
const booksOfFailed = (
  log: LogTransfer,
  draw: Draw,
  { decideWithinMs, perThousand }: Measure,
  note: (fault: SeededFault) => void,
): Made => {
  const faulty = draw(600) < perThousand;
  const fault = faulty
    ? (["booked-though-failed", "reversed-after-failure"] as const)[draw(2)]
    : undefined;
  note(fault ?? "none");
  if (fault === undefined) return { lines: [], kinds: [] };
  const leg: Leg = {
    participant: "",
    side: "debit",
    currency: "HKD",
    minor: 5_000n,
    feeMinor: 0n,
    residue: 0n,
  };
  const taken = lineOf(
    leg,
    `${log.id.slice(0, 8)}-taken`,
    log.timeMs - Math.min(500, decideWithinMs),
  );
  if (fault === "booked-though-failed") return { lines: [taken], kinds: ["status"] };
  const back = { ...taken, reference: `${taken.reference}/2`, bookedAtMs: log.timeMs + 100 };
  return { lines: [taken, { ...back, status: "reversed" }], kinds: [] };
};

export type CorpusOptions = {
  readonly seed: number;
  readonly transfers: readonly LogTransfer[];
  /** Whose books are made. */
  readonly participants: readonly string[];
  /** Lines of transfers that the log has never seen. */
  readonly ghosts: number;
  readonly tolerance: Tolerance;
  /** How many of a thousand bookings are wrong; default 400. */
  readonly perThousand?: number;
  /** By how much a late booking is later than it may be; default a minute. */
  readonly lateByMs?: number;
};

/** Makes every participant's books. */
export const makeCorpus = (options: CorpusOptions): Corpus => {
  const { seed, transfers, participants, ghosts, perThousand = 400, lateByMs = 60_000 } = options;
  const measure: Measure = { ...options.tolerance, perThousand, lateByMs };
  const draw = numbersFrom(seed);
  const lines: CorpusLine[] = [];
  const expected: string[] = [];
  const seeded = new Map<SeededFault, number>();
  const note = (fault: SeededFault): void => void seeded.set(fault, (seeded.get(fault) ?? 0) + 1);
  const take = (participant: string, transfer: string, made: Made): void => {
    lines.push(...made.lines.map((line) => ({ ...line, participant, transfer })));
    expected.push(...made.kinds.map((kind) => `${participant} ${transfer} ${kind}`));
  };
  for (const log of transfers) {
    for (const participant of participants) {
      const legs = log.legs.filter((leg) => leg.participant === participant);
      if (legs.length > 0) {
        take(participant, log.id, booksOfCommitted(log, legs, draw, measure, note));
      }
    }
    const [payer] = participants;
    if (log.outcome !== "committed" && payer !== undefined) {
      take(payer, log.id, booksOfFailed(log, draw, measure, note));
    }
  }
  const lastMs = transfers.at(-1)?.timeMs ?? 0;
  const firstMs = transfers[0]?.timeMs ?? 0;
  for (let n = 0; n < ghosts; n += 1) {
    const participant = participants[draw(participants.length)] ?? "";
    const id = transferIdOf(participant, `ghost ${seed} ${n}`);
    const leg: Leg = {
      participant,
      side: draw(2) === 0 ? "debit" : "credit",
      currency: "HKD",
      minor: BigInt(1 + draw(99_999)),
      feeMinor: 0n,
      residue: 0n,
    };
    const line = lineOf(leg, `ghost-${seed}-${n}`, firstMs + draw(Math.max(1, lastMs - firstMs)));
    take(participant, id, { lines: [line], kinds: ["missing-at-ledger"] });
  }
  return { lines, expected: expected.toSorted(), seeded };
};
