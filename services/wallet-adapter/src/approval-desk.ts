// Transfers that a policy lets through only with operators' signatures: held here, shown to whoever
// approves, and sent when enough operators in force have signed the same terms. What is not met in
// time is refused here, for good: the payer's signature never left the adapter, and the terms are over.
import { isoReasonOf, type EnvelopeField, type RefusalCode } from "@sealane/protocol";
import { operatorsNeeded, type KeyState } from "@sealane/rules";
import { pause } from "@sealane/runtime";
import { verifyOffThread } from "@sealane/signer";
import {
  composeNote,
  parseNote,
  parseSignatureLine,
  TlogError,
  utf8,
  type NoteSignature,
} from "@sealane/tlog";
import type { ApprovalStore, Held } from "./approval-store.ts";
import type { TransferBook } from "./transfer-book.ts";
import type { Made } from "./terms-maker.ts";
import type { ViewMover } from "./view-mover.ts";
import type { TransferView } from "./views.ts";

export type ApprovalView = {
  readonly transferId: string;
  /** What an approver signs, byte for byte. */
  readonly statement: string;
  readonly policy: string;
  readonly payer: string;
  readonly payee: string;
  readonly sent: TransferView["sent"];
  readonly fee: TransferView["fee"];
  readonly rate: string | undefined;
  readonly received: TransferView["received"];
  readonly requestedAt: string;
  readonly expiresAt: string;
  readonly needed: number;
  readonly approvedBy: readonly string[];
};

export type Approved =
  | { readonly ok: true; readonly view: ApprovalView; readonly sent: boolean }
  | { readonly ok: false; readonly code: "approval-unknown"; readonly detail: string }
  | { readonly ok: false; readonly code: RefusalCode; readonly detail: string };

type Deps = {
  readonly store: ApprovalStore;
  readonly book: TransferBook;
  readonly keys: () => KeyState;
  readonly flushVault: () => Promise<void>;
  readonly flushViews: () => Promise<void>;
  /** Puts an intent on the lane's topic. @throws MessagingError */
  readonly produceIntent: (
    id: string,
    note: string,
    envelope: EnvelopeField | undefined,
  ) => Promise<void>;
  readonly clock: () => number;
  readonly log: { warn(fields: object, message: string): void };
};

const tickMs = 250;
/** Shorter than this before the end nothing is sent any more: it would only expire on the way. */
const lastCallMs = 500;

export type ApprovalDesk = ReturnType<typeof makeApprovalDesk>;

