// Whose signatures an entry carries, and whether they count at its place. A line of a known key that is
// not good refuses the whole note; what is counted afterwards are good lines of known keys only.
import { verifierFor, type Note, type VerifierKey } from "@sealane/tlog";
import { keyIndex, type KeyPurpose, type KeyState } from "./key-state.ts";

export type EntryFault = { readonly ok: false; readonly code: string; readonly detail: string };

export const no = (code: string, detail: string): EntryFault => ({ ok: false, code, detail });

export type SignatureJudge = (key: VerifierKey, text: string, signature: Uint8Array) => boolean;

const judgeHere: SignatureJudge = (key, text, signature) =>
  verifierFor(key).verify(text, signature);

type Judging = {
  /** Who judges elsewhere (threads) notes it down and answers true. */
  readonly verify?: SignatureJudge | undefined;
};

type Signed = { readonly note: Note; readonly state: KeyState; readonly checks: Judging };

/** Whether `key` signed the note: a line of its that is not good refuses the note. */
export const signedBy = (
  note: Note,
  key: VerifierKey,
  { verify = judgeHere }: Judging,
): boolean => {
  const own = note.signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId);
  return own.length > 0 && own.every(({ signature }) => verify(key, note.text, signature));
};

/** The ledger's own key and its schedulers': they sign inner notes of settlement. */
const serviceKeys = ({ ledger, corridors }: KeyState): VerifierKey[] => {
  const schedulers = [...corridors.values()].flatMap(({ schedulerKey }) => schedulerKey ?? []);
  return ledger === undefined ? schedulers : [ledger.entry, ...schedulers];
};

/**
 * A line of a key that the key log knows, but whose signature is not good (C2SP signed-note: such a
 * note is rejected, whoever else signed it). What passes has good lines of known keys only.
 */
export const wrongLine = ({ note, state, checks }: Signed): EntryFault | undefined => {
  const { verify = judgeHere } = checks;
  for (const { name, keyId, signature } of note.signatures) {
    const key =
      state.keys.get(keyIndex(name, keyId))?.key ??
      [...state.operatorKeys, ...serviceKeys(state)].find(
        (one) => one.name === name && one.keyId === keyId,
      );
    if (key !== undefined && !verify(key, note.text, signature)) return no("signature-wrong", name);
  }
  return undefined;
};

/** How many distinct operators signed; `wrongLine` has judged their lines. */
export const operatorCount = ({ note, state }: Signed): number =>
  state.operatorKeys.filter((key) =>
    note.signatures.some(({ name, keyId }) => name === key.name && keyId === key.keyId),
  ).length;

/** One line of `participant` by a key for `purpose` in force at its place; `wrongLine` judged it. */
export const participantSigned = (
  { note, state }: Signed,
  participant: string,
  purpose: KeyPurpose,
  revokedCounts = false,
): EntryFault | undefined => {
  let why = no("signature-missing", `no signature of ${participant} counts`);
  for (const line of note.signatures) {
    const key = state.keys.get(keyIndex(line.name, line.keyId));
    if (key === undefined || key.participant !== participant) continue;
    if (key.purpose !== purpose) why = no("key-purpose", `${line.name} is for ${key.purpose}`);
    else if (key.revokedAt !== undefined && !revokedCounts) why = no("key-revoked", line.name);
    else return undefined;
  }
  return why;
};
