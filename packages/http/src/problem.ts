// RFC 9457 problem details: the one shape of every refusal and failure that leaves over HTTP.
// A problem says what is wrong (`detail`), where (`errors[].pointer`, RFC 6901) and what to do
// (`action`). It never carries internals, nor the values that were sent.

/** One fault in a request; `pointer` is a JSON pointer into the body, or `#/query/name` and such. */
export type ProblemFault = {
  readonly pointer: string;
  readonly detail: string;
  readonly code: string;
};

export type ProblemInit = {
  readonly status: number;
  /** A stable kebab-case word that clients branch on. */
  readonly code: string;
  readonly title: string;
  readonly detail?: string;
  /** The one place the problem is about; becomes `errors` with one element. */
  readonly pointer?: string;
  readonly errors?: readonly ProblemFault[];
  /** What the caller can do about it, in one sentence. */
  readonly action?: string;
  /** More members of the problem object. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** More response headers, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** A problem as it goes over the wire. */
export type ProblemBody = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly instance?: string;
  readonly errors?: readonly ProblemFault[];
  readonly action?: string;
  readonly [member: string]: unknown;
};

/** A refusal on its way out; a handler may return it or throw it. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly #init: ProblemInit;

  constructor(init: ProblemInit) {
    super(init.detail ?? init.title);
    this.name = "Problem";
    this.status = init.status;
    this.code = init.code;
    this.headers = init.headers ?? {};
    this.#init = init;
  }

  /** The body; `instance` names this occurrence, and is what a log line of it carries too. */
  toBody(instance?: string): ProblemBody {
    const { status, code, title, detail, action, pointer, extra } = this.#init;
    const single = pointer === undefined ? undefined : [{ pointer, detail: detail ?? title, code }];
    const errors = this.#init.errors ?? single;
    return {
      type: `urn:sealane:problem:${code}`,
      title,
      status,
      ...(detail === undefined ? {} : { detail }),
      ...(instance === undefined ? {} : { instance }),
      code,
      ...(errors === undefined ? {} : { errors }),
      ...(action === undefined ? {} : { action }),
      ...extra,
    };
  }
}

/**
 * Makes a problem.
 * @example throw problem({ status: 404, code: "transfer-unknown", title: "No such transfer" });
 */
export function problem(init: ProblemInit): Problem {
  return new Problem(init);
}

/** An RFC 6901 pointer from a path of keys and indexes: `["a/b", 0]` is `/a~1b/0`. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path
    .map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}
