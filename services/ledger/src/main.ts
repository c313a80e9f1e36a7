// Wires the ledger: configuration → stores → key log → witnesses → lane → HTTP and Kafka.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, query } from '@sealane/database';
import { bearerAuth, createHttpApp, health, startHttp } from '@sealane/http';
import { createMessaging, type Consumer } from '@sealane/messaging';
import { laneTopic } from '@sealane/protocol';
import { invariant, loadConfig, onShutdown, pause } from '@sealane/runtime';
import { fileSigner, readKeyFile, selfTest } from '@sealane/signer';
import { createLogger, startTelemetry } from '@sealane/telemetry';
import { fromBase64, parseNote, parsePolicy, quorumSize } from '@sealane/tlog';
import { mountApi } from './api-routes.ts';
import { startAssembler } from './assembler-thread.ts';
import { ledgerConfigSchema, type LedgerConfig } from './config.ts';
import { openKeyLog } from './key-log.ts';
import { makeLaneStore, type Sql } from './lane-store.ts';
import { makeLaneMetrics, makeLaneSpans } from './lane-telemetry.ts';
import { makeLaneWriter, type LaneInput } from './lane-writer.ts';
import { mountLog } from './log-routes.ts';
import { makeSealer } from './sealer.ts';
import { openTree } from './tree.ts';
import { makeWitnessClient, type Checkpoint } from './witness-client.ts';

const config = loadConfig(ledgerConfigSchema);
const log = createLogger({ service: 'ledger', level: config.SEALANE_LOG_LEVEL });
const clock = (): number => Date.now();

const readTokens = (path: string): Map<string, Uint8Array> => {
  const digests = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  return new Map(Object.entries(digests).map(([name, digest]) => [name, fromBase64(digest)]));
};

const openDatabase = (settings: LedgerConfig) => {
  const database = createDatabase({
    url: settings.DATABASE_URL,
    ...(settings.SEALANE_DATABASE_PASSWORD_FILE === undefined
      ? {}
      : {
          user: settings.SEALANE_DATABASE_USER,
          passwordFile: settings.SEALANE_DATABASE_PASSWORD_FILE,
        }),
    applicationName: 'sealane-ledger',
    poolSize: 6,
    schema: settings.SEALANE_DATABASE_SCHEMA,
    statementTimeoutMs: 10_000,
    onConnectionLost: (error) => log.warn({ err: error }, 'database connection lost'),
  });
  const sql: Sql = {
    query: async (statement) => {
      const values = [...(statement.values ?? [])];
      const { name, text } = statement;
      const result = await database.pool.query(
        name === undefined ? { text, values } : { name, text, values },
      );
      return { rows: result.rows as never[], rowCount: result.rowCount };
    },
  };
  return { database, sql };
};

const checkpointOf = (note: string, size: number, origin: string): Checkpoint => ({
  origin,
  size,
  note,
  text: parseNote(note).text,
});

