// The providers' own books for the day, made of what the log has, with faults put in by a seed; handed in
// through the command line; and the breaks that reconciliation found against those that were put in.
import { dayWorld } from "@sealane/infra";
import { logTransferOf, type LogTransfer, type VerifiedEntry } from "@sealane/rules";
import { makeCorpus, type Corpus, type CorpusLine } from "@sealane/rules/testing";
import { eventually } from "../src/eventually.ts";
import { sealaneJson } from "../src/sealane.ts";
import { writeBooks } from "./book-files.ts";
import { dayTolerance, walletOf, type DaySystem } from "./day-system.ts";

/** How long a booking that is too late is later than it may be. */
const lateByMs = 1_000;

/** About this many of a thousand bookings are wrong. */
const perThousand = 25;

const participants = [...dayWorld.wallets, ...dayWorld.providers].map(
  ({ participant }) => participant,
);

export type Seeded = {
  readonly lines: readonly CorpusLine[];
  /** `participant transfer kind`, sorted. */
  readonly expected: readonly string[];
  readonly seeded: Readonly<Record<string, number>>;
};

const merge = (all: readonly Corpus[]): Seeded => {
  const seeded: Record<string, number> = {};
  for (const one of all) {
    for (const [fault, times] of one.seeded) {
      if (fault !== "none") seeded[fault] = (seeded[fault] ?? 0) + times;
    }
  }
  return {
    lines: all.flatMap(({ lines }) => lines),
    expected: all.flatMap(({ expected }) => expected).toSorted(),
    seeded,
  };
};

/**
 * Every provider's books, with differences.
 * @param payerOf who sent a transfer; a failed one is in nobody else's books
 */
export const seedDifferences = (
  entries: readonly VerifiedEntry[],
  payerOf: (transferId: string) => string | undefined,
  seed: number,
): Seeded => {
  const ends = entries.flatMap((entry) => logTransferOf(entry) ?? []);
  const byPayer = new Map<string, LogTransfer[]>();
  for (const end of ends) {
    const debtor = end.legs.find(({ side }) => side === "debit")?.participant;
    const payer = payerOf(end.id) ?? debtor ?? participants[0] ?? "";
    byPayer.set(payer, [...(byPayer.get(payer) ?? []), end]);
  }
  const corpora = [...byPayer].map(([payer, transfers], at) =>
    makeCorpus({
      seed: seed + at,
      transfers,
      participants: [payer, ...participants.filter((one) => one !== payer)],
      ghosts: 2,
      tolerance: dayTolerance,
      perThousand,
      lateByMs,
    }),
  );
  return merge(corpora);
};

/** The instant up to which every booking of the day is on the statements, and may be judged. */
const coversMs = ({ lines }: Seeded, entries: readonly VerifiedEntry[]): number => {
  const lastMs = Math.max(...entries.map(({ timeMs }) => timeMs));
  const booked = lines.map(({ bookedAtMs }) => bookedAtMs);
  return Math.max(lastMs, ...booked) + dayTolerance.bookWithinMs + 1;
};

/** Hands every provider's books in. @returns how many lines each has */
export const handBooksIn = async (
  system: DaySystem,
  seeded: Seeded,
  entries: readonly VerifiedEntry[],
  say: (what: string) => void,
): Promise<Readonly<Record<string, number>>> => {
  const toMs = coversMs(seeded, entries);
  await eventually("the day's last booking is past", () => Promise.resolve(Date.now() > toMs));
  const counts: Record<string, number> = {};
  say(`the providers hand their own books in: ${seeded.lines.length} lines`);
  await Promise.all(
    participants.map(async (participant) => {
      const own = seeded.lines.filter((line) => line.participant === participant);
      const fromMs = system.startedMs - 3_600_000;
      const file = writeBooks(system, { participant, fromMs, toMs, lines: own });
      counts[participant] = own.length;
      const told = await sealaneJson(system, ["reconcile", "--participant", participant, ...file]);
      const { warnings } = told as { readonly warnings?: readonly string[] };
      if (warnings?.length !== 0) throw new Error(`${participant}: ${warnings?.join() ?? "?"}`);
    }),
  );
  // Log time has to go on before a line can be said to have no entry: a wallet states its own chain.
  const untilMs = toMs + dayTolerance.decideWithinMs;
  await eventually("every wait is over", () => Promise.resolve(Date.now() > untilMs), 60_000);
  await system.clientOf(walletOf("hk-wallet.example")).state({ waitSeconds: 30 });
  return counts;
};

export type BreakView = {
  readonly id: string;
  readonly kind: string;
  readonly between: string;
  readonly participant: string;
  readonly transfer?: string;
  readonly currency: string;
  readonly expected?: string;
  readonly found?: string;
  readonly state: string;
  readonly detail: string;
};

/** Every break that was ever opened. */
export const allBreaks = async (system: DaySystem): Promise<BreakView[]> => {
  type Page = { readonly breaks: readonly BreakView[]; readonly next?: string };
  const all: BreakView[] = [];
  let after = "";
  for (;;) {
    const page = await system.ask<Page>(`/v1/breaks?state=all&limit=200${after}`);
    all.push(...page.breaks);
    if (page.next === undefined) return all;
    after = `&after=${page.next}`;
  }
};

export type Compared = {
  readonly found: Readonly<Record<string, number>>;
  readonly seeded: Readonly<Record<string, number>>;
  /** Put in and not found; found and not put in. */
  readonly missed: readonly string[];
  readonly falseAlarms: readonly string[];
  /** Opened for a time, then explained by a later line or entry. */
  readonly cleared: number;
};

const countKinds = (keys: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const key of keys) {
    const kind = key.split(" ")[2] ?? "";
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
};

/** What is in one list more often than in the other. */
const beyond = (more: readonly string[], less: readonly string[]): string[] => {
  const left = new Map<string, number>();
  for (const key of less) left.set(key, (left.get(key) ?? 0) + 1);
  return more.filter((key) => {
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    return count <= 0;
  });
};

/** Compares as soon as reconciliation has looked at everything; gives up waiting after a minute. */
export const compareBreaks = async (
  system: DaySystem,
  { expected }: Seeded,
): Promise<Compared & { readonly breaks: readonly BreakView[] }> => {
  let result: (Compared & { readonly breaks: readonly BreakView[] }) | undefined;
  const look = async (): Promise<boolean> => {
    const breaks = await allBreaks(system);
    const ofProviders = breaks.filter(({ between }) => between !== "log-bank");
    const live = ofProviders.filter(({ state }) => state !== "cleared");
    const keys = live.map((one) => `${one.participant} ${one.transfer ?? ""} ${one.kind}`);
    result = {
      found: countKinds(keys),
      seeded: countKinds(expected),
      missed: beyond(expected, keys),
      falseAlarms: beyond(keys, expected),
      cleared: ofProviders.length - live.length,
      breaks,
    };
    return result.missed.length === 0 && result.falseAlarms.length === 0;
  };
  await eventually("breaks as they were put in", look, 60_000).catch((error: unknown) => {
    if (result === undefined) throw error;
  });
  if (result === undefined) throw new Error("broken invariant: nothing was compared");
  return result;
};
