// What is said about settlement: cuts of windows, nets, banks' statements, what they settle, defaults.
// A cut and a bank's statement are causes, signed by who has the say. `window-net`, `settlement` and
// `liquidity` follow from the log alone: the ledger writes them right after their cause, under its entry
// key, and every verifier computes them again, to the byte. The room's README has an example of each.
import { z } from "zod";
import {
  counterSchema,
  currencySchema,
  decimalSchema,
  hashSchema,
  labelSchema,
  participantSchema,
  reasonSchema,
  timeSchema,
  transferIdSchema,
} from "./fields.ts";

/** A corridor's name; short, since it goes into references. */
export const corridorNameSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,23}$/);

/** An account at a bank: IBAN or what the bank uses instead. */
export const bankAccountSchema = z.string().regex(/^[A-Z0-9]{4,34}$/);

/** A window is named by corridor and number; numbers begin at 0 and leave none out. */
const windowFields = { corridor: corridorNameSchema, number: counterSchema };

/**
 * Ends the corridor's open window: its transfers are those that were committed between the cut before
 * and this entry. Signed by one operator, or by the corridor's scheduler.
 */
export const windowCutSchema = z.strictObject({
  ...windowFields,
  /** The instant of the schedule that this cut is for; without one an operator chose the moment. */
  due: timeSchema.optional(),
});
export type WindowCut = z.infer<typeof windowCutSchema>;

/** What one participant's committed transfers of a window come to in one currency. */
export const windowTotalSchema = z.strictObject({
  currency: currencySchema,
  /** Of its position: what it owes, and what it is owed. */
  debits: decimalSchema,
  credits: decimalSchema,
  /** Fees that it earned. */
  fees: decimalSchema,
});
export type WindowTotal = z.infer<typeof windowTotalSchema>;

/** One payment that a participant makes or gets. */
export const windowLegSchema = z.strictObject({
  /** UETR of the instruction; the same on both sides of a bilateral leg. */
  reference: transferIdSchema,
  currency: currencySchema,
  side: z.enum(["pay", "receive"]),
  /** The operator's clearing account, or, netted in pairs, the other participant. */
  counterparty: z.string().regex(/^[a-z0-9.-]{1,200}(?::settlement)?$/),
  amount: decimalSchema,
});
export type WindowLeg = z.infer<typeof windowLegSchema>;

export const nettings = ["multilateral", "bilateral", "gross"] as const;
export type Netting = (typeof nettings)[number];

/** Legs of a net, or of one part of it: more would not fit into an entry. */
export const mostNetLegs = 100;

/**
 * One participant's net of a window in all currencies: the unit that becomes final together. With more
 * legs than an entry takes it stands in parts, one behind the other: each has the head and its share of
 * the legs, the first one all totals and the others none, so that whoever adds totals up counts once.
 */
export const windowNetSchema = z.strictObject({
  ...windowFields,
  participant: participantSchema,
  /** Positions of the log, `to` exclusive: it is the cut's own. */
  from: counterSchema,
  to: counterSchema,
  netting: z.enum(nettings),
  payBy: timeSchema,
  /** 1 to `of`; only a net of several parts says it. */
  part: z.strictObject({ number: counterSchema, of: counterSchema }).optional(),
  totals: z.array(windowTotalSchema).max(64),
  legs: z.array(windowLegSchema).max(mostNetLegs),
});
export type WindowNet = z.infer<typeof windowNetSchema>;

/** A line of a bank's statement. */
export const bankLineSchema = z.strictObject({
  /** The leg's reference, an advance's id, or the bank's own for a deposit or withdrawal. */
  reference: z.string().regex(/^[A-Za-z0-9./-]{1,36}$/),
  account: bankAccountSchema,
  currency: currencySchema,
  /** As the account's owner sees it: a debit takes money from the account. */
  side: z.enum(["debit", "credit"]),
  amount: decimalSchema,
  status: z.enum(["booked", "pending", "rejected"]),
  /** Why it is not booked. */
  reason: reasonSchema.optional(),
});
export type BankLine = z.infer<typeof bankLineSchema>;

/** Parts of one statement: 10,000 lines, 2 MB, and one command of the lane's topic. */
export const mostStatementParts = 100;
/** Lines of a statement, or of one part: more would not fit into an entry. */
export const mostStatementLines = 100;
/** Legs of a window, of all participants: a bank's statement of it must have a line for each. */
export const mostWindowLegs = mostStatementParts * mostStatementLines;

/**
 * What a settlement bank says, signed with its key from the key log. With `window` it answers one
 * settlement and has a line for every leg; without, its lines are deposits (credits) and withdrawals.
 * A longer statement comes in parts, each signed, each with the digest of the whole file and the hash of
 * the part before: they are handed in and logged together, one behind the other, and mean something
 * only as a whole.
 */
