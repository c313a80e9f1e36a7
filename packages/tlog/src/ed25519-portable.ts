/**
 * Ed25519 on noble: the reference, and what browsers run. A signature is judged without the
 * cofactor, as OpenSSL, Go and Python do: noble's own `verify` multiplies by 8 even when strict,
 * and accepts R = rB + T8, which all others refuse (a provider could settle, then repudiate).
 * Keys are admitted first (`admitPublicKey`); only behind that gate do all verifiers agree.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { equalBytes } from "./bytes.ts";

const { Point } = ed25519;
/** The order of the prime group (RFC 8032 section 5.1). */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

const littleEndian = (bytes: Uint8Array): bigint => {
  let value = 0n;
  for (let at = bytes.length - 1; at >= 0; at -= 1) value = (value << 8n) | BigInt(bytes[at] ?? 0);
  return value;
};

/** Whether a key may be registered at all; `reason` says why not. */
export type KeyAdmission = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * Judges a public key once, before any signature under it counts: 32 bytes, canonical encoding,
 * on the curve, not of small order, no torsion. Without this gate one signature under the
 * identity key fits every message.
 */
export const admitPublicKey = (publicKey: Uint8Array): KeyAdmission => {
  if (publicKey.length !== 32) return { ok: false, reason: "a public key has 32 bytes" };
  let point;
  try {
    point = Point.fromBytes(publicKey, false);
  } catch {
    return { ok: false, reason: "not the canonical encoding of a point on the curve" };
  }
  if (!equalBytes(point.toBytes(), publicKey)) {
    return { ok: false, reason: "not the canonical encoding of its point" };
  }
  if (point.isSmallOrder()) return { ok: false, reason: "the point has small order" };
  if (!point.isTorsionFree()) return { ok: false, reason: "the point has a torsion component" };
  return { ok: true };
};

/**
 * Whether `signature` (64 bytes) is the key's over `message`: s < L and
 * encode(s·B − k·A) = R, byte for byte. The key is not judged here. Never throws on bad bytes.
 */
export const verifyEd25519 = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (s >= ORDER) return false;
  let key;
  try {
    key = Point.fromBytes(publicKey, true);
  } catch {
    return false;
  }
  const digest = sha512.create().update(r).update(publicKey).update(message).digest();
  const k = littleEndian(digest) % ORDER;
  const point = Point.BASE.multiplyUnsafe(s).add(key.negate().multiplyUnsafe(k));
  return equalBytes(point.toBytes(), r);
};

/** Signs `message` with the key of a 32-byte seed (RFC 8032); 64 bytes, about 1,000 a second. */
export const signEd25519 = (seed: Uint8Array, message: Uint8Array): Uint8Array =>
  ed25519.sign(message, seed);

/** The 32-byte public key of a 32-byte seed. */
export const publicKeyOf = (seed: Uint8Array): Uint8Array => ed25519.getPublicKey(seed);
