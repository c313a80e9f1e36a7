// Wires an adapter: configuration → stores → keys → desks → inbox, HTTP and the witness.
import { readFileSync } from 'node:fs';
import { makeLogReader } from '@sealane/client';
import { createDatabase } from '@sealane/database';
import {
  bearerAuth,
  createHttpApp,
  health,
  httpClient,
  startHttp,
  tokenDigest,
} from '@sealane/http';
import { createMessaging } from '@sealane/messaging';
import { deadLetterTopic, formatTime, inboxTopic, laneTopic, type DeadLetter } from '@sealane/protocol';
import { loadConfig, onShutdown, pause, readSecretFile } from '@sealane/runtime';
import { fileSigner, makeEnvelopeOpener, readEnvelopeKey, selfTest } from '@sealane/signer';
import { createLogger, startTelemetry } from '@sealane/telemetry';
import { fromBase64, parsePolicy, sha256, toBase64 } from '@sealane/tlog';
import { mountWitness } from '@sealane/witness';
import { rateSheetSchema, readNote, readStatement } from '@sealane/protocol';
import { adapterConfigSchema } from './config.ts';
import { makeCreditDesk } from './credit-desk.ts';
import { makeInboxHandler } from './inbox-handler.ts';
import { makeIntake } from './intake.ts';
import { watchKeyLog } from './key-watch.ts';
import { makeLedgerClient } from './ledger-client.ts';
import { makeNotices } from './notices.ts';
import { makePayeeDesk, type Answer } from './payee-desk.ts';
import { makePersister } from './persister.ts';
import { mountRoutes } from './routes.ts';
import { makeSheetBook } from './sheet-book.ts';
import { makeTermsMaker } from './terms-maker.ts';
import { makeTransferBook } from './transfer-book.ts';
import { makeViewStore, type Sql } from './view-store.ts';
import { openWitness } from './witness.ts';

const config = loadConfig(adapterConfigSchema);
const participant = config.SEALANE_PARTICIPANT;
const log = createLogger({ service: participant, level: config.SEALANE_LOG_LEVEL });
const clock = (): number => Date.now();

const openDatabase = () => {
  const database = createDatabase({
    url: config.DATABASE_URL,
    ...(config.SEALANE_DATABASE_PASSWORD_FILE === undefined
      ? {}
      : {
          user: config.SEALANE_DATABASE_USER,
          passwordFile: config.SEALANE_DATABASE_PASSWORD_FILE,
        }),
    applicationName: `sealane-adapter-${participant}`,
    poolSize: 4,
    schema: config.SEALANE_DATABASE_SCHEMA,
    statementTimeoutMs: 10_000,
    onConnectionLost: (error) => log.warn({ err: error }, 'database connection lost'),
  });
  const sql: Sql = {
    query: async (statement) => {
      const { name, text } = statement;
      const values = [...(statement.values ?? [])];
      const result = await database.pool.query(
        name === undefined ? { text, values } : { name, text, values },
      );
      return { rows: result.rows as never[], rowCount: result.rowCount };
    },
  };
  return { database, sql };
};

