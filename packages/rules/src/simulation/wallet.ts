// A wallet's provider on both sides of transfers: what its adapter believes of its inbox, what it answers,
// and what its core is told. Its memory dies with it; what it has stored, it stored together with the
// place in its inbox. Views, notices and credit statements are moved by the same pure rules as the service.
import {
  followsInbox,
  readNote,
  readStatement,
  termsSchema,
  transferIdOf,
  type InboxBatch,
  type InboxItem,
  type Terms,
} from "@sealane/protocol";
import { leafHash, toBase64, verifyInclusion } from "@sealane/tlog";
import { nextCreditRun, type CreditAnswer, type OwnEntry } from "../credit-run.ts";
import { keyIndex } from "../key-state.ts";
import { finalStatuses } from "../transfer-status.ts";
import type { VerifiedEntry } from "../verify-entry.ts";
import { origin } from "../testing/genesis.ts";
import type { TestKey } from "../testing/keys.ts";
import { makeReader, type Topic } from "./bus.ts";
import type { Core } from "./core.ts";
import { frameOf, type LaneFrame } from "./frames.ts";
import type { InboxMessage, SealMessage } from "./messages.ts";
import { BrokenPromise, type Sim } from "./sim.ts";
import { makeViews, type View } from "./wallet-views.ts";
import { judgeLines, sayAs, stubLine } from "./stub-keys.ts";

type Memory = {
  readonly views: Map<string, View>;
  chain: OwnEntry[];
  readonly position: {
    nextOffset: number;
    nextN: number;
    nextChain: number;
    sealedTo: number;
    creditedTo: number;
  };
};

export type WalletDeps = {
  readonly sim: Sim;
  readonly participant: string;
  /** The keys that it signs with: the first that is in force. */
  readonly signers: readonly TestKey[];
  readonly inbox: Topic<InboxMessage>;
  readonly lane: Topic<LaneFrame>;
  readonly core: Core;
  /** The ledger's own answer where the topic has a gap. */
  readonly fetchBatches: (from: number, to: number) => readonly InboxBatch[];
  readonly fetchSeal: (fromN: number, toN: number) => SealMessage | undefined;
};

const patienceMs = 3_000;

const emptyMemory = (): Memory => ({
  views: new Map(),
  chain: [],
  position: { nextOffset: 0, nextN: 0, nextChain: 0, sealedTo: 0, creditedTo: 0 },
});

/** Rows, as Postgres keeps them. */
const copyOf = ({ views, chain, position }: Memory): Memory => ({
  views: new Map([...views].map(([id, view]) => [id, { ...view }])),
  chain: [...chain],
  position: { ...position },
});

/** A proposal's terms, which its payer must have signed. */
const termsOf = (sim: Sim, note: string): { readonly terms: Terms; readonly text: string } => {
  const read = readNote(note);
  const terms = read.ok ? readStatement(read.note, "transfer", termsSchema) : undefined;
  if (!read.ok || terms?.ok !== true) throw new BrokenPromise(13, "a proposal that cannot be read");
  const payer = terms.statement.body.payer.participant;
  const lines = read.note.signatures.map(({ line }) => line);
  const judged = judgeLines(sim.keys().keys, read.note.text, lines).lines;
  const signed = judged.some((one) => one.good && one.key.participant === payer);
  if (!signed) throw new BrokenPromise(12, "a proposal that its payer has not signed");
  return { terms: terms.statement.body, text: read.note.text };
};

export type Wallet = ReturnType<typeof makeWallet>;

