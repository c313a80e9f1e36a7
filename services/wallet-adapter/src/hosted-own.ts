// What a provider that signs by itself says of its own chain (how far it has credited; that these are all
// its entries): its core is shown its own entries, page by page from where it stopped, and then the text;
// it checks and signs. The core keeps its place: what it has seen is not shown again.
import type { HttpClient } from "@sealane/http";
import { OperationalError } from "@sealane/runtime";
import type { KeyState } from "@sealane/rules";
import { composeNote, parseSignatureLine } from "@sealane/tlog";
import { z } from "zod";
import type { LedgerClient } from "./ledger-client.ts";
import { ownSignatureFault } from "./own-signature.ts";
import type { ViewStore } from "./view-store.ts";

const path = "/v1/own-statements";
/** As many proofs as the ledger gives at once. */
const pageEntries = 200;
const timeoutMs = 10_000;

const answerSchema = z.object({
  /** Number of the entry that the core wants to see next. */
  next: z.int().min(0),
  line: z.string().max(400).optional(),
});
type Shown = z.infer<typeof answerSchema>;

type Deps = {
  readonly participant: string;
  readonly core: HttpClient;
  readonly store: Pick<ViewStore, "readChainFrom">;
  readonly lane: number;
  readonly ledger: Pick<LedgerClient, "proofs">;
  readonly keys: () => KeyState;
};

const notYet = (message: string): OperationalError =>
  new OperationalError("statement-not-signed", message, { retryable: true });

/** The provider's signed note over a statement's text, which is about its own entry `upTo`. */
export type SignOwn = (text: string, upTo: number) => Promise<string>;

export const makeOwnSigner = (deps: Deps): SignOwn => {
  const { participant, core, store, lane, ledger, keys } = deps;

  const show = async (from: number, entries: string[], statement?: string): Promise<Shown> => {
    const body = JSON.stringify({ from, entries, ...(statement && { statement }) });
    const reply = await core.post(path, body, { timeoutMs });
    if (reply.outcome !== "ok" || reply.status !== 200) {
      const detail = reply.outcome === "ok" ? `status ${reply.status}` : reply.error.message;
      throw notYet(`the core did not sign a statement: ${detail}`);
    }
    return answerSchema.parse(JSON.parse(reply.body));
  };

  const pageFrom = async (from: number, upTo: number): Promise<string[]> => {
    const chain = await store.readChainFrom(lane, from, Math.min(pageEntries, upTo - from + 1));
    if (chain.length === 0) return [];
    const { proofs } = await ledger.proofs(chain.map(({ seq }) => seq));
    const notes = new Map(proofs.map(({ seq, note }) => [seq, note]));
    return chain.map(({ seq }) => {
      const note = notes.get(seq);
      if (note === undefined) throw notYet(`the ledger does not give entry ${seq}`);
      return note;
    });
  };

  return async (text, upTo) => {
    let { next } = await show(0, []);
    while (next + pageEntries <= upTo) {
      const page = await pageFrom(next, upTo);
      const shown = await show(next, page);
      // The read model is written behind: what is not there yet is there in a moment.
      if (shown.next <= next) throw notYet(`the core stays at entry ${next} of its chain`);
      next = shown.next;
    }
    const last = next > upTo ? [] : await pageFrom(next, upTo);
    const { line } = await show(next, last, text);
    if (line === undefined) throw notYet("the core gave no signature");
    const fault = await ownSignatureFault(participant, keys(), text, [parseSignatureLine(line)]);
    if (fault !== undefined) throw notYet(`${fault.code}: ${fault.detail}`);
    return composeNote(text, [line]);
  };
};
