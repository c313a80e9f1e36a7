// Rebuilds a lane whose database was lost or restored from an old copy, from what was published. In this
// order: everything is read and verified, the witnesses are asked what they have seen, what was open
// becomes due, and only then are the tables written, at once and under a new epoch.
import type { KeyLogCopy } from "@sealane/client";
import type { Database, Sql } from "@sealane/database";
import { keyLogKeyOf, verifyKeyLog, type KeyHistory } from "@sealane/rules";
import { pause } from "@sealane/runtime";
import type { KeyMaterial } from "@sealane/signer";
import {
  checkCheckpoint,
  composeNote,
  formatCheckpointText,
  quorumSize,
  rangeRoot,
  signNoteLine,
  toBase64,
  type TlogPolicy,
} from "@sealane/tlog";
import { makeLaneStore } from "../lane-store.ts";
import type { TopicEntries } from "./entries-topic.ts";
import { checkStoredEntries, readOldLane, type OldLane } from "./old-lane.ts";
import type { PublishedPlace } from "./places.ts";
import { rebuild, type KnownRoot } from "./rebuild.ts";
import { RecoverFault } from "./recover-fault.ts";
import { askWitnessHeads, type WitnessHead } from "./witness-heads.ts";
import { writeLane } from "./write-lane.ts";

export type RecoverOptions = {
  readonly database: Database<unknown>;
  readonly sql: Sql;
  readonly lane: number;
  readonly policy: TlogPolicy;
  readonly checkpointKey: KeyMaterial;
  /** Verified, each by itself. */
  readonly places: readonly PublishedPlace[];
  /** What the entries topic holds from a place on. */
  readonly readTopic: (from: number) => Promise<TopicEntries>;
  /** The lane's topic, as it is now. */
  readonly input: { readonly low: bigint; readonly high: bigint };
  readonly clock: () => number;
  readonly onStep: (step: string, detail: Readonly<Record<string, unknown>>) => void;
};

export type Recovered = {
  readonly origin: string;
  readonly entries: number;
  /** Entries that the database had. */
  readonly before: number;
  /** The most that a witness had seen. */
  readonly witnessed: number;
  readonly keys: number;
  /** Transfers that the old copy had reserved and the log has not ended. */
  readonly open: number;
  /** Intents below this offset are refused. */
  readonly recoveredTo: string;
  /** False when the database had everything already: then nothing was written. */
  readonly changed: boolean;
};

/** Renewed while it lasts: who recovers may die too. */
const leaseMs = 30_000;

type StoredKeys = { readonly entries: readonly string[]; readonly checkpoint: string };

const readStoredKeys = async (sql: Sql, origin: string): Promise<StoredKeys> => {
  const { rows } = await sql.query<{ bytes: Buffer }>({
    text: "select bytes from key_entry order by seq",
  });
  const sealed = await sql.query<{ sealed: string }>({
    text: "select sealed from key_log where origin = $1",
    values: [origin],
  });
  const entries = rows.map(({ bytes }) => bytes.toString("utf8"));
  return { entries, checkpoint: sealed.rows[0]?.sealed ?? "" };
};

/** The longest key log that stands: the places' or the database's own. */
const chooseKeys = (
  policy: TlogPolicy,
  copies: readonly KeyLogCopy[],
  stored: StoredKeys,
): { readonly copy: KeyLogCopy; readonly history: KeyHistory } => {
  let best: { copy: KeyLogCopy; history: KeyHistory } | undefined;
  for (const copy of copies) {
    const verified = verifyKeyLog(policy, copy.checkpoint, copy.entries);
    if (!verified.ok) continue;
    if (best === undefined || verified.history.size > best.history.size) {
      best = { copy, history: verified.history };
    }
  }
  if (best === undefined) throw new RecoverFault("keys-missing", "no copy of the key log stands");
  const { copy, history } = best;
  for (const [at, note] of stored.entries.entries()) {
    if (copy.entries[at] === note) continue;
    const message = `entry ${at} of the database's key log is not in the one that was published`;
    throw new RecoverFault("database-differs", message, at);
  }
  return { copy, history };
};

const checkKeysHeads = (history: KeyHistory, heads: readonly WitnessHead[]): void => {
  for (const { witness, size, root } of heads) {
    if (size > history.size) {
      const message = `${witness} has seen ${size} entries of the key log, ${history.size} are at hand`;
      throw new RecoverFault("keys-missing", `${message}: give a newer copy with --from`);
    }
    if (root === undefined || history.roots[size] === root) continue;
    throw new RecoverFault("log-forked", `${witness} has another key log at ${size} entries`);
  }
};

/** What a log cosigned by a quorum says of itself; checkpoints of others are left out. */
const sealedRoots = (policy: TlogPolicy, origin: string, notes: readonly string[]) =>
  notes.flatMap((note) => {
    if (note === "") return [];
    const { checkpoint, quorum } = checkCheckpoint(policy, note);
    if (!quorum || checkpoint.origin !== origin) return [];
    const { size, root } = checkpoint;
    return [{ size, root: toBase64(root), by: `the checkpoint of ${size} entries`, note }];
  });

type Page = (from: number) => Promise<readonly Uint8Array[]>;

/** From wherever the next entry is at hand: published logs, single entries, the database itself. */
const pageFrom =
  (places: readonly PublishedPlace[], topic: TopicEntries, stored: Page): Page =>
  async (from) => {
    const log = places.find((place) => (place.log?.size ?? 0) > from)?.log;
    if (log !== undefined) {
      const first = from - (from % 256);
      return (await log.page(first)).slice(from - first);
    }
    const found: Uint8Array[] = [];
    const one = (seq: number): Uint8Array | undefined =>
      topic.held.get(seq) ?? places.find(({ held }) => held.has(seq))?.held.get(seq);
    for (let next = one(from); next !== undefined; next = one(from + found.length)) {
      found.push(next);
    }
    return found.length > 0 ? found : stored(from);
  };

