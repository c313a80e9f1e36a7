// Wires the ledger: configuration → stores → key log → witnesses → lane → HTTP and Kafka.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openServiceDatabase } from "@sealane/database";
import { bearerAuth, createHttpApp, health, startHttp, type HttpApp } from "@sealane/http";
import { createMessaging, type Consumer, type Messaging } from "@sealane/messaging";
import { laneTopic } from "@sealane/protocol";
import { keyLogKeysOf } from "@sealane/rules";
import { kafkaSettings, loadConfig, onShutdown } from "@sealane/runtime";
import { fileSigner, readKeyFile, selfTest } from "@sealane/signer";
import { createLogger, startTelemetry, type Telemetry } from "@sealane/telemetry";
import { parseNote, parsePolicy, type TlogPolicy } from "@sealane/tlog";
import { auditorAuth, readTokenDigests, refuseOpenBundles, type EntriesRead } from "./access.ts";
import { mountApi } from "./api-routes.ts";
import { startAssembler } from "./assembler-thread.ts";
import { makeClockWatch, type ClockWatch } from "./clock-watch.ts";
import { ledgerConfigSchema } from "./config.ts";
import { openKeyLog, type KeyLog } from "./key-log.ts";
import { mountLane } from "./lane-routes.ts";
import { makeLaneStore } from "./lane-store.ts";
import { makeLaneMetrics, makeLaneSpans } from "./lane-telemetry.ts";
import { makeLaneWriter, type LaneInput, type LaneWriter } from "./lane-writer.ts";
import { makeBundleFiles } from "./bundle-files.ts";
import { mountLog } from "./log-routes.ts";
import { mountPositions } from "./position-routes.ts";
import { mountPlaces } from "./place-routes.ts";
import { publishedKeyLog, publishedLane } from "./published.ts";
import { makeRecheck } from "./recheck.ts";
import { mountReceipts } from "./receipt-routes.ts";
import { makeSealer } from "./sealer.ts";
import { makeSetAsideDesk } from "./set-aside.ts";
import { askWitnesses, beginKeyLog, makeConfirm } from "./start-up.ts";
import { openTree } from "./tree.ts";
import { makeWitnessClient } from "./witness-client.ts";

const config = loadConfig(ledgerConfigSchema);
const log = createLogger({ service: "ledger", level: config.SEALANE_LOG_LEVEL });
const clock = (): number => Date.now();

type OwnKeys = { readonly origin: string; readonly entry: string; readonly checkpoint: string };

/** Why the key log's newest cosigned state lets the lane sign nothing with the keys that we hold. */
const otherKey = (keyLog: KeyLog, own: OwnKeys): string | undefined => {
  const named = keyLog.cosigned()?.keys;
  if (named?.ledger !== undefined && named.ledger.entryKey !== own.entry) {
    return "the key log names another entry key: start again with that one's file";
  }
  const lane = named?.lanes?.lanes.find(({ origin }) => origin === own.origin);
  if (lane === undefined || lane.vkey === own.checkpoint) return undefined;
  return "the key log names another checkpoint key: start again with that one's file, or have it name ours";
};

/** The key log as the lane reads it: under other keys than ours it must sign nothing more. */
const keysUnder = (keyLog: KeyLog, own: OwnKeys) => () => {
  const trouble = otherKey(keyLog, own);
  if (trouble !== undefined) throw new Error(trouble);
  return keyLog.cosigned();
};

/** The lane's topic as input of the writer: a new consumer for each beginning. */
const makeInput = (messaging: Messaging, lane: number, writer: LaneWriter) => {
  let consumer: Consumer | undefined;
  const input: LaneInput = {
    start: (from) => {
      let next = from;
      consumer = messaging.consumer({
        topic: laneTopic(lane),
        groupId: `ledger-lane-${lane}`,
        fromOffset: () => Promise.resolve(next),
        onBatch: async (records) => {
          await writer.push(records.map(({ offset, value }) => ({ offset, value })));
          const last = records.at(-1)?.offset;
          if (last !== undefined) next = last + 1n;
        },
        onError: (err) => log.warn({ err }, "reading the lane failed, beginning again"),
      });
      return Promise.resolve();
    },
    stop: async () => {
      await consumer?.stop();
      consumer = undefined;
    },
  };
  const lag = (): number => {
    const now = consumer?.lag();
    return now === undefined ? 0 : Number(now.highWatermark - now.position);
  };
  return { input, lag };
};

