// What a dishonest operator may try with the key log: statements that it may not log alone, logged and
// cosigned properly. One corpus for every verifier, like `forgeries.ts`.
import { formatTime, keyEntryText, statementText, type KeyStatementKind } from "@sealane/protocol";
import { leafHash, toBase64 } from "@sealane/tlog";
import { genesisMs, hk, makeGenesis, operator, origin, ph, testKeys } from "./genesis.ts";
import { lineOf, signed, testKey, type TestKey } from "./keys.ts";
import {
  agreedRecord,
  newCheckpoint,
  newKeyLog,
  recoveredRoot,
  recovery,
} from "./replaced-keys.ts";

export type KeyForgery = readonly [
  what: string,
  kind: KeyStatementKind,
  body: object,
  signers: readonly TestKey[],
  code: string,
  /** What was said, and stood, before. */
  before?: readonly (readonly [KeyStatementKind, object, readonly TestKey[]])[],
  /** Whose line is below it too, over something else. */
  bad?: TestKey,
];

const { alice, bob, hkRoot, phRoot, keyLog } = testKeys;
const fresh = testKey(`${hk}/k7`);
const key = { participant: hk, purpose: "transfer", vkey: fresh.vkey };
const cosigner = testKey(`${hk}/k7`, 4);
const record = {
  participant: hk,
  roles: ["wallet"],
  rootKey: fresh.vkey,
  currencies: ["HKD"],
  exposure: "gross",
  caps: [],
};
const revocation = { participant: ph, vkey: testKeys.ph.vkey, reason: "lost" };
const lane = { lane: 0, origin, vkey: fresh.vkey, slots: [{ from: 0, to: 1_024 }] };
const twoLanes = (at: number, from: number, to: number) => {
  const { name, vkey } = testKey(`${operator}/2027/${at}`);
  return { lane: at, origin: name, vkey, slots: [{ from, to }] };
};
/** A key under another name. */
const as = (name: string, { seed }: TestKey) => testKey(name, 1, seed);
/** The key log's key, under another name. */
const keyLogsAs = (name: string) => as(name, keyLog);
/** hk registers this key, under a name of its own, for its transfers. */
const registering = (other: TestKey) => {
  const own = as(`${hk}/k9`, other);
  return ["key", { ...key, vkey: own.vkey }, [hkRoot, own], "already-registered"] as const;
};
/** A newcomer whose root is this key. */
const entering = (other: TestKey) => {
  const root = as("new-wallet.example/root", other);
  const body = { ...record, participant: "new-wallet.example", rootKey: root.vkey };
  return ["participant", body, [root, alice], "already-registered"] as const;
};
/** hk's root is this key from now on. */
const moving = (other: TestKey) => {
  const root = as(`${hk}/root-2`, other);
  const body = { ...record, rootKey: root.vkey };
  return ["participant", body, [hkRoot, root, alice], "already-registered"] as const;
};
const schedule = { schedule: "hkd-php", from: "HKD", to: "PHP", payee: operator };
const fees = { ...schedule, basisPoints: "900", minimum: "0.00", rounding: "up" };
const ledger = { operator, entryKey: fresh.vkey, operators: [alice.vkey, bob.vkey] };

const dora = testKey(`${operator}/dora`);
const withAnother = { ...ledger, operators: [alice.vkey, bob.vkey, dora.vkey] };
const logKey = { log: origin, vkey: newCheckpoint.vkey, reason: "x" };
const binding = { participant: hk, policy: "transfer/1", reason: "x" };

