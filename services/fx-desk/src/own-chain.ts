// The desk reads its own entries: no gap, each follows the last, nothing signed by it that it did not
// sign, no conversion that its sheets do not give. What it signs itself is verified in full; of the
// transfers under its sheets, which carry no signature of the desk, the history and the price are
// checked (their signatures are their signers' to judge): that is what 2,500 a second can cost here.
import {
  noteHash,
  readNote,
  readStatement,
  termsSchema,
  zeroHash,
  type Terms,
} from "@sealane/protocol";
import { entryContextSchema, headerOf, type EntryContext } from "@sealane/protocol";
import { checkPrice, verifyEntry } from "@sealane/rules";
import { leafHash, toBase64 } from "@sealane/tlog";
import type { KeyLogCopy } from "./key-log.ts";
import { sheetOf, type RateDesk } from "./rate-desk.ts";
import type { DeskState } from "./state-file.ts";

/** Something that the ledger must not have written: the desk cosigns nothing more. */
export class LedgerFault extends Error {}

type Deps = {
  readonly participant: string;
  readonly origin: string;
  readonly state: DeskState;
  readonly desk: Pick<RateDesk, "byHash" | "mustKnow">;
  readonly keys: KeyLogCopy;
  /** A sheet of ours is on the log. */
  readonly onLogged: () => void;
  readonly log: { warn(fields: object, message: string): void };
};

export type OwnChain = {
  /** Takes one entry of the inbox. @throws LedgerFault; other errors are worth a repeat */
  take(note: string): Promise<void>;
};

type Opened = { readonly context: EntryContext; readonly kind: string; readonly inner: string };

export const makeOwnChain = (deps: Deps): OwnChain => {
  const { participant, origin, state, desk, keys } = deps;

  const open = (note: string): Opened => {
    const outer = readNote(note);
    const read = outer.ok ? readStatement(outer.note, "entry", entryContextSchema) : undefined;
    if (read?.ok !== true) throw new LedgerFault("an entry that cannot be read");
    const { body, inner, origin: of } = read.statement;
    if (of !== origin || inner === undefined) throw new LedgerFault(`an entry of ${of}`);
    return { context: body, kind: headerOf(inner)?.kind ?? "", inner };
  };

  /** What this desk says, or somebody says in its name: judged with every signature. */
  const takeStatement = async (note: string, { context, inner }: Opened): Promise<void> => {
    const history = await keys.atLeast(context.keys.size);
    const result = verifyEntry(note, { origin, history, signatures: true });
    if (!result.ok) throw new LedgerFault(`${result.code}: ${result.detail}`);
    const { sheet, withdrawal, statement } = result.entry;
    const own = context.chains.find((chain) => chain.participant === participant);
    if (statement?.participant === participant && own !== undefined) {
      state.stated = { to: statement.to, n: own.n, time: context.time };
    }
    if (sheet?.provider === participant) {
      const known = desk.byHash(noteHash(inner));
      if (known === undefined && desk.mustKnow(sheet.number)) {
        throw new LedgerFault(`sheet ${sheet.number} is on the log, and we did not sign it`);
      }
      if (known !== undefined) {
        known.seq = context.seq;
        deps.onLogged();
      }
    }
    if (withdrawal?.provider === participant && desk.mustKnow(withdrawal.number)) {
      const name = `${withdrawal.pair.from}/${withdrawal.pair.to}`;
      const known = state.sheets.find(
        ({ number, pair }) => number === withdrawal.number && pair === name,
      );
      if (known?.withdrawn !== true) {
        throw new LedgerFault(`sheet ${withdrawal.number} was withdrawn, and not by us`);
      }
    }
  };

  const checkTransfer = async ({ context, inner }: Opened): Promise<void> => {
    const note = readNote(inner);
    const read = note.ok ? readStatement(note.note, "transfer", termsSchema) : undefined;
    if (read?.ok !== true) throw new LedgerFault("terms that cannot be read");
    const terms: Terms = read.statement.body;
    if (terms.sheet.provider !== participant) return;
    const signed = desk.byHash(terms.sheet.hash);
    if (signed === undefined) {
      if (!desk.mustKnow(terms.sheet.number)) return;
      throw new LedgerFault(`entry ${context.seq} cites a sheet that we did not sign`);
    }
    const { states } = await keys.atLeast(context.keys.size);
    const schedules = states[context.keys.size]?.schedules;
    const schedule = schedules?.get(terms.fees[0]?.schedule ?? "");
    const fault = checkPrice(terms, sheetOf(signed), schedule);
    if (fault !== undefined) throw new LedgerFault(`entry ${context.seq}: ${fault.detail}`);
  };

  return {
    take: async (note) => {
      const opened = open(note);
      const { context, kind } = opened;
      const { inbox } = state;
      const link = context.chains.find((candidate) => candidate.participant === participant);
      if (link !== undefined && link.n < (inbox.chain ?? 0)) return; // told again
      if (kind !== "transfer" && context.outcome === "recorded") await takeStatement(note, opened);
      if (kind === "transfer" && context.outcome === "committed") await checkTransfer(opened);
      if (link === undefined) return;
      if (inbox.chain === undefined && link.n > 0) {
        deps.log.warn(
          { n: link.n },
          "reading our own chain from here on: what was before is unknown",
        );
      } else if (link.n !== (inbox.chain ?? 0)) {
        throw new LedgerFault(`entry ${inbox.chain ?? 0} of our chain is missing before ${link.n}`);
      } else if (link.prev !== (inbox.prev ?? zeroHash)) {
        throw new LedgerFault(`our chain is broken at ${link.n}: it does not follow what we saw`);
      }
      inbox.chain = link.n + 1;
      inbox.prev = toBase64(leafHash(note));
      inbox.seq = context.seq;
    },
  };
};
