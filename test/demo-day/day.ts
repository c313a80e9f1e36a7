// The scripted day on a running system: cover that the bank confirms; three parts, each of transfers, money that comes back and a
// settlement with a bank that makes mistakes; then the providers' own books with differences, two people who
// resolve one of them with money, and the report. The same seed asks for the same transfers.
import { dayWorld } from "@sealane/infra";
import { eventually } from "../src/eventually.ts";
import { openAuditedLog } from "../src/audited-log.ts";
import { sealaneJson } from "../src/sealane.ts";
import { moveCover } from "./cover.ts";
import type { DaySystem } from "./day-system.ts";
import {
  compareBreaks,
  handBooksIn,
  seedDifferences,
  type BreakView,
  type Compared,
} from "./differences.ts";
import { giveSomeBack, type GivenBack } from "./give-back.ts";
import { makeReport, type DayReport } from "./report.ts";
import { settlePart, type FaultSeen, type WindowView } from "./settle-part.ts";
import { makeRequests, sendRequests, type Answered } from "./traffic.ts";

export const parts = 3;

export type DaySettings = {
  readonly transfers: number;
  readonly seed: number;
  /** Told what is being done. */
  readonly say: (what: string) => void;
  /** Told of each answer, for a counter. */
  readonly onAnswer: (answered: number) => void;
};

export type DayEvents = {
  /** What was paid in and out of cover, as sentences. */
  readonly cover: readonly string[];
  readonly answers: readonly Answered[];
  readonly replayed: number;
  readonly givenBack: readonly GivenBack[];
  readonly windows: readonly WindowView[];
  readonly faults: readonly FaultSeen[];
  readonly books: Readonly<Record<string, number>>;
  readonly compared: Compared;
  /** Put into the books, by fault. */
  readonly seeded: Readonly<Record<string, number>>;
  /** Of refused bank statements. */
  readonly bankBreaks: readonly BreakView[];
  readonly resolved: string;
};

/** A break whose money is wrong is put right: one proposes with a signed adjustment, another approves. */
const resolveOne = async (system: DaySystem, breaks: readonly BreakView[]): Promise<string> => {
  const wallets = new Set(dayWorld.wallets.map(({ participant }) => participant));
  const one = breaks.find(
    ({ kind, state, participant }) =>
      kind === "amount" && state === "open" && wallets.has(participant),
  );
  if (one === undefined) return "no break of an amount to resolve";
  const by = (person: string): string[] => {
    const { keys } = system.stack.home;
    const token = ["--token-file", keys(person, "staff.token")];
    return [...token, "--operator-key", keys(person, "operator.key")];
  };
  const how = ["--as", "adjusted", "--credit", "0.77", "--text", "our error"];
  await sealaneJson(system, ["break", "resolve", one.id, ...how, ...by("alice")]);
  await sealaneJson(system, ["break", "approve", one.id, ...by("bob")]);
  await eventually("the adjustment is in the log", async () => {
    const { state } = await system.ask<BreakView>(`/v1/breaks/${one.id}`);
    return state === "resolved";
  });
  return `${one.participant}: 0.77 ${one.currency} credited, proposed by alice and approved by bob`;
};

/** Runs the day. The report says what did not come out as it must; it is not thrown. */
export const runDay = async (system: DaySystem, settings: DaySettings): Promise<DayReport> => {
  const { transfers, seed, say } = settings;
  const log = openAuditedLog(system);
  const answers: Answered[] = [];
  const givenBack: GivenBack[] = [];
  const windows: WindowView[] = [];
  const faults: FaultSeen[] = [];
  let replayed = 0;
  let answered = 0;
  say("cover is paid in and out, by the bank's statements");
  const cover = await moveCover(system);
  for (let part = 0; part < parts; part += 1) {
    const count = Math.floor(transfers / parts) + (part < transfers % parts ? 1 : 0);
    say(`part ${part + 1} of ${parts}: ${count} transfers`);
    const asked = makeRequests(seed, part, count);
    const traffic = await sendRequests(system, asked, () => settings.onAnswer((answered += 1)));
    answers.push(...traffic.answers);
    replayed += traffic.replayed;
    say("money that comes back");
    givenBack.push(...(await giveSomeBack(system, traffic.answers)));
    const settled = await settlePart(system, part, say);
    windows.push(...settled.windows);
    faults.push(...settled.faults);
  }
  say("reading the log");
  const { verified } = await log.audit();
  const payers = new Map(
    answers.map(({ transfer, payer }) => [transfer?.transferId, payer.participant]),
  );
  const seeded = seedDifferences(verified, (id) => payers.get(id), seed);
  const books = await handBooksIn(system, seeded, verified, say);
  say("comparing the breaks that were found with those that were put in");
  const { breaks, ...compared } = await compareBreaks(system, seeded);
  const resolved = await resolveOne(system, breaks);
  const bankBreaks = breaks.filter(({ between }) => between === "log-bank");
  say("auditing all of it");
  const events = {
    cover,
    answers,
    replayed,
    givenBack,
    windows,
    faults,
    books,
    compared,
    resolved,
  };
  return makeReport(system, { ...events, seeded: seeded.seeded, bankBreaks });
};
