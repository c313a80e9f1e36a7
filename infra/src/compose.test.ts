// docker-compose.yml is written by hand, and so are the files of what watches the system: these tests
// hold them against the plan of services, the ports and the metrics that the code really has.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { homeAt } from "./home.ts";
import { nodeFlags } from "./node-flags.ts";
import { httpPorts, planServices } from "./service-plan.ts";
import { portsFromEnv } from "./world.ts";

type Compose = {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
type ComposeService = {
  readonly image?: string;
  readonly command?: string | readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly network_mode?: string;
  readonly networks?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly restart?: string;
  readonly volumes?: readonly string[];
};

const root = join(import.meta.dirname, "../..");
const text = (path: string): string => readFileSync(join(root, path), "utf8");
const yaml = <T>(path: string): T => parse(text(path), { merge: true }) as T;

const compose = yaml<Compose>("docker-compose.yml");
const services = Object.entries(compose.services);
const plan = planServices({
  home: homeAt("/var/lib/sealane"),
  ports: portsFromEnv({}),
  brokers: "kafka-1:9092",
  databaseUrl: "postgres://postgres:5432/postgres",
  openBundles: false,
});
const networksOf = ({ networks = [] }: ComposeService): readonly string[] =>
  Array.isArray(networks) ? networks : Object.keys(networks);
const podPorts = httpPorts.map(({ port }) => port);

describe("docker-compose.yml", () => {
  test.each(plan)(
    "runs $name on the pod's loopback, and asks it whether it is ready",
    (service) => {
      const found = compose.services[service.name];
      expect(found).toMatchObject({
        command: ["infra/src/run-service.ts", service.name],
        network_mode: "service:pod",
        read_only: true,
        restart: "unless-stopped",
      });
      expect(found?.healthcheck?.test.at(-1)).toBe(`${service.url}/readyz`);
    },
  );

  test("publishes on 127.0.0.1 only, and of the pod every port of the plan by its variable", () => {
    const published = services.flatMap(([, { ports = [] }]) => ports);
    for (const port of published) {
      expect(port).toMatch(/^127\.0\.0\.1:\$\{SEALANE_[A-Z_]+_PORT:-\d+\}:\d+$/);
    }
    expect(compose.services.pod?.ports).toEqual(
      httpPorts.map(({ env, port }) => `127.0.0.1:\${${env}:-${port}}:${port}`),
    );
  });

  test("names an exact version of every image, the same as the Dockerfile's Node and ours", () => {
    const images = services.map(([, { image }]) => image ?? "");
    for (const image of images) expect(image).toMatch(/^[a-z/-]+:v?\d+\.\d+(\.\d+)?(-[a-z-]+)?$/);
    const { version, dependencies } = JSON.parse(text("package.json")) as {
      version: string;
      dependencies: { node: string };
    };
    expect(images).toContain(`sealane:${version}`);
    const bases = [...text("infra/docker/Dockerfile").matchAll(/^FROM (\S+)/gm)];
    for (const [, base] of bases) expect(base).toBe(`node:${dependencies.node}-trixie-slim`);
    expect(bases.length).toBeGreaterThan(0);
  });

  test("starts services with the flags that they have here", () => {
    const entry = /^ENTRYPOINT (.+)$/m.exec(text("infra/docker/Dockerfile"))?.[1] ?? "[]";
    expect(JSON.parse(entry)).toEqual(["node", ...nodeFlags]);
  });

  test("keeps servers off the network that leads out, and every password in a file", () => {
    const outside = services.filter(([, service]) => networksOf(service).includes("door"));
    expect(new Set(outside.map(([name]) => name))).toEqual(
      new Set(["grafana", "pod", "prometheus"]),
    );
    for (const [, { environment = {} }] of services) {
      for (const [name, value] of Object.entries(environment)) {
        if (/PASSWORD|SECRET|TOKEN/.test(name)) expect(value, name).toMatch(/^\//);
        expect(value, name).not.toMatch(/:\/\/[^/]*:[^/]*@/);
      }
    }
  });

  test("mounts only volumes that it declares and files that exist", () => {
    const sources = services.flatMap(([, { volumes = [] }]) => volumes.map((v) => v.split(":")[0]));
    for (const source of sources) {
      if (source?.startsWith("./") === true) expect(() => readAny(source)).not.toThrow();
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
  });

  test("waits for two of three brokers in everything that is written", () => {
    const brokers = services.filter(([, { image }]) => image?.startsWith("apache/kafka"));
    expect(brokers).toHaveLength(3);
    for (const [, { environment }] of brokers) {
      expect(environment).toMatchObject({
        KAFKA_MIN_INSYNC_REPLICAS: "2",
        KAFKA_DEFAULT_REPLICATION_FACTOR: "3",
        KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE: "false",
        KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
      });
    }
    expect(compose.services.setup?.environment?.SEALANE_KAFKA_REPLICATION).toBe("3");
  });
});

const readAny = (path: string): void => {
  if (/\.\w+$/.test(path)) readFileSync(join(root, path));
  else readdirSync(join(root, path));
};

type Prometheus = {
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly static_configs: readonly {
      readonly targets: readonly string[];
      readonly labels: { readonly service: string };
    }[];
  }[];
};

describe("what watches the system", () => {
  const collector = yaml<{
    receivers: { httpcheck: { targets: readonly { endpoint: string }[] } };
    exporters: { prometheus: { endpoint: string } };
  }>("infra/observability/otel-collector.yaml");
  const targets = yaml<Prometheus>("infra/observability/prometheus.yml").scrape_configs.flatMap(
    (job) => job.static_configs.map(({ targets: [target], labels }) => [labels.service, target]),
  );

  test("scrapes every service where it listens, and the collector where it answers", () => {
    // The simulated cores stand for systems of others: their metrics are not scraped.
    const expected = plan
      .filter(({ name }) => name !== "cores")
      .map(({ name, url }) => [name, `pod:${new URL(url).port}`]);
    const exported = collector.exporters.prometheus.endpoint.replace(
      /^0\.0\.0\.0/,
      "otel-collector",
    );
    expect(new Set(targets)).toEqual(new Set([...expected, ["otel-collector", exported]]));
  });

  test("looks at every /readyz", () => {
    expect(collector.receivers.httpcheck.targets.map(({ endpoint }) => endpoint)).toEqual(
      podPorts.map((port) => `http://pod:${port}/readyz`),
    );
  });

  test("asks only for metrics that the code has", () => {
    const known = metricsInCode();
    const asked = metricsAskedFor();
    expect(asked.size).toBeGreaterThan(15);
    expect([...asked].filter((name) => !known.has(name))).toEqual([]);
  });
});

/** Names made by `telemetry.counter`, `histogram` and `gauge`, and those of every process. */
const metricsInCode = (): Set<string> => {
  const files = ["services", "packages"].flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
      .filter((file) => /src\/.+\.ts$/.test(file) && !file.includes("node_modules"))
      .map((file) => text(join(room, file))),
  );
  const made = files.flatMap((source) => [
    ...source.matchAll(/(?:counter|histogram|gauge|Counter|Gauge)\(\s*"([a-z0-9_]+)"/g),
  ]);
  return new Set(made.map(([, name = ""]) => name));
};

/** Names of ours in the alerts and on the dashboard, without what Prometheus adds to them. */
const metricsAskedFor = (): Set<string> => {
  const asked = [
    text("infra/observability/alerts.yml"),
    text("infra/observability/grafana/dashboards/sealane.json"),
  ].flatMap((file) => [...file.matchAll(/\b(?:sealane|witness|process|nodejs)_[a-z0-9_]+\b/g)]);
  const plain = (name: string): string =>
    name.startsWith("process_") ? name : name.replace(/_(total|bucket|sum|count)$/, "");
  return new Set(asked.map(([name]) => plain(name)));
};
