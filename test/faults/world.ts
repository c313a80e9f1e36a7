// A whole system with hands on it: its own folder, its own ports, a proxy before Kafka, Postgres, the
// ledger, every adapter, witness and core; every process can be killed, stopped, continued and restarted by
// its pid. Services reach each other through the proxies; who tests them may go around.
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapterClient, type AdapterClient } from "@sealane/client";
import {
  freePort,
  freePorts,
  sendFirstLiquidity,
  startStack,
  writeKeyLogFile,
  type FirstLiquidity,
  type PortName,
  type Stack,
} from "@sealane/infra";
import type { RawRequest } from "../src/whole-system.ts";
import { startBrokers, type Brokers } from "./brokers.ts";
import { startDatabases, type Databases } from "./databases.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

/** Where a proxy stands before a service's HTTP. */
const proxied = [
  "ledger",
  "hkAdapter",
  "phAdapter",
  "fxDesk",
  "witness",
  "hkCore",
  "phCore",
] as const;
export type Proxied = (typeof proxied)[number];

export type WorldOptions = {
  readonly brokers?: 1 | 3;
  /** A second Postgres that every commit waits for. */
  readonly standby?: boolean;
  /** Kafka on a volume of its own of so many MB. */
  readonly kafkaVolumeMb?: number;
  /** Postgres on a volume of its own of so many MB, which a case may fill. */
  readonly volumeMb?: number;
  readonly liquidity?: readonly FirstLiquidity[];
  readonly onStep?: (step: string) => void;
};

export type FaultWorld = {
  readonly dir: string;
  readonly stack: Stack;
  readonly hk: AdapterClient;
  readonly ph: AdapterClient;
  readonly brokers: Brokers;
  readonly databases: Databases;
  readonly proxies: Readonly<Record<Proxied | "postgres", TcpProxy>>;
  call(side: "hk-wallet" | "ph-wallet", path: string, init?: RawRequest): Promise<Response>;
  /** Ends everything and removes the folder. */
  stop(): Promise<void>;
};

export const startFaultWorld = async (options: WorldOptions = {}): Promise<FaultWorld> => {
  const dir = mkdtempSync(join(tmpdir(), "sealane-faults-"));
  // Postgres's own user walks to its data.
  chmodSync(dir, 0o711);
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.toReversed()) await step();
    // To look at logs and journals afterwards.
    if (process.env["SEALANE_FAULTS_KEEP"] === undefined) {
      rmSync(dir, { recursive: true, force: true });
    }
  };
  try {
    const ports = await freePorts();
    const via: Partial<Record<PortName, number>> = {};
    const proxies = {} as Record<Proxied | "postgres", TcpProxy>;
    for (const name of proxied) {
      const proxy = await startTcpProxy(await freePort(), ports[name]);
      proxies[name] = proxy;
      via[name] = proxy.port;
      undo.push(proxy.stop);
    }
    const started = await Promise.allSettled([
      startBrokers(dir, options.brokers ?? 1, options.kafkaVolumeMb),
      startDatabases(dir, options),
    ]);
    for (const result of started) if (result.status === "fulfilled") undo.push(result.value.stop);
    const [brokers, databases] = started;
    if (brokers.status === "rejected") throw brokers.reason;
    if (databases.status === "rejected") throw databases.reason;
    proxies.postgres = databases.value.proxy;
    const stack = await startStack({
      dir,
      ports,
      via,
      kafkaBrokers: brokers.value.addresses,
      databaseUrl: databases.value.url,
      replication: options.brokers === 3 ? 3 : 1,
      traceRatio: 0.01,
      ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
    });
    undo.push(stack.stop);
    await sendFirstLiquidity(stack.home, stack.brokers, options.liquidity);
    await writeKeyLogFile(stack.home, stack.urls.ledger ?? "");
    const token = (name: string): string =>
      readFileSync(stack.home.keys(name, "api.token"), "utf8").trim();
    const client = (name: string): AdapterClient =>
      adapterClient({ baseUrl: stack.urls[name] ?? "", token: token(name) });
    return {
      dir,
      stack,
      hk: client("hk-wallet"),
      ph: client("ph-wallet"),
      brokers: brokers.value,
      databases: databases.value,
      proxies,
      call: (side, path, init = {}) =>
        fetch(`${stack.urls[side] ?? ""}${path}`, {
          signal: AbortSignal.timeout(30_000),
          ...init,
          headers: { Authorization: `Bearer ${token(side)}`, ...init.headers },
        }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
