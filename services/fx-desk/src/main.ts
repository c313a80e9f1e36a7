// Wires a desk: configuration → state → keys → feed → sheets, inbox, HTTP and the witness.
import { readFileSync } from "node:fs";
import {
  inForceOf,
  ledgerLanes,
  makeLogReader,
  watchKeyLog,
  type LedgerLane,
} from "@sealane/client";
import { bearerAuth, createHttpApp, health, startHttp, tokenDigest } from "@sealane/http";
import { createMessaging } from "@sealane/messaging";
import { kafkaSettings, loadConfig, onShutdown, readSecretFile } from "@sealane/runtime";
import { keyFamily, selfTest } from "@sealane/signer";
import { createLogger, startTelemetry } from "@sealane/telemetry";
import { parsePolicy } from "@sealane/tlog";
import { mountWitness, openParticipantWitness } from "@sealane/witness";
import { deskConfigSchema } from "./config.ts";
import { consumeInbox } from "./consume.ts";
import { parseFeed, referenceOf, type Pair, type Reference } from "./feed.ts";
import { openLaneDesk, type LaneDesk } from "./open-lane.ts";
import { everyLane, mountRoutes } from "./routes.ts";

const config = loadConfig(deskConfigSchema);
const participant = config.SEALANE_PARTICIPANT;
const log = createLogger({ service: participant, level: config.SEALANE_LOG_LEVEL });
const clock = (): number => Date.now();

/** The feed's file is read for every sheet, so that a new day is taken up, and judged, at once. */
const readReference = (pair: Pair): Reference => {
  const feed = parseFeed(readFileSync(config.SEALANE_FEED_FILE, "utf8"));
  if (!feed.ok) return feed;
  return referenceOf(feed.rows, pair, {
    date: config.SEALANE_FEED_DATE,
    maxAgeDays: config.SEALANE_FEED_MAX_AGE_DAYS,
    maxJumpPercent: config.SEALANE_MAX_JUMP_PERCENT,
  });
};

const main = async (): Promise<void> => {
  await selfTest();
  const telemetry = startTelemetry({
    service: participant,
    version: "0.1.0",
    tracesFile: config.SEALANE_TRACES_FILE,
    otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    sampleRatio: config.SEALANE_TRACE_RATIO,
  });
  const policy = parsePolicy(readFileSync(config.SEALANE_POLICY_FILE, "utf8"));
  const messaging = createMessaging({
    ...kafkaSettings(config),
    clientId: `fx-desk-${participant}`,
  });
  const producer = messaging.producer();
  const tokenFile = config.SEALANE_LEDGER_TOKEN_FILE;
  const token = tokenFile === undefined ? undefined : readSecretFile(tokenFile);
  const [firstLane, ...moreLanes] = ledgerLanes(
    policy,
    config.SEALANE_LEDGER_URL,
    config.SEALANE_LANE,
  );
  let alarm: string | undefined;
  const letters = telemetry.counter("sealane_dead_letters", "Inbox messages that were refused");
  const logged = telemetry.counter("sealane_sheets_logged", "Rate sheets of this desk on the log");

  const keys = watchKeyLog(makeLogReader(`${firstLane.url}/log/keys`), policy, log);
  const signer = keyFamily({
    file: config.SEALANE_RATE_KEY_FILE,
    inForce: inForceOf(keys, participant, "rate-sheet"),
    clock,
    onFault: (path, err) => log.warn({ err, path }, "a key file is not used"),
  });
  const open = (one: LedgerLane): LaneDesk =>
    openLaneDesk({
      config,
      one,
      alone: moreLanes.length === 0,
      policy,
      token,
      keys,
      signer,
      producer,
      reference: readReference,
      onLogged: () => logged.add(),
      clock,
      log,
    });
  const first = open(firstLane);
  const lanes = [first, ...moreLanes.map(open)] as const;
  const desk = everyLane([first.desk, ...lanes.slice(1).map((lane) => lane.desk)]);

  const ready = () => {
    const statuses = desk.statuses();
    const checks = Object.fromEntries(statuses.map((status) => [status.pair, status.state]));
    const signing = signer.trouble();
    const ok =
      alarm === undefined &&
      signing === undefined &&
      statuses.every((status) => status.state === "ok");
    return { ok, checks: { ...checks, chain: alarm ?? "ok", signing: signing ?? "ok" } };
  };
  const app = createHttpApp({
    name: `Sealane fx-desk of ${participant}`,
    logger: log,
    auth: {
      operator: bearerAuth(
        new Map([["operator", tokenDigest(readSecretFile(config.SEALANE_API_TOKEN_FILE))]]),
      ),
    },
  });
  mountRoutes({ app, provider: participant, desk });
  const witness = await openParticipantWitness(
    config.SEALANE_WITNESS_KEY_FILE,
    config.SEALANE_WITNESS_STATE_FILE,
    policy,
    () => alarm,
  );
  mountWitness(app, "/witness", witness);
  health(app, { ready, metrics: telemetry.metricsHandler });
  telemetry.gauge(
    "sealane_pairs_quoted",
    "Pairs with a logged sheet in force",
    () => desk.statuses().filter((status) => status.state === "ok").length,
  );
  telemetry.gauge("sealane_chain_alarm", "1: the ledger showed us what it must not have", () =>
    alarm === undefined ? 0 : 1,
  );
  const http = await startHttp({ app, port: config.SEALANE_FX_PORT });
  log.info({ url: http.url, pairs: desk.statuses().map(({ pair }) => pair) }, "fx-desk listens");

  const consumer = consumeInbox({
    participant,
    messaging,
    producer,
    lanes,
    clock,
    onRefused: (code) => letters.add(1, { code }),
    onAlarm: (detail) => {
      if (alarm !== undefined) return;
      alarm = detail;
      log.error({ detail }, "ALARM: the ledger showed us what it must not have");
    },
    log,
  });
  telemetry.gauge("sealane_inbox_lag", "Inbox messages that are not read yet", () => {
    const lag = consumer.lag();
    return lag === undefined ? 0 : Number(lag.highWatermark - lag.position);
  });
  void keys.run(1_000);
  for (const lane of lanes) {
    void lane.desk.run();
    void lane.statements.run(config.SEALANE_STATEMENT_INTERVAL);
  }

  onShutdown(
    [
      { name: "close http", run: () => http.close() },
      {
        name: "stop the desk",
        run: async () => {
          keys.stop();
          for (const lane of lanes) {
            lane.desk.stop();
            lane.statements.stop();
          }
          await consumer.stop();
        },
      },
      { name: "flush", run: () => producer.stop() },
      {
        name: "write the state",
        run: async () => {
          await Promise.all(lanes.map((lane) => lane.file.stop()));
        },
      },
      {
        name: "close connections",
        run: () => {
          for (const lane of lanes) lane.missed?.close();
        },
      },
      { name: "telemetry", run: () => telemetry.shutdown() },
    ],
    { onStart: (reason, err) => log.info({ reason, err }, "stopping") },
  );
};

await main();
