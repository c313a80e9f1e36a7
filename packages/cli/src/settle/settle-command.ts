// `sealane settle`: positions, and the statements that move money. What takes two operators goes between
// them as a file: the first makes and signs it, the second looks at it, signs and hands it in. A bank's
// statement is signed by the bank, on the bank's machine, and handed in by an operator as it is.
import { writeFileSync } from "node:fs";
import {
  readNote,
  statementText,
  transferIdOf,
  type Advance,
  type SettlementAbort,
  type WindowDefault,
} from "@sealane/protocol";
import { amountOf, minorOf } from "@sealane/rules";
import { composeNote } from "@sealane/tlog";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { signerOf } from "../lane-command.ts";
import { columns, out, outJson, running } from "../output.ts";
import { registerBankFiles, send, textOf, writeNew } from "./bank-files.ts";
import { askDesk, type DeskFlags, type Position } from "./desk-door.ts";
import { registerMoves } from "./move-command.ts";
import { askWindow, deskOptions, pinnedOrigin, windowNamed } from "./window-command.ts";

type SignFlags = DeskFlags & { readonly operatorKey: string; readonly policy?: string };
type MakeFlags = SignFlags & { readonly out: string };

/** First signature of two. */
const make = async (flags: MakeFlags, kind: string, body: object): Promise<boolean> => {
  const text = statementText(pinnedOrigin(flags.policy, flags.desk), kind, body);
  const line = await signerOf(flags.operatorKey).signLine(text);
  writeNew(flags.out, composeNote(text, [line]));
  if (flags.json === true) outJson({ ok: true, file: flags.out, kind, ...body });
  else {
    out(JSON.stringify(body, undefined, 2));
    out(`One signature of two: ${flags.out}. Another operator looks at it and runs:`);
    out(`  npx sealane settle cosign ${flags.out} --operator-key FILE`);
  }
  return true;
};

const runCosign = async (file: string, flags: SignFlags): Promise<boolean> => {
  const read = readNote(textOf(file, "the statement"));
  if (!read.ok) {
    throw new CliError(
      "statement-malformed",
      `${file}: ${read.detail}`,
      "Give the first one's file.",
    );
  }
  const { text, signatures } = read.note;
  const signer = signerOf(flags.operatorKey);
  if (signatures.some(({ name }) => name === signer.name)) {
    const action = "Two operators sign, each with a key of their own.";
    throw new CliError("signed-already", `${signer.name} has signed it already`, action);
  }
  if (!text.startsWith(`${pinnedOrigin(flags.policy, flags.desk)}/`)) {
    throw new CliError("wrong-log", `${file} is for another log`, "Ask who has sent it to you.");
  }
  const lines = signatures.map(({ line }) => line);
  const both = composeNote(text, [...lines, await signer.signLine(text)]);
  writeFileSync(file, both);
  return send([file], [both], flags);
};

type AdvanceFlags = MakeFlags & {
  readonly participant: string;
  readonly currency: string;
  readonly amount: string;
  readonly reference: string;
};

const runAdvance = (flags: AdvanceFlags): Promise<boolean> => {
  const { participant, currency, amount, reference } = flags;
  // The same reference is the same advance: it is posted once.
  const id = transferIdOf(participant, `advance ${reference}`);
  const body: Advance = { id, participant, currency, amount, note: reference };
  return make(flags, "advance", body);
};

type DefaultFlags = MakeFlags & { readonly participant: string };

