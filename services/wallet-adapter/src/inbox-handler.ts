// Reads this participant's inbox: proposals to answer, entries of its own chain, refusals, seals. In
// order, each number once; what is missing is fetched from the ledger. Whatever the ledger sends is
// checked before it is believed.
import type { KeyWatch } from "@sealane/client";
import {
  followsInbox,
  inboxMessageSchema,
  parseTime,
  type ChainStatement,
  type EntryItem,
  type InboxBatch,
  type InboxItem,
  type InboxMessage,
} from "@sealane/protocol";
import { creditOwed, exceptionNotice, type VerifiedEntry } from "@sealane/rules";
import { toBase64, type TlogPolicy } from "@sealane/tlog";
import { checkEntry, type CheckedEntry } from "./entry-check.ts";
import type { LaneBook, Lanes } from "./lanes.ts";
import type { Persister } from "./persister.ts";
import type { makePayeeDesk } from "./payee-desk.ts";
import type { TransferBook } from "./transfer-book.ts";
import type { ChainEntry, Kept } from "./view-store.ts";
import { makeRefusalTaker } from "./inbox-refusals.ts";
import { makeReturnTaker } from "./inbox-returns.ts";
import { makeSealTaker } from "./inbox-seals.ts";
import type { RecallDesk } from "./recall-desk.ts";
import type { Vault } from "./vault.ts";
import { makeViewMover } from "./view-mover.ts";
import { withTerms, type TransferStatus, type TransferView } from "./views.ts";

export type InboxDeps = {
  readonly participant: string;
  /** The lane whose messages are taken here. */
  readonly own: LaneBook;
  readonly lanes: Pick<Lanes, "several" | "holding">;
  readonly policy: TlogPolicy;
  readonly keys: KeyWatch;
  readonly book: TransferBook;
  readonly persister: Persister;
  readonly vault: Pick<Vault, "keep">;
  readonly payee: ReturnType<typeof makePayeeDesk>;
  readonly recalls: Pick<RecallDesk, "opened" | "closed">;
  readonly clock: () => number;
  /** A view moved to a state that the core must be told of. */
  readonly onMoved: (kept: Kept) => void;
  /** Our own credited statement is on the log. */
  readonly onCredited: (upTo: number) => void;
  /** Our own statement of our chain is on the log, as entry n of it. */
  readonly onStated: (statement: ChainStatement, n: number) => void;
  /** Own entries have been sealed. */
  readonly onSealed: () => void;
  readonly onStep: (step: TransferStatus, view: TransferView, sinceMs: number) => void;
  /** The ledger would not take it for now. */
  readonly onTurnedAway: (view: TransferView) => void;
  readonly onAlarm: (detail: string) => void;
  readonly log: { warn(fields: object, message: string): void };
};

export type InboxHandler = {
  /** One message of the lane. @throws to be given the same again */
  handle(message: InboxMessage): Promise<void>;
};

const decoder = new TextDecoder("utf-8", { fatal: true });

const endOf = {
  committed: "committed",
  rejected: "rejected",
  expired: "expired",
  cancelled: "cancelled",
} as const;

/** Whose view will be looked for; of a refusal as it says, before anything of it is believed. */
const subjectOf = (item: InboxItem, checked: CheckedEntry | undefined): string | undefined =>
  item.type === "refusal"
    ? /"id":"([\da-f-]{36})"/u.exec(item.note)?.[1]
    : checked?.entry.transferId;

/** A message in its shape, or why it is not one. */
export const parseMessage = (
  value: Uint8Array | null,
): { ok: true; message: InboxMessage } | { ok: false; code: string; detail: string } => {
  if (value === null) return { ok: false, code: "message-empty", detail: "no value" };
  try {
    const parsed = inboxMessageSchema.safeParse(JSON.parse(decoder.decode(value)));
    if (parsed.success) return { ok: true, message: parsed.data };
    const issue = parsed.error.issues[0];
    const detail = `/${issue?.path.join("/") ?? ""}: ${issue?.message ?? ""}`;
    return { ok: false, code: "message-schema", detail };
  } catch {
    return { ok: false, code: "message-malformed", detail: "not JSON in UTF-8" };
  }
};

