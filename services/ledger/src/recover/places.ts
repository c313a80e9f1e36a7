// Where published entries are read from: logs (a folder that was exported, another copy over HTTP), and
// files in which a participant holds its own entries. Each is verified whole before anything of it is
// used, by the code that auditors run.
import { readFileSync, statSync } from "node:fs";
import {
  auditLog,
  openLog,
  parseBundle,
  readTile,
  verifyBundle,
  type LogFiles,
} from "@sealane/cli";
import type { KeyLogCopy } from "@sealane/client";
import {
  bundlesFor,
  decodeBundle,
  formatCheckpointText,
  fromUtf8,
  parseCheckpointText,
  parseNote,
  parseProof,
  type TlogPolicy,
} from "@sealane/tlog";
import { RecoverFault } from "./recover-fault.ts";

export type PublishedPlace = {
  /** As it was given. */
  readonly place: string;
  /** Entries `0` to `size`, whose signatures have been judged; their root, base64. */
  readonly log:
    | {
        readonly size: number;
        readonly root: string;
        /** What stands from `from` on, up to the end of its bundle. */
        readonly page: (from: number) => Promise<readonly Uint8Array[]>;
      }
    | undefined;
  /** Single entries, by place. */
  readonly held: ReadonlyMap<number, Uint8Array>;
  readonly keys: KeyLogCopy;
  /** Checkpoints of the lane that a quorum has cosigned. */
  readonly sealed: readonly string[];
};

const sizeOf = (note: string): number => parseCheckpointText(parseNote(note).text).size;

const pageOf = async (files: LogFiles, size: number, from: number): Promise<Uint8Array[]> => {
  const [path] = bundlesFor(size, from);
  return path === undefined ? [] : decodeBundle(await readTile(files, path));
};

const readKeys = async (files: LogFiles): Promise<KeyLogCopy> => {
  const checkpoint = await files.checkpoint();
  const size = sizeOf(checkpoint);
  const entries: string[] = [];
  for (const path of bundlesFor(size)) {
    for (const entry of decodeBundle(await readTile(files, path))) entries.push(fromUtf8(entry));
  }
  return { checkpoint, entries };
};

const openPublished = async (
  place: string,
  policy: TlogPolicy,
  token: string | undefined,
): Promise<PublishedPlace> => {
  const source = openLog(place, token);
  const keys = await readKeys(source.keys);
  // The audit is given the same copy of the key log that will be used.
  const copy = { ...keys, sheets: [] };
  const report = await auditLog({ log: source, policy, keys: copy });
  if (!report.ok) {
    const message = `${place} does not stand: ${report.detail} (${report.code})`;
    throw new RecoverFault(report.code, message, report.position);
  }
  const { entries: size, root, seen } = report;
  const page = (from: number) => pageOf(source.log, size, from);
  return { place, log: { size, root, page }, held: new Map(), keys, sealed: [seen.log] };
};

/** What a participant exported of its own chain: receipts, each with an entry. */
const openHeld = (place: string, policy: TlogPolicy): PublishedPlace => {
  const text = readFileSync(place, "utf8");
  const verdict = verifyBundle(text, policy);
  if (!verdict.ok) {
    const message = `${place} does not stand, line ${verdict.line}: ${verdict.detail}`;
    throw new RecoverFault(verdict.code, message);
  }
  const bundle = parseBundle(text);
  const held = new Map<number, Uint8Array>();
  const sealed = new Map<string, string>();
  for (const { bytes } of bundle.receipts) {
    const { index, extra, checkpoint } = parseProof(fromUtf8(bytes));
    if (extra !== undefined) held.set(index, extra);
    const { text: stated } = parseNote(checkpoint);
    sealed.set(formatCheckpointText(parseCheckpointText(stated)), checkpoint);
  }
  const keys = { checkpoint: bundle.keyCheckpoint.note, entries: bundle.keyEntries };
  return { place, log: undefined, held, keys, sealed: [...sealed.values()] };
};

/**
 * Opens a place and verifies it.
 * @param token for a log over HTTP that gives entries to auditors only
 * @throws RecoverFault with the position of the first difference; LogReadError when it cannot be read
 */
export const openPlace = async (
  place: string,
  policy: TlogPolicy,
  token?: string,
): Promise<PublishedPlace> => {
  const file = statSync(place, { throwIfNoEntry: false })?.isFile() === true;
  return file ? openHeld(place, policy) : openPublished(place, policy, token);
};
