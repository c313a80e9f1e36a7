// The little world of the tests: who takes part, by which keys, on what conditions. Two wallets, a
// liquidity provider, two operators, four witnesses of which three are a quorum.
import {
  keysOrigin,
  laneOrigin,
  type CorridorRecord,
  type FeeSchedule,
  type KeyStatementKind,
  type LanesRecord,
  type ParticipantRecord,
  type PolicyRecord,
} from "@sealane/protocol";
import { parsePolicy, type TlogPolicy } from "@sealane/tlog";
import { makeKeyLogKit, type KeyLogKit } from "./key-log-kit.ts";
import { testKey, type TestKey } from "./keys.ts";

export const base = "sealane.example";
export const origin = laneOrigin(base, "2026", 0);
/** A further lane, where a world has two. */
export const origin1 = laneOrigin(base, "2026", 1);
export const operator = "sealane.example";
export const hk = "hk-wallet.example";
export const ph = "ph-wallet.example";
export const fx = "fx-desk.example";
export const bank = "bank.example";
/** 2026-11-22T07:00:00.000Z */
export const genesisMs = 1_795_330_800_000;

export const testKeys = {
  entry: testKey("ledger.example/entry"),
  checkpoint: testKey(origin),
  checkpoint1: testKey(origin1),
  keyLog: testKey(keysOrigin(base)),
  alice: testKey("operator.example/alice"),
  bob: testKey("operator.example/bob"),
  hkRoot: testKey(`${hk}/root`),
  hk: testKey(`${hk}/k1`),
  /** Registered too, for tests of rotation and revocation. */
  hk2: testKey(`${hk}/k2`),
  phRoot: testKey(`${ph}/root`),
  ph: testKey(`${ph}/k1`),
  fxRoot: testKey(`${fx}/root`),
  fx: testKey(`${fx}/rates`),
  /** The provider's key for transfers, not for sheets. */
  fxTransfer: testKey(`${fx}/k1`),
  bankRoot: testKey(`${bank}/root`),
  bank: testKey(`${bank}/statements`),
  scheduler: testKey("operator.example/scheduler"),
  stranger: testKey("stranger.example/k1"),
} as const;

export const witnessKeys: readonly TestKey[] = ["hk", "ph", "fx", "auditor"].map((name) =>
  testKey(`${name}.example/witness`, 4),
);

/** The file that an auditor pins: the lane's log first, then the key log. */
export const policyText = [
  `log ${testKeys.checkpoint.vkey}`,
  `log ${testKeys.keyLog.vkey}`,
  ...witnessKeys.map(({ vkey }, at) => `witness w${at + 1} ${vkey} http://127.0.0.1:${9001 + at}/`),
  "group quorum-of-3 3 w1 w2 w3 w4",
  "quorum quorum-of-3",
  "",
].join("\n");

export const policy: TlogPolicy = parsePolicy(policyText);

/** The same for a world of two lanes. */
export const policyOfTwoText = policyText.replace("\n", `\nlog ${testKeys.checkpoint1.vkey}\n`);
export const policyOfTwo: TlogPolicy = parsePolicy(policyOfTwoText);

export const feeSchedule: FeeSchedule = {
  schedule: "hkd-php",
  from: "HKD",
  to: "PHP",
  payee: operator,
  basisPoints: "20",
  minimum: "1.00",
  rounding: "up",
};

export type GenesisOptions = {
  readonly hk?: Partial<ParticipantRecord>;
  readonly ph?: Partial<ParticipantRecord>;
  readonly fx?: Partial<ParticipantRecord>;
  readonly policy?: Partial<PolicyRecord>;
  /** With it there are a bank, accounts there, and this corridor; without, all settle in `default`. */
  readonly corridor?: Partial<CorridorRecord>;
  /** So many wallets besides, with a key and accounts each: `moreWallet(0)` and on. */
  readonly more?: number;
  /** Two lanes, each with half of the slots; without it one with all of them. */
  readonly twoLanes?: true;
};

export const moreWallet = (at: number): string => `wallet-${at}.example`;
const moreKeys = new Map<string, TestKey>();
/** The transfer key of one of them, or its root. */
export const moreKey = (at: number, purpose: "k1" | "root" = "k1"): TestKey => {
  const name = `${moreWallet(at)}/${purpose}`;
  const key = moreKeys.get(name) ?? testKey(name);
  moreKeys.set(name, key);
  return key;
};

/** Who decides which slots, as the key log says. */
export const lanesRecord = (
  ...slots: readonly (readonly { readonly from: number; readonly to: number }[])[]
): LanesRecord => ({
  period: "2026",
  lanes: slots.map((own, lane) => ({
    lane,
    origin: lane === 0 ? origin : origin1,
    vkey: (lane === 0 ? testKeys.checkpoint : testKeys.checkpoint1).vkey,
    slots: [...own],
  })),
});

