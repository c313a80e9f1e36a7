// A provider's CSV by a mapping: which column is what, and what its words mean. All that is wrong is told
// at once, by line; nothing is guessed. Pure. Without a mapping the columns have the fields' own names.
import type { ProviderLine } from "@sealane/protocol";
import { csvSeparators, parseCsv, type CsvRow, type CsvSeparator } from "../csv.ts";
import { instantOf, mirrored, type DraftFault, type DraftResult } from "./statement-draft.ts";

const fields = [
  "reference",
  "transfer",
  "side",
  "currency",
  "amount",
  "fee",
  "status",
  "bookedAt",
] as const;
type Field = (typeof fields)[number];

export type CsvMapping = {
  /** The header's name of each field; a field that is not here has its own. */
  readonly columns: Partial<Record<Field, string>>;
  /** What the provider's words for a side or a status mean. */
  readonly words: Readonly<Record<string, string>>;
  /** What stands between two cells: `,`, `;`, `|` or a tab. */
  readonly separator: CsvSeparator;
  /** Of all lines, where there is no such column. */
  readonly currency: string | undefined;
  /** What stands before the decimals, `.` or `,`; the other one may group thousands. */
  readonly decimal: "." | ",";
  /** Added to times without a zone. */
  readonly zone: string | undefined;
  /** The provider's debit is the log's credit. */
  readonly mirror: boolean;
};

export const plainMapping: CsvMapping = {
  columns: {},
  words: {},
  separator: ",",
  currency: undefined,
  decimal: ".",
  zone: undefined,
  mirror: false,
};

const isTextRecord = (value: unknown): value is Record<string, string> =>
  typeof value === "object" &&
  value !== null &&
  Object.values(value).every((one) => typeof one === "string");

const isSeparator = (value: unknown): value is CsvSeparator =>
  csvSeparators.some((one) => one === value);

const known: ReadonlySet<string> = new Set(Object.keys(plainMapping));

const zonePattern = /^(?:Z|[+-]\d\d:\d\d)$/;

/** Reads a mapping file's JSON. @returns the mapping, or what is wrong with it */
export const readMapping = (value: unknown): CsvMapping | string => {
  if (typeof value !== "object" || value === null) return "it is no JSON object";
  const unknown = Object.keys(value).find((key) => !known.has(key));
  if (unknown !== undefined) return `there is no setting ${unknown}`;
  const given = { ...plainMapping, ...(value as Partial<Record<keyof CsvMapping, unknown>>) };
  const { columns, words, separator, currency, decimal, zone, mirror } = given;
  if (!isTextRecord(columns)) return "columns: give a name for each field";
  const other = Object.keys(columns).find((key) => !fields.includes(key as Field));
  if (other !== undefined) return `columns: there is no field ${other}`;
  if (!isTextRecord(words)) return "words: give a meaning for each word";
  if (!isSeparator(separator)) return "separator: write , ; | or a tab";
  if (currency !== undefined && typeof currency !== "string") return "currency: give a code";
  if (decimal !== "." && decimal !== ",") return "decimal: write . or ,";
  if (zone !== undefined && (typeof zone !== "string" || !zonePattern.test(zone))) {
    return "zone: write such as +08:00";
  }
  if (typeof mirror !== "boolean") return "mirror: write true or false";
  return { columns, words, separator, currency, decimal, zone, mirror };
};

/** `1.234,50` and `1,234.50` by what the mapping calls the decimal sign; undefined: neither. */
const amountOf = (text: string, decimal: "." | ","): string | undefined => {
  const group = decimal === "." ? "," : ".";
  const grouped = new RegExp(`^\\d{1,3}(?:\\${group}\\d{3})+(?:\\${decimal}\\d+)?$`);
  const plain = new RegExp(`^\\d+(?:\\${decimal}\\d+)?$`);
  if (!grouped.test(text) && !plain.test(text)) return undefined;
  const digits = text.replaceAll(group, "").replace(decimal, ".");
  return digits.replace(/^0+(?=\d)/, "");
};

type Cells = (field: Field) => string;

