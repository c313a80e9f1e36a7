// The demo's little world: who takes part, on which ports, under which names. One place, because
// scripts outside the repository rely on it (`design.md` §10).
import { laneOrigin, keysOrigin, type Netting } from "@sealane/protocol";
import { InfraError } from "./infra-error.ts";

export const operator = "sealane.example";
export const period = "2026";
export const lane = 0;
export const origin = laneOrigin(operator, period, lane);
export const keyLogOrigin = keysOrigin(operator);

export type WalletPlan = {
  /** Short name, as on the command line. */
  readonly name: string;
  readonly participant: string;
  readonly currencies: readonly string[];
  readonly accountPrefix: string;
  readonly schema: string;
  readonly portName: PortName;
  readonly corePortName: PortName;
};

/** A liquidity provider with a desk of its own. */
export type ProviderPlan = {
  readonly name: string;
  readonly participant: string;
  readonly currencies: readonly string[];
  /** What it quotes, such as `HKD/PHP`. */
  readonly pairs: readonly string[];
  readonly portName: PortName;
};

export type FirstLiquidity = {
  readonly participant: string;
  readonly currency: string;
  readonly amount: string;
};

/** Who takes part, and how it settles. The demo's is `demoWorld`; `day-world.ts` has a larger one. */
export type World = {
  readonly wallets: readonly WalletPlan[];
  readonly providers: readonly ProviderPlan[];
  readonly bankAccounts: readonly {
    readonly owner: string;
    readonly currency: string;
    readonly account: string;
  }[];
  readonly corridors: readonly {
    readonly corridor: string;
    readonly netting: Netting;
    /** Two hours unless it is said. */
    readonly payWithinMinutes?: number;
  }[];
  readonly feeSchedules: readonly {
    readonly schedule: string;
    readonly corridor: string;
    readonly from: string;
    readonly to: string;
  }[];
  readonly liquidity: readonly FirstLiquidity[];
  readonly ports: readonly PortPlan[];
  /** How many lanes decide; one unless it is said. */
  readonly lanes?: number;
};

export const wallets: readonly WalletPlan[] = [
  {
    name: "hk-wallet",
    participant: "hk-wallet.example",
    currencies: ["HKD"],
    accountPrefix: "+8529",
    schema: "adapter_hk",
    portName: "hkAdapter",
    corePortName: "hkCore",
  },
  {
    name: "ph-wallet",
    participant: "ph-wallet.example",
    currencies: ["PHP"],
    accountPrefix: "+63917",
    schema: "adapter_ph",
    portName: "phAdapter",
    corePortName: "phCore",
  },
];

export const liquidityProvider = "fx-desk.example";

export const providers: readonly ProviderPlan[] = [
  {
    name: "fx-desk",
    participant: liquidityProvider,
    currencies: ["HKD", "PHP"],
    pairs: ["HKD/PHP", "PHP/HKD"],
    portName: "fxDesk",
  },
];

export const auditor = "auditor.example";
export const bank = "bank.example";

export const operators = ["alice", "bob"] as const;

/** The demo's first liquidity: advances that two operators sign, never a balance by SQL. */
export const firstLiquidity = [
  { participant: "hk-wallet.example", currency: "HKD", amount: "2000000000.00" },
  { participant: "ph-wallet.example", currency: "PHP", amount: "20000000000.00" },
  { participant: "fx-desk.example", currency: "PHP", amount: "20000000000.00" },
  { participant: "fx-desk.example", currency: "HKD", amount: "2000000000.00" },
] as const;

/** Accounts at the settlement bank, by owner and currency; the operator's are where fees go. */
export const bankAccounts = [
  { owner: "hk-wallet.example", currency: "HKD", account: "SEALHK0001HKD" },
  { owner: "ph-wallet.example", currency: "PHP", account: "SEALPH0002PHP" },
  { owner: "fx-desk.example", currency: "HKD", account: "SEALFX0003HKD" },
  { owner: "fx-desk.example", currency: "PHP", account: "SEALFX0003PHP" },
  { owner: operator, currency: "HKD", account: "SEALOP0000HKD" },
  { owner: operator, currency: "PHP", account: "SEALOP0000PHP" },
] as const;

/** At the end of the business day that both sides share; Hong Kong and Manila have one time zone. */
export const settlementSchedule = {
  timeZone: "Asia/Hong_Kong",
  times: ["17:00"],
  weekdays: [1, 2, 3, 4, 5],
  holidays: [
    { calendar: "hong-kong", dates: ["2026-12-25", "2026-12-26", "2027-01-01"] },
    { calendar: "philippines", dates: ["2026-11-30", "2026-12-08", "2026-12-25", "2026-12-30"] },
  ],
};

