// From a record of the topic to a command the rules can decide: frame, statement, and the mathematics
// of its signatures, off the main thread. What cannot be read is a dead letter with its reason.
import {
  adjustmentSchema,
  advanceSchema,
  bankStatementSchema,
  cancellationSchema,
  chainStatementSchema,
  commandSchema,
  creditedSchema,
  liquidityOutSchema,
  parseStrictJson,
  rateSheetSchema,
  rateWithdrawalSchema,
  readNote,
  readStatement,
  recallRefusalSchema,
  recallSchema,
  rejectionSchema,
  returnSchema,
  settlementAbortSchema,
  termsSchema,
  windowCutSchema,
  windowDefaultSchema,
  type CarriedKind,
  type Command,
  type EnvelopeField,
} from "@sealane/protocol";
import {
  carriedBody,
  carriedEntry,
  keyIndex,
  letGoOf,
  slotsGoneOf,
  verifyEntry,
  type BankStatementCommand,
  type CheckedLine,
  type EntryChecks,
  type KeyState,
  type LaneCommand,
  type LaneState,
} from "@sealane/rules";
import { verifyOffThread } from "@sealane/signer";
import {
  parseSignatureLine,
  TlogError,
  utf8,
  type Note,
  type NoteSignature,
  type VerifierKey,
} from "@sealane/tlog";

export type OpenedCommand =
  | { readonly ok: true; readonly command: LaneCommand }
  | { readonly ok: false; readonly offset: bigint; readonly code: string; readonly detail: string };

export type RawCommand = { readonly offset: bigint; readonly value: Uint8Array | null };

const maxCommandBytes = 64 * 1024;
/** A bank's statement of several parts is one command, as it is decided at once. */
const maxStatementBytes = 3_584 * 1024;
const decoder = new TextDecoder("utf-8", { fatal: true });

const no = (offset: bigint, code: string, detail: string): OpenedCommand => ({
  ok: false,
  offset,
  code,
  detail,
});

type ParsedFrame =
  | { readonly ok: true; readonly frame: Command }
  | { readonly ok: false; readonly fault: OpenedCommand };

const parseFrame = ({ offset, value }: RawCommand): ParsedFrame => {
  const bad = (code: string, detail: string) =>
    ({ ok: false, fault: no(offset, code, detail) }) as const;
  if (value === null) return bad("command-empty", "the record has no value");
  const tooLarge = () => bad("command-too-large", `${value.length} bytes`);
  if (value.length > maxStatementBytes) return tooLarge();
  let text: string;
  try {
    text = decoder.decode(value);
  } catch {
    return bad("command-not-utf8", "the record is not UTF-8");
  }
  const json = parseStrictJson(text, 8);
  if (!json.ok) return bad(json.code, json.detail);
  const { kind } = (json.value ?? {}) as { readonly kind?: unknown };
  if (value.length > maxCommandBytes && kind !== "bank-statement") return tooLarge();
  const frame = commandSchema.safeParse(json.value);
  if (frame.success) return { ok: true, frame: frame.data };
  const issue = frame.error.issues[0];
  return bad("command-schema", `/${issue?.path.join("/") ?? ""}: ${issue?.message ?? ""}`);
};

/** Judges each line by a key that the key log knows; others are counted, not judged. */
const checkLines = async (
  text: string,
  signatures: readonly NoteSignature[],
  keys: KeyState,
): Promise<{ lines: CheckedLine[]; unknown: number }> => {
  const bytes = utf8(text);
  const judged = await Promise.all(
    signatures.map(async (signature): Promise<CheckedLine | undefined> => {
      const key = keys.keys.get(keyIndex(signature.name, signature.keyId));
      if (key === undefined) return undefined;
      const good = await verifyOffThread(key.key.publicKey, bytes, signature.signature);
      return { line: signature.line, key, good };
    }),
  );
  const lines = judged.filter((line) => line !== undefined);
  return { lines, unknown: judged.length - lines.length };
};

