// A door from a container's own addresses to its loopback, byte for byte. Services listen on 127.0.0.1
// alone, and a published port of a container arrives at another of its addresses.
import { connect, createServer, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";

export type Door = {
  /** The address to listen on. */
  readonly host: string;
  readonly port: number;
  /** The port of 127.0.0.1 that answers; default the same. */
  readonly targetPort?: number;
};

const connectMs = 5_000;

/** This machine's IPv4 addresses without loopback. */
export const outsideAddresses = (interfaces = networkInterfaces()): string[] =>
  Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);

/** Each end's bytes and end for the other; when one fails both are cut. */
const join = (outside: Socket, port: number): void => {
  const inside = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
  const cut = (): void => {
    outside.destroy();
    inside.destroy();
  };
  inside.setTimeout(connectMs, cut);
  inside.once("connect", () => inside.setTimeout(0));
  outside.on("error", cut);
  inside.on("error", cut);
  outside.pipe(inside).pipe(outside);
};

/** Starts listening. Rejects with node's own error (`EADDRINUSE` and such). */
export const openDoor = ({ host, port, targetPort = port }: Door): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      join(socket, targetPort);
    });
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