const gauges = (telemetry: Telemetry, writer: LaneWriter, lag: () => number): void => {
  telemetry.gauge("sealane_log_size", "Entries of the lane", writer.size);
  telemetry.gauge(
    "sealane_unsealed_age_ms",
    "Age of the oldest unsealed entry",
    writer.unsealedAgeMs,
  );
  telemetry.gauge("sealane_queue_commands", "Commands read and not yet decided", writer.queued);
  telemetry.gauge(
    "sealane_stopped_offset",
    "Offset of the command at which the lane stops; -1 when it does not",
    () => Number(writer.stopped()?.offset ?? -1n),
  );
  telemetry.gauge("sealane_input_lag", "Commands on the topic that are not read yet", lag);
  telemetry.gauge(
    "sealane_open_transfers",
    "Reserved and not ended",
    () => writer.state()?.open.size ?? 0,
  );
};

type Judged = {
  readonly writer: LaneWriter;
  readonly keyLog: KeyLog;
  readonly own: OwnKeys;
  readonly time: ClockWatch;
};

const mountHealth = (app: HttpApp, telemetry: Telemetry, judged: Judged) => {
  const { writer, keyLog, own, time } = judged;
  health(app, {
    ready: () => {
      const trouble = writer.trouble() ?? otherKey(keyLog, own);
      const keys = keyLog.cosigned() === undefined ? "not cosigned yet" : "ok";
      // Lanes go on under the keys in force; the record is taken by this very process.
      const waits = keyLog.isOurs() ? keys : "waits for the record that names our key-log key";
      const off = time.trouble();
      return {
        ok: trouble === undefined && keys === "ok" && off === undefined,
        checks: { lane: trouble ?? "ok", keys: waits, clock: off ?? "ok" },
      };
    },
    metrics: telemetry.metricsHandler,
  });
};

/** Who calls: participants by their tokens, auditors by theirs that an operator signed. */
const openApp = (keyLog: KeyLog): HttpApp => {
  const participant = bearerAuth(readTokenDigests(config.SEALANE_PARTICIPANT_TOKENS_FILE));
  const services = config.SEALANE_SERVICE_TOKENS_FILE;
  const auditor = auditorAuth({
    services: services === undefined ? new Map() : readTokenDigests(services),
    keys: () => keyLog.cosigned()?.keys,
    clock,
  });
  return createHttpApp({ name: "Sealane ledger", logger: log, auth: { participant, auditor } });
};

const openStores = async (policy: TlogPolicy) => {
  const { database, sql } = openServiceDatabase({
    url: config.DATABASE_URL,
    user: config.SEALANE_DATABASE_USER,
    passwordFile: config.SEALANE_DATABASE_PASSWORD_FILE,
    schema: config.SEALANE_DATABASE_SCHEMA,
    applicationName: "sealane-ledger",
    poolSize: 6,
    onConnectionLost: (err) => log.warn({ err }, "database connection lost"),
  });
  const lane = config.SEALANE_LANE;
  const { name: origin, vkey: checkpoint } = readKeyFile(config.SEALANE_CHECKPOINT_KEY_FILE);
  const own = { origin, checkpoint, entry: readKeyFile(config.SEALANE_ENTRY_KEY_FILE).vkey };
  const keyLogKey = readKeyFile(config.SEALANE_KEY_LOG_KEY_FILE);
  const keysDir = join(config.SEALANE_TILES_DIR, "keys");
  const keyLog = await openKeyLog(sql, keyLogKey, keyLogKeysOf(policy), keysDir);
  const store = makeLaneStore(sql, lane, origin);
  const tree = openTree(join(config.SEALANE_TILES_DIR, String(lane)));
  return { database, sql, lane, origin, own, keyLog, store, tree };
};

