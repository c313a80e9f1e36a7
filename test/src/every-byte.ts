// Everything that a system has written down: every table of every schema, every topic, every file of logs,
// traces and exports, as text to be searched. What is base64 is searched decoded too.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createDatabase } from "@sealane/database";
import { createMessaging } from "@sealane/messaging";
import { deadLetterTopic, entriesTopic, inboxTopic, laneTopic } from "@sealane/protocol";
import type { WholeSystem } from "./whole-system.ts";

/** A place, such as `adapter_hk.evidence`, and what is there. */
export type Written = { readonly place: string; readonly text: string };

export type Row = Readonly<Record<string, unknown>>;

const parties = ["hk-wallet.example", "ph-wallet.example", "fx-desk.example"];

export const allTopics: readonly string[] = [
  laneTopic(0),
  entriesTopic(0),
  ...parties.map((party) => inboxTopic(party)),
  ...["ledger", "reconciliation", ...parties].map((service) => deadLetterTopic(service)),
];

const textOf = (value: unknown): string => {
  if (Buffer.isBuffer(value)) return value.toString("latin1");
  if (typeof value === "string") return value;
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === "bigint" ? `${one}` : one));
};

/** Every row of every table that is not the server's own, by `schema.table`. */
export const readTables = async (system: WholeSystem): Promise<Map<string, Row[]>> => {
  const { pool, close } = createDatabase({
    url: system.stack.databaseUrl,
    applicationName: "test-dump",
    poolSize: 1,
    schema: "public",
    statementTimeoutMs: 30_000,
  });
  try {
    const { rows: tables } = await pool.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    const found = new Map<string, Row[]>();
    for (const { name } of tables) {
      const { rows } = await pool.query<Row>(`select * from ${name}`);
      found.set(name, rows);
    }
    return found;
  } finally {
    await close();
  }
};

export const tableTexts = (tables: ReadonlyMap<string, readonly Row[]>): Written[] =>
  [...tables].flatMap(([place, rows]) =>
    rows.map((row) => ({ place, text: Object.values(row).map(textOf).join("\n") })),
  );

const readTopic = async (brokers: string, topic: string): Promise<Written[]> => {
  const messaging = createMessaging({ brokers: brokers.split(","), clientId: "test-dump" });
  const { low, high } = await messaging.admin().topicOffsets(topic);
  const found: Written[] = [];
  if (low === high) return found;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const consumer = messaging.consumer({
    topic,
    groupId: "test-dump",
    fromOffset: () => Promise.resolve(low),
    onBatch: (records) => {
      for (const { key, value, headers } of records) {
        const text = Buffer.from(value ?? []).toString("utf8");
        found.push({ place: topic, text: `${key}\n${JSON.stringify(headers)}\n${text}` });
      }
      if ((records.at(-1)?.offset ?? 0n) + 1n >= high) resolve();
      return Promise.resolve();
    },
    onError: (error) => {
      reject(error);
    },
  });
  try {
    await promise;
  } finally {
    await consumer.stop();
  }
  return found;
};

export const readTopics = async ({ stack }: WholeSystem): Promise<Written[]> => {
  const found: Written[] = [];
  for (const topic of allTopics) found.push(...(await readTopic(stack.brokers, topic)));
  return found;
};

/** Every file below a folder. */
export const readFiles = (folder: string): Written[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((place) => ({ place, text: readFileSync(place, "latin1") }));

const base64 = /[A-Za-z0-9+/]{24,}={0,2}/g;

/** Places where one of the needles stands, in clear or below base64. */
export const placesOf = (written: readonly Written[], needles: readonly string[]): string[] => {
  const has = (text: string): boolean => needles.some((needle) => text.includes(needle));
  const found = written.filter(({ text }) => {
    if (has(text)) return true;
    const decoded = (text.match(base64) ?? []).map((one) => Buffer.from(one, "base64"));
    return decoded.some((bytes) => has(bytes.toString("latin1")));
  });
  return [...new Set(found.map(({ place }) => place))];
};