export const bankStatementSchema = z.strictObject({
  bank: participantSchema,
  /** The bank's own number of the statement; counts once. */
  reference: z.string().regex(/^[A-Za-z0-9./-]{1,35}$/),
  /** SHA-256 of the camt.053 or camt.054 file that it was read from, base64. */
  digest: hashSchema,
  window: z.strictObject({ ...windowFields, attempt: counterSchema }).optional(),
  part: z
    .strictObject({
      /** 1 to `of`. */
      number: counterSchema,
      of: counterSchema,
      /** SHA-256 of the text of the part before, base64; the first part has none. */
      prev: hashSchema.optional(),
    })
    .optional(),
  lines: z.array(bankLineSchema).min(1).max(mostStatementLines),
});
export type BankStatement = z.infer<typeof bankStatementSchema>;

const causeSchema = z.strictObject({
  bank: participantSchema,
  reference: z.string().max(35),
  /** Place of the bank's statement in the log. */
  seq: counterSchema,
});

export const heldReasons = ["line-rejected", "line-pending", "partly-booked"] as const;
export type HeldReason = (typeof heldReasons)[number];

/** What a bank's statement means for one participant of a window. */
export const settlementSchema = z.strictObject({
  ...windowFields,
  attempt: counterSchema,
  participant: participantSchema,
  statement: causeSchema,
  result: z.enum(["settled", "held"]),
  /** Why it is held: nothing of it moves in the books. */
  why: z.enum(heldReasons).optional(),
  /** The bank's reason for a rejected line. */
  reason: reasonSchema.optional(),
  totals: z.array(windowTotalSchema).max(64),
});
export type Settlement = z.infer<typeof settlementSchema>;

/** One participant's deposits and withdrawals on a bank's statement. */
export const liquiditySchema = z.strictObject({
  participant: participantSchema,
  statement: causeSchema,
  lines: z
    .array(
      z.strictObject({
        reference: z.string().max(36),
        currency: currencySchema,
        side: z.enum(["debit", "credit"]),
        amount: decimalSchema,
        /** It backs this advance: cover that is there already. */
        advance: transferIdSchema.optional(),
        /** So much of it pays back a shortfall. */
        repaid: decimalSchema.optional(),
      }),
    )
    .max(100),
});
export type Liquidity = z.infer<typeof liquiditySchema>;

/**
 * A net debtor has not paid at the deadline: its prefunded cover pays, the rest is its shortfall.
 * Signed by two operators; the participant is suspended in the key log before.
 */
export const windowDefaultSchema = z.strictObject({
  ...windowFields,
  attempt: counterSchema,
  participant: participantSchema,
  totals: z.array(windowTotalSchema).max(64),
  /** Per currency that it owes: what its backed cover pays, and what nobody has paid. */
  payments: z
    .array(
      z.strictObject({ currency: currencySchema, cover: decimalSchema, shortfall: decimalSchema }),
    )
    .min(1)
    .max(64),
});
export type WindowDefault = z.infer<typeof windowDefaultSchema>;

/**
 * Takes a settlement's instructions back, for all that is not final: statements about this attempt count
 * no more, and the same nets are instructed again under new references. Signed by two operators.
 */
export const settlementAbortSchema = z.strictObject({
  ...windowFields,
  attempt: counterSchema,
  reason: labelSchema,
});
export type SettlementAbort = z.infer<typeof settlementAbortSchema>;

/**
 * What a break between the log and others' books comes to, where money moves: cover is given to a
 * participant, or taken from it. Signed by two operators: who proposes, and who approves.
 */
export const adjustmentSchema = z.strictObject({
  /** The break's id: it is adjusted once. */
  id: transferIdSchema,
  /** Its kind, such as `amount`. */
  break: labelSchema,
  participant: participantSchema,
  currency: currencySchema,
  /** Of the participant's cover: a credit gives, a debit takes. */
  side: z.enum(["debit", "credit"]),
  amount: decimalSchema,
  /** The transfer that the break is about. */
  transfer: transferIdSchema.optional(),
  note: z.string().max(200),
});
export type Adjustment = z.infer<typeof adjustmentSchema>;

/** Kinds that the ledger derives: never sent, only read back. */
export const derivedKinds = ["window-net", "settlement", "liquidity"] as const;
export type DerivedKind = (typeof derivedKinds)[number];

export type DerivedStatement =
  | { readonly kind: "window-net"; readonly body: WindowNet }
  | { readonly kind: "settlement"; readonly body: Settlement }
  | { readonly kind: "liquidity"; readonly body: Liquidity };
