// The rows that say that operators' decisions were followed, hung on the statement that saves the batch:
// they move with the lane, or not at all. Batches without any are saved by the statement as it is.
import { pgArray } from "@sealane/database";
import { invariant } from "@sealane/runtime";
import type { BatchToSave } from "./batch-to-save.ts";
import type { saveBatchSql } from "./lane-sql.ts";

type Statement = ReturnType<typeof saveBatchSql>;

const end = "\nselect lane from moved";

export const withSetAside = (statement: Statement, { outcome }: BatchToSave): Statement => {
  if (outcome.setAside.length === 0) return statement;
  const { text, values } = statement;
  const at = text.lastIndexOf(end);
  invariant(at > 0, "the statement that saves a batch ends by saying whether the lane moved");
  const parameter = values.length + 1;
  const rows = `, followed as (
  insert into set_aside (lane, input_offset, batch, time_ms)
  select lane, input_offset, $8, $4 from moved, unnest($${parameter}::bigint[]) as t(input_offset)
)`;
  return {
    name: "lane-save-set-aside",
    text: `${text.slice(0, at)}${rows}${end}`,
    values: [
      ...values,
      pgArray(
        "int8",
        outcome.setAside.map(({ offset }) => offset),
      ),
    ],
  };
};
