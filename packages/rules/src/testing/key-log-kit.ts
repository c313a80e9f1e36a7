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
  appendLeaves,
  composeNote,
  cosignLine,
  emptyRange,
  equalBytes,
  formatCheckpointText,
  leafHash,
  rangeRoot,
  toBase64,
  type CompactRange,
} from "@sealane/tlog";
import type { KeyHistory } from "../key-history.ts";
import { applyKeyStatement, emptyKeyState, type KeyState } from "../key-state.ts";
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

export type KeyLogKit = {
  readonly key: TestKey;
  /** Entries as published. */
  readonly entries: readonly string[];
  /** Logs a statement that `signers` have signed. @throws Error when the key log refuses it */
  log(kind: KeyStatementKind, body: unknown, signers: readonly TestKey[], timeMs: number): void;
  history(): KeyHistory;
  checkpoint(witnesses: readonly TestKey[], timeSeconds: number): string;
};

const emptyHistory = ({ name: origin, key }: TestKey): KeyHistory => ({
  origin,
  states: [emptyKeyState(origin, key)],
  roots: [toBase64(rangeRoot(emptyRange()))],
  times: [],
  size: 0,
});

/**
 * @param key the key-log key, named `<base>/keys`
 * @param begun a key log to go on from; it is not changed
 */
export const makeKeyLogKit = (key: TestKey, begun?: KeyLogKit): KeyLogKit => {
  const entries: string[] = [...(begun?.entries ?? [])];
  let signer = key;
  let history = begun?.history() ?? emptyHistory(key);
  let range = appendLeaves(
    emptyRange(),
    entries.map((entry) => leafHash(entry)),
  );

  const log: KeyLogKit["log"] = (kind, body, signers, timeMs) => {
    const inner = signed(statementText(key.name, kind, body), signers);
    const applied = applyKeyStatement(history.states.at(-1) as KeyState, inner, timeMs);
    if (!applied.ok) throw new Error(`test key log: ${applied.code} ${applied.detail}`);
    // A record that names another key for this log is the first that the new key signs.
    const named = applied.state.logKey?.publicKey;
    const isNamed = (one: TestKey): boolean =>
      one.name === key.name && named !== undefined && equalBytes(one.key.publicKey, named);
    signer = signers.find(isNamed) ?? signer;
    const before = entries.at(-1);
    const prev = before === undefined ? zeroHash : toBase64(leafHash(before));
    const context = { seq: entries.length, time: formatTime(timeMs), prev };
    entries.push(signed(keyEntryText(key.name, context, inner), [signer]));
    range = appendLeaf(range, leafHash(entries.at(-1) as string));
    history = {
      ...history,
      states: [...history.states, applied.state],
      roots: [...history.roots, toBase64(rangeRoot(range))],
      times: [...history.times, timeMs],
      size: entries.length,
    };
  };

  const checkpoint = (witnesses: readonly TestKey[], timeSeconds: number): string =>
    cosignedCheckpoint(signer, range, witnesses, timeSeconds);

  return { key, entries, log, history: (): KeyHistory => history, checkpoint };
};
