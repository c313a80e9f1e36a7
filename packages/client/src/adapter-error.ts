// What can go wrong between a wallet's core and its adapter: a refusal with its problem details (RFC
// 9457), or no usable answer. The second says nothing about the outcome: repeat it with the same
// key, or look the transfer up by its id.

/** The members of a problem that this client reads. */
export type ProblemDetails = {
  readonly status: number;
  /** Stable; branch on it. */
  readonly code: string;
  readonly title?: string | undefined;
  readonly detail?: string | undefined;
  /** What the caller can do about it. */
  readonly action?: string | undefined;
  /** ISO 20022 external reason code, where there is one. */
  readonly reason?: string | undefined;
  /** Where in the request (RFC 6901). */
  readonly pointer?: string | undefined;
};

/** The adapter answered, and said no. */
export class AdapterRefusal extends Error {
  readonly problem: ProblemDetails;
  readonly code: string;
  readonly retryable = false;

  constructor(problem: ProblemDetails) {
    super(problem.detail ?? problem.title ?? problem.code);
    this.name = "AdapterRefusal";
    this.problem = problem;
    this.code = problem.code;
  }
}

/** No answer, or one that says nothing: whether the request was executed is not known. */
export class AdapterUnavailable extends Error {
  readonly code: "adapter-unreachable" | "adapter-timeout" | "adapter-not-ready" | "answer-invalid";
  readonly retryable = true;

  constructor(code: AdapterUnavailable["code"], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "AdapterUnavailable";
    this.code = code;
  }
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;

/** Reads a problem as far as it is one; a proxy's HTML error page becomes one with its status. */
export const readProblem = (status: number, body: string): ProblemDetails => {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    json = undefined;
  }
  const fields = (typeof json === "object" && json !== null ? json : {}) as Record<string, unknown>;
  const errors = Array.isArray(fields["errors"]) ? (fields["errors"] as unknown[]) : [];
  const first = errors[0] as { pointer?: unknown; detail?: unknown } | undefined;
  return {
    status,
    code: textOf(fields["code"]) ?? `http-${status}`,
    title: textOf(fields["title"]),
    detail: textOf(fields["detail"]) ?? textOf(first?.detail),
    action: textOf(fields["action"]),
    reason: textOf(fields["reason"]),
    pointer: textOf(first?.pointer),
  };
};
