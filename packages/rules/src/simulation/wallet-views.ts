// What a provider's adapter shows of its transfers, moved by the ledger's messages alone, with the same
// pure rules as the service; and how many notices its core is owed.
import {
  httpStatusOf,
  readNote,
  readStatement,
  refusalSchema,
  type Terms,
} from "@sealane/protocol";
import { advance, noticeOf, type TransferStatus } from "../transfer-status.ts";
import type { VerifiedEntry } from "../verify-entry.ts";
import { BrokenPromise, type Sim } from "./sim.ts";
import { stubJudge } from "./stub-keys.ts";

export type View = {
  readonly id: string;
  role: "payer" | "payee";
  status: TransferStatus;
  unbound?: boolean | undefined;
  request: string | undefined;
  payer: string | undefined;
  payee: string | undefined;
  n: number | undefined;
  peerN: number | undefined;
  /** Number of the newest notice for the core, and the newest that it answered. */
  notice: number;
  notified: number;
};

const endOf = {
  committed: "committed",
  rejected: "rejected",
  expired: "expired",
  cancelled: "cancelled",
} as const;

/** @param views the memory of now: another one after every death */
export const makeViews = (
  sim: Sim,
  participant: string,
  views: () => Map<string, View>,
  credited: (upTo: number) => void,
) => {
  const viewOf = (id: string, role: View["role"]): View => {
    const known = views().get(id);
    if (known !== undefined) return known;
    const none = { request: undefined, payer: undefined, payee: undefined };
    const places = { n: undefined, peerN: undefined };
    const fresh: View = {
      id,
      role,
      status: "received",
      ...none,
      ...places,
      notice: 0,
      notified: 0,
    };
    views().set(id, fresh);
    return fresh;
  };

  const move = (view: View, to: TransferStatus, binding = true): void => {
    if (!advance(view, to, binding)) return;
    view.notice = noticeOf(view, to, binding);
  };

  const withTerms = (view: View, terms: Terms): void => {
    view.payer = terms.payer.participant;
    view.payee = terms.payee.participant;
    if (view.role === "payer") view.request ??= terms.request;
  };

  const takeEnd = (entry: VerifiedEntry): void => {
    const { context, terms, transferId } = entry;
    if (transferId === undefined || context.outcome === "recorded") return;
    const isPayee = terms?.payee.participant === participant;
    const role = isPayee ? "payee" : (views().get(transferId)?.role ?? "payer");
    if (terms !== undefined && !isPayee && terms.payer.participant !== participant) return;
    const view = viewOf(transferId, role);
    if (terms !== undefined) withTerms(view, terms);
    const peer = role === "payer" ? view.payee : view.payer;
    view.n = context.chains.find((link) => link.participant === participant)?.n;
    view.peerN = context.chains.find((link) => link.participant === peer)?.n;
    move(view, endOf[context.outcome]);
  };

  const takeCredited = ({ credited: said }: VerifiedEntry): void => {
    if (said === undefined) return;
    const { upTo, except: listed } = said;
    const own = said.participant === participant;
    if (own) credited(upTo);
    const except = new Set(listed.map(({ id }) => id));
    for (const view of views().values()) {
      if (view.status !== "sealed" && view.status !== "committed") continue;
      const theirs = view.role === "payer" && view.payee === said.participant;
      const n = own && view.role === "payee" ? view.n : theirs ? view.peerN : undefined;
      if (n === undefined || n > upTo || except.has(view.id)) continue;
      move(view, "credited");
    }
  };

  const takeRefusal = (note: string): void => {
    const read = readNote(note);
    const refusal = read.ok ? readStatement(read.note, "refusal", refusalSchema) : undefined;
    const key = sim.keys().keys.ledger?.entry;
    const [line] = read.ok ? read.note.signatures : [];
    const good =
      read.ok &&
      key !== undefined &&
      line !== undefined &&
      stubJudge(key, read.note.text, line.signature);
    if (!good || refusal?.ok !== true)
      throw new BrokenPromise(12, "a refusal that the ledger did not sign");
    const { id, request, code, final, participant: to } = refusal.statement.body;
    const known = views().get(id);
    if (to !== participant && known === undefined) return;
    const about = code === "cancelled" || known?.request === undefined || known.request === request;
    if (code === "not-cancellable" || (!about && !final)) return;
    // Shed: it is repeated, and never told as an end.
    if (!final && httpStatusOf(code) === 503) return;
    move(viewOf(id, "payer"), code === "cancelled" ? "cancelled" : "rejected", final);
  };

  return { viewOf, move, withTerms, takeEnd, takeCredited, takeRefusal };
};
