// Who gets at which topic, tried pair by pair on a broker of the test's own that has logins, TLS and
// Kafka's own authorizer. What may be is written down here a second time, from `decisions.md`.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMessaging, type MessagingConfig } from "@sealane/messaging";
import { readKafkaSettings } from "@sealane/runtime";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { accessRules, quotas } from "./kafka-access.ts";
import { readQuotas, setQuota } from "./kafka-quotas.ts";
import { kafkaSecurity } from "./kafka-security.ts";
import { startKafka, type KafkaServer } from "./kafka.ts";
import { freePort } from "./ports.ts";
import { topicSpecs } from "./prepare.ts";

const hk = "hk-wallet.example";
const ph = "ph-wallet.example";
const fx = "fx-desk.example";

/** By topic: who writes, who reads. Nobody else does. */
const table: Readonly<Record<string, readonly [writers: string[], readers: string[]]>> = {
  "lane.0": [[hk, ph, fx, "operators", "reconciliation"], ["ledger"]],
  "entries.0": [["ledger"], ["ledger", "reconciliation", "console"]],
  [`inbox.${hk}`]: [["ledger"], [hk]],
  [`inbox.${ph}`]: [["ledger"], [ph]],
  [`inbox.${fx}`]: [["ledger"], [fx]],
  "deadletter.ledger": [["ledger"], ["operators"]],
  "deadletter.reconciliation": [["reconciliation"], ["operators"]],
  [`deadletter.${hk}`]: [[hk], ["operators"]],
  [`deadletter.${ph}`]: [[ph], ["operators"]],
  [`deadletter.${fx}`]: [[fx], ["operators"]],
};
const topics = Object.keys(table);
/** The last one is of no party: a login is not yet a right. */
const principals = [hk, ph, fx, "ledger", "reconciliation", "console", "operators", "stranger"];
const password = (name: string): string => `secret-of-${name}`;

const dir = mkdtempSync(join(tmpdir(), "sealane-kafka-"));
const path = (name: string): string => join(dir, name);
let kafka: KafkaServer;
let tlsPort: number;

const openssl = (...args: string[]): void =>
  void execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });

/** An authority of our own, and a certificate of it for 127.0.0.1. */
const makeCertificates = (): void => {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  for (const name of ["ca", "other"]) {
    const out = ["-keyout", `${name}.key`, "-out", `${name}.pem`];
    openssl("req", "-x509", ...curve, "-subj", `/CN=${name}`, "-days", "2", ...out);
  }
  const request = ["-subj", "/CN=kafka", "-keyout", "kafka.key", "-out", "kafka.csr"];
  openssl("req", ...curve, ...request);
  writeFileSync(path("names"), "subjectAltName=IP:127.0.0.1\n");
  const signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
  const sign = ["-in", "kafka.csr", "-extfile", "names", "-out", "kafka.pem"];
  openssl("x509", "-req", ...signer, ...sign);
  const read = (name: string): string => readFileSync(path(name), "utf8");
  writeFileSync(path("keystore.pem"), `${read("kafka.key")}${read("kafka.pem")}`, { mode: 0o600 });
};

const passwordFile = (name: string, text = password(name)): string => {
  const file = path(`${name}.password`);
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return file;
};

const as = (username: string): MessagingConfig => ({
  brokers: [kafka.brokers],
  clientId: `test-${username}`,
  sasl: { mechanism: "scram-sha-512", username, passwordFile: passwordFile(username) },
});

beforeAll(async () => {
  makeCertificates();
  const port = await freePort();
  const controllerPort = await freePort();
  tlsPort = await freePort();
  kafka = await startKafka({
    dir: path("broker"),
    port,
    controllerPort,
    heapMb: 384,
    logFile: path("kafka.log"),
    security: kafkaSecurity({
      port,
      tlsPort,
      controllerPort,
      admin: { name: "admin", password: password("admin") },
      users: principals.map((name) => ({ name, password: password(name) })),
      keystoreFile: path("keystore.pem"),
    }),
  });
  const admin = createMessaging(as("admin")).admin();
  await admin.ensureTopics(topicSpecs(1));
  const rules = accessRules();
  expect(await admin.ensureAccess(rules)).toEqual([]);
  // The controller has them; the broker takes them over in order, a moment later.
  const last = rules.findLast(({ operation }) => operation === "write");
  const there = async (): Promise<void> =>
    expect(await tryWrite(as(last?.principal ?? ""), last?.topic ?? "")).toBe("ok");
  await vi.waitFor(there, { timeout: 60_000, interval: 100 });
});

afterAll(async () => {
  await kafka?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The protocol's name of what the broker refused, or `ok`. */
const verdictOf = (error: unknown): string => {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { type } = at as { type?: unknown };
    if (typeof type === "string") return type;
  }
  return error instanceof Error ? error.message : "ok";
};

const tryWrite = async (config: MessagingConfig, topic: string): Promise<string> => {
  const producer = createMessaging(config).producer();
  try {
    await producer.send([{ topic, value: "a try" }], { deadlineMs: 5_000 });
    return "ok";
  } catch (error) {
    return verdictOf(error);
  } finally {
    await producer.stop(0);
  }
};

/** One record, or the first refusal: each topic holds one before anybody reads. */
const tryRead = async (config: MessagingConfig, topic: string): Promise<string> => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const consumer = createMessaging(config).consumer({
    topic,
    groupId: "a-try",
    fromOffset: () => Promise.resolve(0n),
    onBatch: () => Promise.resolve(resolve("ok")),
    onError: (error) => resolve(verdictOf(error)),
  });
  const verdict = await promise;
  await consumer.stop(0);
  return verdict;
};

