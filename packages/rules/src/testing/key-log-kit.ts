// A key log for tests: statements in, a history, entries and a cosigned checkpoint out.
import {
  formatTime,
  keyEntryText,
  statementText,
  zeroHash,
  type KeyStatementKind,
} from "@sealane/protocol";
import {
  appendLeaf,
  composeNote,
  cosignLine,
  emptyRange,
  formatCheckpointText,
  leafHash,
  rangeRoot,
  toBase64,
  type CompactRange,
} from "@sealane/tlog";
import { foldKeyLog, type KeyHistory } from "../key-history.ts";
import { lineOf, signed, type TestKey } from "./keys.ts";

/** A checkpoint with the log's line and these witnesses' cosignatures. */
export const cosignedCheckpoint = (
  log: TestKey,
  range: CompactRange,
  witnesses: readonly TestKey[],
  timeSeconds: number,
): string => {
  const text = formatCheckpointText({
    origin: log.name,
    size: range.size,
    root: rangeRoot(range),
    extensions: [],
  });
  const cosignatures = witnesses.map(({ name, seed }) => cosignLine(name, seed, text, timeSeconds));
  return composeNote(text, [lineOf(log, text), ...cosignatures]);
};

export type KeyLogKit = ReturnType<typeof makeKeyLogKit>;

/** @param key the key-log key, named `<base>/keys` */
export const makeKeyLogKit = (key: TestKey) => {
  const entries: string[] = [];
  let history: KeyHistory | undefined;

  /** Logs a statement that `signers` have signed. @throws Error when the key log refuses it */
  const log = (
    kind: KeyStatementKind,
    body: unknown,
    signers: readonly TestKey[],
    timeMs: number,
  ): void => {
    const inner = signed(statementText(key.name, kind, body), signers);
    const before = entries.at(-1);
    const prev = before === undefined ? zeroHash : toBase64(leafHash(before));
    const context = { seq: entries.length, time: formatTime(timeMs), prev };
    entries.push(signed(keyEntryText(key.name, context, inner), [key]));
    history = undefined;
  };

  const fold = (): KeyHistory => {
    if (history !== undefined) return history;
    const folded = foldKeyLog(key.key, entries);
    if (!folded.ok) throw new Error(`test key log: ${folded.code} ${folded.detail}`);
    history = folded.history;
    return history;
  };

  const checkpoint = (witnesses: readonly TestKey[], timeSeconds: number): string => {
    const range = entries.reduce((tree, entry) => appendLeaf(tree, leafHash(entry)), emptyRange());
    return cosignedCheckpoint(key, range, witnesses, timeSeconds);
  };

  return { key, entries, log, history: fold, checkpoint };
};
