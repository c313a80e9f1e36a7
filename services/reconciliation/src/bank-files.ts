// A bank's camt file beside what the bank has signed: held against its schema, its digest and its lines
// must be the signed ones, and what was handed to the lane is kept by its digest.
import { createHash } from "node:crypto";
import type { Sql } from "@sealane/database";
import { Iso20022Error, saysTheSame, type XmlLimits } from "@sealane/iso20022";
import type { BankStatement } from "@sealane/protocol";
import type { SettlementFault } from "@sealane/rules";

/** The longest statement has 10,000 lines, which is 5 MB and 250,000 elements. */
export const bankFileLimits: XmlLimits = { bytes: 16_777_216, depth: 32, elements: 600_000 };

const fault = (code: string, detail: string): SettlementFault => ({ code, detail });

export const digestOf = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("base64");

/**
 * Why the file is not the one that was signed, or undefined. `wrong-file`: another one, or it says
 * something else; other codes are the reader's, for what is no valid camt file.
 * @param statement whole, with the lines of all of its parts
 */
export const bankFileFault = async (
  bytes: Uint8Array,
  { digest, window, lines }: BankStatement,
): Promise<SettlementFault | undefined> => {
  if (digestOf(bytes) !== digest) return fault("wrong-file", "the bank has signed another file");
  // Loaded when first needed: the validator is the largest thing that the service would hold.
  const { readValid } = await import("@sealane/iso20022/schema");
  const read = readValid(bytes, bankFileLimits);
  if (!read.ok) return fault(read.code, read.detail);
  try {
    if (saysTheSame(read.value, { window, lines })) return undefined;
  } catch (error) {
    if (error instanceof Iso20022Error) return fault(error.code, error.message);
    throw error;
  }
  return fault("wrong-file", "the file says something else than what is signed");
};

export type BankFiles = ReturnType<typeof makeBankFiles>;

export const makeBankFiles = (sql: Sql) => ({
  keep: async (principal: string, atMs: number, bytes: Uint8Array): Promise<void> => {
    await sql.query({
      name: "bank-file-keep",
      text: `insert into bank_file (digest, at_ms, principal, content) values ($1, $2, $3, $4)
        on conflict do nothing`,
      values: [digestOf(bytes), atMs, principal, Buffer.from(bytes)],
    });
  },
  find: async (digest: string): Promise<Buffer | undefined> => {
    const { rows } = await sql.query<{ content: Buffer }>({
      name: "bank-file-find",
      text: "select content from bank_file where digest = $1",
      values: [digest],
    });
    return rows[0]?.content;
  },
});
