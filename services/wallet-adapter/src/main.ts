// Wires an adapter: configuration → stores → keys → desks → inbox, HTTP and the witness.
import { readFileSync } from "node:fs";
import { inForceOf, makeLogReader, watchKeyLog, type KeyWatch } from "@sealane/client";
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
import { laneTopic, rateSheetSchema, readNote, readStatement } from "@sealane/protocol";
import { kafkaSettings, loadConfig, onShutdown, pause, readSecretFile } from "@sealane/runtime";
import {
  keyFamily,
  makeEnvelopeOpener,
  makeVaultKeys,
  readEnvelopeKey,
  selfTest,
  type KeyFamily,
} from "@sealane/signer";
import { createLogger, startTelemetry, type Telemetry } from "@sealane/telemetry";
import { composeNote, fromBase64, parsePolicy } from "@sealane/tlog";
import { mountWitness, openParticipantWitness } from "@sealane/witness";
import { makeAdapterTelemetry } from "./adapter-telemetry.ts";
import { makeAdmission, type Admission } from "./admission.ts";
import type { ApprovalDesk } from "./approval-desk.ts";
import { mountApprovals } from "./approval-routes.ts";
import { makeApprovalStore } from "./approval-store.ts";
import { adapterConfigSchema } from "./config.ts";
import { makeCreditDesk, type CreditDesk } from "./credit-desk.ts";
import { makeOwnSigner, type SignOwn } from "./hosted-own.ts";
import { makeHostedDesk } from "./hosted-desk.ts";
import { makeHostedLinked } from "./hosted-linked.ts";
import { mountHosted } from "./hosted-linked-routes.ts";
import { makeInboxHandler } from "./inbox-handler.ts";
import { readInbox } from "./inbox-reader.ts";
import { makeIntake } from "./intake.ts";
import { makeLedgerClient } from "./ledger-client.ts";
import { makeNotices, type Notices } from "./notices.ts";
import { openApprovals } from "./open-approvals.ts";
import { makePayeeDesk, type Answer } from "./payee-desk.ts";
import { mountPersons } from "./person-routes.ts";
import { makePersister } from "./persister.ts";
import { signedByProvider, signedHere } from "./provider-answers.ts";
import { makeRecallDesk, type RecallDesk } from "./recall-desk.ts";
import { makeRecallStore } from "./recall-store.ts";
import { makeReturnDesk } from "./return-desk.ts";
import { mountReturns } from "./return-routes.ts";
import { mountRoutes } from "./routes.ts";
import { makeSheetBook, type SheetBook } from "./sheet-book.ts";
import { makeStatementDesk } from "./statement-desk.ts";
import { makeTermsMaker } from "./terms-maker.ts";
import { makeTransferBook } from "./transfer-book.ts";
import { makeVault } from "./vault.ts";
import { makeViewMover } from "./view-mover.ts";
import { makeViewStore, type Kept } from "./view-store.ts";

const config = loadConfig(adapterConfigSchema);
const participant = config.SEALANE_PARTICIPANT;
const lane = config.SEALANE_LANE;
const log = createLogger({ service: participant, level: config.SEALANE_LOG_LEVEL });
const clock = (): number => Date.now();

/** What is remembered from before: the sheets that were logged, and the inbox's position. */
const openStores = async () => {
  const { database, sql } = openServiceDatabase({
    url: config.DATABASE_URL,
    user: config.SEALANE_DATABASE_USER,
    passwordFile: config.SEALANE_DATABASE_PASSWORD_FILE,
    schema: config.SEALANE_DATABASE_SCHEMA,
    applicationName: `sealane-adapter-${participant}`,
    poolSize: 4,
    onConnectionLost: (err) => log.warn({ err }, "database connection lost"),
  });
  const store = makeViewStore(sql);
  const position = await store.readPosition();
  // One entry more than is needed: the next one must follow it.
  const from = Math.min(position.creditedTo, position.sealedTo) - 1;
  const chain = await store.readChainFrom(Math.max(0, from));
  const sheets = makeSheetBook();
  for (const note of await store.readSheets()) {
    const read = readNote(note);
    const sheet = read.ok ? readStatement(read.note, "rate-sheet", rateSheetSchema) : undefined;
    if (sheet?.ok === true) sheets.add(sheet.statement.body, note);
  }
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
    position,
    chain,
    sheets,
    persister,
    recalls: makeRecallStore(sql),
    book: makeTransferBook(store),
  };
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
  ledger: makeLedgerClient(
    config.SEALANE_LEDGER_URL,
    participant,
    readSecretFile(config.SEALANE_LEDGER_TOKEN_FILE),
  ),
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
  (
    keys: KeyWatch,
    signer: KeyFamily | undefined,
    sheets: SheetBook,
    alarm: () => string | undefined,
  ) =>
  () => {
    const checks = {
      keyLog: keys.history() === undefined ? "not read yet" : "ok",
      signing: signer?.trouble() ?? "ok",
      sheets: sheets.all().length === 0 ? "no rate sheet has been logged" : "ok",
      chain: alarm() ?? "ok",
    };
    return { ok: Object.values(checks).every((check) => check === "ok"), checks };
  };

type Gauged = {
  readonly credits: CreditDesk;
  readonly notices: Notices;
  readonly recalls: RecallDesk;
  readonly admission: Admission;
  readonly approvals: ApprovalDesk;
};

