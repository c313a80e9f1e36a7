// The statements with which a key log begins: who takes part, under which keys, fees, policies, lanes and
// windows. Each is signed by whom it takes; here one program signs for all of them.
import {
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
import {
  bank,
  bankAccounts,
  feeSchedules,
  keyLogOrigin,
  lane,
  liquidityProvider,
  operator,
  operators,
  origin,
  period,
  settlementSchedule,
  wallets,
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

const accountsOf = (participant: string) =>
  bankAccounts.flatMap(({ owner, currency, account }) =>
    owner === participant ? { bank, currency, account } : [],
  );

/** The settlement bank, and how both directions settle. */
const introduceSettlement = (home: Home, genesis: Genesis, operatorKeys: KeyMaterial[]): void => {
  const root = readKeyFile(home.keys("bank", "root.key"));
  const record: ParticipantRecord = {
    participant: bank,
    roles: ["settlement-bank"],
    rootKey: root.vkey,
    currencies: ["HKD", "PHP"],
    exposure: "gross",
    caps: [],
  };
  genesis.say("participant", record, [root, ...operatorKeys]);
  const key = readKeyFile(home.keys("bank", "statements.key"));
  const statements: KeyRecord = { participant: bank, purpose: "bank-statement", vkey: key.vkey };
  genesis.say("key", statements, [root, key]);
  const corridor: CorridorRecord = {
    corridor: "hkd-php",
    pairs: feeSchedules.map(({ from, to }) => ({ from, to })),
    netting: "multilateral",
    bank,
    operatorAccounts: accountsOf(operator).map(({ currency, account }) => ({ currency, account })),
    payWithinMinutes: 120,
    schedule: settlementSchedule,
    scheduler: readKeyFile(home.keys("operator", "scheduler.key")).vkey,
  };
  genesis.say("corridor", corridor, operatorKeys);
};

const introduceWallets = (home: Home, genesis: Genesis, operatorKeys: KeyMaterial[]): void => {
  for (const { name, participant, currencies } of wallets) {
    const root = readKeyFile(home.keys(name, "root.key"));
    const record: ParticipantRecord = {
      participant,
      roles: ["wallet"],
      rootKey: root.vkey,
      currencies: [...currencies],
      exposure: "gross",
      caps: [],
      accounts: accountsOf(participant),
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
export const rootsText = (home: Home): string =>
  [
    ...wallets,
    { name: "fx-desk", participant: liquidityProvider },
    { name: "bank", participant: bank },
  ]
    .map(
      ({ name, participant }) =>
        `${participant} ${readKeyFile(home.keys(name, "root.key")).vkey}\n`,
    )
    .join("");

/** The statements that begin the key log, each signed by who it takes. */
export const makeGenesis = (home: Home): string[] => {
  const genesis = beginGenesis();
  const operatorKeys = operators.map((person) => readKeyFile(home.keys(person, "operator.key")));
  const ledger: LedgerRecord = {
    operator,
    entryKey: readKeyFile(home.keys("operator", "entry.key")).vkey,
    operators: operatorKeys.map(({ vkey }) => vkey),
  };
  genesis.say("ledger", ledger, operatorKeys);
  introduceWallets(home, genesis, operatorKeys);
  const root = readKeyFile(home.keys("fx-desk", "root.key"));
  const provider: ParticipantRecord = {
    participant: liquidityProvider,
    roles: ["liquidity-provider"],
    rootKey: root.vkey,
    currencies: ["HKD", "PHP"],
    exposure: "gross",
    caps: [],
    accounts: accountsOf(liquidityProvider),
  };
  genesis.say("participant", provider, [root, ...operatorKeys]);
  const rates = readKeyFile(home.keys("fx-desk", "rates.key"));
  const key: KeyRecord = {
    participant: liquidityProvider,
    purpose: "rate-sheet",
    vkey: rates.vkey,
  };
  genesis.say("key", key, [root, rates]);
  for (const { schedule, from, to } of feeSchedules) {
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
    lanes: [
      {
        lane,
        origin,
        vkey: readKeyFile(home.keys("operator", "checkpoint.key")).vkey,
        slots: [{ from: 0, to: 1024 }],
      },
    ],
  };
  genesis.say("lanes", lanes, operatorKeys);
  introduceSettlement(home, genesis, operatorKeys);
  return genesis.notes;
};
