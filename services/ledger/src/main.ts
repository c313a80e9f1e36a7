// Wires the ledger: configuration → database and key log → witnesses → the lanes of this process.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openServiceDatabase } from "@sealane/database";
import { createMessaging } from "@sealane/messaging";
import { keyLogKeysOf } from "@sealane/rules";
import { kafkaSettings, loadConfig, onShutdown } from "@sealane/runtime";
import { fileSigner, readKeyFile, selfTest } from "@sealane/signer";
import { createLogger, startTelemetry } from "@sealane/telemetry";
import { parsePolicy, type TlogPolicy } from "@sealane/tlog";
import { refuseOpenBundles } from "./access.ts";
import { makeClockWatch } from "./clock-watch.ts";
import { lanesOf, ledgerConfigSchema } from "./config.ts";
import { openKeyLog } from "./key-log.ts";
import { openLane, type Lane } from "./open-lane.ts";
import { makeSealer } from "./sealer.ts";
import { beginKeyLog, followKeyLog } from "./start-up.ts";
import { makeWitnessClient } from "./witness-client.ts";

const config = loadConfig(ledgerConfigSchema);
const log = createLogger({ service: "ledger", level: config.SEALANE_LOG_LEVEL });
const clock = (): number => Date.now();

const openStores = async (policy: TlogPolicy) => {
  const { database, sql } = openServiceDatabase({
    url: config.DATABASE_URL,
    user: config.SEALANE_DATABASE_USER,
    passwordFile: config.SEALANE_DATABASE_PASSWORD_FILE,
    schema: config.SEALANE_DATABASE_SCHEMA,
    applicationName: "sealane-ledger",
    poolSize: 6,
    onConnectionLost: (err) => log.warn({ err }, "database connection lost"),
    waitForServer: true,
  });
  const keyLogKey = readKeyFile(config.SEALANE_KEY_LOG_KEY_FILE);
  const keysDir = join(config.SEALANE_TILES_DIR, "keys");
  const keyLog = await openKeyLog(sql, keyLogKey, keyLogKeysOf(policy), keysDir);
  return { database, sql, keyLog };
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
  const { database, sql, keyLog } = await openStores(policy);
  const messaging = createMessaging({
    ...kafkaSettings(config),
    clientId: config.SEALANE_INSTANCE,
  });
  const time = makeClockWatch({
    policy,
    toleranceMs: config.SEALANE_CLOCK_TOLERANCE,
    wall: clock,
    mono: () => performance.now(),
  });
  const makeClients = () =>
    policy.witnesses.map((one) => makeWitnessClient(one, policy.logs)).map(time.listen);
  const keyWitnesses = makeClients();
  // Of its own: a witness that is asked for the time must not look busy to a sealer.
  const timeWitnesses = makeClients();
  const witnessFailures = telemetry.counter(
    "sealane_witness_failures",
    "Requests that a witness did not answer with a cosignature",
  );
  const lanes: Lane[] = [];
  const keySealer = makeSealer({
    policy,
    witnesses: keyWitnesses,
    tree: keyLog.tree,
    onBehind: (witness, size) => {
      const reason = `witness ${witness} has seen ${size} entries of the key log, more than there are`;
      for (const lane of lanes) lane.doubt(reason);
    },
    onFailure: (witness, detail) => {
      witnessFailures.add(1, { witness });
      log.warn({ witness, detail }, "a witness did not cosign");
    },
    onSealed: (sealed) => {
      keyLog.sealed(sealed).catch((err: unknown) => log.error({ err }, "key-log seal not stored"));
    },
  });
  const offerKeyLog = (): void => {
    const checkpoint = keyLog.checkpoint();
    if (checkpoint !== undefined) keySealer.offer(checkpoint);
  };
  const entrySigner = await fileSigner(config.SEALANE_ENTRY_KEY_FILE);
  const settings = lanesOf(config);
  const several = settings.length > 1;
  const shared = { config, log, clock, telemetry, policy, sql, messaging, keyLog, offerKeyLog };
  for (const one of settings) {
    lanes.push(openLane({ ...shared, time, entrySigner, several }, one));
  }
  telemetry.gauge("sealane_clock_off_ms", "Our clock less the witnesses'", time.offMs);
  if (!several) await Promise.all(lanes.map((lane) => lane.openDoor()));
  if (config.SEALANE_OPEN_BUNDLES === "yes")
    log.warn({ host: config.SEALANE_LEDGER_HOST }, "entries are read without a token");

  const stopping = new AbortController();
  const { signal } = stopping;
  const all = (work: (lane: Lane) => Promise<void>) => async (): Promise<void> => {
    await Promise.all(lanes.map(work));
  };
  const stopLanes = async (): Promise<void> => {
    stopping.abort();
    await all((lane) => lane.stop())();
    keySealer.stop();
    for (const one of [...keyWitnesses, ...timeWitnesses]) one.close();
  };
  onShutdown(
    [
      { name: "stop input", run: all((lane) => lane.stopInput()) },
      { name: "stop lanes", run: stopLanes },
      { name: "flush", run: all((lane) => lane.flush()) },
      { name: "close http", run: all((lane) => lane.shutDoor()) },
      { name: "stop assembler", run: all((lane) => lane.close()) },
      { name: "close database", run: () => database.close() },
      { name: "telemetry", run: () => telemetry.shutdown() },
    ],
    { onStart: (reason, err) => log.info({ reason, err }, "stopping") },
  );

  void time.run(timeWitnesses, keyLog.checkpoint, keyLog.tree, signal);
  await beginKeyLog(keyLog, config.SEALANE_GENESIS_FILE, clock, offerKeyLog, signal);
  if (several) void followKeyLog({ keyLog, offer: offerKeyLog, clock, log }, signal);
  await Promise.all(lanes.map((lane) => lane.run(signal)));
};

await main();
