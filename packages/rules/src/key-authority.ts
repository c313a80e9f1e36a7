// The keys above the others, and how each is replaced: operators and the entry key, participants' roots,
// and the keys that sign checkpoints. A root introduces all later keys of its participant; operators
// alone replace one only where the participant agreed to it, in public view, and after its own time.
import {
  formatTime,
  slotCount,
  type LanesRecord,
  type LedgerRecord,
  type LogKeyRecord,
  type ParticipantRecord,
  type RootRecovery,
  type Statement,
} from "@sealane/protocol";
import { equalBytes, toBase64, type Note, type VerifierKey } from "@sealane/tlog";
import {
  fault,
  isFault,
  operatorsSigned,
  readVkey,
  signedBy,
  step,
  type KeyFault,
  type KeyState,
  type KeyStep,
  type NextRoot,
  type Participant,
} from "./key-tools.ts";

/** A statement, and the key log's time of its entry. */
export type Said<T> = Statement<T> & { readonly timeMs: number };

const isAmong = (
  { publicKey }: VerifierKey,
  others: readonly (VerifierKey | KeyFault | undefined)[],
): boolean =>
  others.some(
    (other) => other !== undefined && !isFault(other) && equalBytes(other.publicKey, publicKey),
  );

/** What signs checkpoints, or did. */
const logKeys = (state: KeyState): (VerifierKey | KeyFault | undefined)[] => {
  const lanes = (state.lanes?.lanes ?? []).map(({ vkey }) => readVkey(vkey));
  return [state.logKey, ...lanes, ...state.retired];
};

/** What signs for a participant, or did; a root that was replaced is among the retired. */
const participantKeys = ({ participants, keys }: KeyState): VerifierKey[] => [
  ...[...participants.values()].map(({ root }) => root),
  ...[...keys.values()].map(({ key }) => key),
];

/** What signs anything, or did. */
const knownKeys = (state: KeyState): (VerifierKey | KeyFault | undefined)[] => {
  const operators = [state.ledger?.entry, ...state.operatorKeys];
  return [...logKeys(state), ...operators, ...participantKeys(state)];
};

/** Whether a key signs anything already, or did: a key has one purpose, and none comes back. */
export const signsElsewhere = (state: KeyState, key: VerifierKey): boolean =>
  isAmong(key, knownKeys(state));

/**
 * A line of a key that the key log knows, but whose signature is not good (C2SP signed-note: such a note is
 * rejected, whoever else signed it). Logged, it would make the log one that others' verifiers refuse.
 */
export const wrongKeyLine = (state: KeyState, note: Note): KeyFault | undefined => {
  for (const key of knownKeys(state)) {
    if (key === undefined || isFault(key)) continue;
    const own = note.signatures.some((one) => one.name === key.name && one.keyId === key.keyId);
    if (own && !signedBy(note, key)) return fault("signature-wrong", key.name);
  }
  return undefined;
};

/**
 * Entry key, operators' keys, those of logs and those of participants all differ: one that is lost is one drill.
 * Every operator that is new signs for itself: in the first record all of them. A later one, with which
 * operators or the entry key are replaced, takes two operators in force besides.
 */
export const applyLedger = (state: KeyState, { body, note }: Said<LedgerRecord>): KeyStep => {
  if (state.ledger !== undefined && state.ledger.operator !== body.operator) {
    return fault("already-registered", `this ledger is operated by ${state.ledger.operator}`);
  }
  const entry = readVkey(body.entryKey);
  if (isFault(entry)) return entry;
  const operatorKeys: VerifierKey[] = [];
  for (const vkey of body.operators) {
    const key = readVkey(vkey);
    if (isFault(key)) return key;
    operatorKeys.push(key);
  }
  const roles = [entry, ...operatorKeys];
  const distinct = new Set(roles.map(({ publicKey }) => toBase64(publicKey))).size;
  if (distinct < roles.length) {
    return fault(
      "key-inadmissible",
      "one key for two of the operators, or for one and for entries",
    );
  }
  const both = roles.find((key) => isAmong(key, [...logKeys(state), ...participantKeys(state)]));
  if (both !== undefined) {
    return fault("key-inadmissible", `${both.name} signs for a log or a participant, or did`);
  }
  const isKnown = ({ publicKey }: VerifierKey): boolean =>
    state.operatorKeys.some((known) => equalBytes(known.publicKey, publicKey));
  const newcomers = operatorKeys.filter((key) => !isKnown(key));
  const missing =
    (state.ledger === undefined ? undefined : operatorsSigned(state, note, 2)) ??
    operatorsSigned({ ...state, operatorKeys: newcomers }, note, newcomers.length);
  if (missing !== undefined) return missing;
  return step(state, { ledger: { ...body, entry }, operatorKeys });
};