export const makeWallet = (deps: WalletDeps) => {
  const { sim, participant, core, lane } = deps;
  const dice = sim.dice(`wallet ${participant}`);
  const reader = makeReader(sim, deps.inbox);
  let heardMs = 0;
  let memory = emptyMemory();
  let stored = emptyMemory();
  /** Of the core, by transfer; lost with the process, asked again. */
  let credits = new Map<string, CreditAnswer>();
  const { viewOf, move, withTerms, ...views } = makeViews(
    sim,
    participant,
    () => memory.views,
    (upTo) => {
      memory.position.creditedTo = Math.max(memory.position.creditedTo, upTo + 1);
    },
  );

  const broken = (detail: string): BrokenPromise =>
    new BrokenPromise(13, `${participant}: ${detail}`);

  const signer = (): TestKey => {
    const { keys } = sim.keys();
    const inForce = deps.signers.find(({ key }) => {
      const known = keys.keys.get(keyIndex(key.name, key.keyId));
      return known !== undefined && known.revokedAt === undefined;
    });
    return inForce ?? (deps.signers[0] as TestKey);
  };

  /** @returns false when it is told again */
  const takeChain = (entry: VerifiedEntry, note: string): boolean => {
    const { position, chain } = memory;
    const link = entry.context.chains.find((one) => one.participant === participant);
    if (link === undefined) return true;
    const hash = leafHash(note);
    if (link.n < position.nextChain) {
      const held = chain.find(({ n }) => n === link.n);
      if (held !== undefined && toBase64(held.leafHash) !== toBase64(hash)) {
        throw new BrokenPromise(4, `${participant}: entry ${link.n} of its chain was rewritten`);
      }
      return false;
    }
    if (link.n > position.nextChain) throw broken(`its chain has a gap before ${link.n}`);
    const last = chain.at(-1);
    if (last !== undefined && link.prev !== toBase64(last.leafHash)) {
      throw new BrokenPromise(3, `${participant}: its chain is broken at ${link.n}`);
    }
    position.nextChain += 1;
    const owesCredit =
      entry.context.outcome === "committed" && entry.terms?.payee.participant === participant;
    chain.push({ n: link.n, leafHash: hash, transferId: entry.transferId, owesCredit });
    return true;
  };

  /** The core's word is the same whenever it is asked: it hangs on the transfer alone. */
  const answer = (note: string): void => {
    const { terms, text } = termsOf(sim, note);
    const view = viewOf(terms.id, "payee");
    withTerms(view, terms);
    move(view, "reserved");
    if (view.status !== "reserved") return;
    const word = core.canCredit(terms.id);
    if (word === "silent") return;
    if (word === "yes") {
      lane.produce({ kind: "acceptance", id: terms.id, line: stubLine(signer(), text) });
      return;
    }
    const body = { id: terms.id, participant, reason: "AC04" };
    const said = sayAs(origin, "rejection", body, [signer()], note);
    lane.produce(frameOf("rejection", said));
  };

  const takeItem = (item: InboxItem): void => {
    switch (item.type) {
      case "proposal":
        return answer(item.note);
      case "reserved": {
        const view = memory.views.get(item.id);
        if (view !== undefined) move(view, "reserved");
        return undefined;
      }
      case "refusal":
        return views.takeRefusal(item.note);
      case "entry": {
        const entry = sim.verified(item.note);
        takeChain(entry, item.note);
        views.takeEnd(entry);
        return views.takeCredited(entry);
      }
      default:
        return undefined;
    }
  };

  const takeBatch = (batch: InboxBatch): void => {
    for (const item of batch.items) takeItem(item);
    memory.position.nextN = batch.n + 1;
  };

  const fill = (to: number): void => {
    for (const missing of deps.fetchBatches(memory.position.nextN, to)) {
      if (followsInbox(missing, memory.position.nextN)) takeBatch(missing);
    }
  };

  const takeSeal = (message: SealMessage): void => {
    const { position, chain } = memory;
    if (message.toN < position.sealedTo) return;
    // The message with these entries was lost: the ledger has it.
    if (message.toN >= position.nextChain) fill(Number.MAX_SAFE_INTEGER);
    if (message.toN >= position.nextChain) throw broken("a seal of entries that it was not shown");
    if (message.fromN > position.sealedTo) {
      const missing = deps.fetchSeal(position.sealedTo, message.fromN - 1);
      if (missing !== undefined) takeSeal(missing);
    }
    const { size, root } = message.sealed;
    const proofs = new Map(message.proofs.map(({ seq, hashes }) => [seq, hashes]));
    const seqs = [...proofs.keys()];
    for (const own of chain) {
      if (own.n < position.sealedTo || own.n > message.toN) continue;
      const seq = seqs[own.n - message.fromN] ?? -1;
      verifyInclusion(own.leafHash, seq, size, [...(proofs.get(seq) ?? [])], root);
      const view = memory.views.get(own.transferId ?? "");
      if (view !== undefined) move(view, "sealed");
    }
    position.sealedTo = message.toN + 1;
  };

  const take = (message: InboxMessage): void => {
    if (message.type === "seal") return takeSeal(message);
    const { position } = memory;
    if (message.n < position.nextN) return undefined;
    fill(message.n);
    if (!followsInbox(message, position.nextN)) throw broken(`message ${position.nextN} is lost`);
    return takeBatch(message);
  };

  /** Nothing came for long: what the topic lost last is asked for (`decisions.md`, Kafka). */
  const ask = (): void => {
    if (reader.behind() || sim.now - heardMs < patienceMs) return;
    heardMs = sim.now;
    fill(Number.MAX_SAFE_INTEGER);
    const { sealedTo } = memory.position;
    const missing = deps.fetchSeal(sealedTo, sealedTo);
    if (missing !== undefined) takeSeal(missing);
  };

  const readInbox = (): void => {
    if (reader.behind()) heardMs = sim.now;
    for (const { offset, record } of reader.read(6)) {
      if (offset < memory.position.nextOffset) continue;
      take(record);
      memory.position.nextOffset = offset + 1;
    }
  };

  const tellCore = (): void => {
    for (const view of memory.views.values()) {
      if (view.notified < view.notice) {
        const { id, notice, status } = view;
        if (core.notify(id, notice, status)) view.notified = notice;
      }
    }
  };

  const credit = (): void => {
    for (const own of memory.chain) {
      const id = own.transferId;
      if (!own.owesCredit || id === undefined || own.n >= memory.position.sealedTo) continue;
      const answered = credits.has(id) ? undefined : core.credit(id);
      if (answered !== undefined) credits.set(id, answered);
    }
    const run = nextCreditRun(memory.chain, memory.position, (id) => credits.get(id));
    if (run === undefined) return;
    const said = sayAs(origin, "credited", { participant, ...run }, [signer()]);
    lane.produce(frameOf("credited", said));
  };

  return {
    participant,
    signer,
    reader,
    views: (): ReadonlyMap<string, View> => memory.views,
    position: (): Memory["position"] => memory.position,
    /** The payer's side: known from here on, whatever becomes of the record. */
    begin: (terms: Terms): void => withTerms(viewOf(terms.id, "payer"), terms),
    idOf: (key: string): string => transferIdOf(participant, key),
    step: (): void => {
      if (sim.hits("crash", 0.01)) {
        memory = copyOf(stored);
        credits = new Map();
        reader.next = memory.position.nextOffset;
        return;
      }
      const turn = dice.int(5);
      ask();
      if (turn <= 1) readInbox();
      else if (turn === 2) tellCore();
      else if (turn === 3) credit();
      else stored = copyOf(memory);
    },
    /** Nothing is left to read, to tell or to credit. */
    rests: (): boolean =>
      !reader.behind() &&
      [...memory.views.values()].every(
        ({ notice, notified, status }) =>
          notified === notice && status !== "reserved" && status !== "committed",
      ) &&
      nextCreditRun(memory.chain, memory.position, () => ({ reason: undefined })) === undefined,
    isFinal: (id: string): boolean => finalStatuses.has(memory.views.get(id)?.status ?? "received"),
  };
};
