// What every kind of file becomes before it is a statement: lines whose texts were put right, or all that
// is wrong with them, by place. Pure.
import type { ProviderLine } from "@sealane/protocol";

/** What a file says, as far as it says it; the command line or the desk knows the rest. */
export type StatementDraft = {
  readonly reference?: string;
  readonly from?: string;
  readonly to?: string;
  /** More pages of the same period follow. */
  readonly more?: true;
  /** What whoever hands it in should look at; it is taken all the same. */
  readonly warnings?: readonly string[];
  readonly lines: readonly ProviderLine[];
};

export type DraftFault = { readonly at: string; readonly detail: string };
export type DraftResult =
  | { readonly ok: true; readonly draft: StatementDraft }
  | { readonly ok: false; readonly faults: readonly DraftFault[] };

/** Providers whose books are the mirror of the log's: their debit is our credit. */
export const mirrored = (lines: readonly ProviderLine[]): ProviderLine[] =>
  lines.map((line) => ({ ...line, side: line.side === "debit" ? "credit" : "debit" }));

const zoned = /(?:Z|[+-]\d\d:?\d\d)$/;

/**
 * An instant with its zone as the log writes it, or undefined. A date alone is none: when something was
 * booked decides whether it is late.
 * @param zone what to add where the text has none, such as `+08:00`
 */
export const instantOf = (text: string, zone = ""): string | undefined => {
  const whole = zoned.test(text) ? text : `${text}${zone}`;
  if (!zoned.test(whole) || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(whole)) return undefined;
  const ms = Date.parse(whole.replace(" ", "T"));
  // The 31st of a month that has 30 days would become the 1st of the next.
  const local = Date.parse(`${whole.slice(0, 10)}T00:00Z`);
  const isDay =
    !Number.isNaN(local) && new Date(local).toISOString().startsWith(whole.slice(0, 10));
  return Number.isNaN(ms) || !isDay ? undefined : new Date(ms).toISOString();
};
