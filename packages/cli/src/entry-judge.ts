// What a thread of the audit does: every entry of a bundle by itself, with `verifyEntry`: form, signatures
// by the keys in force, meaning, postings. The conversion needs the sheets before it, and is the fold's.
import { verifyEntry, type KeyHistory } from "@sealane/rules";
import { decodeBundle, fromUtf8, TlogError } from "@sealane/tlog";

/** What all bundles of a log have in common: given to a thread once. */
export type JudgeSetting = {
  readonly origin: string;
  readonly history: KeyHistory;
  readonly signatures: boolean;
};

export type BundleJob = { readonly id: number; readonly from: number; readonly bytes: Uint8Array };

export type JudgedFault = {
  readonly position: number;
  readonly code: string;
  readonly detail: string;
};

export type BundleAnswer = { readonly id: number; readonly fault: JudgedFault | undefined };

const faultOf = (bytes: Uint8Array, position: number, setting: JudgeSetting) => {
  try {
    const result = verifyEntry(fromUtf8(bytes), setting);
    return result.ok ? undefined : { position, code: result.code, detail: result.detail };
  } catch (error) {
    // Nothing but the entry went in: what is thrown is a fault of the entry too.
    const code = error instanceof TlogError ? error.code : "entry-malformed";
    return { position, code, detail: error instanceof Error ? error.message : String(error) };
  }
};

/** @returns the first entry of a well-formed bundle that does not stand by itself */
export const judgeBundle = (
  { from, bytes }: Omit<BundleJob, "id">,
  setting: JudgeSetting,
): JudgedFault | undefined => {
  for (const [at, entry] of decodeBundle(bytes).entries()) {
    const fault = faultOf(entry, from + at, setting);
    if (fault !== undefined) return fault;
  }
  return undefined;
};
