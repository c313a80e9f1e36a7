// Judges entries by the audit of `rules`, with the signatures off the main thread: the fold notes each
// one down and goes on, and the chunk stands only when all of them verify. When one does not, the
// chunk is judged again, one signature at a time, which names the entry.
import { auditEntry, lendHead, type AuditState, type VerifiedEntry } from "@sealane/rules";
import type { SignatureJudge } from "@sealane/rules";
import { verifyOffThread } from "@sealane/signer";
import { utf8, verifierFor } from "@sealane/tlog";

export type JudgedEntry = { readonly entry: VerifiedEntry; readonly leafHash: Uint8Array };

export type Bad = { readonly position: number; readonly code: string; readonly detail: string };

/** Where signatures go: noted down for later, or judged at once. */
export type SignatureDesk = {
  readonly verify: SignatureJudge;
  /** Judges what was noted down. @returns whether all of it verifies */
  settle(): Promise<boolean>;
  /** From now on judges at once, to find out which one is wrong. */
  judgeAtOnce(): void;
};

export const makeSignatureDesk = (): SignatureDesk => {
  let noted: Promise<boolean>[] = [];
  let atOnce = false;
  return {
    verify: (key, text, signature) => {
      if (atOnce) return verifierFor(key).verify(text, signature);
      const verdict = verifyOffThread(key.publicKey, utf8(text), signature);
      verdict.catch(() => undefined); // seen when it is settled
      noted.push(verdict);
      return true;
    },
    settle: async () => {
      const verdicts = await Promise.all(noted);
      noted = [];
      return verdicts.every(Boolean);
    },
    judgeAtOnce: () => {
      noted = [];
      atOnce = true;
    },
  };
};

export type JudgeDeps = {
  /** Leaf hash of a participant's entry n, base64, from rows of earlier chunks. */
  headOf(participant: string, n: number): Promise<string | undefined>;
  /** Reads the key log again. @returns whether it has grown */
  refreshKeys(state: AuditState): Promise<boolean>;
};

/**
 * Folds consecutive entries into `state`, up to the first that does not stand.
 * @returns those that stand, and the fault if there is one
 */
export const judgeEntries = async (
  state: AuditState,
  notes: readonly string[],
  deps: JudgeDeps,
): Promise<{ readonly judged: JudgedEntry[]; readonly bad: Bad | undefined }> => {
  const judged: JudgedEntry[] = [];
  for (const note of notes) {
    let result = auditEntry(state, note);
    if (!result.ok && result.needs !== undefined) {
      const { participant, n } = result.needs;
      const head = await deps.headOf(participant, n);
      if (head !== undefined) {
        lendHead(state, participant, n, head);
        result = auditEntry(state, note);
      }
    }
    if (!result.ok && result.code === "keys-unknown" && (await deps.refreshKeys(state))) {
      result = auditEntry(state, note);
    }
    if (!result.ok) {
      const { position, code, detail } = result;
      return { judged, bad: { position, code, detail } };
    }
    judged.push({ entry: result.entry, leafHash: result.leafHash });
  }
  return { judged, bad: undefined };
};
