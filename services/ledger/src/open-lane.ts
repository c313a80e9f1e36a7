// One lane as this process runs it: its log and tree, its writer and witnesses, and its door. A process may
// run several, and stand by for others: a lane's door is open where the lane is held, on the lane's own
// port, so that whoever takes it over answers at the same address. A single lane's door is always open.
import { join } from "node:path";
import { startHttp } from "@sealane/http";
import type { Sql } from "@sealane/database";
import type { Messaging } from "@sealane/messaging";
import { sealedBy } from "@sealane/rules";
import { readKeyFile, type Signer } from "@sealane/signer";
import type { Logger, Telemetry } from "@sealane/telemetry";
import { parseNote, type TlogPolicy } from "@sealane/tlog";
import type { EntriesRead } from "./access.ts";
import { mountApi } from "./api-routes.ts";
import { startAssembler } from "./assembler-thread.ts";
import { makeBundleFiles } from "./bundle-files.ts";
import type { ClockWatch } from "./clock-watch.ts";
import type { LaneSettings, LedgerConfig } from "./config.ts";
import { makeDoor } from "./door.ts";
import type { KeyLog } from "./key-log.ts";
import { keysUnder, mountHealth, openApp } from "./lane-health.ts";
import { laneGauges, makeInput } from "./lane-input.ts";
import { mountLane } from "./lane-routes.ts";
import { makeLaneStore } from "./lane-store.ts";
import { makeLaneMetrics, makeLaneSpans } from "./lane-telemetry.ts";
import { makeLaneWriter } from "./lane-writer.ts";
import { mountLog } from "./log-routes.ts";
import { mountPlaces } from "./place-routes.ts";
import { mountPositions } from "./position-routes.ts";
import { publishedKeyLog, publishedLane } from "./published.ts";
import { mountReceipts } from "./receipt-routes.ts";
import { makeRecheck } from "./recheck.ts";
import { makeSealer } from "./sealer.ts";
import { makeSetAsideDesk } from "./set-aside.ts";
import { askWitnesses, makeConfirm } from "./start-up.ts";
import { openTree } from "./tree.ts";
import { makeWitnessClient } from "./witness-client.ts";

/** What all lanes of a process share. */
export type LedgerProcess = {
  readonly config: LedgerConfig;
  readonly log: Logger;
  readonly clock: () => number;
  readonly telemetry: Telemetry;
  readonly policy: TlogPolicy;
  readonly sql: Sql;
  readonly messaging: Messaging;
  readonly keyLog: KeyLog;
  readonly offerKeyLog: () => void;
  readonly time: ClockWatch;
  readonly entrySigner: Signer;
  /** Whether the process knows of more lanes than one. */
  readonly several: boolean;
};

/** How long a lane's own process is left to begin with it, when everything starts at once. */
const standbyAfterMs = 5_000;

export type Lane = {
  readonly lane: number;
  /** Takes the lane, and keeps it or waits for it, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Before the lane runs: a single lane answers at once, and says that it is not ready. */
  openDoor(): Promise<void>;
  /** A witness is ahead of what this process knows. */
  doubt(reason: string): void;
  stopInput(): Promise<void>;
  stop(): Promise<void>;
  flush(): Promise<void>;
  shutDoor(): Promise<void>;
  close(): Promise<void>;
};

