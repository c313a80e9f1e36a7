// Wires an adapter: configuration → stores → keys → desks → inbox, HTTP and the witness.
import { readFileSync } from "node:fs";
import {
  inForceOf,
  ledgerLanes,
  makeLogReader,
  watchKeyLog,
  type KeyWatch,
  type LedgerLane,
} from "@sealane/client";
import { openServiceDatabase } from "@sealane/database";
import {
  bearerAuth,
  createHttpApp,
  health,
  httpClient,
  startHttp,
  tokenDigest,
} from "@sealane/http";
import { createMessaging } from "@sealane/messaging";
import {
  invariant,
  kafkaSettings,
  loadConfig,
  onShutdown,
  pause,
  readSecretFile,
} from "@sealane/runtime";
import {
  keyFamily,
  makeEnvelopeOpener,
  makeVaultKeys,
  readEnvelopeKey,
  selfTest,
  type KeyFamily,
} from "@sealane/signer";
import { createLogger, startTelemetry, type Telemetry } from "@sealane/telemetry";
import { fromBase64, parsePolicy, type TlogPolicy } from "@sealane/tlog";
import { mountWitness, openParticipantWitness } from "@sealane/witness";
import { makeAdapterTelemetry } from "./adapter-telemetry.ts";
import { makeAdmission, type Admission } from "./admission.ts";
import type { ApprovalDesk } from "./approval-desk.ts";
import { mountApprovals } from "./approval-routes.ts";
import { makeApprovalStore } from "./approval-store.ts";
import { adapterConfigSchema } from "./config.ts";
import { makeHostedDesk } from "./hosted-desk.ts";
import { makeHostedLinked } from "./hosted-linked.ts";
import { mountHosted } from "./hosted-linked-routes.ts";
import { readInbox } from "./inbox-reader.ts";
import { makeIntake } from "./intake.ts";
import { makeLanes, openLaneBook, type LaneBook, type Lanes } from "./lanes.ts";
import { makeNotices, type Notices } from "./notices.ts";
import { openApprovals } from "./open-approvals.ts";
import { openSide, type LaneSide } from "./open-side.ts";
import { mountPersons } from "./person-routes.ts";
import { makePersister } from "./persister.ts";
import { makeRecallDesk, type RecallDesk } from "./recall-desk.ts";
import { makeRecallStore } from "./recall-store.ts";
import { makeReturnDesk } from "./return-desk.ts";
import type { StatementsOf } from "./receipt-routes.ts";
import { mountReturns } from "./return-routes.ts";
import { mountRoutes } from "./routes.ts";
import { makeTermsMaker } from "./terms-maker.ts";
import { makeTransferBook } from "./transfer-book.ts";
import { makeVault } from "./vault.ts";
import { makeViewMover } from "./view-mover.ts";
import { makeViewStore, type Kept, type ViewStore } from "./view-store.ts";

const config = loadConfig(adapterConfigSchema);
const participant = config.SEALANE_PARTICIPANT;
const log = createLogger({ service: participant, level: config.SEALANE_LOG_LEVEL });
const clock = (): number => Date.now();

const openStores = () => {
  const { database, sql } = openServiceDatabase({
    url: config.DATABASE_URL,
    user: config.SEALANE_DATABASE_USER,
    passwordFile: config.SEALANE_DATABASE_PASSWORD_FILE,
    schema: config.SEALANE_DATABASE_SCHEMA,
    applicationName: `sealane-adapter-${participant}`,
    poolSize: 4,
    onConnectionLost: (err) => log.warn({ err }, "database connection lost"),
    waitForServer: true,
  });
  const store = makeViewStore(sql);
  const { privateKey } = readEnvelopeKey(config.SEALANE_ENVELOPE_KEY_FILE);
  const vault = makeVault(sql, makeVaultKeys(privateKey));
  const onError = (err: unknown): void =>
    log.warn({ err }, "the read model was not written, trying again");
  const persister = makePersister(store, clock, onError, vault.flush);
  const openEnvelope = makeEnvelopeOpener(participant, privateKey);
  return {
    database,
    approvalStore: makeApprovalStore(sql),
    vault,
    openEnvelope,
    store,
    persister,
    recalls: makeRecallStore(sql),
    book: makeTransferBook(store),
  };
};

/** What is remembered of each lane. */
const openBooks = async (
  policy: TlogPolicy,
  store: ViewStore,
): Promise<[LaneBook, ...LaneBook[]]> => {
  const token = readSecretFile(config.SEALANE_LEDGER_TOKEN_FILE);
  const open = (one: LedgerLane): Promise<LaneBook> => openLaneBook(one, store, participant, token);
  const [first, ...more] = ledgerLanes(policy, config.SEALANE_LEDGER_URL, config.SEALANE_LANE);
  // The core of a hosted provider keeps its place in one chain.
  const hosted = config.SEALANE_TRANSFER_KEY_FILE === undefined;
  invariant(!hosted || more.length === 0, "a hosted adapter serves one lane");
  return [await open(first), ...(await Promise.all(more.map(open)))];
};

