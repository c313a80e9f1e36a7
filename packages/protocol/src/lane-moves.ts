// What moves from one lane to another. Cover leaves by an entry that two operators have signed, and is on
// its way until an entry of the other lane takes it in. That one is the ledger's own: it carries the first
// whole, with the proof that a quorum has sealed it, so that whoever has the entry can judge it alone.
import { z } from "zod";
import {
  currencySchema,
  decimalSchema,
  participantSchema,
  timeSchema,
  transferIdSchema,
} from "./fields.ts";

/** The full origin of a lane's log. */
const originSchema = z.string().max(200).regex(/^\S+$/);

/** Cover of a participant leaves this lane for another. Signed by two operators. */
export const liquidityOutSchema = z.strictObject({
  /** The move's id: it leaves once. */
  id: transferIdSchema,
  /** The lane that takes it in. */
  to: originSchema,
  participant: participantSchema,
  currency: currencySchema,
  amount: decimalSchema,
  /** So much of it is only advanced: what backs it, or will, stays in this lane. */
  unbacked: decimalSchema,
  /** Refused from this log time on, so that who does not see it leave knows some time that it will not. */
  until: timeSchema,
});
export type LiquidityOut = z.infer<typeof liquidityOutSchema>;

/** The first line is the format's own; the rest is read by its parser. */
export const carriedProofSchema = z
  .string()
  .max(16 * 1024)
  .regex(/^c2sp\.org.tlog-proof@v1\n[\s\S]+$/);

/** Half-open ranges of the 1,024 slots. */
const slotRangeSchema = z.strictObject({
  from: z.int().min(0).max(1_023),
  to: z.int().min(1).max(1_024),
});

/**
 * Slots leave this lane for the one that the key log names. The ledger's own: it follows from the key log.
 * The ids are those that were open here: they end here, and the other lane never decides them.
 */
export const slotsOutSchema = z.strictObject({
  to: originSchema,
  slots: z.array(slotRangeSchema).min(1).max(64),
  open: z.array(transferIdSchema).max(400),
});
export type SlotsOut = z.infer<typeof slotsOutSchema>;

/** What another lane has let go, as its log has it: the entry stands below this statement, whole. */
export const carriedSchema = z.strictObject({
  /** The lane that let it go. */
  from: originSchema,
  /** A C2SP tlog-proof of that entry under a checkpoint that a quorum has cosigned. */
  proof: carriedProofSchema,
});
export type Carried = z.infer<typeof carriedSchema>;

/** Kinds by which a lane takes in what another has let go: never signed by people, only carried. */
export const carriedKinds = ["liquidity-in", "slots-in"] as const;
export type CarriedKind = (typeof carriedKinds)[number];
