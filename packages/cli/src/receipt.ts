// `sealane receipt`: fetches receipts from the adapter that knows the transfers; several of them, with all
// it takes to check them, in one bundle.
import { AdapterRefusal, entryOfReceipt, readKeyLogFile } from "@sealane/client";
import { transferIdPattern } from "@sealane/protocol";
import { parseNote, parseProof } from "@sealane/tlog";
import type { Command } from "commander";
import { BundleFault, formatBundle } from "./bundle-format.ts";
import {
  clientOf,
  participantOf,
  readCliConfig,
  type CliConfig,
  type CliParticipant,
} from "./cli-config.ts";
import { CliError } from "./cli-error.ts";
import { loadPolicy, readDefaults } from "./defaults.ts";
import { fetchDisclosures, fieldsToReveal, readDisclosures } from "./disclosures.ts";
import { mustStand } from "./export-participant.ts";
import { outJson, running } from "./output.ts";
import { keepKeys, writeWhole } from "./receipt-files.ts";
import { verifyBundle } from "./verify-bundle.ts";

type ReceiptFlags = {
  readonly from?: string;
  readonly out?: string;
  readonly bundle?: string;
  readonly disclose?: string;
  readonly reveal?: string;
  readonly policy?: string;
  readonly json?: boolean;
};

const waitSeconds = 3;

type Fetched = {
  readonly transferId: string;
  readonly receipt: string;
  /** Whose adapter gave it. */
  readonly by: CliParticipant;
};

/** The receipt from the first adapter that knows the transfer. @throws CliError */
const fetchReceipt = async (
  transferId: string,
  participants: readonly CliParticipant[],
): Promise<Fetched> => {
  let refusal: AdapterRefusal | undefined;
  for (const participant of participants) {
    try {
      const receipt = await clientOf(participant).receipt(transferId, { waitSeconds });
      return { transferId, receipt, by: participant };
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

/** @throws CliError when the key log or a sheet that is cited is not at hand */
const writeBundle = async (
  path: string,
  fetched: readonly Fetched[],
  config: CliConfig,
  flags: ReceiptFlags,
): Promise<void> => {
  const keys = readKeyLogFile(config.keylog);
  if (keys === undefined) {
    const action = "Look whether the ledger can be reached, then run it again.";
    throw new CliError("keys-missing", "there is no copy of the key log", action);
  }
  const disclosures = readDisclosures(flags.disclose);
  const fields = fieldsToReveal(flags.reveal);
  for (const { transferId, by } of fields.length > 0 ? fetched : []) {
    disclosures.push(...(await fetchDisclosures(clientOf(by), transferId, fields)));
  }
  let text: string;
  try {
    text = formatBundle({
      keyCheckpoint: keys.checkpoint,
      keyEntries: keys.entries,
      sheets: keys.sheets,
      receipts: fetched.map(({ receipt }) => receipt),
      disclosures,
    });
  } catch (error) {
    if (!(error instanceof BundleFault)) throw error;
    throw new CliError(error.code, error.message, "Ask the liquidity provider for that sheet.");
  }
  mustStand(verifyBundle(text, loadPolicy(flags.policy, readDefaults()).policy), "the adapter");
  writeWhole(path, text);
  process.stderr.write(
    `bundle ${path}: ${fetched.length} receipts, ${disclosures.length} disclosures\n`,
  );
};

const runReceipt = async (transfers: readonly string[], flags: ReceiptFlags): Promise<void> => {
  const { from, out, bundle } = flags;
  const odd = transfers.find((transfer) => !transferIdPattern.test(transfer));
  if (odd !== undefined) {
    throw new CliError("id-invalid", `${odd} is no transfer id`, "Give the id as it was printed.");
  }
  const forBundle = flags.disclose !== undefined || flags.reveal !== undefined;
  if (bundle === undefined && (transfers.length > 1 || forBundle)) {
    const action = "Give a file for all of them: --bundle FILE.";
    throw new CliError("bundle-missing", "one receipt at a time, or a bundle", action);
  }
  const config = readCliConfig();
  const asked = from === undefined ? config.participants : [participantOf(config, from)];
  const fetched: Fetched[] = [];
  for (const transfer of transfers) {
    const found = await fetchReceipt(transfer, asked);
    await keepKeys(config, entryOfReceipt(found.receipt));
    fetched.push(found);
    if (!isSealed(found.receipt)) {
      process.stderr.write(`warning: ${transfer} is logged, and not sealed yet\n`);
    }
  }
  const json = flags.json === true;
  if (bundle !== undefined) {
    await writeBundle(bundle, fetched, config, flags);
    if (json) outJson({ event: "bundle", transferIds: transfers, bundle });
    return;
  }
  const receipt = fetched[0]?.receipt ?? "";
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
    .option(
      "--reveal <fields>",
      "personal data to go into the bundle, from the adapter: payer,payee,reference, or all",
    )
    .option("--policy <file>", "what the bundle is checked by before it is written")
    .option("--json", "print one JSON object")
    .action((transfers: string[], flags: ReceiptFlags) =>
      running(flags.json === true, () => runReceipt(transfers, flags).then(() => true)),
    );
};
