// Elements to text: one way to write each document, so that the same message has the same bytes and the
// same digest. Indented by two spaces: these files are read by people, too.
import { Iso20022Error } from "../errors.ts";
import type { XmlElement } from "./element.ts";

/** What XML 1.0 allows: tab, line feed, carriage return, and everything else that is a character. */
const characters = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u;

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  // Else a reader takes them for another kind of white space.
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

const escaped = (text: string, name: string): string => {
  if (!characters.test(text)) {
    throw new Iso20022Error("text-malformed", `a character in ${name} that XML does not have`);
  }
  return text.replaceAll(/[&<>"\t\n\r]/g, (one) => escapes[one] ?? one);
};

const writeElement = (element: XmlElement, indent: string, lines: string[]): void => {
  const { name, attributes, children, text } = element;
  let open = `${indent}<${name}`;
  for (const [key, value] of attributes) open += ` ${key}="${escaped(value, name)}"`;
  if (children.length > 0) {
    lines.push(`${open}>`);
    for (const child of children) writeElement(child, `${indent}  `, lines);
    lines.push(`${indent}</${name}>`);
  } else if (text === "") lines.push(`${open}/>`);
  else lines.push(`${open}>${escaped(text, name)}</${name}>`);
};

/** The document's text. @throws Iso20022Error `text-malformed` */
export const writeXml = (root: XmlElement): string => {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  writeElement(root, "", lines);
  return `${lines.join("\n")}\n`;
};
