// The key log, read and checked: from a place of the log's layout, or from a copy in a file.
import { LogReadError } from "@sealane/client";
import { parseStrictJson } from "@sealane/protocol";
import { verifyKeyLog, type KeyHistory } from "@sealane/rules";
import {
  equalBytes,
  fromUtf8,
  leafHash,
  parseCheckpointText,
  parseNote,
  type TlogPolicy,
} from "@sealane/tlog";
import { CliError } from "./cli-error.ts";
import { readBundles, readTile, type LogFiles } from "./log-source.ts";
import { makeTileBuilder, type BuiltTile } from "./tile-builder.ts";
import type { KeysCopy } from "./verify-types.ts";

const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

/**
 * The copy of the key log that `npm start` and `sealane send` keep: JSON of a checkpoint, entries and
 * the notes of sheets. Believed by nobody before it is checked.
 * @throws CliError `keys-malformed`
 */
export const parseKeysCopy = (text: string): KeysCopy => {
  const json = parseStrictJson(text);
  const value = json.ok && typeof json.value === "object" ? json.value : null;
  const { checkpoint, entries, sheets = [] } = (value ?? {}) as Record<string, unknown>;
  if (typeof checkpoint === "string" && isTextList(entries) && isTextList(sheets)) {
    return { checkpoint, entries, sheets };
  }
  const detail = json.ok ? "it has no checkpoint, entries and sheets" : json.detail;
  const action = "Give the file `keylog` that lies beside the policy.";
  throw new CliError("keys-malformed", `this is no copy of a key log: ${detail}`, action);
};

/** A tile that a log serves, held against the entries. @returns what is wrong, if anything */
export const tileFault = async (
  files: LogFiles,
  { path, bytes }: BuiltTile,
): Promise<{ readonly code: string; readonly detail: string } | undefined> => {
  try {
    if (equalBytes(await readTile(files, path), bytes)) return undefined;
    return { code: "tile-mismatch", detail: `${path} is not made from the entries` };
  } catch (error) {
    if (!(error instanceof LogReadError) || error.retryable) throw error;
    return { code: "tile-missing", detail: error.message };
  }
};

export type KeysResult =
  | { readonly ok: true; readonly history: KeyHistory; readonly copy: KeysCopy }
  | { readonly ok: false; readonly code: string; readonly detail: string };

/**
 * Reads the whole key log, its hash tiles too, and checks it against a pinned policy.
 * @throws LogReadError, BundleError, TlogError
 */
export const readKeys = async (files: LogFiles, policy: TlogPolicy): Promise<KeysResult> => {
  const checkpoint = await files.checkpoint();
  const { size } = parseCheckpointText(parseNote(checkpoint).text);
  const builder = makeTileBuilder();
  const entries: string[] = [];
  const tiles: BuiltTile[] = [];
  for await (const bundle of readBundles(files, size)) {
    for (const entry of bundle.entries) {
      entries.push(fromUtf8(entry));
      tiles.push(...builder.push(leafHash(entry)));
    }
  }
  const verified = verifyKeyLog(policy, checkpoint, entries);
  if (!verified.ok) return verified;
  for (const tile of [...tiles, ...builder.partials()]) {
    const fault = await tileFault(files, tile);
    if (fault !== undefined) return { ok: false, ...fault };
  }
  return { ok: true, history: verified.history, copy: { checkpoint, entries, sheets: [] } };
};