const openPeers = () => ({
  messaging: createMessaging({
    ...kafkaSettings(config),
    clientId: `adapter-${participant}`,
  }),
  core: httpClient({
    baseUrl: config.SEALANE_CORE_URL,
    token: readSecretFile(config.SEALANE_CORE_TOKEN_FILE),
    timeoutMs: 5_000,
  }),
});

/** The core may do everything; whoever has the narrower token only reads what waits for approval. */
const doorKeys = () => {
  const core = ["core", tokenDigest(readSecretFile(config.SEALANE_API_TOKEN_FILE))] as const;
  const file = config.SEALANE_APPROVALS_TOKEN_FILE;
  const readers =
    file === undefined ? [] : [["approvals", tokenDigest(readSecretFile(file))] as const];
  return { core: bearerAuth(new Map([core])), operator: bearerAuth(new Map([core, ...readers])) };
};

/** The alarm stays until a person has looked: nothing is accepted or cosigned meanwhile. */
const makeAlarm = () => {
  let detail: string | undefined;
  return {
    raise: (reason: string): void => {
      detail ??= reason;
      log.error({ detail: reason }, "ALARM: the ledger did not show us what it should have");
    },
    now: (): string | undefined => detail,
  };
};

const readinessOf =
  (keys: KeyWatch, signer: KeyFamily | undefined, lanes: Lanes, alarm: () => string | undefined) =>
  () => {
    const checks = {
      keyLog: keys.history() === undefined ? "not read yet" : "ok",
      signing: signer?.trouble() ?? "ok",
      sheets: lanes.all.some(({ sheets }) => sheets.all().length === 0)
        ? "no rate sheet has been logged"
        : "ok",
      chain: alarm() ?? "ok",
    };
    return { ok: Object.values(checks).every((check) => check === "ok"), checks };
  };

type Gauged = {
  readonly sides: readonly LaneSide[];
  readonly notices: Notices;
  readonly recalls: RecallDesk;
  readonly admission: Admission;
  readonly approvals: ApprovalDesk;
};

