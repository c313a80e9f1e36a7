// A TCP proxy with faults: what stands between a service and what it depends on. It passes, delays both
// ways, swallows answers only, holds everything, or cuts; it resets its connections once or again and
// again, and it can be turned to another target, as a load balancer is.
import { createConnection, createServer, type Socket } from "node:net";

export type ProxyMode =
  | { readonly kind: "pass" }
  /** Every piece comes so much later, in order, both ways. */
  | { readonly kind: "delay"; readonly ms: number }
  /** Requests arrive; answers do not. */
  | { readonly kind: "drop-answers" }
  /** Connections stay open and nothing passes. */
  | { readonly kind: "hold" }
  /** Open connections are reset and new ones refused. */
  | { readonly kind: "cut" };

export type TcpProxy = {
  readonly port: number;
  readonly mode: () => ProxyMode;
  /** Connections that a fault has left without some of their bytes are reset by the next mode. */
  set(mode: ProxyMode): void;
  /** Resets every open connection. @returns how many there were */
  reset(): number;
  /** Resets again and again, until the function that it answers with is called. */
  resetEvery(ms: number): () => void;
  /** New connections go to another port; open ones are reset. */
  retarget(port: number): void;
  stop(): Promise<void>;
};

type Link = { readonly client: Socket; readonly server: Socket; maimed: boolean };

const destroy = ({ client, server }: Link): void => {
  client.resetAndDestroy();
  server.resetAndDestroy();
};

/** Listens on `port` of 127.0.0.1 and passes everything on to `target`. */
export const startTcpProxy = async (port: number, target: number): Promise<TcpProxy> => {
  const links = new Set<Link>();
  let mode: ProxyMode = { kind: "pass" };
  let to = target;

  const carry = (link: Link, from: Socket, into: Socket, isAnswer: boolean): void => {
    from.on("data", (chunk) => {
      if (mode.kind === "hold" || (mode.kind === "drop-answers" && isAnswer)) {
        link.maimed = true;
        return;
      }
      if (mode.kind === "delay") {
        setTimeout(() => into.writable && into.write(chunk), mode.ms);
        return;
      }
      if (into.write(chunk)) return;
      from.pause();
      into.once("drain", () => from.resume());
    });
    from.on("end", () => into.end());
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    // A reset that the other side has seen already is no fault of ours.
    client.on("error", () => undefined);
    if (mode.kind === "cut") {
      client.resetAndDestroy();
      return;
    }
    const upstream = createConnection({ host: "127.0.0.1", port: to, allowHalfOpen: true });
    const link: Link = { client, server: upstream, maimed: false };
    links.add(link);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    carry(link, client, upstream, false);
    carry(link, upstream, client, true);
    const ended = (): void => {
      links.delete(link);
      destroy(link);
    };
    upstream.on("error", () => undefined);
    client.on("close", ended);
    upstream.on("close", ended);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });

  const reset = (which: (link: Link) => boolean = () => true): number => {
    const chosen = [...links].filter(which);
    for (const link of chosen) destroy(link);
    return chosen.length;
  };

  return {
    port,
    mode: () => mode,
    set: (next) => {
      mode = next;
      reset((link) => next.kind === "cut" || link.maimed);
    },
    reset: () => reset(),
    resetEvery: (ms) => {
      const timer = setInterval(() => reset(), ms);
      return () => clearInterval(timer);
    },
    retarget: (next) => {
      to = next;
      reset();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        reset();
      }),
  };
};
