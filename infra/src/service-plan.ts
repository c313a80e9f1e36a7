// What runs, and with which settings: one place for the local stack (`stack.ts`) and for containers
// (`run-service.ts`). A service is given its own keys and its own role in Postgres, by file, and
// nothing of another's.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Home } from "./home.ts";
import { lanesOf, processesOf, type LanePlan } from "./lanes.ts";
import {
  demoWorld,
  lane,
  portPlan,
  type Ports,
  type ProviderPlan,
  type WalletPlan,
  type World,
} from "./world.ts";

export type ServiceName =
  | "cores"
  | "witness"
  | "hk-wallet"
  | "ph-wallet"
  | "sg-wallet"
  | "fx-desk"
  | "sg-desk"
  | "ledger"
  | "ledger-2"
  | "ledger-3"
  | "reconciliation"
  | "console";

export type Service = {
  readonly name: ServiceName;
  /** Its `main.ts`. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where it answers; `/livez` says that it runs, `/readyz` that it can do its work. */
  readonly url: string;
};

export type ServicePlanOptions = {
  readonly home: Home;
  readonly ports: Ports;
  /** Who takes part; default: the demo's parties. */
  readonly world?: World | undefined;
  /** Where the services reach each other, if proxies stand before some of the ports. */
  readonly reach?: Ports | undefined;
  /** `host:port`, separated by commas. */
  readonly brokers: string;
  /** Services log in as themselves: a user and password in it are not handed on. */
  readonly databaseUrl: string;
  /** The share of transfers that are traced; default 1. */
  readonly traceRatio?: number | undefined;
  /** Entries without a token: for a system on 127.0.0.1 alone, so never in containers. */
  readonly openBundles: boolean;
  /** Wallets whose adapters are hosted: they get no key to sign with. */
  readonly hosted?: readonly string[] | undefined;
  /** More settings for the services that take part in the lane, e.g. failpoints in tests. */
  readonly env?: Readonly<Record<string, string>> | undefined;
};

/** The administrator's password is nothing for a service's environment. */
const withoutLogin = (url: string): string => {
  const target = new URL(url);
  target.username = "";
  target.password = "";
  return target.href;
};

/** The settings that several services share. */
type Shared = ServicePlanOptions & {
  readonly reach: Ports;
  /** Of each lane's door, in their order. */
  readonly ledgerUrl: string;
  readonly lanes: readonly LanePlan[];
  readonly common: (name: ServiceName, schema?: string) => Record<string, string>;
};

const root = fileURLToPath(new URL("../../", import.meta.url));
const entry = (room: string): string => join(root, room, "src", "main.ts");
const at = (port: number): string => `http://127.0.0.1:${port}`;

const share = (options: ServicePlanOptions): Shared => {
  const { home, ports, brokers, databaseUrl, traceRatio = 1, env } = options;
  const reach = options.reach ?? ports;
  const lanes = lanesOf(options.world ?? demoWorld);
  const ledgerUrl = lanes.map(({ portName }) => at(reach[portName])).join(",");
  const common = (name: ServiceName, schema?: string): Record<string, string> => ({
    KAFKA_BROKERS: brokers,
    // A demo of one owner. Logins and authorities in our own environment reach the services as they are.
    SEALANE_KAFKA_PLAINTEXT: "yes",
    SEALANE_LANE: String(lane),
    SEALANE_POLICY_FILE: home.path("trust.policy"),
    SEALANE_LEDGER_URL: ledgerUrl,
    SEALANE_TRACES_FILE: home.path("logs", `${name}.traces.jsonl`),
    SEALANE_TRACE_RATIO: String(traceRatio),
    ...(schema === undefined
      ? {}
      : {
          DATABASE_URL: withoutLogin(databaseUrl),
          SEALANE_DATABASE_SCHEMA: schema,
          SEALANE_DATABASE_USER: `sealane_${schema}`,
          SEALANE_DATABASE_PASSWORD_FILE: home.keys("database", `${schema}.password`),
        }),
    ...env,
  });
  return { ...options, reach, ledgerUrl, lanes, common };
};

const coresService = ({ home, ports }: Shared): Service => ({
  name: "cores",
  entry: entry("packages/simulator"),
  url: at(ports.hkCore),
  env: { SEALANE_CORES: home.path("cores.json") },
});

