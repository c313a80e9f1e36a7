// What goes to banks and comes from them: instructions out as pacs.009, statements in as camt.053 or camt.054
// beside what the bank has signed. A file is held against its schema here, whoever made it.
import { createHash } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import {
  bankFileParts,
  defaultLimits,
  windowReference,
  type Message,
  type XmlLimits,
} from "@sealane/iso20022";
import {
  bankStatementSchema,
  bankStatementTexts,
  mostStatementParts,
  parseStrictJson,
} from "@sealane/protocol";
import { composeNote } from "@sealane/tlog";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { readBytes } from "../defaults.ts";
import { signerOf } from "../lane-command.ts";
import { out, outJson, running } from "../output.ts";
import { askDocument, handIn, handInStatement, type DeskFlags } from "./desk-door.ts";
import { deskOptions, nameOf, pinnedOrigin, windowNamed } from "./window-command.ts";

export const textOf = (path: string, what: string): string =>
  Buffer.from(readBytes(path, what)).toString("utf8");

export const writeNew = (path: string, content: string | Uint8Array): void => {
  if (existsSync(path)) {
    throw new CliError("file-exists", `${path} exists`, "Name a new file: --out FILE.");
  }
  writeFileSync(path, content);
};

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64");

/** Reads a message of ISO 20022. @throws CliError with the reader's own code */
export const readIsoMessage = async (
  path: string,
  bytes: Uint8Array,
  limits: XmlLimits = defaultLimits,
): Promise<Message> => {
  // The schemas' validator takes its time to load, and few commands need it.
  const { readValid } = await import("@sealane/iso20022/schema");
  const read = readValid(bytes, limits);
  if (read.ok) return read.value;
  throw new CliError(read.code, `${path}: ${read.detail}`, "Ask who has sent it for another one.");
};

/**
 * Hands signed statements in: one note, or a bank's statement in parts, in order.
 * @param flags with `camt`, the file that the bank has signed for: the desk holds them against each other
 */
export const send = async (
  files: readonly string[],
  notes: readonly string[],
  flags: DeskFlags & { readonly camt?: string },
): Promise<boolean> => {
  const { camt } = flags;
  const [note = ""] = notes;
  const alone = notes.length === 1 && camt === undefined;
  const bytes = camt === undefined ? undefined : readBytes(camt, "the bank's file");
  const taken = alone ? await handIn(flags, note) : await handInStatement(flags, notes, bytes);
  const { kind, subject, already = false } = taken;
  if (flags.json === true) outJson({ ok: true, file: files[0], kind, subject, already });
  else out(already ? `${kind} ${subject}: said before.` : `${kind} ${subject}: the lane has it.`);
  return true;
};

type StatementFlags = {
  readonly bankKey: string;
  readonly camt?: string;
  readonly bank?: string;
  readonly reference?: string;
  readonly window?: string;
  readonly lane?: string;
  readonly out: string;
  readonly policy?: string;
  readonly json?: boolean;
};

/** What a camt file says of one window's instructions, or of deposits and withdrawals. */
const linesOfCamt = async (file: string, bytes: Uint8Array, flags: StatementFlags) => {
  const { bank, reference, window: wanted } = flags;
  if (bank === undefined || reference === undefined) {
    const action = "Say them: --bank NAME --reference NUMBER.";
    throw new CliError("statement-malformed", "a camt file does not say both names", action);
  }
  const parts = bankFileParts(await readIsoMessage(file, bytes));
  const named = parts.map((part) => ({
    part,
    name: part.window === undefined ? undefined : windowReference(part.window),
  }));
  const found =
    wanted === undefined && parts.length === 1
      ? parts[0]
      : named.find(({ name }) => name === wanted)?.part;
  if (found !== undefined) return { bank, reference, ...found };
  const all = named.map(({ name = "deposits" }) => name).join(", ");
  const action = "Say which: --window CORRIDOR/NUMBER/ATTEMPT.";
  throw new CliError("window-unknown", `${file} is about ${all || "nothing"}`, action);
};

/** Before it is cut into parts. */
const wholeStatementSchema = bankStatementSchema
  .omit({ part: true })
  .extend({ lines: bankStatementSchema.shape.lines.element.array().min(1) });

