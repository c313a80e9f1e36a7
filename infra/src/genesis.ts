// The statements with which a key log begins: who takes part, under which keys, fees, policies, lanes and
// windows. Each is signed by whom it takes; here one program signs for all of them.
import {
  slotCount,
  statementText,
  type CorridorRecord,
  type FeeSchedule,
  type KeyRecord,
  type LanesRecord,
  type LedgerRecord,
  type ParticipantRecord,
  type PolicyRecord,
} from "@sealane/protocol";
import { readEnvelopeKey, readKeyFile, type KeyMaterial } from "@sealane/signer";
import { composeNote, signNoteLine, toBase64 } from "@sealane/tlog";
import type { Home } from "./home.ts";
import { lanesOf } from "./lanes.ts";
import {
  bank,
  demoWorld,
  keyLogOrigin,
  operator,
  operators,
  period,
  settlementSchedule,
  type World,
} from "./world.ts";

const sign = (text: string, signers: readonly KeyMaterial[]): string =>
  composeNote(
    text,
    signers.map(({ name, seed }) => signNoteLine(name, seed, text)),
  );

type Genesis = {
  readonly notes: string[];
  say(kind: string, body: unknown, by: KeyMaterial[]): void;
};

const beginGenesis = (): Genesis => {
  const notes: string[] = [];
  return {
    notes,
    say: (kind, body, by) => notes.push(sign(statementText(keyLogOrigin, kind, body), by)),
  };
};

const accountsOf = ({ bankAccounts }: World, participant: string) =>
  bankAccounts.flatMap(({ owner, currency, account }) =>
    owner === participant ? { bank, currency, account } : [],
  );

/** The settlement bank, and how each corridor settles. */
const introduceSettlement = (
  world: World,
  home: Home,
  genesis: Genesis,
  operatorKeys: KeyMaterial[],
): void => {
  const root = readKeyFile(home.keys("bank", "root.key"));
  const record: ParticipantRecord = {
    participant: bank,
    roles: ["settlement-bank"],
    rootKey: root.vkey,
    currencies: [...new Set(world.bankAccounts.map(({ currency }) => currency))],
    exposure: "gross",
    caps: [],
  };
  genesis.say("participant", record, [root, ...operatorKeys]);
  const key = readKeyFile(home.keys("bank", "statements.key"));
  const statements: KeyRecord = { participant: bank, purpose: "bank-statement", vkey: key.vkey };
  genesis.say("key", statements, [root, key]);
  const scheduler = readKeyFile(home.keys("operator", "scheduler.key")).vkey;
  for (const { corridor, netting, payWithinMinutes = 120 } of world.corridors) {
    const pairs = world.feeSchedules.flatMap(({ corridor: of, from, to }) =>
      of === corridor ? { from, to } : [],
    );
    const served = new Set(pairs.flatMap(({ from, to }) => [from, to]));
    const corridorRecord: CorridorRecord = {
      corridor,
      pairs,
      netting,
      bank,
      operatorAccounts: accountsOf(world, operator).flatMap(({ currency, account }) =>
        served.has(currency) ? { currency, account } : [],
      ),
      payWithinMinutes,
      schedule: settlementSchedule,
      scheduler,
    };
    genesis.say("corridor", corridorRecord, operatorKeys);
  }
};

const introduceWallets = (
  world: World,
  home: Home,
  genesis: Genesis,
  operatorKeys: KeyMaterial[],
): void => {
  for (const { name, participant, currencies } of world.wallets) {
    const root = readKeyFile(home.keys(name, "root.key"));
    const record: ParticipantRecord = {
      participant,
      roles: ["wallet"],
      rootKey: root.vkey,
      currencies: [...currencies],
      exposure: "gross",
      caps: [],
      accounts: accountsOf(world, participant),
    };
    genesis.say("participant", record, [root, ...operatorKeys]);
    const key = readKeyFile(home.keys(name, "transfer.key"));
    const transfer: KeyRecord = { participant, purpose: "transfer", vkey: key.vkey };
    genesis.say("key", transfer, [root, key]);
    const { publicKey } = readEnvelopeKey(home.keys(name, "envelope.key"));
    const envelope: KeyRecord = { participant, purpose: "envelope", x25519: toBase64(publicKey) };
    genesis.say("key", envelope, [root]);
  }
};

/** Participants' root keys, which auditors pin beside the policy. */
export const rootsText = (home: Home, { wallets, providers }: World = demoWorld): string =>
  [...wallets, ...providers, { name: "bank", participant: bank }]
    .map(
      ({ name, participant }) =>
        `${participant} ${readKeyFile(home.keys(name, "root.key")).vkey}\n`,
    )
    .join("");

const introduceProviders = (
  world: World,
  home: Home,
  genesis: Genesis,
  operatorKeys: KeyMaterial[],
): void => {
  for (const { name, participant, currencies } of world.providers) {
    const root = readKeyFile(home.keys(name, "root.key"));
    const provider: ParticipantRecord = {
      participant,
      roles: ["liquidity-provider"],
      rootKey: root.vkey,
      currencies: [...currencies],
      exposure: "gross",
      caps: [],
      accounts: accountsOf(world, participant),
    };
    genesis.say("participant", provider, [root, ...operatorKeys]);
    const rates = readKeyFile(home.keys(name, "rates.key"));
    const key: KeyRecord = { participant, purpose: "rate-sheet", vkey: rates.vkey };
    genesis.say("key", key, [root, rates]);
  }
};

/** Slots are divided evenly. */
const slotsBefore = (at: number, lanes: number): number => Math.floor((at * slotCount) / lanes);

/** The statements that begin the key log, each signed by who it takes. */
export const makeGenesis = (home: Home, world: World = demoWorld): string[] => {
  const genesis = beginGenesis();
  const operatorKeys = operators.map((person) => readKeyFile(home.keys(person, "operator.key")));
  const ledger: LedgerRecord = {
    operator,
    entryKey: readKeyFile(home.keys("operator", "entry.key")).vkey,
    operators: operatorKeys.map(({ vkey }) => vkey),
  };
  genesis.say("ledger", ledger, operatorKeys);
  introduceWallets(world, home, genesis, operatorKeys);
  introduceProviders(world, home, genesis, operatorKeys);
  for (const { schedule, from, to } of world.feeSchedules) {
    const fees: FeeSchedule = {
      schedule,
      from,
      to,
      payee: operator,
      basisPoints: "50",
      minimum: "0",
      rounding: "up",
    };
    genesis.say("fee-schedule", fees, operatorKeys);
  }
  const policy: PolicyRecord = { policy: "transfer-1", kind: "transfer", operatorsFrom: [] };
  genesis.say("policy", policy, operatorKeys);
  const lanes: LanesRecord = {
    period,
    lanes: lanesOf(world).map(({ lane, origin, keyFile }, at, { length }) => ({
      lane,
      origin,
      vkey: readKeyFile(home.keys("operator", keyFile)).vkey,
      slots: [{ from: slotsBefore(at, length), to: slotsBefore(at + 1, length) }],
    })),
  };
  genesis.say("lanes", lanes, operatorKeys);
  introduceSettlement(world, home, genesis, operatorKeys);
  return genesis.notes;
};