const witnessService = ({ home: { keys, path }, ports }: Shared): Service => ({
  name: "witness",
  entry: entry("services/witness"),
  url: at(ports.witness),
  env: {
    SEALANE_WITNESS_PORT: String(ports.witness),
    SEALANE_WITNESS_KEY_FILE: keys("auditor", "witness.key"),
    SEALANE_WITNESS_STATE_FILE: path("state", "auditor.witness"),
    SEALANE_WITNESS_LOGS: path("state", "logs.vkeys"),
  },
});

const adapterService = (
  { home, ports, reach, common, hosted = [] }: Shared,
  wallet: WalletPlan,
): Service => {
  const { keys, path } = home;
  const name = wallet.name as ServiceName;
  return {
    name,
    entry: entry("services/wallet-adapter"),
    url: at(ports[wallet.portName]),
    env: {
      ...common(name, wallet.schema),
      SEALANE_PARTICIPANT: wallet.participant,
      SEALANE_ADAPTER_PORT: String(ports[wallet.portName]),
      SEALANE_LEDGER_TOKEN_FILE: keys(name, "ledger.token"),
      ...(hosted.includes(name) ? {} : { SEALANE_TRANSFER_KEY_FILE: keys(name, "transfer.key") }),
      SEALANE_ENVELOPE_KEY_FILE: keys(name, "envelope.key"),
      SEALANE_REQUEST_KEY_FILE: keys(name, "request.key"),
      SEALANE_WITNESS_KEY_FILE: keys(name, "witness.key"),
      SEALANE_WITNESS_STATE_FILE: path("state", `${name}.witness`),
      SEALANE_CORE_URL: at(reach[wallet.corePortName]),
      SEALANE_CORE_TOKEN_FILE: keys(name, "core.token"),
      SEALANE_API_TOKEN_FILE: keys(name, "api.token"),
      SEALANE_APPROVALS_TOKEN_FILE: keys(name, "approvals.token"),
    },
  };
};

const deskService = (
  { home: { keys, path }, ports, common }: Shared,
  { name, participant, pairs, portName }: ProviderPlan,
): Service => ({
  name: name as ServiceName,
  entry: entry("services/fx-desk"),
  url: at(ports[portName]),
  env: {
    ...common(name as ServiceName),
    SEALANE_PARTICIPANT: participant,
    SEALANE_FX_PORT: String(ports[portName]),
    SEALANE_PAIRS: pairs.join(","),
    SEALANE_RATE_KEY_FILE: keys(name, "rates.key"),
    SEALANE_LEDGER_TOKEN_FILE: keys(name, "ledger.token"),
    SEALANE_WITNESS_KEY_FILE: keys(name, "witness.key"),
    SEALANE_WITNESS_STATE_FILE: path("state", `${name}.witness`),
    SEALANE_STATE_FILE: path("state", `${name}.sheets`),
    SEALANE_API_TOKEN_FILE: keys(name, "api.token"),
  },
});

/** What a process among several is told: its own lanes, those that it stands by for, its name. */
const lanesEnv = (
  { home: { keys }, ports, lanes }: Shared,
  own: readonly LanePlan[],
  name: ServiceName,
): Record<string, string> => {
  if (lanes.length === 1) return {};
  const items = lanes.map((plan) => {
    const role = own.includes(plan) ? "home" : "standby";
    return `${plan.lane}:${role}:${ports[plan.portName]}:${keys("operator", plan.keyFile)}`;
  });
  return {
    SEALANE_LEDGER_LANES: items.join(","),
    SEALANE_INSTANCE: name === "ledger" ? "ledger-1" : name,
  };
};

const ledgerNames = ["ledger", "ledger-2", "ledger-3"] as const;

const ledgerServices = (shared: Shared): Service[] =>
  processesOf(shared.lanes).flatMap((own, process) => {
    const name = ledgerNames[process];
    return name === undefined ? [] : ledgerService(shared, own, name);
  });