const lineOf = (cell: Cells, mapping: CsvMapping): ProviderLine | string[] => {
  const faults: string[] = [];
  const word = (field: Field): string =>
    Object.hasOwn(mapping.words, cell(field)) ? (mapping.words[cell(field)] ?? "") : cell(field);
  const minus = cell("amount").startsWith("-");
  const amount = amountOf(cell("amount").replace(/^-/, ""), mapping.decimal);
  // Without a column the sign says it.
  const side = word("side") === "" ? (minus ? "debit" : "credit") : word("side");
  const status = word("status") === "" ? "booked" : word("status");
  const fee = cell("fee") === "" ? undefined : amountOf(cell("fee"), mapping.decimal);
  const bookedAt = instantOf(cell("bookedAt"), mapping.zone);
  const currency = cell("currency") === "" ? (mapping.currency ?? "") : cell("currency");
  const transfer = cell("transfer").toLowerCase();
  // A place in the file is no name: the next file has the same one.
  if (cell("reference") === "") faults.push("reference: none, and it names the line");
  if (side !== "debit" && side !== "credit") faults.push(`side: ${side} is not in words`);
  if (status !== "booked" && status !== "pending" && status !== "reversed") {
    faults.push(`status: ${status} is not in words`);
  }
  if (amount === undefined) faults.push("amount: no such number");
  if (minus && word("side") !== "") faults.push("amount: a sign, and a side too");
  if (cell("fee") !== "" && fee === undefined) faults.push("fee: no such number");
  if (bookedAt === undefined) faults.push("bookedAt: a time with its zone is needed");
  if (!/^[A-Z]{3}$/.test(currency)) faults.push("currency: no code");
  if (transfer !== "" && !/^[0-9a-f-]{36}$/.test(transfer)) faults.push("transfer: no UETR");
  if (faults.length > 0 || amount === undefined || bookedAt === undefined) return faults;
  return {
    reference: cell("reference"),
    ...(transfer === "" ? {} : { transfer }),
    side: side as ProviderLine["side"],
    currency,
    amount,
    ...(fee === undefined ? {} : { fee }),
    status: status as ProviderLine["status"],
    bookedAt,
  };
};

const needed: ReadonlySet<Field> = new Set(["reference", "amount", "bookedAt"]);

const placesOf = (header: CsvRow | undefined, { columns, currency }: CsvMapping) => {
  const names = header?.cells.map((name) => name.trim()) ?? [];
  const places = new Map(fields.map((field) => [field, names.indexOf(columns[field] ?? field)]));
  const missing = fields.filter((field) => {
    const asked = needed.has(field) || field in columns;
    return asked && (places.get(field) ?? -1) < 0;
  });
  if (currency === undefined && (places.get("currency") ?? -1) < 0) missing.push("currency");
  const twice = [...places.values()].flatMap((place) => {
    const name = names[place];
    return name === undefined || names.lastIndexOf(name) === place ? [] : [name];
  });
  return { places, missing: [...new Set(missing)], twice: [...new Set(twice)] };
};

/** Reads a CSV file's text. */
export const readCsvStatement = (text: string, mapping: CsvMapping): DraftResult => {
  const parsed = parseCsv(text, mapping.separator);
  if (!parsed.ok) {
    const { line, detail } = parsed.fault;
    return { ok: false, faults: [{ at: `line ${line}`, detail }] };
  }
  const [header, ...rows] = parsed.rows;
  const { places, missing, twice } = placesOf(header, mapping);
  if (missing.length > 0) {
    return { ok: false, faults: [{ at: "header", detail: `no column for ${missing.join(", ")}` }] };
  }
  if (twice.length > 0) {
    const detail = `two columns are called ${twice.join(", ")}`;
    return { ok: false, faults: [{ at: "header", detail }] };
  }
  const width = header?.cells.length ?? 0;
  const faults: DraftFault[] = [];
  const lines: ProviderLine[] = [];
  for (const { line, cells } of rows) {
    if (cells.length !== width) {
      faults.push({ at: `line ${line}`, detail: `${cells.length} cells, the header has ${width}` });
      continue;
    }
    const cell: Cells = (field) => cells[places.get(field) ?? -1]?.trim() ?? "";
    const read = lineOf(cell, mapping);
    if (!Array.isArray(read)) lines.push(read);
    else faults.push(...read.map((detail) => ({ at: `line ${line}`, detail })));
  }
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, draft: { lines: mapping.mirror ? mirrored(lines) : lines } };
};
