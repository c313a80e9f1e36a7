// What travels on the topics, as JSON around signed notes. The frame is not signed and decides
// nothing: a receiver believes the notes inside it. Version 1; a reader refuses other versions.
import { z } from "zod";
import {
  counterSchema,
  hashSchema,
  participantSchema,
  timeSchema,
  transferIdSchema,
} from "./fields.ts";
import { carriedKinds, carriedProofSchema } from "./lane-moves.ts";
import { mostStatementParts } from "./settlement.ts";

const base64Schema = z
  .string()
  .max(64 * 1024)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/);
const traceSchema = z.string().regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);

/** Personal data beside the terms, sealed to those who must read them; see `signer`. */
export const envelopeSchema = z.strictObject({
  v: z.literal(1),
  epk: base64Schema,
  iv: base64Schema,
  ct: base64Schema,
  wraps: z
    .array(
      z.strictObject({
        to: participantSchema,
        salt: base64Schema,
        iv: base64Schema,
        ct: base64Schema,
      }),
    )
    .max(8),
});
export type EnvelopeField = z.infer<typeof envelopeSchema>;

const noteSchema = z
  .string()
  .min(1)
  .max(32 * 1024);

/** A command on `lane.<n>`: all that the lane decides on. */
export const commandSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    v: z.literal(1),
    kind: z.literal("intent"),
    note: noteSchema,
    envelope: envelopeSchema.optional(),
    trace: traceSchema.optional(),
  }),
  z.strictObject({
    v: z.literal(1),
    kind: z.literal("acceptance"),
    id: transferIdSchema,
    /** The payee provider's signature line over the terms' text. */
    line: z.string().max(400),
    trace: traceSchema.optional(),
  }),
  z.strictObject({
    v: z.literal(1),
    kind: z.literal("bank-statement"),
    note: noteSchema,
    /** The parts that follow the first, in order. */
    more: z
      .array(noteSchema)
      .min(1)
      .max(mostStatementParts - 1)
      .optional(),
    trace: traceSchema.optional(),
  }),
  z.strictObject({
    v: z.literal(1),
    kind: z.enum(carriedKinds),
    /** The entry of the other lane, whole; the frame needs no signature, it is judged by these two. */
    entry: noteSchema,
    /** Its proof: see `carriedSchema`. */
    proof: carriedProofSchema,
    trace: traceSchema.optional(),
  }),
  z.strictObject({
    v: z.literal(1),
    kind: z.enum([
      "rejection",
      "cancellation",
      "rate-sheet",
      "rate-withdrawal",
      "credited",
      "statement",
      "advance",
      "window-cut",
      "window-default",
      "settlement-abort",
      "adjustment",
      "liquidity-out",
      "return",
      "recall",
      "recall-refusal",
    ]),
    note: noteSchema,
    trace: traceSchema.optional(),
  }),
]);
export type Command = z.infer<typeof commandSchema>;
export type CommandKind = Command["kind"];

export type ProposalItem = {
  readonly type: "proposal";
  readonly note: string;
  readonly envelope?: EnvelopeField | undefined;
  readonly trace?: string | undefined;
};
/** Told to the payer's side: the funds are held since log time `time`. */
export type ReservedItem = {
  readonly type: "reserved";
  readonly id: string;
  readonly time: string;
};
/** An entry of the log; `trace` continues the transfer's trace. */
export type EntryItem = {
  readonly type: "entry";
  readonly seq: number;
  readonly note: string;
  readonly trace?: string | undefined;
};
export type RefusalItem = {
  readonly type: "refusal";
  readonly note: string;
  readonly trace?: string | undefined;
};
/**
 * First in its message: the ledger was rebuilt from what was published, and numbers its messages anew
 * from here, higher than ever before. What followed the participant's last number was lost; the entries
 * that it may lack are told again in this message and those after it.
 */
export type RenumberedItem = { readonly type: "renumbered" };
export type InboxItem = ProposalItem | ReservedItem | EntryItem | RefusalItem | RenumberedItem;

const entryItemSchema = z.strictObject({
  type: z.literal("entry"),
  seq: counterSchema,
  note: noteSchema,
  trace: traceSchema.optional(),
});

const itemSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("proposal"),
    note: noteSchema,
    envelope: envelopeSchema.optional(),
    trace: traceSchema.optional(),
  }),
  z.strictObject({ type: z.literal("reserved"), id: transferIdSchema, time: timeSchema }),
  entryItemSchema,
  z.strictObject({ type: z.literal("refusal"), note: noteSchema, trace: traceSchema.optional() }),
  z.strictObject({ type: z.literal("renumbered") }),
]);

/** One message of an inbox: what one batch of the lane has for one participant, numbered. */
export const inboxBatchSchema = z.strictObject({
  v: z.literal(1),
  type: z.literal("batch"),
  lane: counterSchema,
  to: participantSchema,
  /** Grows by one; a gap is fetched from the ledger over HTTP. */
  n: counterSchema,
  time: timeSchema,
  items: z.array(itemSchema),
});
export type InboxBatch = z.infer<typeof inboxBatchSchema>;

/** Whether a message is the next one after those below `next`. */
export const followsInbox = ({ n, items }: InboxBatch, next: number): boolean =>
  n === next || (n > next && items[0]?.type === "renumbered");

/** One entry's inclusion proof under the checkpoint of the same message. */
const proofSchema = z.strictObject({ seq: counterSchema, hashes: z.array(hashSchema).max(64) });

/** The participant's entries, by its own chain's numbers, that a quorum has now cosigned. */
export const inboxSealSchema = z.strictObject({
  v: z.literal(1),
  type: z.literal("seal"),
  lane: counterSchema,
  to: participantSchema,
  /** Chain numbers, both inclusive: seals have no gap either. */
  fromN: counterSchema,
  toN: counterSchema,
  /** The checkpoint with the log's line and exactly a quorum of cosignatures. */
  checkpoint: z.string().max(16 * 1024),
  proofs: z.array(proofSchema),
});
export type InboxSeal = z.infer<typeof inboxSealSchema>;

export const inboxMessageSchema = z.discriminatedUnion("type", [inboxBatchSchema, inboxSealSchema]);
export type InboxMessage = z.infer<typeof inboxMessageSchema>;

/** One message of `entries.<n>`: consecutive entries and, where one is due, a checkpoint. */
export const entriesMessageSchema = z.strictObject({
  v: z.literal(1),
  lane: counterSchema,
  from: counterSchema,
  entries: z.array(entryItemSchema),
  checkpoint: z
    .string()
    .max(16 * 1024)
    .optional(),
});
export type EntriesMessage = z.infer<typeof entriesMessageSchema>;

/** What a service keeps of a message that it could not use: no body. */
export const deadLetterSchema = z.strictObject({
  v: z.literal(1),
  topic: z.string(),
  offset: z.string(),
  size: counterSchema,
  hash: hashSchema,
  code: z.string(),
  detail: z.string().max(300),
  time: timeSchema,
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;
