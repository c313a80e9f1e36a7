// `sealane receipt`: fetches a sealed receipt from the adapter that knows the transfer.
import { AdapterRefusal, entryOfReceipt } from "@sealane/client";
import { transferIdPattern } from "@sealane/protocol";
import type { Command } from "commander";
import { clientOf, participantOf, readCliConfig, type CliParticipant } from "./cli-config.ts";
import { CliError, reporting } from "./cli-error.ts";
import { keepKeys, writeWhole } from "./receipt-files.ts";

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

/** Adds `receipt` to the program. */
export const registerReceipt = (program: Command): void => {
  program
    .command("receipt")
    .description("fetch a transfer's sealed receipt, which verifies offline")
    .argument("<transfer>", "the transfer's id")
    .option("--from <participant>", "ask this provider's adapter only")
    .option("--out <file>", "write it there; else to standard output")
    .action((transfer: string, { from, out }: { from?: string; out?: string }) =>
      reporting(async () => {
        if (!transferIdPattern.test(transfer)) {
          throw new CliError(
            "id-invalid",
            `${transfer} is no transfer id`,
            "Give the id as it was printed.",
          );
        }
        const config = readCliConfig();
        const asked = from === undefined ? config.participants : [participantOf(config, from)];
        const receipt = await fetchReceipt(transfer, asked);
        await keepKeys(config, entryOfReceipt(receipt));
        if (out === undefined) process.stdout.write(receipt);
        else {
          writeWhole(out, receipt);
          process.stderr.write(`receipt ${out}\n`);
        }
      }),
    );
};
