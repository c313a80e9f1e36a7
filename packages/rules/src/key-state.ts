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
  noteHash,
  participantRecordSchema,
  policySchema,
  readNote,
  readStatement,
  revocationSchema,
  suspensionSchema,
  type Binding,
  type CorridorRecord,
  type FeeSchedule,
  type KeyRecord,
  type LanesRecord,
  type LedgerRecord,
  type ParticipantRecord,
  type PolicyRecord,
  type Statement,
} from "@sealane/protocol";
import {
  admitPublicKey,
  equalBytes,
  fromBase64,
  parseVerifierKey,
  TlogError,
  toBase64,
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
};

/** What was said before, newest first; shared by all states of one log, so a state costs one link. */
type Said = { readonly hash: string; readonly before: Said | undefined };
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
    | "replayed";
  readonly detail: string;
};

export const emptyKeyState = (origin: string): KeyState => ({
  origin,
  size: 0,
  ledger: undefined,
  operatorKeys: [],
  participants: new Map(),
  keys: new Map(),
  schedules: new Map(),
  policies: new Map(),
  lanes: undefined,
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

const fault = (code: KeyFault["code"], detail: string): KeyFault => ({ ok: false, code, detail });

/** Whether `key` signed the note; a line by a key of that id that does not verify is a no. */
const signedBy = (note: Note, key: VerifierKey): boolean => {
  const verifier = verifierFor(key);
  const own = note.signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId);
  return own.length > 0 && own.every(({ signature }) => verifier.verify(note.text, signature));
};

const readVkey = (vkey: string): VerifierKey | KeyFault => {
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

const isFault = (value: VerifierKey | KeyFault): value is KeyFault => "ok" in value;

const operatorsSigned = (state: KeyState, note: Note, needed: number): KeyFault | undefined => {
  const count = state.operatorKeys.filter((key) => signedBy(note, key)).length;
  return count >= needed
    ? undefined
    : fault("signature-missing", `needs ${needed} operators' signatures, has ${count}`);
};

export type KeyStep = { readonly ok: true; readonly state: KeyState } | KeyFault;

const step = (state: KeyState, change: Partial<KeyState>): KeyStep => ({
  ok: true,
  state: { ...state, ...change, size: state.size + 1 },
});

/**
 * Every operator that is new signs for itself: in the first record all of them. A later one, with which
 * operators or the entry key are replaced, takes two operators in force besides.
 */
const applyLedger = (state: KeyState, { body, note }: Statement<LedgerRecord>): KeyStep => {
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
  const distinct = new Set(operatorKeys.map(({ publicKey }) => toBase64(publicKey))).size;
  if (distinct < operatorKeys.length) return fault("key-inadmissible", "an operator's key twice");
  const isKnown = ({ publicKey }: VerifierKey): boolean =>
    state.operatorKeys.some((known) => equalBytes(known.publicKey, publicKey));
  const newcomers = operatorKeys.filter((key) => !isKnown(key));
  const missing =
    (state.ledger === undefined ? undefined : operatorsSigned(state, note, 2)) ??
    operatorsSigned({ ...state, operatorKeys: newcomers }, note, newcomers.length);
  if (missing !== undefined) return missing;
  return step(state, { ledger: { ...body, entry }, operatorKeys });
};

const applyParticipant = (
  state: KeyState,
  { body, note }: Statement<ParticipantRecord>,
): KeyStep => {
  const root = readVkey(body.rootKey);
  if (isFault(root)) return root;
  const known = state.participants.get(body.participant);
  if (known !== undefined && known.rootKey !== body.rootKey && !signedBy(note, known.root)) {
    return fault("signature-missing", `the root key in force of ${body.participant} must sign`);
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
  });
  return step(state, { participants });
};

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
  for (const other of state.keys.values()) {
    if (equalBytes(other.key.publicKey, key.publicKey)) {
      return fault("already-registered", "this key is registered already");
    }
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
const appliers: Record<string, (state: KeyState, note: Note) => KeyStep> = {
  ledger: (state, note) => withBody(state, note, "ledger", ledgerSchema, applyLedger),
  participant: (state, note) =>
    withBody(state, note, "participant", participantRecordSchema, applyParticipant),
  key: (state, note) => withBody(state, note, "key", keySchema, applyKey),
  revocation: (state, note) =>
    withBody(state, note, "revocation", revocationSchema, (now, { body }) => {
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
  suspension: (state, note) =>
    withBody(state, note, "suspension", suspensionSchema, (now, { body }) => {
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
  "fee-schedule": (state, note) =>
    withBody(state, note, "fee-schedule", feeScheduleSchema, (now, { body }) => {
      if (now.schedules.has(body.schedule)) return fault("already-registered", body.schedule);
      const missing = operatorsSigned(now, note, 2);
      if (missing !== undefined) return missing;
      return step(now, { schedules: new Map(now.schedules).set(body.schedule, body) });
    }),
  policy: (state, note) =>
    withBody(state, note, "policy", policySchema, (now, { body }) => {
      if (now.policies.has(body.policy)) return fault("already-registered", body.policy);
      const missing = operatorsSigned(now, note, 2);
      if (missing !== undefined) return missing;
      return step(now, { policies: new Map(now.policies).set(body.policy, body) });
    }),
  binding: (state, note) => withBody(state, note, "binding", bindingSchema, applyBinding),
  lanes: (state, note) =>
    withBody(state, note, "lanes", lanesSchema, (now, { body }) => {
      const missing = operatorsSigned(now, note, 2);
      if (missing !== undefined) return missing;
      return step(now, { lanes: body });
    }),
  corridor: (state, note) => withBody(state, note, "corridor", corridorSchema, applyCorridor),
};

const withBody = <T>(
  state: KeyState,
  note: Note,
  kind: string,
  schema: Parameters<typeof readStatement<T>>[2],
  apply: (state: KeyState, statement: Statement<T>) => KeyStep,
): KeyStep => {
  const read = readStatement(note, kind, schema);
  if (!read.ok) return read;
  if (read.statement.origin !== state.origin) {
    return fault("wrong-log", `signed for ${read.statement.origin}, this is ${state.origin}`);
  }
  return apply(state, read.statement);
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
 * @returns the next state, whose size is one more, or why the note may not stand in the key log
 */
export const applyKeyStatement = (state: KeyState, inner: string): KeyStep => {
  const read = readNote(inner);
  if (!read.ok) return read;
  const kind = headerOf(read.note.text)?.kind;
  const apply = kind === undefined ? undefined : appliers[kind];
  if (apply === undefined) return fault("statement-kind", `not a key-log statement: ${kind}`);
  const { text } = read.note;
  if (wasSaid(state, text)) {
    return fault("replayed", "this statement stands in the key log already, and counts once");
  }
  const next = apply(state, read.note);
  if (!next.ok) return next;
  const said = { hash: noteHash(text), before: state.said };
  return { ok: true, state: { ...next.state, said } };
};