/** On the bank's side: signs what its statement says, with the digest of the file it was read from. */
const runStatement = async (file: string, flags: StatementFlags): Promise<boolean> => {
  const bytes = readBytes(file, "the statement");
  const text = Buffer.from(bytes).toString("utf8");
  const isXml = /^\uFEFF?\s*</.test(text);
  const json = isXml ? undefined : parseStrictJson(text);
  const value = json?.ok === true && typeof json.value === "object" ? json.value : {};
  const given = isXml ? await linesOfCamt(file, bytes, flags) : value;
  const digest = digestOf(readBytes(flags.camt ?? file, "the file"));
  const parsed = wholeStatementSchema.safeParse({ ...given, digest });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = `/${issue?.path.join("/") ?? ""}: ${issue?.message ?? ""}`;
    const action = "See the schema in docs/formats/settlement.md.";
    throw new CliError("statement-malformed", `${file}: ${where}`, action);
  }
  const lane = flags.lane === undefined ? undefined : `/lanes/${flags.lane}`;
  const texts = bankStatementTexts(pinnedOrigin(flags.policy, lane), parsed.data);
  if (texts.length > mostStatementParts) {
    const action = "State them in several statements, each with a file and a number of its own.";
    const message = `${parsed.data.lines.length} lines are too many for one statement`;
    throw new CliError("statement-too-long", message, action);
  }
  const files = texts.map((_, at) => (texts.length === 1 ? flags.out : `${flags.out}.${at + 1}`));
  for (const [at, said] of texts.entries()) {
    const line = await signerOf(flags.bankKey).signLine(said);
    writeNew(files[at] ?? "", composeNote(said, [line]));
  }
  if (flags.json === true) outJson({ ok: true, file: flags.out, files, ...parsed.data });
  else {
    out(`Signed: ${files.join(" ")}. An operator runs:`);
    const camt = isXml ? file : flags.camt;
    out(
      `  npx sealane settle send ${files.join(" ")}${camt === undefined ? "" : ` --camt ${camt}`}`,
    );
  }
  return true;
};

const runInstructions = async (
  name: string,
  flags: DeskFlags & { readonly out: string },
): Promise<boolean> => {
  const window = windowNamed(name);
  const path = `/v1/windows/${window.corridor}/${window.number}/instructions`;
  const { bytes } = await askDocument(flags, path);
  const message = await readIsoMessage(nameOf(window), bytes);
  if (message.kind !== "pacs.009") {
    const action = "Ask again; is this reconciliation?";
    throw new CliError("message-unknown", "the desk's answer is no pacs.009", action);
  }
  writeNew(flags.out, bytes);
  const { messageId, transfers } = message.body;
  if (flags.json === true) {
    outJson({ ok: true, file: flags.out, messageId, transfers: transfers.length });
  } else out(`${transfers.length} instructions, ${messageId}: ${flags.out} is for the bank.`);
  return true;
};

type FileFlags = DeskFlags & { readonly camt?: string };

/** Adds what has to do with banks' files to `settle`. */
export const registerBankFiles = (settle: Command): void => {
  deskOptions(
    settle
      .command("instructions <window>")
      .description("a cut window's settlement instructions for its bank, as pacs.009")
      .requiredOption("--out <file>", "where to put them"),
  ).action((name: string, flags: DeskFlags & { out: string }) =>
    running(flags.json === true, () => runInstructions(name, flags)),
  );
  deskOptions(
    settle
      .command("send <files...>")
      .description("hand in a signed statement as it is; a bank's in parts: all of them, in order")
      .option(
        "--camt <file>",
        "the camt.053 or camt.054 that the bank has signed for; the desk compares",
      ),
  ).action((files: readonly string[], flags: FileFlags) =>
    running(flags.json === true, () =>
      send(
        files,
        files.map((file) => textOf(file, "the statement")),
        flags,
      ),
    ),
  );
  settle
    .command("statement <file>")
    .description("for banks: sign what a camt.053 or camt.054 says, or lines in a JSON file")
    .requiredOption("--bank-key <file>", "the bank's key for statements")
    .requiredOption("--out <file>", "where to put the signed statement")
    .option("--bank <name>", "with a camt file: the bank's name as a participant")
    .option("--reference <number>", "with a camt file: the bank's own number of the statement")
    .option("--window <name>", "with a camt file: CORRIDOR/NUMBER/ATTEMPT, where it has several")
    .option("--lane <number>", "whose window it is; default: the policy's first lane's")
    .option("--camt <file>", "with a JSON file: the camt.053 or camt.054 that the lines are from")
    .option("--policy <file>", "the policy that pins the log")
    .option("--json", "print one JSON object")
    .action((file: string, flags: StatementFlags) =>
      running(flags.json === true, () => runStatement(file, flags)),
    );
};
