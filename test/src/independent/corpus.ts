// What every verifier has to refuse, made with all the keys of the test world: changed bytes of receipts,
// and logs that are broken in their files, in their order, in their seals, or in what they say.
import {
  changedForgeries,
  cosignedCheckpoint,
  forge,
  forgeChanged,
  forgedKeyLogs,
  forgedStatements,
  forgeKeyLog,
  forgeReturns,
  forgeries,
  hk,
  makeLog,
  makeReplacedKeys,
  newCheckpoint,
  recoveredRoot,
  returnForgeries,
  signPiece,
  takeApart,
  testKey,
  testKeys,
  witnessKeys,
  type TestKey,
  type World,
} from "@sealane/rules/testing";
import { appendLeaf, concatBytes, emptyRange, leafHash, utf8 } from "@sealane/tlog";
import { reservedCases } from "./corpus-reserved.ts";
import { publishedFiles, type PublishedLog } from "./published-folder.ts";

/** A log as files, and what is wrong with it. */
export type BadLog = {
  readonly what: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Where the first fault is, when everything before it fits. */
  readonly position?: number;
};

const sealSeconds = (world: World): number => Math.ceil(world.nowMs() / 1_000);

/** A checkpoint over any entries, by any log key, cosigned by some witnesses. */
const sealOver = (
  entries: readonly string[],
  seconds: number,
  { log = testKeys.checkpoint, witnesses = witnessKeys.slice(0, 3) }: SealOptions = {},
): string => {
  const range = entries.map((entry) => leafHash(entry)).reduce(appendLeaf, emptyRange());
  return cosignedCheckpoint(log, range, witnesses, seconds);
};
type SealOptions = { readonly log?: TestKey; readonly witnesses?: readonly TestKey[] };

/** A log as it should be. */
export const publish = (
  world: World,
  changes: Partial<PublishedLog> & { readonly seal?: SealOptions } = {},
): PublishedLog => {
  const { entries = world.entries, keyEntries = world.keyLog.entries, seal } = changes;
  const seconds = sealSeconds(world);
  const keys = { log: testKeys.keyLog };
  const { checkpoint = sealOver(entries, seconds, seal) } = changes;
  const { keyCheckpoint = sealOver(keyEntries, seconds, keys) } = changes;
  return { entries, keyEntries, checkpoint, keyCheckpoint };
};

/** Logs whose keys were replaced, by what signed them; and root keys, pinned before and pinned since. */
export const replacedLogs = () => {
  const world = makeReplacedKeys();
  const all = { keyCheckpoint: world.keyCheckpoint() };
  const lately = publish(world, { ...all, seal: { log: newCheckpoint } });
  const stale = { log: testKeys.keyLog };
  const roots = new Map<string, string>();
  for (const { participants } of world.keyLog.history().states) {
    for (const [who, { rootKey }] of participants) roots.set(who, roots.get(who) ?? rootKey);
  }
  return {
    logs: {
      lately,
      before: publish(world, { ...all, entries: world.entries.slice(0, 4) }),
      old: publish(world, all),
      stale: {
        ...lately,
        keyCheckpoint: sealOver(world.keyLog.entries, sealSeconds(world), stale),
      },
    },
    roots,
    rootsSince: new Map([...roots, [hk, recoveredRoot.vkey]]),
  };
};

const badLog = (
  what: string,
  changes: Parameters<typeof publish>[1],
  world: World = makeLog(),
): BadLog => ({ what, files: publishedFiles(publish(world, changes)) });

/** Entries in an order or with contents that the hashes, or the operator, do not bear out. */
const orderly = (): BadLog[] => {
  const world = makeLog();
  const { entries } = world;
  const swap = ([a, b, ...rest]: readonly string[]): string[] => [b ?? "", a ?? "", ...rest];
  const sameHashes = world.checkpoint();
  const old = testKey("ledger.example/entry-of-last-year");
  const pieces = entries.map(takeApart);
  const resign = (place: number, key: TestKey): string[] =>
    entries.map((entry, at) => {
      const piece = pieces[at];
      return at === place && piece !== undefined ? signPiece(piece, key) : entry;
    });
  const cases: [string, readonly string[]][] = [
    ["an entry deleted", entries.filter((_, at) => at !== 4)],
    ["the last entry cut off", entries.slice(0, -1)],
    ["the first entry cut off", entries.slice(1)],
    ["an entry inserted", [...entries.slice(0, 4), entries[3] ?? "", ...entries.slice(4)]],
    ["two entries swapped", swap(entries)],
    ["the last entry signed by an old key", resign(10, old)],
    ["an entry signed by a checkpoint key", resign(10, testKeys.checkpoint)],
    ["an entry signed by an operator's own key", resign(10, testKeys.alice)],
  ];
  return cases.flatMap(([what, changed]) => [
    badLog(`${what}, under the checkpoint as it was`, { entries: changed, checkpoint: sameHashes }),
    // The last entry cut off and sealed anew is a younger log, which stands: see `rememberedLogs`.
    ...(what.startsWith("the last entry cut")
      ? []
      : [badLog(`${what}, sealed`, { entries: changed })]),
  ]);
};