const gauges = ({ gauge }: Telemetry, desks: Gauged): void => {
  const { sides, notices, recalls, admission, approvals } = desks;
  const owed = (): number => sides.reduce((sum, { credits }) => sum + credits.owed(), 0);
  const oldestMs = (): number => Math.max(...sides.map(({ credits }) => credits.oldestMs()));
  gauge("sealane_held_transfers", "Waiting for operators to sign", approvals.held);
  gauge("sealane_owed_credits", "Sealed transfers that the core has not answered", owed);
  gauge("sealane_owed_credit_age_ms", "Age of the oldest owed credit", oldestMs);
  gauge("sealane_open_recalls", "Recalls that have no answer on the log yet", recalls.open);
  gauge("sealane_owed_notices", "Notices that the core has not answered", notices.owed);
  gauge("sealane_owed_notice_age_ms", "Age of the oldest owed notice", notices.oldestMs);
  gauge("sealane_waiting_intents", "Intents that the ledger has not answered", admission.waiting);
  gauge("sealane_shed_requests", "Requests that were told to come later", admission.shed);
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
  const observed = makeAdapterTelemetry(telemetry);
  const policy = parsePolicy(readFileSync(config.SEALANE_POLICY_FILE, "utf8"));
  const opened = openStores();
  const { database, store, persister, book, vault, openEnvelope } = opened;
  const { messaging, core } = openPeers();
  const producer = messaging.producer();
  const [ledgerUrl = ""] = config.SEALANE_LEDGER_URL;
  const keys = watchKeyLog(makeLogReader(`${ledgerUrl}/log/keys`), policy, log);
  const books = await openBooks(policy, store);
  const lanes = makeLanes(books, () => keys.history()?.states.at(-1));
  const alarm = makeAlarm();
  const file = config.SEALANE_TRANSFER_KEY_FILE;
  const inForce = inForceOf(keys, participant, "transfer");
  const onFault = (path: string, err: unknown): void =>
    log.warn({ err, path }, "a key file is not used");
  const signer = file === undefined ? undefined : keyFamily({ file, inForce, clock, onFault });

  const maker = makeTermsMaker({
    participant,
    policy: config.SEALANE_TRANSFER_POLICY,
    keys: keys.state,
    lanes,
    requestKey: fromBase64(readSecretFile(config.SEALANE_REQUEST_KEY_FILE)),
  });
  const admission = makeAdmission(clock);
  const approvals = await openApprovals({ ...opened, keys, producer, lanes, clock, log });
  const intake = makeIntake({
    participant,
    lanes,
    maker,
    book,
    vault,
    approvals,
    signer,
    producer,
    telemetry,
    admission,
    clock,
  });
  const common = { participant, lanes, core, openEnvelope, vault, clock, log };
  const requestOf = maker.requestOf;
  const returns = makeReturnDesk({ ...common, book, signer, producer, requestOf });
  const recalls = makeRecallDesk({
    ...common,
    keys: keys.state,
    store: opened.recalls,
    returns,
    book,
  });
  const notices = makeNotices({ core, book, persister, clock, log });
  const onMoved = (kept: Kept): void => {
    if (kept.view.notified < kept.view.notice) notices.owe(kept);
    const { status, role, recallOf, id } = kept.view;
    if (status !== "sealed" || role !== "payee" || recallOf !== undefined) return;
    const own = lanes.holding(kept.view);
    sides.find((side) => side.own === own)?.credits.owe(id);
  };
  const parts = { ...common, policy, keys, signer, store, persister, book, producer, observed };
  const more = { admission, recalls, onMoved, onAlarm: alarm.raise };
  const sides: LaneSide[] = lanes.all.map((own) => openSide({ ...parts, ...more }, own));
  gauges(telemetry, { sides, notices, recalls, admission, approvals });
  for (const kept of await store.readUnfinished()) onMoved(book.adopt(kept));
  await recalls.begin();

  const app = createHttpApp({
    name: `Sealane wallet adapter of ${participant}`,
    logger: log,
    auth: doorKeys(),
  });
  const ready = readinessOf(keys, signer, lanes, alarm.now);
  const closed = (): string | undefined =>
    Object.entries(ready().checks)
      .find(([, check]) => check !== "ok")
      ?.join(": ");
  const statements: StatementsOf = (lane) =>
    sides.flatMap(({ own, statements: desk }) =>
      lane === undefined || own.lane === lane ? [{ lane: own.lane, desk }] : [],
    );
  mountRoutes({ app, intake, book, lanes, statements, returns, clock, closed });
  mountReturns({ app, returns, recalls, book, clock, closed });
  const desk = makeHostedDesk({ participant, lanes, intake, keys: keys.state, clock });
  mountPersons(app, vault);
  mountApprovals(app, approvals);
  const linked = makeHostedLinked({ participant, returns, keys: keys.state, clock });
  mountHosted({ app, desk, linked, returns, recalls, book, clock, closed });
  const witness = await openParticipantWitness(
    config.SEALANE_WITNESS_KEY_FILE,
    config.SEALANE_WITNESS_STATE_FILE,
    policy,
    alarm.now,
  );
  mountWitness(app, "/witness", witness);
  health(app, { ready, metrics: telemetry.metricsHandler });
  const http = await startHttp({ app, port: config.SEALANE_ADAPTER_PORT });
  log.info({ url: http.url, signs: signer !== undefined }, "adapter listens");

  void keys.run(1_000);
  void recalls.run(config.SEALANE_CREDIT_INTERVAL);
  for (const { credits, statements: own } of sides) {
    void credits.run(config.SEALANE_CREDIT_INTERVAL);
    void own.run(config.SEALANE_STATEMENT_INTERVAL);
  }
  while (keys.history() === undefined) await pause(20);
  const consumer = readInbox({
    participant,
    messaging,
    producer,
    inboxes: sides.map(({ inbox }) => inbox),
    persister,
    clock,
    onDeadLetter: (code) => observed.deadLetters.add(1, { code }),
    log,
  });
  telemetry.gauge("sealane_inbox_lag", "Inbox messages that are not read yet", () => {
    const lag = consumer.lag();
    return lag === undefined ? 0 : Number(lag.highWatermark - lag.position);
  });

  void approvals.run(makeViewMover({ book, persister, onMoved, onStep: observed.step }));
  const stopDesks = async (): Promise<void> => {
    for (const one of [keys, recalls, approvals, notices]) one.stop();
    for (const { credits, statements: own } of sides) {
      credits.stop();
      own.stop();
    }
    await consumer.stop();
  };
  const closeConnections = async (): Promise<void> => {
    core.close();
    for (const { ledger } of lanes.all) ledger.close();
    await database.close();
  };
  onShutdown(
    [
      { name: "close http", run: () => http.close() },
      { name: "stop desks", run: stopDesks },
      { name: "flush", run: () => producer.stop() },
      { name: "write the read model", run: () => persister.stop() },
      { name: "close connections", run: closeConnections },
      { name: "telemetry", run: () => telemetry.shutdown() },
    ],
    { onStart: (reason, err) => log.info({ reason, err }, "stopping") },
  );
};

await main();
