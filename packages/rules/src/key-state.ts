// The fold of the key log: who takes part, by which keys, under which fees, policies and lanes.
// Pure: a state and one logged note give the next state, or say why the note may not be logged.
// A root key introduces the later keys; operators alone can only suspend (`decisions.md`, Keys).
import {
  bindingSchema,
  corridorSchema,
  feeScheduleSchema,
  headerOf,
  keySchema,
  lanesSchema,
  ledgerSchema,
  logKeySchema,
  noteHash,
  participantRecordSchema,
  policySchema,
  readNote,
  readStatement,
  revocationSchema,
  rootRecoverySchema,
  suspensionSchema,
  type Binding,
  type CorridorRecord,
  type KeyRecord,
  type Statement,
} from "@sealane/protocol";
import { fromBase64, type Note, type VerifierKey } from "@sealane/tlog";
import {
  applyLanes,
  applyLedger,
  applyLogKey,
  applyParticipant,
  applyRootRecovery,
  signsElsewhere,
  wrongKeyLine,
  type Said,
} from "./key-authority.ts";
import {
  fault,
  isFault,
  operatorsSigned,
  readVkey,
  signedBy,
  step,
  type KeyPurpose,
  type KeyState,
  type KeyStep,
  type RegisteredKey,
} from "./key-tools.ts";

export type {
  Corridor,
  KeyFault,
  KeyPurpose,
  KeyState,
  KeyStep,
  NextRoot,
  Participant,
  RegisteredKey,
} from "./key-tools.ts";

/** @param logKey the key with which the key log begins, where it is known */
export const emptyKeyState = (origin: string, logKey?: VerifierKey): KeyState => ({
  origin,
  size: 0,
  ledger: undefined,
  operatorKeys: [],
  participants: new Map(),
  keys: new Map(),
  schedules: new Map(),
  policies: new Map(),
  lanes: undefined,
  laneRecords: [],
  logKey,
  retired: [],
  said: undefined,
  corridors: new Map(),
});

export const keyIndex = (name: string, keyId: number): string => `${name}+${keyId}`;

/** A participant's keys for a purpose that are in force, newest first. */
export const keysInForce = (
  { keys }: KeyState,
  participant: string,
  purpose: KeyPurpose,
): RegisteredKey[] =>
  [...keys.values()]
    .filter((key) => key.participant === participant && key.purpose === purpose)
    .filter(({ revokedAt }) => revokedAt === undefined)
    .sort((one, other) => other.addedAt - one.addedAt);

const applyKey = (state: KeyState, { body, note }: Statement<KeyRecord>): KeyStep => {
  const participant = state.participants.get(body.participant);
  if (participant === undefined) return fault("participant-unknown", body.participant);
  if (!signedBy(note, participant.root)) {
    return fault("signature-missing", `the root key of ${body.participant} must sign`);
  }
  if (body.purpose === "envelope") {
    if (body.x25519 === undefined || body.vkey !== undefined) {
      return fault("statement-schema", "an envelope key has x25519 and no vkey");
    }
    if (fromBase64(body.x25519).length !== 32) return fault("key-inadmissible", "not 32 bytes");
    const participants = new Map(state.participants).set(body.participant, {
      ...participant,
      envelopeKey: body.x25519,
    });
    return step(state, { participants });
  }
  if (body.vkey === undefined || body.x25519 !== undefined) {
    return fault("statement-schema", "a signing key has vkey and no x25519");
  }
  const key = readVkey(body.vkey);
  if (isFault(key)) return key;
  if (!key.name.startsWith(`${body.participant}/`)) {
    return fault("key-inadmissible", `the key's name must start with ${body.participant}/`);
  }
  if (!signedBy(note, key)) return fault("signature-missing", "the key must sign for itself");
  // By the bytes: base64 has a plus sign too, so no part of a verifier key's text can be compared.
  if (signsElsewhere(state, key)) {
    return fault("already-registered", "this key signs, or signed, something already");
  }
  // Four bytes of id can be made to collide: the second key would take the place of the first.
  if (state.keys.has(keyIndex(key.name, key.keyId))) {
    return fault("already-registered", `a key ${key.name} has this id already`);
  }
  const keys = new Map(state.keys).set(keyIndex(key.name, key.keyId), {
    participant: body.participant,
    purpose: body.purpose,
    key,
    vkey: body.vkey,
    addedAt: state.size,
    revokedAt: undefined,
  });
  return step(state, { keys });
};

const applyBinding = (state: KeyState, { body, note }: Statement<Binding>): KeyStep => {
  const participant = state.participants.get(body.participant);
  if (participant === undefined) return fault("participant-unknown", body.participant);
  if (!state.policies.has(body.policy)) return fault("not-registered", body.policy);
  if (!signedBy(note, participant.root)) {
    return fault("signature-missing", `the root key of ${body.participant} must sign`);
  }
  const missing = operatorsSigned(state, note, 2);
  if (missing !== undefined) return missing;
  const participants = new Map(state.participants).set(body.participant, {
    ...participant,
    boundTo: body.policy,
  });
  return step(state, { participants });
};

