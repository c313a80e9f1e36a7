// Kafka for a fault world. One broker advertises a proxy's port, so that every client goes through the
// proxy; three make a cluster, with the durability that `infra/src/prepare.ts` gives topics of a cluster.
import { join } from "node:path";
import { freePort, newClusterId, startKafka, type KafkaServer } from "@sealane/infra";
import { mountVolume, type Volume } from "./databases.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

export type Brokers = {
  /** As services get them. */
  readonly addresses: string;
  readonly count: number;
  /** Before the only broker; a cluster has none. */
  readonly proxy: TcpProxy | undefined;
  /** The only broker's own, where it was asked for and may be mounted. */
  readonly volume: Volume | undefined;
  /** Of those that run now. */
  pids(): readonly number[];
  signal(index: number, signal: NodeJS.Signals): void;
  /** Whether it has ended, by itself or not. */
  hasEnded(index: number): Promise<boolean>;
  /** SIGKILL; resolves when it has ended. */
  kill(index: number): Promise<void>;
  /** Starts one that was killed, with the data it had. */
  restart(index: number): Promise<void>;
  stop(): Promise<void>;
};

type Settings = Readonly<Record<string, string | number | boolean>>;
type Start = () => Promise<KafkaServer>;

const singleBroker = async (dir: string): Promise<{ starts: Start[]; proxy: TcpProxy }> => {
  const port = await freePort();
  const proxy = await startTcpProxy(await freePort(), port);
  const options = {
    dir: join(dir, "kafka"),
    port,
    controllerPort: await freePort(),
    logFile: join(dir, "logs", "kafka.log"),
    properties: { "advertised.listeners": `PLAINTEXT://127.0.0.1:${proxy.port}` },
  };
  return { starts: [() => startKafka(options)], proxy };
};

const clusterSettings: Settings = {
  "default.replication.factor": 3,
  "min.insync.replicas": 2,
  "offsets.topic.replication.factor": 3,
  "unclean.leader.election.enable": false,
  // A leader that died is replaced in seconds, not in the 18 s of the defaults.
  "controller.quorum.election.timeout.ms": 1_000,
  "controller.quorum.fetch.timeout.ms": 2_000,
  "replica.lag.time.max.ms": 5_000,
};

const cluster = async (dir: string): Promise<{ starts: Start[]; addresses: string }> => {
  const ids = [1, 2, 3];
  const nodes: { id: number; port: number; controllerPort: number }[] = [];
  for (const id of ids) {
    nodes.push({ id, port: await freePort(), controllerPort: await freePort() });
  }
  const clusterId = newClusterId();
  const voters = nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`);
  const starts = nodes.map(({ id, port, controllerPort }) => {
    const options = {
      dir: join(dir, `kafka-${id}`),
      port,
      controllerPort,
      heapMb: 384,
      logFile: join(dir, "logs", `kafka-${id}.log`),
      clusterId,
      properties: {
        "node.id": id,
        "controller.quorum.voters": voters.join(","),
        ...clusterSettings,
      },
    };
    return () => startKafka(options);
  });
  return { starts, addresses: nodes.map(({ port }) => `127.0.0.1:${port}`).join(",") };
};

/** Starts one broker behind a proxy, or a cluster of three. */
export const startBrokers = async (
  dir: string,
  count: 1 | 3,
  volumeMb?: number,
): Promise<Brokers> => {
  const volume = volumeMb === undefined ? undefined : mountVolume(join(dir, "kafka"), volumeMb);
  const planned = count === 1 ? await singleBroker(dir) : await cluster(dir);
  const { starts } = planned;
  const proxy = "proxy" in planned ? planned.proxy : undefined;
  const running = await Promise.all(starts.map((start) => start()));
  const at = (index: number): KafkaServer => {
    const server = running[index];
    if (server === undefined) throw new Error(`there is no broker ${index}`);
    return server;
  };
  return {
    addresses: "addresses" in planned ? planned.addresses : `127.0.0.1:${planned.proxy.port}`,
    count,
    proxy,
    volume,
    pids: () => running.map(({ pid }) => pid),
    signal: (index, signal) => at(index).kill(signal),
    hasEnded: async (index) =>
      (await Promise.race([at(index).exited, Promise.resolve(undefined)])) !== undefined,
    kill: async (index) => {
      at(index).kill("SIGKILL");
      await at(index).exited;
    },
    restart: async (index) => {
      const start = starts[index];
      if (start !== undefined) running[index] = await start();
    },
    stop: async () => {
      await Promise.all(running.map((server) => server.stop()));
      await proxy?.stop();
      volume?.unmount();
    },
  };
};
