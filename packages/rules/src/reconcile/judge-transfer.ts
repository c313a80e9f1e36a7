// One transfer at one participant: the log's legs against the lines of the provider's own books. A pure
// function of what is known and how far it goes, so the order in which the sides arrived does not matter,
// and a side that lags is waited for instead of being accused.
//
// Order of precedence: reversals take booked lines back; lines are paired with legs, the closest first;
// a pair differs in currency, else in fee, rounding or amount, and may be late besides; what has no leg is a
// duplicate or is missing at the ledger; what has no line is unfinished or missing at the wallet.
import { amountOf } from "../positions.ts";
import type {
  Finding,
  Horizon,
  Judgement,
  Leg,
  LogTransfer,
  SeenLine,
  Tolerance,
  Waits,
} from "./types.ts";

export type TransferSides = {
  readonly participant: string;
  /** The end that the log has; undefined: none is known. */
  readonly log: LogTransfer | undefined;
  readonly lines: readonly SeenLine[];
};

type Pair = { readonly leg: Leg; readonly line: SeenLine };

const byTime = (a: SeenLine, b: SeenLine): number => {
  if (a.bookedAtMs !== b.bookedAtMs) return a.bookedAtMs - b.bookedAtMs;
  return a.reference < b.reference ? -1 : 1;
};

const sameBooking = (a: SeenLine, b: SeenLine): boolean =>
  a.side === b.side && a.currency === b.currency && a.minor === b.minor;

/** Booked lines that stand, after reversals took theirs back: the newest of what is the same. */
const standingLines = (lines: readonly SeenLine[]): SeenLine[] => {
  const standing = lines.filter(({ status }) => status === "booked").toSorted(byTime);
  for (const reversal of lines) {
    if (reversal.status !== "reversed") continue;
    const at = standing.findLastIndex((line) => sameBooking(line, reversal));
    if (at >= 0) standing.splice(at, 1);
  }
  return standing;
};

/** From the closest to the least close that may still be the same booking. */
const closeness: readonly ((leg: Leg, line: SeenLine) => boolean)[] = [
  (leg, line) =>
    leg.side === line.side && leg.currency === line.currency && leg.minor === line.minor,
  (leg, line) => leg.side === line.side && leg.currency === line.currency,
  (leg, line) => leg.side === line.side,
];

const pairUp = (legs: readonly Leg[], lines: readonly SeenLine[]) => {
  const pairs: Pair[] = [];
  let openLegs = [...legs];
  let openLines = [...lines];
  for (const close of closeness) {
    for (const leg of openLegs) {
      const line = openLines.find((one) => close(leg, one));
      if (line === undefined) continue;
      pairs.push({ leg, line });
      openLegs = openLegs.filter((one) => one !== leg);
      openLines = openLines.filter((one) => one !== line);
    }
  }
  return { pairs, openLegs, openLines };
};

const ofLine = (kind: Finding["kind"], line: SeenLine, detail: string): Finding => ({
  kind,
  between: "log-wallet",
  subject: line.reference,
  side: line.side,
  currency: line.currency,
  foundMinor: line.minor,
  detail,
});

/** What differs within a pair of the same currency: each difference is named once. */
const moneyFindings = ({ leg, line }: Pair): Finding[] => {
  const { currency } = leg;
  const off = line.minor - leg.minor;
  const feeOff = line.feeMinor === undefined ? undefined : line.feeMinor - leg.feeMinor;
  const text = (minor: bigint): string => amountOf(minor, currency);
  const said = { expectedMinor: leg.minor };
  const amounts = `${text(line.minor)} booked, the log has ${text(leg.minor)}`;
  // Booked without its fee and not saying so: the fee explains it, to the minor unit.
  const feeLeftOut = feeOff === undefined && leg.feeMinor !== 0n && off === -leg.feeMinor;
  if (feeLeftOut) {
    return [{ ...ofLine("fee", line, `${amounts}: the fee of ${text(leg.feeMinor)}`), ...said }];
  }
  const found: Finding[] = [];
  if (feeOff !== undefined && feeOff !== 0n) {
    const fees = `fee ${text(line.feeMinor ?? 0n)}, the terms give ${text(leg.feeMinor)}`;
    found.push({
      ...ofLine("fee", line, fees),
      expectedMinor: leg.feeMinor,
      foundMinor: line.feeMinor ?? 0n,
    });
  }
  if (off === 0n || (feeOff !== undefined && off === feeOff)) return found;
  const kind = leg.residue !== 0n && off === leg.residue ? "fx-residue" : "amount";
  return [...found, { ...ofLine(kind, line, amounts), ...said }];
};

