// The shapes of statements, as tables that the verifiers in Go and Python read: they are the protocol's
// own schemas, and this test keeps them so. `vitest -u` writes them after a change.
import { allCurrencies, currencyExponent } from "@sealane/money";
import { expect, it } from "vitest";
import { z } from "zod";
import { entryContextSchema } from "./entry.ts";
import { keyEntryContextSchema, keyStatementSchemas } from "./key-log.ts";
import { carriedSchema, liquidityOutSchema, slotsOutSchema } from "./lane-moves.ts";
import { rateSheetSchema, rateWithdrawalSchema } from "./rate-sheet.ts";
import {
  adjustmentSchema,
  bankStatementSchema,
  liquiditySchema,
  settlementAbortSchema,
  settlementSchema,
  windowCutSchema,
  windowDefaultSchema,
  windowNetSchema,
} from "./settlement.ts";
import { recallRefusalSchema, recallSchema, returnSchema } from "./returns.ts";
import {
  advanceSchema,
  cancellationSchema,
  chainStatementSchema,
  creditedSchema,
  rejectionSchema,
  termsSchema,
} from "./terms.ts";

const entries = {
  transfer: termsSchema,
  rejection: rejectionSchema,
  cancellation: cancellationSchema,
  "rate-sheet": rateSheetSchema,
  "rate-withdrawal": rateWithdrawalSchema,
  credited: creditedSchema,
  statement: chainStatementSchema,
  advance: advanceSchema,
  "window-cut": windowCutSchema,
  "window-net": windowNetSchema,
  "bank-statement": bankStatementSchema,
  settlement: settlementSchema,
  liquidity: liquiditySchema,
  "window-default": windowDefaultSchema,
  "settlement-abort": settlementAbortSchema,
  adjustment: adjustmentSchema,
  "liquidity-out": liquidityOutSchema,
  "liquidity-in": carriedSchema,
  "slots-out": slotsOutSchema,
  "slots-in": carriedSchema,
  return: returnSchema,
  recall: recallSchema,
  "recall-refusal": recallRefusalSchema,
};

const shapeOf = (schema: z.ZodType): object => {
  const { $schema: _, ...shape } = z.toJSONSchema(schema);
  return shape;
};

const tables = {
  kinds: Object.keys(entries),
  decimals: Object.fromEntries(allCurrencies().map((code) => [code, currencyExponent(code)])),
  shapes: Object.fromEntries(
    Object.entries({
      entry: entryContextSchema,
      "key-entry": keyEntryContextSchema,
      ...entries,
      ...keyStatementSchemas,
    }).map(([kind, schema]) => [kind, shapeOf(schema)]),
  ),
};

it.each(["go", "python"])("are those that the verifier in %s reads", async (language) => {
  const text = `${JSON.stringify(tables, undefined, 1)}\n`;
  await expect(text).toMatchFileSnapshot(`../../../verifiers/${language}/statements.json`);
});
