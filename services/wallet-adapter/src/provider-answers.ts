// The payee provider's yes or no to a proposal, signed: by the adapter with the provider's key, or, where
// the adapter is hosted, by the provider itself with its answer to the credit check. What comes back
// from a provider is checked like anything from outside.
import { readNote, readStatement, rejectionSchema, statementText } from "@sealane/protocol";
import type { KeyState } from "@sealane/rules";
import type { Signer } from "@sealane/signer";
import { composeNote, parseSignatureLine, TlogError, type NoteSignature } from "@sealane/tlog";
import type { OpenedAccounts } from "./open-accounts.ts";
import { ownSignatureFault } from "./own-signature.ts";
import type { Answer, CheckResult, Proposal } from "./proposal.ts";

export type ProviderAnswers = {
  /** What a check carries besides, for whoever has to sign. */
  readonly more: (proposal: Proposal, opened: OpenedAccounts) => Record<string, unknown>;
  /** The core's result as a signed answer; undefined when nothing signed came, which is like none. */
  readonly answer: (proposal: Proposal, result: CheckResult) => Promise<Answer | undefined>;
  /** A no that the core is not asked about; undefined where there is no key: it expires. */
  readonly refuse: (proposal: Proposal, reason: string) => Promise<Answer | undefined>;
};

const rejected = (proposal: Proposal, note: string): Answer => ({
  proposal,
  command: { v: 1, kind: "rejection", note },
});

const accepted = (proposal: Proposal, line: string): Answer => ({
  proposal,
  command: { v: 1, kind: "acceptance", id: proposal.terms.id, line },
});

const defaultReason = "MS03";

/** With the provider's key at hand. */
export const signedHere = (
  participant: string,
  origin: string,
  signer: Signer,
): ProviderAnswers => {
  const refuse = async (proposal: Proposal, reason: string): Promise<Answer> => {
    const body = { id: proposal.terms.id, participant, reason };
    const text = statementText(origin, "rejection", body, proposal.raw);
    return rejected(proposal, composeNote(text, [await signer.signLine(text)]));
  };
  return {
    more: () => ({}),
    refuse,
    answer: async (proposal, { answer, reason }) =>
      answer === "yes"
        ? accepted(proposal, await signer.signLine(proposal.note.text))
        : refuse(proposal, reason ?? defaultReason),
  };
};

const readLine = (line: string | undefined): NoteSignature | undefined => {
  try {
    return line === undefined ? undefined : parseSignatureLine(line);
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
};

/** With the signatures that the provider's core sends along. */
export const signedByProvider = (deps: {
  readonly participant: string;
  readonly origin: string;
  readonly keys: () => KeyState;
  readonly log: { warn(fields: object, message: string): void };
}): ProviderAnswers => {
  const { participant, origin, keys, log } = deps;

  const readRejection = async (
    { terms, raw }: Proposal,
    signed: string | undefined,
  ): Promise<string | undefined> => {
    const note = readNote(signed ?? "");
    const read = note.ok ? readStatement(note.note, "rejection", rejectionSchema) : undefined;
    if (!note.ok || read?.ok !== true) return undefined;
    const { body, inner, origin: at } = read.statement;
    const own = at === origin && body.id === terms.id && body.participant === participant;
    if (!own || inner !== raw) return undefined;
    const { text, signatures } = note.note;
    const fault = await ownSignatureFault(participant, keys(), text, signatures);
    return fault === undefined ? signed : undefined;
  };

  const answer = async (proposal: Proposal, result: CheckResult): Promise<Answer | undefined> => {
    if (result.answer === "no") {
      const note = await readRejection(proposal, result.note);
      return note === undefined ? undefined : rejected(proposal, note);
    }
    const line = readLine(result.line);
    if (line === undefined) return undefined;
    const fault = await ownSignatureFault(participant, keys(), proposal.note.text, [line]);
    return fault === undefined ? accepted(proposal, line.line) : undefined;
  };

  return {
    more: ({ raw }, { openings }) => ({ terms: raw, openings }),
    refuse: ({ terms }, reason) => {
      log.warn({ id: terms.id, reason }, "nobody here can sign this no: the proposal will expire");
      return Promise.resolve(undefined);
    },
    answer: async (proposal, result) => {
      const signed = await answer(proposal, result);
      if (signed === undefined) {
        log.warn({ id: proposal.terms.id }, "the provider's answer is not signed as it should be");
      }
      return signed;
    },
  };
};
