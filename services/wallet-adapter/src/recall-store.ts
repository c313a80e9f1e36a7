// Recalls of transfers to us that have no answer on the log yet: one of an original at a time. Written at
// once, before the inbox's position that covers them, so that a restart forgets none.
import type { Sql } from "@sealane/database";
import type { MoneyField, RecallReason } from "@sealane/protocol";

export type OpenRecall = {
  readonly recallId: string;
  /** The transfer that is asked back. */
  readonly original: string;
  /** The payer's signed statement, whole: a refusal carries it. */
  readonly note: string;
  readonly amount: MoneyField;
  /** The sender may cancel: it can be refused only once it was paid out. */
  readonly cancel: boolean;
  readonly reason: RecallReason;
};

export type RecallStore = ReturnType<typeof makeRecallStore>;

export const makeRecallStore = (sql: Sql) => ({
  /** A cancellation takes the place of a recall. */
  keep: async (recall: OpenRecall): Promise<void> => {
    await sql.query({
      text: `insert into recall (original, body) values ($1, $2)
        on conflict (original) do update set body = excluded.body`,
      values: [recall.original, JSON.stringify(recall)],
    });
  },
  close: async (original: string): Promise<void> => {
    await sql.query({ text: "delete from recall where original = $1", values: [original] });
  },
  readOpen: async (): Promise<OpenRecall[]> => {
    const { rows } = await sql.query<{ body: string }>({ text: "select body from recall" });
    return rows.map(({ body }) => JSON.parse(body) as OpenRecall);
  },
});
