// The OpenAPI 3.1 document of an app, made from the same schemas that validate its requests, once,
// when it is first asked for.
import {
  OpenApiGeneratorV31,
  OpenAPIRegistry,
  type ResponseConfig,
  type RouteConfig,
  type ZodContentObject,
} from "@asteasolutions/zod-to-openapi";
import { z } from "zod";
import type { AuthKind } from "./auth.ts";

/** What a route says about itself; `path` is in express's form (`/v1/transfers/:id`). */
export type RouteDescription = {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  readonly path: string;
  readonly summary: string;
  readonly tags?: readonly string[];
  readonly auth: AuthKind;
  readonly params?: z.ZodObject | undefined;
  readonly query?: z.ZodObject | undefined;
  readonly headers?: z.ZodObject | undefined;
  /** Whether `Idempotency-Key` must be sent. */
  readonly idempotent?: boolean | undefined;
  readonly body?: z.ZodType | undefined;
  readonly bodyType: string;
  readonly bodyOptional?: boolean | undefined;
  readonly bodyStream?: { readonly contentType: string; readonly schema: z.ZodType } | undefined;
  readonly responses: Readonly<Record<number, z.ZodType | string>>;
};

const PROBLEM = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    code: z.string(),
    errors: z
      .array(z.object({ pointer: z.string(), detail: z.string(), code: z.string() }))
      .optional(),
    action: z.string().optional(),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem details" });

/** Collects descriptions; `document()` makes the whole. */
export class OpenApiBook {
  readonly #routes: RouteDescription[] = [];

  add(route: RouteDescription): void {
    this.#routes.push(route);
  }

  /** The document as an object. */
  document(info: { readonly title: string; readonly version: string }): object {
    const registry = new OpenAPIRegistry();
    registry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
    for (const route of this.#routes) registry.registerPath(pathOf(route));
    const generator = new OpenApiGeneratorV31(registry.definitions);
    return generator.generateDocument({ openapi: "3.1.0", info });
  }
}

function pathOf(route: RouteDescription): RouteConfig {
  const { query } = route;
  const headers = headersOf(route);
  const params = paramsOf(route);
  const body = bodyOf(route);
  return {
    method: route.method,
    path: route.path.replaceAll(/[:*](\w+)/g, "{$1}"),
    summary: route.summary,
    ...(route.tags === undefined ? {} : { tags: [...route.tags] }),
    security: route.auth === "none" ? [] : [{ bearer: [] }],
    request: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    },
    responses: responsesOf(route),
  };
}

/** Every parameter of the path, whether or not the route has a schema for it. */
function paramsOf({ path, params }: RouteDescription): z.ZodObject | undefined {
  const names = [...path.matchAll(/[:*](\w+)/g)].map(([, name = ""]) => name);
  if (names.length === 0) return params;
  const shape: Record<string, z.ZodType> = {};
  for (const name of names) {
    const known = params?.shape[name] as z.ZodType | undefined;
    // A path has all of its parts; a coerced number would read as one that may be left out.
    shape[name] = (known ?? z.string()).meta({ param: { required: true } });
  }
  return z.object(shape);
}

/** The key is judged by `idempotencyKey`, with a code of its own; here it is only told. */
function headersOf({ headers, idempotent }: RouteDescription): z.ZodObject | undefined {
  if (idempotent !== true) return headers;
  const name = "idempotency-key";
  const description = "1 to 255 visible characters; the same key when repeating";
  const key = z.string().min(1).max(255).meta({ description });
  return z.object({ ...headers?.shape, [name]: key });
}

function bodyOf(
  route: RouteDescription,
): { required: boolean; content: ZodContentObject } | undefined {
  const { body, bodyType, bodyStream, bodyOptional } = route;
  if (bodyStream !== undefined) {
    const { contentType, schema } = bodyStream;
    return { required: true, content: { [contentType]: { schema } } };
  }
  if (body === undefined) return undefined;
  return { required: bodyOptional !== true, content: { [bodyType]: { schema: body } } };
}

function responsesOf(route: RouteDescription): Record<string, ResponseConfig> {
  const responses: Record<string, ResponseConfig> = {};
  for (const [status, response] of Object.entries(route.responses)) {
    const told = typeof response === "string" ? { description: response } : described(response);
    const failed = Number(status) >= 400;
    responses[status] =
      failed && typeof response === "string"
        ? { ...told, content: { "application/problem+json": { schema: PROBLEM } } }
        : told;
  }
  responses["default"] ??= {
    description: "Anything else is a problem",
    content: { "application/problem+json": { schema: PROBLEM } },
  };
  return responses;
}

function described(schema: z.ZodType): ResponseConfig {
  const description = schema.description ?? "Done";
  return { description, content: { "application/json": { schema } } };
}
