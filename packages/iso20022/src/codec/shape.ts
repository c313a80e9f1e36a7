// One description of a message for both ways: `shape` says which part of a model stands where in the
// document, in the order of the schema, and the same description writes and reads it. So what is written
// is what is read. Elements that no part names are ignored when reading: a file may say more.
import { Iso20022Error } from "../errors.ts";
import { newElement, type XmlElement } from "../xml/element.ts";

/** How a value stands in an element. */
export type Content<T> = {
  put(into: XmlElement, value: T): void;
  get(from: XmlElement): T;
};

/** How a value stands somewhere below an element; undefined when it is not there. */
export type Part<T> = {
  put(into: XmlElement, value: T, whole: unknown): void;
  get(from: XmlElement): T;
  /** Judges the whole that was read: for what is said twice. */
  check?(from: XmlElement, whole: unknown): void;
};

type Parts = Readonly<Record<string, Part<unknown>>>;
type ValueOf<P> = P extends Part<infer T> ? T : never;
/** Parts with `_` are written and checked, and are no part of the model. */
type Named<K> = K extends `_${string}` ? never : K;
type Simplify<T> = { readonly [K in keyof T]: T[K] };

export type ModelOf<P> = Simplify<
  {
    readonly [K in keyof P as undefined extends ValueOf<P[K]> ? never : Named<K>]: ValueOf<P[K]>;
  } & {
    readonly [K in keyof P as undefined extends ValueOf<P[K]> ? Named<K> : never]?: Exclude<
      ValueOf<P[K]>,
      undefined
    >;
  }
>;

/** Opens the wrappers of a path: those that the part before has opened are gone on with. */
const descend = (into: XmlElement, wrappers: readonly string[]): XmlElement => {
  let at = into;
  for (const name of wrappers) {
    const last = at.children.at(-1);
    if (last?.name === name) at = last;
    else {
      const fresh = newElement(name);
      at.children.push(fresh);
      at = fresh;
    }
  }
  return at;
};

const findAll = (from: XmlElement, path: readonly string[]): XmlElement[] => {
  let found = [from];
  for (const name of path) {
    found = found.flatMap(({ children }) => children.filter((child) => child.name === name));
  }
  return found;
};

type Place = { readonly wrappers: readonly string[]; readonly name: string; readonly path: string };

const placeOf = (path: string): Place & { readonly names: readonly string[] } => {
  const names = path.split("/");
  return { names, wrappers: names.slice(0, -1), name: names.at(-1) ?? "", path };
};

const putAt = <T>(into: XmlElement, place: Place, content: Content<T>, value: T): void => {
  const element = newElement(place.name);
  descend(into, place.wrappers).children.push(element);
  content.put(element, value);
};

const first = (found: readonly XmlElement[], path: string): XmlElement | undefined => {
  if (found.length <= 1) return found[0];
  throw new Iso20022Error("element-repeated", `${path} stands ${found.length} times`);
};

/** It stands there once, or not at all. */
export const maybe = <T>(path: string, content: Content<T>): Part<T | undefined> => {
  const place = placeOf(path);
  return {
    put: (into, value) => {
      if (value !== undefined) putAt(into, place, content, value);
    },
    get: (from) => {
      const element = first(findAll(from, place.names), path);
      return element === undefined ? undefined : content.get(element);
    },
  };
};

/** It stands there, once. */
export const one = <T>(path: string, content: Content<T>): Part<T> => {
  const place = placeOf(path);
  return {
    put: (into, value) => putAt(into, place, content, value),
    get: (from) => {
      const element = first(findAll(from, place.names), path);
      if (element !== undefined) return content.get(element);
      throw new Iso20022Error("element-missing", `${from.name} has no ${path}`);
    },
  };
};

/** As often as there are values; wrappers that repeat are read as one list. */
export const many = <T>(path: string, content: Content<T>): Part<readonly T[]> => {
  const place = placeOf(path);
  return {
    put: (into, values) => {
      for (const value of values) putAt(into, place, content, value);
    },
    get: (from) => findAll(from, place.names).map((element) => content.get(element)),
  };
};

/** The same for a list that may be left out: undefined where nothing stands there. */
export const anyOf = <T>(path: string, content: Content<T>): Part<readonly T[] | undefined> => {
  const part = many(path, content);
  return {
    put: (into, values, whole) => part.put(into, values ?? [], whole),
    get: (from) => {
      const values = part.get(from);
      return values.length === 0 ? undefined : values;
    },
  };
};

/** Always the same when written; not looked at when read. */
export const fixed = (path: string, text: string): Part<undefined> => {
  const place = placeOf(path);
  return {
    put: (into) => putAt(into, place, { put: (at) => void (at.text = text), get: () => "" }, ""),
    get: () => undefined,
  };
};

/** How many there are in the list of this name: written by counting, refused when it is wrong. */
export const counted = (path: string, list: string): Part<undefined> => {
  const place = placeOf(path);
  const count = (whole: unknown): number =>
    ((whole as Readonly<Record<string, readonly unknown[]>>)[list] ?? []).length;
  const text = { put: (at: XmlElement, value: string) => void (at.text = value), get: () => "" };
  return {
    put: (into, _value, whole) => putAt(into, place, text, String(count(whole))),
    get: () => undefined,
    check: (from, whole) => {
      const said = findAll(from, place.names)[0]?.text.trim() ?? "";
      if (/^\d{1,15}$/.test(said) && Number(said) === count(whole)) return;
      throw new Iso20022Error("count-mismatch", `${path} is not the number of ${list}`);
    },
  };
};

/** A model of parts, in the order in which they stand in the schema. */
export const shape = <P extends Parts>(parts: P): Content<ModelOf<P>> => {
  const entries = Object.entries(parts);
  return {
    put: (into, value) => {
      const whole = value as Readonly<Record<string, unknown>>;
      for (const [name, part] of entries) part.put(into, whole[name], whole);
    },
    get: (from) => {
      const model: Record<string, unknown> = {};
      for (const [name, part] of entries) {
        const value = part.get(from);
        if (value !== undefined) model[name] = value;
      }
      for (const [, part] of entries) part.check?.(from, model);
      return model as ModelOf<P>;
    },
  };
};
