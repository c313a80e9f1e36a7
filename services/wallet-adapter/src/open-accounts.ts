// What the payee may read of a transfer's personal data: opened from the envelope that travelled beside
// the terms, and held against the commitments in them.
import type { EnvelopeField, Terms } from "@sealane/protocol";
import type { EnvelopeOpener } from "@sealane/signer";
import { fromBase64, fromUtf8, sha256, toBase64 } from "@sealane/tlog";
import { z } from "zod";
import type { Openings } from "./terms-maker.ts";

const openingsSchema = z.strictObject({
  payer: z.string(),
  payee: z.string(),
  reference: z.string().optional(),
});

/** The value behind a commitment, if the envelope opens it: `salt32 ‖ bytes`. */
export const openCommitment = (opening: string, commitment: string): string | undefined => {
  const bytes = fromBase64(opening);
  if (bytes.length < 33 || toBase64(sha256(bytes)) !== commitment) return undefined;
  return fromUtf8(bytes.subarray(32));
};

export type OpenedAccounts = {
  /** Everything that the envelope opened to, for the vault. */
  readonly all: Openings;
  readonly account: string;
  readonly reference: string | undefined;
  /** What the commitments open to, base64: for a provider that checks them itself. */
  readonly openings: { readonly payee: string; readonly reference?: string | undefined };
};

/** The same from openings that are at hand, whose commitments are checked again. */
export const accountsFrom = (
  all: Openings,
  terms: Pick<Terms, "payee" | "reference">,
): OpenedAccounts | undefined => {
  const account = openCommitment(all.payee, terms.payee.account);
  if (account === undefined) return undefined;
  const reference =
    all.reference === undefined || terms.reference === undefined
      ? undefined
      : openCommitment(all.reference, terms.reference);
  const { payee, reference: opening } = all;
  const openings = reference === undefined ? { payee } : { payee, reference: opening };
  return { all, account, reference, openings };
};

/** What the payee may read of a transfer's personal data; undefined when it cannot be opened. */
export const readAccounts = (
  openEnvelope: EnvelopeOpener,
  envelope: EnvelopeField | undefined,
  terms: Pick<Terms, "id" | "payee" | "reference">,
): OpenedAccounts | undefined => {
  if (envelope === undefined) return undefined;
  try {
    const text = fromUtf8(openEnvelope(envelope, terms.id));
    return accountsFrom(openingsSchema.parse(JSON.parse(text)), terms);
  } catch {
    return undefined; // whoever sealed it badly gets a rejection, not an exception
  }
};
