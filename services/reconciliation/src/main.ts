// Wires reconciliation: configuration → store → key log → bookkeeper → topic, log watch and HTTP.
import { readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { makeLogReader, watchKeyLog, type KeyWatch } from "@sealane/client";
import { openServiceDatabase } from "@sealane/database";
import { bearerAuth, createHttpApp, health, startHttp, type Readiness } from "@sealane/http";
import { createMessaging, type Consumer } from "@sealane/messaging";
import { kafkaSettings, loadConfig, onShutdown, pause, readSecretFile } from "@sealane/runtime";
import { selfTest } from "@sealane/signer";
import { createLogger, startTelemetry } from "@sealane/telemetry";
import { parsePolicy } from "@sealane/tlog";
import { openBreaks } from "./breaks/open-breaks.ts";
import { makeBookReader } from "./book-reader.ts";
import { makeBookTelemetry, makeGauges } from "./book-telemetry.ts";
import { makeBookkeeper, type Bookkeeper } from "./bookkeeper.ts";
import { makeBooksStore } from "./books-store.ts";
import { reconciliationConfigSchema } from "./config.ts";
import { consumeEntries, makeDeadLetters } from "./consume.ts";
import { openSettlement, readStaffTokens } from "./open-settlement.ts";
import { mountRoutes } from "./routes.ts";
import { watchLog } from "./watch-log.ts";

const config = loadConfig(reconciliationConfigSchema);
const log = createLogger({ service: "reconciliation", level: config.SEALANE_LOG_LEVEL });
const clock = (): number => Date.now();

type Reading = {
  consumer: Consumer | undefined;
  /** Why nothing could be read, or undefined. */
  trouble: string | undefined;
  heardAtMs: number;
};

const openStore = () =>
  openServiceDatabase({
    url: config.DATABASE_URL,
    user: config.SEALANE_DATABASE_USER,
    passwordFile: config.SEALANE_DATABASE_PASSWORD_FILE,
    schema: config.SEALANE_DATABASE_SCHEMA,
    applicationName: "sealane-reconciliation",
    poolSize: 4,
    onConnectionLost: (err) => log.warn({ err }, "database connection lost"),
  });

const readLedgerToken = (): string | undefined => {
  const tokenFile = config.SEALANE_LEDGER_TOKEN_FILE;
  return tokenFile === undefined ? undefined : readSecretFile(tokenFile);
};

const openLog = (policyPath: string) => {
  const policy = parsePolicy(readFileSync(policyPath, "utf8"));
  const token = readLedgerToken();
  const url = `${config.SEALANE_LEDGER_URL}/log`;
  const reader = makeLogReader(url, 5_000, token);
  const keys = watchKeyLog(makeLogReader(`${url}/keys`), policy, log);
  return { policy, reader, keys, origin: policy.logs[0]?.key.name ?? "" };
};

const readinessOf =
  (keys: KeyWatch, bookkeeper: Bookkeeper, reading: () => string | undefined) => (): Readiness => {
    const fault = bookkeeper.fault();
    const checks = {
      books: fault === undefined ? "ok" : `at ${fault.position}: ${fault.code}: ${fault.detail}`,
      keys: keys.history() === undefined ? "not read yet" : "ok",
      reading: reading() ?? "ok",
    };
    return { ok: Object.values(checks).every((check) => check === "ok"), checks };
  };

/** Once, beside the work: whether somebody else wrote to the tables while we were away. */
const checkBooks = async (bookkeeper: Bookkeeper): Promise<void> => {
  try {
    const startedMs = clock();
    const accounts = await bookkeeper.check();
    const tookMs = clock() - startedMs;
    if (accounts.length === 0) log.info({ tookMs }, "every balance is the sum of its postings");
  } catch (err) {
    log.warn({ err }, "balances could not be compared with their postings");
  }
};

const main = async (): Promise<void> => {
  await selfTest();
  const telemetry = startTelemetry({
    service: "reconciliation",
    version: "0.1.0",
    tracesFile: config.SEALANE_TRACES_FILE,
    otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    sampleRatio: config.SEALANE_TRACE_RATIO,
  });
  const observed = makeBookTelemetry(telemetry, clock);
  const lane = config.SEALANE_LANE;
  const { policy, reader, keys, origin } = openLog(config.SEALANE_POLICY_FILE);
  const { database, sql } = openStore();
  const messaging = createMessaging({ ...kafkaSettings(config), clientId: "reconciliation" });
  const producer = messaging.producer();
  const reading: Reading = { consumer: undefined, trouble: "not begun", heardAtMs: clock() };
  const onDeadLetter = makeDeadLetters({
    lane,
    producer,
    clock,
    onLetter: observed.deadLetter,
    log,
  });
  const bookkeeper = makeBookkeeper({
    lane,
    origin,
    policy,
    signatures: config.SEALANE_RECONCILIATION_SIGNATURES === "all",
    store: makeBooksStore(sql, lane, origin),
    log: reader,
    keys,
    onDeadLetter,
    onStored: observed.stored,
    onFault: (fault) => {
      log.fatal({ fault }, "the books end here: the log does not stand");
      void reading.consumer?.stop();
    },
    clock,
  });
  makeGauges(telemetry, {
    standing: bookkeeper.standing,
    clock,
    lag: () => {
      const lag = reading.consumer?.lag();
      return lag === undefined ? 0 : Number(lag.highWatermark - lag.position);
    },
  });
  const operator = bearerAuth(readStaffTokens(config.SEALANE_STAFF_TOKENS_FILE));
  const app = createHttpApp({ name: "Sealane reconciliation", logger: log, auth: { operator } });
  const books = makeBookReader(sql, lane);
  mountRoutes({ app, lane, origin, reader: books, fault: bookkeeper.fault });
  const breaks = openBreaks({
    app,
    database,
    sql,
    lane,
    origin,
    books: bookkeeper.state,
    keys: () => keys.history()?.states.at(-1),
    telemetry,
    config,
    send: (topic, value) => producer.send([{ topic, key: origin, value }], { deadlineMs: 10_000 }),
    clock,
    log,
  });
  const settlement = openSettlement({
    app,
    sql,
    lane,
    origin,
    bookkeeper,
    keys,
    producer,
    telemetry,
    config,
    clock,
    log,
    onRefusedLines: breaks.refusedBankStatement,
    ledgerToken: readLedgerToken(),
  });
  const ready = readinessOf(keys, bookkeeper, () => reading.trouble);
  health(app, { ready, metrics: telemetry.metricsHandler });
  const http = await startHttp({ app, port: config.SEALANE_RECONCILIATION_PORT });
  log.info({ url: http.url, origin }, "reconciliation listens");

  const stopping = new AbortController();
  onShutdown(
    [
      { name: "close http", run: () => http.close() },
      {
        name: "stop reading",
        run: async () => {
          stopping.abort();
          keys.stop();
          await reading.consumer?.stop();
        },
      },
      { name: "flush", run: () => producer.stop() },
      { name: "close database", run: () => database.close() },
      { name: "telemetry", run: () => telemetry.shutdown() },
    ],
    { onStart: (reason, err) => log.info({ reason, err }, "stopping") },
  );

  void keys.run(1_000);
  while (keys.history() === undefined && !stopping.signal.aborted) await pause(20, stopping.signal);
  // A transfer waits for nothing here: on a full machine those that it waits for go first. Starting is
  // not slowed down.
  setPriority(config.SEALANE_RECONCILIATION_NICE);
  reading.consumer = consumeEntries({
    lane,
    messaging,
    bookkeeper,
    onResult: (failure) => {
      reading.trouble = failure;
      if (failure === undefined) reading.heardAtMs = clock();
    },
    log,
  });
  void checkBooks(bookkeeper);
  void settlement.runScheduler(stopping.signal).catch((err: unknown) => {
    log.fatal({ err }, "the scheduler's key cannot be used");
    process.exit(1);
  });
  void breaks.follow(stopping.signal);
  const silenceMs = config.SEALANE_SILENCE;
  void watchLog(
    { bookkeeper, silenceMs, heardAtMs: () => reading.heardAtMs, clock, log },
    stopping.signal,
  );
};

await main();
