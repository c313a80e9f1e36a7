// A transfer that is proposed to this provider as payee, what its core says to it, and the answer that is sent.
import type { Terms } from "@sealane/protocol";
import type { Note } from "@sealane/tlog";
import { z } from "zod";
import type { OpenedAccounts } from "./open-accounts.ts";

export type Proposal = {
  readonly terms: Terms;
  readonly note: Note;
  readonly raw: string;
  /** Undefined when the envelope is missing or does not open. */
  readonly accounts: OpenedAccounts | undefined;
  readonly trace: string | undefined;
};

export type Answer = {
  readonly proposal: Proposal;
  readonly command: Record<string, unknown>;
};

/** What the core answers to a credit check. */
export const resultSchema = z.object({
  transferId: z.string(),
  answer: z.enum(["yes", "no"]),
  reason: z
    .string()
    .regex(/^[A-Z][A-Z0-9]{3}$/)
    .optional(),
  /** Of a provider that signs by itself: its line over the terms, or its rejection. */
  line: z.string().max(400).optional(),
  note: z
    .string()
    .max(32 * 1024)
    .optional(),
});
export type CheckResult = z.infer<typeof resultSchema>;
