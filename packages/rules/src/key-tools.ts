// The state of the key log, and what every rule of its fold is made of: who signed, which keys can be
// used, and how a refusal looks. The rules are in `key-state.ts` and `key-authority.ts`.
import type {
  CorridorRecord,
  FeeSchedule,
  LanesRecord,
  LedgerRecord,
  ParticipantRecord,
  PolicyRecord,
} from "@sealane/protocol";
import {
  admitPublicKey,
  parseVerifierKey,
  TlogError,
  verifierFor,
  type Note,
  type VerifierKey,
} from "@sealane/tlog";

export type KeyPurpose = "transfer" | "rate-sheet" | "bank-statement";

export type RegisteredKey = {
  readonly participant: string;
  readonly purpose: KeyPurpose;
  readonly key: VerifierKey;
  readonly vkey: string;
  readonly addedAt: number;
  /** Place in the key log from which the key counts no more. */
  readonly revokedAt: number | undefined;
};

export type Participant = ParticipantRecord & {
  readonly root: VerifierKey;
  readonly suspended: boolean;
  /** X25519 public key to seal personal data to, base64. */
  readonly envelopeKey: string | undefined;
  /** The policy that every transfer it pays must cite; free to choose when undefined. */
  readonly boundTo: string | undefined;
  /** A root key that is to replace a lost one, and since when that is public. */
  readonly nextRoot: NextRoot | undefined;
  /** Place in the key log at which the root was replaced without the old one, if it ever was. */
  readonly recoveredAt: number | undefined;
};

export type NextRoot = { readonly rootKey: string; readonly at: number; readonly sinceMs: number };

/** What was said before, newest first; shared by all states of one log, so a state costs one link. */
export type Said = { readonly hash: string; readonly before: Said | undefined };
export type Corridor = CorridorRecord & { readonly schedulerKey: VerifierKey | undefined };

export type KeyState = {
  readonly origin: string;
  /** Entries folded so far. */
  readonly size: number;
  readonly ledger: (LedgerRecord & { readonly entry: VerifierKey }) | undefined;
  readonly operatorKeys: readonly VerifierKey[];
  readonly participants: ReadonlyMap<string, Participant>;
  /** By `name+keyId`, revoked ones too: an old entry is judged by the keys of its place. */
  readonly keys: ReadonlyMap<string, RegisteredKey>;
  readonly schedules: ReadonlyMap<string, FeeSchedule>;
  readonly policies: ReadonlyMap<string, PolicyRecord>;
  readonly lanes: LanesRecord | undefined;
  /** Every record of lanes so far, the newest last: who was given which slots, and when. */
  readonly laneRecords: readonly LanesRecord[];
  /** The key log's own key; undefined only before anybody has said with which it begins. */
  readonly logKey: VerifierKey | undefined;
  /** Keys that signed a log's checkpoints, and roots that were replaced: they do no more. */
  readonly retired: readonly VerifierKey[];
  readonly said: Said | undefined;
  readonly corridors: ReadonlyMap<string, Corridor>;
};

export type KeyFault = {
  readonly ok: false;
  readonly code:
    | "statement-malformed"
    | "statement-kind"
    | "statement-schema"
    | "wrong-log"
    | "signature-missing"
    | "signature-wrong"
    | "key-inadmissible"
    | "participant-unknown"
    | "already-registered"
    | "not-registered"
    | "recovery-not-agreed"
    | "recovery-waits"
    /** Said by a ledger that does not hold the key which has to sign the entry. */
    | "log-key-elsewhere"
    | "replayed";
  readonly detail: string;
};

export const fault = (code: KeyFault["code"], detail: string): KeyFault => ({
  ok: false,
  code,
  detail,
});

/** Whether `key` signed the note; a line by a key of that id that does not verify is a no. */
export const signedBy = (note: Note, key: VerifierKey): boolean => {
  const verifier = verifierFor(key);
  const own = note.signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId);
  return own.length > 0 && own.every(({ signature }) => verifier.verify(note.text, signature));
};

export const readVkey = (vkey: string): VerifierKey | KeyFault => {
  try {
    const key = parseVerifierKey(vkey);
    if (key.type !== 1) return fault("key-inadmissible", `${key.name} is for cosignatures`);
    const admitted = admitPublicKey(key.publicKey);
    return admitted.ok ? key : fault("key-inadmissible", `${key.name}: ${admitted.reason}`);
  } catch (error) {
    if (error instanceof TlogError) return fault("key-inadmissible", error.message);
    throw error;
  }
};

export const isFault = (value: VerifierKey | KeyFault): value is KeyFault => "ok" in value;

export const operatorsSigned = (
  state: KeyState,
  note: Note,
  needed: number,
): KeyFault | undefined => {
  const count = state.operatorKeys.filter((key) => signedBy(note, key)).length;
  return count >= needed
    ? undefined
    : fault("signature-missing", `needs ${needed} operators' signatures, has ${count}`);
};

export type KeyStep = { readonly ok: true; readonly state: KeyState } | KeyFault;

export const step = (state: KeyState, change: Partial<KeyState>): KeyStep => ({
  ok: true,
  state: { ...state, ...change, size: state.size + 1 },
});
