// Wires breaks: their desks and routes, the follower that goes on with the comparison, and what alerts look
// at. One instance does the work at a time, by the lock; any instance answers.
import type { Database, Sql } from "@sealane/database";
import type { HttpApp } from "@sealane/http";
import { breakKinds, defaultTolerance, type AuditState, type KeyState } from "@sealane/rules";
import { pause } from "@sealane/runtime";
import type { Telemetry } from "@sealane/telemetry";
import type { ReconciliationConfig } from "../config.ts";
import { makeSettlementReader } from "../settlement-reader.ts";
import { makeAdjustmentDesk } from "./adjustment-desk.ts";
import { makeBreakDesk } from "./break-desk.ts";
import { makeBreakReader, type KindCount } from "./break-reader.ts";
import { mountBreaks } from "./break-routes.ts";
import { makeOneAtATime } from "./one-at-a-time.ts";
import { makeStatementDesk } from "./statement-desk.ts";

export type BreaksDeps = {
  readonly app: HttpApp;
  readonly database: Database<unknown>;
  readonly sql: Sql;
  readonly lane: number;
  readonly origin: string;
  readonly books: () => AuditState | undefined;
  readonly keys: () => KeyState | undefined;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly config: Pick<
    ReconciliationConfig,
    "SEALANE_BREAK_BOOK_WITHIN" | "SEALANE_BREAK_DECIDE_WITHIN"
  >;
  /** What was committed is in the journal when it returns. */
  readonly kept: () => Promise<void>;
  /** To a topic, acknowledged. */
  readonly send: (topic: string, value: string) => Promise<void>;
  readonly clock: () => number;
  readonly log: { warn(fields: object, message: string): void };
};

/** How often what is new is looked at; a statement is compared at once. */
const everyMs = 1_000;

type Gauges = { counts: readonly KindCount[]; trouble: boolean };

const makeGauges = ({ telemetry, clock }: BreaksDeps, read: () => Gauges): void => {
  for (const kind of breakKinds) {
    const name = `sealane_open_breaks_${kind.replaceAll("-", "_")}`;
    telemetry.gauge(name, `Breaks that are not resolved: ${kind}`, () => {
      return read().counts.find((one) => one.kind === kind)?.count ?? 0;
    });
  }
  const total = (field: "count" | "overdue") => (): number =>
    read().counts.reduce((sum, one) => sum + one[field], 0);
  telemetry.gauge("sealane_open_breaks", "Breaks that are not resolved", total("count"));
  telemetry.gauge("sealane_overdue_breaks", "Breaks past their deadline", total("overdue"));
  telemetry.gauge("sealane_oldest_break_age_seconds", "Age of the oldest open break", () => {
    const oldest = Math.min(...read().counts.map(({ oldestAtMs }) => oldestAtMs));
    return Number.isFinite(oldest) ? Math.max(0, (clock() - oldest) / 1_000) : 0;
  });
  telemetry.gauge("sealane_reconcile_stalled", "1 while the comparison does not go on", () =>
    read().trouble ? 1 : 0,
  );
};

/** Mounts the routes. @returns the follower, and where a bank's refused statement goes */
export const openBreaks = (deps: BreaksDeps) => {
  const { app, database, sql, lane, origin, books, keys, config, clock, log } = deps;
  const one = makeOneAtATime(database, lane, clock, deps.kept);
  const tolerance = {
    bookWithinMs: config.SEALANE_BREAK_BOOK_WITHIN ?? defaultTolerance.bookWithinMs,
    decideWithinMs: config.SEALANE_BREAK_DECIDE_WITHIN ?? defaultTolerance.decideWithinMs,
  };
  const { statementsOf: earlier } = makeSettlementReader(sql, lane, origin);
  const statements = makeStatementDesk({ one, origin, keys, books, tolerance, earlier });
  const reader = makeBreakReader(sql, lane);
  const adjustments = makeAdjustmentDesk({ lane, origin, books, keys, send: deps.send });
  mountBreaks({ app, reader, desk: makeBreakDesk(one, adjustments), statements, clock });
  let gauges: Gauges = { counts: [], trouble: false };
  makeGauges(deps, () => gauges);

  let seen = "";
  /** Whether the log has grown; statements are compared as they come. */
  const isNew = async (): Promise<boolean> => {
    const { position, compared, logTime } = await reader.standing();
    const now = `${position} ${compared} ${logTime ?? ""}`;
    if (now === seen && position === compared) return false;
    seen = now;
    return true;
  };

  const follow = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        if (gauges.trouble || (await isNew())) await statements.follow();
        gauges = { counts: await reader.counts(clock()), trouble: false };
      } catch (err) {
        // Nothing is half done: it is begun again from its cursor.
        gauges = { ...gauges, trouble: true };
        log.warn({ err }, "breaks could not be looked for");
      }
      await pause(everyMs, signal);
    }
  };

  return { follow, refusedBankStatement: statements.refusedBankStatement };
};