const pairFindings = (pair: Pair, log: LogTransfer, { bookWithinMs }: Tolerance): Finding[] => {
  const { leg, line } = pair;
  const said = { expectedMinor: leg.minor };
  const found =
    leg.currency === line.currency
      ? moneyFindings(pair)
      : [
          {
            ...ofLine("currency", line, `booked in ${line.currency}, the log has ${leg.currency}`),
            ...said,
            currency: leg.currency,
            foundCurrency: line.currency,
          },
        ];
  const lateMs = line.bookedAtMs - log.timeMs;
  if (lateMs <= bookWithinMs) return found;
  const detail = `booked ${Math.ceil(lateMs / 1_000)} s after the log's entry ${log.seq}`;
  return [...found, { ...ofLine("late", line, detail), ...said }];
};

/** Whether the provider's statements cover this instant and this entry. */
const walletCovers = (horizon: Horizon, dueMs: number, seq: number): boolean =>
  horizon.walletUntilMs >= dueMs &&
  (horizon.walletPosition === undefined || horizon.walletPosition > seq);

const legFinding = (leg: Leg, log: LogTransfer, lines: readonly SeenLine[]): Finding => {
  const { side, currency, minor: expectedMinor } = leg;
  const subject = `${side} ${currency}`;
  const common = { between: "log-wallet", subject, side, currency, expectedMinor } as const;
  const begun = lines.find((line) => line.side === side && line.status !== "booked");
  if (begun !== undefined) {
    const detail = `committed in entry ${log.seq}, ${begun.status} at the wallet`;
    return { kind: "status", ...common, detail };
  }
  const detail = `entry ${log.seq} has ${amountOf(expectedMinor, currency)}, the wallet nothing`;
  return { kind: "missing-at-wallet", ...common, detail };
};

const judgeCommitted = (
  { participant, lines }: TransferSides,
  log: LogTransfer,
  horizon: Horizon,
  tolerance: Tolerance,
): Judgement => {
  const own = log.legs.filter((leg) => leg.participant === participant);
  const { pairs, openLegs, openLines } = pairUp(own, standingLines(lines));
  const findings = pairs.flatMap((pair) => pairFindings(pair, log, tolerance));
  for (const line of openLines) {
    const again = own.some(({ side }) => side === line.side);
    const detail = again
      ? `booked again: entry ${log.seq} has it once`
      : `entry ${log.seq} has no ${line.side} for ${participant}`;
    findings.push(ofLine(again ? "duplicate" : "missing-at-ledger", line, detail));
  }
  // A wallet may book before the ledger decides: before its first statement begins nothing is missing.
  const told = log.timeMs - tolerance.decideWithinMs >= horizon.walletFromMs;
  if (openLegs.length === 0 || !told) return { findings, waits: {} };
  const dueMs = log.timeMs + tolerance.bookWithinMs;
  if (!walletCovers(horizon, dueMs, log.seq)) {
    return { findings, waits: { walletMs: dueMs, walletSeq: log.seq } };
  }
  return {
    findings: [...findings, ...openLegs.map((leg) => legFinding(leg, log, lines))],
    waits: {},
  };
};

/** The transfer did not happen: whatever was booked for it must be taken back. */
const judgeFailed = (
  lines: readonly SeenLine[],
  log: LogTransfer,
  horizon: Horizon,
  { bookWithinMs }: Tolerance,
): Judgement => {
  const findings: Finding[] = [];
  let waits: Waits = {};
  for (const line of standingLines(lines)) {
    const dueMs = Math.max(log.timeMs, line.bookedAtMs) + bookWithinMs;
    if (walletCovers(horizon, dueMs, log.seq)) {
      const detail = `${log.outcome} in entry ${log.seq}, booked at the wallet`;
      findings.push(ofLine("status", line, detail));
    } else {
      const walletMs = Math.min(waits.walletMs ?? dueMs, dueMs);
      waits = { walletMs, walletSeq: log.seq };
    }
  }
  return { findings, waits };
};

const judgeUnknown = (
  lines: readonly SeenLine[],
  { logTimeMs }: Horizon,
  { decideWithinMs }: Tolerance,
): Judgement => {
  const findings: Finding[] = [];
  let waits: Waits = {};
  for (const line of standingLines(lines)) {
    const dueMs = line.bookedAtMs + decideWithinMs;
    if (logTimeMs >= dueMs) {
      findings.push(ofLine("missing-at-ledger", line, "the log has no such transfer"));
    } else waits = { logMs: Math.min(waits.logMs ?? dueMs, dueMs) };
  }
  return { findings, waits };
};

/**
 * Judges one transfer at one participant by all that is known of it.
 * @returns what is wrong for certain, and until when the rest must wait
 * @example judgeTransfer({ participant, log, lines: [] }, horizon, defaultTolerance).findings[0]?.kind
 */
export const judgeTransfer = (
  sides: TransferSides,
  horizon: Horizon,
  tolerance: Tolerance,
): Judgement => {
  const { log, lines } = sides;
  if (log === undefined) return judgeUnknown(lines, horizon, tolerance);
  if (log.outcome !== "committed") return judgeFailed(lines, log, horizon, tolerance);
  return judgeCommitted(sides, log, horizon, tolerance);
};
