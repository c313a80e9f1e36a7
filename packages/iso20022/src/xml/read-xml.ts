// Bytes to elements, for files that strangers send. Only what ISO 20022 needs is read: UTF-8, XML 1.0,
// elements, text and attributes. No document type, so no entity of its own, no bomb and nothing
// external; no processing instruction; limits on bytes, depth and elements hold while reading, before
// anything is built from it.
import { SaxesParser, type SaxesTagNS } from "saxes";
import { Iso20022Error } from "../errors.ts";
import { newElement, type XmlElement } from "./element.ts";

export type XmlLimits = {
  readonly bytes: number;
  readonly depth: number;
  readonly elements: number;
};

/** A statement of 10,000 lines has 4 MB and 250,000 elements; the deepest message is 20 deep. */
export const defaultLimits: XmlLimits = { bytes: 8_388_608, depth: 32, elements: 500_000 };

export type XmlDocument = { readonly namespace: string; readonly root: XmlElement };

const decode = (bytes: Uint8Array): string => {
  try {
    // Refuses what is not UTF-8, and drops the byte order mark.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Iso20022Error("encoding-unsupported", "the document is not UTF-8");
  }
};

const malformed = (message: string): Iso20022Error => {
  // saxes says "undefined entity" for all but the five of XML itself.
  if (message.includes("entity")) {
    return new Iso20022Error("entity-refused", "only XML's own five entities are read");
  }
  return new Iso20022Error("xml-malformed", "the document is not well-formed XML");
};

/** Whitespace between elements is no text; text beside elements is nothing that ISO 20022 has. */
const blank = /^[\t\n\r ]*$/;

const finish = (element: XmlElement): void => {
  if (element.children.length === 0) return;
  if (!blank.test(element.text)) {
    throw new Iso20022Error("xml-malformed", `text beside elements in ${element.name}`);
  }
  element.text = "";
};

type Reading = {
  readonly stack: XmlElement[];
  readonly limits: XmlLimits;
  namespace: string;
  root: XmlElement | undefined;
  elements: number;
  /** Within elements of another namespace, such as supplementary data: nothing of them is kept. */
  foreign: number;
};

const openTag = (reading: Reading, { local, uri, attributes }: SaxesTagNS): void => {
  const { stack, limits } = reading;
  reading.elements += 1;
  if (reading.elements > limits.elements) {
    throw new Iso20022Error("document-too-many-elements", `more than ${limits.elements} elements`);
  }
  if (stack.length + reading.foreign >= limits.depth) {
    throw new Iso20022Error("document-too-deep", `more than ${limits.depth} elements deep`);
  }
  reading.namespace ||= uri;
  if (reading.foreign > 0 || uri !== reading.namespace) {
    reading.foreign += 1;
    return;
  }
  const element = newElement(local);
  for (const { local: name, uri: space, value } of Object.values(attributes)) {
    if (space === "") element.attributes.set(name, value);
  }
  stack.at(-1)?.children.push(element);
  reading.root ??= element;
  stack.push(element);
};

const closeTag = (reading: Reading): void => {
  if (reading.foreign > 0) {
    reading.foreign -= 1;
    return;
  }
  const element = reading.stack.pop();
  if (element !== undefined) finish(element);
};

const addText = ({ stack, foreign }: Reading, text: string): void => {
  const element = stack.at(-1);
  if (foreign === 0 && element !== undefined) element.text += text;
};

/** Reads a document. @throws Iso20022Error */
export const readXml = (bytes: Uint8Array, limits: XmlLimits = defaultLimits): XmlDocument => {
  if (bytes.length > limits.bytes) {
    throw new Iso20022Error("document-too-large", `more than ${limits.bytes} bytes`);
  }
  const text = decode(bytes);
  const reading: Reading = {
    stack: [],
    limits,
    namespace: "",
    root: undefined,
    elements: 0,
    foreign: 0,
  };
  const parser = new SaxesParser({ xmlns: true, position: false });
  parser.on("error", (error) => {
    throw malformed(error.message);
  });
  parser.on("doctype", () => {
    throw new Iso20022Error("doctype-refused", "a document type is never read");
  });
  parser.on("processinginstruction", () => {
    throw new Iso20022Error("instruction-refused", "a processing instruction is never followed");
  });
  parser.on("xmldecl", ({ encoding = "UTF-8", version = "1.0" }) => {
    if (encoding.toUpperCase() === "UTF-8" && version === "1.0") return;
    throw new Iso20022Error("encoding-unsupported", "only XML 1.0 in UTF-8 is read");
  });
  parser.on("opentag", (tag) => openTag(reading, tag));
  parser.on("closetag", () => closeTag(reading));
  parser.on("text", (more) => addText(reading, more));
  parser.on("cdata", (more) => addText(reading, more));
  parser.write(text).close();
  const { root, namespace } = reading;
  if (root === undefined) throw new Iso20022Error("xml-malformed", "the document has no element");
  return { namespace, root };
};
