// Configuration is read from the environment once, checked as a whole and frozen: a process either
// starts with all of it right, or says everything that is wrong with it in one message.
// Values never appear in the message: they might be secrets.
import type { z } from "zod";

/** One variable that is missing or wrong, and what is expected of it. */
export type ConfigFault = { readonly variable: string; readonly problem: string };

/** All that is wrong with a configuration; `message` lists every fault on a line of its own. */
export class ConfigError extends Error {
  readonly code = "config-invalid";
  readonly retryable = false;
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map((fault) => `  ${fault.variable}: ${fault.problem}`);
    const noun = faults.length === 1 ? "1 setting is" : `${faults.length} settings are`;
    super(`The configuration cannot be used, ${noun} missing or wrong:\n${lines.join("\n")}`);
    this.name = "ConfigError";
    this.faults = faults;
  }
}

/**
 * Parses the environment with a zod object whose keys are the names of variables. An empty value
 * counts as unset. Throws one ConfigError that names every fault.
 * @example const config = loadConfig(z.object({ SEALANE_HTTP_PORT: port.default(8083) }));
 */
export function loadConfig<S extends z.ZodObject>(
  schema: S,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<z.output<S>> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = env[name]?.trim();
    if (value !== undefined && value !== "") given[name] = value;
  }
  const parsed = schema.safeParse(given, { reportInput: false });
  if (parsed.success) return freezeDeep(parsed.data);
  throw new ConfigError(parsed.error.issues.map((issue) => faultOf(issue, given, schema)));
}

function faultOf(
  issue: z.core.$ZodIssue,
  given: Readonly<Record<string, string>>,
  schema: z.ZodObject,
): ConfigFault {
  const variable = String(issue.path[0] ?? "(configuration)");
  const meaning = describe(schema, variable);
  const problem = variable in given || issue.path.length === 0 ? issue.message : "is not set";
  return { variable, problem: meaning === undefined ? problem : `${problem} (${meaning})` };
}

function describe(schema: z.ZodObject, variable: string): string | undefined {
  const field = schema.shape[variable] as { description?: string } | undefined;
  return field?.description;
}

function freezeDeep<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) freezeDeep(inner);
  return Object.freeze(value);
}
