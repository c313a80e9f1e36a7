// What somebody must look at, by the rules of infra/observability/alerts.yml, from what the console reads
// itself: it needs no Prometheus. `page`: money waits or proof is missing; `ticket`: before the day ends.
import type { Alert, Overview, ServiceHealth, WitnessHealth } from "./api-types.ts";
import type { MoneyAlert } from "./desk-shapes.ts";
import { sumOf, type Metrics } from "./metrics-text.ts";

export type Finding = Omit<Alert, "sinceMs"> & {
  /** Told only when it was found for so long. */
  readonly forMs: number;
};

export type Facts = Pick<Overview, "ledger" | "books" | "services" | "witnesses" | "quorum"> & {
  /** What reconciliation says of settlement and cover. */
  readonly money: readonly MoneyAlert[];
  readonly metrics: (service: string) => Metrics | undefined;
  readonly log: Overview["log"];
};

const finding = (
  code: string,
  severity: Finding["severity"],
  forMs: number,
  summary: string,
  action: string,
): Finding => ({ code, severity, forMs, summary, action });

const ofService = ({ name, state, checks }: ServiceHealth): Finding[] => {
  const severity = name === "ledger" ? "page" : "ticket";
  if (state === "down") {
    const why = checks.answer ?? "no answer";
    const action = `See whether its process runs, and the end of its log (${name}.log)`;
    return [finding(`down:${name}`, "page", 3_000, `${name} is down: ${why}`, action)];
  }
  if (state !== "not-ready") return [];
  const wrong = Object.entries(checks).filter(([, check]) => check !== "ok");
  const why = wrong.map(([check, detail]) => `${check}: ${detail}`).join("; ");
  const action = "Its /readyz names what is wrong; then read its log";
  return [finding(`not-ready:${name}`, severity, 10_000, `${name} is not ready: ${why}`, action)];
};

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

const ofLane = ({ ledger, log, metrics, services }: Facts): Finding[] => {
  const found: Finding[] = [];
  const { unsealedAgeMs = 0, inputLag = 0 } = ledger;
  if (unsealedAgeMs > 5_000) {
    const summary = `The oldest unsealed entry is ${seconds(unsealedAgeMs)} old: nothing new is reserved`;
    const action = "See which witnesses answer: a quorum must";
    found.push(finding("unsealed", "page", 0, summary, action));
  }
  if (inputLag > 5_000) {
    const summary = `The ledger is ${inputLag} commands behind its topic`;
    const action =
      "Compare the load with what the lane sustains, then look at Postgres and the disk";
    found.push(finding("input-lag", "page", 30_000, summary, action));
  }
  if (log.fault !== undefined && log.size !== undefined) {
    const summary = `The log's checkpoint cannot be used: ${log.fault}`;
    const action =
      "If it is refused, keep what was served, and audit the log before anything restarts";
    found.push(finding("checkpoint", "page", 5_000, summary, action));
  }
  for (const { name } of services) {
    if ((sumOf(metrics(name), "sealane_chain_alarm") ?? 0) === 0) continue;
    const summary = `${name} was shown by the ledger what it must not have been shown`;
    const action = "Keep its log and its state, stop the lane, audit the log";
    found.push(finding(`chain-alarm:${name}`, "page", 0, summary, action));
  }
  return found;
};

const ofWitnesses = (witnesses: readonly WitnessHealth[], quorum: number): Finding[] => {
  const missing = witnesses.filter(({ state }) => state === "down" || state === "behind");
  if (missing.length === 0) return [];
  const left = witnesses.length - missing.length;
  const severity = left < quorum ? "page" : "ticket";
  const names = missing.map(({ name }) => name).join(", ");
  const rest =
    left < quorum
      ? `nothing is sealed (${left} of ${witnesses.length} answer, ${quorum} must)`
      : `${left} of ${witnesses.length} answer, ${quorum} must`;
  const action = "See whether its process runs; a witness that refuses (422) may have seen a fork";
  return [finding("witnesses", severity, 5_000, `No cosignatures of ${names}: ${rest}`, action)];
};

const ofParticipants = ({ services, metrics }: Facts): Finding[] =>
  services.flatMap(({ name }) => {
    const read = (metric: string): number => sumOf(metrics(name), metric) ?? 0;
    const found: Finding[] = [];
    const owedMs = read("sealane_owed_credit_age_ms");
    if (owedMs > 60_000) {
      const summary = `${name} owes a sealed credit for ${seconds(owedMs)}`;
      const action = "The wallet's core does not answer; the credit is repeated until it does";
      found.push(finding(`credit-owed:${name}`, "page", 0, summary, action));
    }
    const lag = read("sealane_inbox_lag");
    if (lag > 1_000) {
      const summary = `${name} is ${lag} messages behind its inbox`;
      const action = "Look at its log, its database and its core";
      found.push(finding(`inbox-lag:${name}`, "ticket", 30_000, summary, action));
    }
    if (sumOf(metrics(name), "sealane_pairs_quoted") === 0) {
      const summary = `${name} has no rate sheet in force: nothing can be quoted`;
      const action = "See its rate feed: a stale, inverted or jumping feed stops quoting";
      found.push(finding(`not-quoting:${name}`, "page", 30_000, summary, action));
    }
    return found;
  });