/** Fees of both directions: 50 basis points of the amount sent, rounded up, no minimum. */
export const feeSchedules = [
  { schedule: "hkd-php-1", corridor: "hkd-php", from: "HKD", to: "PHP" },
  { schedule: "php-hkd-1", corridor: "hkd-php", from: "PHP", to: "HKD" },
] as const;

export type PortName =
  | "console"
  | "hkAdapter"
  | "phAdapter"
  | "ledger"
  | "ledger1"
  | "ledger2"
  | "ledger3"
  | "reconciliation"
  | "fxDesk"
  | "witness"
  | "hkCore"
  | "phCore"
  | "sgAdapter"
  | "sgDesk"
  | "sgCore"
  | "postgres"
  | "kafka"
  | "kafkaController";

export type Ports = Readonly<Record<PortName, number>>;

export type PortPlan = {
  readonly name: PortName;
  readonly port: number;
  readonly env: string;
  readonly what: string;
};

/** Default ports, each with the variable that moves it. */
export const portPlan: readonly PortPlan[] = [
  { name: "console", port: 8080, env: "SEALANE_CONSOLE_PORT", what: "the console" },
  { name: "hkAdapter", port: 8081, env: "SEALANE_HK_ADAPTER_PORT", what: "HK wallet adapter" },
  { name: "phAdapter", port: 8082, env: "SEALANE_PH_ADAPTER_PORT", what: "PH wallet adapter" },
  { name: "ledger", port: 8083, env: "SEALANE_LEDGER_PORT", what: "ledger" },
  {
    name: "reconciliation",
    port: 8084,
    env: "SEALANE_RECONCILIATION_PORT",
    what: "reconciliation",
  },
  { name: "fxDesk", port: 8085, env: "SEALANE_FX_PORT", what: "fx-desk" },
  { name: "witness", port: 8086, env: "SEALANE_WITNESS_PORT", what: "auditor's witness" },
  { name: "hkCore", port: 8091, env: "SEALANE_HK_CORE_PORT", what: "simulated HK wallet core" },
  { name: "phCore", port: 8092, env: "SEALANE_PH_CORE_PORT", what: "simulated PH wallet core" },
  { name: "postgres", port: 15432, env: "SEALANE_POSTGRES_PORT", what: "Postgres" },
  { name: "kafka", port: 19092, env: "SEALANE_KAFKA_PORT", what: "Kafka" },
  {
    name: "kafkaController",
    port: 19093,
    env: "SEALANE_KAFKA_CONTROLLER_PORT",
    what: "Kafka controller",
  },
];

/** What the day's world needs besides. */
export const dayPortPlan: readonly PortPlan[] = [
  { name: "sgAdapter", port: 8087, env: "SEALANE_SG_ADAPTER_PORT", what: "SG wallet adapter" },
  { name: "sgDesk", port: 8088, env: "SEALANE_SG_DESK_PORT", what: "sg-desk" },
  { name: "sgCore", port: 8093, env: "SEALANE_SG_CORE_PORT", what: "simulated SG wallet core" },
];

/** Doors of the second lane and those after it. */
export const lanePortPlan: readonly PortPlan[] = [
  { name: "ledger1", port: 8183, env: "SEALANE_LEDGER_1_PORT", what: "ledger, lane 1" },
  { name: "ledger2", port: 8283, env: "SEALANE_LEDGER_2_PORT", what: "ledger, lane 2" },
  { name: "ledger3", port: 8383, env: "SEALANE_LEDGER_3_PORT", what: "ledger, lane 3" },
];

/** The same world with so many lanes. */
export const withLanes = (world: World, lanes: number): World =>
  lanes === 1
    ? world
    : { ...world, lanes, ports: [...world.ports, ...lanePortPlan.slice(0, lanes - 1)] };

export const demoWorld: World = {
  wallets,
  providers,
  bankAccounts,
  corridors: [{ corridor: "hkd-php", netting: "multilateral" }],
  feeSchedules,
  liquidity: firstLiquidity,
  ports: portPlan,
};

/** Throws `ports-invalid`, naming every variable that is no port. */
export const portsFromEnv = (env: NodeJS.ProcessEnv): Ports => {
  const ports = {} as Record<PortName, number>;
  const wrong: string[] = [];
  for (const { name, port, env: variable } of [...portPlan, ...dayPortPlan, ...lanePortPlan]) {
    const value = env[variable] ?? "";
    ports[name] = value === "" ? port : Number(value);
    const good = value === "" || (/^[1-9]\d{0,4}$/.test(value) && ports[name] <= 65_535);
    if (!good) wrong.push(`  ${variable}=${value}: a port is a number from 1 to 65535`);
  }
  if (wrong.length === 0) return ports;
  throw new InfraError("ports-invalid", ["These are no ports:", ...wrong].join("\n"));
};
