// A provider's camt.053: its statements of all accounts together, one line for each entry or, where an entry
// sums several up, for each of its details. The UETR names the transfer. Pure.
import type { Camt053, EntryDetail, ReportEntry } from "@sealane/iso20022";
import type { ProviderLine } from "@sealane/protocol";
import { instantOf, mirrored, type DraftFault, type DraftResult } from "./statement-draft.ts";

const statuses: Readonly<Record<string, ProviderLine["status"]>> = {
  BOOK: "booked",
  PDNG: "pending",
  FUTR: "pending",
};

const opposite = (side: "CRDT" | "DBIT"): "CRDT" | "DBIT" => (side === "CRDT" ? "DBIT" : "CRDT");

const lineOf = (
  entry: ReportEntry,
  detail: EntryDetail | undefined,
  reference: string,
): ProviderLine | string => {
  const said = detail?.side ?? entry.side;
  const { currency, amount } = detail?.amount ?? entry.amount;
  const reversal = entry.reversal === "true";
  const status = statuses[entry.status];
  const bookedAt = instantOf(entry.bookedAt ?? "");
  if (status === undefined) return `status ${entry.status} is neither booked nor pending`;
  // A day is too coarse to say what is late, or not here yet.
  if (bookedAt === undefined) return "its booking has no time with a zone (BookgDt/DtTm)";
  // A reversal's own side is the opposite of what it takes back.
  const side = (reversal ? opposite(said) : said) === "CRDT" ? "credit" : "debit";
  return {
    reference,
    ...(detail?.uetr === undefined ? {} : { transfer: detail.uetr }),
    side,
    currency,
    amount,
    status: reversal && status === "booked" ? "reversed" : status,
    bookedAt,
  };
};

type Place = { readonly statement: number; readonly entry: number };

/** An entry's own reference, else its place: the same file gives the same. */
const referenceOf = (entry: ReportEntry, { id }: { id: string }, at: Place, part: string) =>
  `${entry.servicerReference ?? entry.reference ?? `${id.slice(0, 20)}#${at.entry}`}${part}`;

const linesOf = (body: Camt053, faults: DraftFault[]): ProviderLine[] =>
  body.statements.flatMap((statement, at) =>
    statement.entries.flatMap((entry, place) => {
      const details = entry.details.length > 0 ? entry.details : [undefined];
      return details.flatMap((detail, part): ProviderLine[] => {
        const suffix = details.length > 1 ? `/${part + 1}` : "";
        const where = { statement: at, entry: place };
        const reference = referenceOf(entry, statement, where, suffix);
        const whole = details.length === 1 || detail?.amount !== undefined;
        const line = whole
          ? lineOf(entry, detail, reference)
          : "one of several details has no amount of its own";
        if (typeof line !== "string") return [line];
        faults.push({ at: `statement ${at + 1}, entry ${place + 1}`, detail: line });
        return [];
      });
    }),
  );

/** The period that all statements in the file have. */
const periodOf = ({ statements }: Camt053, faults: DraftFault[]) => {
  const instants = (of: "from" | "to") =>
    new Set(statements.map((one) => instantOf(one[of] ?? "")).filter((one) => one !== undefined));
  const [froms, tos] = [instants("from"), instants("to")];
  if (froms.size > 1 || tos.size > 1) {
    faults.push({ at: "FrToDt", detail: "its statements have different periods" });
  }
  const [[from], [to]] = [[...froms], [...tos]];
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
};

/** Takes a camt.053 that was read. @param mirror the provider's debit is the log's credit */
export const takeCamt053 = (body: Camt053, mirror: boolean): DraftResult => {
  const faults: DraftFault[] = [];
  const lines = linesOf(body, faults);
  const period = periodOf(body, faults);
  if (faults.length > 0) return { ok: false, faults };
  const draft = { reference: body.messageId, ...period };
  return { ok: true, draft: { ...draft, lines: mirror ? mirrored(lines) : lines } };
};
