// Outgoing calls: kept-alive connections, a deadline on each, no redirects, bounded answers, and three
// outcomes. `ok` is any complete HTTP answer, whatever its status; `failed` means that the request
// never left; `unknown` that it may have been acted on: look the outcome up by id.
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as httpsRequest } from "node:https";

export type HttpClientOptions = {
  readonly baseUrl: string;
  /** A bearer token sent with every call. */
  readonly token?: string;
  readonly timeoutMs: number;
  /** Connections at most; further calls wait for one. Default 32. */
  readonly connections?: number;
  /** Bytes of the largest answer; default 1 MiB. */
  readonly maxAnswer?: number;
};

export type CallOptions = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Default `application/json`. */
  readonly contentType?: string;
};

export type CallOutcome =
  | {
      readonly outcome: "ok";
      readonly status: number;
      readonly body: string;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    }
  | { readonly outcome: "failed"; readonly error: Error }
  | { readonly outcome: "unknown"; readonly error: Error };

export type HttpClient = {
  readonly get: (path: string, options?: CallOptions) => Promise<CallOutcome>;
  readonly post: (
    path: string,
    body: string | Uint8Array,
    options?: CallOptions,
  ) => Promise<CallOutcome>;
  /** Closes idle and busy connections. */
  readonly close: () => void;
};

type Call = CallOptions & { readonly method: string; readonly body?: string | Uint8Array };

/** Makes a client for one peer. `path` is appended to the base URL and starts with a slash. */
export function httpClient(options: HttpClientOptions): HttpClient {
  const { baseUrl, token, timeoutMs, connections = 32, maxAnswer = 1_048_576 } = options;
  const tls = baseUrl.startsWith("https:");
  const base = baseUrl.replace(/\/+$/, "");
  const pooling = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections };
  const agent = tls ? new TlsAgent(pooling) : new Agent(pooling);
  const common = token === undefined ? {} : { Authorization: `Bearer ${token}` };

  const call = (path: string, { method, body, contentType, headers, ...own }: Call) => {
    const bodyHeaders: Record<string, string | number> = {};
    if (body !== undefined) {
      bodyHeaders["Content-Type"] = contentType ?? "application/json";
      bodyHeaders["Content-Length"] = Buffer.byteLength(body);
    }
    const request = tls ? httpsRequest : httpRequest;
    const out = request(base + path, {
      method,
      agent,
      headers: { ...common, ...bodyHeaders, ...headers },
    });
    return perform(out, body, own.timeoutMs ?? timeoutMs, maxAnswer);
  };
  return {
    get: (path, own = {}) => call(path, { ...own, method: "GET" }),
    post: (path, body, own = {}) => call(path, { ...own, method: "POST", body }),
    close: () => agent.destroy(),
  };
}

function perform(
  out: ClientRequest,
  body: string | Uint8Array | undefined,
  timeoutMs: number,
  maxAnswer: number,
): Promise<CallOutcome> {
  return new Promise((resolve) => {
    let sent = false;
    const timer = setTimeout(() => {
      out.destroy(new DOMException(`no answer within ${timeoutMs} ms`, "TimeoutError"));
    }, timeoutMs);
    const end = (outcome: CallOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const fail = (error: Error): void => end({ outcome: sent ? "unknown" : "failed", error });
    out.on("socket", (socket) => {
      if (!socket.connecting) sent = true;
      else socket.once("connect", () => (sent = true));
    });
    out.on("error", fail);
    out.on("response", (answer) => {
      collect(answer, maxAnswer).then((text) => {
        end({ outcome: "ok", status: answer.statusCode ?? 0, body: text, headers: answer.headers });
      }, fail);
    });
    out.end(body);
  });
}

function collect(answer: IncomingMessage, maxAnswer: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    answer.on("data", (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > maxAnswer) answer.destroy(new Error(`the answer is over ${maxAnswer} bytes`));
    });
    answer.on("end", () => resolve(Buffer.concat(chunks, size).toString("utf8")));
    answer.on("error", reject);
    answer.on("close", () => {
      if (!answer.complete) reject(new Error("the answer was cut off"));
    });
  });
}
