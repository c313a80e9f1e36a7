// The payer's side of a hosted adapter: it makes the exact text, the provider checks and signs it with
// the client library, and only then is there an intent. The request's HMAC is over the bytes that asked
// for the text, so that a retry is told from another request as ever. What was prepared is held in
// memory until it expires: an adapter that lost it prepares again, under the same id and request, and
// of two signed texts the first that the ledger decides counts.
import {
  cancellationSchema,
  parseTime,
  readNote,
  readStatement,
  statementText,
  transferIdOf,
  type RefusalCode,
} from "@sealane/protocol";
import type { KeyState } from "@sealane/rules";
import type { Intake, Taken } from "./intake.ts";
import type { Lanes } from "./lanes.ts";
import { ownSignatureFault } from "./own-signature.ts";
import type { TransferRequest } from "./requests.ts";
import type { Made, Refusal } from "./terms-maker.ts";

const mostPrepared = 20_000;

export type Prepared = { readonly ok: true; readonly made: Made; readonly statement: string };

/** `statement-unknown`: not prepared here, or forgotten; the client prepares it again. */
export type Unsigned =
  | Refusal
  | { readonly ok: false; readonly code: "statement-unknown"; readonly detail: string };

type Deps = {
  readonly participant: string;
  readonly lanes: Lanes;
  readonly intake: Intake;
  readonly keys: () => KeyState;
  readonly clock: () => number;
};

export type HostedDesk = ReturnType<typeof makeHostedDesk>;

export const makeHostedDesk = (deps: Deps) => {
  const { participant, lanes, intake, clock } = deps;
  /** By transfer id, oldest first. */
  const prepared = new Map<string, Prepared>();

  const refusal = (code: RefusalCode, detail: string): Refusal => ({
    ok: false,
    code,
    detail,
    pointer: "",
  });

  /** Forgets what nobody may sign any more; terms live 300 s at most. */
  const trim = (): void => {
    for (const [id, { made }] of prepared) {
      const over = clock() >= parseTime(made.terms.expiresAt);
      if (!over && prepared.size <= mostPrepared) return;
      prepared.delete(id);
    }
  };

  /** The text for the provider to sign; or what its key was used for before. */
  const prepare = (
    idempotencyKey: string,
    request: TransferRequest,
    body: Uint8Array,
  ): Prepared | Taken => {
    const id = transferIdOf(participant, idempotencyKey);
    const known = intake.replay(id, body);
    if (known !== undefined) return known;
    trim();
    const made = intake.make(id, request, body);
    if (!made.ok) return made;
    const before = prepared.get(id)?.made.terms;
    if (before !== undefined && before.request !== made.terms.request) {
      const detail = "this Idempotency-Key was used for another request";
      return { ok: false, code: "request-mismatch", detail, pointer: "#/header/idempotency-key" };
    }
    const statement = statementText(lanes.of(id).origin, "transfer", made.terms);
    prepared.delete(id);
    prepared.set(id, { ok: true, made, statement });
    return { ok: true, made, statement };
  };

  /**
   * Takes the text back with the provider's signature.
   * @throws NotNowError when there is too much to do; nothing was sent
   * @throws MessagingError: the outcome of producing is unknown or it failed; the client repeats
   */
  const submit = async (
    id: string,
    signed: string,
    parent: string | undefined,
  ): Promise<Exclude<Taken, Refusal> | Unsigned> => {
    const note = readNote(signed);
    if (!note.ok) return refusal("terms-malformed", note.detail);
    const waiting = prepared.get(id);
    if (waiting === undefined || waiting.statement !== note.note.text) {
      const detail = "this adapter has prepared no such text, or has forgotten it";
      return { ok: false, code: "statement-unknown", detail };
    }
    const { text, signatures } = note.note;
    const fault = await ownSignatureFault(participant, deps.keys(), text, signatures);
    if (fault !== undefined) return refusal(fault.code, fault.detail);
    intake.admit(waiting.made.terms.payee.participant);
    const span = intake.spanOf(id, parent);
    try {
      const view = await intake.publish(waiting.made, Promise.resolve(signed), span);
      // Sent again it is not known here, prepared again it is answered with this transfer.
      prepared.delete(id);
      return { ok: true, view, replayed: false };
    } finally {
      span.end();
    }
  };

  /** Takes a signed cancellation. @returns why not, if not */
  const cancel = async (id: string, signed: string): Promise<Refusal | undefined> => {
    const note = readNote(signed);
    if (!note.ok) return refusal("terms-malformed", note.detail);
    const read = readStatement(note.note, "cancellation", cancellationSchema);
    if (!read.ok) return refusal("terms-malformed", read.detail);
    const { origin: log, body } = read.statement;
    if (log !== lanes.of(id).origin) return refusal("wrong-log", `signed for ${log}`);
    if (body.id !== id || body.participant !== participant) {
      return refusal("terms-malformed", `it cancels ${body.id} of ${body.participant}`);
    }
    const { text, signatures } = note.note;
    const fault = await ownSignatureFault(participant, deps.keys(), text, signatures);
    if (fault !== undefined) return refusal(fault.code, fault.detail);
    await intake.dropHeld(id);
    await intake.produce({ v: 1, kind: "cancellation", note: signed }, id);
    return undefined;
  };

  return { prepare, submit, cancel, cancellationOf: intake.cancellationOf };
};
