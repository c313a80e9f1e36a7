// Money that comes back: a return is a transfer of its own, linked to the one that it gives back (ISO
// 20022 pacs.004); a recall asks for one (camt.056), and is answered by a return or by a refusal
// (camt.029). A return and a recall carry the original's entry whole below them, so that whoever has one
// can say what it posts; a refusal carries the recall. Reasons are codes of the external sets alone.
import { z } from "zod";
import {
  counterSchema,
  decimalSchema,
  hashSchema,
  moneySchema,
  participantSchema,
  transferIdSchema,
} from "./fields.ts";
import { transferIdOf } from "./names.ts";

/** Of ExternalReturnReason1Code: those that a provider's customer or its own checks give. */
export const returnReasons = [
  "AC03",
  "AC04",
  "AC06",
  "AC07",
  "AG01",
  "AM05",
  "AM09",
  "BE01",
  "BE04",
  "CURR",
  "CUST",
  "DUPL",
  "FOCR",
  "FR01",
  "MD06",
  "MS02",
  "MS03",
  "NOAS",
  "NOOR",
  "RR04",
  "RUTA",
  "SVNR",
  "TM01",
  "UPAY",
] as const;
export type ReturnReason = (typeof returnReasons)[number];

/** Of ExternalCancellationReason1Code. */
export const recallReasons = [
  "AC03",
  "AGNT",
  "AM09",
  "CUST",
  "CUTA",
  "DUPL",
  "ENUE",
  "FRAD",
  "MD06",
  "SVNR",
  "TECH",
  "UAPA",
  "UPAY",
] as const;
export type RecallReason = (typeof recallReasons)[number];

/** Of ExternalPaymentCancellationRejection1Code. */
export const recallRefusalReasons = [
  "AC04",
  "AGNT",
  "AM04",
  "ARDT",
  "CUST",
  "LEGL",
  "NOAS",
  "NOOR",
  "PTNA",
  "RR04",
] as const;
export type RecallRefusalReason = (typeof recallRefusalReasons)[number];

/** The original's id and where its entry stands: its place, and its leaf hash. */
export const originalSchema = z.strictObject({
  id: transferIdSchema,
  seq: counterSchema,
  hash: hashSchema,
});
export type OriginalRef = z.infer<typeof originalSchema>;

/** `original`: the original's own conversion, turned round. `today`: a sheet of now. */
export const returnRates = ["original", "today"] as const;
export type ReturnRate = (typeof returnRates)[number];

/**
 * Who bears the original's fee: `payer`: it is not given back; `payee`: the payee's provider pays it on
 * top; `earner`: whoever earned it gives it back.
 */
export const feeBearers = ["payer", "payee", "earner"] as const;
export type FeeBearer = (typeof feeBearers)[number];

/** The payee's provider gives back all or part; the original's entry stands whole below it. */
export const returnSchema = z.strictObject({
  /** `linkedIdOf` the original. */
  id: transferIdSchema,
  original: originalSchema,
  participant: participantSchema,
  /** What comes back of the amount received, in its currency. */
  amount: moneySchema,
  /** What earlier returns gave back: of two signed at once the second no longer fits. */
  before: decimalSchema,
  rate: z.enum(returnRates),
  bearer: z.enum(feeBearers),
  /** What the payer's provider gets, in the currency that was sent; a fee that it gets back included. */
  back: moneySchema,
  /** Of today's rate: the sheet that `back` was priced from. */
  sheet: z
    .strictObject({ provider: participantSchema, number: counterSchema, hash: hashSchema })
    .optional(),
  /** The recall that it answers. */
  recall: transferIdSchema.optional(),
  reason: z.enum(returnReasons),
});
export type Return = z.infer<typeof returnSchema>;

/** The payer's provider asks for all or part back; the original's entry stands whole below it. */
export const recallSchema = z.strictObject({
  /** `linkedIdOf` the original. */
  id: transferIdSchema,
  original: originalSchema,
  participant: participantSchema,
  /** Of the amount received, in its currency. */
  amount: moneySchema,
  /** The sender's right: soon after, and not paid out. It can be refused only once paid out. */
  cancel: z.boolean(),
  reason: z.enum(recallReasons),
});
export type Recall = z.infer<typeof recallSchema>;

/** The payee's provider says no; the recall stands whole below it. */
export const recallRefusalSchema = z.strictObject({
  recall: transferIdSchema,
  participant: participantSchema,
  reason: z.enum(recallRefusalReasons),
});
export type RecallRefusal = z.infer<typeof recallRefusalSchema>;

/**
 * The id of a return or a recall: a transfer id of whoever signs it, in the slot of the original, so
 * that the lane that decided the one decides the other. A UETR too.
 */
export const linkedIdOf = (original: string, participant: string, idempotencyKey: string): string =>
  original.slice(0, 4) + transferIdOf(participant, `${original} ${idempotencyKey}`).slice(4);
