// `sealane statement`: a participant's accounts over a period, for its own bookkeeping.
import { InvalidArgumentError, Option, type Command } from "commander";
import { CliError } from "../cli-error.ts";
import { out, outJson, running } from "../output.ts";
import { readIsoMessage, writeNew } from "./bank-files.ts";
import { askDocument, type DeskFlags } from "./desk-door.ts";
import { deskOptions } from "./window-command.ts";

type StatementFlags = DeskFlags & {
  readonly participant: string;
  readonly from: string;
  readonly to?: string;
  readonly format: "camt053" | "camt052" | "csv";
  readonly out?: string;
};

/** Our own desk's answer: 50,000 bookings are 45 MB. */
const ownLimits = { bytes: 134_217_728, depth: 32, elements: 4_000_000 };

const momentOf = (text: string): string => {
  if (/^20\d\d-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{3})?Z)?$/.test(text)) return text;
  throw new InvalidArgumentError("Write a day, 2026-11-22, or an instant, 2026-11-22T09:00:00Z.");
};

const runStatement = async (flags: StatementFlags): Promise<boolean> => {
  const { participant, from, to = from, format } = flags;
  const query = new URLSearchParams({ participant, from, to, format });
  const { bytes, asOf = "?" } = await askDocument(
    flags,
    `/v1/reports/statement?${query.toString()}`,
  );
  if (format !== "csv") await readIsoMessage("the answer", bytes, ownLimits);
  if (flags.out === undefined) {
    if (flags.json === true) {
      throw new CliError("out-missing", "where to put it?", "Name a file: --out FILE.");
    }
    process.stdout.write(bytes);
    return true;
  }
  writeNew(flags.out, bytes);
  if (flags.json === true) outJson({ ok: true, file: flags.out, format, asOf: Number(asOf) });
  else out(`${flags.out}, as of ${asOf} entries`);
  return true;
};

/** Adds `statement` to the program. */
export const registerStatement = (program: Command): void => {
  const formats = new Option("--format <name>", "camt.053 of days that are over, or of now")
    .choices(["camt053", "camt052", "csv"])
    .default("camt053");
  deskOptions(
    program
      .command("statement")
      .description("a participant's accounts over a period: camt.053, camt.052 or CSV")
      .requiredOption("--participant <name>", "whose, such as hk-wallet.example")
      .requiredOption("--from <day>", "a day of UTC, or an instant", momentOf)
      .option("--to <day>", "the last day, or an instant; default: the same day", momentOf)
      .addOption(formats)
      .option("--out <file>", "where to put it; default: standard output"),
  ).action((flags: StatementFlags) => running(flags.json === true, () => runStatement(flags)));
};
