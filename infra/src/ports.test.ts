import { execFile } from "node:child_process";
import { createServer, type AddressInfo, type Server } from "node:net";
import { promisify } from "node:util";
import { afterEach, expect, it } from "vitest";
import { checkPortsFree, freePort } from "./ports.ts";
import { portsFromEnv } from "./world.ts";

const servers: Server[] = [];

function occupy(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    servers.push(server);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

afterEach(() => servers.splice(0).forEach((server) => server.close()));

it("names every taken port with the variable that moves it, and no free one", async () => {
  const [first, second, free] = [await occupy(), await occupy(), await freePort()];
  const check = checkPortsFree([
    { name: "console", port: first, env: "CONSOLE_PORT" },
    { name: "ledger", port: free, env: "LEDGER_PORT" },
    { name: "Kafka", port: second, env: "KAFKA_PORT" },
  ]);
  const error: unknown = await check.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "ports-taken" });
  expect(String(error)).toContain(`127.0.0.1:${first} (console): move it with CONSOLE_PORT=PORT`);
  expect(String(error)).toContain(`127.0.0.1:${second} (Kafka): move it with KAFKA_PORT=PORT`);
  expect(String(error)).not.toContain("LEDGER_PORT");
});

it("names a port that is given to two", async () => {
  const port = await freePort();
  const twice = [
    { name: "console", port, env: "CONSOLE_PORT" },
    { name: "ledger", port, env: "LEDGER_PORT" },
  ];
  await expect(checkPortsFree(twice)).rejects.toThrow(`127.0.0.1:${port} is given twice`);
});

it("passes when all are free", async () => {
  const ports = [{ name: "console", port: await freePort(), env: "CONSOLE_PORT" }];
  await expect(checkPortsFree(ports)).resolves.toBeUndefined();
});

it("takes free ports from below those of outgoing connections", async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort));
  for (const port of ports) expect(port).toBeLessThan(32_768);
  await expect(
    checkPortsFree(ports.map((port) => ({ name: "a", port, env: "A" }))),
  ).resolves.toBeUndefined();
});

it("gives no port twice, to nobody on this machine, before anything listens there", async () => {
  const given = await Promise.all(Array.from({ length: 500 }, freePort));
  expect(new Set(given).size).toBe(given.length);
  const module = new URL("./ports.ts", import.meta.url).href;
  const code = `const { freePort } = await import(${JSON.stringify(module)});
    console.log(JSON.stringify(await Promise.all(Array.from({ length: 200 }, freePort))));`;
  const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);
  const others = JSON.parse((await run).stdout) as number[];
  expect(others).toHaveLength(200);
  expect(others.filter((port) => given.includes(port))).toEqual([]);
});

it("names every variable that is no port, and takes an empty one as not given", () => {
  const env = {
    SEALANE_HK_ADAPTER_PORT: "abc",
    SEALANE_FX_PORT: "0",
    SEALANE_LEDGER_PORT: "65536",
    SEALANE_CONSOLE_PORT: "",
  };
  expect(() => portsFromEnv(env)).toThrow(
    /HK_ADAPTER_PORT=abc(?:.|\n)*LEDGER_PORT=65536(?:.|\n)*FX_PORT=0/,
  );
  expect(portsFromEnv({ SEALANE_CONSOLE_PORT: "" }).console).toBe(8080);
  expect(portsFromEnv({ SEALANE_FX_PORT: "65535" }).fxDesk).toBe(65_535);
});