const ledgerService = (
  shared: Shared,
  own: readonly LanePlan[],
  name: (typeof ledgerNames)[number],
): Service => {
  const {
    home: { keys, path },
    ports,
  } = shared;
  const port = ports[own[0]?.portName ?? "ledger"];
  return {
    name,
    entry: entry("services/ledger"),
    url: at(port),
    env: {
      ...shared.common(name, "ledger"),
      ...lanesEnv(shared, own, name),
      SEALANE_LEDGER_PORT: String(port),
      SEALANE_ENTRY_KEY_FILE: keys("operator", "entry.key"),
      SEALANE_CHECKPOINT_KEY_FILE: keys("operator", "checkpoint.key"),
      SEALANE_KEY_LOG_KEY_FILE: keys("operator", "key-log.key"),
      // One process begins the key log; the others read it.
      ...(name === "ledger" ? { SEALANE_GENESIS_FILE: path("state", "genesis.json") } : {}),
      SEALANE_TILES_DIR: path("tiles"),
      SEALANE_PARTICIPANT_TOKENS_FILE: path("state", "participant-tokens.json"),
      SEALANE_SERVICE_TOKENS_FILE: path("state", "service-tokens.json"),
      SEALANE_OPEN_BUNDLES: shared.openBundles ? "yes" : "no",
    },
  };
};

const reconciliationService = ({ home, ports, common, openBundles }: Shared): Service => ({
  name: "reconciliation",
  entry: entry("services/reconciliation"),
  url: at(ports.reconciliation),
  env: {
    ...common("reconciliation", "reconciliation"),
    SEALANE_RECONCILIATION_PORT: String(ports.reconciliation),
    SEALANE_LEDGER_TOKEN_FILE: home.keys("operator", "reconciliation.token"),
    SEALANE_STAFF_TOKENS_FILE: home.path("state", "staff-tokens.json"),
    SEALANE_OPEN_BALANCES: openBundles ? "yes" : "no",
    SEALANE_RECONCILIATION_JOURNAL: home.path("state", "reconciliation.journal"),
    SEALANE_SCHEDULER_KEY_FILE: home.keys("operator", "scheduler.key"),
  },
});

/** Whose health the console looks at: all that has metrics, the console itself excepted. */
const watchedBy = (services: readonly Service[]): string =>
  services
    .filter(({ name }) => name !== "cores")
    .map(({ name, url }) => `${name}=${url}`)
    .join(",");

/** Adapters, and the token with which the console reads what waits for operators' signatures. */
const approvalsAt = (home: Home, services: readonly Service[]): string =>
  services
    .filter(({ env }) => env["SEALANE_APPROVALS_TOKEN_FILE"] !== undefined)
    .map(({ name, url }) => `${name}=${url}=${home.keys(name, "approvals.token")}`)
    .join(",");

const consoleService = (
  { home, ports, reach, common, openBundles }: Shared,
  others: readonly Service[],
): Service => ({
  name: "console",
  entry: entry("services/console"),
  url: at(ports.console),
  env: {
    ...common("console"),
    // It shows the first lane.
    SEALANE_LEDGER_URL: at(reach.ledger),
    SEALANE_CONSOLE_PORT: String(ports.console),
    SEALANE_CONSOLE_OPEN: openBundles ? "yes" : "no",
    SEALANE_CONSOLE_TOKENS_FILE: home.path("state", "console-tokens.json"),
    SEALANE_CONSOLE_SERVICES: watchedBy(others),
    SEALANE_CONSOLE_APPROVALS: approvalsAt(home, others),
    SEALANE_LEDGER_TOKEN_FILE: home.keys("operator", "console.token"),
    SEALANE_RECONCILIATION_URL: at(ports.reconciliation),
  },
});

/** A service's settings as a file of `NAME="value"` lines, for programs that act in its place. */
export const settingsText = ({ env }: Service): string =>
  Object.entries(env)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join("");

/** The ports that people and programs outside speak HTTP to; servers of others are not among them. */
export const httpPorts = portPlan.filter(
  ({ name }) => name !== "postgres" && !name.startsWith("kafka"),
);

/** Every service of the system, in the order in which they are started. */
export const planServices = (options: ServicePlanOptions): Service[] => {
  const shared = share(options);
  const { wallets, providers } = options.world ?? demoWorld;
  const services = [
    coresService(shared),
    witnessService(shared),
    ...wallets.map((wallet) => adapterService(shared, wallet)),
    ...providers.map((provider) => deskService(shared, provider)),
    ...ledgerServices(shared),
    reconciliationService(shared),
  ];
  return [...services, consoleService(shared, services)];
};