/** Opens one lane; nothing of it runs yet. */
export const openLane = (shared: LedgerProcess, settings: LaneSettings): Lane => {
  const { config, log, clock, telemetry, policy, sql, messaging, keyLog, time } = shared;
  const { lane, port, checkpointKeyFile, standby } = settings;
  const { name: origin, vkey: checkpoint } = readKeyFile(checkpointKeyFile);
  const entryKeyFile = config.SEALANE_ENTRY_KEY_FILE;
  const own = { origin, checkpoint, entry: readKeyFile(entryKeyFile).vkey };
  const store = makeLaneStore(sql, lane, origin);
  const directory = join(config.SEALANE_TILES_DIR, String(lane));
  const tree = openTree(directory);
  const producer = messaging.producer();
  const labels = shared.several ? { lane: String(lane) } : undefined;
  const witnesses = policy.witnesses
    .map((one) => makeWitnessClient(one, policy.logs))
    .map(time.listen);
  const witnessFailures = telemetry.counter(
    "sealane_witness_failures",
    "Requests that a witness did not answer with a cosignature",
  );
  const sealer = makeSealer({
    policy,
    onBehind: (witness, size) =>
      writer.doubt(`witness ${witness} has seen ${size} entries, more than there are`),
    onFailure: (witness, detail) => {
      witnessFailures.add(1, { witness });
      log.warn({ witness, detail }, "a witness did not cosign");
    },
    witnesses,
    tree,
    onSealed: (sealed) => writer.sealed(sealed),
  });
  const assembler = startAssembler({ origin, entryKeyFile, checkpointKeyFile }, (err) => {
    log.fatal({ err, lane }, "the assembler thread died");
    process.exit(1);
  });
  const sealed = sealedBy(policy);
  const desk = makeSetAsideDesk({
    sql,
    lane,
    origin,
    keys: keyLog.cosigned,
    checks: () => ({ origin, history: keyLog.history(), signatures: true, sealed }),
  });
  const writer = makeLaneWriter({
    origin,
    lane,
    store,
    assembler,
    tree,
    holder: config.SEALANE_INSTANCE,
    leaseMs: config.SEALANE_LEASE,
    standbyAfterMs: standby ? standbyAfterMs : undefined,
    clock: time.clock,
    clockTrouble: time.trouble,
    keys: keysUnder(keyLog, own),
    history: keyLog.history,
    refreshKeys: async () => {
      await keyLog.refresh();
      shared.offerKeyLog();
    },
    confirm: makeConfirm({ origin, policy, witnesses }),
    desk,
    publish: (messages) => producer.send(messages),
    onCheckpoint: (size, note) => sealer.offer({ origin, size, note, text: parseNote(note).text }),
    onHeld: (held) => {
      if (shared.several) door.want(held);
    },
    metrics: makeLaneMetrics(telemetry, labels),
    spans: makeLaneSpans(telemetry),
    log,
  });
  const files = makeBundleFiles({
    directory,
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
      log.info({ lane, entries }, "everything on disk was read again and stands");
    },
    onError: (err) => log.warn({ err }, "reading what is on disk again failed"),
  });
  const { input, lag } = makeInput(shared, lane, writer);
  laneGauges(telemetry, writer, lag, labels);

  const app = openApp(shared);
  const openBundles = config.SEALANE_OPEN_BUNDLES === "yes";
  const onRead = (read: EntriesRead): void => log.info(read, "entries read");
  mountLog(app, "/log/keys", publishedKeyLog(keyLog), { kind: "open" });
  const bundles = { kind: openBundles ? "local" : "auditors", onRead } as const;
  mountLog(app, "/log", publishedLane(origin, writer, store, tree, files), bundles);
  const served = { app, origin, writer, store, clock, onRead };
  const { entrySigner, offerKeyLog: onKeyLogGrown } = shared;
  mountApi({ ...served, keyLog, entrySigner, onKeyLogGrown });
  mountReceipts({ ...served, tree });
  mountLane({ app, lane, origin, writer, desk });
  mountPositions({ app, state: writer.state, keys: () => keyLog.cosigned()?.keys });
  mountHealth(app, telemetry, { writer, keyLog, own, time });
  mountPlaces(served);
  const door = makeDoor({
    open: async () => {
      const http = await startHttp({ app, host: config.SEALANE_LEDGER_HOST, port });
      log.info({ url: http.url, origin, openBundles }, "ledger listens");
      return http;
    },
    onError: (err) => log.warn({ err, lane, port }, "the lane's port is not free, trying again"),
  });

  return {
    lane,
    openDoor: door.open,
    doubt: writer.doubt,
    run: async (signal) => {
      // A lane that another process may hold is asked about when it is taken.
      const behind = standby
        ? undefined
        : await askWitnesses({ sql, lane, origin, policy, witnesses, signal, log });
      if (behind !== undefined) {
        log.fatal({ behind }, "refusing to sign");
        writer.halt(behind);
      }
      await time.whenKnown(signal);
      if (config.SEALANE_RECHECK_RATE > 0) void recheck.run(signal);
      void files.run(signal);
      await writer.run(input);
    },
    stopInput: () => input.stop(),
    stop: async () => {
      await writer.stop();
      sealer.stop();
      for (const one of witnesses) one.close();
    },
    flush: () => producer.stop(),
    shutDoor: door.close,
    close: () => assembler.stop(),
  };
};