/** Checkpoints that are not those of this log, or not sealed. */
const seals = (): BadLog[] => {
  const world = makeLog();
  const witnesses = witnessKeys;
  const stranger = testKey("stranger.example/witness", 4);
  const other = { ...testKeys.checkpoint, seed: testKeys.stranger.seed };
  return [
    badLog("two cosignatures of three", { seal: { witnesses: witnesses.slice(0, 2) } }),
    badLog("one witness three times", {
      seal: { witnesses: [witnesses[0], witnesses[0], witnesses[0]] as TestKey[] },
    }),
    badLog("a stranger among the witnesses", {
      seal: { witnesses: [...witnesses.slice(0, 2), stranger] },
    }),
    badLog("a checkpoint by another key in the log's name", { seal: { log: other } }),
    badLog("a checkpoint of the key log", { checkpoint: world.keyCheckpoint() }),
    badLog("a lane's checkpoint for the key log", { keyCheckpoint: world.checkpoint() }),
    badLog("a seal that is older than its entries", {
      checkpoint: sealOver(world.entries, sealSeconds(world) - 60),
    }),
    badLog("a key log cosigned by two", { keyCheckpoint: world.keyCheckpoint(2) }),
    badLog("a key log with its last entry left out", {
      keyEntries: world.keyLog.entries.slice(0, -1),
    }),
    badLog("a key log with an entry left out", {
      keyEntries: world.keyLog.entries.filter((_, at) => at !== 5),
    }),
  ];
};

const forged = (): BadLog[] =>
  [...forgeries, ...forgedStatements].map((forgery) => {
    const { world, entries } = forge(forgery);
    const [what, , position] = forgery;
    return { ...badLog(what, { entries }, world), position };
  });

/** Keys, operators and policies that change between the entries, and statements of chains. */
const changedKeys = (): BadLog[] =>
  changedForgeries.map((forgery) => {
    const { world, entries } = forgeChanged(forgery);
    const [what, , position] = forgery;
    return { ...badLog(what, { entries }, world), position };
  });

/** Money that comes back, more than there was or to no one's right. */
const forgedReturns = (): BadLog[] =>
  returnForgeries.map((forgery) => {
    const { world, entries } = forgeReturns(forgery);
    const [what, , position] = forgery;
    return { ...badLog(what, { entries }, world), position };
  });

const forgedKeys = (): BadLog[] =>
  forgedKeyLogs.map((forgery) =>
    badLog(`key log: ${forgery[0]}`, { keyEntries: forgeKeyLog(forgery) }),
  );

/** Numbers that look random and are the same in every run. */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};

/** One byte of one file changed, each file several times. */
const files = (perFile: number): BadLog[] => {
  const whole = publishedFiles(publish(makeLog()));
  const random = seeded(20_261_122);
  const bad: BadLog[] = [];
  for (const [path, bytes] of whole) {
    for (let n = 0; n < perFile; n += 1) {
      const at = Math.floor(random() * bytes.length);
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      bad.push({ what: `bit of ${path} at ${at}`, files: new Map([...whole, [path, changed]]) });
    }
    const without = new Map(whole);
    without.delete(path);
    bad.push({ what: `${path} missing`, files: without });
    bad.push({ what: `${path} cut short`, files: new Map([...whole, [path, bytes.slice(0, -1)]]) });
    const longer = concatBytes(bytes, utf8("\n"));
    bad.push({ what: `${path} with a byte more`, files: new Map([...whole, [path, longer]]) });
  }
  return bad;
};

/** Logs with a transfer that cannot have been reserved as it says, and those beside them that stand. */
const reserved = (stands: boolean): BadLog[] =>
  reservedCases()
    .filter(({ position }) => (position === undefined) === stands)
    .map(({ what, world, entries, position }) => ({
      ...badLog(what, { entries }, world),
      ...(position === undefined ? {} : { position }),
    }));

/** Logs that are as bad as they can be while they stand. */
export const borderlineLogs = (): BadLog[] => reserved(true);

/** Every bad log of the corpus. @param perFile changed bits for each of the log's files */
export const badLogs = (perFile: number): BadLog[] => [
  ...orderly(),
  ...seals(),
  ...forged(),
  ...changedKeys(),
  ...forgedReturns(),
  ...forgedKeys(),
  ...reserved(false),
  ...files(perFile),
];
