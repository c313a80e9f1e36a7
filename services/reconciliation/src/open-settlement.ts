// Wires settlement: the desk, its routes, the alerts' gauges and the scheduler of cuts.
import { readFileSync } from "node:fs";
import type { KeyWatch } from "@sealane/client";
import type { Sql } from "@sealane/database";
import type { HttpApp } from "@sealane/http";
import type { Producer } from "@sealane/messaging";
import { fileSigner } from "@sealane/signer";
import type { Telemetry } from "@sealane/telemetry";
import { fromBase64 } from "@sealane/tlog";
import { askPending } from "./ask-pending.ts";
import { mountBanking } from "./banking-routes.ts";
import { makeBankFiles } from "./bank-files.ts";
import type { Bookkeeper } from "./bookkeeper.ts";
import type { ReconciliationConfig } from "./config.ts";
import { makePeriodReader } from "./period-reader.ts";
import { makeDesk, type DeskDeps } from "./desk.ts";
import { alertsOf, positionsOf } from "./positions.ts";
import { runScheduler, type SchedulerDeps } from "./scheduler.ts";
import { mountSettlement } from "./settlement-routes.ts";
import { makeSettlementReader } from "./settlement-reader.ts";

export type SettlementDeps = {
  readonly app: HttpApp;
  readonly sql: Sql;
  readonly lane: number;
  readonly origin: string;
  readonly bookkeeper: Pick<Bookkeeper, "state">;
  readonly keys: Pick<KeyWatch, "history">;
  readonly producer: Producer;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly config: ReconciliationConfig;
  readonly onRefusedLines: DeskDeps["onRefusedLines"];
  readonly kept: () => Promise<void>;
  readonly ledgerToken: string | undefined;
  /** The lane's door. */
  readonly ledgerUrl: string;
  readonly clock: () => number;
  readonly log: SchedulerDeps["log"];
};

const everyMs = 1_000;

/** `role/name` → digest of the token. Without a file nobody is let in. */
export const readStaffTokens = (path: string | undefined): Map<string, Uint8Array> => {
  if (path === undefined) return new Map();
  const digests = JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
  return new Map(Object.entries(digests).map(([name, digest]) => [name, fromBase64(digest)]));
};

/** Mounts the routes. @returns what cuts windows by schedule, once the key log is read */
export const openSettlement = (deps: SettlementDeps) => {
  const { app, sql, lane, origin, bookkeeper, producer, telemetry, config, clock, log } = deps;
  const { onRefusedLines, kept } = deps;
  const books = bookkeeper.state;
  const history = (): ReturnType<KeyWatch["history"]> => deps.keys.history();
  const keys = () => history()?.states.at(-1);
  const levels = {
    warnPercent: config.SEALANE_HEADROOM_WARNING,
    criticalPercent: config.SEALANE_HEADROOM_CRITICAL,
  };
  const send = (topic: string, value: string): Promise<void> =>
    producer.send([{ topic, key: origin, value }], { deadlineMs: 10_000 });
  const desk = makeDesk({ sql, lane, origin, books, keys, send, onRefusedLines, kept, clock });
  const reader = makeSettlementReader(sql, lane, origin);
  const pending = askPending(deps.ledgerUrl, deps.ledgerToken, clock);
  mountSettlement({
    app,
    reader,
    desk,
    files: makeBankFiles(sql),
    books,
    keys,
    pending,
    levels,
    clock,
  });
  mountBanking({ app, reader, periods: makePeriodReader(sql, lane), keys, clock });

  const count = (level: "warning" | "critical"): number => {
    const state = books();
    const known = keys();
    if (state === undefined || known === undefined) return 0;
    const positions = positionsOf(state, known, new Map());
    return alertsOf(state, positions, levels, clock()).filter((one) => one.level === level).length;
  };
  telemetry.gauge("sealane_settlement_warnings", "Alerts of settlement to look at", () =>
    count("warning"),
  );
  telemetry.gauge("sealane_settlement_criticals", "Alerts of settlement to act on", () =>
    count("critical"),
  );
  telemetry.gauge("sealane_unsettled_windows", "Cut windows that are not settled", () => {
    return books()?.settlement.closed.size ?? 0;
  });
  telemetry.gauge("sealane_unbacked_advances", "Advances without a line of a bank", () => {
    return books()?.settlement.unbacked.size ?? 0;
  });

  return {
    runScheduler: async (signal: AbortSignal): Promise<void> => {
      const path = config.SEALANE_SCHEDULER_KEY_FILE;
      if (path === undefined) return;
      const signer = await fileSigner(path);
      await runScheduler(
        { lane, origin, signer, books, history, send, clock, log },
        everyMs,
        signal,
      );
    },
  };
};
