// For tests: receipts of entries in memory, and verdicts in a form that is easy to expect.
import {
  composeNote,
  formatProof,
  inclusionProof,
  leafHash,
  parseNote,
  parseProof,
  rootOf,
  utf8,
} from "@sealane/tlog";
import type { KeysCopy, Question, Verdict } from "../verify-types.ts";
import type { WorldLike } from "./memory-log.ts";

/** A copy of a world's key log, with these sheets at hand. */
export const keysOf = (world: WorldLike, sheets: readonly string[]): KeysCopy => ({
  checkpoint: world.keyCheckpoint(),
  entries: world.keyLog.entries,
  sheets,
});

/** The status of each question; the code where it failed. */
export const statuses = ({ checks }: Verdict): Record<Question, string> =>
  Object.fromEntries(
    Object.entries(checks).map(([question, check]) => [
      question,
      check.status === "failed" ? check.code : check.status,
    ]),
  ) as Record<Question, string>;

/** A receipt of the entry at `place`, under a checkpoint of all these entries. */
export const receiptOf = (
  entries: readonly string[],
  place: number,
  checkpoint: string,
): string => {
  const hashes = entries.map((entry) => leafHash(entry));
  return formatProof({
    extra: utf8(entries[place] as string),
    index: place,
    hashes: inclusionProof(place, entries.length, (level, index) =>
      rootOf(hashes.slice(index * 2 ** level, (index + 1) * 2 ** level)),
    ),
    checkpoint,
  });
};

/** The receipt with other signature lines under its checkpoint. */
export const withLines = (
  receipt: string,
  edit: (lines: string[], text: string) => string[],
): string => {
  const proof = parseProof(receipt);
  const { text, signatures } = parseNote(proof.checkpoint);
  const before = signatures.map(({ line }) => line);
  return formatProof({ ...proof, checkpoint: composeNote(text, edit(before, text)) });
};
