// Judges documents by the published schemas, with libxml2. The schemas lie beside the source as they were
// published (`schemas/`). A document goes through our own reader first, so that libxml2 never sees a
// document type, an entity or something huge. Schemas are loaded once, when first asked for.
import { readFileSync } from "node:fs";
import { XmlDocument, XmlParseError, XmlValidateError, XsdValidator } from "libxml2-wasm";
import { Iso20022Error, refusing, type Iso20022Refusal } from "./errors.ts";
import {
  messageName,
  readMessage,
  writeMessage,
  type Message,
  type MessageBodies,
  type MessageKind,
} from "./message.ts";
import { defaultLimits, type XmlLimits } from "./xml/read-xml.ts";

const validators = new Map<MessageKind, XsdValidator>();

const validatorOf = (kind: MessageKind): XsdValidator => {
  const known = validators.get(kind);
  if (known !== undefined) return known;
  const file = new URL(`../schemas/${messageName(kind)}.xsd`, import.meta.url);
  const schema = XmlDocument.fromBuffer(readFileSync(file));
  try {
    const validator = XsdValidator.fromDoc(schema);
    validators.set(kind, validator);
    return validator;
  } finally {
    schema.dispose();
  }
};

/** The first fault, without the values that libxml2 quotes: they may be personal data. */
const faultOf = (error: XmlValidateError): string => {
  const [first] = error.details;
  const element = /^Element '(?:\{[^}]*\})?([A-Za-z0-9]+)'/.exec(first?.message ?? "")?.[1];
  const line = first === undefined ? "" : `line ${first.line}: `;
  return `${line}${element ?? "an element"} is not as its schema has it`;
};

/** What our reader lets pass and libxml2 does not is refused too: a second byte order mark, an odd namespace. */
const parsed = (bytes: Uint8Array): XmlDocument => {
  try {
    return XmlDocument.fromBuffer(bytes);
  } catch (error) {
    if (!(error instanceof XmlParseError)) throw error;
    throw new Iso20022Error("xml-malformed", "the document is not well-formed XML");
  }
};

const validate = (kind: MessageKind, bytes: Uint8Array): void => {
  const validator = validatorOf(kind);
  const document = parsed(bytes);
  try {
    validator.validate(document);
  } catch (error) {
    if (!(error instanceof XmlValidateError)) throw error;
    throw new Iso20022Error("schema-invalid", faultOf(error));
  } finally {
    document.dispose();
  }
};

/** Reads a document and holds all of it against its schema: for what comes from outside. */
export const readValid = (
  bytes: Uint8Array,
  limits: XmlLimits = defaultLimits,
): { readonly ok: true; readonly value: Message } | Iso20022Refusal => {
  const result = readMessage(bytes, limits);
  if (!result.ok) return result;
  const { value } = result;
  return refusing(() => {
    validate(value.kind, bytes);
    return value;
  });
};

/** The document of a message, held against its schema before it leaves. @throws Iso20022Error */
export const writeValid = <K extends MessageKind>(kind: K, body: MessageBodies[K]): string => {
  const xml = writeMessage(kind, body);
  validate(kind, new TextEncoder().encode(xml));
  return xml;
};
