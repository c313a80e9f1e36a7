// `sealane receipt`: fetches receipts from the adapter that knows the transfers; several of them, with all
// it takes to check them, in one bundle.
import { AdapterRefusal, entryOfReceipt, readKeyLogFile } from "@sealane/client";
import { transferIdPattern } from "@sealane/protocol";
import { fromBase64, parseNote, parseProof, TlogError } from "@sealane/tlog";
import type { Command } from "commander";
import { BundleFault, disclosureFields, formatBundle, type Disclosure } from "./bundle-format.ts";
import {
  clientOf,
  participantOf,
  readCliConfig,
  type CliConfig,
  type CliParticipant,
} from "./cli-config.ts";
import { CliError } from "./cli-error.ts";
import { loadPolicy, readBytes, readDefaults } from "./defaults.ts";
import { mustStand } from "./export-participant.ts";
import { outJson, running } from "./output.ts";
import { keepKeys, writeWhole } from "./receipt-files.ts";
import { verifyBundle } from "./verify-bundle.ts";

type ReceiptFlags = {
  readonly from?: string;
  readonly out?: string;
  readonly bundle?: string;
  readonly disclose?: string;
  readonly policy?: string;
  readonly json?: boolean;
};

const waitSeconds = 3;

/** The receipt from the first adapter that knows the transfer. @throws CliError */
const fetchReceipt = async (
  transferId: string,
  participants: readonly CliParticipant[],
): Promise<string> => {
  let refusal: AdapterRefusal | undefined;
  for (const participant of participants) {
    try {
      return await clientOf(participant).receipt(transferId, { waitSeconds });
    } catch (error) {
      if (!(error instanceof AdapterRefusal)) throw error;
      // Known without a receipt says more than not known.
      if (refusal === undefined || error.code !== "transfer-unknown") refusal = error;
    }
  }
  if (refusal !== undefined && refusal.code !== "transfer-unknown") throw refusal;
  const names = participants.map(({ name }) => name).join(", ");
  const message = `${transferId} is not known to ${names}`;
  throw new CliError(
    "transfer-unknown",
    message,
    "Check the id; this says nothing of its outcome.",
  );
};

/** The log's own line is the only one while no quorum has cosigned. */
const isSealed = (receipt: string): boolean =>
  parseNote(parseProof(receipt).checkpoint).signatures.length > 1;

/** Lines `<transfer> <field> <base64 of salt and value>`. @throws CliError */
const readDisclosures = (path: string | undefined): Disclosure[] => {
  if (path === undefined) return [];
  const text = Buffer.from(readBytes(path, "the disclosures")).toString("utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [transferId = "", name, encoded = ""] = line.split(" ");
      const field = disclosureFields.find((known) => known === name);
      const action = "Write lines of: transfer, payer|payee|reference, base64 of salt and value.";
      if (field === undefined) throw new CliError("disclosure-malformed", line, action);
      try {
        return { transferId, field, opening: fromBase64(encoded) };
      } catch (error) {
        if (!(error instanceof TlogError)) throw error;
        throw new CliError("disclosure-malformed", line, action, error);
      }
    });
};

/** @throws CliError when the key log or a sheet that is cited is not at hand */
const writeBundle = (
  path: string,
  receipts: readonly string[],
  config: CliConfig,
  flags: ReceiptFlags,
): void => {
  const keys = readKeyLogFile(config.keylog);
  if (keys === undefined) {
    const action = "Look whether the ledger can be reached, then run it again.";
    throw new CliError("keys-missing", "there is no copy of the key log", action);
  }
  let text: string;
  try {
    text = formatBundle({
      keyCheckpoint: keys.checkpoint,
      keyEntries: keys.entries,
      sheets: keys.sheets,
      receipts,
      disclosures: readDisclosures(flags.disclose),
    });
  } catch (error) {
    if (!(error instanceof BundleFault)) throw error;
    throw new CliError(error.code, error.message, "Ask the liquidity provider for that sheet.");
  }
  mustStand(verifyBundle(text, loadPolicy(flags.policy, readDefaults()).policy), "the adapter");
  writeWhole(path, text);
  process.stderr.write(`bundle ${path}: ${receipts.length} receipts\n`);
};

const runReceipt = async (transfers: readonly string[], flags: ReceiptFlags): Promise<void> => {
  const { from, out, bundle } = flags;
  const odd = transfers.find((transfer) => !transferIdPattern.test(transfer));
  if (odd !== undefined) {
    throw new CliError("id-invalid", `${odd} is no transfer id`, "Give the id as it was printed.");
  }
  if (bundle === undefined && (transfers.length > 1 || flags.disclose !== undefined)) {
    const action = "Give a file for all of them: --bundle FILE.";
    throw new CliError("bundle-missing", "one receipt at a time, or a bundle", action);
  }
  const config = readCliConfig();
  const asked = from === undefined ? config.participants : [participantOf(config, from)];
  const receipts: string[] = [];
  for (const transfer of transfers) {
    const receipt = await fetchReceipt(transfer, asked);
    await keepKeys(config, entryOfReceipt(receipt));
    receipts.push(receipt);
    if (!isSealed(receipt)) {
      process.stderr.write(`warning: ${transfer} is logged, and not sealed yet\n`);
    }
  }
  const json = flags.json === true;
  if (bundle !== undefined) {
    writeBundle(bundle, receipts, config, flags);
    if (json) outJson({ event: "bundle", transferIds: transfers, bundle });
    return;
  }
  const [receipt = ""] = receipts;
  if (out !== undefined) {
    writeWhole(out, receipt);
    process.stderr.write(`receipt ${out}\n`);
  }
  if (json) {
    const [transferId] = transfers;
    const where = out === undefined ? { text: receipt } : { receipt: out };
    outJson({ event: "receipt", transferId, sealed: isSealed(receipt), ...where });
  } else if (out === undefined) process.stdout.write(receipt);
};

/** Adds `receipt` to the program. */
export const registerReceipt = (program: Command): void => {
  program
    .command("receipt")
    .description("fetch transfers' sealed receipts, which verify offline")
    .argument("<transfer...>", "the transfer's id; several with --bundle")
    .option("--from <participant>", "ask this provider's adapter only")
    .option("--out <file>", "write it there; else to standard output")
    .option("--bundle <file>", "all of them, with key log and sheets, in one file")
    .option("--disclose <file>", "openings of commitments, to go into the bundle")
    .option("--policy <file>", "what the bundle is checked by before it is written")
    .option("--json", "print one JSON object")
    .action((transfers: string[], flags: ReceiptFlags) =>
      running(flags.json === true, () => runReceipt(transfers, flags).then(() => true)),
    );
};
