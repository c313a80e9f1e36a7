// Wires the console: configuration → what is watched and followed → pages, /api and the stream.
import { readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { makeLogReader, watchKeyLog } from "@sealane/client";
import { createHttpApp, health, httpClient, startHttp, type Readiness } from "@sealane/http";
import { createMessaging } from "@sealane/messaging";
import { kafkaSettings, loadConfig, onShutdown, readSecretFile } from "@sealane/runtime";
import { createLogger, startTelemetry } from "@sealane/telemetry";
import { fromBase64, parsePolicy } from "@sealane/tlog";
import { buildPages, pagesFolder } from "./build-pages.ts";
import { consoleConfigSchema } from "./config.ts";
import { makeDeskDoor } from "./desk-door.ts";
import { mountDeskRoutes } from "./desk-routes.ts";
import { followEntries } from "./follow-entries.ts";
import { makeLogBook } from "./log-book.ts";
import { mountPages, readPages } from "./pages.ts";
import { makePulse } from "./pulse.ts";
import { mountGuard, mountRoutes } from "./routes.ts";
import { makeSessions, refuseOpenConsole, type Access } from "./sessions.ts";
import { makeStream } from "./stream.ts";
import { watchLog } from "./watch-log.ts";
import { watchServices } from "./watch-services.ts";

const config = loadConfig(consoleConfigSchema);
const log = createLogger({ service: "console", level: config.SEALANE_LOG_LEVEL });
const clock = (): number => Date.now();

/** Money goes first: on a full machine the screen waits. */
const niceness = 10;
const timeoutMs = 4_000;

const accessOf = (): Access => {
  const { SEALANE_CONSOLE_OPEN: open, SEALANE_CONSOLE_TOKENS_FILE: file } = config;
  refuseOpenConsole(open, config.SEALANE_CONSOLE_HOST, file);
  if (open === "yes" || file === undefined) return { kind: "open" };
  const digests = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  const entries = Object.entries(digests).map(
    ([who, digest]) => [who, fromBase64(digest)] as const,
  );
  return { kind: "operators", digests: new Map(entries) };
};

const openSources = () => {
  const policyText = readFileSync(config.SEALANE_POLICY_FILE, "utf8");
  const policy = parsePolicy(policyText);
  const token = readSecretFile(config.SEALANE_LEDGER_TOKEN_FILE);
  const logUrl = `${config.SEALANE_LEDGER_URL}/log`;
  const keysReader = makeLogReader(`${logUrl}/keys`, timeoutMs);
  return {
    policyText,
    policy,
    origin: policy.logs[0]?.key.name ?? "",
    logUrl,
    reader: makeLogReader(logUrl, timeoutMs, token),
    keysReader,
    keys: watchKeyLog(keysReader, policy, log),
    ledger: httpClient({ baseUrl: config.SEALANE_LEDGER_URL, token, timeoutMs, connections: 4 }),
    reconciliation: httpClient({
      baseUrl: config.SEALANE_RECONCILIATION_URL,
      token,
      timeoutMs,
      connections: 4,
    }),
    desk: httpClient({ baseUrl: config.SEALANE_RECONCILIATION_URL, timeoutMs, connections: 4 }),
    adapters: config.SEALANE_CONSOLE_APPROVALS.map(({ name, url, tokenFile }) => ({
      name,
      client: httpClient({
        baseUrl: url,
        token: readSecretFile(tokenFile),
        timeoutMs,
        connections: 1,
      }),
    })),
  };
};

const main = async (): Promise<void> => {
  const access = accessOf();
  await buildPages((line) => log.info(line));
  const telemetry = startTelemetry({
    service: "console",
    version: "0.1.0",
    tracesFile: config.SEALANE_TRACES_FILE,
    otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    sampleRatio: config.SEALANE_TRACE_RATIO,
  });
  const sources = openSources();
  const { policy, origin, reader, keys, ledger, reconciliation } = sources;
  const lane = config.SEALANE_LANE;
  const messaging = createMessaging({ ...kafkaSettings(config), clientId: "console" });
  const book = makeLogBook(clock);
  const services = watchServices(config.SEALANE_CONSOLE_SERVICES, clock);
  const watched = watchLog(policy, config.SEALANE_LEDGER_URL, origin);
  const following = followEntries({
    lane,
    messaging,
    reader,
    book,
    onCheckpoint: watched.take,
    log,
  });
  const pulse = makePulse({
    policy,
    origin,
    book,
    services,
    log: watched,
    reconciliation,
    followingFault: following.fault,
    clock,
  });
  const stream = makeStream(pulse, book, () => watched.sealed()?.size ?? 0);
  const sessions = makeSessions(access, clock);
  telemetry.gauge("sealane_console_readers", "Open pages", stream.readers);

  const app = createHttpApp({ name: "Sealane console", logger: log });
  // It is ready when it can show something: that others are down is what it is there to show.
  const ready = (): Readiness => ({ ok: true, checks: { pages: "ok" } });
  health(app, { ready, metrics: telemetry.metricsHandler });
  mountGuard({ app, sessions });
  const { sealed, firstSealed } = watched;
  mountRoutes({ ...sources, app, access, sessions, pulse, stream, book, sealed, firstSealed });
  const door = makeDeskDoor(sources.desk, access, clock);
  mountDeskRoutes({ ...sources, app, sessions, door });
  mountPages(app, readPages(pagesFolder));
  const host = config.SEALANE_CONSOLE_HOST;
  const http = await startHttp({ app, port: config.SEALANE_CONSOLE_PORT, host });
  log.info({ url: http.url, access: access.kind }, "the console listens");
  if (access.kind === "open") log.warn({ host }, "no login is asked for: this machine alone");

  const stopping = new AbortController();
  const { signal } = stopping;
  onShutdown(
    [
      {
        name: "stop watching",
        run: async () => {
          stopping.abort();
          stream.close();
          keys.stop();
          await following.stop();
        },
      },
      { name: "close http", run: () => http.close() },
      {
        name: "close connections",
        run: () =>
          [
            ledger,
            reconciliation,
            sources.desk,
            ...sources.adapters.map(({ client }) => client),
          ].forEach((one) => one.close()),
      },
      { name: "telemetry", run: () => telemetry.shutdown() },
    ],
    { onStart: (reason, err) => log.info({ reason, err }, "stopping") },
  );
  setPriority(niceness);
  void keys.run(2_000);
  await Promise.all([services.run(signal), watched.run(signal), pulse.run(signal)]);
};

await main();
