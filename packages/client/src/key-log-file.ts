// The copy of the key log beside the policy, for verifying offline: its cosigned checkpoint, its
// entries, and the notes of the rate sheets that the receipts of this folder cite. Nothing in it is
// believed because it is there: a verifier checks it against the policy.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import {
  entryContextSchema,
  headerOf,
  noteHash,
  readNote,
  readStatement,
  termsSchema,
  type Terms,
} from "@sealane/protocol";
import { fetchKeyLog, LogReadError, makeLogReader, type LogReader } from "./log-reader.ts";

export type KeyLogFile = {
  readonly checkpoint: string;
  readonly entries: readonly string[];
  readonly sheets: readonly string[];
};

export type KeepOptions = {
  /** The file, created when it is missing. */
  readonly path: string;
  /** The lane's log, e.g. `http://127.0.0.1:8083/log`; the key log is below it, at `/keys`. */
  readonly logUrl: string;
  /** The liquidity provider's door, which has its sheets by number; else the log is searched. */
  readonly ratesUrl?: string | undefined;
  /** The entry of a receipt: what it cites is what is kept. */
  readonly entry: string;
};

/** How many bundles of 256 entries are searched backwards for a sheet. */
const mostBundles = 512;
const bundle = 256;

type Cited = {
  readonly keysSize: number;
  readonly seq: number;
  readonly sheet: Terms["sheet"] | undefined;
};

/** The note inside an entry, or undefined when it is no entry. */
const innerOf = (entry: string) => {
  const note = readNote(entry);
  const read = note.ok ? readStatement(note.note, "entry", entryContextSchema) : undefined;
  if (read?.ok !== true || read.statement.inner === undefined) return undefined;
  return { context: read.statement.body, inner: read.statement.inner };
};

/** The terms of a transfer's entry, also where they are nested in what answers them. */
const termsOf = (inner: string): Terms | undefined => {
  const note = readNote(inner);
  if (!note.ok) return undefined;
  const read = readStatement(note.note, "transfer", termsSchema);
  return read.ok ? read.statement.body : undefined;
};

const citedBy = (entry: string): Cited => {
  const read = innerOf(entry);
  if (read === undefined) throw new LogReadError("log-refused", "the receipt holds no entry");
  const { context, inner } = read;
  return { keysSize: context.keys.size, seq: context.seq, sheet: termsOf(inner)?.sheet };
};

export const readKeyLogFile = (path: string): KeyLogFile | undefined => {
  if (!existsSync(path)) return undefined;
  const { checkpoint, entries, sheets } = JSON.parse(readFileSync(path, "utf8")) as KeyLogFile;
  return { checkpoint, entries, sheets: sheets ?? [] };
};

const write = (path: string, file: KeyLogFile): void => {
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, `${JSON.stringify(file, undefined, 1)}\n`);
  renameSync(temporary, path);
};

const askProvider = async (
  url: string,
  { number, hash }: Terms["sheet"],
): Promise<string | undefined> => {
  try {
    const signal = AbortSignal.timeout(3_000);
    const response = await fetch(`${url}/v1/sheets/${number}?hash=${encodeURIComponent(hash)}`, {
      signal,
      redirect: "error",
    });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined; // the log has it too
  }
};

/**
 * The note of a sheet that an entry cites.
 * @param before the citing entry's place: the sheet was logged before it
 */
export const findSheet = async (
  log: LogReader,
  hash: string,
  before: number,
): Promise<string | undefined> => {
  const last = Math.floor(before / bundle);
  for (let index = last; index >= Math.max(0, last - mostBundles); index -= 1) {
    const to = Math.min((index + 1) * bundle, before);
    const entries = to > index * bundle ? await log.entries(index * bundle, to) : [];
    for (const entry of entries.reverse()) {
      if (!entry.includes("/rate-sheet/v1\n")) continue;
      const inner = innerOf(entry)?.inner ?? "";
      const kind = headerOf(inner)?.kind;
      if (kind === "rate-sheet" && noteHash(inner) === hash) return inner;
    }
  }
  return undefined;
};

/**
 * Makes sure that the file has what verifying this entry takes, and writes it if it changed.
 * @returns whether it has: false when the cited sheet could not be found
 * @throws LogReadError
 */
export const keepForVerifying = async (options: KeepOptions): Promise<boolean> => {
  const { path, logUrl, ratesUrl } = options;
  const cited = citedBy(options.entry);
  const before = readKeyLogFile(path);
  let file = before ?? { checkpoint: "", entries: [], sheets: [] };
  if (file.entries.length < cited.keysSize) {
    file = { ...(await fetchKeyLog(makeLogReader(`${logUrl}/keys`))), sheets: file.sheets };
  }
  const { sheet } = cited;
  let found = sheet === undefined || file.sheets.some((note) => noteHash(note) === sheet.hash);
  if (!found && sheet !== undefined) {
    const asked = ratesUrl === undefined ? undefined : await askProvider(ratesUrl, sheet);
    const right = asked !== undefined && noteHash(asked) === sheet.hash;
    const note = right ? asked : await findSheet(makeLogReader(logUrl), sheet.hash, cited.seq);
    found = note !== undefined;
    if (note !== undefined) file = { ...file, sheets: [...file.sheets, note] };
  }
  if (file !== before) write(path, file);
  return found;
};
