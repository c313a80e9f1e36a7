// A committed transfer's bookings as they stand in `entry.facts`: what the signed terms give, written by
// the fold that judged them. The same entry gives the same text, on any instance and at any time.
import type { Leg, LogTransfer, Side } from "@sealane/rules";

type Row = readonly [
  participant: string,
  side: Side,
  currency: string,
  minor: string,
  feeMinor: string,
  residue: string,
];

/** Undefined where there is nothing to be booked. */
export const factsText = (transfer: LogTransfer | undefined): string | undefined => {
  if (transfer === undefined || transfer.legs.length === 0) return undefined;
  const rows = transfer.legs.map(
    ({ participant, side, currency, minor, feeMinor, residue }): Row => [
      participant,
      side,
      currency,
      String(minor),
      String(feeMinor),
      String(residue),
    ],
  );
  return JSON.stringify(rows);
};

export const legsOfFacts = (facts: string | null): Leg[] =>
  facts === null
    ? []
    : (JSON.parse(facts) as Row[]).map(
        ([participant, side, currency, minor, feeMinor, residue]): Leg => ({
          participant,
          side,
          currency,
          minor: BigInt(minor),
          feeMinor: BigInt(feeMinor),
          residue: BigInt(residue),
        }),
      );
