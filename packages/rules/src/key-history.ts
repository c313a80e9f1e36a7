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
  equalBytes,
  formatVerifierKey,
  leafHash,
  parseVerifierKey,
  rangeRoot,
  TlogError,
  toBase64,
  verifierFor,
  type Note,
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

const no = (code: string, detail: string) => ({ ok: false, code, detail }) as const;

/** The key-log's own verifier key in a policy: the log whose name ends in `/keys`. */
export const keyLogKeyOf = (policy: TlogPolicy): VerifierKey | undefined =>
  policy.logs.find(({ key }) => key.name.endsWith("/keys"))?.key;

/** All keys under which a policy's reader accepts the key log: the one in force, and those before it. */
export const keyLogKeysOf = (policy: TlogPolicy): VerifierKey[] => {
  const name = keyLogKeyOf(policy)?.name;
  return policy.logs.map(({ key }) => key).filter((key) => key.name === name);
};

const hasSigned = (key: VerifierKey, { text, signatures }: Note): boolean => {
  const verifier = verifierFor(key);
  return signatures.some(
    (line) =>
      line.name === key.name && line.keyId === key.keyId && verifier.verify(text, line.signature),
  );
};

/** A line of a key that is accepted, whose signature is not good: it rejects the note, whoever else signed. */
const hasWrongLine = (keys: readonly VerifierKey[], { text, signatures }: Note): boolean =>
  signatures.some(({ name, keyId, signature }) => {
    const key = keys.find((one) => one.name === name && one.keyId === keyId);
    return key !== undefined && !verifierFor(key).verify(text, signature);
  });

const vkeyOf = ({ name, type, publicKey }: VerifierKey): string =>
  formatVerifierKey(name, type, publicKey);

const isOneOf = (keys: readonly VerifierKey[], key: VerifierKey): boolean =>
  keys.some((pinned) => equalBytes(pinned.publicKey, key.publicKey));

/** What an auditor does who pinned a policy from before a log's key was replaced. */
const unpinned = (place: number, key: VerifierKey) =>
  no(
    "log-key-unpinned",
    `key-log entry ${place} replaces the key of ${key.name}, and your policy does not list the new one. ` +
      `Ask two operators and another participant whether it is theirs; if so, add this line to ` +
      `the policy and keep the old one: log ${vkeyOf(key)}`,
  );

/**
 * Folds the key log's entries, checking chain, time and on each the signature of the key-log key in force:
 * the one that signed the first entry, until a record names another, which signs that record's entry.
 * @param keys those that are accepted, in any order; of an empty log the first
 */
export const foldKeyLog = (
  keys: readonly VerifierKey[],
  entries: readonly string[],
): KeyLogResult => {
  const [first] = keys;
  if (first === undefined) return no("policy-malformed", "the policy names no key log");
  const begun = entries[0] === undefined ? undefined : readNote(entries[0]);
  const key = keys.find((one) => begun?.ok === true && hasSigned(one, begun.note)) ?? first;
  let state = emptyKeyState(key.name, key);
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
    const applied = applyKeyStatement(state, inner ?? "", timeMs);
    if (!applied.ok) return no(applied.code, `${at}: ${applied.detail}`);
    const { logKey = key } = applied.state;
    if (!isOneOf(keys, logKey)) return unpinned(seq, logKey);
    if (hasWrongLine(keys, note.note)) return no("signature-wrong", at);
    if (!hasSigned(logKey, note.note)) {
      return no("signature-missing", `${at}: the key-log key has not signed`);
    }
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
  const keys = keyLogKeysOf(policy);
  const [key] = keys;
  if (key === undefined) return no("policy-malformed", "the policy names no key log");
  try {
    const checked = checkCheckpoint(policy, checkpoint);
    if (checked.log.name !== key.name) return no("wrong-log", checked.log.name);
    if (!checked.quorum) return no("quorum-missing", "too few cosignatures on the key log");
    if (checked.checkpoint.size !== entries.length) {
      return no("size-mismatch", `${entries.length} entries, ${checked.checkpoint.size} cosigned`);
    }
    const folded = foldKeyLog(keys, entries);
    if (!folded.ok) return folded;
    const { logKey } = folded.history.states.at(-1) as KeyState;
    if (entries.length > 0 && logKey !== undefined && !isOneOf([logKey], checked.log)) {
      return no("log-key-superseded", `${vkeyOf(checked.log)} signs this key log no more`);
    }
    const root = toBase64(checked.checkpoint.root);
    return folded.history.roots.at(-1) === root
      ? folded
      : no("root-mismatch", "the entries are not those that were cosigned");
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    // Signed by nobody whom the policy lists: by a successor, perhaps, that the log itself announces.
    const folded = error.code === "note-unknown-key" ? foldKeyLog(keys, entries) : undefined;
    return folded?.ok === false && folded.code === "log-key-unpinned"
      ? folded
      : no(error.code, error.message);
  }
};

/** The key that a state names for a lane's log. */
const laneKeyOf = ({ lanes }: KeyState, origin: string): string | undefined =>
  lanes?.lanes.find((lane) => lane.origin === origin)?.vkey;

/**
 * Whether a lane's log key may have signed a checkpoint over an entry that cites this state of the key
 * log: it is named there, or later. A key that was replaced before counts no more.
 * @param from size of the cited state
 */
export const namesLogKey = (
  { states }: KeyHistory,
  origin: string,
  key: VerifierKey,
  from: number,
): boolean => {
  const vkey = vkeyOf(key);
  return states.slice(from).some((state) => laneKeyOf(state, origin) === vkey);
};

/** What to do about a lane's newest key, where the key log names one that the policy does not list. */
export const unpinnedLaneKey = (
  policy: TlogPolicy,
  { states }: KeyHistory,
  origin: string,
): { readonly code: string; readonly detail: string } | undefined => {
  const newest = laneKeyOf(states.at(-1) as KeyState, origin);
  const pinned = policy.logs.some(({ key }) => vkeyOf(key) === newest);
  if (newest === undefined || pinned) return undefined;
  const since = states.findIndex((state) => laneKeyOf(state, origin) === newest);
  const { code, detail } = unpinned(since - 1, parseVerifierKey(newest));
  return { code, detail };
};

/** The state that an entry cites, or undefined when no such state was ever logged. */
export const citedState = (
  history: KeyHistory,
  cited: { readonly size: number; readonly root: string },
): KeyState | undefined =>
  history.roots[cited.size] === cited.root ? history.states[cited.size] : undefined;