const main = async (): Promise<void> => {
  await selfTest();
  const telemetry = startTelemetry({
    service: participant,
    version: '0.1.0',
    tracesFile: config.SEALANE_TRACES_FILE,
    otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    sampleRatio: config.SEALANE_TRACE_RATIO,
  });
  const policy = parsePolicy(readFileSync(config.SEALANE_POLICY_FILE, 'utf8'));
  const origin = policy.logs[0]?.key.name ?? '';
  const { database, sql } = openDatabase();
  const store = makeViewStore(sql);
  const position = await store.readPosition();
  // One entry more than is needed: the next one must follow it.
  const chain = await store.readChainFrom(Math.max(0, Math.min(position.creditedTo, position.sealedTo) - 1));
  const signer = await fileSigner(config.SEALANE_TRANSFER_KEY_FILE);
  const envelopeKey = readEnvelopeKey(config.SEALANE_ENVELOPE_KEY_FILE);
  const openEnvelope = makeEnvelopeOpener(participant, envelopeKey.privateKey);
  const messaging = createMessaging({
    brokers: config.KAFKA_BROKERS.split(','),
    clientId: `adapter-${participant}`,
  });
  const producer = messaging.producer();
  const core = httpClient({
    baseUrl: config.SEALANE_CORE_URL,
    token: readSecretFile(config.SEALANE_CORE_TOKEN_FILE),
    timeoutMs: 5_000,
  });
  const ledger = makeLedgerClient(
    config.SEALANE_LEDGER_URL,
    participant,
    readSecretFile(config.SEALANE_LEDGER_TOKEN_FILE),
  );
  const keys = watchKeyLog(makeLogReader(`${config.SEALANE_LEDGER_URL}/log/keys`), policy, log);
  const sheets = makeSheetBook();
  for (const note of await store.readSheets()) {
    const read = readNote(note);
    const sheet = read.ok ? readStatement(read.note, 'rate-sheet', rateSheetSchema) : undefined;
    if (sheet?.ok === true) sheets.add(sheet.statement.body, note);
  }
  const book = makeTransferBook(store);
  const persister = makePersister(store, clock, (err) =>
    log.warn({ err }, 'the read model was not written, trying again'),
  );

  let alarm: string | undefined;
  const stepMs = telemetry.histogram(
    'sealane_step_ms',
    'From the accepted request to each step, payer’s side',
    [2, 5, 10, 15, 20, 30, 50, 80, 120, 200, 500, 1_000, 5_000],
  );
  const transfers = telemetry.counter('sealane_transfers', 'Transfers by side and state reached');
  const letters = telemetry.counter('sealane_dead_letters', 'Inbox messages that were refused');

  const maker = makeTermsMaker({
    participant,
    origin,
    policy: config.SEALANE_TRANSFER_POLICY,
    keys: keys.state,
    sheets,
    requestKey: fromBase64(readSecretFile(config.SEALANE_REQUEST_KEY_FILE)),
  });
  const intake = makeIntake({
    participant,
    origin,
    lane: config.SEALANE_LANE,
    maker,
    book,
    signer,
    producer,
    telemetry,
    clock,
  });
  const answer = (answers: readonly Answer[]): void => {
    const topic = laneTopic(config.SEALANE_LANE);
    const records = answers.map(({ command, proposal }) => {
      const span = telemetry.startSpan(`adapter.${String(command.kind)}`, {
        parent: proposal.trace,
        attributes: { 'transfer.id': proposal.terms.id },
      });
      span.end();
      const value = JSON.stringify(
        proposal.trace === undefined ? command : { ...command, trace: proposal.trace },
      );
      return { topic, key: proposal.terms.id, value };
    });
    // Lost answers are asked for again: the ledger repeats its proposals.
    producer
      .send(records, { deadlineMs: 10_000 })
      .catch((err: unknown) => log.warn({ err }, 'answers were not published'));
  };
  const payee = makePayeeDesk({
    participant,
    origin,
    keys: keys.state,
    sheets,
    signer,
    openEnvelope,
    core,
    clock,
    answer,
    log,
  });
  const credits = makeCreditDesk({
    participant,
    origin,
    core,
    signer,
    openEnvelope,
    book,
    chain,
    position,
    clock,
    produce: (command) => intake.produce(command, participant),
    log,
  });
  const notices = makeNotices({ core, book, persister, clock, log });
  const inbox = makeInboxHandler({
    participant,
    origin,
    policy,
    keys,
    sheets,
    book,
    persister,
    payee,
    ledger,
    position,
    chain,
    clock,
    onMoved: (kept) => {
      notices.owe(kept);
      if (kept.view.status === 'sealed' && kept.view.role === 'payee') credits.owe(kept.view.id);
    },
    onCredited: credits.covered,
    onStep: (step, view, atMs) => {
      transfers.add(1, { role: view.role, state: step });
      const accepted = view.steps.accepted;
      if (view.role === 'payer' && accepted !== undefined) {
        stepMs.record(Math.max(0, atMs - accepted), { step });
      }
      if (view.trace !== undefined && (step === 'sealed' || step === 'committed')) {
        const attributes = { 'transfer.id': view.id, role: view.role };
        telemetry.startSpan(`adapter.${step}`, { parent: view.trace, attributes }).end();
      }
    },
    onAlarm: (detail) => {
      alarm = detail;
      log.error({ detail }, 'ALARM: the ledger did not show us what it should have');
    },
    log,
  });

  for (const { view, envelope } of await store.readUnfinished()) {
    const kept = book.put(view, envelope);
    if (view.notified < view.notice) notices.owe(kept);
    if (view.status === 'sealed' && view.role === 'payee') credits.owe(view.id);
  }

  telemetry.gauge('sealane_owed_credits', 'Sealed transfers that the core has not answered', credits.owed);
  telemetry.gauge('sealane_owed_credit_age_ms', 'Age of the oldest owed credit', credits.oldestMs);
  telemetry.gauge('sealane_owed_notices', 'Notices that the core has not answered', notices.owed);
  telemetry.gauge('sealane_known_transfers', 'Transfers in memory', book.size);
  telemetry.gauge('sealane_unsealed_entries', 'Own entries without a seal', () => position.nextChain - position.sealedTo);

  const ready = () => {
    const keyLog = keys.history() === undefined ? 'not read yet' : 'ok';
    const quoting = sheets.all().length === 0 ? 'no rate sheet has been logged' : 'ok';
    return {
      ok: keyLog === 'ok' && quoting === 'ok' && alarm === undefined,
      checks: { keyLog, sheets: quoting, chain: alarm ?? 'ok' },
    };
  };
  const app = createHttpApp({
    name: `Sealane wallet adapter of ${participant}`,
    logger: log,
    auth: {
      core: bearerAuth(new Map([['core', tokenDigest(readSecretFile(config.SEALANE_API_TOKEN_FILE))]])),
    },
  });
  mountRoutes({
    app,
    intake,
    book,
    ledger,
    clock,
    closed: () => {
      const state = ready();
      if (state.checks.keyLog !== 'ok') return `the key log is ${state.checks.keyLog}`;
      if (state.checks.sheets !== 'ok') return state.checks.sheets;
      return alarm;
    },
  });
  const witness = await openWitness(
    config.SEALANE_WITNESS_KEY_FILE,
    config.SEALANE_WITNESS_STATE_FILE,
    policy,
    () => alarm,
  );
  mountWitness(app, '/witness', witness);
  health(app, { ready, metrics: telemetry.metricsHandler });
  const http = await startHttp({ app, port: config.SEALANE_ADAPTER_PORT });
  log.info({ url: http.url }, 'adapter listens');

  const deadLetter = (offset: bigint, value: Uint8Array | null, code: string, detail: string): void => {
    letters.add(1, { code });
    const letter: DeadLetter = {
      v: 1,
      topic: inboxTopic(participant),
      offset: String(offset),
      size: value?.length ?? 0,
      hash: toBase64(sha256(value ?? new Uint8Array())),
      code,
      detail: detail.slice(0, 300),
      time: formatTime(clock()),
    };
    producer
      .send([{ topic: deadLetterTopic(participant), value: JSON.stringify(letter) }])
      .catch((err: unknown) => log.warn({ err }, 'a dead letter was not published'));
  };

  const stopping = new AbortController();
  void keys.run(1_000);
  void credits.run(config.SEALANE_CREDIT_INTERVAL);
  while (keys.history() === undefined && !stopping.signal.aborted) await pause(20, stopping.signal);

  const consumer = messaging.consumer({
    topic: inboxTopic(participant),
    groupId: `adapter-${participant}`,
    fromOffset: () => Promise.resolve(position.nextOffset),
    onBatch: async (records) => {
      for (const { offset, value } of records) {
        if (offset < position.nextOffset) continue;
        const handled = await inbox.handle(value);
        if (!handled.ok) deadLetter(offset, value, handled.code, handled.detail);
        position.nextOffset = offset + 1n;
        persister.position(position);
      }
      // Reading faster than Postgres writes would only fill the memory.
      while (persister.pending() > 5_000 && !stopping.signal.aborted) await pause(5, stopping.signal);
    },
    onError: (err) => log.warn({ err }, 'reading the inbox failed, beginning again'),
  });
  telemetry.gauge('sealane_inbox_lag', 'Inbox messages that are not read yet', () => {
    const lag = consumer.lag();
    return lag === undefined ? 0 : Number(lag.highWatermark - lag.position);
  });

  onShutdown(
    [
      { name: 'close http', run: () => http.close() },
      {
        name: 'stop desks',
        run: async () => {
          stopping.abort();
          keys.stop();
          credits.stop();
          notices.stop();
          await consumer.stop();
        },
      },
      { name: 'flush', run: () => producer.stop() },
      { name: 'write the read model', run: () => persister.stop() },
      {
        name: 'close connections',
        run: async () => {
          core.close();
          ledger.close();
          await database.close();
        },
      },
      { name: 'telemetry', run: () => telemetry.shutdown() },
    ],
    { onStart: (reason, err) => log.info({ reason, err }, 'stopping') },
  );
};

await main();