export const makeApprovalDesk = (deps: Deps) => {
  const { store, book, clock, log } = deps;
  const held = new Map<string, Held>();
  const stopping = new AbortController();
  /** One thing at a time for each transfer: an approval never races its expiry. */
  const turns = new Map<string, Promise<unknown>>();
  const inTurn = <T>(id: string, work: () => Promise<T>): Promise<T> => {
    const next = (turns.get(id) ?? Promise.resolve()).then(work);
    const last = next.catch(() => undefined);
    turns.set(id, last);
    void last.finally(() => turns.get(id) === last && turns.delete(id));
    return next;
  };

  /** Operators in force who have signed: one that was replaced meanwhile counts no more. */
  const signersOf = ({ approvals }: Held): string[] => {
    const lines = Object.values(approvals).map(parseSignatureLine);
    return deps
      .keys()
      .operatorKeys.filter((key) =>
        lines.some(({ name, keyId }) => name === key.name && keyId === key.keyId),
      )
      .map(({ name }) => name);
  };

  const show = (one: Held, policy: string): ApprovalView => {
    const { view, needed } = one;
    return {
      transferId: view.id,
      statement: one.text,
      policy,
      payer: view.payer ?? "",
      payee: view.payee ?? "",
      sent: view.sent,
      fee: view.fee,
      rate: view.rate,
      received: view.received,
      requestedAt: new Date(one.requestedAtMs).toISOString(),
      expiresAt: new Date(one.expiresAtMs).toISOString(),
      needed,
      approvedBy: signersOf(one),
    };
  };

  const policyOf = ({ text }: Held): string =>
    (JSON.parse(text.split("\n")[1] ?? "{}") as { policy?: string }).policy ?? "";
  const viewOf = (one: Held): ApprovalView => show(one, policyOf(one));

  const forget = async (id: string): Promise<void> => {
    await store.remove(id);
    held.delete(id);
  };

  /** Sends what is complete. @returns whether it was. @throws MessagingError: it stays, and is tried again */
  const sendIfMet = async (one: Held): Promise<boolean> => {
    if (signersOf(one).length < one.needed) return false;
    const note = composeNote(one.text, [...one.lines, ...Object.values(one.approvals)]);
    await deps.produceIntent(one.view.id, note, one.envelope);
    const kept = book.get(one.view.id);
    if (kept !== undefined) kept.view.approvalsNeeded = undefined;
    await forget(one.view.id);
    return true;
  };

  let mover: Pick<ViewMover, "viewFor" | "move"> | undefined;

  const refuse = async (one: Held): Promise<void> => {
    const kept = await mover?.viewFor(one.view.id, "payer");
    if (kept === undefined) return;
    const signers = signersOf(one);
    const by = signers.length === 0 ? "nobody" : signers.join(", ");
    kept.view.code = "policy-unmet";
    kept.view.reason = isoReasonOf("policy-unmet");
    kept.view.detail = `${one.needed} operators had to approve in time, ${signers.length} did: ${by}`;
    mover?.move(kept, "rejected", clock());
    // The row goes when the refusal itself is on disk.
    await deps.flushViews();
    await forget(one.view.id);
  };

  const look = async (id: string): Promise<void> => {
    const one = held.get(id);
    if (one === undefined) return;
    if (clock() >= one.expiresAtMs - lastCallMs) await refuse(one);
    else await sendIfMet(one);
  };

  const judge = async (one: Held, line: string): Promise<NoteSignature | Approved> => {
    let signature: NoteSignature;
    try {
      signature = parseSignatureLine(line);
    } catch (error) {
      if (!(error instanceof TlogError)) throw error;
      return { ok: false, code: "signature-wrong", detail: error.message };
    }
    const { name, keyId } = signature;
    const key = deps.keys().operatorKeys.find((own) => own.name === name && own.keyId === keyId);
    if (key === undefined)
      return { ok: false, code: "key-unknown", detail: `${name}: no operator` };
    const good = await verifyOffThread(key.publicKey, utf8(one.text), signature.signature);
    return good ? signature : { ok: false, code: "signature-wrong", detail: name };
  };

  const approveInTurn = async (id: string, line: string): Promise<Approved> => {
    const one = held.get(id);
    if (one === undefined) {
      return { ok: false, code: "approval-unknown", detail: "it waits for no approval here" };
    }
    if (clock() >= one.expiresAtMs - lastCallMs) {
      return { ok: false, code: "expired", detail: "its terms are over" };
    }
    const signature = await judge(one, line);
    if ("ok" in signature) return signature;
    const next = { ...one, approvals: { ...one.approvals, [signature.name]: signature.line } };
    await store.save(next);
    held.set(id, next);
    return { ok: true, view: viewOf(next), sent: await sendIfMet(next) };
  };

  return {
    /** How many operators these terms need, by the key log of now. */
    neededFor: ({ terms }: Made): number =>
      operatorsNeeded(deps.keys().policies.get(terms.policy), terms.send) ?? 0,
    /** Holds a transfer that the payer has signed; on disk when it resolves, its person's data too. */
    hold: async (view: TransferView, note: string, made: Made, needed: number): Promise<void> => {
      const { text, signatures } = parseNote(note);
      const one: Held = {
        view: { ...view, steps: { ...view.steps, accepted: clock() } },
        text,
        lines: signatures.map(({ line }) => line),
        envelope: made.envelope,
        needed,
        requestedAtMs: clock(),
        expiresAtMs: Date.parse(made.terms.expiresAt),
        approvals: {},
      };
      await Promise.all([store.save(one), deps.flushVault()]);
      held.set(view.id, one);
    },
    list: (): ApprovalView[] => [...held.values()].map(viewOf),
    find: (id: string): ApprovalView | undefined => {
      const one = held.get(id);
      return one === undefined ? undefined : viewOf(one);
    },
    /** Takes an operator's signature line over the statement; twice is harmless. */
    approve: (id: string, line: string): Promise<Approved> =>
      inTurn(id, () => approveInTurn(id, line)),
    /** The payer takes it back: whatever is signed later, it is not sent. */
    drop: (id: string): Promise<void> =>
      inTurn(id, async () => {
        if (held.has(id)) await forget(id);
      }),
    /** What was held before a restart. */
    load: async (): Promise<void> => {
      for (const one of await store.readAll()) {
        held.set(one.view.id, one);
        book.put(one.view);
      }
    },
    run: async (moveBy: Pick<ViewMover, "viewFor" | "move">): Promise<void> => {
      mover = moveBy;
      while (!stopping.signal.aborted) {
        for (const id of held.keys()) {
          await inTurn(id, () => look(id)).catch((err: unknown) =>
            log.warn({ err, id }, "a held transfer could not be sent, trying again"),
          );
        }
        await pause(tickMs, stopping.signal);
      }
    },
    stop: (): void => stopping.abort(),
    held: (): number => held.size,
  };
};
