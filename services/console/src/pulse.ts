// Once a second: everything that was read, as one overview, and one more sample for the charts.
import type { HttpClient } from "@sealane/http";
import { pause } from "@sealane/runtime";
import { quorumSize, type TlogPolicy } from "@sealane/tlog";
import { z } from "zod";
import { makeAlertBoard } from "./alerts.ts";
import type { Overview, Sample } from "./api-types.ts";
import { asked, jsonOf } from "./call.ts";
import { moneyAlertsSchema, type MoneyAlert } from "./desk-shapes.ts";
import type { LogBook } from "./log-book.ts";
import { bucketsOf, quantileBetween, sumOf } from "./metrics-text.ts";
import { sealedAtOf, type LogWatch } from "./watch-log.ts";
import type { ServiceWatch } from "./watch-services.ts";

export type PulseDeps = {
  readonly policy: TlogPolicy;
  readonly origin: string;
  readonly book: LogBook;
  readonly services: ServiceWatch;
  readonly log: LogWatch;
  readonly reconciliation: HttpClient;
  readonly followingFault: () => string | undefined;
  readonly clock: () => number;
};

export type Pulse = {
  readonly overview: () => Overview;
  /** The last quarter of an hour, a sample for each second. */
  readonly history: () => readonly Sample[];
  /** Told each second; the result ends it. */
  readonly onBeat: (listener: (overview: Overview) => void) => () => void;
  readonly run: (signal: AbortSignal) => Promise<void>;
};

const mostSamples = 900;
/** Quantiles of a second with three transfers say little: of the last five seconds. */
const quantileOver = 5;

const progressSchema = z.object({
  applied: z.int(),
  transfers: z.record(z.string(), z.int()),
  fault: z.object({ position: z.int(), code: z.string(), detail: z.string() }).optional(),
});

const optional = <K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]?: T });

/** What settlement wants looked at changes with windows, not with seconds. */
const moneyEveryMs = 5_000;
const timeoutMs = 1_500;

const watchBooks = (client: HttpClient, clock: () => number) => {
  let books: Overview["books"] = {};
  let money: readonly MoneyAlert[] = [];
  let askedAtMs = 0;
  const lookAtMoney = async (): Promise<void> => {
    if (clock() - askedAtMs < moneyEveryMs) return;
    askedAtMs = clock();
    const answer = asked(await client.get("/v1/alerts", { timeoutMs }));
    // While it does not answer, that is the alert; what it said before may be over.
    money = answer.ok ? (moneyAlertsSchema.safeParse(jsonOf(answer.body)).data?.alerts ?? []) : [];
  };
  return {
    books: () => books,
    money: () => money,
    look: async (lag: number | undefined): Promise<void> => {
      await lookAtMoney();
      const answer = asked(await client.get("/v1/progress", { timeoutMs }));
      const read = answer.ok ? progressSchema.safeParse(jsonOf(answer.body)).data : undefined;
      if (read === undefined) {
        books = {};
        return;
      }
      const { applied, transfers, fault } = read;
      const told =
        fault === undefined ? undefined : `at ${fault.position}, ${fault.code}: ${fault.detail}`;
      books = { applied, transfers, ...optional("lag", lag), ...optional("fault", told) };
    },
  };
};

export const makePulse = (deps: PulseDeps): Pulse => {
  const { policy, origin, book, services, log, clock } = deps;
  const board = makeAlertBoard();
  const books = watchBooks(deps.reconciliation, clock);
  const samples: Sample[] = [];
  const seals: ReadonlyMap<number, number>[] = [];
  const listeners = new Set<(overview: Overview) => void>();
  const quorum = quorumSize(policy);

  const ledgerView = (): Overview["ledger"] => {
    const metrics = services.metrics("ledger");
    return {
      ...optional("unsealedAgeMs", sumOf(metrics, "sealane_unsealed_age_ms")),
      ...optional("openTransfers", sumOf(metrics, "sealane_open_transfers")),
      ...optional("inputLag", sumOf(metrics, "sealane_input_lag")),
    };
  };

  const logView = (): Overview["log"] => {
    const sealed = log.sealed();
    // Read at different moments: what is sealed is there.
    const told = sumOf(services.metrics("ledger"), "sealane_log_size") ?? sealed?.size;
    const size = told === undefined ? undefined : Math.max(told, sealed?.size ?? 0);
    return {
      origin,
      ...optional("size", size),
      ...optional("sealedSize", sealed?.size),
      ...optional("sealedAt", sealed === undefined ? undefined : sealedAtOf(sealed)),
      ...optional("fault", log.fault()),
    };
  };

  const look = (): Overview => {
    const nowMs = clock();
    const fault = deps.followingFault();
    const facts = {
      log: logView(),
      ledger: ledgerView(),
      books: books.books(),
      services: services.health(),
      witnesses: log.witnesses(),
      quorum,
    };
    return {
      nowMs,
      following: fault === undefined,
      ...optional("followingFault", fault),
      ...facts,
      alerts: board.update({ ...facts, money: books.money(), metrics: services.metrics }, nowMs),
      ...optional("latest", samples.at(-1)),
    };
  };

  let overview = look();

  /** The second that has just ended. */
  const sample = (): void => {
    const atS = Math.floor(clock() / 1_000) - 1;
    if ((samples.at(-1)?.atS ?? 0) >= atS) return;
    seals.push(bucketsOf(services.metrics("ledger"), "sealane_seal_ms"));
    if (seals.length > quantileOver + 1) seals.shift();
    const [before = new Map<number, number>()] = seals;
    const after = seals.at(-1) ?? before;
    samples.push({
      atS,
      ...book.counts(atS),
      sealP50Ms: quantileBetween(before, after, 0.5),
      sealP99Ms: quantileBetween(before, after, 0.99),
    });
    if (samples.length > mostSamples) samples.shift();
  };

  const beat = async (): Promise<void> => {
    await books.look(sumOf(services.metrics("reconciliation"), "sealane_entries_lag"));
    sample();
    overview = look();
    for (const listener of listeners) listener(overview);
  };

  return {
    overview: () => overview,
    history: () => samples,
    onBeat: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    run: async (signal) => {
      while (!signal.aborted) {
        await beat();
        // Just after the next second has begun: one sample for each.
        await pause(1_050 - (clock() % 1_000), signal);
      }
    },
  };
};
