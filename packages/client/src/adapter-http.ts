// One call to an adapter over fetch: a deadline on each try, no redirects, and the retry policy.
import { AdapterRefusal, AdapterUnavailable, readProblem } from "./adapter-error.ts";
import { defaultRetry, NotNow, waitBeforeRetry, type RetryPolicy } from "./retry.ts";

export type AdapterOptions = {
  /** Such as `http://127.0.0.1:8081`. */
  readonly baseUrl: string;
  /** What the adapter's API asks of its core. */
  readonly token: string;
  /** Deadline of one try, besides what it was asked to wait; default 10 s. */
  readonly timeoutMs?: number;
  readonly retry?: RetryPolicy;
  /** For tests and proxies; default the global one. */
  readonly fetch?: typeof fetch;
};

export type CallInit = {
  readonly method: "GET" | "POST";
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asks the adapter to hold the answer back until the transfer is final (RFC 7240). */
  readonly waitSeconds?: number | undefined;
  /** Ends the call, and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
};

export type AdapterHttp = {
  readonly retry: RetryPolicy;
  /** A complete 2xx answer. @throws AdapterRefusal (4xx), AdapterUnavailable */
  text(path: string, init: CallInit): Promise<string>;
  /** A 2xx answer that is read as it comes; one try, and no deadline once it has begun. */
  stream(path: string, init: CallInit): Promise<ReadableStream<Uint8Array>>;
};

const sleep = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });

const retryAfterMs = (response: Response): number | undefined => {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
};

/** Turns what is not a 2xx into the error of one try. */
const refuse = async (response: Response): Promise<Error> => {
  const body = await response.text().catch(() => "");
  const problem = readProblem(response.status, body);
  if (response.status < 500) return new AdapterRefusal(problem);
  const message = `the adapter answered ${response.status}: ${problem.detail ?? problem.code}`;
  return new NotNow(message, retryAfterMs(response));
};

/** What fetch throws, as the error of one try; the caller's own abort goes through as it is. */
const translate = (error: unknown, url: string, signal: AbortSignal | undefined): unknown => {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof AdapterRefusal || error instanceof AdapterUnavailable) return error;
  const timedOut = error instanceof Error && error.name === "TimeoutError";
  return timedOut
    ? new AdapterUnavailable("adapter-timeout", `${url} did not answer in time`, error)
    : new AdapterUnavailable("adapter-unreachable", `${url} cannot be reached`, error);
};

export const makeAdapterHttp = (options: AdapterOptions): AdapterHttp => {
  const { token, timeoutMs = 10_000, retry = defaultRetry } = options;
  const base = options.baseUrl.replace(/\/+$/, "");
  const send = options.fetch ?? fetch;

  const begin = (path: string, init: CallInit, signals: AbortSignal[]): Promise<Response> => {
    const { method, body, waitSeconds, contentType = "application/json" } = init;
    return send(`${base}${path}`, {
      method,
      redirect: "error",
      signal: AbortSignal.any(init.signal === undefined ? signals : [init.signal, ...signals]),
      ...(body === undefined ? {} : { body }),
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "Content-Type": contentType }),
        ...(waitSeconds === undefined ? {} : { Prefer: `wait=${waitSeconds}` }),
        ...init.headers,
      },
    });
  };

  const tryOnce = async (path: string, init: CallInit): Promise<string> => {
    const deadline = AbortSignal.timeout(timeoutMs + (init.waitSeconds ?? 0) * 1_000);
    try {
      const response = await begin(path, init, [deadline]);
      if (!response.ok) throw await refuse(response);
      return await response.text();
    } catch (error) {
      throw translate(error, base, init.signal);
    }
  };

  return {
    retry,
    text: async (path, init) => {
      for (let failures = 0; ;) {
        try {
          return await tryOnce(path, init);
        } catch (error) {
          failures += 1;
          const waitMs = waitBeforeRetry(retry, failures, error, Math.random());
          if (waitMs === undefined) throw error;
          await sleep(waitMs, init.signal);
        }
      }
    },
    stream: async (path, init) => {
      const slow = new AbortController();
      // A bulk answer begins with the first line that is ready, perhaps after the whole wait.
      const beginMs = timeoutMs + (init.waitSeconds ?? 0) * 1_000;
      const timer = setTimeout(() => {
        slow.abort(new DOMException("no answer in time", "TimeoutError"));
      }, beginMs);
      try {
        const response = await begin(path, init, [slow.signal]);
        if (!response.ok) throw await refuse(response);
        if (response.body === null) throw new AdapterUnavailable("answer-invalid", "no body");
        return response.body;
      } catch (error) {
        throw translate(error, base, init.signal);
      } finally {
        clearTimeout(timer);
      }
    },
  };
};
