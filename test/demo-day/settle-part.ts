// One part's settlement: every corridor's window is cut, its instructions go to the bank, and the bank's
// signed statements come back through the command line, as people would hand them in. The bank does each
// of its faults once; what came of it is kept for the report, and every window is settled at the end.
import { readFileSync } from "node:fs";
import { dayWorld } from "@sealane/infra";
import { eventually } from "../src/eventually.ts";
import { runSealane, sealaneJson } from "../src/sealane.ts";
import type { DayBank, DaySystem } from "./day-system.ts";

export type BankFaultKind = Parameters<DayBank["inject"]>[0]["kind"];

export type WindowView = {
  readonly corridor: string;
  readonly number: number;
  readonly from?: number;
  readonly to?: number;
  readonly status: "settled" | "unsettled";
  readonly nets: readonly {
    readonly participant: string;
    readonly status: string;
    readonly why?: string;
    readonly reason?: string;
    readonly legs: readonly object[];
  }[];
};

export type FaultSeen = {
  readonly window: string;
  readonly fault: BankFaultKind;
  /** What the faulty statement led to, as a code or a sentence. */
  readonly led: string;
  readonly wanted: string;
  /** Kinds of the breaks that the refused statement must leave, sorted. */
  readonly breaks: readonly string[];
};

/** Which window of which part the bank fails. */
const plan: readonly (readonly [part: number, corridor: string, fault: BankFaultKind])[] = [
  [0, "hkd-php", "wrong-amount"],
  [0, "hkd-sgd", "duplicate-line"],
  [0, "sgd-php", "wrong-file"],
  [1, "hkd-php", "partial"],
  [1, "hkd-sgd", "duplicate-statement"],
  [1, "sgd-php", "late"],
];

const heldAccount = "SEALPH0002PHP";
const heldParticipant = "ph-wallet.example";

type SendAnswer = { readonly ok?: boolean; readonly code?: string; readonly already?: boolean };

const operatorKey = ({ stack }: DaySystem): string => stack.home.keys("alice", "operator.key");

const nameOf = (corridor: string, number: number): string => `${corridor}/${number}`;

const show = (system: DaySystem, name: string): Promise<WindowView> =>
  system.ask<WindowView>(`/v1/windows/${name}`);

const papers = ({ bank }: DaySystem, kind: "note" | "camt.053", reference?: string): string => {
  const found = bank
    .documents()
    .findLast((one) => one.kind === kind && (reference ?? one.reference) === one.reference);
  if (found === undefined) throw new Error(`the bank has written no ${kind}`);
  return bank.path(found.name);
};

/** Hands the bank's newest signed statement in, with its file; or that of a reference. */
export const handIn = async (system: DaySystem, reference?: string): Promise<string> => {
  const [note, camt] = [papers(system, "note", reference), papers(system, "camt.053", reference)];
  const { stdout } = await runSealane(system, ["settle", "send", note, "--camt", camt, "--json"]);
  const answer = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "{}") as SendAnswer;
  if (answer.ok !== true) return answer.code ?? "no-answer";
  return answer.already === true ? "already" : "taken";
};

const instructionsOf = ({ stack }: DaySystem, name: string): string =>
  stack.home.path(`instructions-${name.replace("/", "-")}.xml`);

const instruct = async (system: DaySystem, name: string): Promise<void> => {
  const taken = await system.bank.take(readFileSync(instructionsOf(system, name)));
  if (!taken.ok) throw new Error(`the bank refuses ${name}: ${taken.code}`);
};

const settled = (system: DaySystem, name: string): Promise<WindowView> =>
  eventually(
    `${name} is settled`,
    async () => {
      const window = await show(system, name);
      return window.status === "settled" && window;
    },
    60_000,
  );

const nothingFinal = async (system: DaySystem, name: string): Promise<boolean> =>
  (await show(system, name)).nets.every(
    ({ status, legs }) => legs.length === 0 || (status !== "settled" && status !== "defaulted"),
  );

/** A file that is not the signed one says nothing that could be looked into. */
const refusedBreaks: Partial<Record<BankFaultKind, readonly string[]>> = {
  "wrong-amount": ["unmatched-bank-line"],
  "duplicate-line": ["duplicate"],
};

/** A statement that must be refused whole; then the bank says it right. */
const refusedThenRight = async (
  system: DaySystem,
  name: string,
  fault: BankFaultKind,
  wanted: string,
): Promise<FaultSeen> => {
  system.bank.inject({ kind: fault });
  await instruct(system, name);
  const code = await handIn(system);
  const untouched = await nothingFinal(system, name);
  await system.bank.issue(`${name}/0`);
  const again = await handIn(system);
  const led = `${code}, ${untouched ? "nothing" : "SOMETHING"} applied; corrected: ${again}`;
  return {
    window: name,
    fault,
    led,
    wanted: `${wanted}, nothing applied; corrected: taken`,
    breaks: refusedBreaks[fault] ?? [],
  };
};

