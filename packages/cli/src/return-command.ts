// `sealane return` and `sealane recall`: a provider gives a transfer back, asks for one back, or says no
// when it is asked. What is answered is a transfer of its own, with a receipt like any other.
import { randomUUID } from "node:crypto";
import type { Money, Transfer } from "@sealane/client";
import type { Command } from "commander";
import { clientOf, participantOf, readCliConfig } from "./cli-config.ts";
import { CliError, reporting } from "./cli-error.ts";
import { out, outJson } from "./output.ts";

type Flags = {
  readonly from: string;
  readonly amount?: string;
  readonly reason?: string;
  readonly key?: string;
  readonly wait: string;
  readonly json?: boolean;
};

type ReturnFlags = Flags & {
  readonly rate?: string;
  readonly bearer?: string;
  readonly recall?: string;
};

type RecallFlags = Flags & { readonly cancel?: boolean; readonly refuse?: string };

const rates = ["original", "today"] as const;
const bearers = ["payer", "payee", "earner"] as const;

const oneOf = <T extends string>(what: string, all: readonly T[], text: string): T => {
  const found = all.find((one) => one === text);
  if (found !== undefined) return found;
  throw new CliError(`${what}-invalid`, `--${what} ${text}?`, `Write ${all.join(" or ")}.`);
};

const secondsOf = (text: string): number => {
  if (/^(?:[0-9]|[12][0-9]|30)$/.test(text)) return Number(text);
  throw new CliError("wait-invalid", `--wait ${text}?`, "Write seconds, at most 30.");
};

const door = ({ from, key, wait }: Flags) => {
  const config = readCliConfig();
  const participant = participantOf(config, from);
  return {
    client: clientOf(participant),
    options: { idempotencyKey: key ?? randomUUID(), waitSeconds: secondsOf(wait) },
  };
};

const money = (value: Money | undefined): string =>
  value === undefined ? "?" : `${value.amount} ${value.currency}`;

const tell = (what: string, made: Transfer, json: boolean): boolean => {
  const { transferId, status, reason, sent, received, position, code, detail } = made;
  const good = status !== "rejected";
  if (json) {
    outJson({ event: what, ...made });
    return good;
  }
  out(`${what} ${transferId}: ${status}${reason === undefined ? "" : ` (${reason})`}`);
  if (!good) out(`  ${detail ?? code ?? "refused"}`);
  else if (what === "return") out(`  ${money(sent)} goes back, and ${money(received)} comes`);
  else out(`  ${money(sent)} is asked back; it ends credited, or rejected with a reason`);
  if (position !== undefined) out(`  entry ${position} of the log`);
  return good;
};

/** The amount in the currency in which the transfer was received: the adapter says which. */
const amountOf = async (
  client: ReturnType<typeof clientOf>,
  id: string,
  amount: string | undefined,
): Promise<{ amount?: Money }> => {
  if (amount === undefined) return {};
  const { received } = await client.get(id);
  if (received === undefined) {
    const message = `${id} has not been committed, as far as its provider knows`;
    throw new CliError("original-unknown", message, "Only what was committed is returned.");
  }
  return { amount: { currency: received.currency, amount } };
};

const giveBack = async (id: string, flags: ReturnFlags): Promise<boolean> => {
  const { client, options } = door(flags);
  const { reason, rate, bearer, recall, json = false } = flags;
  const request = {
    ...(await amountOf(client, id, flags.amount)),
    ...(reason === undefined ? {} : { reason }),
    ...(rate === undefined ? {} : { rate: oneOf("rate", rates, rate) }),
    ...(bearer === undefined ? {} : { bearer: oneOf("bearer", bearers, bearer) }),
    ...(recall === undefined ? {} : { recallId: recall }),
  };
  return tell("return", await client.giveBack(id, request, options), json);
};

const recallOf = async (id: string, flags: RecallFlags): Promise<boolean> => {
  const { client, options } = door(flags);
  const { reason, cancel = false, refuse, json = false } = flags;
  if (refuse !== undefined) {
    await client.refuseRecall(id, refuse);
    if (json) outJson({ event: "recall-refusal", transferId: id, reason: refuse });
    else out(`the recall of ${id} is refused (${refuse}); the ledger decides`);
    return true;
  }
  const request = {
    ...(await amountOf(client, id, flags.amount)),
    ...(reason === undefined ? {} : { reason }),
    cancel,
  };
  return tell("recall", await client.recall(id, request, options), json);
};

const common = (command: Command, whose: string): Command =>
  command
    .requiredOption("--from <participant>", whose)
    .option("--amount <amount>", "in the received currency; all that is left when left out")
    .option("--key <key>", "idempotency key: the same again is the same statement")
    .option("--wait <seconds>", "for the seal", "10")
    .option("--json", "one JSON object");

/** Adds `return` and `recall` to the program. */
export const registerReturns = (program: Command): void => {
  common(
    program.command("return <transfer>").description("give a transfer back, all or part"),
    "the payee's provider, such as ph-wallet",
  )
    .option("--reason <code>", "ISO 20022 return reason, such as AC04; MS03 when left out")
    .option("--rate <rate>", "original (as it was converted) or today")
    .option("--bearer <who>", "of the fee: payer, payee or earner")
    .option("--recall <id>", "the recall that it answers")
    .action((id: string, flags: ReturnFlags) =>
      reporting(async () => {
        if (!(await giveBack(id, flags))) process.exitCode = 1;
      }),
    );
  common(
    program.command("recall <transfer>").description("ask for a transfer back, or refuse it"),
    "the payer's provider; the payee's with --refuse",
  )
    .option("--reason <code>", "ISO 20022 cancellation reason, such as DUPL; CUST when left out")
    .option("--cancel", "the sender's right: 30 minutes, while it is not paid out, with the fee")
    .option("--refuse <code>", "say no to the recall that is open, for this reason, such as CUST")
    .action((id: string, flags: RecallFlags) =>
      reporting(async () => {
        if (!(await recallOf(id, flags))) process.exitCode = 1;
      }),
    );
};