/** A participant's account at the test bank: `HKWALLETEXAMPLEHKD`. */
export const accountOf = (participant: string, currency: string): string =>
  `${participant.replaceAll(/[^a-z0-9]/g, "").toUpperCase()}${currency}`;

type Role = ParticipantRecord["roles"][number];

const currencies = ["HKD", "PHP"];

const accountsOf = (participant: string) =>
  currencies.map((currency) => ({ bank, currency, account: accountOf(participant, currency) }));

/** Both directions, all against all, due a day after the cut. */
export const corridor: CorridorRecord = {
  corridor: "hkd-php",
  pairs: [
    { from: "HKD", to: "PHP" },
    { from: "PHP", to: "HKD" },
  ],
  netting: "multilateral",
  bank,
  operatorAccounts: currencies.map((currency) => ({
    currency,
    account: accountOf(operator, currency),
  })),
  payWithinMinutes: 24 * 60,
  scheduler: testKeys.scheduler.vkey,
};

/** Gross exposure, no cap, with an account per currency. */
const record = (
  participant: string,
  role: Role,
  root: TestKey,
  changes: Partial<ParticipantRecord> = {},
): [ParticipantRecord, TestKey] => {
  const lists = { roles: [role], currencies: [...currencies], caps: [] };
  const common = { participant, rootKey: root.vkey, exposure: "gross" } as const;
  return [{ ...common, ...lists, ...changes }, root];
};

const records = (options: GenesisOptions): [ParticipantRecord, TestKey][] => {
  const { hkRoot, phRoot, fxRoot } = testKeys;
  const at = (participant: string, changes: Partial<ParticipantRecord> = {}) => ({
    ...(options.corridor === undefined ? {} : { accounts: accountsOf(participant) }),
    ...changes,
  });
  return [
    record(hk, "wallet", hkRoot, at(hk, options.hk)),
    record(ph, "wallet", phRoot, at(ph, options.ph)),
    record(fx, "liquidity-provider", fxRoot, at(fx, options.fx)),
    ...Array.from({ length: options.more ?? 0 }, (_, n) => {
      const name = moreWallet(n);
      return record(name, "wallet", moreKey(n, "root"), at(name));
    }),
  ];
};

/** Admitting the keys takes 40 ms: once for all worlds of a kind. */
const begun = new Map<string, KeyLogKit>();

/** A key log with everything that the first transfer needs. */
export const makeGenesis = (options: GenesisOptions = {}): KeyLogKit => {
  const kind = JSON.stringify(options);
  const known = begun.get(kind) ?? logGenesis(options);
  begun.set(kind, known);
  return makeKeyLogKit(testKeys.keyLog, known);
};

const logGenesis = (options: GenesisOptions): KeyLogKit => {
  const kit = makeKeyLogKit(testKeys.keyLog);
  const { alice, bob, entry, hkRoot, phRoot, fxRoot, bankRoot } = testKeys;
  const both = [alice, bob];
  const log = (kind: KeyStatementKind, body: unknown, signers: readonly TestKey[]): void =>
    kit.log(kind, body, signers, genesisMs);
  log("ledger", { operator, entryKey: entry.vkey, operators: both.map(({ vkey }) => vkey) }, both);
  for (const [one, root] of records(options)) log("participant", one, [root, alice]);
  const keys = [
    [hk, "transfer", testKeys.hk, hkRoot],
    [hk, "transfer", testKeys.hk2, hkRoot],
    [ph, "transfer", testKeys.ph, phRoot],
    [fx, "rate-sheet", testKeys.fx, fxRoot],
    [fx, "transfer", testKeys.fxTransfer, fxRoot],
  ] as const;
  for (const [participant, purpose, key, root] of keys) {
    log("key", { participant, purpose, vkey: key.vkey }, [root, key]);
  }
  for (let n = 0; n < (options.more ?? 0); n += 1) {
    const body = { participant: moreWallet(n), purpose: "transfer", vkey: moreKey(n).vkey };
    log("key", body, [moreKey(n, "root"), moreKey(n)]);
  }
  log("fee-schedule", feeSchedule, both);
  const transfers = {
    policy: "transfer/1",
    kind: "transfer",
    operatorsFrom: [],
    ...options.policy,
  };
  log("policy", transfers, both);
  const lanes =
    options.twoLanes === true
      ? lanesRecord([{ from: 0, to: 512 }], [{ from: 512, to: 1_024 }])
      : lanesRecord([{ from: 0, to: 1_024 }]);
  log("lanes", lanes, both);
  if (options.corridor === undefined) return kit;
  log("participant", record(bank, "settlement-bank", bankRoot)[0], [bankRoot, alice]);
  const statements = { participant: bank, purpose: "bank-statement", vkey: testKeys.bank.vkey };
  log("key", statements, [bankRoot, testKeys.bank]);
  log("corridor", { ...corridor, ...options.corridor }, both);
  return kit;
};
