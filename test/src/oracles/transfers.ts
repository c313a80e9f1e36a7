// Promises 1, 2, 10, 12 and 15: the clients' journal joined with the log and with what the ledger has
// stored, both ways.
import { parseTime } from "@sealane/protocol";
import type { Evidence } from "./evidence.ts";
import type { ToldTransfer } from "./history.ts";
import { judge, notAsked, type Verdict } from "./oracle.ts";

const committedSaid = new Set(["sealed", "credited"]);

/** Whether what a client was told is what the log and the tables say. */
const toldFault = (told: ToldTransfer, { audit, ended }: Evidence): string | undefined => {
  const logged = audit.transfers.get(told.id);
  const stored = ended.get(told.id);
  for (const { status, position } of told.ends) {
    const well = committedSaid.has(status);
    const outcome = well ? "committed" : status;
    if (well && logged?.outcome !== "committed") return `${told.id} was told ${status}, not logged`;
    if (!well && logged !== undefined && logged.outcome !== outcome) {
      return `${told.id} was told ${status}, the log says ${logged.outcome}`;
    }
    if (!well && logged === undefined && stored?.refusal === undefined) {
      return `${told.id} was told ${status}, and nobody signed that`;
    }
    if (position !== undefined && stored?.seq !== position) {
      return `${told.id} was told position ${position}, stored is ${stored?.seq}`;
    }
  }
  if (!told.accepted) return undefined;
  if (logged !== undefined || stored?.refusal !== undefined) return undefined;
  return `${told.id} was accepted and has no end`;
};

const once = (evidence: Evidence, told: readonly ToldTransfer[]): Verdict => {
  const { audit, history } = evidence;
  const findings = told.flatMap((one) => toldFault(one, evidence) ?? []);
  for (const { transferId, terms, context } of audit.verified) {
    if (transferId === undefined || terms?.payer.participant !== "hk-wallet.example") continue;
    if (context.outcome === "committed" && history?.transfers.has(transferId) !== true) {
      findings.push(`${transferId} is committed, and no client asked for it`);
    }
  }
  const accepted = told.filter((one) => one.accepted).length;
  return judge(
    1,
    `${accepted} accepted of ${told.length} in the journal, joined both ways`,
    findings,
  );
};

/** Over all entries of the log, and against the refusals that bind an id. */
const oneEnd = ({ audit, ended }: Evidence): Verdict => {
  const findings: string[] = [];
  const seen = new Map<string, number>();
  for (const { transferId, advance, context } of audit.verified) {
    // An advance binds its id as a transfer does.
    const id = transferId ?? advance?.id;
    if (id === undefined) continue;
    const before = seen.get(id);
    if (before !== undefined) findings.push(`${id} ends at ${before} and ${context.seq}`);
    seen.set(id, context.seq);
    const stored = ended.get(id);
    if (stored === undefined) findings.push(`${id} ends in the log, not in the tables`);
    else if (stored.seq !== context.seq) findings.push(`${id} is stored elsewhere`);
  }
  for (const { id, seq } of ended.values()) {
    if (seq !== undefined && !seen.has(id))
      findings.push(`${id} is stored as ended at ${seq} only`);
  }
  return judge(2, `${seen.size} ends in the log, ${ended.size} stored`, findings);
};

const oneEffect = ({ audit, history }: Evidence, told: readonly ToldTransfer[]): Verdict => {
  const findings: string[] = [];
  let raced = 0;
  let others = 0;
  const entries = Map.groupBy(
    audit.verified.flatMap(({ transferId }) => transferId ?? []),
    (id) => id,
  );
  for (const { id, ends, others: answers } of told) {
    const kinds = new Set(
      ends.map(({ status }) => (committedSaid.has(status) ? "committed" : status)),
    );
    if (kinds.size > 1) findings.push(`${id} was told as ${[...kinds].join(" and ")}`);
    const positions = new Set(ends.flatMap(({ position }) => position ?? []));
    if (positions.size > 1) findings.push(`${id} was told at ${[...positions].join(" and ")}`);
    if ((entries.get(id)?.length ?? 0) > 1) findings.push(`${id} has several entries`);
    raced += ends.length > 1 ? 1 : 0;
    for (const { status } of answers) {
      others += 1;
      if (status < 300) findings.push(`another body under ${id} was answered ${status}`);
    }
  }
  const requests = history?.lines.filter(({ event }) => event === "invoked").length ?? 0;
  const looked = `${requests} requests, ${raced} keys answered more than once, ${others} other bodies`;
  return judge(10, looked, findings);
};

const nothingForbidden = ({ audit, forbidden }: Evidence): Verdict => {
  const findings: string[] = [];
  let committed = 0;
  for (const { terms, context, timeMs } of audit.verified) {
    if (terms === undefined || context.outcome !== "committed") continue;
    committed += 1;
    if (timeMs >= parseTime(terms.expiresAt)) {
      findings.push(`${terms.id} was committed at ${context.time}, it expired ${terms.expiresAt}`);
    }
  }
  for (const id of forbidden) {
    if (audit.transfers.get(id)?.outcome === "committed") findings.push(`${id} was committed`);
  }
  const looked = `${committed} commits before their expiry, ${forbidden.length} bad statements`;
  return judge(12, looked, findings);
};

const allEnded = (told: readonly ToldTransfer[], left: readonly string[]): Verdict => {
  const open = told.filter(({ ends, refused }) => ends.length === 0 && refused === undefined);
  const slowest = Math.max(0, ...told.map(({ firstMs, lastMs }) => lastMs - firstMs));
  const findings = [...open.map(({ id }) => `the client of ${id} knows no end`), ...left];
  const looked = `the slowest client knew its end after ${(slowest / 1_000).toFixed(1)} s`;
  return judge(15, looked, findings);
};

/** @param left what was still pending when patience ended */
export const transferVerdicts = (evidence: Evidence, left: readonly string[]): Verdict[] => {
  const { history } = evidence;
  if (history === undefined) {
    return [
      notAsked(1, "no journal"),
      oneEnd(evidence),
      notAsked(10, "no journal"),
      nothingForbidden(evidence),
      allEnded([], left),
    ];
  }
  const told = [...history.transfers.values()];
  return [
    once(evidence, told),
    oneEnd(evidence),
    oneEffect(evidence, told),
    nothingForbidden(evidence),
    allEnded(told, left),
  ];
};