/** Operators' keys are not participants' keys: counted by name, each once. */
export const checkOperators = async (
  note: Note,
  keys: KeyState,
  registeredKeys: readonly VerifierKey[] = keys.operatorKeys,
): Promise<{ names: string[]; lines: CheckedLine[] }> => {
  const bytes = utf8(note.text);
  const names = new Set<string>();
  const lines: CheckedLine[] = [];
  for (const key of registeredKeys) {
    const signature = note.signatures.find(
      ({ name, keyId }) => name === key.name && keyId === key.keyId,
    );
    if (signature === undefined) continue;
    if (!(await verifyOffThread(key.publicKey, bytes, signature.signature))) continue;
    names.add(key.name);
    const registered = {
      participant: keys.ledger?.operator ?? "",
      purpose: "transfer",
      key,
      vkey: "",
      addedAt: 0,
      revokedAt: undefined,
    } as const;
    lines.push({ line: signature.line, key: registered, good: true });
  }
  return { names: [...names], lines };
};

/** The operator's service keys: each may cut its own corridor's windows. */
const schedulerKeys = (keys: KeyState): VerifierKey[] => {
  const all = [...keys.corridors.values()].flatMap(({ schedulerKey }) => schedulerKey ?? []);
  return [...new Map(all.map((key) => [key.name, key])).values()];
};

/** What operators decide is signed by them, whatever other keys the key log knows. */
const byOperators: ReadonlySet<string> = new Set([
  "advance",
  "window-cut",
  "window-default",
  "settlement-abort",
  "adjustment",
  "liquidity-out",
]);

const schemas = {
  intent: ["transfer", termsSchema],
  rejection: ["rejection", rejectionSchema],
  cancellation: ["cancellation", cancellationSchema],
  "rate-sheet": ["rate-sheet", rateSheetSchema],
  "rate-withdrawal": ["rate-withdrawal", rateWithdrawalSchema],
  credited: ["credited", creditedSchema],
  statement: ["statement", chainStatementSchema],
  advance: ["advance", advanceSchema],
  "window-cut": ["window-cut", windowCutSchema],
  "bank-statement": ["bank-statement", bankStatementSchema],
  "window-default": ["window-default", windowDefaultSchema],
  "settlement-abort": ["settlement-abort", settlementAbortSchema],
  adjustment: ["adjustment", adjustmentSchema],
  "liquidity-out": ["liquidity-out", liquidityOutSchema],
  return: ["return", returnSchema],
  recall: ["recall", recallSchema],
  "recall-refusal": ["recall-refusal", recallRefusalSchema],
} as const;

type StatementFrame = {
  readonly kind: keyof typeof schemas;
  readonly note: string;
  readonly envelope?: EnvelopeField | undefined;
  readonly trace?: string | undefined;
};

const openStatement = async (
  offset: bigint,
  frame: StatementFrame,
  keys: KeyState,
): Promise<OpenedCommand> => {
  const read = readNote(frame.note);
  if (!read.ok) return no(offset, read.code, read.detail);
  const [kind, schema] = schemas[frame.kind];
  const statement = readStatement(read.note, kind, schema as typeof termsSchema);
  if (!statement.ok) return no(offset, statement.code, statement.detail);
  const { origin, body, inner } = statement.statement;
  const { text, signatures } = read.note;
  const common = { offset, trace: frame.trace, origin, text, note: frame.note, inner };
  if (byOperators.has(frame.kind)) {
    const { names: operators, lines } = await checkOperators(read.note, keys);
    const service =
      frame.kind === "window-cut"
        ? await checkOperators(read.note, keys, schedulerKeys(keys))
        : { names: [], lines: [] };
    const signed = { lines: [...lines, ...service.lines], operators, schedulers: service.names };
    const command = { ...common, kind: frame.kind, body, unknownLines: 0, ...signed };
    return { ok: true, command: command as unknown as LaneCommand };
  }
  const { lines, unknown } = await checkLines(text, signatures, keys);
  if (lines.length === 0) {
    const detail =
      unknown > 0 ? `the key log does not know ${signatures[0]?.name ?? ""}` : "no signature";
    return no(offset, unknown > 0 ? "key-unknown" : "signature-missing", detail);
  }
  const { envelope } = frame;
  // Most intents have one line, and then there is nothing more to look for.
  const approvals =
    frame.kind === "intent" && unknown > 0
      ? (await checkOperators(read.note, keys)).lines
      : undefined;
  const signed = { lines, unknownLines: unknown, envelope, approvals };
  const command = { ...common, kind: frame.kind, body, ...signed };
  return { ok: true, command: command as unknown as LaneCommand };
};

