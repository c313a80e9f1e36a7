// The key log as the ledger keeps it: a few entries, all in memory, append-only in Postgres, with a
// tree, a checkpoint and a quorum's cosignatures of its own. Lane entries cite cosigned states only.
// Under another key than the one in force it only waits for the record that names its own.
import type { Sql } from "@sealane/database";
import { formatTime, keyEntryText, zeroHash } from "@sealane/protocol";
import {
  applyKeyStatement,
  foldKeyLog,
  type KeyFault,
  type KeyHistory,
  type KeysCited,
  type KeyState,
} from "@sealane/rules";
import { invariant } from "@sealane/runtime";
import type { KeyMaterial } from "@sealane/signer";
import {
  appendLeaves,
  composeNote,
  emptyRange,
  equalBytes,
  formatCheckpointText,
  leafHash,
  parseNote,
  parseVerifierKey,
  rangeRoot,
  signNoteLine,
  toBase64,
  type VerifierKey,
} from "@sealane/tlog";
import type { Sealed } from "./sealer.ts";
import { openTree } from "./tree.ts";
import type { Checkpoint } from "./witness-client.ts";

export type KeyLog = {
  /** The newest state that a quorum has cosigned; undefined before the first seal. */
  readonly cosigned: () => { readonly keys: KeyState; readonly cited: KeysCited } | undefined;
  /** Everything that is logged, cosigned or not. */
  readonly history: () => KeyHistory;
  readonly entries: () => readonly string[];
  readonly checkpoint: () => Checkpoint | undefined;
  /** Whether the key log is signed by our key; if not, only the record that names it can be logged. */
  readonly isOurs: () => boolean;
  /** The newest cosigned checkpoint's note. */
  readonly sealedNote: () => string | undefined;
  tree: ReturnType<typeof openTree>;
  /** Milliseconds since the oldest entry that is not cosigned yet was logged; 0 when all are. */
  readonly unsealedAgeMs: (nowMs: number) => number;
  readonly append: (
    inner: string,
    nowMs: number,
  ) => Promise<{ readonly ok: true; readonly seq: number } | KeyFault>;
  readonly sealed: (sealed: Sealed) => Promise<void>;
  /** Reads what another instance has appended and sealed: before this one writes the lane. */
  readonly refresh: () => Promise<void>;
  /** The same, cheaply where nothing has happened: other processes append to the key log too. */
  readonly follow: () => Promise<void>;
};

type Row = { readonly bytes: Buffer };

/**
 * Opens the key log, checking every entry of it again: assert where data come back from disk.
 * @param pinned the policy's keys of the key log, those that were replaced too
 */
