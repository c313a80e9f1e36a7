// Turns what zod found into faults that a client can act on: a pointer to the place, a code, and a
// sentence. A refinement may bring its own code: `z.core` custom issues with `params: { code }`.
import type { z } from "zod";
import { pointerOf, problem, type Problem, type ProblemFault } from "./problem.ts";

const MAX_FAULTS = 20;

/** Which part of a request a schema judged; the body's pointers start at its root. */
export type RequestPart = "body" | "path" | "query" | "header";

const CODES: Readonly<Record<string, string>> = {
  invalid_type: "wrong-type",
  too_big: "too-large",
  too_small: "too-small",
  invalid_format: "wrong-format",
  not_multiple_of: "wrong-value",
  unrecognized_keys: "unknown-field",
  invalid_value: "wrong-value",
  invalid_union: "wrong-value",
  invalid_key: "wrong-key",
  invalid_element: "wrong-value",
  custom: "refused-value",
};

/** The problem (400, `request-invalid`) for what zod refused in one part of a request. */
export function validationProblem(error: z.ZodError, input: unknown, part: RequestPart): Problem {
  const faults = error.issues.flatMap((issue) => faultsOf(issue, input, []));
  const prefix = part === "body" ? "" : `#/${part}`;
  const errors = faults
    .slice(0, MAX_FAULTS)
    .map((fault) => ({ ...fault, pointer: prefix + fault.pointer }));
  const first = errors[0];
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
  return problem({
    status: 400,
    code: "request-invalid",
    title: "The request is not valid",
    detail: `${first?.pointer === "" ? "body" : (first?.pointer ?? part)}: ${first?.detail}${more}`,
    errors,
    action: "Correct what `errors` points at and send the request again.",
  });
}

function faultsOf(issue: z.core.$ZodIssue, input: unknown, base: PropertyKey[]): ProblemFault[] {
  const path = [...base, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      pointer: pointerOf([...path, key]),
      detail: "this field is not known here",
      code: "unknown-field",
    }));
  }
  if (issue.code === "invalid_union") {
    const closest = closestBranch(issue.errors);
    if (closest !== undefined) return closest.flatMap((inner) => faultsOf(inner, input, path));
  }
  if (issue.code === "invalid_type" && valueAt(input, path) === undefined) {
    return [{ pointer: pointerOf(path), detail: "this field is required", code: "required" }];
  }
  return [{ pointer: pointerOf(path), detail: issue.message, code: codeOf(issue) }];
}

function codeOf(issue: z.core.$ZodIssue): string {
  const params: unknown = issue.code === "custom" ? issue.params : undefined;
  const own = (params as { code?: unknown } | undefined)?.code;
  return typeof own === "string" ? own : (CODES[issue.code] ?? "refused-value");
}

/** Of a union's branches the one with the fewest faults: most likely the one that was meant. */
function closestBranch(
  branches: readonly (readonly z.core.$ZodIssue[])[],
): readonly z.core.$ZodIssue[] | undefined {
  let best: readonly z.core.$ZodIssue[] | undefined;
  for (const branch of branches) {
    if (branch.length > 0 && (best === undefined || branch.length < best.length)) best = branch;
  }
  return best;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}