const applyCorridor = (state: KeyState, { body, note }: Statement<CorridorRecord>): KeyStep => {
  const missing = operatorsSigned(state, note, 2);
  if (missing !== undefined) return missing;
  const bank = state.participants.get(body.bank);
  if (bank === undefined || !bank.roles.includes("settlement-bank")) {
    return fault("participant-unknown", `${body.bank} is no settlement bank`);
  }
  for (const other of state.corridors.values()) {
    const twice = body.pairs.find(({ from, to }) =>
      other.pairs.some((pair) => pair.from === from && pair.to === to),
    );
    if (twice === undefined || other.corridor === body.corridor) continue;
    const detail = `${twice.from}/${twice.to} is of ${other.corridor}`;
    return fault("already-registered", detail);
  }
  const schedulerKey = body.scheduler === undefined ? undefined : readVkey(body.scheduler);
  if (schedulerKey !== undefined && isFault(schedulerKey)) return schedulerKey;
  const corridors = new Map(state.corridors).set(body.corridor, { ...body, schedulerKey });
  return step(state, { corridors });
};

/** Whoever reads the note's kind knows how to apply it; what is not listed is refused. */
const appliers: Record<string, (state: KeyState, note: Logged) => KeyStep> = {
  ledger: (state, note) => withBody(state, note, "ledger", ledgerSchema, applyLedger),
  participant: (state, note) =>
    withBody(state, note, "participant", participantRecordSchema, applyParticipant),
  key: (state, note) => withBody(state, note, "key", keySchema, applyKey),
  revocation: (state, logged) =>
    withBody(state, logged, "revocation", revocationSchema, (now, { body, note }) => {
      const participant = now.participants.get(body.participant);
      if (participant === undefined) return fault("participant-unknown", body.participant);
      if (!signedBy(note, participant.root)) {
        return fault("signature-missing", `the root key of ${body.participant} must sign`);
      }
      const found = [...now.keys].find(
        ([, key]) => key.vkey === body.vkey && key.participant === body.participant,
      );
      if (found === undefined) return fault("not-registered", body.vkey);
      if (found[1].revokedAt !== undefined) return fault("already-registered", "revoked already");
      const keys = new Map(now.keys).set(found[0], { ...found[1], revokedAt: now.size });
      return step(now, { keys });
    }),
  suspension: (state, logged) =>
    withBody(state, logged, "suspension", suspensionSchema, (now, { body, note }) => {
      const participant = now.participants.get(body.participant);
      if (participant === undefined) return fault("participant-unknown", body.participant);
      const missing = operatorsSigned(now, note, body.suspended ? 1 : 2);
      if (missing !== undefined) return missing;
      const participants = new Map(now.participants).set(body.participant, {
        ...participant,
        suspended: body.suspended,
      });
      return step(now, { participants });
    }),
  "fee-schedule": (state, logged) =>
    withBody(state, logged, "fee-schedule", feeScheduleSchema, (now, { body, note }) => {
      if (now.schedules.has(body.schedule)) return fault("already-registered", body.schedule);
      const missing = operatorsSigned(now, note, 2);
      if (missing !== undefined) return missing;
      return step(now, { schedules: new Map(now.schedules).set(body.schedule, body) });
    }),
  policy: (state, logged) =>
    withBody(state, logged, "policy", policySchema, (now, { body, note }) => {
      if (now.policies.has(body.policy)) return fault("already-registered", body.policy);
      const missing = operatorsSigned(now, note, 2);
      if (missing !== undefined) return missing;
      return step(now, { policies: new Map(now.policies).set(body.policy, body) });
    }),
  binding: (state, note) => withBody(state, note, "binding", bindingSchema, applyBinding),
  lanes: (state, note) => withBody(state, note, "lanes", lanesSchema, applyLanes),
  "log-key": (state, note) => withBody(state, note, "log-key", logKeySchema, applyLogKey),
  "root-recovery": (state, note) =>
    withBody(state, note, "root-recovery", rootRecoverySchema, applyRootRecovery),
  corridor: (state, note) => withBody(state, note, "corridor", corridorSchema, applyCorridor),
};

type Logged = { readonly note: Note; readonly timeMs: number };

const withBody = <T>(
  state: KeyState,
  { note, timeMs }: Logged,
  kind: string,
  schema: Parameters<typeof readStatement<T>>[2],
  apply: (state: KeyState, statement: Said<T>) => KeyStep,
): KeyStep => {
  const read = readStatement(note, kind, schema);
  if (!read.ok) return read;
  if (read.statement.origin !== state.origin) {
    return fault("wrong-log", `signed for ${read.statement.origin}, this is ${state.origin}`);
  }
  return apply(state, { ...read.statement, timeMs });
};

/**
 * Whether a statement's text stands in the log already. The log is public: without this anybody could
 * send an old suspension, or an old resumption with its two signatures, again. By the text, because
 * the same text can be signed by one operator more.
 */
export const wasSaid = ({ said }: KeyState, text: string): boolean => {
  const hash = noteHash(text);
  for (let one = said; one !== undefined; one = one.before) if (one.hash === hash) return true;
  return false;
};

/**
 * Folds one inner note (without the key log's own outer note) into the state.
 * @param timeMs the key log's time of the entry around it
 * @returns the next state, whose size is one more, or why the note may not stand in the key log
 */
export const applyKeyStatement = (state: KeyState, inner: string, timeMs: number): KeyStep => {
  const read = readNote(inner);
  if (!read.ok) return read;
  const kind = headerOf(read.note.text)?.kind;
  const apply = kind === undefined ? undefined : appliers[kind];
  if (apply === undefined) return fault("statement-kind", `not a key-log statement: ${kind}`);
  const { text } = read.note;
  if (wasSaid(state, text)) {
    return fault("replayed", "this statement stands in the key log already, and counts once");
  }
  const wrong = wrongKeyLine(state, read.note);
  if (wrong !== undefined) return wrong;
  const next = apply(state, { note: read.note, timeMs });
  if (!next.ok) return next;
  const said = { hash: noteHash(text), before: state.said };
  return { ok: true, state: { ...next.state, said } };
};
