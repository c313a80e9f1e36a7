// What stands in the key log: participants, keys, operators, policies, fees, lanes, suspensions.
// Each entry is a note of the key-log key around one inner note, like an entry of a lane.
import { z } from "zod";
import {
  counterSchema,
  currencySchema,
  decimalSchema,
  hashSchema,
  labelSchema,
  participantSchema,
  timeSchema,
} from "./fields.ts";
import { feeBearers, returnRates } from "./returns.ts";
import { bankAccountSchema, corridorNameSchema, nettings } from "./settlement.ts";
import { statementText } from "./statement.ts";

const vkeySchema = z
  .string()
  .max(400)
  .regex(/^\S+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/);

/** The ledger itself: who operates it, and which keys sign its entries. Signed by two operators. */
export const ledgerSchema = z.strictObject({
  operator: participantSchema,
  /** Verifier key that signs entries of every lane. */
  entryKey: vkeySchema,
  /** Verifier keys of the operators, each a person's own. */
  operators: z.array(vkeySchema).min(2).max(16),
});
export type LedgerRecord = z.infer<typeof ledgerSchema>;

/** A participant enters with a root key that auditors pin out of band; signed by that key. */
export const participantRecordSchema = z.strictObject({
  participant: participantSchema,
  roles: z.array(z.enum(["wallet", "liquidity-provider", "settlement-bank"])).min(1),
  rootKey: vkeySchema,
  currencies: z.array(currencySchema).min(1).max(64),
  /** `net`: unsettled credits reduce exposure; `gross`: they do not. */
  exposure: z.enum(["gross", "net"]),
  /** Most that may be unsettled per lane, by currency; without one, liquidity alone decides. */
  caps: z.array(z.strictObject({ currency: currencySchema, amount: decimalSchema })),
  /** Its own accounts at settlement banks: statements' lines are known by them. */
  accounts: z
    .array(
      z.strictObject({
        bank: participantSchema,
        currency: currencySchema,
        account: bankAccountSchema,
      }),
    )
    .max(64)
    .optional(),
  /**
   * Agreed by the root key while there is one: when it is lost, two operators may name another after
   * this long in public view. Without it nobody can (`rootRecoverySchema`).
   */
  recovery: z.strictObject({ waitSeconds: counterSchema }).optional(),
});
export type ParticipantRecord = z.infer<typeof participantRecordSchema>;

/** A key for one purpose; signed by the root key and, as proof of possession, by itself. */
export const keySchema = z.strictObject({
  participant: participantSchema,
  purpose: z.enum(["transfer", "rate-sheet", "envelope", "bank-statement"]),
  /** Ed25519 verifier key for signing purposes. */
  vkey: vkeySchema.optional(),
  /** X25519 public key, base64, for `envelope`. */
  x25519: hashSchema.optional(),
});
export type KeyRecord = z.infer<typeof keySchema>;

/** From this place on the key counts no more; signed by the participant's root key. */
export const revocationSchema = z.strictObject({
  participant: participantSchema,
  vkey: vkeySchema,
  reason: labelSchema,
});
export type Revocation = z.infer<typeof revocationSchema>;

/**
 * A lost root key is to be replaced by this one: said by two operators and the new key, where the
 * participant's own record agreed to it. After its `recovery.waitSeconds` a `participant` record may name
 * the key without the old one's signature. Until then the old root, or two operators, withdraw it.
 */
export const rootRecoverySchema = z.strictObject({
  participant: participantSchema,
  rootKey: vkeySchema,
  withdrawn: z.boolean(),
  reason: labelSchema,
});
export type RootRecovery = z.infer<typeof rootRecoverySchema>;

/** One operator can stop a participant; it takes two to let it go on. */
export const suspensionSchema = z.strictObject({
  participant: participantSchema,
  suspended: z.boolean(),
  reason: labelSchema,
});
export type Suspension = z.infer<typeof suspensionSchema>;

export const feeScheduleSchema = z.strictObject({
  schedule: labelSchema,
  from: currencySchema,
  to: currencySchema,
  /** Who is paid. */
  payee: participantSchema,
  /** Charged in `from`, on the amount sent. */
  basisPoints: decimalSchema,
  minimum: decimalSchema,
  rounding: z.literal("up"),
});
export type FeeSchedule = z.infer<typeof feeScheduleSchema>;

/** Which signatures an entry needs. Verifiers hold a floor that no policy lowers. */
export const policySchema = z.strictObject({
  policy: labelSchema,
  kind: z.literal("transfer"),
  /** Both providers always sign; more operators may have to from an amount on. */
  operatorsFrom: z
    .array(
      z.strictObject({ currency: currencySchema, amount: decimalSchema, count: counterSchema }),
    )
    .max(16),
  /** How what was sent may come back; without it: at either rate, the fee borne by payer or payee. */
  returns: z
    .strictObject({
      rates: z.array(z.enum(returnRates)).min(1).max(returnRates.length),
      bearers: z.array(z.enum(feeBearers)).min(1).max(feeBearers.length),
    })
    .optional(),
});
export type PolicyRecord = z.infer<typeof policySchema>;

