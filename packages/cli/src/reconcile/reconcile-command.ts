// `sealane reconcile`: hands in what a provider's own books say, from camt.053, CSV with a mapping or JSON.
// The file is read whole or refused whole here; long ones go in parts, and only the last part closes the
// period. Saying it again does no harm.
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { readValid } from "@sealane/iso20022/schema";
import {
  maxProviderLines,
  parseStrictJson,
  providerStatementSchema,
  type ProviderStatement,
} from "@sealane/protocol";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { readBytes } from "../defaults.ts";
import { out, outJson, running } from "../output.ts";
import { askDesk, tellDesk, type DeskFlags } from "../settle/desk-door.ts";
import { deskOptions } from "../settle/window-command.ts";
import { takeCamt053 } from "./camt-statement.ts";
import { plainMapping, readCsvStatement, readMapping, type CsvMapping } from "./csv-statement.ts";
import type { DraftResult, StatementDraft } from "./statement-draft.ts";

type Flags = DeskFlags & {
  readonly statement: string;
  readonly participant: string;
  readonly mapping?: string;
  readonly reference?: string;
  readonly from?: string;
  readonly to?: string;
  readonly position?: string;
};

type Taken = {
  readonly newLines: number;
  readonly already: boolean;
  readonly asOf: number;
  readonly coveredUntil: string;
};

const malformed = (file: string, detail: string): CliError =>
  new CliError(
    "statement-malformed",
    `${file}: ${detail}`,
    "Nothing was sent. Correct the file, or its mapping; packages/cli/README.md has an example.",
  );

/** Without its byte order mark. */
const textOf = (path: string, bytes: Uint8Array): string => {
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes);
  throw malformed(path, "it is not UTF-8");
};

const jsonOf = (path: string, bytes: Uint8Array): unknown => {
  const read = parseStrictJson(textOf(path, bytes));
  if (!read.ok) throw malformed(path, read.detail);
  return read.value;
};

const mappingOf = (path: string | undefined): CsvMapping => {
  if (path === undefined) return plainMapping;
  const mapping = readMapping(jsonOf(path, readBytes(path, "the mapping")));
  if (typeof mapping === "string") throw malformed(path, mapping);
  return mapping;
};

const mostFaultsTold = 5;

const draftOf = (file: string, result: DraftResult): StatementDraft => {
  if (result.ok) return result.draft;
  const told = result.faults.slice(0, mostFaultsTold).map(({ at, detail }) => `${at}: ${detail}`);
  const more = result.faults.length - told.length;
  throw malformed(file, `${told.join("; ")}${more > 0 ? `; and ${more} more` : ""}`);
};

/** By what it begins with, not by its name. */
const readDraft = (file: string, bytes: Uint8Array, mapping: CsvMapping): StatementDraft => {
  const start = Buffer.from(bytes.subarray(0, 200)).toString("utf8").replace("\uFEFF", "").trim();
  if (start.startsWith("<")) {
    const read = readValid(bytes);
    if (!read.ok) throw malformed(file, `${read.code}: ${read.detail}`);
    if (read.value.kind !== "camt.053") throw malformed(file, `it is a ${read.value.kind}`);
    return draftOf(file, takeCamt053(read.value.body, mapping.mirror));
  }
  return draftOf(file, readCsvStatement(textOf(file, bytes), mapping));
};

/** Where the desk's knowledge of the provider's books ends: the next statement begins there. */
const coveredUntil = async (flags: Flags): Promise<string | undefined> => {
  type Sides = { asOf: { providers: { participant: string; until: string }[] } };
  const path = `/v1/provider-statements?limit=1`;
  const { asOf } = await askDesk<Sides>(flags, path);
  return asOf.providers.find(({ participant }) => participant === flags.participant)?.until;
};

/** What a file comes to, ready to be handed in. */
type Whole = { readonly parts: ProviderStatement[]; readonly warnings: readonly string[] };

