// An entry: one leaf of a lane's log. A note of the operator around exactly one inner note:
// `<origin>/entry/v1`, the context below, the parties' note whole, the operator's signature.
import { z } from "zod";
import {
  counterSchema,
  currencySchema,
  decimalSchema,
  hashSchema,
  participantSchema,
  reasonSchema,
  timeSchema,
} from "./fields.ts";
import { forms, listForm, objectForm, textForm, withPlainForm } from "./plain-form.ts";
import { statementText } from "./statement.ts";

export const accountPattern =
  /^[a-z0-9.-]{1,200}:(?:position|settled|liquidity|fees|shortfall|advances|cash|settlement|guarantee|rounding|adjustments|in-transit)$/;
/** `<participant>:<kind>`; the chart of accounts is in the room's README. */
export const accountSchema = z.string().regex(accountPattern);

/** A pair, so that postings sum to zero in each currency by construction. */
export const postingSchema = z.strictObject({
  debit: accountSchema,
  credit: accountSchema,
  currency: currencySchema,
  amount: decimalSchema,
});
export type Posting = z.infer<typeof postingSchema>;

export const chainLinkSchema = z.strictObject({
  participant: participantSchema,
  /** Place in that participant's own chain, from 0. */
  n: counterSchema,
  /** Leaf hash of the participant's entry n − 1; 32 zero bytes for the first. */
  prev: hashSchema,
});
export type ChainLink = z.infer<typeof chainLinkSchema>;

export const outcomes = ["committed", "rejected", "expired", "cancelled", "recorded"] as const;
export type Outcome = (typeof outcomes)[number];

const account = textForm(accountPattern);
const { currency, counter, hash, decimal: amount } = forms;
const contextForm = objectForm({
  seq: counter,
  time: forms.time,
  prev: hash,
  keys: objectForm({ size: counter, root: hash }),
  outcome: `"(?:${outcomes.join("|")})"`,
  "reason?": forms.reason,
  rules: counter,
  chains: listForm(objectForm({ participant: forms.participant, n: counter, prev: hash }), 16),
  postings: listForm(objectForm({ debit: account, credit: account, currency, amount }), 128),
});

const contextSchema = z.strictObject({
  /** Equals the leaf index. */
  seq: counterSchema,
  time: timeSchema,
  /** Leaf hash of entry seq − 1; 32 zero bytes for the first. */
  prev: hashSchema,
  /** The cosigned state of the key log under which this entry was decided. */
  keys: z.strictObject({ size: counterSchema, root: hashSchema }),
  outcome: z.enum(outcomes),
  /** Why, for an end that is not `committed`: an ISO 20022 external reason code. */
  reason: reasonSchema.optional(),
  rules: counterSchema,
  chains: z.array(chainLinkSchema).max(16),
  /** A default of a net in 20 currencies has 100. */
  postings: z.array(postingSchema).max(128),
});
export const entryContextSchema = withPlainForm(contextSchema, contextForm);
export type EntryContext = z.infer<typeof entryContextSchema>;

export const zeroHash = `${"A".repeat(43)}=`;

/** Bundles carry u16 lengths and some readers stop at 64 KiB lines. */
export const maxEntryBytes = 32 * 1024;

/** An entry before its place in history is hashed: everything but the `prev`s and the signature. */
export type EntryDraft = {
  readonly seq: number;
  readonly time: string;
  readonly keys: { readonly size: number; readonly root: string };
  readonly outcome: Outcome;
  readonly reason?: string | undefined;
  readonly rules: number;
  readonly chains: readonly { readonly participant: string; readonly n: number }[];
  readonly postings: readonly Posting[];
  /** The inner note whole, or, where the ledger signs it itself, its text. */
  readonly inner: string;
  /** The inner note is the ledger's own: what follows from the log (`derivedKinds`). */
  readonly ownInner?: true | undefined;
};

/** The text that the operator's entry key signs. Field order is the written order, for readers. */
export const entryText = (
  origin: string,
  draft: EntryDraft,
  prev: string,
  chainPrev: (participant: string) => string,
): string =>
  statementText(
    origin,
    "entry",
    {
      seq: draft.seq,
      time: draft.time,
      prev,
      keys: draft.keys,
      outcome: draft.outcome,
      ...(draft.reason === undefined ? {} : { reason: draft.reason }),
      rules: draft.rules,
      chains: draft.chains.map(({ participant, n }) => ({
        participant,
        n,
        prev: chainPrev(participant),
      })),
      postings: [...draft.postings],
    } satisfies EntryContext,
    draft.inner,
  );
