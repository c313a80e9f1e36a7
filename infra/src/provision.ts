// Makes a world's keys, tokens and first statements, once: every party's own keys in a folder of its
// own, what auditors pin (policy, verifier keys), and the statements that begin the key log. In
// production each party does its own part of this; here one program plays all of them.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import {
  generateEnvelopeKey,
  generateKeyFile,
  KEY_TYPE,
  readKeyFile,
  type KeyType,
} from "@sealane/signer";
import { formatVerifierKey, parsePolicy } from "@sealane/tlog";
import { makeGenesis, rootsText } from "./genesis.ts";
import { homeAt, type Home } from "./home.ts";
import { staff, tokenDigests } from "./token-digests.ts";
import {
  auditor,
  bank,
  keyLogOrigin,
  liquidityProvider,
  operator,
  operators,
  origin,
  wallets,
  type Ports,
} from "./world.ts";

const witnessesOf = [
  ["hk-wallet", "hk-wallet.example"],
  ["ph-wallet", "ph-wallet.example"],
  ["fx-desk", liquidityProvider],
  ["auditor", auditor],
] as const;

const makeKey = async (
  path: string,
  name: string,
  type: KeyType = KEY_TYPE.ed25519,
): Promise<void> => {
  if (!existsSync(path)) await generateKeyFile(path, name, type);
};

