// Entries for an auditor whose threads judge the same bytes: `verifyEntry` runs there, the fold goes on
// here. What is read here is taken apart and believed, so nothing may be reported as standing before the
// other has said so too; a fault that the other finds at or before this place counts instead.
import { headerOf, parseTime, type EntryContext, type Terms } from "@sealane/protocol";
import { conversionFault } from "./conversion.ts";
import { no } from "./entry-signatures.ts";
import { citedState } from "./key-history.ts";
import { verifyEntry, type EntryChecks, type EntryResult } from "./verify-entry.ts";

type Skimmed = { readonly context: EntryContext; readonly terms: Terms; readonly inner: string };

const lineAt = (text: string, from: number): string => text.slice(from, text.indexOf("\n", from));

/** A committed transfer, taken apart where an entry has its lines; undefined where it is none. */
const skimTransfer = (text: string): Skimmed | undefined => {
  const body = text.indexOf("\n") + 1;
  const inner = text.indexOf("\n", body) + 1;
  const terms = text.indexOf("\n", inner) + 1;
  const end = text.lastIndexOf("\n\n") + 1;
  if (body === 0 || inner === 0 || terms === 0 || end <= terms) return undefined;
  if (headerOf(text.slice(inner, terms))?.kind !== "transfer") return undefined;
  try {
    const context = JSON.parse(lineAt(text, body)) as EntryContext;
    if (context.outcome !== "committed") return undefined;
    const said = JSON.parse(lineAt(text, terms)) as Terms;
    return { context, terms: said, inner: text.slice(inner, end) };
  } catch {
    return undefined; // no JSON: the whole judgement says so
  }
};

/**
 * Reads an entry that `verifyEntry` judges elsewhere: its conversion is checked here, where the sheets
 * are, and nothing else of it. What is not a committed transfer is judged whole, but for signatures.
 */
export const skimEntry = (text: string, checks: EntryChecks): EntryResult => {
  const found = skimTransfer(text);
  if (found === undefined) return verifyEntry(text, { ...checks, signatures: false });
  const { context, terms, inner } = found;
  const state = citedState(checks.history, context.keys);
  if (state === undefined) return no("keys-unknown", `key log at ${context.keys.size}`);
  const fault = conversionFault(terms, state, checks);
  if (fault !== undefined) return fault;
  return {
    ok: true,
    entry: {
      context,
      timeMs: parseTime(context.time),
      kind: "transfer",
      inner,
      terms,
      sheet: undefined,
      withdrawal: undefined,
      credited: undefined,
      statement: undefined,
      advance: undefined,
      settlement: undefined,
      returns: undefined,
      transferId: terms.id,
    },
  };
};
