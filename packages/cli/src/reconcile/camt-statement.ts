// A provider's camt.053: its statements of all accounts together, one line for each entry or, where an entry
// sums several up, for each of its details. The UETR names the transfer. What is booked is the entry's
// amount; what its details say must come to it. A page that is not the last leaves the period open. Pure.
import {
  balancesClose,
  detailsFault,
  type Camt053,
  type EntryDetail,
  type ReportEntry,
} from "@sealane/iso20022";
import type { ProviderLine } from "@sealane/protocol";
import { instantOf, mirrored, type DraftFault, type DraftResult } from "./statement-draft.ts";

const statuses: Readonly<Record<string, ProviderLine["status"]>> = {
  BOOK: "booked",
  PDNG: "pending",
  FUTR: "pending",
};

const opposite = (side: "CRDT" | "DBIT"): "CRDT" | "DBIT" => (side === "CRDT" ? "DBIT" : "CRDT");

type Charges = Pick<EntryDetail, "charged" | "charges">;
type Charged = { readonly [K in keyof Charges]: Charges[K] | undefined };

/** What of a booking is a fee: the sum of its charges, or its only one. @returns a fault as text */
const feeOf = ({ charged, charges = [] }: Charged, currency: string) => {
  if (charged === undefined && charges.length > 1) return "it has several charges, and no sum";
  const fee = charged ?? charges[0]?.amount;
  if (fee === undefined) return {};
  return fee.currency === currency
    ? { fee: fee.amount }
    : "its charges are in another currency than it is";
};

const lineOf = (
  entry: ReportEntry,
  detail: EntryDetail | undefined,
  reference: string,
): ProviderLine | string => {
  const way = detail?.side ?? entry.side;
  const alone = entry.details.length <= 1;
  const { currency, amount } = (alone ? undefined : detail?.amount) ?? entry.amount;
  const { charged, charges } = detail ?? {};
  const said = charged !== undefined || charges !== undefined;
  const fee = feeOf(said || !alone ? { charged, charges } : entry, currency);
  const reversal = entry.reversal === "true";
  const status = statuses[entry.status];
  const bookedAt = instantOf(entry.bookedAt ?? "");
  if (typeof fee === "string") return fee;
  if (status === undefined) return `status ${entry.status} is neither booked nor pending`;
  // A day is too coarse to say what is late, or not here yet.
  if (bookedAt === undefined) return "its booking has no time with a zone (BookgDt/DtTm)";
  // A reversal's own side is the opposite of what it takes back.
  const side = (reversal ? opposite(way) : way) === "CRDT" ? "credit" : "debit";
  return {
    reference,
    ...(detail?.uetr === undefined ? {} : { transfer: detail.uetr }),
    side,
    currency,
    amount,
    ...fee,
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
      // Was not booked, and never will be.
      if (informs(entry)) return [];
      const details = entry.details.length > 0 ? entry.details : [undefined];
      return details.flatMap((detail, part): ProviderLine[] => {
        const suffix = details.length > 1 ? `/${part + 1}` : "";
        const where = { statement: at, entry: place };
        const reference = referenceOf(entry, statement, where, suffix);
        const why = details.length > 1 ? detailsFault(entry) : undefined;
        const line = why ?? lineOf(entry, detail, reference);
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

const informs = ({ status }: ReportEntry): boolean => status === "INFO";

/** Bookings that do not lead from the opening balance to the closing one; entries that are none. */
const warningsOf = ({ statements }: Camt053): string[] =>
  statements.flatMap((one, at) => {
    const name = `statement ${at + 1}`;
    const told = one.entries.filter(informs).length;
    const left = `${name}: ${told} entries for information only were left out`;
    const open = `${name}: its bookings do not lead from its opening balance to its closing one`;
    return [...(told > 0 ? [left] : []), ...(balancesClose(one) === false ? [open] : [])];
  });

/** Pages of one statement are messages of their own: only the last closes the period. */
const pageOf = ({ messageId, statements }: Camt053) => {
  const pages = new Set(statements.flatMap(({ page }) => page?.number ?? []));
  const reference = pages.size === 0 ? messageId : `${messageId}/${[...pages].join("+")}`;
  const more = statements.some(({ page }) => page?.last === "false");
  return { reference, ...(more ? { more: true as const } : {}) };
};

/** Takes a camt.053 that was read. @param mirror the provider's debit is the log's credit */
export const takeCamt053 = (body: Camt053, mirror: boolean): DraftResult => {
  const faults: DraftFault[] = [];
  const lines = linesOf(body, faults);
  const period = periodOf(body, faults);
  if (faults.length > 0) return { ok: false, faults };
  const draft = { ...pageOf(body), ...period, warnings: warningsOf(body) };
  return { ok: true, draft: { ...draft, lines: mirror ? mirrored(lines) : lines } };
};