export const forgedKeyLogs: readonly KeyForgery[] = [
  ["a key that operators register", "key", key, [alice, bob, fresh], "signature-missing"],
  ["a key under another's root key", "key", key, [phRoot, fresh], "signature-missing"],
  ["a key that has not signed for itself", "key", key, [hkRoot], "signature-missing"],
  [
    "a key in another's name",
    "key",
    { ...key, vkey: testKey(`${ph}/k7`).vkey },
    [hkRoot, testKey(`${ph}/k7`)],
    "key-inadmissible",
  ],
  [
    "a key that is registered",
    "key",
    { ...key, purpose: "rate-sheet", vkey: testKeys.hk.vkey },
    [hkRoot, testKeys.hk],
    "already-registered",
  ],
  [
    "a statement that was logged before",
    "key",
    { ...key, vkey: testKeys.hk.vkey },
    [hkRoot, testKeys.hk],
    "replayed",
  ],
  [
    "a key for cosignatures",
    "key",
    { ...key, vkey: cosigner.vkey },
    [hkRoot, cosigner],
    "key-inadmissible",
  ],
  [
    "a root key without the old one",
    "participant",
    record,
    [fresh, alice, bob],
    "signature-missing",
  ],
  ["a root key that did not sign", "participant", record, [hkRoot, alice], "signature-missing"],
  ["a root key without an operator", "participant", record, [hkRoot, fresh], "signature-missing"],
  [
    "a record that no operator signed",
    "participant",
    { ...record, rootKey: hkRoot.vkey },
    [hkRoot],
    "signature-missing",
  ],
  [
    "a participant without its root key",
    "participant",
    {
      ...record,
      participant: "new-wallet.example",
      rootKey: testKey("new-wallet.example/root").vkey,
    },
    [alice, bob],
    "signature-missing",
  ],
  ["a revocation by operators", "revocation", revocation, [alice, bob], "signature-missing"],
  ["a revocation by another", "revocation", revocation, [hkRoot], "signature-missing"],
  [
    "a revocation of a key that nobody registered",
    "revocation",
    { ...revocation, vkey: testKey(`${ph}/k8`).vkey },
    [phRoot],
    "not-registered",
  ],
  [
    "a suspension that nobody signed",
    "suspension",
    { participant: hk, suspended: true, reason: "x" },
    [hkRoot],
    "signature-missing",
  ],
  [
    "a resumption by one operator",
    "suspension",
    { participant: hk, suspended: false, reason: "x" },
    [alice],
    "signature-missing",
  ],
  [
    "fees by one operator twice",
    "fee-schedule",
    { ...fees, schedule: "x" },
    [alice, alice],
    "signature-missing",
  ],
  ["fees under a name that is taken", "fee-schedule", fees, [alice, bob], "already-registered"],
  [
    "a policy by one operator",
    "policy",
    { policy: "transfer/2", kind: "transfer", operatorsFrom: [] },
    [bob],
    "signature-missing",
  ],
  [
    "lanes by one operator",
    "lanes",
    { period: "2026", lanes: [lane] },
    [alice],
    "signature-missing",
  ],
  [
    "a slot that two lanes would decide",
    "lanes",
    { period: "2026", lanes: [twoLanes(0, 0, 513), twoLanes(1, 512, 1_024)] },
    [alice, bob],
    "already-registered",
  ],
  ["a binding without the root key", "binding", binding, [alice, bob], "signature-missing"],
  ["a binding by one operator", "binding", binding, [hkRoot, bob, bob], "signature-missing"],
  [
    "a binding to no policy",
    "binding",
    { ...binding, policy: "none" },
    [hkRoot, alice, bob],
    "not-registered",
  ],
  ["an entry key by one operator", "ledger", ledger, [alice], "signature-missing"],
  ["an operator that did not sign", "ledger", withAnother, [alice, bob], "signature-missing"],
  [
    "an operator twice",
    "ledger",
    { ...ledger, operators: [alice.vkey, alice.vkey] },
    [alice, bob],
    "key-inadmissible",
  ],
  ["a log's key by one operator", "log-key", logKey, [alice, newCheckpoint], "signature-missing"],
  ["a log's key that did not sign", "log-key", logKey, [alice, bob], "signature-missing"],
  [
    "a log's key in another's name",
    "log-key",
    { ...logKey, vkey: fresh.vkey },
    [alice, bob, fresh],
    "key-inadmissible",
  ],
  [
    "a log's key that signs it already",
    "log-key",
    { ...logKey, vkey: testKeys.checkpoint.vkey },
    [alice, bob, testKeys.checkpoint],
    "already-registered",
  ],
  [
    "a log's key that is the key log's",
    "log-key",
    { ...logKey, vkey: keyLogsAs(origin).vkey },
    [alice, bob, keyLogsAs(origin)],
    "already-registered",
  ],
  [
    "an entry key that is an operator's",
    "ledger",
    { ...ledger, entryKey: alice.vkey },
    [alice, bob],
    "key-inadmissible",
  ],
  [
    "an entry key that signs checkpoints",
    "ledger",
    { ...ledger, entryKey: testKeys.checkpoint.vkey },
    [alice, bob],
    "key-inadmissible",
  ],
  [
    "an operator whose key is the key log's, under a name of its own",
    "ledger",
    { ...ledger, operators: [alice.vkey, bob.vkey, keyLogsAs("x.example/carol").vkey] },
    [alice, bob, keyLogsAs("x.example/carol")],
    "key-inadmissible",
  ],
  [
    "a new lane whose key is an operator's",
    "lanes",
    { period: "2026", lanes: [{ ...lane, origin: `${operator}/2027/1`, vkey: alice.vkey }] },
    [alice, bob],
    "already-registered",
  ],
  ["a transfer key that is the participant's own root", ...registering(hkRoot)],
  ["a transfer key that is another's root", ...registering(phRoot)],
  ["a transfer key that is an operator's", ...registering(alice)],
  ["a transfer key that is the entry key", ...registering(testKeys.entry)],
  ["a transfer key that signs the lane's checkpoints", ...registering(testKeys.checkpoint)],
  ["a transfer key that signs the key log", ...registering(keyLog)],
  [
    "a transfer key that was the participant's root",
    "key",
    { ...key, vkey: as(`${hk}/k9`, hkRoot).vkey },
    [fresh, as(`${hk}/k9`, hkRoot)],
    "already-registered",
    [["participant", record, [hkRoot, fresh, alice]]],
  ],
  ["a root that is a transfer key", ...entering(testKeys.hk)],
  ["a root that is another's", ...entering(hkRoot)],
  ["a root that is an operator's", ...entering(bob)],
  ["a root that signs the key log", ...entering(keyLog)],
  ["a root that is replaced by a transfer key", ...moving(testKeys.hk)],
  ["a root that is replaced by another's", ...moving(phRoot)],
  ["a root that is replaced by itself, under another name", ...moving(hkRoot)],
  [
    "a root in the place of a lost one that is a transfer key",
    "root-recovery",
    { ...recovery, rootKey: as(`${hk}/root-3`, testKeys.ph).vkey },
    [alice, bob, as(`${hk}/root-3`, testKeys.ph)],
    "already-registered",
    [["participant", agreedRecord(), [hkRoot, alice]]],
  ],
  [
    "an entry key that is a participant's",
    "ledger",
    { ...ledger, entryKey: testKeys.hk.vkey },
    [alice, bob],
    "key-inadmissible",
  ],
  [
    "an operator whose key is a participant's root",
    "ledger",
    { ...ledger, operators: [alice.vkey, bob.vkey, hkRoot.vkey] },
    [alice, bob, hkRoot],
    "key-inadmissible",
  ],
  [
    "an operator whose key was a participant's root",
    "ledger",
    { ...ledger, entryKey: testKeys.entry.vkey, operators: [alice.vkey, bob.vkey, hkRoot.vkey] },
    [alice, bob, hkRoot],
    "key-inadmissible",
    [["participant", record, [hkRoot, fresh, alice]]],
  ],
  [
    "a log's key that is a participant's",
    "log-key",
    { ...logKey, vkey: as(origin, testKeys.hk).vkey },
    [alice, bob, as(origin, testKeys.hk)],
    "already-registered",
  ],
  [
    "a new lane whose key is a participant's root",
    "lanes",
    { period: "2026", lanes: [{ ...lane, origin: `${operator}/2027/1`, vkey: hkRoot.vkey }] },
    [alice, bob],
    "already-registered",
  ],
  [
    "a key of a log that is none",
    "log-key",
    { ...logKey, log: hk, vkey: testKey(hk).vkey },
    [alice, bob, testKey(hk)],
    "not-registered",
  ],
  [
    "lanes that change a log's key",
    "lanes",
    { period: "2026", lanes: [{ ...lane, vkey: newCheckpoint.vkey }] },
    [alice, bob, newCheckpoint],
    "already-registered",
  ],
  [
    "another key-log key that signs nothing",
    "log-key",
    { log: keyLog.name, vkey: newKeyLog.vkey, reason: "x" },
    [alice, bob, newKeyLog],
    "log-key-unpinned",
  ],
  [
    "a root in the place of a lost one that nobody agreed to",
    "root-recovery",
    recovery,
    [alice, bob, recoveredRoot],
    "recovery-not-agreed",
  ],
  ...(
    [
      ["an operator's", alice],
      ["another participant's root's", phRoot],
      ["the entry key's", testKeys.entry],
      ["a transfer key's", testKeys.hk2],
      ["the lane's", testKeys.checkpoint],
    ] as const
  ).map(([whose, bad]): KeyForgery => {
    const what = `a revocation with a line of ${whose} that is not good`;
    const body = { participant: hk, vkey: testKeys.hk2.vkey, reason: "lost" };
    return [what, "revocation", body, [hkRoot], "signature-wrong", [], bad];
  }),
  [
    "a ledger of another operator",
    "ledger",
    { ...ledger, operator: hk },
    [alice, bob],
    "already-registered",
  ],
];

/** The genesis, what was said before, and one entry more; the key log's own key has signed them. */
export const forgeKeyLog = ([, kind, body, signers, , before = [], bad]: KeyForgery): string[] => {
  const entries = [...makeGenesis().entries];
  const last = [kind, body, signers, bad] as const;
  for (const [what, said, by, wrongly] of [...before, last]) {
    // A cosignature key signs nothing but checkpoints: its line is left out.
    const keys = by.filter((one) => one.key.type === 1);
    const good = signed(statementText(keyLog.name, what, said), keys);
    const inner = wrongly === undefined ? good : `${good}${lineOf(wrongly, "something else\n")}\n`;
    const context = {
      seq: entries.length,
      time: formatTime(genesisMs + 500),
      prev: toBase64(leafHash(entries.at(-1) ?? "")),
    };
    entries.push(signed(keyEntryText(keyLog.name, context, inner), [keyLog]));
  }
  return entries;
};
