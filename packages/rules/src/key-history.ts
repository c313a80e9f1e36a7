// The key log as a verifier holds it: every state it ever had, and the root at every size, so that
// an entry is judged by the keys in force at its place and no revocation can be hidden.
import {
  keyEntryContextSchema,
  parseTime,
  readNote,
  readStatement,
  zeroHash,
} from "@sealane/protocol";
import {
  appendLeaf,
  checkCheckpoint,
  emptyRange,
  leafHash,
  rangeRoot,
  TlogError,
  toBase64,
  verifierFor,
  type TlogPolicy,
  type VerifierKey,
} from "@sealane/tlog";
import { applyKeyStatement, emptyKeyState, type KeyState } from "./key-state.ts";

export type KeyHistory = {
  readonly origin: string;
  /** `states[n]` is the state after n entries. */
  readonly states: readonly KeyState[];
  /** `roots[n]` is the root at size n, base64. */
  readonly roots: readonly string[];
  /** `times[n]` is the log time of entry n, in ms. */
  readonly times: readonly number[];
  readonly size: number;
};

export type KeyLogResult =
  | { readonly ok: true; readonly history: KeyHistory }
  | { readonly ok: false; readonly code: string; readonly detail: string };

const no = (code: string, detail: string): KeyLogResult => ({ ok: false, code, detail });

/** The key-log's own verifier key in a policy: the log whose name ends in `/keys`. */
export const keyLogKeyOf = (policy: TlogPolicy): VerifierKey | undefined =>
  policy.logs.find(({ key }) => key.name.endsWith("/keys"))?.key;

/** Folds the key log's entries, checking chain, time and the key-log key's signature on each. */
export const foldKeyLog = (key: VerifierKey, entries: readonly string[]): KeyLogResult => {
  const verifier = verifierFor(key);
  let state = emptyKeyState(key.name);
  let range = emptyRange();
  let prev = zeroHash;
  const states = [state];
  const roots = [toBase64(rangeRoot(range))];
  const times: number[] = [];
  for (const [seq, entry] of entries.entries()) {
    const at = `key-log entry ${seq}`;
    const note = readNote(entry);
    if (!note.ok) return no(note.code, `${at}: ${note.detail}`);
    const outer = readStatement(note.note, "entry", keyEntryContextSchema);
    if (!outer.ok) return no(outer.code, `${at}: ${outer.detail}`);
    const { body, inner, origin } = outer.statement;
    if (origin !== key.name) return no("wrong-log", `${at} is of ${origin}`);
    if (body.seq !== seq || body.prev !== prev) return no("chain-broken", at);
    const timeMs = parseTime(body.time);
    if (timeMs < (times.at(-1) ?? 0)) return no("time-backwards", at);
    const signed = note.note.signatures.some(
      (line) =>
        line.name === key.name &&
        line.keyId === key.keyId &&
        verifier.verify(note.note.text, line.signature),
    );
    if (!signed) return no("signature-missing", `${at}: the key-log key has not signed`);
    const applied = applyKeyStatement(state, inner ?? "");
    if (!applied.ok) return no(applied.code, `${at}: ${applied.detail}`);
    state = applied.state;
    const hash = leafHash(entry);
    prev = toBase64(hash);
    range = appendLeaf(range, hash);
    states.push(state);
    roots.push(toBase64(rangeRoot(range)));
    times.push(timeMs);
  }
  const history = { origin: key.name, states, roots, times, size: entries.length };
  return { ok: true, history };
};

/**
 * Checks a whole key log against a pinned policy: the checkpoint's signature and quorum, every
 * entry, and that they hash to the checkpoint's root.
 * @param checkpoint the key log's cosigned checkpoint, a note
 * @param entries all its entries, in order
 */
export const verifyKeyLog = (
  policy: TlogPolicy,
  checkpoint: string,
  entries: readonly string[],
): KeyLogResult => {
  const key = keyLogKeyOf(policy);
  if (key === undefined) return no("policy-malformed", "the policy names no key log");
  try {
    const checked = checkCheckpoint(policy, checkpoint);
    if (checked.log.name !== key.name) return no("wrong-log", checked.log.name);
    if (!checked.quorum) return no("quorum-missing", "too few cosignatures on the key log");
    if (checked.checkpoint.size !== entries.length) {
      return no("size-mismatch", `${entries.length} entries, ${checked.checkpoint.size} cosigned`);
    }
    const folded = foldKeyLog(key, entries);
    if (!folded.ok) return folded;
    const root = toBase64(checked.checkpoint.root);
    return folded.history.roots.at(-1) === root
      ? folded
      : no("root-mismatch", "the entries are not those that were cosigned");
  } catch (error) {
    if (error instanceof TlogError) return no(error.code, error.message);
    throw error;
  }
};

/** The state that an entry cites, or undefined when no such state was ever logged. */
export const citedState = (
  history: KeyHistory,
  cited: { readonly size: number; readonly root: string },
): KeyState | undefined =>
  history.roots[cited.size] === cited.root ? history.states[cited.size] : undefined;
