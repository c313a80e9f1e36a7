// `sealane messages`: a receipt as banks' messages: a transfer's order and end (pacs.008, pacs.002), a return
// (pacs.004), a recall and its answer (camt.056, camt.029). Offline, and only of a receipt that stands.
import { join } from "node:path";
import type { Message } from "@sealane/iso20022";
import type { Command } from "commander";
import { CliError } from "./cli-error.ts";
import { loadPolicy, readBytes, readDefaults } from "./defaults.ts";
import { out, outJson, running } from "./output.ts";
import { messagesOf } from "./receipt-messages.ts";
import { loadRoots } from "./roots-file.ts";
import { writeNew } from "./settle/bank-files.ts";
import { loadKeys } from "./verify-command.ts";
import { verifyReceipt } from "./verify-receipt.ts";
import { verifySeal } from "./verify-seal.ts";

type MessagesFlags = {
  readonly out: string;
  readonly policy?: string;
  readonly keys?: string;
  readonly roots?: string;
  readonly json?: boolean;
};

/** @throws CliError for a receipt that does not stand, or that is of nothing that banks speak of */
const readMessages = (file: string, flags: MessagesFlags): Message[] => {
  const { policy, path } = loadPolicy(flags.policy, readDefaults());
  const bytes = readBytes(file, "the receipt");
  const options = { policy, keys: loadKeys(flags.keys, path), roots: loadRoots(flags.roots, path) };
  const seal = verifySeal(bytes, policy);
  if (!verifyReceipt(bytes, options).ok || !seal.ok) {
    const action = "See what is wrong with it: sealane verify FILE.";
    throw new CliError("receipt-refused", `${file} does not stand`, action);
  }
  const messages = messagesOf(seal.sealed);
  if (messages.length > 0) return messages;
  const action = "Give the receipt of a transfer, a return or a recall.";
  throw new CliError("message-missing", `${file} is of nothing that banks are told`, action);
};

const runMessages = async (file: string, flags: MessagesFlags): Promise<boolean> => {
  const messages = readMessages(file, flags);
  const { writeValid } = await import("@sealane/iso20022/schema");
  const files = messages.map(({ kind, body }) => {
    const id = "messageId" in body ? body.messageId : body.assignmentId;
    const place = join(flags.out, `${kind}-${id}.xml`);
    writeNew(place, writeValid(kind, body));
    return place;
  });
  if (flags.json === true) outJson({ ok: true, files });
  else for (const place of files) out(place);
  return true;
};

/** Adds `messages` to the program. */
export const registerMessages = (program: Command): void => {
  program
    .command("messages <receipt>")
    .description("a receipt as ISO 20022: pacs.008 and pacs.002, pacs.004, camt.056 or camt.029")
    .requiredOption("--out <folder>", "where to put them")
    .option("--policy <file>", "whom you trust: a C2SP tlog-policy")
    .option("--keys <file>", "copy of the key log; default: keylog beside the policy")
    .option("--roots <file>", "root keys that you pinned; default: roots beside the policy")
    .option("--json", "print one JSON object")
    .action((file: string, flags: MessagesFlags) =>
      running(flags.json === true, () => runMessages(file, flags)),
    );
};
