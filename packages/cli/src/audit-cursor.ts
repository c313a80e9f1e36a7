// Where an audit ended, in a file of the auditor's own, so that the next one starts there: the fold's state,
// all that it needs to refuse an id that ends twice or a wrong reference to an old entry (ids, leaf hashes),
// and both checkpoints. The log is not asked for any of it. Bytes: a line that names the format, a line of
// JSON, 16 bytes an id, 32 bytes a leaf hash, the participants' hashes that may still be named, SHA-256.
import {
  auditRoot,
  auditSnapshot,
  auditTotals,
  chainOf,
  resumeAudit,
  takeSettlementRows,
  type AuditOptions,
  type AuditSnapshot,
  type AuditState,
} from "@sealane/rules";
import {
  concatBytes,
  equalBytes,
  fromUtf8,
  HASH_SIZE,
  parseCheckpointText,
  parseNote,
  sha256,
  utf8,
} from "@sealane/tlog";
import type { SeenCheckpoints } from "./audit-types.ts";
import type { SettlementAt } from "./audit-windows.ts";
import { CliError } from "./cli-error.ts";

const format = "sealane/audit-cursor/v1";
const idSize = 16;

type Row = { readonly name: string; readonly body: string };

type Header = {
  readonly origin: string;
  /** Whether every signature up to here was judged. */
  readonly signatures: boolean;
  readonly seen: SeenCheckpoints;
  readonly snapshot: AuditSnapshot;
  /** Account, currency, debits and credits in minor units. */
  readonly balances: readonly (readonly [string, string, string, string])[];
  readonly settlement: readonly Row[];
  readonly said: readonly SettlementAt[];
  readonly ids: number;
  /** First number and count of the hashes that are kept of each participant's chain. */
  readonly heads: readonly (readonly [participant: string, from: number, count: number])[];
};

/** A cursor that was read, and not yet made a state. */
export type AuditCursor = Header & {
  /** Entries before it. */
  readonly size: number;
  readonly blocks: Uint8Array;
};

/** What an audit goes on from. */
export type Resumed = {
  readonly state: AuditState;
  readonly said: readonly SettlementAt[];
  readonly settlement: readonly Row[];
  /** Of all entries before, in order. */
  readonly leaves: readonly Uint8Array[];
};

const broken = (detail: string, cause?: unknown): CliError =>
  new CliError(
    "cursor-malformed",
    `the cursor cannot be used: ${detail}`,
    "Remove it, or name another file: the audit then begins with the first entry.",
    cause,
  );

/** @throws CliError `cursor-malformed`: it is no cursor, or a byte of it has changed */
export const parseCursor = (bytes: Uint8Array): AuditCursor => {
  const body = bytes.subarray(0, Math.max(0, bytes.length - HASH_SIZE));
  const first = body.indexOf(10);
  const second = body.indexOf(10, first + 1);
  if (first !== format.length || second < 0) throw broken("it has another form");
  if (!equalBytes(sha256(body), bytes.subarray(body.length))) throw broken("it is damaged");
  if (fromUtf8(body.subarray(0, first)) !== format) throw broken("it has another form");
  // Ours, whole and unchanged: what follows has the shape in which it was written.
  const header = JSON.parse(fromUtf8(body.subarray(first + 1, second))) as Header;
  return { ...header, size: header.snapshot.next, blocks: body.subarray(second + 1) };
};

const idOf = (bytes: Uint8Array): string => {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, idSize).toString("hex");
  const cuts = [0, 8, 12, 16, 20, 32];
  return cuts
    .slice(1)
    .map((to, at) => hex.slice(cuts[at], to))
    .join("-");
};

/** Settlement's rows, with those that changed since they were read. */
const rowsOf = (state: AuditState, before: readonly Row[]): Row[] => {
  const rows = new Map(before.map(({ name, body }) => [name, body]));
  for (const { name, body } of takeSettlementRows(state.settlement)) {
    if (body === undefined) rows.delete(name);
    else rows.set(name, body);
  }
  return [...rows].map(([name, body]) => ({ name, body }));
};

/** @param resumed what this audit itself went on from, if anything */
export const formatCursor = (
  state: AuditState,
  said: readonly SettlementAt[],
  seen: SeenCheckpoints,
  resumed: Resumed | undefined,
): Uint8Array => {
  const { ids = new Set<string>(), leaves, chains } = state;
  const heads = [...chains].map(([participant, chain]) => {
    const { from, to, bytes } = chain.heads;
    return { participant, from, count: to - from, bytes };
  });
  const header: Header = {
    origin: state.origin,
    signatures: state.signatures,
    seen,
    snapshot: auditSnapshot(state),
    balances: auditTotals(state).balances.map(({ account, currency, debits, credits }) => [
      account,
      currency,
      String(debits),
      String(credits),
    ]),
    settlement: rowsOf(state, resumed?.settlement ?? []),
    said,
    ids: ids.size,
    heads: heads.map(({ participant, from, count }) => [participant, from, count]),
  };
  const hex = [...ids].map((id) => id.replaceAll("-", "")).join("");
  const body = concatBytes(
    utf8(`${format}\n${JSON.stringify(header)}\n`),
    new Uint8Array(Buffer.from(hex, "hex")),
    leaves?.bytes.subarray(0, state.next * HASH_SIZE) ?? new Uint8Array(),
    ...heads.map(({ bytes, count }) => bytes.subarray(0, count * HASH_SIZE)),
  );
  return concatBytes(body, sha256(body));
};

/**
 * The state in which the audit ended.
 * @throws CliError `cursor-malformed` when it is not what its own checkpoint says;
 *   `cursor-unsigned` when signatures are asked for and were not judged before
 */
export const resumeCursor = (cursor: AuditCursor, options: AuditOptions): Resumed => {
  if (options.signatures && !cursor.signatures) {
    const action = "Go on with --no-signatures, or name another file to judge all from the start.";
    throw new CliError("cursor-unsigned", "no signature was judged before this cursor", action);
  }
  const { blocks, size, snapshot, settlement, said } = cursor;
  const balances = cursor.balances.map(([account, currency, debits, credits]) => {
    return { account, currency, debits: BigInt(debits), credits: BigInt(credits) };
  });
  const state = resumeAudit(options, snapshot, balances, settlement);
  let at = 0;
  const take = (count: number): Uint8Array => blocks.slice(at, (at += count));
  for (let id = 0; id < cursor.ids; id += 1) state.ids?.add(idOf(take(idSize)));
  const hashes = take(size * HASH_SIZE);
  if (state.leaves !== undefined) Object.assign(state.leaves, { to: size, bytes: hashes });
  for (const [participant, from, count] of cursor.heads) {
    const held = { from, to: from + count, bytes: take(count * HASH_SIZE) };
    Object.assign(chainOf(state, participant).heads, held);
  }
  const { root } = parseCheckpointText(parseNote(cursor.seen.log).text);
  if (at !== blocks.length || !equalBytes(auditRoot(state), root)) {
    throw broken("it is not of the checkpoint that it names");
  }
  const leaves = Array.from({ length: size }, (_, leaf) =>
    hashes.subarray(leaf * HASH_SIZE, (leaf + 1) * HASH_SIZE),
  );
  return { state, said, settlement, leaves };
};