/**
 * Every transfer that this participant pays must cite this policy from here on. It takes the
 * participant's root key and two operators, so nobody else's policy can be laid on anyone, nor a
 * binding be taken away.
 */
export const bindingSchema = z.strictObject({
  participant: participantSchema,
  policy: labelSchema,
  reason: labelSchema,
});
export type Binding = z.infer<typeof bindingSchema>;
const clockTimeSchema = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/);
const dateSchema = z.string().regex(/^20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/);

/**
 * How transfers between these currencies settle; said again to change it. Signed by two operators. What
 * holds for a window is what is in force at its cut; a pair of currencies is in one corridor at most.
 */
export const corridorSchema = z.strictObject({
  corridor: corridorNameSchema,
  pairs: z
    .array(z.strictObject({ from: currencySchema, to: currencySchema }))
    .min(1)
    .max(64),
  netting: z.enum(nettings),
  /** Whose statements settle it. */
  bank: participantSchema,
  /** The operator's own accounts there: fees are paid to them. */
  operatorAccounts: z
    .array(z.strictObject({ currency: currencySchema, account: bankAccountSchema }))
    .max(16),
  /** From the cut to the deadline. */
  payWithinMinutes: counterSchema.min(1).max(44_640),
  /** When windows are cut by themselves. Verifiers do not need it: a cut is where it is. */
  schedule: z
    .strictObject({
      /** An IANA name, such as Asia/Hong_Kong. */
      timeZone: z.string().regex(/^[A-Za-z_]+(?:\/[A-Za-z0-9_+-]+){0,2}$/),
      times: z.array(clockTimeSchema).min(1).max(48),
      /** 1 is Monday. */
      weekdays: z.array(z.int().min(1).max(7)).min(1).max(7),
      /** Days without a cut: one list for each side. */
      holidays: z
        .array(z.strictObject({ calendar: labelSchema, dates: z.array(dateSchema).max(60) }))
        .max(4),
    })
    .optional(),
  /** The operator's service key: it may cut this corridor's windows, and nothing else. */
  scheduler: vkeySchema.optional(),
});
export type CorridorRecord = z.infer<typeof corridorSchema>;

/** Lanes of this period and the slots of transfer ids that each decides. */
export const lanesSchema = z.strictObject({
  period: labelSchema,
  lanes: z
    .array(
      z.strictObject({
        lane: counterSchema,
        origin: z.string().max(200),
        vkey: vkeySchema,
        /** Half-open ranges of the 1,024 slots. */
        slots: z.array(z.strictObject({ from: counterSchema, to: counterSchema })),
      }),
    )
    .min(1),
});
export type LanesRecord = z.infer<typeof lanesSchema>;

/**
 * From here on another key signs the checkpoints of a log: of a lane's, or of the key log itself, whose
 * entries it signs from this one on. Two operators and the new key sign; the old key too where there still
 * is one. What the old key signed before goes on counting.
 */
export const logKeySchema = z.strictObject({
  /** The origin of the log, which is the key's name too. */
  log: z.string().max(200),
  vkey: vkeySchema,
  reason: labelSchema,
});
export type LogKeyRecord = z.infer<typeof logKeySchema>;

export const keyEntryContextSchema = z.strictObject({
  seq: counterSchema,
  time: timeSchema,
  prev: hashSchema,
});
export type KeyEntryContext = z.infer<typeof keyEntryContextSchema>;

/** The text that the key-log key signs for one entry of the key log. */
export const keyEntryText = (origin: string, context: KeyEntryContext, inner: string): string =>
  statementText(origin, "entry", context, inner);

export const keyStatementKinds = [
  "ledger",
  "participant",
  "key",
  "revocation",
  "suspension",
  "fee-schedule",
  "policy",
  "binding",
  "lanes",
  "corridor",
  "log-key",
  "root-recovery",
] as const;
export type KeyStatementKind = (typeof keyStatementKinds)[number];

export const keyStatementSchemas = {
  ledger: ledgerSchema,
  participant: participantRecordSchema,
  key: keySchema,
  revocation: revocationSchema,
  suspension: suspensionSchema,
  "fee-schedule": feeScheduleSchema,
  policy: policySchema,
  binding: bindingSchema,
  lanes: lanesSchema,
  corridor: corridorSchema,
  "log-key": logKeySchema,
  "root-recovery": rootRecoverySchema,
} as const satisfies Record<KeyStatementKind, z.ZodType>;
