// A world with a settlement bank: windows cut, lines for every leg, and what the books say of it.
import {
  readNote,
  readStatement,
  windowNetSchema,
  type BankLine,
  type BankStatement,
  type WindowNet,
} from "@sealane/protocol";
import type { Participant } from "../key-state.ts";
import { balanceOf, standingOf, type Standing } from "../positions.ts";
import { accountOf, operator, type GenesisOptions } from "./genesis.ts";
import * as say from "./statements.ts";
import { makeFundedWorld, type Batch, type World } from "./world.ts";

export const makeSettlingWorld = (options: GenesisOptions = {}): World =>
  makeFundedWorld({ corridor: {}, ...options });

/** One transfer of HKD 1,000.00: fee 2.00, PHP 7235.50 received. */
export const worldWithTransfer = (options: GenesisOptions = {}): World => {
  const world = makeSettlingWorld(options);
  world.transfer({ key: "a" });
  return world;
};

export const cut = (world: World, number = 0): Batch =>
  world.run([say.windowCut(world.keys(), { number })]);

export const innerKinds = ({ outcome }: Batch): string[] =>
  outcome.entries.map(({ inner }) => /\/([a-z-]+)\/v1\n/.exec(inner)?.[1] ?? "");

export const bodiesOf = <T>(
  { notes }: Batch,
  schema: Parameters<typeof readStatement<T>>[2],
  kind: string,
) =>
  notes.flatMap((text): T[] => {
    const outer = readNote(text);
    const inner = outer.ok ? outer.note.text.split("\n").slice(2).join("\n") : "";
    const note = readNote(inner);
    const read = note.ok ? readStatement(note.note, kind, schema) : undefined;
    return read?.ok === true ? [read.statement.body] : [];
  });

export const netsOf = (batch: Batch): WindowNet[] => bodiesOf(batch, windowNetSchema, "window-net");

/** A line for every leg, all booked, unless changed. */
export const bankLinesOf = (
  nets: readonly WindowNet[],
  change: (line: BankLine, participant: string) => Partial<BankLine> | undefined = () => ({}),
): BankLine[] =>
  nets.flatMap(({ participant, legs }) =>
    legs.flatMap(({ reference, currency, side, amount }) => {
      const account = accountOf(participant, currency);
      const whole: BankLine = {
        reference,
        account,
        currency,
        amount,
        status: "booked",
        side: side === "pay" ? "debit" : "credit",
      };
      const changed = change(whole, participant);
      return changed === undefined ? [] : { ...whole, ...changed };
    }),
  );

export const settle = (
  world: World,
  lines: BankLine[],
  body: Partial<BankStatement> = {},
): Batch => {
  const window = { corridor: "hkd-php", number: 0, attempt: 0 };
  return world.run([say.bankStatement(world.keys(), { window, lines, ...body })]);
};

export const standingIn = (world: World, participant: string, currency: string): Standing =>
  standingOf(
    world.state.balances,
    world.keys().participants.get(participant) as Participant,
    currency,
    world.state.settlement,
  );

/** Credits less debits. */
export const balanceIn = (world: World, account: string, currency: string): bigint => {
  const { postedDebit, postedCredit } = balanceOf(world.state.balances, account, currency);
  return postedCredit - postedDebit;
};

export const clearingOf = (world: World, currency: string): bigint =>
  balanceIn(world, `${operator}:settlement`, currency);

export const deadCodes = ({ outcome }: Batch): string[] =>
  outcome.deadLetters.map(({ code }) => code);
