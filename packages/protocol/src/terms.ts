// The terms of a transfer: the one text that the payer's provider signs as an intent and the
// payee's provider signs to accept. And what else parties say about a transfer: rejection,
// cancellation, credit. Personal data appear as salted commitments only.
import { z } from "zod";
import {
  counterSchema,
  currencySchema,
  decimalSchema,
  hashSchema,
  labelSchema,
  moneySchema,
  participantSchema,
  reasonSchema,
  residueSchema,
  timeSchema,
  transferIdSchema,
} from "./fields.ts";
import { forms, listForm, moneyForm, objectForm, withPlainForm } from "./plain-form.ts";

const partySchema = z.strictObject({
  participant: participantSchema,
  /** SHA-256(salt32 ‖ bytes) of the account, base64. */
  account: hashSchema,
});

export const feeSchema = z.strictObject({
  /** Id of a fee schedule in the key log. */
  schedule: labelSchema,
  to: participantSchema,
  currency: currencySchema,
  amount: decimalSchema,
});

const bareTermsSchema = z.strictObject({
  id: transferIdSchema,
  /** HMAC-SHA-256 of the client's body bytes under a key that only the payer's adapters hold. */
  request: hashSchema,
  /** Used once in its lane; equal to `id` when the transfer was priced without a quote. */
  quote: transferIdSchema,
  /** Id of a policy in the key log. */
  policy: labelSchema,
  payer: partySchema,
  payee: partySchema,
  /** Which amount the client fixed; the other follows from fee, rate and rounding. */
  fixed: z.enum(["send", "receive"]),
  send: moneySchema,
  fees: z.array(feeSchema).max(8),
  /** What is left of `send` after the fees, and is converted. */
  converted: decimalSchema,
  sheet: z.strictObject({
    provider: participantSchema,
    number: counterSchema,
    /** SHA-256 of the sheet's note. */
    hash: hashSchema,
  }),
  rate: decimalSchema,
  receive: moneySchema,
  /** converted × rate − receive, exact, in major units: stays with the liquidity provider. */
  residue: residueSchema,
  /** SHA-256(salt32 ‖ bytes) of the remittance information, if there is any. */
  reference: hashSchema.optional(),
  expiresAt: timeSchema,
});

const { id, participant, hash, label, decimal, currency } = forms;
const partyForm = objectForm({ participant, account: hash });
const termsForm = objectForm({
  id,
  request: hash,
  quote: id,
  policy: label,
  payer: partyForm,
  payee: partyForm,
  fixed: '"(?:send|receive)"',
  send: moneyForm,
  fees: listForm(objectForm({ schedule: label, to: participant, currency, amount: decimal }), 8),
  converted: decimal,
  sheet: objectForm({ provider: participant, number: forms.counter, hash }),
  rate: decimal,
  receive: moneyForm,
  residue: forms.residue,
  "reference?": hash,
  expiresAt: forms.time,
});
export const termsSchema = withPlainForm(bareTermsSchema, termsForm);
export type Terms = z.infer<typeof termsSchema>;

/** The payee's provider refuses; the terms' note stands whole below it. */
export const rejectionSchema = z.strictObject({
  id: transferIdSchema,
  participant: participantSchema,
  reason: reasonSchema,
  detail: z.string().max(200).optional(),
});
export type Rejection = z.infer<typeof rejectionSchema>;

/** The payer's provider takes the intent back, if the ledger has not committed it yet. */
export const cancellationSchema = z.strictObject({
  id: transferIdSchema,
  participant: participantSchema,
  reason: reasonSchema,
});
export type Cancellation = z.infer<typeof cancellationSchema>;

/** The payee's provider has credited all its sealed transfers up to `upTo` of its own chain. */
export const creditedSchema = z.strictObject({
  participant: participantSchema,
  /** Chain number, inclusive. */
  upTo: counterSchema,
  /** Leaf hash of the participant's entry `upTo`, so that the statement names one history. */
  head: hashSchema,
  except: z
    .array(z.strictObject({ id: transferIdSchema, n: counterSchema, reason: reasonSchema }))
    .max(200),
});
export type Credited = z.infer<typeof creditedSchema>;

/**
 * "These are all my entries, up to here": signed by a participant's provider about once a day, and an
 * entry itself, so that witnesses cosign it. `docs/formats/bundle.md` says what it proves.
 */
export const chainStatementSchema = z.strictObject({
  participant: participantSchema,
  /** First and last number of the participant's own chain that it speaks of. */
  from: counterSchema,
  to: counterSchema,
  /** Leaf hash of the participant's entry `to`. */
  head: hashSchema,
  /** That entry's place in the log, plus one: the log's size when it was the newest. */
  size: counterSchema.min(1),
});
export type ChainStatement = z.infer<typeof chainStatementSchema>;

/** Liquidity that two operators vouch for before a bank's statement covers it. */
export const advanceSchema = z.strictObject({
  /** Makes the advance idempotent: one entry for one id. */
  id: transferIdSchema,
  participant: participantSchema,
  currency: currencySchema,
  amount: decimalSchema,
  note: z.string().max(200),
});
export type Advance = z.infer<typeof advanceSchema>;