/** Letters since the console began to look: a counter says nothing of when. */
const ofLetters = (
  { services, metrics }: Facts,
  before: (service: string) => number | undefined,
): Finding[] =>
  services.flatMap(({ name }) => {
    const now = sumOf(metrics(name), "sealane_dead_letters_total") ?? 0;
    const grown = now - (before(name) ?? now);
    if (grown <= 0) return [];
    const summary = `${name} put ${grown} inputs aside in the last five minutes`;
    const action = `Read the topic deadletter.${name} for place, hash and reason`;
    return [finding(`dead-letters:${name}`, "ticket", 0, summary, action)];
  });

const ofBooks = ({ books, log }: Facts): Finding[] => {
  const found: Finding[] = [];
  if (books.fault !== undefined) {
    const action = "The log does not stand there: audit it, and restart nothing before";
    found.push(finding("books", "page", 0, `The books have ended: ${books.fault}`, action));
  }
  const behind = (log.size ?? 0) - (books.applied ?? log.size ?? 0);
  if (behind > 1_000) {
    const action = "Look at reconciliation's log, and at Postgres";
    const summary = `The books are ${behind} entries behind the log`;
    found.push(finding("books-lag", "ticket", 30_000, summary, action));
  }
  return found;
};

const moneyWords: Readonly<Record<string, readonly [what: string, action: string]>> = {
  headroom: [
    "comes near its limit",
    "Ask for a deposit, or cut a window and settle it: at the cap new transfers are refused",
  ],
  overdue: [
    "has not paid in time",
    "Ask its bank; then suspend it, and two operators sign sealane settle default",
  ],
  held: ["is held", "Read the bank's reason on the window's page; the bank sends it again"],
  shortfall: [
    "owes what its liquidity paid for it",
    "The next deposit pays it back; until then its cover is smaller",
  ],
  "partly-booked": [
    "was booked in part",
    "Ask the bank for the other lines: booked alone, they are exposure",
  ],
};

/** Settlement's own alerts, worded for whoever is called. */
const ofMoney = ({ money }: Facts): Finding[] =>
  money.map(({ level, code, participant, currency, window, detail }) => {
    const [what, action] = moneyWords[code] ?? [code.replaceAll("-", " "), "Look at the positions"];
    const where = window ?? currency ?? "";
    const id = `${code}:${participant}:${where}`;
    const about = window === undefined ? "" : ` in window ${window}`;
    const severity = level === "critical" ? "page" : "ticket";
    return finding(id, severity, 0, `${participant} ${what}${about}: ${detail}`, action);
  });

/** Breaks are read from their own gauges: the pages have the list. */
const ofBreaks = ({ metrics }: Facts): Finding[] => {
  const overdue = sumOf(metrics("reconciliation"), "sealane_overdue_breaks") ?? 0;
  if (overdue === 0) return [];
  const summary = `${overdue} ${overdue === 1 ? "break is" : "breaks are"} past the deadline`;
  const action = "Open Breaks: each has an owner, both sides' figures, and a way to resolve it";
  return [finding("breaks-overdue", "ticket", 0, summary, action)];
};

/** All that is found now, for however short a time. Pure. */
export const findAlerts = (
  facts: Facts,
  lettersBefore: (service: string) => number | undefined,
): Finding[] => [
  ...facts.services.flatMap(ofService),
  ...ofLane(facts),
  ...ofWitnesses(facts.witnesses, facts.quorum),
  ...ofParticipants(facts),
  ...ofBooks(facts),
  ...ofMoney(facts),
  ...ofBreaks(facts),
  ...ofLetters(facts, lettersBefore),
];

export type AlertBoard = { readonly update: (facts: Facts, nowMs: number) => readonly Alert[] };

const lettersWindowMs = 300_000;

/** Keeps since when each alert stands; one that is not found any more is gone. */
export const makeAlertBoard = (): AlertBoard => {
  const since = new Map<string, number>();
  const letters: { readonly atMs: number; readonly counts: ReadonlyMap<string, number> }[] = [];

  const noteLetters = ({ services, metrics }: Facts, nowMs: number): void => {
    const last = letters.at(-1);
    if (last !== undefined && nowMs - last.atMs < 5_000) return;
    const counts = services.flatMap(({ name }) => {
      const read = metrics(name);
      return read === undefined
        ? []
        : [[name, sumOf(read, "sealane_dead_letters_total") ?? 0] as const];
    });
    letters.push({ atMs: nowMs, counts: new Map(counts) });
    while ((letters[0]?.atMs ?? nowMs) < nowMs - lettersWindowMs) letters.shift();
  };

  return {
    update: (facts, nowMs) => {
      noteLetters(facts, nowMs);
      const before = (service: string): number | undefined =>
        letters.find(({ counts }) => counts.has(service))?.counts.get(service);
      const found = findAlerts(facts, before);
      const codes = new Set(found.map(({ code }) => code));
      for (const code of since.keys()) if (!codes.has(code)) since.delete(code);
      for (const { code } of found) if (!since.has(code)) since.set(code, nowMs);
      return found
        .map(({ forMs, ...alert }) => ({ alert, forMs, sinceMs: since.get(alert.code) ?? nowMs }))
        .filter(({ forMs, sinceMs }) => nowMs - sinceMs >= forMs)
        .map(({ alert, sinceMs }): Alert => ({ ...alert, sinceMs }))
        .toSorted((a, b) => a.severity.localeCompare(b.severity) || a.sinceMs - b.sinceMs);
    },
  };
};
