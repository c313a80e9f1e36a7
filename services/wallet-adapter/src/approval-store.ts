// Held transfers in Postgres: few, small, short-lived, and written before anybody is told.
import type { Sql } from "@sealane/database";
import type { EnvelopeField } from "@sealane/protocol";
import type { TransferView } from "./views.ts";

export type Held = {
  /** As it was when it was held; its terms are the note with the payer's signature. */
  readonly view: TransferView;
  /** The text that everybody signs. */
  readonly text: string;
  /** The payer's own lines. */
  readonly lines: readonly string[];
  readonly envelope: EnvelopeField | undefined;
  /** How many operators the policy asked for when it was held. */
  readonly needed: number;
  readonly requestedAtMs: number;
  readonly expiresAtMs: number;
  /** Operators' lines so far, by the name of the key. */
  readonly approvals: Readonly<Record<string, string>>;
};

export type ApprovalStore = ReturnType<typeof makeApprovalStore>;

export const makeApprovalStore = (sql: Sql) => ({
  save: async (held: Held): Promise<void> => {
    await sql.query({
      text: `insert into approval (id, body) values ($1, $2)
        on conflict (id) do update set body = excluded.body`,
      values: [held.view.id, JSON.stringify(held)],
    });
  },
  remove: async (id: string): Promise<void> => {
    await sql.query({ text: "delete from approval where id = $1", values: [id] });
  },
  readAll: async (): Promise<Held[]> => {
    const { rows } = await sql.query<{ body: string }>({ text: "select body from approval" });
    return rows.map(({ body }) => JSON.parse(body) as Held);
  },
});
