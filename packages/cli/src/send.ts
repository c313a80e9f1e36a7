// `sealane send`: one or more real transfers over a provider's adapter, with their steps as they
// happen; or, with --file, all rows of a file.
import { randomUUID } from "node:crypto";
import {
  AdapterUnavailable,
  sendOne,
  type SendResult,
  type TransferRequest,
} from "@sealane/client";
import { transferIdOf } from "@sealane/protocol";
import type { Command } from "commander";
import {
  clientOf,
  firstAccount,
  participantOf,
  readCliConfig,
  type CliConfig,
  type CliParticipant,
} from "./cli-config.ts";
import { CliError } from "./cli-error.ts";
import { running } from "./output.ts";
import { keepKeys, logOf, receiptPath, writeWhole } from "./receipt-files.ts";
import { sendFile } from "./send-file.ts";

export type SendFlags = {
  readonly from: string;
  readonly to: string;
  readonly amount?: string;
  readonly currency?: string;
  readonly fixed: string;
  readonly payerAccount?: string;
  readonly payeeAccount?: string;
  readonly reference?: string;
  readonly count: string;
  readonly file?: string;
  readonly json?: boolean;
};

const out = (text: string): void => void process.stdout.write(`${text}\n`);

const requestOf = (flags: SendFlags, from: CliParticipant, to: CliParticipant): TransferRequest => {
  const { amount, reference } = flags;
  if (amount === undefined) {
    throw new CliError("amount-missing", "how much is to be sent?", "Give --amount or --file.");
  }
  const fixed = flags.fixed === "receive" ? "receive" : "send";
  const currency = flags.currency ?? (fixed === "send" ? from : to).currency;
  return {
    payer: { account: flags.payerAccount ?? firstAccount(from) },
    payee: { participant: to.id, account: flags.payeeAccount ?? firstAccount(to) },
    amount: { currency, amount },
    fixed,
    ...(reference === undefined ? {} : { reference }),
  };
};

const showSealed = (result: SendResult & { outcome: "sealed" }, path: string): void => {
  const { transfer } = result;
  const { lane } = transfer;
  const money = (value: { amount: string; currency: string } | undefined): string =>
    value === undefined ? "?" : `${value.amount} ${value.currency}`;
  out(`  sent ${money(transfer.sent)}, fee ${money(transfer.fee)}, rate ${transfer.rate ?? "?"}`);
  out(
    `  received ${money(transfer.received)}, entry ${transfer.position ?? "?"} of ${lane === undefined ? "the log" : `lane ${lane}'s log`}`,
  );
  out(`  receipt ${path}`);
};

/** Keeps the receipt and tells the outcome. @returns whether it went through */
const tell = async (config: CliConfig, result: SendResult, json: boolean): Promise<boolean> => {
  if (result.outcome !== "sealed") {
    const { outcome, ...rest } = result;
    const { code, reason, detail } = rest;
    const why = code === outcome ? reason : `${code}, ${reason}`;
    if (json) out(JSON.stringify({ event: outcome, ...rest }));
    else out(`  ${outcome}: ${detail === "" ? code : detail} (${why})\n  ${rest.action}`);
    return false;
  }
  const { transferId, transfer, steps, receipt, entry } = result;
  const path = receiptPath(config, transferId);
  writeWhole(path, receipt);
  await keepKeys(config, entry);
  if (json) {
    const { sent, received } = transfer;
    const event = {
      event: "sealed",
      transferId,
      sent,
      received,
      steps,
      receipt: path,
      log: logOf(config, result.entry),
    };
    out(JSON.stringify(event));
  } else showSealed(result, path);
  return true;
};

const wholeNumber = (text: string): number => {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new CliError("count-invalid", `${text} is no count`, "Write a number from 1 to 999999.");
};

/** The same command again would be another transfer: this one has to be looked up. */
const unknownOutcome = (error: unknown, transferId: string): unknown =>
  error instanceof AdapterUnavailable
    ? new CliError(
        "outcome-unknown",
        `${error.message}; the outcome of ${transferId} is not known`,
        `Look it up before sending again: sealane receipt ${transferId}`,
        error,
      )
    : error;

const sendSome = async (config: CliConfig, flags: SendFlags): Promise<boolean> => {
  const from = participantOf(config, flags.from);
  const to = participantOf(config, flags.to);
  const request = requestOf(flags, from, to);
  const json = flags.json === true;
  const client = clientOf(from);
  let good = true;
  for (let left = wholeNumber(flags.count); left > 0; left -= 1) {
    if (!json)
      out(`${request.amount.amount} ${request.amount.currency}, ${from.name} to ${to.name}`);
    const onStep = (step: string, ms: number): void => {
      if (!json) out(`  ${step.padEnd(10)}${ms.toFixed(1).padStart(8)} ms`);
    };
    const idempotencyKey = randomUUID();
    const sending = sendOne({ client, payer: from.id, request, onStep, idempotencyKey });
    const result = await sending.catch((error: unknown) => {
      throw unknownOutcome(error, transferIdOf(from.id, idempotencyKey));
    });
    good = (await tell(config, result, json)) && good;
  }
  return good;
};

/** Adds `send` to the program. */
export const registerSend = (program: Command): void => {
  program
    .command("send")
    .description("send money from one wallet provider's account to another's, and see it sealed")
    .requiredOption("--from <participant>", "payer's provider, such as hk-wallet")
    .requiredOption("--to <participant>", "payee's provider, such as ph-wallet")
    .option("--amount <amount>", "exact decimal, such as 1000.00")
    .option("--currency <code>", "of the amount; the fixed side's own when left out")
    .option("--fixed <side>", "which side the amount is for: send or receive", "send")
    .option("--payer-account <account>", "the first account of the payer's provider when left out")
    .option("--payee-account <account>", "the first account of the payee's provider when left out")
    .option("--reference <text>", "remittance information for the payee")
    .option("--count <number>", "so many transfers, one after the other", "1")
    .option("--file <csv>", "all rows: payer_account,payee_account,amount,currency,reference")
    .option("--json", "one JSON object a line")
    .action((flags: SendFlags) =>
      running(flags.json === true, async () => {
        if (flags.fixed !== "send" && flags.fixed !== "receive") {
          throw new CliError("fixed-invalid", `--fixed ${flags.fixed}?`, "Write send or receive.");
        }
        const { file } = flags;
        if (file !== undefined && (flags.amount ?? flags.currency) !== undefined) {
          const action = "Leave out --amount and --currency, or --file.";
          throw new CliError("amount-twice", "the file's rows have their own amounts", action);
        }
        const config = readCliConfig();
        const { from, to, json = false } = flags;
        return await (file === undefined
          ? sendSome(config, flags)
          : sendFile(config, { file, from, to, json }));
      }),
    );
};
