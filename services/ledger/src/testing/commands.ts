// For tests: the bytes of a small lane's topic, with a fresh sheet, cover, transfers and their acceptances;
// and the oracle that looks at what a lane has stored and published of them.
import type { Sql } from "@sealane/database";
import { makeWorld, origin, say, testKeys, type TestKey } from "@sealane/rules/testing";
import { auditEntry, auditRoot, beginAudit } from "@sealane/rules";
import { parseCheckpointText, parseNote, toBase64 } from "@sealane/tlog";
import type { RawCommand } from "../open-command.ts";
import type { Outgoing } from "../publisher.ts";

export const testWorld = makeWorld();
const history = testWorld.keyLog.history();
const cited = { size: history.size, root: history.roots[history.size] ?? "" };

/** A test key as a service holds it. */
export const material = ({ name, seed, vkey, key }: TestKey) =>
  ({ name, seed, vkey, type: 1, keyId: key.keyId, publicKey: key.publicKey }) as const;

/** What every test lane of this world is started with. */
export const testLaneKeys = {
  origin,
  keys: () => ({ keys: testWorld.keys(), cited }),
  history: () => history,
  entryKey: material(testKeys.entry),
  checkpointKey: material(testKeys.checkpoint),
};

const frame = (kind: string, { note }: { readonly note: string }): string =>
  JSON.stringify({ v: 1, kind, note });

/** Records that ask for `count` transfers, and their acceptances: to be pushed once they are proposed. */
export const makeTransfers = (count: number) => {
  const from = makeWorld();
  const keys = from.keys();
  const sheet = say.rateSheet(keys, say.makeSheet({ number: 1 }, from.nowMs()));
  const priced = { sheet: sheet.body, hash: say.sheetHash(sheet) };
  const fund = (participant: string, currency: string, amount: string): string =>
    frame(
      "advance",
      say.advance(keys, { key: `${participant} ${currency}`, participant, currency, amount }),
    );
  const intents = Array.from({ length: count }, (_, at) =>
    say.intent(keys, say.makeTerms(priced, from.nowMs(), { key: `transfer-${at}` })),
  );
  const accept = ({ body, text }: (typeof intents)[number]): string =>
    JSON.stringify({
      v: 1,
      kind: "acceptance",
      id: body.id,
      line: say.acceptance(keys, body.id, text).line?.line,
    });
  const lines = [
    frame("rate-sheet", sheet),
    fund("hk-wallet.example", "HKD", "1000000.00"),
    fund("fx-desk.example", "PHP", "10000000.00"),
    ...intents.map((intent) => frame("intent", intent)),
  ];
  const records: RawCommand[] = lines.map((value, at) => ({
    offset: BigInt(at),
    value: Buffer.from(value),
  }));
  return {
    records,
    accepts: intents.map(accept),
    ids: intents.map(({ body }) => body.id),
    /** Entries that the lane has in the end. */
    entries: 3 + count,
    nowMs: from.nowMs() + 1_000,
  };
};

/** What is wrong with a stored lane: nothing lost, nothing twice, and all of it stands. */
export const faultsOfStored = async (sql: Sql, ids: readonly string[]): Promise<string[]> => {
  const faults: string[] = [];
  const { rows } = await sql.query<{ bytes: Buffer }>({
    text: "select bytes from entry order by seq",
  });
  const state = beginAudit({ origin, history, signatures: true });
  const committed: string[] = [];
  for (const { bytes } of rows) {
    const result = auditEntry(state, bytes.toString("utf8"));
    if (!result.ok) return [`entry ${result.position}: ${result.code}`];
    const { context, transferId } = result.entry;
    if (context.outcome === "committed" && transferId !== undefined) committed.push(transferId);
  }
  if (committed.toSorted().join() !== ids.toSorted().join()) faults.push("other transfers ended");
  const { rows: lanes } = await sql.query<{ size: bigint; checkpoint: string }>({
    text: "select size, checkpoint from lane",
  });
  const { size, root } = parseCheckpointText(parseNote(lanes[0]?.checkpoint ?? "").text);
  if (size !== rows.length || Number(lanes[0]?.size) !== size) faults.push("sizes differ");
  if (toBase64(root) !== toBase64(auditRoot(state))) faults.push("another root was signed");
  const { rows: stored } = await sql.query<{
    account: string;
    currency: string;
    posted_debit: bigint;
    pending_debit: bigint;
  }>({ text: "select account, currency, posted_debit, pending_debit from balance" });
  for (const { account, currency, posted_debit, pending_debit } of stored) {
    const audited = state.balances.get(`${account} ${currency}`)?.postedDebit ?? 0n;
    if (posted_debit !== audited || pending_debit !== 0n) faults.push(`balance of ${account}`);
  }
  return faults;
};

/** What is wrong with what was published to inboxes: numbers without gap, one meaning each, every entry. */
export const faultsOfPublished = (published: readonly Outgoing[], entries: number): string[] => {
  const faults: string[] = [];
  const byInbox = new Map<string, Map<number, string>>();
  for (const { topic, value } of published) {
    if (!topic.startsWith("inbox.")) continue;
    const { n, type, items } = JSON.parse(value.toString()) as {
      n: number;
      type: string;
      items: { type: string; seq?: number }[];
    };
    if (type !== "batch") continue;
    const known = byInbox.get(topic) ?? new Map<number, string>();
    byInbox.set(topic, known);
    // A proposal that has ended meanwhile is left out when it is told again.
    const lasting = JSON.stringify(items.filter((item) => item.type !== "proposal"));
    if ((known.get(n) ?? lasting) !== lasting) faults.push(`${topic} ${n} has two meanings`);
    known.set(n, lasting);
  }
  const told = new Set<number>();
  for (const [topic, messages] of byInbox) {
    for (let n = 0; n < messages.size; n += 1) {
      const text = messages.get(n);
      if (text === undefined) faults.push(`${topic} lacks ${n}`);
      const items = JSON.parse(text ?? "[]") as { seq?: number }[];
      for (const seq of items.flatMap((item) => item.seq ?? [])) told.add(seq);
    }
  }
  if (told.size !== entries) faults.push(`${told.size} of ${entries} entries were told`);
  return faults;
};
