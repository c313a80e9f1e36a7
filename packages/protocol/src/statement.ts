// A signed statement is a C2SP signed note whose text is a header line, one line of JSON, and,
// where it answers another statement, that other note whole: `<origin>/<kind>/v1`, JSON, note.
// Bytes are carried, never rebuilt: what was signed is the text that is passed on.
import { parseInnerNote, parseNote, sha256, toBase64, TlogError, type Note } from "@sealane/tlog";
import type { z } from "zod";
import { readPlainForm } from "./plain-form.ts";
import { hasPlainNumbers, parseStrictJson } from "./strict-json.ts";

export type Statement<T> = {
  /** Full origin of the log that the statement is meant for. */
  readonly origin: string;
  readonly kind: string;
  readonly body: T;
  /** The note that this one answers, whole, if any. */
  readonly inner: string | undefined;
  readonly note: Note;
};

export type StatementFault = {
  readonly code: "statement-malformed" | "statement-kind" | "statement-schema";
  readonly detail: string;
};

export type StatementResult<T> =
  | { readonly ok: true; readonly statement: Statement<T> }
  | ({ readonly ok: false } & StatementFault);

const headerPattern = /^(\S{1,200})\/([a-z][a-z-]{0,40})\/v1$/;

/** The text of a statement: what is signed. JSON is written here, once. */
export const statementText = (
  origin: string,
  kind: string,
  body: unknown,
  inner?: string,
): string => `${origin}/${kind}/v1\n${JSON.stringify(body)}\n${inner ?? ""}`;

export type StatementHeader = { readonly origin: string; readonly kind: string };

/** Reads only the first line: enough to know where a statement belongs. */
export const headerOf = (text: string): StatementHeader | undefined => {
  const end = text.indexOf("\n");
  const match = headerPattern.exec(end < 0 ? text : text.slice(0, end));
  if (match === null) return undefined;
  return { origin: match[1] as string, kind: match[2] as string };
};

const malformed = (detail: string): { ok: false } & StatementFault => ({
  ok: false,
  code: "statement-malformed",
  detail,
});

type NoteResult =
  | { readonly ok: true; readonly note: Note }
  | ({ readonly ok: false } & StatementFault);

const readBy = (parse: (text: string) => Note, text: string): NoteResult => {
  try {
    return { ok: true, note: parse(text) };
  } catch (error) {
    if (error instanceof TlogError) return malformed(error.message);
    throw error;
  }
};

/** Splits a note that may be rubbish; a refusal, not an exception, because it comes from outside. */
export const readNote = (text: string): NoteResult => readBy(parseNote, text);

/** The same for a note that stands in the text of one that was read. */
export const readInnerNote = (text: string): NoteResult => readBy(parseInnerNote, text);

/**
 * Reads a statement's header, body and inner note; checks no signature.
 * @param kind the kind that is expected in the header
 * @param schema the body's strict schema: unknown fields are refused
 */
export const readStatement = <T>(
  note: Note,
  kind: string,
  schema: z.ZodType<T>,
): StatementResult<T> => {
  const header = headerOf(note.text);
  if (header === undefined) return malformed("the first line is not <origin>/<kind>/v1");
  if (header.kind !== kind) {
    return { ok: false, code: "statement-kind", detail: `expected ${kind}, found ${header.kind}` };
  }
  const bodyStart = note.text.indexOf("\n") + 1;
  const bodyEnd = note.text.indexOf("\n", bodyStart);
  if (bodyStart === 0 || bodyEnd < 0) return malformed("there is no line of JSON");
  const line = note.text.slice(bodyStart, bodyEnd);
  const rest = note.text.slice(bodyEnd + 1);
  const found = { origin: header.origin, kind, inner: rest === "" ? undefined : rest, note };
  const plain = readPlainForm(line, schema);
  if (plain !== undefined) return { ok: true, statement: { ...found, body: plain } };
  const json = parseStrictJson(line);
  if (!json.ok) return { ok: false, code: "statement-malformed", detail: json.detail };
  if (!hasPlainNumbers(line)) return malformed("numbers are counters: digits and nothing else");
  const parsed = schema.safeParse(json.value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined ? "" : `/${issue.path.join("/")}: `;
    return { ok: false, code: "statement-schema", detail: `${where}${issue?.message ?? ""}` };
  }
  return { ok: true, statement: { ...found, body: parsed.data } };
};

/** Base64 of SHA-256 over a note's bytes, signatures included: how one statement cites another. */
export const noteHash = (note: string): string => toBase64(sha256(note));
