// Wires reconciliation: configuration → database → key log → the books of each lane → HTTP.
import { readFileSync, statSync } from "node:fs";
import { setPriority } from "node:os";
import {
  ledgerLanes,
  makeLogReader,
  watchKeyLog,
  type KeyWatch,
  type LedgerLane,
} from "@sealane/client";
import { DatabaseError, openServiceDatabase, type Database } from "@sealane/database";
import {
  bearerAuth,
  createHttpApp,
  health,
  startHttp,
  type HttpApp,
  type Readiness,
} from "@sealane/http";
import { createMessaging } from "@sealane/messaging";
import { kafkaSettings, loadConfig, onShutdown, pause, readSecretFile } from "@sealane/runtime";
import { selfTest } from "@sealane/signer";
import { createLogger, startTelemetry, type Telemetry } from "@sealane/telemetry";
import { parsePolicy } from "@sealane/tlog";
import { makeBookTelemetry } from "./book-telemetry.ts";
import { makeCarrier } from "./carry-moves.ts";
import { reconciliationConfigSchema } from "./config.ts";
import { makeJournal, noJournal, type Journal, type Opened } from "./journal/journal.ts";
import { mountLanes } from "./lanes-routes.ts";
import { openLane, type LaneBooks } from "./open-lane.ts";
import { readStaffTokens } from "./open-settlement.ts";

const config = loadConfig(reconciliationConfigSchema);
const log = createLogger({ service: "reconciliation", level: config.SEALANE_LOG_LEVEL });
const clock = (): number => Date.now();

const openStore = () =>
  openServiceDatabase({
    url: config.DATABASE_URL,
    user: config.SEALANE_DATABASE_USER,
    passwordFile: config.SEALANE_DATABASE_PASSWORD_FILE,
    schema: config.SEALANE_DATABASE_SCHEMA,
    applicationName: "sealane-reconciliation",
    poolSize: 4,
    onConnectionLost: (err) => log.warn({ err }, "database connection lost"),
    waitForServer: true,
  });

const readLedgerToken = (): string | undefined => {
  const tokenFile = config.SEALANE_LEDGER_TOKEN_FILE;
  return tokenFile === undefined ? undefined : readSecretFile(tokenFile);
};

const readinessOf = (keys: KeyWatch, lanes: readonly LaneBooks[]) => (): Readiness => {
  const faults = lanes.flatMap(({ bookkeeper }) => bookkeeper.fault() ?? []);
  const troubles = lanes.flatMap((lane) => lane.trouble() ?? []);
  const [fault] = faults;
  const checks = {
    books: fault === undefined ? "ok" : `at ${fault.position}: ${fault.code}: ${fault.detail}`,
    keys: keys.history() === undefined ? "not read yet" : "ok",
    reading: troubles[0] ?? "ok",
  };
  return { ok: Object.values(checks).every((check) => check === "ok"), checks };
};

/** A further lane's routes below `/lanes/<lane>`; there an idempotency key is that lane's alone. */
const mountBelow = (app: HttpApp, lane: number): HttpApp => {
  const auth = { operator: bearerAuth(readStaffTokens(config.SEALANE_STAFF_TOKENS_FILE)) };
  const below = createHttpApp({ name: `Sealane reconciliation, lane ${lane}`, logger: log, auth });
  app.router.use(`/lanes/${lane}`, (req, res, next) => {
    const key = req.headers["idempotency-key"];
    if (typeof key === "string") req.headers["idempotency-key"] = `lane-${lane}/${key}`;
    below.express(req, res, next);
  });
  return below;
};

/** Before anything is answered or followed: with empty tables it gives back what was said. */
const openJournal = async (
  database: Database<unknown>,
  { gauge }: Pick<Telemetry, "gauge">,
): Promise<Journal> => {
  const path = config.SEALANE_RECONCILIATION_JOURNAL;
  if (path === undefined) return noJournal;
  const journal = makeJournal(database, path);
  const opened = async (): Promise<Opened> => {
    for (;;) {
      try {
        return await journal.open();
      } catch (error) {
        if (!(error instanceof DatabaseError && error.retryable)) throw error;
        log.warn({ err: error }, "the journal waits for the database");
        await pause(500);
      }
    }
  };
  const { how, lines, damaged } = await opened();
  if (damaged !== undefined) log.warn({ damaged }, "the journal was put aside and begun anew");
  log.info({ how, lines }, "the journal is open");
  // It only grows: whoever runs this sees by how much, and begins a short one in time.
  const size = (): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  gauge("sealane_journal_bytes", "Size of the journal of what no log has", size);
  return journal;
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
  const policy = parsePolicy(readFileSync(config.SEALANE_POLICY_FILE, "utf8"));
  const [first, ...more] = ledgerLanes(policy, config.SEALANE_LEDGER_URL, config.SEALANE_LANE);
  const ledgerToken = readLedgerToken();
  const keys = watchKeyLog(makeLogReader(`${first.url}/log/keys`), policy, log);
  const { database, sql } = openStore();
  const messaging = createMessaging({ ...kafkaSettings(config), clientId: "reconciliation" });
  const producer = messaging.producer();
  const operator = bearerAuth(readStaffTokens(config.SEALANE_STAFF_TOKENS_FILE));
  const app = createHttpApp({ name: "Sealane reconciliation", logger: log, auth: { operator } });
  const journal = await openJournal(database, telemetry);
  const parts = { config, policy, database, sql, messaging, producer, keys, journal, ledgerToken };
  const open = (one: LedgerLane, at: HttpApp): LaneBooks => {
    const labels = more.length === 0 ? undefined : { lane: String(one.lane) };
    const gauge: Telemetry["gauge"] = (name, help, read) =>
      telemetry.gauge(name, help, read, labels);
    const seen = { telemetry: { ...telemetry, gauge }, observed, clock, log };
    return openLane({ ...parts, ...seen }, one, at);
  };
  const lanes = [open(first, app), ...more.map((one) => open(one, mountBelow(app, one.lane)))];
  mountLanes(app, lanes);
  const ready = readinessOf(keys, lanes);
  health(app, { ready, metrics: telemetry.metricsHandler });
  const http = await startHttp({ app, port: config.SEALANE_RECONCILIATION_PORT });
  log.info({ url: http.url, origins: lanes.map(({ origin }) => origin) }, "reconciliation listens");

  const stopping = new AbortController();
  onShutdown(
    [
      { name: "close http", run: () => http.close() },
      {
        name: "stop reading",
        run: async () => {
          stopping.abort();
          keys.stop();
          await Promise.all(lanes.map((one) => one.stop()));
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
  for (const one of lanes) one.run(stopping.signal);
  if (lanes.length < 2) return;
  const send = (topic: string, key: string, value: string): Promise<void> =>
    producer.send([{ topic, key, value }], { deadlineMs: 10_000 });
  void makeCarrier({ lanes, send, clock, log }).run(stopping.signal);
};

await main();