/** A statement of several parts, opened part by part. */
const openParts = async (
  offset: bigint,
  { more = [], ...frame }: Extract<Command, { kind: "bank-statement" }>,
  keys: KeyState,
): Promise<OpenedCommand> => {
  const opened: LaneCommand[] = [];
  for (const note of [frame.note, ...more]) {
    const one = await openStatement(offset, { ...frame, note }, keys);
    if (!one.ok) return one;
    opened.push(one.command);
  }
  const [first, ...rest] = opened as [BankStatementCommand, ...BankStatementCommand[]];
  return { ok: true, command: rest.length === 0 ? first : { ...first, more: rest } };
};

/** What another lane has let go: judged whole here, as every verifier does; few come, none is urgent. */
const openCarried = (
  offset: bigint,
  frame: Extract<Command, { kind: CarriedKind }>,
  keys: KeyState,
  checks: EntryChecks,
): OpenedCommand => {
  const { kind, entry, trace } = frame;
  const body = carriedBody(frame);
  const carried = carriedEntry(checks, keys, body, entry, verifyEntry);
  if ("ok" in carried) return no(offset, carried.code, carried.detail);
  const common = { offset, body, entry, trace };
  if (kind === "slots-in") {
    const gone = slotsGoneOf(body.from, carried);
    if ("ok" in gone) return no(offset, gone.code, gone.detail);
    return { ok: true, command: { ...common, kind, gone } };
  }
  const letGo = letGoOf(body.from, carried);
  if ("ok" in letGo) return no(offset, letGo.code, letGo.detail);
  return { ok: true, command: { ...common, kind, letGo } };
};

/**
 * Opens one record. Signatures are judged against the keys of `keys`, revoked ones too: whether a
 * key is in force is the rules' to say.
 * @param state the lane, for the text that an acceptance's line signs
 * @param checks how entries of other lanes are judged, that they are sealed too
 */
export const openCommand = async (
  raw: RawCommand,
  keys: KeyState,
  state: LaneState,
  checks: () => EntryChecks,
): Promise<OpenedCommand> => {
  const parsed = parseFrame(raw);
  if (!parsed.ok) return parsed.fault;
  const { offset } = raw;
  const { frame } = parsed;
  if ("entry" in frame) return openCarried(offset, frame, keys, checks());
  if (frame.kind === "bank-statement") return openParts(offset, frame, keys);
  if (frame.kind !== "acceptance") return openStatement(offset, frame, keys);
  let signature: NoteSignature;
  try {
    signature = parseSignatureLine(frame.line);
  } catch (error) {
    if (error instanceof TlogError) return no(offset, "statement-malformed", error.message);
    throw error;
  }
  const open = state.open.get(frame.id);
  const key = keys.keys.get(keyIndex(signature.name, signature.keyId));
  let line: CheckedLine | undefined;
  if (key !== undefined) {
    // Without the text nothing can be judged; the rules only tell the sender how it ended.
    const good =
      open !== undefined &&
      (await verifyOffThread(key.key.publicKey, utf8(open.text), signature.signature));
    line = { line: frame.line, key, good };
  }
  const command = { kind: "acceptance", offset, trace: frame.trace, id: frame.id, line } as const;
  return { ok: true, command };
};