export const makeInboxHandler = (deps: InboxDeps): InboxHandler => {
  const { participant, own, lanes, book, persister, clock } = deps;
  const { lane, origin, position, chain, ledger, sheets } = own;
  const mover = makeViewMover(deps);
  const { openView, viewOf, move } = mover;
  const takeSeal = makeSealTaker({ ...deps, ...own, mover });
  const takeRefusal = makeRefusalTaker({ ...deps, origin, mover });
  const takeReturn = makeReturnTaker({ ...deps, mover, inLane: lanes.several ? lane : undefined });
  let lastHash = chain.at(-1)?.leafHash;

  /** @returns false when it is told again */
  const takeChain = ({ entry, leafHash }: CheckedEntry): boolean => {
    const { context } = entry;
    const link = context.chains.find((candidate) => candidate.participant === participant);
    if (link === undefined) return true; // not of our chain
    if (link.n < position.nextChain) {
      const held = chain.find(({ n }) => n === link.n);
      if (held === undefined || toBase64(held.leafHash) === toBase64(leafHash)) return false;
      deps.onAlarm(`entry ${link.n} of our own chain is another than the one that we hold`);
      throw new Error("our own chain was rewritten");
    }
    if (link.n > position.nextChain) {
      deps.onAlarm(`entry ${position.nextChain} of our own chain is missing before ${link.n}`);
      throw new Error("a gap in our own chain");
    }
    if (lastHash !== undefined && link.prev !== toBase64(lastHash)) {
      deps.onAlarm(`our chain is broken at ${link.n}: it does not follow what we were shown`);
      throw new Error("our own chain is broken");
    }
    lastHash = leafHash;
    position.nextChain += 1;
    const owesCredit = creditOwed(entry)?.payee === participant;
    const fresh: ChainEntry = {
      lane,
      n: link.n,
      seq: context.seq,
      leafHash,
      transferId: entry.transferId,
      owesCredit,
    };
    chain.push(fresh);
    persister.chain(fresh);
    return true;
  };

  /**
   * An end that is told again, because its request was repeated: what came after it (the seal, the
   * credit) is not told again, but was kept when it came.
   */
  const takeToldAgain = async (id: string): Promise<boolean> => {
    const stored = await book.findStored(id);
    if (stored === undefined || stored.view.status === "received") return false;
    const live = book.get(id);
    if (live === undefined) book.adopt(stored);
    else if (live.view.status === "received") Object.assign(live.view, stored.view);
    book.changed(book.get(id) ?? stored);
    return true;
  };

  const takeTransferEnd = async (
    entry: VerifiedEntry,
    item: EntryItem,
    again: boolean,
  ): Promise<void> => {
    const { context, terms, transferId } = entry;
    if (transferId === undefined || context.outcome === "recorded") return;
    if (again && (await takeToldAgain(transferId))) return;
    const known = await book.findKept(transferId);
    const role = terms?.payee.participant === participant ? "payee" : (known?.view.role ?? "payer");
    // The liquidity provider's side has its chain, and no transfer of its own to show.
    if (known === undefined && terms !== undefined && terms.payer.participant !== participant) {
      if (terms.payee.participant !== participant) return;
    }
    const kept = viewOf(known, transferId, role);
    const { view } = kept;
    if (terms !== undefined) {
      withTerms(view, terms);
      view.request ??= terms.request;
    }
    if (lanes.several) view.lane = lane;
    view.seq = context.seq;
    view.n = context.chains.find((link) => link.participant === participant)?.n;
    const peer = role === "payer" ? view.payee : view.payer;
    view.peerN = context.chains.find((link) => link.participant === peer)?.n;
    view.entry = item.note;
    view.trace = item.trace ?? view.trace;
    if (context.outcome !== "committed") view.reason = context.reason;
    const status = endOf[context.outcome];
    move(kept, status, clock());
  };

  const takeCredited = async (entry: VerifiedEntry): Promise<void> => {
    const { credited } = entry;
    if (credited === undefined) return;
    if (credited.participant === participant) deps.onCredited(credited.upTo);
    const except = new Map(credited.except.map(({ id, reason }) => [id, reason]));
    for (const kept of book.all()) {
      const { view } = kept;
      if (view.status !== "sealed" && view.status !== "committed") continue;
      // Numbers are of this lane's chains.
      if (lanes.several && lanes.holding(view) !== own) continue;
      const ours = view.role === "payee" && credited.participant === participant;
      const theirs = view.role === "payer" && view.payee === credited.participant;
      const n = ours ? view.n : theirs ? view.peerN : undefined;
      if (n === undefined || n > credited.upTo) continue;
      const reason = except.get(view.id);
      if (reason === undefined) move(kept, "credited", clock());
      else if (view.creditException === undefined) {
        view.creditException = reason;
        view.notice = exceptionNotice(view);
        persister.view(kept);
        deps.onMoved(kept);
        book.changed(kept);
      }
    }
  };

  const takeEntry = async (item: EntryItem, checked: CheckedEntry): Promise<void> => {
    const { entry } = checked;
    const again = !takeChain(checked);
    if (entry.sheet !== undefined) {
      sheets.add(entry.sheet, entry.inner);
      const { provider, number, pair } = entry.sheet;
      persister.sheet({
        lane,
        provider,
        number,
        pair: `${pair.from}/${pair.to}`,
        note: entry.inner,
      });
    }
    if (entry.withdrawal !== undefined) sheets.withdraw(entry.withdrawal);
    if (entry.statement?.participant === participant) {
      const link = entry.context.chains.find((one) => one.participant === participant);
      deps.onStated(entry.statement, link?.n ?? -1);
    }
    await takeTransferEnd(entry, item, again);
    if (entry.returns !== undefined) await takeReturn(entry, item, again);
    await takeCredited(entry);
  };

  const takeItem = async (item: InboxItem, checked: CheckedEntry | undefined): Promise<void> => {
    switch (item.type) {
      case "proposal": {
        const proposal = deps.payee.read(item);
        if (proposal === undefined) return;
        const kept = openView(proposal.terms.id, "payee");
        withTerms(kept.view, proposal.terms);
        if (proposal.accounts !== undefined) {
          deps.vault.keep(proposal.terms.id, proposal.accounts.all);
        }
        kept.view.trace = proposal.trace;
        move(kept, "reserved", clock());
        if (kept.view.status === "reserved") deps.payee.take(proposal);
        return;
      }
      case "reserved": {
        const kept = book.get(item.id);
        // Unknown: ours from before a restart, and its end will be told too.
        if (kept !== undefined) move(kept, "reserved", parseTime(item.time));
        return;
      }
      case "refusal":
        return takeRefusal(item.note, item.trace);
      case "entry":
        if (checked !== undefined) await takeEntry(item, checked);
        return;
      case "renumbered":
        return; // where it stands is what counts: `followsInbox`
      default:
        item satisfies never;
    }
  };

  const takeBatch = async (batch: InboxBatch): Promise<void> => {
    const checked = await Promise.all(
      batch.items.map((item) =>
        item.type === "entry"
          ? checkEntry(item.note, origin, deps.keys)
          : Promise.resolve(undefined),
      ),
    );
    const subjects = batch.items.flatMap((item, at) => subjectOf(item, checked[at]) ?? []);
    await book.withFetched(subjects, async () => {
      for (const [at, item] of batch.items.entries()) await takeItem(item, checked[at]);
    });
    position.nextN = batch.n + 1;
    persister.position(position);
  };

  /** What the ledger itself has after what we have. */
  const fetchMore = async (why: string): Promise<void> => {
    const before = position.nextN;
    deps.log.warn({ from: before }, why);
    for (const message of await ledger.inbox(before - 1)) {
      if (followsInbox(message, position.nextN)) await takeBatch(message);
    }
    if (position.nextN === before) throw new Error(`the ledger does not have message ${before}`);
  };

  return {
    handle: async (message) => {
      if (message.type === "seal") {
        while (position.nextChain <= message.toN) {
          await fetchMore("a seal of entries that did not come: fetching them");
        }
        await takeSeal(message);
        return;
      }
      if (message.n < position.nextN) return;
      while (position.nextN < message.n) {
        await fetchMore("the inbox has a gap: fetching it");
      }
      if (message.n === position.nextN) await takeBatch(message);
    },
  };
};
