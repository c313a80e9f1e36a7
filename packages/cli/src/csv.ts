// CSV as RFC 4180 has it, strictly: quotes, doubled quotes, line breaks inside quotes, CRLF or LF, a
// byte order mark. What two readers could read differently is refused with its line. Pure.

export type CsvRow = {
  /** The line of the file on which the row begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
};

export type CsvFault = { readonly line: number; readonly detail: string };

export type CsvResult =
  | { readonly ok: true; readonly rows: readonly CsvRow[] }
  | { readonly ok: false; readonly fault: CsvFault };

type Cell = { readonly value: string; readonly end: number } | { readonly fault: string };

/** Reads a quoted cell that opens at `start`; `end` is just after the closing quote. */
const quotedCell = (text: string, start: number): Cell => {
  let value = "";
  for (let from = start + 1; ;) {
    const close = text.indexOf('"', from);
    if (close < 0) return { fault: "a quote is opened and never closed" };
    value += text.slice(from, close);
    if (text[close + 1] !== '"') return { value, end: close + 1 };
    value += '"';
    from = close + 2;
  }
};

const plainCell = (text: string, start: number, plainEnd: RegExp): Cell => {
  plainEnd.lastIndex = start;
  const end = plainEnd.exec(text)?.index ?? text.length;
  if (text[end] === '"') return { fault: "a quote stands in the middle of an unquoted cell" };
  return { value: text.slice(start, end), end };
};

/** Length of the line break at `at`: 0 when there is none. A lone CR is no line break. */
const breakAt = (text: string, at: number): number => {
  if (text[at] === "\n") return 1;
  return text[at] === "\r" && text[at + 1] === "\n" ? 2 : 0;
};

const countLines = (text: string, from: number, to: number): number => {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) {
    count += 1;
  }
  return count;
};

export const csvSeparators = [",", ";", "\t", "|"] as const;
export type CsvSeparator = (typeof csvSeparators)[number];

/** Rows with their cells as they are: nothing is trimmed. Lines with nothing in them are skipped. */
export const parseCsv = (input: string, separator: CsvSeparator = ","): CsvResult => {
  const plainEnd = new RegExp(`["\\r\\n${separator}]`, "g");
  const text = input.startsWith("\uFEFF") ? input.slice(1) : input;
  const rows: CsvRow[] = [];
  let line = 1;
  for (let at = 0; at < text.length;) {
    const start = at;
    const cells: string[] = [];
    for (;;) {
      const cell = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at, plainEnd);
      if ("fault" in cell) return { ok: false, fault: { line, detail: cell.fault } };
      cells.push(cell.value);
      at = cell.end;
      if (text[at] !== separator) break;
      at += 1;
    }
    const width = breakAt(text, at);
    if (width === 0 && at < text.length) {
      const what =
        text[at] === "\r" ? "a carriage return stands alone" : "text follows a closing quote";
      return { ok: false, fault: { line, detail: what } };
    }
    at += width;
    if (cells.length > 1 || cells[0] !== "") rows.push({ line, cells });
    line += countLines(text, start, at);
  }
  return { ok: true, rows };
};

/** One row; quotes where they are needed. */
export const csvLine = (cells: readonly string[]): string => {
  const quoted = cells.map((cell) =>
    /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell,
  );
  return `${quoted.join(",")}\n`;
};