const main = async (): Promise<void> => {
  refuseOpenBundles(config.SEALANE_OPEN_BUNDLES, config.SEALANE_LEDGER_HOST);
  await selfTest();
  const telemetry = startTelemetry({
    service: "ledger",
    version: "0.1.0",
    tracesFile: config.SEALANE_TRACES_FILE,
    otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    sampleRatio: config.SEALANE_TRACE_RATIO,
  });
  const policy = parsePolicy(readFileSync(config.SEALANE_POLICY_FILE, "utf8"));
  const { database, sql, lane, origin, own, keyLog, store, tree } = await openStores(policy);
  const messaging = createMessaging({
    ...kafkaSettings(config),
    clientId: config.SEALANE_INSTANCE,
  });
  const producer = messaging.producer();
  const time = makeClockWatch({
    policy,
    toleranceMs: config.SEALANE_CLOCK_TOLERANCE,
    wall: clock,
    mono: () => performance.now(),
  });
  const makeClients = () =>
    policy.witnesses.map((one) => makeWitnessClient(one, policy.logs)).map(time.listen);
  const witnesses = makeClients();
  const keyWitnesses = makeClients();
  // Of its own: a witness that is asked for the time must not look busy to a sealer.
  const timeWitnesses = makeClients();
  const witnessFailures = telemetry.counter(
    "sealane_witness_failures",
    "Requests that a witness did not answer with a cosignature",
  );
  const sealing = {
    policy,
    onBehind: (witness: string, size: number) =>
      writer.doubt(`witness ${witness} has seen ${size} entries, more than there are`),
    onFailure: (witness: string, detail: string) => {
      witnessFailures.add(1, { witness });
      log.warn({ witness, detail }, "a witness did not cosign");
    },
  };
  const keySealer = makeSealer({
    ...sealing,
    witnesses: keyWitnesses,
    consistency: keyLog.tree.consistency,
    onSealed: (sealed) => {
      keyLog.sealed(sealed).catch((err: unknown) => log.error({ err }, "key-log seal not stored"));
    },
  });
  const offerKeyLog = (): void => {
    const checkpoint = keyLog.checkpoint();
    if (checkpoint !== undefined) keySealer.offer(checkpoint);
  };
  const sealer = makeSealer({
    ...sealing,
    witnesses,
    consistency: tree.consistency,
    onSealed: (sealed) => writer.sealed(sealed),
  });
  const { SEALANE_ENTRY_KEY_FILE: entryKeyFile, SEALANE_CHECKPOINT_KEY_FILE: checkpointKeyFile } =
    config;
  const assembler = startAssembler({ origin, entryKeyFile, checkpointKeyFile }, (err) => {
    log.fatal({ err }, "the assembler thread died");
    process.exit(1);
  });
  const desk = makeSetAsideDesk({ sql, lane, origin, keys: keyLog.cosigned });
  const writer = makeLaneWriter({
    origin,
    lane,
    store,
    assembler,
    tree,
    holder: config.SEALANE_INSTANCE,
    clock: time.clock,
    clockTrouble: time.trouble,
    keys: keysUnder(keyLog, own),
    history: keyLog.history,
    refreshKeys: async () => {
      await keyLog.refresh();
      offerKeyLog();
    },
    confirm: makeConfirm({ origin, policy, witnesses }),
    desk,
    publish: (messages) => producer.send(messages),
    onCheckpoint: (size, note) => sealer.offer({ origin, size, note, text: parseNote(note).text }),
    metrics: makeLaneMetrics(telemetry),
    spans: makeLaneSpans(telemetry),
    log,
  });
  const files = makeBundleFiles({
    directory: join(config.SEALANE_TILES_DIR, String(lane)),
    tree,
    read: store.readEntries,
    sealedSize: () => writer.seals.sealed().size,
    onError: (err) => log.warn({ err }, "a full bundle was not written"),
  });
  let nextToldMs = 0;
  const recheck = makeRecheck({
    sql,
    lane,
    tree,
    files,
    checkpoint: writer.checkpoint,
    perSecond: config.SEALANE_RECHECK_RATE,
    onCorrupt: (position, detail) => {
      log.fatal({ position, detail }, "what is on disk is not what was written");
      writer.halt(`corrupt at ${position}: ${detail}`);
    },
    onRound: (entries) => {
      // A short log is read again every second.
      if (performance.now() < nextToldMs) return;
      nextToldMs = performance.now() + 60_000;
      log.info({ entries }, "everything on disk was read again and stands");
    },
    onError: (err) => log.warn({ err }, "reading what is on disk again failed"),
  });
  const { input, lag } = makeInput(messaging, lane, writer);
  gauges(telemetry, writer, lag);

  const app = openApp(keyLog);
  const openBundles = config.SEALANE_OPEN_BUNDLES === "yes";
  const onRead = (read: EntriesRead): void => log.info(read, "entries read");
  mountLog(app, "/log/keys", publishedKeyLog(keyLog), { kind: "open" });
  const bundles = { kind: openBundles ? "local" : "auditors", onRead } as const;
  mountLog(app, "/log", publishedLane(origin, writer, store, tree, files), bundles);
  const entrySigner = await fileSigner(entryKeyFile);
  const served = { app, origin, writer, store, clock, onRead };
  mountApi({ ...served, keyLog, entrySigner, onKeyLogGrown: offerKeyLog });
  mountReceipts({ ...served, tree });
  mountLane({ app, lane, origin, writer, desk });
  mountPositions({ app, state: writer.state, keys: () => keyLog.cosigned()?.keys });
  telemetry.gauge("sealane_clock_off_ms", "Our clock less the witnesses'", time.offMs);
  mountHealth(app, telemetry, { writer, keyLog, own, time });
  mountPlaces(served);
  const http = await startHttp({
    app,
    host: config.SEALANE_LEDGER_HOST,
    port: config.SEALANE_LEDGER_PORT,
  });
  log.info({ url: http.url, origin, openBundles }, "ledger listens");
  if (openBundles)
    log.warn({ host: config.SEALANE_LEDGER_HOST }, "entries are read without a token");

  const stopping = new AbortController();
  const { signal } = stopping;
  const stopLane = async (): Promise<void> => {
    stopping.abort();
    await writer.stop();
    sealer.stop();
    keySealer.stop();
    for (const one of [...witnesses, ...keyWitnesses, ...timeWitnesses]) one.close();
  };
  onShutdown(
    [
      { name: "stop input", run: () => input.stop() },
      { name: "stop lane", run: stopLane },
      { name: "flush", run: () => producer.stop() },
      { name: "close http", run: () => http.close() },
      { name: "stop assembler", run: () => assembler.stop() },
      { name: "close database", run: () => database.close() },
      { name: "telemetry", run: () => telemetry.shutdown() },
    ],
    { onStart: (reason, err) => log.info({ reason, err }, "stopping") },
  );

  void time.run(timeWitnesses, keyLog.checkpoint, keyLog.tree.consistency, signal);
  await beginKeyLog(keyLog, config.SEALANE_GENESIS_FILE, clock, offerKeyLog, signal);
  const behind = await askWitnesses({ sql, lane, origin, policy, witnesses, signal, log });
  if (behind !== undefined) {
    log.fatal({ behind }, "refusing to sign");
    writer.halt(behind);
  }
  await time.whenKnown(signal);
  if (config.SEALANE_RECHECK_RATE > 0) void recheck.run(signal);
  void files.run(signal);
  await writer.run(input);
};

await main();
