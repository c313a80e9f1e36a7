// A service that starts before its Postgres can be reached.
import { once } from "node:events";
import { createConnection, createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, expect, inject, test } from "vitest";
import { openServiceDatabase, type ServiceDatabaseOptions } from "./service-database.ts";

const target = new URL(inject("databaseUrl"));

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** What stands where Postgres will be: at first it refuses everybody. */
const startDoor = async (): Promise<{ url: string; open: () => void }> => {
  let isOpen = false;
  const server: Server = createServer((client) => {
    client.on("error", () => undefined);
    if (!isOpen) {
      client.resetAndDestroy();
      return;
    }
    const inner = createConnection({ host: target.hostname, port: Number(target.port) });
    inner.on("error", () => undefined);
    client.pipe(inner).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  undo.push(() => void server.close());
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return { url: url.href, open: () => (isOpen = true) };
};

const openAt = (url: string, more: Partial<ServiceDatabaseOptions>) => {
  const { database, sql } = openServiceDatabase({
    url,
    user: target.username,
    passwordFile: undefined,
    schema: "public",
    applicationName: "service-database-test",
    poolSize: 1,
    onConnectionLost: () => undefined,
    ...more,
  });
  undo.push(() => database.close());
  return sql;
};

test("waits for its server, and says so", async () => {
  const { url, open } = await startDoor();
  let failures = 0;
  const sql = openAt(url, {
    waitForServer: true,
    onConnectionLost: () => {
      failures += 1;
      if (failures === 2) open();
    },
  });
  const { rows } = await sql.query({ text: "select 1 as one" });
  expect(rows).toEqual([{ one: 1 }]);
  expect(failures).toBe(2);
});

test("fails at once where nobody asked it to wait", async () => {
  const { url } = await startDoor();
  const asked = openAt(url, {}).query({ text: "select 1" });
  await expect(asked).rejects.toMatchObject({ code: "connection" });
});

test("does not wait for a server that will never have it", async () => {
  const url = new URL(target);
  url.password = "wrong";
  const asked = openAt(url.href, { waitForServer: true }).query({ text: "select 1" });
  await expect(asked).rejects.toThrow(/password/);
});