/** One participant's payment is refused: the others settle, that one is held until it is paid. */
const partlyThenAll = async (system: DaySystem, name: string): Promise<FaultSeen> => {
  system.bank.inject({ kind: "partial", account: heldAccount, reason: "AC06" });
  await instruct(system, name);
  const first = await handIn(system);
  const { nets } = await eventually("the others are settled", async () => {
    const window = await show(system, name);
    const rest = window.nets.filter(({ participant }) => participant !== heldParticipant);
    return rest.every(({ status }) => status === "settled") && window;
  });
  const held = nets.find(({ participant }) => participant === heldParticipant);
  await system.bank.retry(`${name}/0`);
  const again = await handIn(system);
  return {
    window: name,
    fault: "partial",
    led: `${first}; ${heldParticipant} ${held?.status} ${held?.why} ${held?.reason}; paid: ${again}`,
    wanted: `taken; ${heldParticipant} held line-rejected AC06; paid: taken`,
    breaks: [],
  };
};

/** The same bookings under two references: the second is refused, and is a break: a duplicate. */
const twice = async (system: DaySystem, name: string): Promise<FaultSeen> => {
  system.bank.inject({ kind: "duplicate-statement" });
  await instruct(system, name);
  const notes = system.bank.documents().filter(({ kind }) => kind === "note");
  const [first, second] = notes.slice(-2).map(({ reference }) => reference);
  const taken = await handIn(system, first);
  await settled(system, name);
  const again = await handIn(system, second);
  return {
    window: name,
    fault: "duplicate-statement",
    led: `${taken}; the second: ${again}`,
    wanted: "taken; the second: window-settled",
    breaks: ["duplicate"],
  };
};

/** Nothing is stated until the bank has booked; the window waits. */
const late = async (system: DaySystem, name: string): Promise<FaultSeen> => {
  system.bank.inject({ kind: "late" });
  const before = system.bank.documents().filter(({ kind }) => kind === "note").length;
  await instruct(system, name);
  const after = system.bank.documents().filter(({ kind }) => kind === "note").length;
  const waits = after === before && (await nothingFinal(system, name));
  await system.bank.release();
  const taken = await handIn(system);
  return {
    window: name,
    fault: "late",
    led: `${waits ? "no statement, the window waits" : "SETTLED EARLY"}; booked: ${taken}`,
    wanted: "no statement, the window waits; booked: taken",
    breaks: [],
  };
};

const settleWindow = async (
  system: DaySystem,
  name: string,
  fault: BankFaultKind | undefined,
): Promise<FaultSeen | undefined> => {
  switch (fault) {
    case undefined:
      await instruct(system, name);
      await handIn(system);
      return undefined;
    case "wrong-amount":
      return refusedThenRight(system, name, fault, "sum-not-zero");
    case "duplicate-line":
      return refusedThenRight(system, name, fault, "line-twice");
    case "wrong-file":
      return refusedThenRight(system, name, fault, "wrong-file");
    case "partial":
      return partlyThenAll(system, name);
    case "duplicate-statement":
      return twice(system, name);
    default:
      return late(system, name);
  }
};

export type PartSettled = {
  readonly windows: readonly WindowView[];
  readonly faults: readonly FaultSeen[];
};

/** Cuts a window and fetches its instructions, as an operator would. */
const cut = async (system: DaySystem, corridor: string, number: number): Promise<void> => {
  const name = nameOf(corridor, number);
  const key = ["--operator-key", operatorKey(system)];
  await sealaneJson(system, ["window", "cut", corridor, "--number", String(number), ...key]);
  await eventually(`${name} is cut`, () => show(system, name), 60_000);
  const out = ["--out", instructionsOf(system, name)];
  await sealaneJson(system, ["settle", "instructions", name, ...out]);
};

/** Cuts and settles the windows of one part of the day. */
export const settlePart = async (
  system: DaySystem,
  part: number,
  say: (what: string) => void,
): Promise<PartSettled> => {
  const names = dayWorld.corridors.map(({ corridor }) => ({ corridor, number: part }));
  say(`cutting ${names.map(({ corridor, number }) => nameOf(corridor, number)).join(", ")}`);
  await Promise.all(names.map(({ corridor, number }) => cut(system, corridor, number)));
  const windows: WindowView[] = [];
  const faults: FaultSeen[] = [];
  for (const { corridor, number } of names) {
    const name = nameOf(corridor, number);
    const fault = plan.find(([at, of]) => at === part && of === corridor)?.[2];
    say(`settling ${name}${fault === undefined ? "" : `, while the bank is at fault: ${fault}`}`);
    const seen = await settleWindow(system, name, fault);
    if (seen !== undefined) faults.push(seen);
    windows.push(await settled(system, name));
  }
  return { windows, faults };
};