export const openKeyLog = async (
  sql: Sql,
  key: KeyMaterial,
  pinned: readonly VerifierKey[],
  directory: string,
): Promise<KeyLog> => {
  const own = parseVerifierKey(key.vkey);
  const isOwn = ({ logKey }: KeyState): boolean =>
    logKey !== undefined && equalBytes(logKey.publicKey, own.publicKey);
  const readEntries = async (): Promise<string[]> => {
    const { rows } = await sql.query<Row>({ text: "select bytes from key_entry order by seq" });
    return rows.map(({ bytes }) => bytes.toString("utf8"));
  };
  const readSealed = async (): Promise<{ size: number; note: string | undefined }> => {
    const { rows } = await sql.query<{ sealed_size: bigint; sealed: string }>({
      text: "select sealed_size, sealed from key_log where origin = $1",
      values: [key.name],
    });
    return { size: Number(rows[0]?.sealed_size ?? 0n), note: rows[0]?.sealed };
  };
  const entries = await readEntries();
  const opened = foldKeyLog([own, ...pinned], entries);
  const fault = opened.ok ? "" : opened.detail;
  invariant(
    opened.ok,
    `the stored key log is broken, or this database is another ledger's: ${fault}`,
  );
  let { history } = opened;
  const tree = openTree(directory);
  const leaves = entries.map((entry) => leafHash(entry));
  tree.append(leaves);
  let frontier = appendLeaves(emptyRange(), leaves);
  let { size: sealedSize, note: sealedNote } = await readSealed();

  const sign = (text: string): string =>
    composeNote(text, [signNoteLine(key.name, key.seed, text)]);

  /** What was cosigned last, with the log's own line alone: all there is to offer without its key. */
  const lastSealed = (): Checkpoint | undefined => {
    if (sealedNote === undefined || sealedSize === 0) return undefined;
    const { text, signatures } = parseNote(sealedNote);
    const lines = signatures.filter(({ name }) => name === key.name).map(({ line }) => line);
    return { origin: key.name, size: sealedSize, text, note: composeNote(text, lines) };
  };

  const checkpoint = (): Checkpoint | undefined => {
    if (entries.length === 0) return undefined;
    if (!isOwn(history.states.at(-1) as KeyState)) return lastSealed();
    const text = formatCheckpointText({
      origin: key.name,
      size: frontier.size,
      root: rangeRoot(frontier),
      extensions: [],
    });
    return { origin: key.name, size: frontier.size, text, note: sign(text) };
  };

  const appendNext: KeyLog["append"] = async (inner, nowMs) => {
    const state = history.states.at(-1) as KeyState;
    const seq = entries.length;
    const timeMs = Math.max(nowMs, history.times.at(-1) ?? 0);
    const applied = applyKeyStatement(state, inner, timeMs);
    if (!applied.ok) return applied;
    if (!isOwn(applied.state)) {
      const whose = isOwn(state) ? "the one that the record names" : "the one in force";
      const detail = `this ledger has not ${whose} (${applied.state.logKey?.name}): start it with that file`;
      return { ok: false, code: "log-key-elsewhere", detail };
    }
    const prev = seq === 0 ? zeroHash : toBase64(leafHash(entries[seq - 1] as string));
    const note = sign(keyEntryText(key.name, { seq, time: formatTime(timeMs), prev }, inner));
    const hash = leafHash(note);
    const { rowCount } = await sql.query({
      text: `insert into key_entry (seq, leaf_hash, bytes)
        select $1, $2, $3 where $1 = (select count(*) from key_entry)`,
      values: [seq, Buffer.from(hash), Buffer.from(note, "utf8")],
    });
    invariant(rowCount === 1, "another writer has the key log");
    entries.push(note);
    tree.append([hash]);
    frontier = appendLeaves(frontier, [hash]);
    history = {
      ...history,
      states: [...history.states, applied.state],
      roots: [...history.roots, toBase64(rangeRoot(frontier))],
      times: [...history.times, timeMs],
      size: seq + 1,
    };
    return { ok: true, seq };
  };

  const refreshNow = async (): Promise<void> => {
    const stored = await readEntries();
    const known = entries.every((entry, at) => stored[at] === entry);
    invariant(known, "the key log in the database is not the one that was read before");
    const again = foldKeyLog([own, ...pinned], stored);
    invariant(again.ok, `the stored key log is broken: ${again.ok ? "" : again.detail}`);
    const fresh = stored.slice(entries.length);
    const hashes = fresh.map((entry) => leafHash(entry));
    entries.push(...fresh);
    tree.append(hashes);
    frontier = appendLeaves(frontier, hashes);
    history = again.history;
    const seal = await readSealed();
    if (seal.size < sealedSize || seal.size > entries.length) return;
    sealedSize = seal.size;
    sealedNote = seal.note;
  };

  /** The same where another process has appended or sealed; else one look at two numbers. */
  const followNow = async (): Promise<void> => {
    const { rows } = await sql.query<{ entries: bigint; sealed: bigint | null }>({
      name: "key-log-standing",
      text: `select (select count(*) from key_entry) as entries,
        (select sealed_size from key_log where origin = $1) as sealed`,
      values: [key.name],
    });
    const [stored] = rows;
    if (Number(stored?.entries) === entries.length && Number(stored?.sealed ?? 0) <= sealedSize) {
      return;
    }
    await refreshNow();
  };

  /** One after the other: each is judged by the state that the one before it left. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };

  return {
    cosigned: () => {
      const keys = history.states[sealedSize];
      const root = history.roots[sealedSize];
      if (sealedSize === 0 || keys === undefined || root === undefined) return undefined;
      return { keys, cited: { size: sealedSize, root } };
    },
    history: () => history,
    entries: () => entries,
    checkpoint,
    isOurs: () => isOwn(history.states.at(-1) as KeyState),
    sealedNote: () => (sealedSize === 0 ? undefined : sealedNote),
    tree,
    unsealedAgeMs: (nowMs) => {
      const oldest = history.times[sealedSize];
      return oldest === undefined ? 0 : Math.max(0, nowMs - oldest);
    },
    append: (inner, nowMs) =>
      inTurn(async () => {
        await followNow();
        return appendNext(inner, nowMs);
      }),
    refresh: () => inTurn(refreshNow),
    follow: () => inTurn(followNow),
    sealed: async (sealed) => {
      await sql.query({
        text: `insert into key_log (origin, sealed_size, sealed) values ($1, $2, $3)
          on conflict (origin) do update set sealed_size = excluded.sealed_size,
            sealed = excluded.sealed where key_log.sealed_size <= excluded.sealed_size`,
        values: [key.name, sealed.checkpoint.size, sealed.note],
      });
      // Two may be on their way to Postgres at once: what lanes cite never goes backwards.
      if (sealed.checkpoint.size < sealedSize) return;
      sealedSize = sealed.checkpoint.size;
      sealedNote = sealed.note;
    },
  };
};
