// `sealane keys token`: an operator gives an auditor access to all entries for some days. The token is a
// note that the operator's key signs; it ends by itself, and there is no secret that the ledger keeps.
import { auditorTokenSchema, auditorTokenText, formatTime, tokenOfNote } from "@sealane/protocol";
import { writeNewSecret } from "@sealane/signer";
import { signNoteLine } from "@sealane/tlog";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { out, outJson, running } from "../output.ts";
import { readSigningKey, withKeyFaults } from "./key-files.ts";
import { findKeyLog, type KeyLogFlags } from "./key-log-view.ts";
import { logOptions } from "./options.ts";

type TokenFlags = KeyLogFlags & {
  readonly operator: string;
  readonly days: string;
  readonly out: string;
  readonly json?: boolean;
};

const dayMs = 24 * 3_600_000;

const runToken = async (auditor: string, flags: TokenFlags): Promise<boolean> => {
  const days = Number(flags.days);
  if (!Number.isInteger(days) || days < 1 || days > 31) {
    throw new CliError("days-invalid", `${flags.days} is no number of days`, "Write 1 to 31.");
  }
  const { origin } = findKeyLog(flags);
  const key = await readSigningKey(flags.operator);
  const nowMs = Date.now();
  const body = { auditor, from: formatTime(nowMs), until: formatTime(nowMs + days * dayMs) };
  if (!auditorTokenSchema.safeParse(body).success) {
    const action = "Write it like a domain: auditor.example.";
    throw new CliError("auditor-invalid", `${auditor} is no name`, action);
  }
  const text = auditorTokenText(origin, body);
  const token = tokenOfNote(text, signNoteLine(key.name, key.seed, text));
  await withKeyFaults(() => writeNewSecret(flags.out, `${token}\n`));
  if (flags.json === true) outJson({ ok: true, file: flags.out, ...body, operator: key.name });
  else out(`${flags.out}: ${auditor} reads all entries until ${body.until}, signed by ${key.name}`);
  return true;
};

/** Adds `token` to `keys`. */
export const registerToken = (keys: Command): void => {
  logOptions(keys.command("token"))
    .description("let an auditor read all entries for some days: a signed token in a file")
    .argument("<auditor>", "such as auditor.example")
    .requiredOption("--operator <file>", "an operator's key")
    .requiredOption("--out <file>", "where to write the token, mode 0600")
    .option("--days <number>", "1 to 31", "7")
    .action((auditor: string, flags: TokenFlags) =>
      running(flags.json === true, () => runToken(auditor, flags)),
    );
};
