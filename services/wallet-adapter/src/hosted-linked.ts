// Returns, recalls and refusals of a provider that signs by itself: the exact text is made here and held
// until it comes back with the provider's signature. What was forgotten is prepared again, under the same
// id; of two signed texts the first that the ledger decides counts.
import {
  readNote,
  readStatement,
  recallRefusalSchema,
  type RecallRefusalReason,
  type RefusalCode,
} from "@sealane/protocol";
import type { KeyState } from "@sealane/rules";
import type { Unsigned } from "./hosted-desk.ts";
import type { Taken } from "./intake.ts";
import { ownSignatureFault } from "./own-signature.ts";
import type { OpenRecall } from "./recall-store.ts";
import type { PreparedLinked, ReturnDesk } from "./return-desk.ts";
import type { Refusal } from "./terms-maker.ts";

const mostPrepared = 5_000;
const forgetAfterMs = 300_000;

type Deps = {
  readonly participant: string;
  readonly returns: Pick<ReturnDesk, "submit" | "refusalText" | "sendRefusal">;
  readonly keys: () => KeyState;
  readonly clock: () => number;
};

const no = (code: RefusalCode, detail: string): Refusal => ({
  ok: false,
  code,
  detail,
  pointer: "",
});

export type HostedLinked = ReturnType<typeof makeHostedLinked>;

export const makeHostedLinked = (deps: Deps) => {
  const { participant, returns, clock } = deps;
  /** By their text, oldest first. */
  const prepared = new Map<string, { readonly made: PreparedLinked; readonly atMs: number }>();

  /** Holds a text until it is signed; what was prepared before under its id is forgotten. */
  const keep = (made: PreparedLinked): PreparedLinked => {
    for (const [text, one] of prepared) {
      const old = clock() - one.atMs > forgetAfterMs || prepared.size > mostPrepared;
      if (old || one.made.view.id === made.view.id) prepared.delete(text);
    }
    prepared.set(made.statement, { made, atMs: clock() });
    return made;
  };

  /** The note's text, once it is well signed by the provider. */
  const opened = async (signed: string): Promise<{ ok: true; text: string } | Refusal> => {
    const note = readNote(signed);
    if (!note.ok) return no("terms-malformed", note.detail);
    const { text, signatures } = note.note;
    const fault = await ownSignatureFault(participant, deps.keys(), text, signatures);
    return fault === undefined ? { ok: true, text } : no(fault.code, fault.detail);
  };

  /**
   * Takes a return or a recall back with the provider's signature.
   * @throws MessagingError: the outcome of producing is unknown or it failed; the client repeats
   */
  const submit = async (
    originalId: string,
    kind: PreparedLinked["kind"],
    signed: string,
  ): Promise<Exclude<Taken, Refusal> | Unsigned> => {
    const note = await opened(signed);
    if (!note.ok) return note;
    const waiting = prepared.get(note.text)?.made;
    const of = waiting?.view.returnOf ?? waiting?.view.recallOf;
    if (waiting?.kind !== kind || of !== originalId) {
      const detail = "this adapter has prepared no such text, or has forgotten it";
      return { ok: false, code: "statement-unknown", detail };
    }
    const taken = await returns.submit(waiting, signed);
    prepared.delete(note.text);
    return taken;
  };

  /** Takes a no to this recall, signed. @returns why not, if not */
  const refuse = async (open: OpenRecall, signed: string): Promise<Refusal | undefined> => {
    const note = await opened(signed);
    if (!note.ok) return note;
    const read = readStatement(
      { text: note.text, signatures: [] },
      "recall-refusal",
      recallRefusalSchema,
    );
    if (!read.ok) return no("terms-malformed", read.detail);
    const { reason } = read.statement.body;
    if (note.text !== returns.refusalText(open, reason)) {
      return no("terms-malformed", "it refuses something else");
    }
    await returns.sendRefusal(open, signed);
    return undefined;
  };

  return {
    keep,
    submit,
    refuse,
    refusalText: (open: OpenRecall, reason: RecallRefusalReason): string =>
      returns.refusalText(open, reason),
  };
};