const wholeOf = async (flags: Flags): Promise<Whole> => {
  const { statement: file, participant, position } = flags;
  const bytes = readBytes(file, "the statement");
  const isJson = /^\uFEFF?\s*\{/.test(Buffer.from(bytes.subarray(0, 100)).toString("utf8"));
  let warnings: readonly string[] = [];
  let whole: object;
  if (isJson) whole = { participant, ...(jsonOf(file, bytes) as object) };
  else {
    const draft = readDraft(file, bytes, mappingOf(flags.mapping));
    const from = flags.from ?? draft.from ?? (await coveredUntil(flags));
    const to = flags.to ?? draft.to;
    if (from === undefined || to === undefined) {
      const action =
        "Say which bookings are in it: --from TIME --to TIME, as 2026-11-22T00:00:00.000Z.";
      throw new CliError("period-missing", `${file} does not say its period`, action);
    }
    whole = {
      participant,
      reference: flags.reference ?? draft.reference ?? basename(file),
      digest: createHash("sha256").update(bytes).digest("base64"),
      from,
      to,
      ...(position === undefined ? {} : { position: Number(position) }),
      ...(draft.more === undefined ? {} : { more: draft.more }),
      lines: draft.lines,
    };
    warnings = draft.warnings ?? [];
  }
  const parts = partsOf(whole as ProviderStatement).map((part) => {
    const parsed = providerStatementSchema.safeParse(part);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw malformed(file, `/${issue?.path.join("/") ?? ""}: ${issue?.message ?? ""}`);
    }
    if (parsed.data.participant === participant) return parsed.data;
    throw malformed(file, `it is ${parsed.data.participant}'s`);
  });
  return { parts, warnings };
};

/** The desk takes so many lines at once; only the last part closes the period. */
export const partsOf = (
  whole: ProviderStatement,
  most: number = maxProviderLines,
): ProviderStatement[] => {
  if (!Array.isArray(whole.lines) || whole.lines.length <= most) return [whole];
  const count = Math.ceil(whole.lines.length / most);
  return Array.from({ length: count }, (_, at) => ({
    ...whole,
    reference: `${whole.reference}/${at + 1}`,
    // A page that is not the last of its statement closes nothing with its last part either.
    ...(at + 1 < count ? { more: true as const } : {}),
    lines: whole.lines.slice(at * most, (at + 1) * most),
  }));
};

const runReconcile = async (flags: Flags): Promise<boolean> => {
  const { parts, warnings } = await wholeOf(flags);
  let lines = 0;
  let last: Taken | undefined;
  for (const part of parts) {
    last = await tellDesk<Taken>(flags, "/v1/provider-statements", part);
    lines += last.newLines;
  }
  type List = { counts: { kind: string; count: number }[] };
  const query = `?limit=1&participant=${encodeURIComponent(flags.participant)}`;
  const { counts } = await askDesk<List>(flags, `/v1/breaks${query}`);
  if (flags.json === true)
    outJson({ ok: true, parts: parts.length, ...last, newLines: lines, counts, warnings });
  else {
    for (const warning of warnings) out(`Look at this: ${warning}.`);
    out(`${lines} new lines, held against the log as of ${last?.asOf ?? 0} entries.`);
    out(`${flags.participant}'s books are known up to ${last?.coveredUntil ?? "-"}.`);
    const all = counts.map(({ kind, count }) => `${count} ${kind}`).join(", ");
    out(
      all === ""
        ? "No break is open."
        : `Open breaks, of everybody: ${all}. See sealane break list.`,
    );
  }
  return true;
};

/** Adds `reconcile` to the program. */
export const registerReconcile = (program: Command): void => {
  deskOptions(
    program
      .command("reconcile")
      .description("hold a provider's own statement against the log: camt.053, CSV or JSON")
      .requiredOption("--statement <file>", "what the provider's books say")
      .requiredOption("--participant <name>", "whose books they are")
      .option("--mapping <file>", "JSON: what the CSV's columns and words mean")
      .option("--reference <text>", "the statement's number; default: the file's own, or its name")
      .option(
        "--from <time>",
        "bookings from here on; default: the file's, or where the last ended",
      )
      .option("--to <time>", "and before there; default: the file's")
      .option("--position <n>", "the log's size that the provider had seen"),
  ).action((flags: Flags) => running(flags.json === true, () => runReconcile(flags)));
};