const denied = "TOPIC_AUTHORIZATION_FAILED";

describe("every pair of a principal and a topic", () => {
  test.each(principals)("%s writes what it may, and nothing else", async (principal) => {
    for (const topic of topics) {
      const may = table[topic]?.[0].includes(principal) === true;
      expect(await tryWrite(as(principal), topic), topic).toBe(may ? "ok" : denied);
    }
  });

  test.each(principals)("%s reads what it may, and nothing else", async (principal) => {
    for (const topic of topics) await tryWrite(as("admin"), topic);
    for (const topic of topics) {
      const may = table[topic]?.[1].includes(principal) === true;
      expect(await tryRead(as(principal), topic), topic).toBe(may ? "ok" : denied);
    }
  });

  test("is in the rules as it is here, and the rules are all there is", async () => {
    const expected = topics.flatMap((topic) => {
      const [writers, readers] = table[topic] ?? [[], []];
      return [
        ...writers.map((one) => `${one} write ${topic}`),
        ...readers.map((one) => `${one} read ${topic}`),
      ];
    });
    const rules = accessRules().map(
      ({ principal, operation, topic }) => `${principal} ${operation} ${topic}`,
    );
    expect(rules.toSorted()).toEqual(expected.toSorted());
    const admin = createMessaging(as("admin")).admin();
    const fewer = accessRules().slice(1);
    // A rule that somebody else has added is shown.
    expect(await admin.ensureAccess(fewer)).toEqual(["User:ledger lane.0 3"]);
  });

  test("no participant makes topics, or rules for itself", async () => {
    const admin = createMessaging(as(hk)).admin();
    const topic = { topic: "mine", partitions: 1, replication: 1 } as const;
    await expect(admin.ensureTopics([topic])).rejects.toThrow();
    const rule = { principal: hk, operation: "read", topic: `inbox.${ph}` } as const;
    await expect(admin.ensureAccess([rule])).rejects.toThrow();
    expect(await tryRead(as(hk), `inbox.${ph}`)).toBe(denied);
  });
});

describe("a broker with logins", () => {
  test("lets nobody in without one, or with another's password", async () => {
    const open: MessagingConfig = { brokers: [kafka.brokers], clientId: "nobody" };
    expect(await tryRead(open, `inbox.${hk}`)).not.toBe("ok");
    const sasl = { mechanism: "scram-sha-512", username: hk } as const;
    const wrong = { ...open, sasl: { ...sasl, passwordFile: passwordFile("wrong", "guessed") } };
    expect(await tryRead(wrong, `inbox.${hk}`)).not.toBe("ok");
    expect(await tryRead(as(hk), `inbox.${hk}`)).toBe("ok");
  });

  test("is reached by TLS with an authority of one's own, and by no other", async () => {
    const env = {
      KAFKA_BROKERS: `127.0.0.1:${tlsPort}`,
      SEALANE_KAFKA_USER: hk,
      SEALANE_KAFKA_PASSWORD_FILE: passwordFile(hk),
    };
    const config = (ca: string | undefined): MessagingConfig => ({
      ...readKafkaSettings(ca === undefined ? env : { ...env, SEALANE_KAFKA_CA_FILE: path(ca) }),
      clientId: "tls",
    });
    expect(await tryWrite(config("ca.pem"), "lane.0")).toBe("ok");
    expect(await tryWrite(config("ca.pem"), "entries.0")).toBe(denied);
    expect(await tryRead(config("ca.pem"), `inbox.${hk}`)).toBe("ok");
    expect(await tryRead(config("other.pem"), `inbox.${hk}`)).not.toBe("ok");
    expect(await tryRead(config(undefined), `inbox.${hk}`)).not.toBe("ok");
  });

  test("holds each principal that writes to lanes to a quota", async () => {
    const lines = [
      "security.protocol=SASL_PLAINTEXT",
      "sasl.mechanism=SCRAM-SHA-512",
      "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required " +
        `username="admin" password="${password("admin")}";`,
    ];
    writeFileSync(path("admin.properties"), `${lines.join("\n")}\n`, { mode: 0o600 });
    const tool = { brokers: kafka.brokers, commandConfig: path("admin.properties") };
    for (const quota of quotas()) await setQuota(tool, quota);
    const found = await readQuotas(tool);
    const writers = table["lane.0"]?.[0] ?? [];
    expect([...found.keys()].toSorted()).toEqual(writers.toSorted());
    for (const { principal, producerBytesPerSecond } of quotas()) {
      expect(found.get(principal)).toBe(producerBytesPerSecond);
    }
  }, 180_000);
});