const runDefault = async (name: string, flags: DefaultFlags): Promise<boolean> => {
  const { participant } = flags;
  const window = await askWindow(flags, windowNamed(name));
  const net = window.nets.find((one) => one.participant === participant);
  if (net === undefined) {
    const message = `${participant} has no net in ${name}`;
    throw new CliError("not-a-debtor", message, "See `sealane window show`.");
  }
  const path = `/v1/positions?participant=${encodeURIComponent(participant)}`;
  const { positions } = await askDesk<{ positions: Position[] }>(flags, path);
  const payments = net.totals.flatMap(({ currency, debits, credits, fees }) => {
    const [debit = 0n, credit = 0n, fee = 0n] = [debits, credits, fees].map((one) =>
      minorOf(one, currency),
    );
    const owed = debit - credit - fee;
    const own = positions.find((one) => one.currency === currency);
    if (owed <= 0n) return [];
    const backed =
      minorOf(own?.liquidity ?? "0", currency) - minorOf(own?.unbacked ?? "0", currency);
    const most = backed < 0n ? 0n : backed;
    const cover = most < owed ? most : owed;
    return {
      currency,
      cover: amountOf(cover, currency),
      shortfall: amountOf(owed - cover, currency),
    };
  });
  const { corridor, number, attempt } = window;
  const totals = net.totals.map(({ currency, debits, credits, fees }) => ({
    currency,
    debits,
    credits,
    fees,
  }));
  const body: WindowDefault = { corridor, number, attempt, participant, totals, payments };
  return make(flags, "window-default", body);
};

type AbortFlags = MakeFlags & { readonly reason: string };

const runAbort = async (name: string, flags: AbortFlags): Promise<boolean> => {
  const window = await askWindow(flags, windowNamed(name));
  const { corridor, number, attempt } = window;
  const body: SettlementAbort = { corridor, number, attempt, reason: flags.reason };
  return make(flags, "settlement-abort", body);
};

const runPositions = async (flags: DeskFlags): Promise<boolean> => {
  type Answer = { asOf: number; pendingKnown: boolean; positions: Position[] };
  const answer = await askDesk<Answer>(flags, "/v1/positions");
  if (flags.json === true) outJson({ ok: true, ...answer });
  else {
    const head = [
      "participant",
      "",
      "liquidity",
      "unbacked",
      "cap",
      "pending",
      "exposure",
      "headroom",
    ];
    const rows = answer.positions.map((one) => [
      one.participant,
      one.currency,
      one.liquidity,
      one.unbacked,
      one.cap ?? "-",
      answer.pendingKnown ? one.pending : "?",
      one.exposure,
      one.headroom,
    ]);
    out(`as of ${answer.asOf} entries`);
    out(columns([head, ...rows], [2, 3, 4, 5, 6, 7]));
  }
  return true;
};

const operatorOptions = (command: Command): Command =>
  deskOptions(command)
    .requiredOption("--operator-key <file>", "your own operator key")
    .option("--policy <file>", "the policy that pins the log");

const makeOptions = (command: Command): Command =>
  operatorOptions(command).requiredOption("--out <file>", "where to put the statement");

const registerMakers = (settle: Command): void => {
  makeOptions(
    settle
      .command("advance")
      .description("cover that no bank has confirmed yet: first signature of two")
      .requiredOption("--participant <name>", "whose cover")
      .requiredOption("--currency <code>", "such as HKD")
      .requiredOption("--amount <amount>", "such as 1000000.00")
      .requiredOption("--reference <text>", "names the advance; the same one is posted once"),
  ).action((flags: AdvanceFlags) => running(flags.json === true, () => runAdvance(flags)));
  makeOptions(
    settle
      .command("default <window>")
      .description("a net debtor has not paid at the deadline: first signature of two")
      .requiredOption("--participant <name>", "who has not paid; suspended before"),
  ).action((name: string, flags: DefaultFlags) =>
    running(flags.json === true, () => runDefault(name, flags)),
  );
  makeOptions(
    settle
      .command("abort <window>")
      .description("take a settlement's instructions back, to give them again: first of two")
      .requiredOption("--reason <label>", "why, such as wrong-accounts"),
  ).action((name: string, flags: AbortFlags) =>
    running(flags.json === true, () => runAbort(name, flags)),
  );
};

/** Adds `settle` to the program. */
export const registerSettle = (program: Command): void => {
  const settle = program.command("settle").description("positions, and what moves money");
  deskOptions(
    settle.command("positions").description("liquidity, cap, exposure and headroom of everyone"),
  ).action((flags: DeskFlags) => running(flags.json === true, () => runPositions(flags)));
  registerMakers(settle);
  registerMoves(settle, { make, makeOptions });
  operatorOptions(
    settle.command("cosign <file>").description("second signature, and off to the desk"),
  ).action((file: string, flags: SignFlags) =>
    running(flags.json === true, () => runCosign(file, flags)),
  );
  registerBankFiles(settle);
};
