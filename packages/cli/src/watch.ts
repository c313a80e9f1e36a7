// `sealane watch`: how transfers move, as a provider's adapter tells it, until Ctrl-C; or one transfer,
// until its end.
import { AdapterUnavailable, type Transfer } from "@sealane/client";
import { transferIdPattern } from "@sealane/protocol";
import type { Command } from "commander";
import { clientOf, participantOf, readCliConfig } from "./cli-config.ts";
import { CliError } from "./cli-error.ts";
import { out, outJson, running } from "./output.ts";

type WatchFlags = { readonly from: string; readonly json?: boolean };

const show = (transfer: Transfer, json: boolean): void => {
  const { transferId, role, status, sent, received, reason, creditException, position } = transfer;
  if (json) {
    outJson({ event: status, transferId, role, sent, received, reason, creditException, position });
    return;
  }
  const money = (value: { amount: string; currency: string } | undefined): string =>
    value === undefined ? "" : `${value.amount} ${value.currency}`;
  const amounts = sent === undefined ? "" : `${money(sent)} → ${money(received)}`;
  const why = reason ?? creditException ?? "";
  out([transferId, role, status.padEnd(9), amounts, why].join("  ").trimEnd());
};

const ended = ({ status, creditException }: Transfer): boolean =>
  creditException !== undefined ||
  !["received", "reserved", "committed", "sealed"].includes(status);

const watch = async (only: string | undefined, flags: WatchFlags): Promise<boolean> => {
  if (only !== undefined && !transferIdPattern.test(only)) {
    throw new CliError("id-invalid", `${only} is no transfer id`, "Give the id as it was printed.");
  }
  const json = flags.json === true;
  const participant = participantOf(readCliConfig(), flags.from);
  const client = clientOf(participant);
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  process.once("SIGTERM", () => stopping.abort());
  // Listening first, so that no change falls between the look and the stream.
  const events = await client.events({ signal: stopping.signal });
  if (only !== undefined) {
    const now = await client.get(only);
    show(now, json);
    if (ended(now)) stopping.abort();
  } else process.stderr.write(`what ${participant.name} sees of its transfers; Ctrl-C ends it\n`);
  for await (const change of events) {
    if (only !== undefined && change.transferId !== only) continue;
    show(change, json);
    if (only !== undefined && ended(change)) stopping.abort();
  }
  if (stopping.signal.aborted) return true;
  throw new AdapterUnavailable("adapter-unreachable", "the adapter ended the stream");
};

/** Adds `watch` to the program. */
export const registerWatch = (program: Command): void => {
  program
    .command("watch")
    .description("see transfers move, as one provider's adapter sees them")
    .argument("[transfer]", "this one only, until its end")
    .option("--from <participant>", "whose side", "hk-wallet")
    .option("--json", "one JSON object a line")
    .action((only: string | undefined, flags: WatchFlags) =>
      running(flags.json === true, () => watch(only, flags)),
    );
};
