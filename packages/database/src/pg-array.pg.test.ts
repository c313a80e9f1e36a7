// Binary arrays, read back by a real server.
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openServiceDatabase } from "./service-database.ts";
import { pgArray } from "./pg-array.ts";

let opened: ReturnType<typeof openServiceDatabase>;
beforeAll(() => {
  opened = openServiceDatabase({
    url: inject("databaseUrl"),
    user: "",
    passwordFile: undefined,
    schema: "public",
    applicationName: "pg-array-test",
    poolSize: 1,
    onConnectionLost: () => undefined,
  });
});
afterAll(() => opened.database.close());

const back = async (type: Parameters<typeof pgArray>[0], values: Parameters<typeof pgArray>[1]) => {
  const { rows } = await opened.sql.query<{ value: unknown }>({
    text: `select value from unnest($1::${type}[]) with ordinality as t(value, at) order by at`,
    values: [pgArray(type, values)],
  });
  return rows.map(({ value }) => value);
};

const texts = [
  "",
  "plain",
  'a "quoted", {braced} \\ one',
  "NULL",
  "多字节 🙂\n",
  "x".repeat(70_000),
];
const uuid = "6ecd8c99-4036-403d-bf84-cf8400f67836";

test.each([
  ["text", texts, texts],
  ["text", ["a", null, undefined, "b"], ["a", null, null, "b"]],
  ["text", [], []],
  ["int8", [0, -1, 2 ** 53 - 1, -(2n ** 63n), null], [0n, -1n, 2n ** 53n - 1n, -(2n ** 63n), null]],
  ["int4", [0, -1, 2 ** 31 - 1], [0, -1, 2 ** 31 - 1]],
  ["bool", [true, false, null], [true, false, null]],
  ["uuid", [uuid, null], [uuid, null]],
  ["bytea", [new Uint8Array(), Uint8Array.of(0, 255)], [Buffer.alloc(0), Buffer.from([0, 255])]],
] as const)("%s: %#", async (type, values, expected) => {
  expect(await back(type, values)).toEqual(expected);
});