/** Why a root key may not be replaced without the old one now; undefined where it may. */
const recoveryFault = (
  state: KeyState,
  { recovery, nextRoot, participant }: Participant,
  { body, note, timeMs }: Said<ParticipantRecord>,
): KeyFault | undefined => {
  if (recovery === undefined || nextRoot?.rootKey !== body.rootKey) {
    return fault("signature-missing", `the root key in force of ${participant} must sign`);
  }
  const dueMs = nextRoot.sinceMs + recovery.waitSeconds * 1_000;
  if (timeMs < dueMs) {
    const detail = `announced at ${nextRoot.at}; not before ${formatTime(dueMs)}`;
    return fault("recovery-waits", detail);
  }
  return operatorsSigned(state, note, 2);
};

export const applyParticipant = (state: KeyState, said: Said<ParticipantRecord>): KeyStep => {
  const { body, note } = said;
  const root = readVkey(body.rootKey);
  if (isFault(root)) return root;
  const known = state.participants.get(body.participant);
  const replaced = known !== undefined && known.rootKey !== body.rootKey;
  const lost = replaced && !signedBy(note, known.root);
  const early = lost ? recoveryFault(state, known, said) : undefined;
  if (early !== undefined) return early;
  if (known?.rootKey !== body.rootKey && signsElsewhere(state, root)) {
    return fault("already-registered", "the root key signs, or signed, something already");
  }
  if (!signedBy(note, root)) return fault("signature-missing", "the root key must sign");
  const missing = operatorsSigned(state, note, 1);
  if (missing !== undefined) return missing;
  const participants = new Map(state.participants).set(body.participant, {
    ...body,
    root,
    suspended: known?.suspended ?? false,
    envelopeKey: known?.envelopeKey,
    boundTo: known?.boundTo,
    nextRoot: undefined,
    recoveredAt: lost ? state.size : known?.recoveredAt,
  });
  const retired = replaced ? [...state.retired, known.root] : state.retired;
  return step(state, { participants, retired });
};

/** Announces a root key in the place of a lost one, or takes that back. */
export const applyRootRecovery = (
  state: KeyState,
  { body, note, timeMs }: Said<RootRecovery>,
): KeyStep => {
  const { participant: name, rootKey, withdrawn } = body;
  const participant = state.participants.get(name);
  if (participant === undefined) return fault("participant-unknown", name);
  const withNext = (nextRoot: NextRoot | undefined): KeyStep => {
    const next = { ...participant, nextRoot };
    return step(state, { participants: new Map(state.participants).set(name, next) });
  };
  const missing = operatorsSigned(state, note, 2);
  if (withdrawn) {
    if (participant.nextRoot?.rootKey !== rootKey) return fault("not-registered", rootKey);
    return missing === undefined || signedBy(note, participant.root)
      ? withNext(undefined)
      : missing;
  }
  if (participant.recovery === undefined) {
    const detail = `${name} has not agreed to it under its root key`;
    return fault("recovery-not-agreed", detail);
  }
  const root = readVkey(rootKey);
  if (isFault(root)) return root;
  if (signsElsewhere(state, root)) {
    return fault("already-registered", "this key signs, or signed, something already");
  }
  if (missing !== undefined) return missing;
  if (!signedBy(note, root)) return fault("signature-missing", "the new root key must sign");
  return withNext({ rootKey, at: state.size, sinceMs: timeMs });
};

