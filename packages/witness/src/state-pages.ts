// The bytes of a witness's state file. It begins with a snapshot (JSON, whole pages); after it lie
// pages, all zero at first, that each take one later change. Writing over allocated zeros needs one
// data sync and no new file, name or directory entry: a rename per checkpoint, with its two syncs and
// a new inode, was half of a witness's time.
// A page is one write: a crash can leave only the newest page incomplete, and then some of its 512-byte
// sectors are still zero, which no text has. Everything else that does not add up is damage, and damage
// stops the start: a head that is forgotten is a fork that gets cosigned.
import { hash } from "node:crypto";

export const pageBytes = 4_096;
/** Changes between two snapshots. */
export const changePages = 255;
const sectorBytes = 512;
const headPattern = /^([0-9a-f]{64}) ([1-9][0-9]{0,7})\n/;
const headBytesMost = 64 + 1 + 8 + 1;

/** A snapshot and room for changes. `content` is JSON without NUL characters. */
export const formatSnapshot = (content: string): Buffer => {
  const { text, pages } = withPages(content, 1);
  const file = Buffer.alloc((pages + changePages) * pageBytes);
  file.fill("\n", 0, pages * pageBytes);
  file.write(text);
  return file;
};

const withPages = (content: string, pages: number): { text: string; pages: number } => {
  const text = formatPage(`pages ${pages}\n${content}`);
  const needed = Math.ceil(text.length / pageBytes);
  return needed <= pages ? { text: text.toString("utf8"), pages } : withPages(content, needed);
};

/** One change: its checksum and length, then itself. Longer than a page when the change is. */
export const formatPage = (content: string): Buffer => {
  const bytes = Buffer.from(content);
  const sum = hash("sha256", bytes);
  return Buffer.concat([Buffer.from(`${sum} ${bytes.length}\n`), bytes]);
};

/** @throws Error that says what is wrong, when the file is not what was once written */
export const readPages = (file: Buffer): { snapshot: string; changes: string[] } => {
  const first = readPage(file);
  if (first === undefined) throw new Error("the snapshot is not what was written");
  const end = first.indexOf("\n");
  const pages = Number(/^pages ([1-9][0-9]{0,3})$/.exec(first.slice(0, end))?.[1]);
  const snapshot = first.slice(end + 1);
  const start = pages * pageBytes;
  const same = formatSnapshot(snapshot);
  if (file.length !== same.length) throw new Error("the length is wrong");
  if (same.compare(file, 0, start, 0, start) !== 0) throw new Error("the snapshot's pages differ");
  const changes: string[] = [];
  for (let at = start; at < file.length; at += pageBytes) {
    const page = file.subarray(at, at + pageBytes);
    const change = readChange(page);
    if (change === undefined) {
      if (!isUnfinished(page)) throw new Error(`page ${at / pageBytes} is not what was written`);
      if (!isBlank(file.subarray(at + pageBytes))) throw new Error("a page is missing");
      break;
    }
    changes.push(change);
  }
  return { snapshot, changes };
};

const readPage = (page: Buffer): string | undefined => {
  const head = headPattern.exec(page.toString("latin1", 0, headBytesMost));
  if (head === null) return undefined;
  const start = head[0].length;
  const bytes = page.subarray(start, start + Number(head[2]));
  return hash("sha256", bytes) === head[1] ? bytes.toString("utf8") : undefined;
};

const readChange = (page: Buffer): string | undefined => {
  const change = readPage(page);
  if (change === undefined) return undefined;
  return isBlank(page.subarray(formatPage(change).length)) ? change : undefined;
};

const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0);

/** Nothing was written, or not all of its sectors: one that should hold text is zero. */
const isUnfinished = (page: Buffer): boolean => {
  if (isBlank(page)) return true;
  const head = headPattern.exec(page.toString("latin1", 0, headBytesMost));
  const used = head === null ? sectorBytes : head[0].length + Number(head[2]);
  for (let at = 0; at < used; at += sectorBytes) {
    if (isBlank(page.subarray(at, Math.min(at + sectorBytes, used)))) return true;
  }
  return false;
};