const main = async (): Promise<void> => {
  await selfTest();
  const telemetry = startTelemetry({
    service: 'ledger',
    version: '0.1.0',
    tracesFile: config.SEALANE_TRACES_FILE,
    otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    sampleRatio: config.SEALANE_TRACE_RATIO,
  });
  const { database, sql } = openDatabase(config);
  const policy = parsePolicy(readFileSync(config.SEALANE_POLICY_FILE, 'utf8'));
  const checkpointKey = readKeyFile(config.SEALANE_CHECKPOINT_KEY_FILE);
  const origin = checkpointKey.name;
  const keyLogKey = readKeyFile(config.SEALANE_KEY_LOG_KEY_FILE);
  const lane = config.SEALANE_LANE;
  const keyLog = await openKeyLog(sql, keyLogKey, join(config.SEALANE_TILES_DIR, 'keys'));
  const store = makeLaneStore(sql, lane, origin);
  const tree = openTree(join(config.SEALANE_TILES_DIR, String(lane)));
  const witnesses = policy.witnesses.map(makeWitnessClient);
  const keyWitnesses = policy.witnesses.map(makeWitnessClient);
  const messaging = createMessaging({
    brokers: config.KAFKA_BROKERS.split(','),
    clientId: config.SEALANE_INSTANCE,
  });
  const producer = messaging.producer();
  const onFailure = (witness: string, detail: string): void =>
    log.warn({ witness, detail }, 'a witness did not cosign');

  const keySealer = makeSealer({
    policy,
    witnesses: keyWitnesses,
    consistency: keyLog.tree.consistency,
    onSealed: (sealed) => {
      keyLog.sealed(sealed).catch((err: unknown) => log.error({ err }, 'key-log seal not stored'));
    },
    onBehind: (witness, size) => writer.setBehind(`witness ${witness} has a key log of ${size}`),
    onFailure,
  });
  const sealer = makeSealer({
    policy,
    witnesses,
    consistency: tree.consistency,
    onSealed: (sealed) => writer.sealed(sealed),
    onBehind: (witness, size) => writer.setBehind(`witness ${witness} has a log of ${size}`),
    onFailure,
  });
  const assembler = startAssembler(
    {
      origin,
      entryKeyFile: config.SEALANE_ENTRY_KEY_FILE,
      checkpointKeyFile: config.SEALANE_CHECKPOINT_KEY_FILE,
    },
    (err) => {
      log.fatal({ err }, 'the assembler thread died');
      process.exit(1);
    },
  );
  const writer = makeLaneWriter({
    origin,
    lane,
    store,
    assembler,
    tree,
    holder: config.SEALANE_INSTANCE,
    clock,
    keys: keyLog.cosigned,
    history: keyLog.history,
    publish: (messages) => producer.send(messages),
    onCheckpoint: (size, note) => sealer.offer(checkpointOf(note, size, origin)),
    metrics: makeLaneMetrics(telemetry),
    spans: makeLaneSpans(telemetry),
    log,
  });

  telemetry.gauge('sealane_log_size', 'Entries of the lane', writer.size);
  telemetry.gauge('sealane_unsealed_age_ms', 'Age of the oldest unsealed entry', writer.unsealedAgeMs);
  telemetry.gauge('sealane_queue_commands', 'Commands read and not yet decided', writer.queued);
  telemetry.gauge('sealane_open_transfers', 'Reserved and not ended', () => writer.state()?.open.size ?? 0);

  const app = createHttpApp({
    name: 'Sealane ledger',
    logger: log,
    auth: { participant: bearerAuth(readTokens(config.SEALANE_PARTICIPANT_TOKENS_FILE)) },
  });
  const openBundles = config.SEALANE_OPEN_BUNDLES === 'yes';
  mountLog(
    app,
    '/log/keys',
    {
      checkpoint: () => keyLog.sealedNote() ?? keyLog.checkpoint()?.note,
      size: () => keyLog.entries().length,
      tile: (level, index, width) => keyLog.tree.tile(level, index, width),
      entries: (from, to) =>
        Promise.resolve(keyLog.entries().slice(from, to).map((entry) => Buffer.from(entry, 'utf8'))),
    },
    true,
  );
  mountLog(
    app,
    '/log',
    {
      checkpoint: () => (writer.sealedNote() === '' ? undefined : writer.sealedNote()),
      size: writer.size,
      tile: tree.tile,
      entries: store.readEntries,
    },
    openBundles,
  );
  mountApi({
    app,
    origin,
    writer,
    store,
    tree,
    keyLog,
    entrySigner: await fileSigner(config.SEALANE_ENTRY_KEY_FILE),
    clock,
    onKeyLogGrown: () => offerKeyLog(),
  });
  const readiness = () => {
    const problemNow = writer.status();
    const keys = keyLog.cosigned() === undefined ? 'not cosigned yet' : 'ok';
    return {
      ok: problemNow === undefined && keys === 'ok',
      checks: { lane: problemNow ?? 'ok', keys },
    };
  };
  health(app, { ready: readiness, metrics: telemetry.metricsHandler });
  const http = await startHttp({ app, port: config.SEALANE_LEDGER_PORT });
  log.info({ url: http.url, origin, openBundles }, 'ledger listens');

  const offerKeyLog = (): void => {
    const checkpoint = keyLog.checkpoint();
    if (checkpoint !== undefined) keySealer.offer(checkpoint);
  };

  const beginKeyLog = async (): Promise<void> => {
    if (keyLog.entries().length === 0 && config.SEALANE_GENESIS_FILE !== undefined) {
      const notes = JSON.parse(readFileSync(config.SEALANE_GENESIS_FILE, 'utf8')) as string[];
      for (const note of notes) {
        const appended = await keyLog.append(note, clock());
        invariant(appended.ok, `genesis refused: ${appended.ok ? '' : appended.detail}`);
      }
    }
    offerKeyLog();
  };

  /** On start the ledger signs only after enough witnesses answered and none is ahead of it. */
  const askWitnesses = async (): Promise<void> => {
    const needed = policy.witnesses.length - quorumSize(policy) + 1;
    const rows = await query<{ size: bigint }>(database.pool, {
      name: 'lane-size',
      text: 'select size from lane where lane = $1',
      values: [lane],
    });
    const own = Number(rows[0]?.size ?? 0n);
    for (let told = false; !stopping.signal.aborted; told = true) {
      const sizes = await Promise.all(witnesses.map((witness) => witness.sizeOf(origin)));
      const answered = sizes.filter((size) => size !== undefined);
      const ahead = Math.max(0, ...answered);
      if (ahead > own) {
        writer.setBehind(`a witness has a log of ${ahead}, the database ${own}: sealane recover`);
        log.fatal({ ahead, own }, 'the database is behind its witnesses: refusing to sign');
        return;
      }
      if (answered.length >= needed) return;
      if (!told) log.info({ answered: answered.length, needed }, 'waiting for witnesses');
      await pause(250, stopping.signal);
    }
  };

  const stopping = new AbortController();
  let consumer: Consumer | undefined;
  const input: LaneInput = {
    start: (from) => {
      consumer = messaging.consumer({
        topic: laneTopic(lane),
        groupId: `ledger-lane-${lane}`,
        fromOffset: () => Promise.resolve(from),
        onBatch: async (records) => {
          await writer.push(records.map(({ offset, value }) => ({ offset, value })));
          const last = records.at(-1)?.offset;
          if (last !== undefined) from = last + 1n;
        },
        onError: (err) => log.warn({ err }, 'reading the lane failed, beginning again'),
      });
      return Promise.resolve();
    },
    stop: async () => {
      await consumer?.stop();
      consumer = undefined;
    },
  };
  telemetry.gauge('sealane_input_lag', 'Commands on the topic that are not read yet', () => {
    const lag = consumer?.lag();
    return lag === undefined ? 0 : Number(lag.highWatermark - lag.position);
  });

  onShutdown(
    [
      { name: 'stop input', run: () => input.stop() },
      {
        name: 'stop lane',
        run: async () => {
          stopping.abort();
          await writer.stop();
        },
      },
      {
        name: 'stop sealing',
        run: () => {
          sealer.stop();
          keySealer.stop();
          for (const witness of [...witnesses, ...keyWitnesses]) witness.close();
        },
      },
      { name: 'flush', run: () => producer.stop() },
      { name: 'close http', run: () => http.close() },
      { name: 'stop assembler', run: () => assembler.stop() },
      { name: 'close database', run: () => database.close() },
      { name: 'telemetry', run: () => telemetry.shutdown() },
    ],
    { onStart: (reason, err) => log.info({ reason, err }, 'stopping') },
  );

  await beginKeyLog();
  while (keyLog.cosigned() === undefined && !stopping.signal.aborted) {
    await pause(20, stopping.signal);
  }
  await askWitnesses();
  await writer.run(input);
};

await main();
