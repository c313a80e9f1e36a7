// A participant reads its own entries: that they are the ledger's, in this log, with no gap in its
// chain, and under keys that it knows. A share of the signatures is judged, off the main thread.
import type { KeyWatch } from "@sealane/client";
import { verifyEntry, type KeyHistory, type VerifiedEntry } from "@sealane/rules";
import { verifyOffThread } from "@sealane/signer";
import { leafHash, parseNote, utf8 } from "@sealane/tlog";

export type CheckedEntry = {
  readonly entry: VerifiedEntry;
  readonly note: string;
  readonly leafHash: Uint8Array;
};

/**
 * The share of own entries whose operator's signature is judged here. All of them are bound by hash to
 * checkpoints that a quorum has cosigned, and reconciliation and auditors judge every one.
 */
const judgedShare = 1 / 16;

const entryKeySigned = async (note: string, history: KeyHistory, keysSize: number) => {
  const key = history.states[keysSize]?.ledger?.entry;
  const { text, signatures } = parseNote(note);
  const line = signatures.find(({ name, keyId }) => name === key?.name && keyId === key.keyId);
  if (key === undefined || line === undefined) return false;
  return verifyOffThread(key.publicKey, utf8(text), line.signature);
};

/** @throws Error when the entry is not what the ledger may have written: evidence, and an alarm */
export const checkEntry = async (
  note: string,
  origin: string,
  keys: KeyWatch,
): Promise<CheckedEntry> => {
  const judge = () => {
    const history = keys.history();
    if (history === undefined) throw new Error("the key log has not been read yet");
    return { history, result: verifyEntry(note, { origin, history, signatures: false }) };
  };
  let { history, result } = judge();
  if (!result.ok && result.code === "keys-unknown") {
    await keys.reach(history.size + 1);
    ({ history, result } = judge());
  }
  if (!result.ok) throw new Error(`the ledger sent a bad entry: ${result.code} ${result.detail}`);
  const hash = leafHash(note);
  const looked = (hash[0] ?? 0) < 256 * judgedShare;
  if (looked && !(await entryKeySigned(note, history, result.entry.context.keys.size))) {
    throw new Error(`entry ${result.entry.context.seq} is not signed by the entry key`);
  }
  return { entry: result.entry, note, leafHash: hash };
};