const gauges = ({ gauge }: Telemetry, desks: Gauged): void => {
  const { credits, notices, recalls, admission, approvals } = desks;
  gauge("sealane_held_transfers", "Waiting for operators to sign", approvals.held);
  gauge("sealane_owed_credits", "Sealed transfers that the core has not answered", credits.owed);
  gauge("sealane_owed_credit_age_ms", "Age of the oldest owed credit", credits.oldestMs);
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
  const origin = policy.logs[0]?.key.name ?? "";
  const opened = await openStores();
  const { database, store, position, chain, sheets, persister, book, vault, openEnvelope } = opened;
  const { messaging, core, ledger } = openPeers();
  const producer = messaging.producer();
  const keys = watchKeyLog(makeLogReader(`${config.SEALANE_LEDGER_URL}/log/keys`), policy, log);
  const alarm = makeAlarm();
  const file = config.SEALANE_TRANSFER_KEY_FILE;
  const inForce = inForceOf(keys, participant, "transfer");
  const onFault = (path: string, err: unknown): void =>
    log.warn({ err, path }, "a key file is not used");
  /** None where the adapter is hosted: the provider signs by itself. */
  const signer = file === undefined ? undefined : keyFamily({ file, inForce, clock, onFault });

  const maker = makeTermsMaker({
    participant,
    origin,
    policy: config.SEALANE_TRANSFER_POLICY,
    keys: keys.state,
    sheets,
    requestKey: fromBase64(readSecretFile(config.SEALANE_REQUEST_KEY_FILE)),
  });
  const admission = makeAdmission(clock);
  const approvals = await openApprovals({ ...opened, keys, producer, lane, clock, log });
  const intake = makeIntake({
    participant,
    origin,
    lane,
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
  /** Lost answers are asked for again: the ledger repeats its proposals. */
  const answer = (answers: readonly Answer[]): void => {
    const records = answers.map((one) => {
      const trace = observed.answered(one);
      const command = trace === undefined ? one.command : { ...one.command, trace };
      return {
        topic: laneTopic(lane),
        key: one.proposal.terms.id,
        value: JSON.stringify(command),
      };
    });
    producer
      .send(records, { deadlineMs: 10_000 })
      .catch((err: unknown) => log.warn({ err }, "answers were not published"));
  };
  const common = { participant, origin, core, openEnvelope, vault, clock, log };
  const hosted = { participant, origin, core, store, ledger, keys: keys.state, log };
  const signOwn: SignOwn =
    signer === undefined
      ? makeOwnSigner(hosted)
      : async (text) => composeNote(text, [await signer.signLine(text)]);

  const credits = makeCreditDesk({
    ...common,
    signOwn,
    book,
    chain,
    position,
    produce: (command) => intake.produce(command, participant),
  });
  const statements = makeStatementDesk({
    ...common,
    signOwn,
    chain,
    position,
    produce: (command) => intake.produce(command, participant),
  });
  const payee = makePayeeDesk({
    ...common,
    keys,
    sheets,
    answers:
      signer === undefined ? signedByProvider(hosted) : signedHere(participant, origin, signer),
    answer,
    expect: credits.expect,
  });
  const requestOf = maker.requestOf;
  const returns = makeReturnDesk({ ...common, lane, book, sheets, signer, producer, requestOf });
  const recalls = makeRecallDesk({ ...common, ...hosted, store: opened.recalls, returns, book });
  const notices = makeNotices({ core, book, persister, clock, log });
  gauges(telemetry, { credits, notices, recalls, admission, approvals });
  const onMoved = (kept: Kept): void => {
    if (kept.view.notified < kept.view.notice) notices.owe(kept);
    const { status, role, recallOf, id } = kept.view;
    if (status === "sealed" && role === "payee" && recallOf === undefined) credits.owe(id);
  };
  for (const kept of await store.readUnfinished()) onMoved(book.adopt(kept));
  await recalls.begin();
  const inbox = makeInboxHandler({
    participant,
    origin,
    policy,
    keys,
    sheets,
    book,
    persister,
    vault,
    payee,
    recalls,
    ledger,
    position,
    chain,
    clock,
    onMoved,
    onCredited: credits.covered,
    onStated: statements.stated,
    onSealed: credits.trim,
    onStep: (step, view, atMs) => {
      admission.moved(step, view);
      observed.step(step, view, atMs);
    },
    onTurnedAway: ({ id, payee: to = "" }) => admission.drop(id, to),
    onAlarm: alarm.raise,
    log,
  });

  const app = createHttpApp({
    name: `Sealane wallet adapter of ${participant}`,
    logger: log,
    auth: doorKeys(),
  });
  const ready = readinessOf(keys, signer, sheets, alarm.now);
  const closed = (): string | undefined =>
    Object.entries(ready().checks)
      .find(([, check]) => check !== "ok")
      ?.join(": ");
  mountRoutes({ app, intake, book, ledger, statements, returns, clock, closed });
  mountReturns({ app, returns, recalls, book, clock, closed });
  const desk = makeHostedDesk({ participant, origin, intake, keys: keys.state, clock });
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
  void credits.run(config.SEALANE_CREDIT_INTERVAL);
  void recalls.run(config.SEALANE_CREDIT_INTERVAL);
  void statements.run(config.SEALANE_STATEMENT_INTERVAL);
  while (keys.history() === undefined) await pause(20);
  const consumer = readInbox({
    participant,
    messaging,
    producer,
    inbox,
    position,
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
    for (const one of [keys, credits, recalls, statements, approvals, notices]) one.stop();
    await consumer.stop();
  };
  const closeConnections = async (): Promise<void> => {
    core.close();
    ledger.close();
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
