// The conversion of a committed transfer, held against the sheet that its terms cite.
import type { RateSheet, Terms } from "@sealane/protocol";
import { no, type EntryFault } from "./entry-signatures.ts";
import type { KeyState } from "./key-state.ts";
import { checkPrice } from "./pricing.ts";

/** A sheet by the hash of its note, when at hand. */
export type SheetOf = (hash: string) => RateSheet | undefined;

/** What is wrong with the price of terms, where the sheets are at hand. */
export const conversionFault = (
  terms: Terms,
  { schedules }: KeyState,
  { sheetOf }: { readonly sheetOf?: SheetOf | undefined },
): EntryFault | undefined => {
  if (sheetOf === undefined) return undefined;
  const sheet = sheetOf(terms.sheet.hash);
  if (sheet === undefined) return no("sheet-unknown", terms.sheet.hash);
  if (sheet.provider !== terms.sheet.provider || sheet.number !== terms.sheet.number) {
    return no("sheet-mismatch", terms.id);
  }
  const fault = checkPrice(terms, sheet, schedules.get(terms.fees[0]?.schedule ?? ""));
  return fault === undefined ? undefined : no(fault.code, fault.detail);
};
