// Reads JSON text more strictly than JSON.parse, before anything is built from it: RFC 8259 grammar
// with the position of the fault, a limit on depth (an array 30,000 deep blows the stack later on),
// no duplicate keys (parsers disagree on which one counts), no lone surrogates and no `__proto__`.
import { pointerOf, problem, type Problem } from "./problem.ts";

/** Where and why the text is refused; `at` counts UTF-16 units from the start. */
export type JsonFault = {
  readonly code: JsonFaultCode;
  readonly at: number;
  readonly pointer: string;
};
export type JsonFaultCode =
  | "json-malformed"
  | "json-too-deep"
  | "json-duplicate-key"
  | "json-forbidden-key"
  | "json-lone-surrogate";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

const DETAILS: Readonly<Record<JsonFaultCode, string>> = {
  "json-malformed": "the body is not well-formed JSON",
  "json-too-deep": "the body nests too deeply",
  "json-duplicate-key": "an object holds the same key twice",
  "json-forbidden-key": "an object holds a key that no object here may hold",
  "json-lone-surrogate": "a string holds half of a surrogate pair",
};

/** Parses strictly; throws a Problem (400) that names code, position and pointer. */
export function parseJsonStrictly(text: string, maxDepth = 32): unknown {
  const fault = scanJson(text, maxDepth);
  if (fault !== undefined) throw jsonProblem(text, fault);
  return JSON.parse(text);
}

/** The first fault of the text, or undefined when JSON.parse may have it. */
export function scanJson(text: string, maxDepth = 32): JsonFault | undefined {
  const scanner = new Scanner(text, maxDepth);
  scanner.document();
  return scanner.fault;
}

function jsonProblem(text: string, fault: JsonFault): Problem {
  const before = text.slice(0, fault.at);
  const line = before.split("\n").length;
  const column = fault.at - before.lastIndexOf("\n");
  const detail = `${DETAILS[fault.code]} (position ${fault.at}, line ${line}, column ${column})`;
  return problem({
    status: 400,
    code: fault.code,
    title: "The JSON text is refused",
    detail,
    pointer: fault.pointer,
    action: "Correct the JSON text at that position and send it again.",
    extra: { position: fault.at },
  });
}

/** A recursive reader; its depth is bounded by `maxDepth`. Each method is false at the first fault. */
class Scanner {
  fault: JsonFault | undefined;
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #path: (string | number)[] = [];
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  document(): void {
    this.#space();
    if (!this.#value(1)) return;
    this.#space();
    if (this.#at < this.#text.length) this.#refuse("json-malformed");
  }

  #value(depth: number): boolean {
    const code = this.#text.charCodeAt(this.#at);
    if (code === QUOTE) return this.#string();
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (depth > this.#maxDepth) return this.#refuse("json-too-deep");
      return code === OPEN_BRACE ? this.#object(depth) : this.#array(depth);
    }
    if (code === 0x74) return this.#word("true");
    if (code === 0x66) return this.#word("false");
    if (code === 0x6e) return this.#word("null");
    NUMBER.lastIndex = this.#at;
    if (!NUMBER.test(this.#text)) return this.#refuse("json-malformed");
    this.#at = NUMBER.lastIndex;
    return true;
  }

  #object(depth: number): boolean {
    const keys = new Set<string>();
    this.#at += 1;
    this.#space();
    if (this.#take(CLOSE_BRACE)) return true;
    for (;;) {
      if (!this.#key(keys)) return false;
      this.#space();
      if (!this.#take(COLON)) return this.#refuse("json-malformed");
      this.#space();
      if (!this.#value(depth + 1)) return false;
      this.#path.pop();
      this.#space();
      if (this.#take(CLOSE_BRACE)) return true;
      if (!this.#take(COMMA)) return this.#refuse("json-malformed");
      this.#space();
    }
  }

  /** Reads one key and leaves it on the path. */
  #key(keys: Set<string>): boolean {
    const start = this.#at;
    if (this.#text.charCodeAt(start) !== QUOTE) return this.#refuse("json-malformed");
    if (!this.#string()) return false;
    const raw = this.#text.slice(start + 1, this.#at - 1);
    const key = raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
    this.#path.push(key);
    if (key === "__proto__") return this.#refuse("json-forbidden-key", start);
    if (keys.has(key)) return this.#refuse("json-duplicate-key", start);
    keys.add(key);
    return true;
  }

  #array(depth: number): boolean {
    this.#at += 1;
    this.#space();
    if (this.#take(CLOSE_BRACKET)) return true;
    for (let index = 0; ; index += 1) {
      this.#path.push(index);
      if (!this.#value(depth + 1)) return false;
      this.#path.pop();
      this.#space();
      if (this.#take(CLOSE_BRACKET)) return true;
      if (!this.#take(COMMA)) return this.#refuse("json-malformed");
      this.#space();
    }
  }

  #string(): boolean {
    const start = this.#at;
    let unicode = false;
    for (let at = start + 1; ; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return !unicode || this.#wellFormed(start);
      }
      if (code === BACKSLASH) {
        ESCAPE.lastIndex = at;
        if (!ESCAPE.test(this.#text)) return this.#refuse("json-malformed", at);
        unicode ||= this.#text.charCodeAt(at + 1) === 0x75;
        at = ESCAPE.lastIndex - 1;
      } else if (!(code >= 0x20)) {
        return this.#refuse("json-malformed", at);
      }
    }
  }

  #wellFormed(start: number): boolean {
    const value = JSON.parse(this.#text.slice(start, this.#at)) as string;
    return value.isWellFormed() || this.#refuse("json-lone-surrogate", start);
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return this.#refuse("json-malformed");
    this.#at += word.length;
    return true;
  }

  #take(code: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at += 1;
    return true;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #refuse(code: JsonFaultCode, at = this.#at): false {
    this.fault ??= { code, at, pointer: pointerOf(this.#path) };
    return false;
  }
}
