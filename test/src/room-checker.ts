// Reads one source file with a real parser (comments and strings cannot fool it) and says what it does
// against the rules of its room.
import { isBuiltin } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { parseAst } from "vitest/node";
import { IMPURE_GLOBALS, ROOM_RULES, TEST_ALLOWANCE, type RoomRule } from "./room-rules.ts";

export type Violation = { readonly file: string; readonly what: string };

type Node = { readonly type: string; readonly [key: string]: unknown };

const SCOPE = "@sealane/";
/** Tests, and what several tests of one service share, which nothing else of it may import. */
const TEST_FILE = /\.test\.ts$|^services\/[^/]+\/src\/testing\//;

/** `file` is relative to the repository, with `/`. Throws when it cannot be parsed. */
export function checkFile(file: string, source: string): Violation[] {
  const room = Object.keys(ROOM_RULES).find((folder) => file.startsWith(`${folder}/`));
  const rule = room === undefined ? undefined : ROOM_RULES[room];
  if (room === undefined || rule === undefined) return [{ file, what: "belongs to no known room" }];
  const tree = parseAst(source, { lang: file.endsWith("x") ? "tsx" : "ts" }) as unknown as Node;
  const found: string[] = [];
  const isTest = TEST_FILE.test(file);
  const isPure = rule.pure === true && !isTest && rule.impure?.test(file) !== true;
  walk(tree, (node) => {
    const target = importTarget(node);
    if (target !== undefined) found.push(...importFaults(file, room, target, isTest, isPure));
    if (isPure) found.push(...purityFaults(node));
  });
  return [...new Set(found)].map((what) => ({ file, what }));
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const [key, value] of Object.entries(node)) {
    // A member's name (`.process`) or a property's key is no use of the global.
    if (node["computed"] === false && (key === "property" || key === "key")) continue;
    for (const child of Array.isArray(value) ? value : [value])
      if (isNode(child)) walk(child, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

/** What a node imports: static, dynamic, re-exported, required, resolved, or as a type. */
function importTarget(node: Node): string | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return literal(node["source"] ?? node["argument"]);
    case "CallExpression":
      return isRequire(node["callee"]) ? literal((node["arguments"] as unknown[])[0]) : undefined;
    default:
      return undefined;
  }
}

/** `require(…)` and the `require.resolve(…)` of a `createRequire`, whatever it is made from. */
function isRequire(callee: unknown): boolean {
  if (!isNode(callee)) return false;
  if (callee.type === "Identifier") return callee["name"] === "require";
  return callee.type === "MemberExpression" && isRequire(callee["object"]);
}

function literal(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === "TSLiteralType") return literal(value["literal"]);
  return typeof value["value"] === "string" ? value["value"] : undefined;
}

function importFaults(
  file: string,
  room: string,
  target: string,
  isTest: boolean,
  isPure: boolean,
): string[] {
  const rule = ROOM_RULES[room];
  const what = `imports ${target}`;
  if (rule === undefined) return [what];
  if (target.startsWith("#")) return []; // the room's own `imports`
  if (room.startsWith("services/") && !isTest && /^\.{1,2}\/(?:.*\/)?testing\//.test(target)) {
    return [`${what}, which is for tests`];
  }
  if (target.startsWith("."))
    return staysInside(file, room, target) ? [] : [`${what}, outside of its room`];
  if (isBuiltin(target)) return isPure ? [`${what}, but is pure`] : [];
  const rules = isTest ? [rule, TEST_ALLOWANCE] : [rule];
  return rules.some((allowed) => allows(allowed, target)) ? [] : [what];
}

function staysInside(file: string, room: string, target: string): boolean {
  const path = relative(room, join(dirname(file), target));
  return path !== ".." && !path.startsWith(`..${sep}`);
}

function allows({ rooms, packages }: RoomRule, target: string): boolean {
  if (target.startsWith(SCOPE)) return rooms.includes(target.slice(SCOPE.length));
  return packages.some((name) => {
    if (name.endsWith("/*")) return target.startsWith(name.slice(0, -1));
    return target === name || target.startsWith(`${name}/`);
  });
}

function purityFaults(node: Node): string[] {
  if (node["async"] === true || node.type === "AwaitExpression") return ["is asynchronous"];
  if (node.type === "Identifier" && IMPURE_GLOBALS.has(String(node["name"]))) {
    return [`uses ${String(node["name"])}`];
  }
  if (isMember(node, "Date", "now") || isMember(node, "Math", "random"))
    return ["reads the clock or dice"];
  const hidden = [...IMPURE_GLOBALS].find((name) => isMember(node, "globalThis", name));
  if (hidden !== undefined) return [`uses ${hidden}`];
  const isDate = isNode(node["callee"]) && node["callee"]["name"] === "Date";
  const hasArguments = Array.isArray(node["arguments"]) && node["arguments"].length > 0;
  const asksNow =
    (node.type === "NewExpression" && !hasArguments) || node.type === "CallExpression";
  return isDate && asksNow ? ["reads the clock or dice"] : [];
}

function isMember(node: Node, object: string, property: string): boolean {
  if (node.type !== "MemberExpression") return false;
  const [of, name] = [node["object"], node["property"]];
  if (!isNode(of) || !isNode(name)) return false;
  return of["name"] === object && (name["name"] === property || name["value"] === property);
}
