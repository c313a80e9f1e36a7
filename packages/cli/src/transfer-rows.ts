// A file of transfers as checked rows, or everything that is wrong with it, by line: nothing is sent
// from a file that is not right as a whole. Pure.
import { parseAmount, parseCurrency, type Currency } from "@sealane/money";
import { parseCsv, type CsvFault, type CsvRow } from "./csv.ts";

export const columns = [
  "payer_account",
  "payee_account",
  "amount",
  "currency",
  "reference",
] as const;
export type Column = (typeof columns)[number];

export type TransferRow = {
  /** From 1, without the header. */
  readonly row: number;
  readonly line: number;
  readonly payerAccount: string;
  readonly payeeAccount: string;
  readonly amount: string;
  readonly currency: Currency;
  readonly reference: string;
};

export type RowsResult =
  | { readonly ok: true; readonly rows: readonly TransferRow[] }
  | { readonly ok: false; readonly faults: readonly CsvFault[] };

const accountPattern = /^[A-Za-z0-9+._@-]{3,64}$/;
const longestReference = 140;

const headerFault = (header: CsvRow | undefined): string | undefined => {
  const names = header?.cells.map((cell) => cell.trim()) ?? [];
  const missing = columns.filter((column) => column !== "reference" && !names.includes(column));
  if (missing.length > 0) return `the header has no ${missing.join(", ")}`;
  const unknown = names.filter((name) => !columns.includes(name as Column));
  if (unknown.length > 0) return `the header has an unknown column: ${unknown.join(", ")}`;
  return new Set(names).size < names.length ? "the header names a column twice" : undefined;
};

/** One row, or all that is wrong with it. */
const readRow = (
  { line, cells }: CsvRow,
  row: number,
  places: ReadonlyMap<string, number>,
): TransferRow | readonly string[] => {
  const cell = (column: Column): string => cells[places.get(column) ?? -1]?.trim() ?? "";
  const faults: string[] = [];
  for (const column of ["payer_account", "payee_account"] as const) {
    if (!accountPattern.test(cell(column))) faults.push(`${column} is no account`);
  }
  const currency = parseCurrency(cell("currency"));
  if (currency === undefined) faults.push("currency is no ISO 4217 code");
  const amount = cell("amount");
  const parsed = currency && parseAmount(amount, currency);
  if (parsed?.ok === false) faults.push(`amount ${JSON.stringify(amount)}: ${parsed.message}`);
  const reference = cell("reference");
  if (reference.length > longestReference) faults.push("reference is over 140 characters");
  if (faults.length > 0 || currency === undefined) return faults;
  return {
    row,
    line,
    payerAccount: cell("payer_account"),
    payeeAccount: cell("payee_account"),
    amount,
    currency,
    reference,
  };
};

/** Reads a whole file: columns in any order, `reference` may be left out. */
export const readTransferRows = (text: string): RowsResult => {
  const parsed = parseCsv(text);
  if (!parsed.ok) return { ok: false, faults: [parsed.fault] };
  const [header, ...body] = parsed.rows;
  const wrong = headerFault(header);
  if (wrong !== undefined) {
    const detail = `${wrong}; it must be ${columns.join(",")}`;
    return { ok: false, faults: [{ line: header?.line ?? 1, detail }] };
  }
  const names = header?.cells.map((cell) => cell.trim()) ?? [];
  const places = new Map(names.map((name, place) => [name, place]));
  const rows: TransferRow[] = [];
  const faults: CsvFault[] = [];
  for (const [at, line] of body.entries()) {
    if (line.cells.length !== names.length) {
      const detail = `${line.cells.length} cells where the header has ${names.length}`;
      faults.push({ line: line.line, detail });
      continue;
    }
    const row = readRow(line, at + 1, places);
    if ("row" in row) rows.push(row);
    else faults.push(...row.map((detail) => ({ line: line.line, detail })));
  }
  if (faults.length > 0) return { ok: false, faults };
  if (rows.length > 0) return { ok: true, rows };
  return { ok: false, faults: [{ line: 1, detail: "there is no row below the header" }] };
};
