// The whole local system as processes: Kafka, Postgres, the wallets' cores, the witnesses and every
// service, in the order in which they need each other. Everything is on 127.0.0.1, in one folder,
// and ends when the one who started it ends.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startKafka, type KafkaServer } from "./kafka.ts";
import { lastWords } from "./last-words.ts";
import { openKafka } from "./open-kafka.ts";
import { startPostgres, type PostgresServer } from "./postgres.ts";
import { migrateAll, topicSpecs } from "./prepare.ts";
import { nodeFlags } from "./node-flags.ts";
import { checkPortsFree, spawnService, waitForReady, type NamedPort } from "./processes.ts";
import type { Home } from "./home.ts";
import { InfraError } from "./infra-error.ts";
import { provision } from "./provision.ts";
import { planServices, settingsText, type Service, type ServiceName } from "./service-plan.ts";
import type { SupervisedProcess } from "./supervised-process.ts";
import { demoWorld, type Ports, type World } from "./world.ts";

export type StackOptions = {
  /** Everything is below this folder. */
  readonly dir: string;
  readonly ports: Ports;
  /** Who takes part; default: the demo's parties. */
  readonly world?: World;
  /** Existing servers; nothing embedded is started for what is given. */
  readonly databaseUrl?: string | undefined;
  readonly kafkaBrokers?: string | undefined;
  /** Told what is being done, for progress. */
  readonly onStep?: (step: string) => void;
  /** The share of transfers that are traced. */
  readonly traceRatio?: number;
  /** Entries for auditors with a token only, as anywhere but on this machine; default: open. */
  readonly closedBundles?: boolean;
  /** Wallets whose adapters have no key: their cores sign. */
  readonly hosted?: readonly string[];
  /** Starts the console too; tests and benchmarks measure the system without its screen. */
  readonly console?: boolean;
  /** More settings for every service. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ports of proxies through which the services reach each other, where one stands in between. */
  readonly via?: Partial<Ports>;
  /** Copies of each topic: 1, or 3 in a cluster. */
  readonly replication?: number;
};

/** How one start of a service differs from the plan: what fault tests load into it. */
export type LaunchChanges = {
  readonly env?: Readonly<Record<string, string>>;
  /** Before the entry, e.g. `--import`. */
  readonly nodeArgs?: readonly string[];
};

export type Stack = {
  readonly home: Home;
  readonly ports: Ports;
  readonly urls: Readonly<Record<string, string>>;
  readonly brokers: string;
  readonly databaseUrl: string;
  /** A running service's process. */
  process(name: ServiceName): SupervisedProcess;
  /** Every process of the stack, by name, for measuring. */
  pids(): Readonly<Record<string, number>>;
  /** Starts a service (again); resolves when it is ready. */
  start(name: ServiceName, changes?: LaunchChanges): Promise<void>;
  /** Ends one service with SIGKILL, as a machine would. */
  kill(name: ServiceName): Promise<void>;
  /** Ends one service cleanly. */
  end(name: ServiceName): Promise<void>;
  /** Ends everything that was started, in reverse. */
  stop(): Promise<void>;
  /** Resolves when a process ended that nobody asked to end. */
  readonly failed: Promise<string>;
};

const readyMs = 60_000;

/** The ports that this start will listen on: not those of servers that are given. */
const portsNeeded = ({
  ports,
  kafkaBrokers,
  databaseUrl,
  world = demoWorld,
}: StackOptions): NamedPort[] =>
  world.ports
    .filter(({ name }) => kafkaBrokers === undefined || !name.startsWith("kafka"))
    .filter(({ name }) => databaseUrl === undefined || name !== "postgres")
    .map(({ name, env, what }) => ({ name: what, port: ports[name], env }));

/** Says which setting led to a server of the reader's that does not do; a URL may hold a password. */
const unusable =
  (variable: string, given: string | undefined) =>
  (error: unknown): never => {
    if (given === undefined) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const message =
      `the server of ${variable} cannot be used: ${why}\n` +
      `  Look at its address, and whether it runs; or unset ${variable}: then one is started here.`;
    throw new InfraError("server-unusable", message, error);
  };

