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
import { InfraError } from "./infra-error.ts";
import { lanesOf, mostLanes } from "./lanes.ts";
import { staff, tokenDigests } from "./token-digests.ts";
import {
  auditor,
  bank,
  demoWorld,
  keyLogOrigin,
  operator,
  operators,
  type Ports,
  type World,
} from "./world.ts";

/** Each participant with a service is a witness, and so is the auditor. */
const witnessesOf = ({ wallets, providers }: World): (readonly [owner: string, name: string])[] => [
  ...[...wallets, ...providers].map(({ name, participant }) => [name, participant] as const),
  ["auditor", auditor],
];

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

const makeDirs = (home: Home, { wallets, providers }: World): void => {
  const owners = [
    "operator",
    ...operators,
    ...[...wallets, ...providers].map(({ name }) => name),
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
const makeKeys = async (home: Home, world: World): Promise<void> => {
  const { wallets, providers } = world;
  const { keys } = home;
  await makeKey(keys("operator", "entry.key"), `${operator}/entry-1`);
  for (const { keyFile, origin } of lanesOf(world)) {
    await makeKey(keys("operator", keyFile), origin);
  }
  await makeKey(keys("operator", "key-log.key"), keyLogOrigin);
  for (const person of operators) {
    await makeKey(keys(person, "operator.key"), `${operator}/operators/${person}`);
  }
  for (const { name, participant } of wallets) {
    await makeKey(keys(name, "root.key"), `${participant}/root`);
    await makeKey(keys(name, "transfer.key"), `${participant}/k1`);
    if (!existsSync(keys(name, "envelope.key")))
      await generateEnvelopeKey(keys(name, "envelope.key"));
    for (const file of [
      "request.key",
      "api.token",
      "approvals.token",
      "core.token",
      "ledger.token",
    ]) {
      makeSecret(keys(name, file));
    }
  }
  for (const { name, participant } of providers) {
    await makeKey(keys(name, "root.key"), `${participant}/root`);
    await makeKey(keys(name, "rates.key"), `${participant}/rates-1`);
    makeSecret(keys(name, "ledger.token"));
    makeSecret(keys(name, "api.token"));
  }
  makeSecret(keys("operator", "reconciliation.token"));
  makeSecret(keys("operator", "console.token"));
  for (const person of operators) makeSecret(keys(person, "console.token"));
  await makeKey(keys("bank", "root.key"), `${bank}/root`);
  await makeKey(keys("bank", "statements.key"), `${bank}/statements-1`);
  await makeKey(keys("operator", "scheduler.key"), `${operator}/scheduler-1`);
  for (const [, owner] of staff) makeSecret(keys(owner, "staff.token"));
  for (const [owner, name] of witnessesOf(world)) {
    await makeKey(keys(owner, "witness.key"), `${name}/witness`, KEY_TYPE.cosignature);
  }
  for (const schema of ["ledger", "reconciliation", ...wallets.map((wallet) => wallet.schema)]) {
    makeSecret(keys("database", `${schema}.password`));
  }
};

const witnessUrl = ({ wallets, providers }: World, ports: Ports, owner: string): string => {
  const at = (port: number, path = ""): string => `http://127.0.0.1:${port}${path}`;
  const party = [...wallets, ...providers].find(({ name }) => name === owner);
  return party === undefined ? at(ports.witness) : at(ports[party.portName], "/witness");
};

/** The logs' lines: the keys in force first, then those that the policy had before, which old checkpoints need. */
const logLines = (home: Home, ports: Ports, world: World): string[] => {
  const lanes = lanesOf(world);
  const vkeyOf = (file: string): string => readKeyFile(home.keys("operator", file)).vkey;
  const urls = new Map([
    ...lanes.map(
      ({ origin, portName }) => [origin, `http://127.0.0.1:${ports[portName]}/log`] as const,
    ),
    [keyLogOrigin, `http://127.0.0.1:${ports.ledger}/log/keys`],
  ]);
  const path = home.path("trust.policy");
  const before = existsSync(path) ? parsePolicy(readFileSync(path, "utf8")).logs : [];
  const known = before.map(({ key: { name, type, publicKey } }) =>
    formatVerifierKey(name, type, publicKey),
  );
  const all = new Set([
    ...lanes.map(({ keyFile }) => vkeyOf(keyFile)),
    vkeyOf("key-log.key"),
    ...known,
  ]);
  return [...all].map((vkey) => `log ${vkey} ${urls.get(vkey.split("+")[0] ?? "") ?? ""}`);
};

/** Lanes are in the key log from its first entries on: another number of them is another world. */
const checkLanes = (home: Home, world: World): void => {
  const begun = lanesOf({ lanes: mostLanes }).filter(({ keyFile }) =>
    existsSync(home.keys("operator", keyFile)),
  ).length;
  const wanted = lanesOf(world).length;
  if (begun === wanted) return;
  const message = `${home.dir} was begun with ${begun} lanes, not ${wanted}: set SEALANE_LANES=${begun}, or use another folder`;
  throw new InfraError("lanes-changed", message);
};

/** What an auditor pins: C2SP tlog-policy. The current lane's log is its first line. */
const policyText = (home: Home, ports: Ports, world: World): string => {
  const witnesses = witnessesOf(world);
  const quorum = Math.floor(witnesses.length / 2) + 1;
  const { keys } = home;
  const lines = [
    ...logLines(home, ports, world),
    "",
    ...witnesses.map(([owner]) => {
      const { vkey } = readKeyFile(keys(owner, "witness.key"));
      return `witness ${owner} ${vkey} ${witnessUrl(world, ports, owner)}`;
    }),
    `group quorum-of-witnesses ${quorum} ${witnesses.map(([owner]) => owner).join(" ")}`,
    "quorum quorum-of-witnesses",
  ];
  return `${lines.join("\n")}\n`;
};

const writeAtomic = (path: string, text: string, mode = 0o644): void => {
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
};

/** What the local command line needs to act for each wallet. */
const cliConfig = (ports: Ports, { wallets, lanes }: World): object => ({
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
  ...(lanes === undefined
    ? {}
    : {
        logs: lanesOf({ lanes }).map(({ portName }) => `http://127.0.0.1:${ports[portName]}/log`),
      }),
  reconciliation: `http://127.0.0.1:${ports.reconciliation}`,
  rates: `http://127.0.0.1:${ports.fxDesk}`,
  staffTokenFile: `keys/${operators[1]}/staff.token`,
  policy: "trust.policy",
  keylog: "keylog",
  receipts: "receipts",
});

/** @param hosted wallets whose cores sign by themselves */
const coresConfig = (ports: Ports, hosted: readonly string[], { wallets }: World): object[] =>
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
 * @param world who takes part
 */
export const provision = async (
  dir: string,
  ports: Ports,
  hosted: readonly string[] = [],
  reach: Ports = ports,
  world: World = demoWorld,
): Promise<Home> => {
  const home = homeAt(dir);
  makeDirs(home, world);
  const genesis = home.path("state", "genesis.json");
  if (existsSync(genesis)) checkLanes(home, world);
  await makeKeys(home, world);
  if (!existsSync(genesis)) {
    writeAtomic(genesis, JSON.stringify(makeGenesis(home, world), undefined, 1));
  }
  const policy = policyText(home, reach, world);
  writeAtomic(home.path("trust.policy"), policy);
  // Pinned once: a root that is replaced later is pinned anew by whoever has asked its owner.
  if (!existsSync(home.path("roots"))) writeAtomic(home.path("roots"), rootsText(home, world));
  const logKey = readKeyFile(home.keys("operator", "checkpoint.key")).vkey;
  writeAtomic(home.path("log.vkey"), `${logKey}\n`);
  const logs = policy.split("\n").filter((line) => line.startsWith("log "));
  const vkeys = logs.map((line) => `${line.split(" ")[1] ?? ""}\n`);
  writeAtomic(home.path("state", "logs.vkeys"), vkeys.join(""));
  for (const [file, text] of tokenDigests(home.keys, world)) {
    writeAtomic(home.path("state", file), text, 0o600);
  }
  writeAtomic(home.path("cli.json"), `${JSON.stringify(cliConfig(reach, world), undefined, 2)}\n`);
  writeAtomic(
    home.path("cores.json"),
    `${JSON.stringify(coresConfig(ports, hosted, world), undefined, 2)}\n`,
  );
  return home;
};
