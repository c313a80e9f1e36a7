// The first question to a receipt: were exactly these bytes logged and sealed? It needs the receipt and
// the policy only. Nothing may stand in a receipt that is not judged, so that every changed byte is
// refused: the log's line, exactly a quorum of cosignatures, and no other line (`decisions.md`).
import { isTimely, keyLogKeyOf, sealTimeMs } from "@sealane/rules";
import {
  entryContextSchema,
  formatTime,
  maxEntryBytes,
  parseTime,
  readNote,
  readStatement,
  type EntryContext,
} from "@sealane/protocol";
import {
  checkCheckpoint,
  fromUtf8,
  leafHash,
  parseNote,
  parseProof,
  selectQuorum,
  TlogError,
  verifyInclusion,
  type CheckedCheckpoint,
  type TlogPolicy,
  type TlogProof,
  type VerifierKey,
} from "@sealane/tlog";

export type SealedEntry = {
  /** The entry, whole, as its bytes were hashed. */
  readonly note: string;
  readonly context: EntryContext;
  readonly inner: string;
  readonly log: VerifierKey;
  readonly origin: string;
  readonly treeSize: number;
  readonly cosignedBy: readonly string[];
  readonly sealedAtMs: number;
};

export type SealFault = { readonly ok: false; readonly code: string; readonly detail: string };
export type SealResult = { readonly ok: true; readonly sealed: SealedEntry } | SealFault;

const no = (code: string, detail: string): SealFault => ({ ok: false, code, detail });

/** Whether a checkpoint of a lane's log is sealed under the policy; other lines may be in it. */
export const sealFault = (policy: TlogPolicy, sealed: CheckedCheckpoint): SealFault | undefined => {
  if (sealed.log.name === keyLogKeyOf(policy)?.name) {
    return no("wrong-log", `${sealed.log.name} is the key log, not a lane's`);
  }
  if (policy.quorum === "none") {
    return no("policy-without-quorum", "the policy asks for no witness, so nothing is ever sealed");
  }
  if (sealed.quorum) return undefined;
  const names = sealed.cosignedBy.map(({ name }) => name).join(", ");
  return no("quorum-missing", `cosigned by ${names === "" ? "no witness" : names}: too few`);
};

/** Exactly the log's line and a smallest quorum. */
export const lineFault = (
  policy: TlogPolicy,
  note: string,
  sealed: CheckedCheckpoint,
): SealFault | undefined => {
  const { cosignedBy } = sealed;
  const needed = selectQuorum(policy, new Set(cosignedBy.map(({ name }) => name)))?.length;
  if (needed !== cosignedBy.length) {
    return no("line-unexpected", "the receipt has more cosignatures than a quorum");
  }
  const extra = parseNote(note).signatures.length - 1 - cosignedBy.length;
  if (extra === 0) return undefined;
  return no(
    "line-unexpected",
    "a signature line is neither the log's nor a witness's of the policy",
  );
};

const openEntry = (proof: TlogProof, extra: Uint8Array, sealed: CheckedCheckpoint): SealResult => {
  const { checkpoint, log, cosignedBy } = sealed;
  if (extra.length > maxEntryBytes) {
    return no("entry-too-large", `an entry has at most ${maxEntryBytes} bytes`);
  }
  const text = fromUtf8(extra);
  const note = readNote(text);
  if (!note.ok) return no("entry-malformed", note.detail);
  const read = readStatement(note.note, "entry", entryContextSchema);
  if (!read.ok) return no("entry-malformed", read.detail);
  const { origin, body: context, inner } = read.statement;
  if (inner === undefined) return no("entry-malformed", "the entry holds no statement");
  if (origin !== checkpoint.origin) {
    return no("wrong-log", `the entry is of ${origin}, the checkpoint of ${checkpoint.origin}`);
  }
  if (context.seq !== proof.index) {
    return no("sequence-broken", `the entry says ${context.seq}, its place is ${proof.index}`);
  }
  const sealedAtMs = sealTimeMs(sealed);
  if (!isTimely(sealed, parseTime(context.time))) {
    return no(
      "time-ahead",
      `log time ${context.time} is after the seal, ${formatTime(sealedAtMs)}`,
    );
  }
  return {
    ok: true,
    sealed: {
      note: text,
      context,
      inner,
      log,
      origin,
      treeSize: checkpoint.size,
      cosignedBy: cosignedBy.map(({ name }) => name),
      sealedAtMs,
    },
  };
};

/** Judges a receipt's bytes (a C2SP tlog-proof with the entry in `extra`) by a pinned policy. */
export const verifySeal = (receipt: Uint8Array, policy: TlogPolicy): SealResult => {
  try {
    const proof = parseProof(fromUtf8(receipt));
    const { extra } = proof;
    if (extra === undefined) return no("entry-missing", "the receipt does not carry its entry");
    const sealed = checkCheckpoint(policy, proof.checkpoint);
    const fault = sealFault(policy, sealed) ?? lineFault(policy, proof.checkpoint, sealed);
    if (fault !== undefined) return fault;
    const { size, root } = sealed.checkpoint;
    verifyInclusion(leafHash(extra), proof.index, size, proof.hashes, root);
    return openEntry(proof, extra, sealed);
  } catch (error) {
    if (error instanceof TlogError) return no(error.code, error.message);
    throw error;
  }
};