const signCheckpoint = ({ name, seed }: KeyMaterial, size: number, root: Uint8Array): string => {
  if (size === 0) return "";
  const text = formatCheckpointText({ origin: name, size, root, extensions: [] });
  return composeNote(text, [signNoteLine(name, seed, text)]);
};

/** What was open ends as expired, so nothing that is still to come may end it otherwise. */
const waitUntilDue = async (
  { clock, onStep }: RecoverOptions,
  open: readonly { readonly expiresAtMs: number }[],
): Promise<void> => {
  const due = Math.max(0, ...open.map(({ expiresAtMs }) => expiresAtMs));
  if (due <= clock()) return;
  onStep("waiting", { open: open.length, seconds: Math.ceil((due - clock()) / 1_000) });
  while (clock() < due) await pause(Math.min(due - clock(), 1_000));
};

const clamp = (value: bigint, low: bigint, high: bigint): bigint =>
  value < low ? low : value > high ? high : value;

/** Where the old copy stood on a topic that may be older or younger than it. */
const inputFrom = ({ inputOffset, size }: OldLane, { low, high }: RecoverOptions["input"]) =>
  size === 0 && inputOffset === 0n ? low : clamp(inputOffset, low, high);

const recoverUnder = async (options: RecoverOptions, epoch: bigint): Promise<Recovered> => {
  const { database, sql, lane, policy, checkpointKey, places, input, onStep } = options;
  const origin = checkpointKey.name;
  const store = makeLaneStore(sql, lane, origin);
  const old = await readOldLane(sql, lane);
  const keysOrigin = keyLogKeyOf(policy)?.name ?? "";
  const storedKeys = await readStoredKeys(sql, keysOrigin);
  const { copy: keys, history } = chooseKeys(
    policy,
    [...places.map((place) => place.keys), storedKeys],
    storedKeys,
  );
  const needed = policy.witnesses.length - quorumSize(policy) + 1;
  const heads = await askWitnessHeads(policy, origin, needed);
  checkKeysHeads(history, await askWitnessHeads(policy, keysOrigin, needed));
  const witnessed = Math.max(0, ...heads.map(({ size }) => size));
  onStep("witnesses", { answered: heads.length, witnessed });

  const judgedTo = Math.max(0, ...places.map((place) => place.log?.size ?? 0));
  const topic = await options.readTopic(Math.max(judgedTo, 0));
  const notes = [...places.flatMap(({ sealed }) => sealed), ...topic.sealed, old.sealed];
  const sealed = sealedRoots(policy, origin, notes);
  const roots: KnownRoot[] = [
    ...heads.flatMap(({ witness: by, size, root }) =>
      root === undefined ? [] : [{ size, root, by }],
    ),
    ...places.flatMap(({ place: by, log }) =>
      log === undefined ? [] : [{ size: log.size, root: log.root, by }],
    ),
    ...sealed,
  ];
  const page = pageFrom(places, topic, (from) => store.readEntries(from, from + 256));
  const rebuilt = await rebuild({
    origin,
    history,
    page,
    judgedTo,
    roots,
    retellFrom: old.sealedSize,
  });
  const { state, ended, leafHashes } = rebuilt;
  onStep("verified", { entries: state.next, root: toBase64(rangeRoot(state.range)) });
  const stored = await checkStoredEntries(sql, lane, leafHashes);
  const over = new Set(ended.map(({ id }) => id));
  const open = old.open.filter(({ id }) => !over.has(id));
  const result = {
    origin,
    entries: state.next,
    before: old.size,
    witnessed,
    keys: history.size,
    open: open.length,
    recoveredTo: String(input.high),
  };
  if (old.size === state.next && storedKeys.entries.length === history.size) {
    return { ...result, changed: false };
  }
  await waitUntilDue(options, open);
  const newest = sealed.toSorted((a, b) => b.size - a.size)[0];
  await writeLane(database, {
    lane,
    epoch,
    old,
    rebuilt,
    keys,
    stored: { entries: stored, keys: storedKeys.entries.length },
    page,
    open,
    inputOffset: inputFrom(old, input),
    recoveredTo: input.high,
    checkpoint: signCheckpoint(checkpointKey, state.next, rangeRoot(state.range)),
    sealed: newest?.note ?? "",
    sealedSize: old.sealedSize,
    nowMs: options.clock(),
  });
  return { ...result, changed: true };
};

/**
 * @returns what there is now
 * @throws RecoverFault when something does not fit or somebody holds the lane: nothing was written
 */
export const recover = async (options: RecoverOptions): Promise<Recovered> => {
  const { sql, lane, checkpointKey } = options;
  const store = makeLaneStore(sql, lane, checkpointKey.name);
  const epoch = await store.acquire(`recover-${process.pid}`, leaseMs);
  if (epoch === undefined) {
    throw new RecoverFault("lane-held", "a ledger holds the lane: stop it, then recover");
  }
  // A renewal that fails shows in the end: the lane is written only under this epoch.
  const keep = (): void => void store.renew(epoch, leaseMs).catch(() => undefined);
  const keeping = setInterval(keep, leaseMs / 3);
  try {
    return await recoverUnder(options, epoch);
  } finally {
    clearInterval(keeping);
    await store.renew(epoch, 0);
  }
};