const makeSecret = (path: string): void => {
  if (!existsSync(path))
    writeFileSync(path, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
};

const makeDirs = (home: Home): void => {
  const owners = [
    "operator",
    ...operators,
    "hk-wallet",
    "ph-wallet",
    "fx-desk",
    "auditor",
    "bank",
    "database",
  ];
  for (const owner of owners) mkdirSync(home.keys(owner), { recursive: true, mode: 0o700 });
  for (const dir of ["receipts", "logs", "state", "tiles"]) {
    mkdirSync(home.path(dir), { recursive: true, mode: 0o700 });
  }
};

/** Every key and token that is not there yet; an existing one is never replaced. */
const makeKeys = async (home: Home): Promise<void> => {
  const { keys } = home;
  await makeKey(keys("operator", "entry.key"), `${operator}/entry-1`);
  await makeKey(keys("operator", "checkpoint.key"), origin);
  await makeKey(keys("operator", "key-log.key"), keyLogOrigin);
  for (const person of operators) {
    await makeKey(keys(person, "operator.key"), `${operator}/operators/${person}`);
  }
  for (const { name, participant } of wallets) {
    await makeKey(keys(name, "root.key"), `${participant}/root`);
    await makeKey(keys(name, "transfer.key"), `${participant}/k1`);
    if (!existsSync(keys(name, "envelope.key")))
      await generateEnvelopeKey(keys(name, "envelope.key"));
    for (const file of ["request.key", "api.token", "core.token", "ledger.token"]) {
      makeSecret(keys(name, file));
    }
  }
  await makeKey(keys("fx-desk", "root.key"), `${liquidityProvider}/root`);
  await makeKey(keys("fx-desk", "rates.key"), `${liquidityProvider}/rates-1`);
  makeSecret(keys("operator", "reconciliation.token"));
  makeSecret(keys("operator", "console.token"));
  for (const person of operators) makeSecret(keys(person, "console.token"));
  makeSecret(keys("fx-desk", "ledger.token"));
  makeSecret(keys("fx-desk", "api.token"));
  await makeKey(keys("bank", "root.key"), `${bank}/root`);
  await makeKey(keys("bank", "statements.key"), `${bank}/statements-1`);
  await makeKey(keys("operator", "scheduler.key"), `${operator}/scheduler-1`);
  for (const [, owner] of staff) makeSecret(keys(owner, "staff.token"));
  for (const [owner, name] of witnessesOf) {
    await makeKey(keys(owner, "witness.key"), `${name}/witness`, KEY_TYPE.cosignature);
  }
  for (const schema of ["ledger", "reconciliation", ...wallets.map((wallet) => wallet.schema)]) {
    makeSecret(keys("database", `${schema}.password`));
  }
};

const witnessUrl = (ports: Ports, owner: string): string => {
  const at = (port: number, path = ""): string => `http://127.0.0.1:${port}${path}`;
  if (owner === "hk-wallet") return at(ports.hkAdapter, "/witness");
  if (owner === "ph-wallet") return at(ports.phAdapter, "/witness");
  if (owner === "fx-desk") return at(ports.fxDesk, "/witness");
  return at(ports.witness);
};

/** The logs' lines: the keys in force first, then those that the policy had before, which old checkpoints need. */
const logLines = (home: Home, ports: Ports): string[] => {
  const vkeyOf = (file: string): string => readKeyFile(home.keys("operator", file)).vkey;
  const urls = new Map([
    [origin, `http://127.0.0.1:${ports.ledger}/log`],
    [keyLogOrigin, `http://127.0.0.1:${ports.ledger}/log/keys`],
  ]);
  const path = home.path("trust.policy");
  const before = existsSync(path) ? parsePolicy(readFileSync(path, "utf8")).logs : [];
  const known = before.map(({ key: { name, type, publicKey } }) =>
    formatVerifierKey(name, type, publicKey),
  );
  const all = new Set([vkeyOf("checkpoint.key"), vkeyOf("key-log.key"), ...known]);
  return [...all].map((vkey) => `log ${vkey} ${urls.get(vkey.split("+")[0] ?? "") ?? ""}`);
};

/** What an auditor pins: C2SP tlog-policy. The current lane's log is its first line. */
const policyText = (home: Home, ports: Ports): string => {
  const { keys } = home;
  const lines = [
    ...logLines(home, ports),
    "",
    ...witnessesOf.map(([owner]) => {
      const { vkey } = readKeyFile(keys(owner, "witness.key"));
      return `witness ${owner} ${vkey} ${witnessUrl(ports, owner)}`;
    }),
    `group quorum-of-witnesses 3 ${witnessesOf.map(([owner]) => owner).join(" ")}`,
    "quorum quorum-of-witnesses",
  ];
  return `${lines.join("\n")}\n`;
};

const writeAtomic = (path: string, text: string, mode = 0o644): void => {
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
};

/** What the local command line needs to act for each wallet. */
const cliConfig = (ports: Ports): object => ({
  participants: Object.fromEntries(
    wallets.map(({ name, participant, currencies, accountPrefix, portName }) => [
      name,
      {
        id: participant,
        url: `http://127.0.0.1:${ports[portName]}`,
        tokenFile: `keys/${name}/api.token`,
        ledgerTokenFile: `keys/${name}/ledger.token`,
        currency: currencies[0],
        accountPrefix,
      },
    ]),
  ),
  log: `http://127.0.0.1:${ports.ledger}/log`,
  reconciliation: `http://127.0.0.1:${ports.reconciliation}`,
  rates: `http://127.0.0.1:${ports.fxDesk}`,
  staffTokenFile: `keys/${operators[1]}/staff.token`,
  policy: "trust.policy",
  keylog: "keylog",
  receipts: "receipts",
});

/** @param hosted wallets whose cores sign by themselves */
const coresConfig = (ports: Ports, hosted: readonly string[]): object[] =>
  wallets.map(({ name, participant, currencies, accountPrefix, corePortName }) => ({
    participant,
    currency: currencies[0],
    prefix: accountPrefix,
    accounts: 999,
    port: ports[corePortName],
    adapterTokenFile: `keys/${name}/core.token`,
    journalFile: `state/${name}-core.journal`,
    ...(hosted.includes(name)
      ? {
          signing: {
            transferKeyFile: `keys/${name}/transfer.key`,
            policyFile: "trust.policy",
            keyLogUrl: `http://127.0.0.1:${ports.ledger}/log/keys`,
          },
        }
      : {}),
  }));

/**
 * Makes what is missing; what depends on ports is written anew.
 * @param hosted wallets whose adapters are hosted: their cores sign, with keys of their own
 * @param reach where others reach the ports, if proxies stand before some
 */
export const provision = async (
  dir: string,
  ports: Ports,
  hosted: readonly string[] = [],
  reach: Ports = ports,
): Promise<Home> => {
  const home = homeAt(dir);
  makeDirs(home);
  await makeKeys(home);
  const genesis = home.path("state", "genesis.json");
  if (!existsSync(genesis)) writeAtomic(genesis, JSON.stringify(makeGenesis(home), undefined, 1));
  const policy = policyText(home, reach);
  writeAtomic(home.path("trust.policy"), policy);
  // Pinned once: a root that is replaced later is pinned anew by whoever has asked its owner.
  if (!existsSync(home.path("roots"))) writeAtomic(home.path("roots"), rootsText(home));
  const logKey = readKeyFile(home.keys("operator", "checkpoint.key")).vkey;
  writeAtomic(home.path("log.vkey"), `${logKey}\n`);
  const logs = policy.split("\n").filter((line) => line.startsWith("log "));
  const vkeys = logs.map((line) => `${line.split(" ")[1] ?? ""}\n`);
  writeAtomic(home.path("state", "logs.vkeys"), vkeys.join(""));
  for (const [file, text] of tokenDigests(home.keys)) {
    writeAtomic(home.path("state", file), text, 0o600);
  }
  writeAtomic(home.path("cli.json"), `${JSON.stringify(cliConfig(reach), undefined, 2)}\n`);
  writeAtomic(
    home.path("cores.json"),
    `${JSON.stringify(coresConfig(ports, hosted), undefined, 2)}\n`,
  );
  return home;
};
