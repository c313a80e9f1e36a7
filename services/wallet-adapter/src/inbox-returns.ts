// Returns, recalls and refusals as they come from the log: each moves its own view, and says in the
// original's what came back and what was asked.
import { amountOf, minorOf, type ReturnEntry, type VerifiedEntry } from "@sealane/rules";
import type { EntryItem } from "@sealane/protocol";
import type { Persister } from "./persister.ts";
import type { RecallDesk } from "./recall-desk.ts";
import type { TransferBook } from "./transfer-book.ts";
import type { Kept } from "./view-store.ts";
import type { ViewMover } from "./view-mover.ts";

type Of<K extends ReturnEntry["kind"]> = Extract<ReturnEntry, { kind: K }>;

export const makeReturnTaker = (deps: {
  readonly participant: string;
  readonly book: TransferBook;
  readonly persister: Persister;
  readonly mover: ViewMover;
  readonly recalls: Pick<RecallDesk, "opened" | "closed">;
  readonly onMoved: (kept: Kept) => void;
  readonly clock: () => number;
  /** The lane, where there are several. */
  readonly inLane: number | undefined;
}) => {
  const { participant, book, persister, recalls, clock } = deps;
  const { viewFor, move } = deps.mover;

  /** The original's view, when it is one of ours. */
  const originalOf = async (id: string): Promise<Kept | undefined> => {
    const kept = book.get(id) ?? (await book.findKept(id));
    return kept === undefined ? undefined : (book.get(id) ?? book.adopt(kept));
  };

  const changed = (kept: Kept): void => {
    persister.view(kept);
    book.changed(kept);
  };

  const linked = async (entry: VerifiedEntry, item: EntryItem, id: string): Promise<Kept> => {
    const by = entry.returns?.body.participant;
    const kept = await viewFor(id, by === participant ? "payer" : "payee");
    const { view } = kept;
    view.lane = deps.inLane;
    view.seq = entry.context.seq;
    view.entry = item.note;
    view.trace = item.trace ?? view.trace;
    return kept;
  };

  const takeReturn = async (
    entry: VerifiedEntry,
    item: EntryItem,
    { body, original }: Of<"return">,
  ): Promise<void> => {
    const { payer, payee, send, receive } = original.terms;
    const own = payee.participant === participant;
    // The liquidity provider's side has its chain, and nothing to show.
    if (!own && payer.participant !== participant) return;
    const kept = await linked(entry, item, body.id);
    const { view } = kept;
    view.returnOf = body.original.id;
    view.payer = payee.participant;
    view.payee = payer.participant;
    view.sent = body.amount;
    view.received = body.back;
    view.reason = body.reason;
    // By these its credit is found; a recall has none.
    const numberOf = (who: string): number | undefined =>
      entry.context.chains.find((link) => link.participant === who)?.n;
    view.n = numberOf(participant);
    view.peerN = numberOf(own ? payer.participant : payee.participant);
    if (send.currency !== receive.currency) view.rate = original.terms.rate;
    move(kept, "committed", clock());
    const of = await originalOf(body.original.id);
    if (of === undefined) return;
    const { currency, amount } = body.amount;
    const sum = minorOf(body.before, currency) + minorOf(amount, currency);
    of.view.returned = { currency, amount: amountOf(sum, currency) };
    of.view.returns = [...(of.view.returns ?? []).filter((id) => id !== body.id), body.id];
    const whole = sum === minorOf(receive.amount, currency);
    if (of.view.recall !== undefined && (whole || body.recall === of.view.recall.recallId)) {
      await answered(of, "returned", undefined);
    }
    changed(of);
  };

  /** A recall of this original has its answer. */
  const answered = async (
    of: Kept,
    status: "returned" | "refused",
    reason: string | undefined,
  ): Promise<void> => {
    const { view } = of;
    if (view.recall === undefined || view.recall.status !== "open") return;
    const { recallId } = view.recall;
    view.recall = { ...view.recall, status, ...(reason === undefined ? {} : { answer: reason }) };
    await recalls.closed(view.id);
    const asked = await originalOf(recallId);
    if (asked === undefined) return;
    // It has ended: it was asked for, and either came or was refused.
    asked.view.status = status === "returned" ? "credited" : "rejected";
    if (reason !== undefined) asked.view.reason = reason;
    if (asked.view.role === "payer") asked.view.notice += 1;
    deps.onMoved(asked);
    changed(asked);
  };

  const takeRecall = async (
    entry: VerifiedEntry,
    item: EntryItem,
    { body, original }: Of<"recall">,
  ): Promise<void> => {
    const { payer, payee } = original.terms;
    const kept = await linked(entry, item, body.id);
    kept.view.recallOf = body.original.id;
    kept.view.payer = payer.participant;
    kept.view.payee = payee.participant;
    kept.view.sent = body.amount;
    kept.view.reason = body.reason;
    const of = await originalOf(body.original.id);
    if (of !== undefined) {
      const { id: recallId, reason, cancel, amount } = body;
      of.view.recall = { recallId, status: "open", reason, cancel };
      changed(of);
      if (payee.participant === participant) {
        const open = { recallId, original: of.view.id, note: entry.inner, amount, cancel, reason };
        await recalls.opened(open);
      }
    }
    move(kept, "committed", clock());
  };

  /** @param again it was told before: what followed is known already */
  return async (entry: VerifiedEntry, item: EntryItem, again: boolean): Promise<void> => {
    const { returns } = entry;
    if (returns === undefined || again) return;
    if (returns.kind === "return") return takeReturn(entry, item, returns);
    if (returns.kind === "recall") return takeRecall(entry, item, returns);
    const of = await originalOf(returns.original.terms.id);
    if (of === undefined) return;
    await answered(of, "refused", returns.body.reason);
    changed(of);
  };
};
