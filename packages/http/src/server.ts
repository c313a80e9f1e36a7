// Listening: tight limits instead of node's minutes, problems even for what is not HTTP, and a close
// that lets requests under way finish.
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { HttpApp } from "./app.ts";
import { problem } from "./problem.ts";

export type HttpServer = {
  /** Such as `http://127.0.0.1:8083`. */
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** Stops accepting, waits for requests under way (5 s at most), then cuts the rest. */
  readonly close: () => Promise<void>;
};

const CLOSE_MS = 5_000;

/** Starts listening. Rejects with node's own error (`EADDRINUSE` and such). */
export async function startHttp(options: {
  readonly app: HttpApp;
  readonly port: number;
  readonly host?: string;
}): Promise<HttpServer> {
  const { app, port, host = "127.0.0.1" } = options;
  const server = createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: 15_000,
      connectionsCheckingInterval: 2_000,
      keepAliveTimeout: 30_000,
      maxHeaderSize: 8_192,
      noDelay: true,
    },
    app.express,
  );
  server.on("clientError", answerUnreadable);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const actual = (server.address() as AddressInfo).port;
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${name}:${actual}`,
    port: actual,
    server,
    close: () => closeServer(server),
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Answers what node could not even parse. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, title, action] = unreadable(error.code);
  const body = JSON.stringify(problem({ status, code, title, action }).toBody());
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

type Unreadable = [status: number, code: string, title: string, action: string];

function unreadable(code: string | undefined): Unreadable {
  if (code === "HPE_HEADER_OVERFLOW") {
    const action = "Send fewer and shorter headers: 8 KiB in all.";
    return [431, "headers-too-large", "Headers too large", action];
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    const action = "Send the whole request within 15 seconds, with the length that it declares.";
    return [408, "request-timeout", "Request too slow", action];
  }
  const action = "Send HTTP/1.1, with Content-Length or Transfer-Encoding, never both.";
  return [400, "http-malformed", "Not an HTTP request", action];
}
