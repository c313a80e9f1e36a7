// Wires reconciliation: configuration → policy → books → topic, HTTP. It follows one lane's log as a
// verifier, on another code path than the ledger's, and keeps double entries of it in Postgres.
import { readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { makeLogReader, type LogReader } from "@sealane/client";
import { openServiceDatabase } from "@sealane/database";
import { createHttpApp, health, startHttp } from "@sealane/http";
import { createMessaging, type Consumer, type Messaging, type Producer } from "@sealane/messaging";
import { deadLetterTopic, entriesTopic, formatTime, type DeadLetter } from "@sealane/protocol";
import { loadConfig, onShutdown, pause } from "@sealane/runtime";
import { selfTest } from "@sealane/signer";
import { createLogger, startTelemetry, type Telemetry } from "@sealane/telemetry";
import { parsePolicy, sha256, toBase64 } from "@sealane/tlog";
import { makeBalanceReader } from "./balances.ts";
import { makeBooks, type Books } from "./books.ts";
import { reconciliationConfigSchema } from "./config.ts";
import { makeFollower, type Follower } from "./follower.ts";
import { makeKeyCopy } from "./key-copy.ts";
import { mountRoutes, type Progress } from "./routes.ts";
import { makeBookStore } from "./store.ts";

const config = loadConfig(reconciliationConfigSchema);
const lane = config.SEALANE_LANE;
const log = createLogger({ service: "reconciliation", level: config.SEALANE_LOG_LEVEL });
const stopping = new AbortController();
/** How often the ledger's own checkpoint is read: newest size, and a seal that was missed. */
const pollMs = 2_000;

const stopped = (): Promise<void> =>
  new Promise((resolve) => {
    if (stopping.signal.aborted) resolve();
    else stopping.signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** A record that nobody can read says where it was, never what. */
const makeDeadLetters = (producer: Producer) => {
  const topic = entriesTopic(lane);
  return async (offset: bigint, value: Uint8Array | null, code: string, detail: string) => {
    const bytes = value ?? new Uint8Array();
    const letter: DeadLetter = {
      v: 1,
      topic,
      offset: String(offset),
      size: bytes.length,
      hash: toBase64(sha256(bytes)),
      code,
      detail: detail.slice(0, 300),
      time: formatTime(Date.now()),
    };
    log.warn({ code, offset: String(offset) }, "a record of the topic cannot be read");
    await producer.send([
      { topic: deadLetterTopic("reconciliation"), value: JSON.stringify(letter) },
    ]);
  };
};

const startConsumer = (messaging: Messaging, books: Books, follower: Follower): Consumer => {
  let offsetLost = false;
  return messaging.consumer({
    topic: entriesTopic(lane),
    groupId: `reconciliation-${lane}`,
    fromOffset: async () => {
      const { nextOffset } = await books.position();
      // Older than the topic's retention: from its beginning, and the gap from the ledger's log.
      return offsetLost ? undefined : nextOffset;
    },
    onBatch: async (records) => {
      if (books.trouble() === undefined) await follower.take(records);
      offsetLost = false;
      const trouble = books.trouble();
      if (trouble === undefined) return;
      log.fatal({ ...trouble }, "the log is not what it must be: nothing is applied from here on");
      await stopped();
    },
    onError: (err) => {
      offsetLost = err.code === "offset-lost";
      log.warn({ err }, "following the log failed, beginning again");
    },
  });
};

const pollCheckpoint = async (reader: LogReader, follower: Follower): Promise<void> => {
  while (!stopping.signal.aborted) {
    try {
      await follower.takeCheckpoint(await reader.checkpoint());
    } catch (err) {
      log.debug({ err }, "the ledger's checkpoint could not be read");
    }
    await pause(pollMs, stopping.signal);
  }
};

const gauges = (telemetry: Telemetry, books: Books, follower: Follower): void => {
  const size = (): number => books.view()?.size ?? 0;
  telemetry.gauge("sealane_books_size", "Entries applied", size);
  telemetry.gauge("sealane_books_sealed_size", "Entries under a cosigned checkpoint", () => {
    return books.view()?.seal.size ?? 0;
  });
  telemetry.gauge("sealane_books_lag", "Entries that exist and are not applied", () =>
    Math.max(0, follower.heard() - size()),
  );
  telemetry.gauge("sealane_checkpoint_age_ms", "Since the newest seal, while entries wait", () => {
    const view = books.view();
    if (view === undefined || view.seal.size >= view.size) return 0;
    return Math.max(0, Date.now() - Math.max(view.seal.timeMs, 0));
  });
  telemetry.gauge("sealane_books_stopped", "1: a bad entry or contradiction was found", () =>
    books.trouble() === undefined ? 0 : 1,
  );
};

const main = async (): Promise<void> => {
  // Before any thread is started, so that the threads that judge signatures step back too.
  setPriority(config.SEALANE_RECONCILIATION_NICE);
  await selfTest();
  const telemetry = startTelemetry({
    service: "reconciliation",
    version: "0.1.0",
    tracesFile: config.SEALANE_TRACES_FILE,
    otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    sampleRatio: config.SEALANE_TRACE_RATIO,
  });
  const policy = parsePolicy(readFileSync(config.SEALANE_POLICY_FILE, "utf8"));
  const origin = policy.logs[0]?.key.name ?? "";
  const { database, sql } = openServiceDatabase({
    url: config.DATABASE_URL,
    user: config.SEALANE_DATABASE_USER,
    passwordFile: config.SEALANE_DATABASE_PASSWORD_FILE,
    schema: config.SEALANE_DATABASE_SCHEMA,
    applicationName: "sealane-reconciliation",
    poolSize: 4,
    onConnectionLost: (err) => log.warn({ err }, "database connection lost"),
  });
  const messaging = createMessaging({
    brokers: config.KAFKA_BROKERS.split(","),
    clientId: `reconciliation-${lane}`,
  });
  const producer = messaging.producer();
  const reader = makeLogReader(`${config.SEALANE_LEDGER_URL}/log`);
  const refusedSeals = telemetry.counter("sealane_refused_seals", "Checkpoints that do not count");
  const books = makeBooks({
    origin,
    policy,
    store: makeBookStore(sql, lane),
    keys: makeKeyCopy(makeLogReader(`${config.SEALANE_LEDGER_URL}/log/keys`), policy),
    signatures: config.SEALANE_RECONCILIATION_SIGNATURES === "all",
    onRefusedSeal: (detail) => {
      refusedSeals.add();
      log.warn({ detail }, "a checkpoint does not count");
    },
  });
  const deadLetter = makeDeadLetters(producer);
  const follower = makeFollower({
    lane,
    books,
    log: reader,
    onUnreadable: ({ offset, value }, code, detail) => deadLetter(offset, value, code, detail),
  });
  gauges(telemetry, books, follower);

  const progress = async (): Promise<Progress> => {
    const view = books.view();
    const nextSeq = view?.size ?? 0;
    return {
      lane,
      origin,
      nextSeq,
      sealedSize: view?.seal.size ?? 0,
      lag: Math.max(0, follower.heard() - nextSeq),
      logTime: view === undefined || view.size === 0 ? undefined : formatTime(view.logTimeMs),
      trouble: books.trouble(),
    };
  };
  const app = createHttpApp({ name: "Sealane reconciliation", logger: log });
  mountRoutes({ app, balances: makeBalanceReader(sql, lane), progress });
  health(app, {
    ready: () => {
      const trouble = books.trouble();
      const loaded = books.view() === undefined ? "not loaded yet" : "ok";
      const entries =
        trouble === undefined
          ? loaded
          : `stopped at position ${trouble.position}: ${trouble.code} ${trouble.detail}`;
      return { ok: entries === "ok", checks: { entries } };
    },
    metrics: telemetry.metricsHandler,
  });
  const http = await startHttp({ app, port: config.SEALANE_RECONCILIATION_PORT });
  log.info({ url: http.url, origin }, "reconciliation listens");
  const consumer = startConsumer(messaging, books, follower);
  const polling = pollCheckpoint(reader, follower);

  onShutdown(
    [
      { name: "stop following", run: () => stopping.abort() },
      { name: "stop consumer", run: () => consumer.stop() },
      { name: "stop polling", run: () => polling },
      { name: "keep", run: () => books.keep() },
      { name: "stop producer", run: () => producer.stop() },
      { name: "close http", run: () => http.close() },
      { name: "close database", run: () => database.close() },
      { name: "telemetry", run: () => telemetry.shutdown() },
    ],
    { onStart: (reason, err) => log.info({ reason, err }, "stopping") },
  );
};

await main();