/** Starts all of it; what was started is stopped again when something fails. */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  const { ports, dir, world = demoWorld } = options;
  const step = options.onStep ?? (() => undefined);
  // Passable, so that Postgres's own user reaches its data; keys and state are in private folders.
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  step("ports");
  await checkPortsFree(portsNeeded(options));
  step("keys and policies");
  const reach = { ...ports, ...options.via };
  const home = await provision(dir, ports, options.hosted, reach, world);
  const running = new Map<ServiceName, SupervisedProcess>();
  const expected = new Set<SupervisedProcess>();
  let kafka: KafkaServer | undefined;
  let postgres: PostgresServer | undefined;
  let stopped = false;
  let fail: (detail: string) => void = () => undefined;
  const failed = new Promise<string>((resolve) => {
    fail = resolve;
  });

  const stop = async (): Promise<void> => {
    stopped = true;
    const all = [...running.values()].reverse();
    await Promise.all(all.map((child) => child.stop(8_000)));
    await Promise.all([kafka?.stop(), postgres?.stop()]);
  };

  try {
    step("Kafka and Postgres");
    [kafka, postgres] = await Promise.all([
      options.kafkaBrokers === undefined
        ? startKafka({
            dir: join(dir, "kafka"),
            port: ports.kafka,
            controllerPort: ports.kafkaController,
            logFile: home.path("logs", "kafka.log"),
          })
        : undefined,
      options.databaseUrl === undefined
        ? startPostgres({
            dir: join(dir, "postgres"),
            port: ports.postgres,
            logFile: home.path("logs", "postgres.log"),
          })
        : undefined,
    ]);
    const brokers = options.kafkaBrokers ?? kafka?.brokers ?? "";
    const databaseUrl = options.databaseUrl ?? postgres?.url ?? "";
    step("topics and tables");
    const messaging = openKafka(brokers, "sealane-setup");
    await Promise.all([
      messaging
        .admin()
        .ensureTopics(topicSpecs(options.replication ?? 1, world))
        .catch(unusable("KAFKA_BROKERS", options.kafkaBrokers)),
      migrateAll(home, databaseUrl, world).catch(unusable("DATABASE_URL", options.databaseUrl)),
    ]);
    const { traceRatio, env, closedBundles, hosted } = options;
    const openBundles = closedBundles !== true;
    const reached = { home, ports, reach, world, brokers, databaseUrl };
    const services = planServices({ ...reached, traceRatio, env, openBundles, hosted });

    const ledger = services.find(({ name }) => name === "ledger");
    // For `sealane recover`, which acts for a ledger that is down. No secret: keys are named by path.
    if (ledger !== undefined) {
      writeFileSync(home.path("state", "ledger.env"), settingsText(ledger), { mode: 0o600 });
    }

    const launch = async (service: Service, changes: LaunchChanges = {}): Promise<void> => {
      const child = await spawnService({
        name: service.name,
        entry: service.entry,
        env: { ...service.env, ...changes.env },
        logFile: home.path("logs", `${service.name}.log`),
        nodeArgs: [...nodeFlags, ...(changes.nodeArgs ?? [])],
      });
      running.set(service.name, child);
      void child.exited.then(() => {
        if (stopped || expected.has(child) || running.get(service.name) !== child) return;
        const log = home.path("logs", `${service.name}.log`);
        fail(`${service.name} ended by itself: ${lastWords(log)}see ${log}`);
      });
    };
    const ready = ({ name, url }: Service): Promise<void> => {
      const path = name === "cores" ? "livez" : "readyz";
      const child = running.get(name);
      const logFile = home.path("logs", `${name}.log`);
      return waitForReady(`${url}/${path}`, readyMs, child && { exited: child.exited, logFile });
    };
    const find = (name: ServiceName): Service => {
      const service = services.find((candidate) => candidate.name === name);
      if (service === undefined) throw new Error(`no service is named ${name}`);
      return service;
    };

    const present = services
      .filter(({ name }) => name !== "console" || options.console === true)
      .filter(({ entry }) => existsSync(entry));
    step("services");
    for (const service of present) await launch(service);
    await Promise.race([
      Promise.all(present.map(ready)),
      failed.then((detail) => Promise.reject(new Error(detail))),
    ]);

    return {
      home,
      ports,
      brokers,
      databaseUrl,
      urls: Object.fromEntries(present.map(({ name, url }) => [name, url])),
      process: (name) => {
        const child = running.get(name);
        if (child === undefined) throw new Error(`${name} is not running`);
        return child;
      },
      pids: () => ({
        ...Object.fromEntries([...running].map(([name, child]) => [name, child.pid])),
        ...(kafka === undefined ? {} : { kafka: kafka.pid }),
        ...(postgres === undefined ? {} : { postgres: postgres.pid }),
      }),
      start: async (name, changes) => {
        await launch(find(name), changes);
        await ready(find(name));
      },
      kill: async (name) => {
        const child = running.get(name);
        if (child === undefined) return;
        expected.add(child);
        child.kill("SIGKILL");
        await child.exited;
      },
      end: async (name) => {
        const child = running.get(name);
        if (child === undefined) return;
        expected.add(child);
        await child.stop(8_000);
      },
      stop,
      failed,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