/** A slot that two lanes would decide: a transfer could end in both. */
const slotTwice = ({ lanes }: LanesRecord): number | undefined => {
  const ranges = lanes
    .flatMap(({ slots }) => slots)
    .filter(({ from, to }) => from < to)
    .toSorted((one, other) => one.from - other.from);
  return ranges.find(({ from }, at) => from < (ranges[at - 1]?.to ?? 0))?.from;
};

const isGiven = ({ lanes }: LanesRecord, slot: number): boolean =>
  lanes.some(({ slots }) => slots.some(({ from, to }) => from <= slot && slot < to));

/** A slot that had a lane and has none: whoever gets it later could not say from whom it takes it over. */
const slotLeft = (before: LanesRecord | undefined, now: LanesRecord): number | undefined => {
  if (before === undefined) return undefined;
  const slots = Array.from({ length: slotCount }, (_, slot) => slot);
  return slots.find((slot) => isGiven(before, slot) && !isGiven(now, slot));
};

export const applyLanes = (state: KeyState, { body, note }: Said<LanesRecord>): KeyStep => {
  const missing = operatorsSigned(state, note, 2);
  if (missing !== undefined) return missing;
  for (const { origin, vkey } of body.lanes) {
    const known = state.lanes?.lanes.find((lane) => lane.origin === origin);
    if (known?.vkey === vkey) continue;
    if (known !== undefined) {
      return fault("already-registered", `${origin} has a key: replace it by a log-key record`);
    }
    const key = readVkey(vkey);
    if (isFault(key)) return key;
    const operators = [state.ledger?.entry, ...state.operatorKeys];
    const logs = [state.logKey, ...state.retired];
    if (isAmong(key, [...logs, ...operators, ...participantKeys(state)])) {
      return fault("already-registered", `the key of ${origin} signs, or signed, something else`);
    }
  }
  const twice = slotTwice(body);
  if (twice !== undefined) {
    return fault("already-registered", `slot ${twice} is given to two lanes`);
  }
  const left = slotLeft(state.lanes, body);
  if (left !== undefined) {
    return fault("not-registered", `slot ${left} had a lane, and would have none`);
  }
  return step(state, { lanes: body, laneRecords: [...state.laneRecords, body] });
};

/** The key in force of a log that the key log names, or of the key log itself. */
const logKeyOf = (state: KeyState, log: string): VerifierKey | KeyFault => {
  if (log === state.origin) return state.logKey ?? fault("not-registered", log);
  const lane = state.lanes?.lanes.find(({ origin }) => origin === log);
  return lane === undefined ? fault("not-registered", log) : readVkey(lane.vkey);
};

/** A log's key is replaced by a record of its own, so that the new key has signed for itself. */
export const applyLogKey = (state: KeyState, { body, note }: Said<LogKeyRecord>): KeyStep => {
  const { log, vkey } = body;
  const old = logKeyOf(state, log);
  if (isFault(old)) return old;
  const key = readVkey(vkey);
  if (isFault(key)) return key;
  if (key.name !== log) return fault("key-inadmissible", `the key's name must be ${log}`);
  if (signsElsewhere(state, key)) {
    return fault("already-registered", "this key signs, or signed, something already");
  }
  const missing = operatorsSigned(state, note, 2);
  if (missing !== undefined) return missing;
  if (!signedBy(note, key)) return fault("signature-missing", "the new key must sign for itself");
  // The old key may be lost; where its line is, it has to be good.
  const isOld = note.signatures.some(({ name, keyId }) => name === old.name && keyId === old.keyId);
  if (isOld && !signedBy(note, old)) return fault("signature-wrong", "the old key's line");
  const retired = [...state.retired, old];
  if (log === state.origin) return step(state, { logKey: key, retired });
  const { lanes } = state;
  if (lanes === undefined) return fault("not-registered", log);
  const renewed = lanes.lanes.map((lane) => (lane.origin === log ? { ...lane, vkey } : lane));
  return step(state, { lanes: { ...lanes, lanes: renewed }, retired });
};
