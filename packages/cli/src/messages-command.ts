// `sealane messages`: a transfer's receipt as banks' messages, pacs.008 (what was ordered) and pacs.002
// (what became of it). Offline, and only of a receipt that stands: what is said of it was checked.
import { join } from "node:path";
import { transferPacs002, transferPacs008, type TransferFacts } from "@sealane/iso20022";
import type { Command } from "commander";
import { CliError } from "./cli-error.ts";
import { loadPolicy, readBytes, readDefaults } from "./defaults.ts";
import { out, outJson, running } from "./output.ts";
import { loadRoots } from "./roots-file.ts";
import { writeNew } from "./settle/bank-files.ts";
import { loadKeys } from "./verify-command.ts";
import { verifyReceipt, type ReceiptFacts } from "./verify-receipt.ts";

type MessagesFlags = {
  readonly out: string;
  readonly policy?: string;
  readonly keys?: string;
  readonly roots?: string;
  readonly json?: boolean;
};

const outcomeOf = (outcome: string): TransferFacts["outcome"] | undefined =>
  (["committed", "rejected", "expired", "cancelled"] as const).find((one) => one === outcome);

/** Undefined for a receipt of something else, such as a rate sheet. */
const transferOf = (facts: ReceiptFacts): TransferFacts | undefined => {
  const { transferId, payer, payee, sent, received, fees, converted, rate, reason } = facts;
  const outcome = outcomeOf(facts.outcome);
  if (transferId === undefined || outcome === undefined || rate === undefined) return undefined;
  if (payer === undefined || payee === undefined || converted === undefined) return undefined;
  if (sent === undefined || received === undefined || fees === undefined) return undefined;
  const money = { sent, received, fees, converted, rate };
  return { transferId, payer, payee, ...money, outcome, reason, logTime: facts.logTime };
};

const runMessages = async (file: string, flags: MessagesFlags): Promise<boolean> => {
  const { policy, path } = loadPolicy(flags.policy, readDefaults());
  const options = { policy, keys: loadKeys(flags.keys, path), roots: loadRoots(flags.roots, path) };
  const { ok, facts } = verifyReceipt(readBytes(file, "the receipt"), options);
  if (!ok || facts === undefined) {
    const action = "See what is wrong with it: sealane verify FILE.";
    throw new CliError("receipt-refused", `${file} does not stand`, action);
  }
  const transfer = transferOf(facts);
  if (transfer === undefined) {
    const action = "Give the receipt of a transfer whose terms are in it.";
    throw new CliError("transfer-missing", `${file} is of no transfer`, action);
  }
  const { writeValid } = await import("@sealane/iso20022/schema");
  const { transferId } = transfer;
  const files = [
    [`${transferId}.pacs.008.xml`, writeValid("pacs.008", transferPacs008(transfer))],
    [`${transferId}.pacs.002.xml`, writeValid("pacs.002", transferPacs002(transfer))],
  ] as const;
  const written = files.map(([name, xml]) => {
    const place = join(flags.out, name);
    writeNew(place, xml);
    return place;
  });
  if (flags.json === true) outJson({ ok: true, transferId, files: written });
  else for (const place of written) out(place);
  return true;
};

/** Adds `messages` to the program. */
export const registerMessages = (program: Command): void => {
  program
    .command("messages <receipt>")
    .description("a transfer's receipt as pacs.008 and pacs.002, offline")
    .requiredOption("--out <folder>", "where to put them")
    .option("--policy <file>", "whom you trust: a C2SP tlog-policy")
    .option("--keys <file>", "copy of the key log; default: keylog beside the policy")
    .option("--roots <file>", "root keys that you pinned; default: roots beside the policy")
    .option("--json", "print one JSON object")
    .action((file: string, flags: MessagesFlags) =>
      running(flags.json === true, () => runMessages(file, flags)),
    );
};
