// Stands in for `@sealane/database` in a process that was started with failpoints.
import { openServiceDatabase as open, type Sql } from "@sealane/database";
import { around, pointsOfStatement } from "./failpoint.ts";

export * from "@sealane/database";

export const openServiceDatabase: typeof open = (options) => {
  const opened = open(options);
  const query: Sql["query"] = (statement) =>
    around(pointsOfStatement(statement.name ?? ""), () => opened.sql.query(statement));
  return { ...opened, sql: { query } };
};
