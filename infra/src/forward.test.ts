import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { openDoor, outsideAddresses } from "./forward.ts";
import { freePort } from "./ports.ts";

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Another loopback address stands for the container's own. */
const outside = "127.0.0.2";

const answering = async (): Promise<{ server: Server; port: number }> => {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.end("x".repeat(1_000_000)));
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
};

describe("a door", () => {
  test("carries a request in and a whole answer out", async () => {
    const { port } = await answering();
    servers.push(await openDoor({ host: outside, port }));
    const response = await fetch(`http://${outside}:${port}/`, {
      method: "POST",
      body: "y".repeat(300_000),
      headers: { connection: "close" },
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toHaveLength(1_000_000);
  });

  test("hangs up on a caller when nothing answers inside", async () => {
    const port = await freePort();
    servers.push(await openDoor({ host: outside, port }));
    const socket = connect({ host: outside, port }).on("error", () => undefined);
    await once(socket.resume(), "close");
    expect(socket.destroyed).toBe(true);
  });

  test("rejects a port that is taken", async () => {
    const { port } = await answering();
    await expect(openDoor({ host: "127.0.0.1", port })).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
  });
});

test("loopback and IPv6 are not among the outside addresses", () => {
  const base = { netmask: "", mac: "", cidr: null };
  const addresses = outsideAddresses({
    lo: [{ ...base, address: "127.0.0.1", family: "IPv4", internal: true }],
    eth0: [
      { ...base, address: "172.18.0.4", family: "IPv4", internal: false },
      { ...base, address: "fe80::1", family: "IPv6", internal: false, scopeid: 1 },
    ],
  });
  expect(addresses).toEqual(["172.18.0.4"]);
});
