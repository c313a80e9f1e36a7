// Wires the books of one lane: bookkeeper, topic, log watch, breaks, settlement, and its routes. A process
// keeps several; the first lane's routes are at the root, another's below `/lanes/<lane>`.
import { makeLogReader, type KeyWatch, type LedgerLane, type LogReader } from "@sealane/client";
import type { Database, Sql } from "@sealane/database";
import type { HttpApp } from "@sealane/http";
import type { Consumer, Messaging, Producer } from "@sealane/messaging";
import type { Logger, Telemetry } from "@sealane/telemetry";
import type { TlogPolicy } from "@sealane/tlog";
import { makeBookReader, type BookReader } from "./book-reader.ts";
import { makeGauges, type BookTelemetry } from "./book-telemetry.ts";
import { makeBookkeeper, type Bookkeeper } from "./bookkeeper.ts";
import { makeBooksStore } from "./books-store.ts";
import { openBreaks } from "./breaks/open-breaks.ts";
import type { ReconciliationConfig } from "./config.ts";
import { consumeEntries, makeDeadLetters } from "./consume.ts";
import type { Journal } from "./journal/journal.ts";
import { openSettlement } from "./open-settlement.ts";
import { mountRoutes } from "./routes.ts";
import { makeSettlementReader } from "./settlement-reader.ts";
import { watchLog } from "./watch-log.ts";

/** What all lanes of a process share. */
export type BooksProcess = {
  readonly config: ReconciliationConfig;
  readonly policy: TlogPolicy;
  readonly database: Database<unknown>;
  readonly sql: Sql;
  readonly messaging: Messaging;
  readonly producer: Producer;
  readonly keys: KeyWatch;
  readonly journal: Journal;
  /** An auditor's token, where entry bundles are not open. */
  readonly ledgerToken: string | undefined;
  /** Labelled with the lane, where there are several. */
  readonly telemetry: Telemetry;
  readonly observed: BookTelemetry;
  readonly clock: () => number;
  readonly log: Logger;
};

export type LaneBooks = LedgerLane & {
  readonly bookkeeper: Bookkeeper;
  readonly log: LogReader;
  readonly reader: BookReader;
  /** One cut window of this lane, or undefined. */
  readonly window: ReturnType<typeof makeSettlementReader>["window"];
  /** Why nothing can be read, or undefined. */
  readonly trouble: () => string | undefined;
  /** Reads and follows until the signal aborts; the key log has been read. */
  run(signal: AbortSignal): void;
  stop(): Promise<void>;
};

/** Once, beside the work: whether somebody else wrote to the tables while we were away. */
const checkBooks = async (bookkeeper: Bookkeeper, clock: () => number, log: Logger) => {
  try {
    const startedMs = clock();
    const accounts = await bookkeeper.check();
    const tookMs = clock() - startedMs;
    if (accounts.length === 0) log.info({ tookMs }, "every balance is the sum of its postings");
  } catch (err) {
    log.warn({ err }, "balances could not be compared with their postings");
  }
};

/** Mounts the lane's routes on the app; nothing is read yet. */
export const openLane = (shared: BooksProcess, one: LedgerLane, app: HttpApp): LaneBooks => {
  const { config, policy, database, sql, messaging, producer, keys, telemetry } = shared;
  const { observed, ledgerToken, clock, log } = shared;
  const { lane, origin, url } = one;
  let consumer: Consumer | undefined;
  let trouble: string | undefined = "not begun";
  let heardAtMs = clock();
  const onDeadLetter = makeDeadLetters({
    lane,
    producer,
    clock,
    onLetter: observed.deadLetter,
    log,
  });
  const entriesLog = makeLogReader(`${url}/log`, 5_000, ledgerToken);
  const bookkeeper = makeBookkeeper({
    lane,
    origin,
    policy,
    signatures: config.SEALANE_RECONCILIATION_SIGNATURES === "all",
    store: makeBooksStore(sql, lane, origin),
    log: entriesLog,
    keys,
    onDeadLetter,
    onStored: observed.stored,
    onFault: (fault) => {
      log.fatal({ lane, fault }, "the books end here: the log does not stand");
      void consumer?.stop();
    },
    clock,
  });
  makeGauges(telemetry, {
    standing: bookkeeper.standing,
    clock,
    lag: () => {
      const lag = consumer?.lag();
      return lag === undefined ? 0 : Number(lag.highWatermark - lag.position);
    },
  });
  const reader = makeBookReader(sql, lane);
  const openBalances = config.SEALANE_OPEN_BALANCES === "yes";
  mountRoutes({ app, lane, origin, reader, openBalances, fault: bookkeeper.fault });
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
    kept: shared.journal.flush,
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
    kept: shared.journal.flush,
    onRefusedLines: breaks.refusedBankStatement,
    ledgerToken,
    ledgerUrl: url,
  });

  const run = (signal: AbortSignal): void => {
    consumer = consumeEntries({
      lane,
      messaging,
      bookkeeper,
      onResult: (failure) => {
        trouble = failure;
        if (failure === undefined) heardAtMs = clock();
      },
      log,
    });
    void checkBooks(bookkeeper, clock, log);
    void settlement.runScheduler(signal).catch((err: unknown) => {
      log.fatal({ err }, "the scheduler's key cannot be used");
      process.exit(1);
    });
    void breaks.follow(signal);
    const silenceMs = config.SEALANE_SILENCE;
    void watchLog({ bookkeeper, silenceMs, heardAtMs: () => heardAtMs, clock, log }, signal);
  };

  return {
    ...one,
    bookkeeper,
    log: entriesLog,
    reader,
    window: makeSettlementReader(sql, lane, origin).window,
    trouble: () => trouble,
    run,
    stop: async () => {
      await consumer?.stop();
    },
  };
};
